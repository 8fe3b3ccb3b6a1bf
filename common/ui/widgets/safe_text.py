"""Sanitizing received text for display.

Tk never evaluates a widget's text, so nothing here is about quoting. It is about characters
that deceive (spoofing): a bidi override can make `gpj.exe` read as `exe.jpg`, and a control
character can hide the rest of a line.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple

from common.ui.look.emoji import split

# C0 and C1 controls, line and paragraph separators, bidi marks/embeddings/overrides/isolates,
# the invisible tag characters and interlinear annotation anchors.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0001]"
)

# What of a message's text is not drawn as it is. The flags of regions are, which are emoji: they
# come first, to be left alone. Then line breaks; controls and bidi overrides, which reorder what
# is read; and what shows nothing (UCD, Default_Ignorable_Code_Point) but joiners and selectors,
# which emoji need: fonts draw boxes for some of it, and without overrides none of it can deceive.
_DRAWN_OTHERWISE: Final = re.compile(
    "\U0001f3f4[\U000e0061-\U000e007a]{1,6}\U000e007f"
    "|\r\n?|[\x0b\x0c\x85\u2028\u2029]"
    "|[\x00-\x08\x0e-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff]"
    "|[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202c"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_BREAKS: Final = frozenset("\r\x0b\x0c\x85\u2028\u2029")

# What emoji are put together of, and those that are newer than the sheet.
_PART: Final = re.compile("[\U0001f000-\U0001faff]")
_BOX: Final = "\N{WHITE SQUARE}"


def safe(text: str) -> str:
    """`text` on one line, each control or bidi-format character shown as `⟦U+202E⟧`.

    Tabs and line breaks become one space each (a label has one line); lone surrogates,
    which Tcl cannot encode, become question marks. Emoji become boxes on X11. Everything else
    is left as it is.
    """
    shown = _reveal_all(text)
    if sys.platform not in {"win32", "darwin"}:
        # A label has no pictures, and raw emoji are not for X11: see common.ui.look.emoji.
        shown = "".join(_BOX if cell is not None else piece for piece, cell in split(shown))
    return shown


class Wording(NamedTuple):
    """A message's text as it is drawn, and where in the original each part of it is."""

    text: str
    begins: tuple[int, ...] = ()
    """Offsets in `text` of the pieces that differ from the original."""
    ends: tuple[int, ...] = ()
    sources: tuple[int, ...] = ()
    """Offsets in the original of the same pieces."""
    source_ends: tuple[int, ...] = ()

    def original(self, place: int, *, end: bool = False) -> int:
        """Map an offset in `text` to one in the original.

        Next to characters that are not drawn it is before them, or after them with `end`; inside
        of a character that is drawn as several it is before or after that one.
        """
        if end:
            last = bisect_right(self.begins, place) - 1
            if last >= 0 and self.begins[last] == place < self.ends[last]:
                last -= 1  # It begins here, and is not a part of what ends here.
            return place if last < 0 else self.source_ends[last] + max(0, place - self.ends[last])
        first = bisect_left(self.ends, place)
        if first < len(self.ends) and self.begins[first] < place < self.ends[first]:
            return self.sources[first]
        while first < len(self.ends) and self.begins[first] < self.ends[first] == place:
            first += 1  # It ends here, and is not a part of what begins here.
        if first == 0:
            return place
        return self.source_ends[first - 1] + place - self.ends[first - 1]


def worded(text: str) -> Wording:
    """Received text for a `RichText`: deceptive characters are shown, invisible ones left out.

    Bidi overrides and controls become `⟦U+202E⟧`, all kinds of line breaks newlines, and lone
    surrogates, which Tcl cannot encode, question marks. Tabs and emoji stay.
    """
    if text.isascii() and text.isprintable():
        return Wording(text)  # what nearly every message is
    pieces: list[str] = []
    begins, ends, sources, source_ends = [], [], [], []
    at = length = 0
    for match in _DRAWN_OTHERWISE.finditer(text):
        start, stop = match.span()
        drawn = _drawn(match[0])
        if drawn == match[0]:
            continue
        pieces += (text[at:start], drawn)
        length += start - at
        begins.append(length)
        length += len(drawn)
        ends.append(length)
        sources.append(start)
        source_ends.append(stop)
        at = stop
    pieces.append(text[at:])
    return Wording("".join(pieces), tuple(begins), tuple(ends), tuple(sources), tuple(source_ends))


def _drawn(characters: str) -> str:
    first = characters[0]
    if first in _BREAKS:
        return "\n"
    if first == "\U0001f3f4":
        return characters
    if "\ud800" <= first <= "\udfff":
        return "?"
    return f"⟦U+{ord(first):04X}⟧" if first < "\xa0" or first in "\u202d\u202e" else ""


class StandIns:
    """Replaces the emoji of a field on X11 by placeholders, and restores them.

    A field has no pictures, and raw emoji are not for X11: see common.ui.look.emoji. The
    placeholders are characters for private use, which fonts draw as boxes; each stands for one
    emoji, or for a part of one.
    """

    def __init__(self) -> None:
        self._emoji: dict[str, str] = {}
        self._boxes: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """`text` with a box for each emoji; unchanged on other systems than X11."""
        if sys.platform in {"win32", "darwin"}:
            return text
        return "".join(
            _PART.sub(lambda part: self._box(part[0]), piece) if cell is None else self._box(piece)
            for piece, cell in split(text)
        )

    def reveal(self, text: str) -> str:
        """`text` with the emoji that the boxes in it stand for."""
        return "".join(self._emoji.get(character, character) for character in text)

    def fit(self, hidden: str, most: int) -> str:
        """The beginning of a text with boxes that stands for `most` characters at most."""
        if len(hidden) <= most and len(self.reveal(hidden)) <= most:
            return hidden
        length = 0
        for index, character in enumerate(hidden):
            length += len(self._emoji.get(character, character))
            if length > most:
                return hidden[:index]
        return hidden

    def _box(self, emoji: str) -> str:
        box = self._boxes.setdefault(emoji, chr(0xE000 + len(self._boxes)))
        self._emoji[box] = emoji
        return box


def _reveal_all(text: str) -> str:
    shown = _UNSAFE.sub(_reveal, text)
    return shown.encode("utf-8", "replace").decode() if _has_surrogate(shown) else shown


def _reveal(match: re.Match[str]) -> str:
    char = match[0]
    return " " if char in "\t\n\r\u2028\u2029" else f"⟦U+{ord(char):04X}⟧"


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)
