"""A desktop notification, and the sanitizing of its texts.

Other programs draw it, each in its own way: so texts have no characters that end a line, change
the direction of adjoining text, or are invisible.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Final

MOST: Final = 200
"""Maximum characters of a title or a body, the ellipsis included."""
_READ: Final = 16
"""Maximum characters that are read for each one shown: the rest of a long text is ignored."""
_MOST_MARKS: Final = 4
"""Maximum nonspacing marks on a letter (UTS #39, §5.4): more would be drawn over other lines."""
_ELLIPSIS: Final = "…"
_UNKNOWN: Final = "\ufffd"
_JOINERS: Final = frozenset("\u200c\u200d")
"""Join emoji, and select the forms of letters; kept between two visible characters only."""
_LOOSE: Final = " \u200c\u200d"
"""Characters that are stripped from both ends."""
_BLANKS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\U00016fe4\U0001d159")
"""Letters and symbols that are blank."""
_UNSEEN: Final = frozenset("\u034f\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f")
"""Invisible marks (Default_Ignorable_Code_Point) without a use here."""
_SEEN: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\U000110bd")
"""Visible characters of the category Cf: they enclose numbers."""
_SPACES: Final = frozenset({"Cc", "Zl", "Zp", "Zs"})
_MARKS: Final = frozenset({"Mn", "Me"})


@dataclass(frozen=True, slots=True)
class Notification:
    """The notification of a `key`; a newer one of the same key replaces it.

    `urgent` is for what must not be missed: many desktops show it until it is dismissed, and during
    do not disturb. `can_reply` offers an inline reply where the desktop supports it.
    """

    key: str
    title: str
    body: str = ""
    urgent: bool = False
    can_reply: bool = False

    def cleaned(self) -> Notification:
        """The same with sanitized texts; see `clean`."""
        return replace(self, title=clean(self.title), body=clean(self.body))


def clean(text: str, most: int = MOST) -> str:
    """`text` on one line, of at most `most` characters, without invisible ones.

    Control characters and line ends become spaces, and runs of spaces one. Characters that change
    the direction or are invisible are removed, except joiners and selectors where they work. Lone
    surrogates and noncharacters become U+FFFD. What is too long ends with an ellipsis, between
    two grapheme clusters (UAX #29, approximately). Idempotent.
    """
    read = text[: most * _READ]
    kept = _visible(read)
    if len(kept) <= most and len(read) == len(text):
        return kept
    return kept[: _boundary(kept, min(most - 1, len(kept)))].rstrip(_LOOSE) + _ELLIPSIS


def _visible(text: str) -> str:
    kept: list[str] = []
    joiner = ""  # pending until the visible character that it joins
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        at_start = not kept or kept[-1] == " "
        if char in _JOINERS:
            joiner = "" if at_start else char
        elif category in _SPACES or char in _BLANKS:
            joiner = ""
            if not at_start:
                kept.append(" ")
        elif category in _MARKS:
            marks += 1
            if not at_start and marks <= _MOST_MARKS and not _is_unseen(char):
                kept.append(char)
        elif category != "Cf" or char in _SEEN:
            marks = 0
            kept.append(joiner + (_UNKNOWN if _is_no_character(char, category) else char))
            joiner = ""
    return "".join(kept).rstrip()


def _is_unseen(char: str) -> bool:
    return char in _UNSEEN or "\U000e0100" <= char <= "\U000e01ef"


def _is_no_character(char: str, category: str) -> bool:
    """Whether it is a lone surrogate or a noncharacter."""
    number = ord(char)
    return category == "Cs" or number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF


def _boundary(text: str, end: int) -> int:
    """The last offset up to `end` that is not inside a grapheme cluster."""
    place = end
    while 0 < place < len(text) and _is_within(text, place):
        place -= 1
    return place or end  # a single cluster is cut


def _is_within(text: str, place: int) -> bool:
    """Whether the characters before and after the offset `place` are of one grapheme cluster."""
    before, after = text[place - 1], text[place]
    if before == "\u200d" or after in _JOINERS or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    if _is_part_of_flag(before) and _is_part_of_flag(after):
        start = place
        while start > 0 and _is_part_of_flag(text[start - 1]):
            start -= 1
        return (place - start) % 2 == 1
    return unicodedata.category(after) in {"Mn", "Me", "Mc"}


def _is_part_of_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
