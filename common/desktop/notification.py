"""A desktop notification, and what of somebody's text may be shown in one.

Other programs draw it, each in its own way: so no text reaches them that could end a line, turn
the direction of what stands beside it, or show nothing at all.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Final

MOST: Final = 200
"""Characters of a title or a body, the ellipsis included."""
_READ: Final = 16
"""For each character that is shown, how many are looked at: the rest of a long text is not."""
_MOST_MARKS: Final = 4
"""Nonspacing marks on a letter (UTS #39, §5.4); more of them are drawn over other lines."""
_ELLIPSIS: Final = "…"
_UNKNOWN: Final = "\ufffd"
_JOINERS: Final = frozenset("\u200c\u200d")
"""They join emoji, and choose the form of letters; between two visible characters only."""
_LOOSE: Final = " \u200c\u200d"
"""What has nothing to join at an end."""
_BLANKS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\U00016fe4\U0001d159")
"""Letters and symbols in whose place nothing is drawn."""
_UNSEEN: Final = frozenset("\u034f\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f")
"""Marks that show nothing (Default_Ignorable_Code_Point) and choose nothing of use here."""
_SEEN: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\U000110bd")
"""Signs of the category Cf that are drawn: they stand around numbers."""
_SPACES: Final = frozenset({"Cc", "Zl", "Zp", "Zs"})
_MARKS: Final = frozenset({"Mn", "Me"})


@dataclass(frozen=True, slots=True)
class Notification:
    """What is shown for `key`: one notification for each, a newer one in place of the former.

    `urgent` is for what must not be missed: many desktops show it until it is dismissed, and while
    they are told not to disturb. `can_reply` offers an answer where the desktop takes one.
    """

    key: str
    title: str
    body: str = ""
    urgent: bool = False
    can_reply: bool = False

    def cleaned(self) -> Notification:
        """The same, with texts that may be shown."""
        return replace(self, title=clean(self.title), body=clean(self.body))


def clean(text: str, most: int = MOST) -> str:
    """`text` on one line, of at most `most` characters, with nothing in it that is not seen.

    Controls and all that ends a line become spaces, and runs of spaces one. Characters that turn
    the direction or show nothing are left out, but for joiners and selectors where they work. Lone
    surrogates and noncharacters become U+FFFD. What is too long ends with an ellipsis, between two
    characters as a reader sees them (UAX #29, approximately). Cleaning twice changes nothing.
    """
    read = text[: most * _READ]
    kept = _visible(read)
    if len(kept) <= most and len(read) == len(text):
        return kept
    return kept[: _boundary(kept, min(most - 1, len(kept)))].rstrip(_LOOSE) + _ELLIPSIS


def _visible(text: str) -> str:
    kept: list[str] = []
    joiner = ""  # waits for the visible character that it joins
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
    """Half a surrogate pair, or what Unicode will never assign."""
    number = ord(char)
    return category == "Cs" or number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF


def _boundary(text: str, end: int) -> int:
    """The last place up to `end` at which no character, as a reader sees it, is cut."""
    place = end
    while 0 < place < len(text) and _is_within(text, place):
        place -= 1
    return place or end  # nothing but one such character: then it is cut


def _is_within(text: str, place: int) -> bool:
    """Whether the two characters at `place` belong together."""
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
