"""Which names look alike: skeletons by Unicode's table of confusable characters (UTS #39).

The table `assets/unicode/confusables.txt` is made by build_specs/make_name_tables.py from the data
files of Unicode (Unicode License v3, stored beside it). It is loaded for the first name that is not
all ASCII.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).parents[1] / "assets" / "unicode" / "confusables.txt"
_ASCII: Final = str.maketrans(
    {"0": "O", "1": "l", "I": "l", "|": "l", "m": "rn", '"': "''", "`": "'", "%": "º/₀"}
)
"""The table's mappings of ASCII: most names need no others."""
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
"""Joiners and variation selectors of letters and emoji (Default_Ignorable_Code_Point)."""


def skeletons(name: str) -> frozenset[str]:
    """The skeletons of `name`; two names look alike when they share one.

    The skeletons of UTS #39, §4, but in lower case, since "ada" is taken for "Ada". A capital may
    look like another letter than its small one does (I like l, i not; Cyrillic EN like H, its small
    letter not like h): so the name as written and the name in lower case each have one.
    """
    mapped = _mapped_ascii if name.isascii() else _mapped
    seen = _UNSEEN.sub("", name)
    read = mapped(seen)
    if seen.isupper():
        read = read.replace("l", "I")  # among capitals, what looks like both is I
    # Mapped again in lower case, since "m" reads as "rn" and "M" does not.
    return frozenset(mapped(form.casefold()).casefold() for form in (read, seen))


def _mapped_ascii(name: str) -> str:
    return name.translate(_ASCII)


def _mapped(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFD", decomposed.translate(_table()))


@cache
def _table() -> Mapping[int, str]:
    table: dict[int, str] = {}
    for line in _FILE.read_text("ascii").splitlines():
        source, *target = (int(code, 16) for code in line.split(" "))
        table[source] = "".join(map(chr, target))
    return table
