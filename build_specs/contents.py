"""What is really in a bundle: found in its files and archives, never listed by hand.

`find_parts` looks at everything in a folder that PyInstaller made, and knows each file and each
module of it as ours or as part of something that has a name, a version and a licence. What it
does not know ends the build, so that nothing ships by chance. `check_licences` ends it, too, when
a licence would ask more of the people who pass the programs on than to keep a text.

    ContentsError
     ├── UnknownPartError      something is in the bundle that no rule here knows
     └── RefusedLicenceError   something is in it whose licence we do not ship
"""

from __future__ import annotations

import hashlib
import platform
import re
import sqlite3
import ssl
import sys
import tkinter as tk
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from license_expression import ExpressionError, get_spdx_licensing
from packageurl import PackageURL
from PyInstaller.archive.readers import ArchiveReadError, CArchiveReader

from build_specs.debian import Package, system_packages
from build_specs.upstream import DATA, NATIVE, PERMITTED, UPSTREAM, library_of

UNKNOWN: Final = "unknown"
"""The version of a library that neither says it itself nor comes from a package that does."""

OUR_PACKAGES: Final = frozenset({"chat_client", "chat_server", "common"})
_SPDX: Final = get_spdx_licensing()
_TCL_RELEASE: Final = re.compile(
    r"^package require -exact (?:tcl|tk) +([\w.]+)", re.IGNORECASE | re.MULTILINE
)


class ContentsError(Exception):
    """The bundle must not ship as it is; the message says why, for the person who builds it."""


class UnknownPartError(ContentsError):
    """Something is in the bundle that no rule knows."""


class RefusedLicenceError(ContentsError):
    """Something is in the bundle whose licence is not among `PERMITTED`."""


class File(NamedTuple):
    """A file of the bundle: its path from the bundle's folder, with slashes, and its SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Part:
    """Something in the bundle that others made.

    `licence` is an SPDX expression, `purl` a package URL that no other part has, and `files` are
    sorted; a part without a file of its own (modules, static libraries) has those it is within.
    """

    name: str
    version: str
    licence: str
    purl: str
    files: tuple[File, ...]
    homepage: str = ""


_OUR_DATA: Final = re.compile(
    r"common/(ui/assets/icons|assets/sounds)/|build\.json$|[\w-]+\.ic(ns|o)$|LICENSE$|licenses/"
)
_RUNTIME: Final = re.compile(r"pyimod\d|pyiboot\d|pyi_rth|_pyi_rth|pyi_splash")
"""Modules of PyInstaller that are in every program it makes."""


def find_parts(folder: Path) -> list[Part]:
    """All parts of the bundle in `folder`, sorted by name; what is ours is no part.

    Must run in the environment that the bundle was made in, for versions are asked there.
    Raises UnknownPartError.
    """
    return _Finder(folder).parts()


def check_licences(parts: Iterable[Part]) -> None:
    """Raises RefusedLicenceError, naming each part whose licence is not `PERMITTED`."""
    refused = [part for part in parts if not _permitted(_SPDX.parse(part.licence))]
    if refused:
        names = ", ".join(f"{part.name} ({part.licence})" for part in refused)
        raise RefusedLicenceError(f"the bundle must not contain {names}")


def _permitted(licence: Any) -> bool:
    """Whether all of an AND and any of an OR is permitted."""
    if isinstance(licence, _SPDX.AND):
        return all(map(_permitted, licence.args))
    if isinstance(licence, _SPDX.OR):
        return any(map(_permitted, licence.args))
    return licence.render() in PERMITTED


def is_ours(path: str) -> bool:
    """Whether a file of a bundle, by its path within, is made here."""
    place = _place(PurePosixPath(path))
    # What stands beside the programs we put there, unless it is code.
    return (place is None and not NATIVE.search(path)) or bool(_OUR_DATA.match(place or ""))


def _place(path: PurePosixPath) -> str | None:
    """Where PyInstaller was told to put the file; None if it is not within its folders.

    They are `_internal`, and for an application of macOS `Frameworks` and `Resources`.
    """
    for depth, name in enumerate(path.parts[:-1]):
        if name in {"_internal", "Frameworks", "Resources"}:
            return PurePosixPath(*path.parts[depth + 1 :]).as_posix()
    return None


def _top(path: PurePosixPath) -> str:
    """The package, module or folder that a file belongs to, by its path in site-packages."""
    return path.parts[0] if len(path.parts) > 1 else path.name.partition(".")[0]


class _Finder:
    """One look at one bundle: first who owns what, then what is known of the owners."""

    def __init__(self, folder: Path) -> None:
        # A link leads to a file that is there, too.
        paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
        self._hashes = {path.relative_to(folder).as_posix(): _sha256(path) for path in paths}
        self._folder = folder
        self._programs: list[str] = []
        self._modules: set[str] = set()
        self._owners = _distributions_by_top()
        self._files: defaultdict[str, set[str]] = defaultdict(set)
        self._distributions: defaultdict[str, set[str]] = defaultdict(set)

    def parts(self) -> list[Part]:
        self._look_into_programs()
        for path in self._hashes:
            if not is_ours(path):
                self._assign(path)
        self._complete()
        found = [*self._python_packages(), *self._others()]
        return sorted(found, key=lambda part: (part.name.casefold(), part.name))

    def _look_into_programs(self) -> None:
        for path in self._hashes:
            if not is_ours(path) or _place(PurePosixPath(path)) is not None:
                continue
            modules = _modules_of(self._folder / path)
            if modules is not None:
                self._programs.append(path)
                self._modules |= {module.partition(".")[0] for module in modules}
        if not self._programs:
            raise UnknownPartError(f"no program of PyInstaller's is in {self._folder}")
        for module in sorted(self._modules - OUR_PACKAGES):
            if not (_is_standard(module) or _RUNTIME.match(module)):
                self._distributions.setdefault(self._owner(module), set())

    def _assign(self, path: str) -> None:
        """Say whose the file is. Raises UnknownPartError."""
        place = PurePosixPath(_place(PurePosixPath(path)) or path)
        top = _top(place)
        for pattern, name in DATA:
            if pattern.match(place.as_posix()):
                self._files[name].add(path)
                return
        if top.endswith((".dist-info", ".egg-info")):
            self._distributions[_normalised(top.partition("-")[0])].add(path)
        elif top in self._owners or place.name in self._owners:
            owner = self._owners.get(place.name) or self._owners[top]
            self._distributions[owner].add(path)
        elif library := library_of(place.name):
            self._files[library].add(path)
        elif NATIVE.search(place.name) and _is_standard(top):
            self._files["CPython"].add(path)
        else:
            raise UnknownPartError(_what_to_do(f"the file {path}"))

    def _owner(self, module: str) -> str:
        if module not in self._owners:
            raise UnknownPartError(_what_to_do(f"the module {module}"))
        return self._owners[module]

    def _complete(self) -> None:
        """Add what has no file of its own."""
        within = {path for path in self._files["CPython"] if library_of(PurePosixPath(path).name)}
        for name, upstream in UPSTREAM.items():
            if name not in self._files and upstream.module in self._modules:
                self._files[name] |= within or set(self._programs)
        self._files["PyInstaller bootloader"].update(self._programs)
        for files in self._distributions.values():
            if not files:
                files.update(self._programs)

    def _python_packages(self) -> Iterator[Part]:
        for key, files in self._distributions.items():
            found = distribution(key)
            yield Part(
                name=found.name,
                version=found.version,
                licence=_stated_licence(found),
                purl=_purl("pypi", key, found.version),
                files=self._hashed(files),
                homepage=_homepage(found),
            )

    def _others(self) -> Iterator[Part]:
        origins = system_packages(
            self._folder / path
            for name, files in self._files.items()
            for path in files
            if not UPSTREAM[name].own and NATIVE.search(path)
        )
        for name, files in self._files.items():
            upstream = UPSTREAM[name]
            packages = sorted({origins[p] for f in files if (p := self._folder / f) in origins})
            version = self._version(name, packages)
            if name == "PyInstaller bootloader":
                purl = _purl("pypi", "pyinstaller", version, within="PyInstaller/bootloader")
            elif packages:
                purl = packages[0].purl
            else:
                purl = _purl("generic", name.lower().replace(" ", "-"), version)
            hashed = self._hashed(files)
            yield Part(name, version, upstream.licence, purl, hashed, upstream.homepage)

    def _version(self, name: str, packages: list[Package]) -> str:
        if name in _VERSIONS:
            return _VERSIONS[name](self)
        return packages[0].upstream_version if packages else UNKNOWN

    def _hashed(self, paths: Iterable[str]) -> tuple[File, ...]:
        return tuple(File(path, self._hashes[path]) for path in sorted(paths))

    def tcl_release(self, name: str, script: str) -> str:
        """Tcl and Tk refuse scripts of another release; so a script tells what is there."""
        for path in sorted(self._files[name]):
            if path.endswith(script):
                told = _TCL_RELEASE.search((self._folder / path).read_text("utf-8"))
                if told:
                    return told[1]
        return str(tk.Tcl().eval("info patchlevel"))

    def font_revision(self) -> str:
        """The version of Inter, from its table "head" (OpenType)."""
        font = next(path for path in sorted(self._files["Inter"]) if path.endswith(".otf"))
        data = (self._folder / font).read_bytes()
        tables = int.from_bytes(data[4:6])
        for entry in range(12, 12 + 16 * tables, 16):
            if data[entry : entry + 4] == b"head":
                start = int.from_bytes(data[entry + 8 : entry + 12])
                return f"{int.from_bytes(data[start + 4 : start + 8]) / 65536:.3f}"
        return UNKNOWN


_VERSIONS: Final[Mapping[str, Callable[[_Finder], str]]] = {
    "CPython": lambda _: platform.python_version(),
    "PyInstaller bootloader": lambda _: distribution("pyinstaller").version,
    "Inter": _Finder.font_revision,
    # The pictures do not tell: the font's own revision when draw_emoji.py was last run.
    "Noto Color Emoji": lambda _: "2.042",
    # Of the tables' sources when make_name_tables.py was last run.
    "AnyAscii": lambda _: "0.3.3",
    "Unicode data": lambda _: "17.0.0",
    "OpenSSL": lambda _: ssl.OPENSSL_VERSION.split()[1],
    "SQLite": lambda _: sqlite3.sqlite_version,
    "Tcl": lambda finder: finder.tcl_release("Tcl", "/init.tcl"),
    "Tk": lambda finder: finder.tcl_release("Tk", "/tk.tcl"),
    "zlib": lambda _: zlib.ZLIB_RUNTIME_VERSION,
}
"""What the interpreter or the files themselves say."""


def _what_to_do(what: str) -> str:
    return (
        f"{what} is in the bundle: say in build_specs/contents.py what it is and under which"
        " licence, or keep it out in build_specs/bundle.py"
    )


def _is_standard(module: str) -> bool:
    return module in sys.stdlib_module_names or module.startswith("_sysconfigdata_")


def _modules_of(program: Path) -> list[str] | None:
    """The modules in the archive of an executable; None if it is none of PyInstaller's."""
    try:
        archive = CArchiveReader(str(program))
    except ArchiveReadError:
        return None
    embedded = [name for name, entry in archive.toc.items() if entry[-1] == "z"]
    return [module for name in embedded for module in archive.open_embedded_archive(name).toc]


def _distributions_by_top() -> dict[str, str]:
    """From what a distribution puts into site-packages to its normalised name.

    Libraries in a wheel have a hash in their name, so they are known wherever they are put.
    """
    owners: dict[str, str] = {}
    for each in distributions():
        key = _normalised(each.name)
        for path in each.files or ():
            top = _top(path)
            if top not in {"..", "__pycache__"} and not top.endswith((".dist-info", ".pth")):
                owners[top] = key
            if path.parent.name.endswith((".libs", ".dylibs")):
                owners[path.name] = key
    return owners


def _normalised(name: str) -> str:
    """A distribution's name as package URLs and comparisons want it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _stated_licence(found: Distribution) -> str:
    """The SPDX expression in a distribution's metadata. Raises UnknownPartError."""
    for field in ("License-Expression", "License"):
        for stated in found.metadata.get_all(field) or []:
            try:
                if not _SPDX.unknown_license_keys(stated):
                    return str(stated)
            except ExpressionError:
                continue  # a text, not an expression
    raise UnknownPartError(f"the metadata of {found.name} does not tell its licence as SPDX does")


def _homepage(found: Distribution) -> str:
    urls = [url.partition(", ") for url in found.metadata.get_all("Project-URL") or []]
    pages = {label.casefold(): url for label, _, url in urls}
    pages["home-page"] = (found.metadata.get_all("Home-page") or [""])[0]
    labels = ("homepage", "home", "home-page", "source", "source code", "repository")
    return next((pages[label] for label in labels if pages.get(label)), "")


def _purl(kind: str, name: str, version: str, within: str | None = None) -> str:
    known = None if version == UNKNOWN else version
    return PackageURL(type=kind, name=name, version=known, subpath=within).to_string()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
