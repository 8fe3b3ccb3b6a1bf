"""Received text, made safe to show.

Tk never evaluates a widget's text, so nothing here is about quoting. It is about
characters that show something else than they are: a bidi override can make
`gpj.exe` read as `exe.jpg`, and a control character can hide the rest of a line.
"""

from __future__ import annotations

import re
import sys
from typing import Final

from window.emoji import split

# C0 and C1 controls, line and paragraph separators, bidi marks/embeddings/overrides/isolates,
# the invisible tag characters and interlinear annotation anchors.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0001]"
)

# One of these is in every emoji.
_RARE: Final = re.compile("[\u231a-\u3299\ufe0f\U00010000-\U0010ffff]")
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
    if sys.platform not in {"win32", "darwin"} and _RARE.search(shown):
        # A label has no pictures, and raw emoji are not for X11: see window.emoji.
        shown = "".join(_BOX if cell is not None else piece for piece, cell in split(shown))
    return shown


def safe_lines(text: str) -> str:
    """Received text for a `RichText`: line breaks and emoji stay, tabs become spaces."""
    return "\n".join(_reveal_all(line.expandtabs(4)) for line in text.split("\n"))


class StandIns:
    """Stands boxes in for the emoji of a field on X11, and gives the emoji back.

    A field has no pictures, and raw emoji are not for X11: see window.emoji. The boxes are
    characters for private use, which no font has a picture for; each is of one emoji, or of
    a part of one.
    """

    def __init__(self) -> None:
        self._emoji: dict[str, str] = {}
        self._boxes: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """`text` with a box for each emoji; as it is on other systems."""
        if sys.platform in {"win32", "darwin"} or not _RARE.search(text):
            return text
        return "".join(
            _PART.sub(lambda part: self._box(part[0]), piece) if cell is None else self._box(piece)
            for piece, cell in split(text)
        )

    def reveal(self, text: str) -> str:
        """`text` with the emoji that the boxes in it stand for."""
        return "".join(self._emoji.get(character, character) for character in text)

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
