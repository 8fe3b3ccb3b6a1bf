"""Make the tables for names: ``python build_specs/make_name_tables.py CONFUSABLES EMOJI LICENCE``.

CONFUSABLES is confusables.txt of UTS #39 (security/ on unicode.org), EMOJI is emoji-data.txt of
UTS #51 (ucd/emoji/), both of one version, and LICENCE the text of the Unicode License v3. Needs
the package anyascii. The result is committed: only a newer Unicode makes this run again.

The transliteration is a table of our own and no dependency, since anyascii is 565 files, of which
a program in a single file would unpack each at every start, and most of it is for symbols.
"""

import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import distribution
from itertools import groupby
from pathlib import Path
from typing import Final

from anyascii import anyascii

ASSETS: Final = Path(__file__).parents[1] / "common" / "assets"
UNICODE: Final = ASSETS / "unicode"
ANYASCII: Final = ASSETS / "anyascii"
_IN_A_LINE: Final = 32
"""Letters in a line, so that a change can be read in a diff."""
_NOT_IN_USERNAME: Final = re.compile(r"[^a-z0-9]+")


def main() -> None:
    """Write the three tables and the licences beside them."""
    confusables, emoji, licence = map(Path, sys.argv[1:4])
    for folder in (UNICODE, ANYASCII):
        folder.mkdir(parents=True, exist_ok=True)
    _write(UNICODE / "confusables.txt", _confusables(confusables.read_text("utf-8-sig")))
    _write(UNICODE / "pictographs.txt", _pictographs(emoji.read_text("utf-8")))
    _write(ANYASCII / "letters.txt", _letters())
    shutil.copyfile(licence, UNICODE / "LICENSE.txt")
    (text,) = (f for f in distribution("anyascii").files or () if f.name == "LICENSE")
    shutil.copyfile(str(text.locate()), ANYASCII / "LICENSE.txt")


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("\n".join(lines) + "\n", "ascii", newline="\n")
    print(f"{path.name}: {path.stat().st_size // 1024} KiB")


def _confusables(text: str) -> Iterator[str]:
    """A line for each character: it, and what it is read as, in hexadecimal."""
    for fields in _fields(text):
        source, target = fields[0], fields[1].split()
        yield " ".join(f"{int(code, 16):X}" for code in (source, *target))


def _pictographs(text: str) -> Iterator[str]:
    """Ranges of characters that emoji are made of, those for emoji to come among them."""
    codes: list[int] = []
    for fields in _fields(text):
        if fields[1] == "Extended_Pictographic":
            ends = [int(code, 16) for code in fields[0].split("..")]
            codes += range(ends[0], ends[-1] + 1)
    for first, last in _runs(codes):
        yield f"{first:X} {last:X}"


def _letters() -> Iterator[str]:
    """Runs of letters and digits of the Basic Multilingual Plane: the first, and each one's ASCII.

    Those beyond it are left out: they are rare in names, and would treble the file.
    """
    plain = dict(_transliterated())
    for first, last in _runs(plain):
        for start in range(first, last + 1, _IN_A_LINE):
            end = min(start + _IN_A_LINE, last + 1)
            yield f"{start:X} " + " ".join(plain[code] for code in range(start, end))


def _transliterated() -> Iterator[tuple[int, str]]:
    for code in range(0x80, 0x10000):
        char = chr(code)
        # What has a compatibility form is looked up by that: see common/domain/transliteration.py.
        if unicodedata.category(char)[0] in "LN" and unicodedata.is_normalized("NFKC", char):
            ascii_text = _NOT_IN_USERNAME.sub("", anyascii(char).lower())
            if ascii_text:
                yield code, ascii_text


def _runs(codes: Iterable[int] | Mapping[int, object]) -> Iterator[tuple[int, int]]:
    """The first and the last of each unbroken run of numbers."""
    for _, run in groupby(enumerate(sorted(codes)), lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        yield numbers[0], numbers[-1]


def _fields(text: str) -> Iterator[list[str]]:
    """The fields of each line of a data file of Unicode, without its comment."""
    for line in text.splitlines():
        data = line.partition("#")[0].strip()
        if data:
            yield [field.strip() for field in data.split(";")]


if __name__ == "__main__":
    main()
