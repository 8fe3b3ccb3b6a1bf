"""Transliteration to Latin letters, to propose a username.

The table `assets/anyascii/letters.txt` is made by build_specs/make_name_tables.py from AnyAscii
(ISC licence, stored beside it). It works letter by letter and is independent of language: good
enough for a proposal that a person sees and can change, and for nothing else.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).parents[1] / "assets" / "anyascii" / "letters.txt"
_SEPARATOR: Final = " "


def to_ascii(text: str) -> str:
    """`text` in lower case with a-z and 0-9 for letters and digits; a space for all else.

    ASCII stays. Marks, invisible characters, and letters missing in the table are left out.
    """
    composed = unicodedata.normalize("NFKC", text).lower()
    return "".join(char if char.isascii() else _letter(char) for char in composed)


def _letter(char: str) -> str:
    category = unicodedata.category(char)
    if category[0] == "M" or category == "Cf":
        return ""
    if category[0] not in "LN":
        return _SEPARATOR
    starts, lines = _table()
    code = ord(char)
    place = bisect_right(starts, code) - 1
    letters = lines[place].split(" ")[1:] if place >= 0 else []
    offset = code - starts[place]
    return letters[offset] if offset < len(letters) else ""


@cache
def _table() -> tuple[list[int], list[str]]:
    """The code point of each line's first letter, and the lines; lines are parsed when needed."""
    lines = _FILE.read_text("ascii").splitlines()
    return [int(line.partition(" ")[0], 16) for line in lines], lines
