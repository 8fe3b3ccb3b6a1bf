"""Marks in the message list what somebody looks for, and the message that was gone to."""

import tkinter as tk
from typing import Final

from window.theme import Theme

_MOST: Final = 1_000
"""Places that are marked at once; a single letter is everywhere."""


class Highlights:
    """Two tags of a Text: `found` for the words, `here` for the message."""

    def __init__(self, text: tk.Text) -> None:
        self._text = text
        self._words = ""

    def paint(self, theme: Theme) -> None:
        """The colours of the moment."""
        palette, text = theme.palette, self._text
        ink = palette.pill_away
        text.tag_configure("here", background=palette.selection, foreground=palette.on_selection)
        text.tag_configure("found", background=ink.fill, foreground=ink.text)
        text.tag_raise("here")
        text.tag_raise("found")
        text.tag_raise("sel")

    def look_for(self, words: str) -> None:
        """Mark these words from now on, whatever their case; none for ""."""
        self._words = words
        self._text.tag_remove("found", "1.0", "end")
        self._text.tag_remove("here", "1.0", "end")
        self.mark("1.0", "end")

    def mark(self, start: str, end: str) -> None:
        """Mark the words in what was just drawn."""
        if not self._words:
            return
        text = self._text
        call = text.tk.call
        places = text.tk.splitlist(
            call(str(text), "search", "-all", "-nocase", "--", self._words, start, end)
        )
        ranges: list[str] = []
        for place in places[:_MOST]:
            # Names, times and days are not what was said.
            if "body" in text.tag_names(str(place)):
                ranges += (str(place), f"{place} + {len(self._words)} chars")
        if ranges:
            call(str(text), "tag", "add", "found", *ranges)

    def show_here(self, start: str, end: str) -> None:
        """Mark a message, and no other."""
        text = self._text
        text.tag_remove("here", "1.0", "end")
        text.tag_add("here", start, end)
        for above in ("day", "head"):
            place = text.tag_nextrange(above, start, end)
            if place:
                text.tag_remove("here", start, place[1])
