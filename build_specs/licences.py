"""The licence texts that go with a bundle, one file for each part of it.

They are copied from where the part came from: the metadata of its Python distribution, the
package of the system, or the bundle itself. What Windows' and macOS' Python brings along has no
such place; for that, the texts in build_specs/licences/ stand in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from packageurl import PackageURL

from build_specs.contents import ContentsError, Part

SOURCE: Final = Path(__file__).parents[1]
KEPT: Final = Path(__file__).parent / "licence_texts"
"""Texts for parts that nothing on some systems has a text for."""
DOCUMENTS: Final = Path("/usr/share/doc")
COMMON: Final = Path("/usr/share/common-licenses")
_COMMON_NAMES: Final = {"Apache-2.0": "Apache-2.0", "GPL-3.0-or-later": "GPL-3"}
"""From SPDX to what Debian refers to in place of the text; ours must be complete."""
_LICENCE_FILE: Final = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE)", re.IGNORECASE)


class MissingTextError(ContentsError):
    """There is no licence text for a part, and it must not ship without."""


def collect_licences(folder: Path, parts: Iterable[Part], out: Path) -> list[Path]:
    """Write each part's licence text into `out`, and our own as `LICENSE` into `folder`.

    Returns the files written, ours first; the same parts give the same bytes. Texts of parts that
    are no more are removed. Raises MissingTextError, with nothing changed.
    """
    texts = {text_name(part): _text(folder, part) for part in parts}
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.txt"):
        old.unlink()
    ours = folder / "LICENSE"
    _write(ours, (SOURCE / "LICENSE").read_text("utf-8"))
    for name, text in sorted(texts.items()):
        _write(out / name, text)
    return [ours, *(out / name for name in sorted(texts))]


def text_name(part: Part) -> str:
    """The name of the file that has the part's licence."""
    return f"{part.name.replace(' ', '-')}.txt"


def _text(folder: Path, part: Part) -> str:
    """A head that says what it is for, and all texts. Raises MissingTextError."""
    sources = _sources(folder, part)
    texts = [path.read_text("utf-8", "replace").strip("\r\n") for path in sources if path.exists()]
    if not sources or len(texts) < len(sources) or not all(texts):
        raise MissingTextError(
            f"there is no licence text for {part.name} ({part.licence}): install the package that"
            f" documents it, or put the text into build_specs/licences/{text_name(part)}"
        )
    head = [f"{part.name} {part.version}", part.licence, *filter(None, [part.homepage])]
    return f"\n\n{'=' * 78}\n\n".join(["\n".join(head), *texts])


def _sources(folder: Path, part: Part) -> list[Path]:
    """Where the part's texts are, in the order to be read."""
    purl = PackageURL.from_string(part.purl)
    kept = [path for path in [KEPT / text_name(part)] if path.exists()]
    if part.name == "CPython":
        return [*_of_interpreter(), *kept]
    beside = [
        folder / file.path
        for file in part.files
        if file.path.endswith(("/OFL.txt", "/LICENSE.txt"))
    ]
    if purl.type == "pypi":
        found = list(_of_distribution(purl.name))
    elif purl.type == "deb":
        found = list(_of_package(purl.name, part.licence))
    else:
        found = beside
    return found or kept


def _of_interpreter() -> Iterator[Path]:
    """CPython's own text: beside the standard library, or on Windows a folder above."""
    library = Path(os.__file__).parent
    beside, above = library / "LICENSE.txt", library.parent / "LICENSE.txt"
    yield beside if beside.exists() else above


def _of_distribution(name: str) -> Iterator[Path]:
    """Texts in a distribution's metadata, as PEP 639 places them, and as it was before."""
    for path in sorted(distribution(name).files or (), key=str):
        in_metadata = path.parts[0].endswith(".dist-info")
        if in_metadata and (path.parts[1] == "licenses" or _LICENCE_FILE.match(path.name)):
            yield Path(str(path.locate()))


def _of_package(name: str, licence: str) -> Iterator[Path]:
    """What Debian says of a package, and the texts that it has only once for all packages."""
    document = DOCUMENTS / name / "copyright"
    if document.exists():
        yield document
        for identifier, common in _COMMON_NAMES.items():
            if identifier in licence:
                yield COMMON / common


def _write(path: Path, text: str) -> None:
    """UTF-8 and lines that end alike on all systems."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    path.write_text(f"{lines}\n", "utf-8", newline="\n")
