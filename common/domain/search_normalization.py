"""Normalization of texts for search: one normal form, with all spaces alike.

The same word may be encoded in several ways that look the same (UAX #15): `ü` is one character or
two, and a space may be a no-break space. NFC unifies them; NFKC would unify characters that look
different.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

_SPACES: Final = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
"""All of the category Zs but the space, and the tab."""
_JOINED: Final = frozenset(
    "\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u0fb5\u0fb7\u102e"
    "\u1b35"
    "\U00011127\U0001133e\U00011357\U000114b0\U000114ba\U000114bd\U000115af\U00011930"
)
"""Characters that compose with the one before although their combining class is 0."""
_JAMO: Final = ("\u1160", "\u11ff")


class Comparable(NamedTuple):
    """A normalized text, and the range in the original of each of its characters."""

    text: str
    begins: list[int] | range
    ends: list[int] | range


def comparable(text: str) -> str:
    """The normal form of `text`; case is preserved."""
    if text.isascii():
        return text.replace("\t", " ")
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text))


def comparable_places(text: str) -> Comparable:
    """The same, with the ranges. Takes time linear in the length."""
    if unicodedata.is_normalized("NFC", text):
        return Comparable(comparable(text), range(len(text)), range(1, len(text) + 1))
    pieces: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    begin = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and joins(text[end]):
            continue
        piece = comparable(text[begin:end])
        pieces.append(piece)
        begins += [begin] * len(piece)
        ends += [end] * len(piece)
        begin = end
    return Comparable("".join(pieces), begins, ends)


def joins(character: str) -> bool:
    """Whether it may compose with the character before it."""
    return (
        unicodedata.combining(character) != 0
        or character in _JOINED
        or _JAMO[0] <= character <= _JAMO[1]
    )
