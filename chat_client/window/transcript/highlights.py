"""Marks in the message list what somebody looks for, and the message that was gone to."""

import re
import tkinter as tk
from itertools import islice
from typing import Final

from common.ui.look.theme import Theme
from common.ui.widgets.richtext import RichText

_MOST: Final = 150
"""Marks at once: one letter may be in view thousands of times, and each takes Tk its time."""
_AROUND = 300
"""Characters looked at before and after what is in view: more than can be looked for."""
_NOT_SAID = {"waiting", "failed"}
"""Tags of what is not in the room yet, and so is not looked through."""


class Highlights:
    """Two tags of a Text: `found` for the words in view, `here` for the message."""

    def __init__(self, text: tk.Text, rich: RichText) -> None:
        self._text, self._rich = text, rich
        self.pattern: re.Pattern[str] | None = None
        """What is looked for."""

    def paint(self, theme: Theme) -> None:
        """The colours of the moment."""
        palette, text = theme.palette, self._text
        ink = palette.pill_away
        text.tag_configure("here", background=palette.selection, foreground=palette.on_selection)
        # The line is what is seen from afar; a ground that is would hide the words.
        text.tag_configure("found", background=ink.fill, foreground=ink.text, underline=True)
        # Else a word at the beginning of a line would have the margin's ground, too.
        text.tag_configure("found", lmargincolor=palette.window)
        text.tag_raise("here")
        text.tag_raise("found")
        text.tag_raise("sel")

    def clear(self) -> None:
        """Mark nothing."""
        self._text.tag_remove("found", "1.0", "end")
        self._text.tag_remove("here", "1.0", "end")

    def mark_view(self) -> None:
        """Mark what is looked for where it can be seen: that is never much."""
        text = self._text
        text.tag_remove("found", "1.0", "end")
        if self.pattern is None:
            return
        top = text.index("@0,0")
        bottom = text.index(f"@{text.winfo_width()},{text.winfo_height()}")
        first, last = _place(top), _place(bottom)
        # A line may be very long, and its words begin before what is in view.
        begin = max(f"{top} linestart", f"{top} - {_AROUND} chars", key=self._at)
        stop = min(f"{bottom} lineend", f"{bottom} + {_AROUND} chars", key=self._at)
        seen = (
            (start, end)
            for start, end in self.find(begin, stop)
            if first <= _place(end) and _place(start) <= last
        )
        for start, end in islice(seen, _MOST):
            if self._said(start):
                text.tag_add("found", start, end)

    def find(self, start: str, end: str) -> list[tuple[str, str]]:
        """From where to where it is in a stretch of the list, names and times included."""
        return self._rich.find(self.pattern, start, end) if self.pattern is not None else []

    def first_in(self, start: str, end: str) -> str:
        """Where it is in a message for the first time; the message's beginning if it is not."""
        return next((place for place, _ in self.find(start, end) if self._said(place)), start)

    def show_here(self, start: str, end: str) -> None:
        """Mark a message, and no other."""
        text = self._text
        text.tag_remove("here", "1.0", "end")
        text.tag_add("here", start, end)
        for above in ("day", "head"):
            place = text.tag_nextrange(above, start, end)
            if place:
                text.tag_remove("here", start, place[1])

    def _at(self, index: str) -> tuple[int, int]:
        return _place(self._text.index(index))

    def _said(self, place: str) -> bool:
        """Whether this is of a message in the room, and no name, time or day."""
        tags = self._text.tag_names(place)
        return "body" in tags and _NOT_SAID.isdisjoint(tags)


def _place(index: str) -> tuple[int, int]:
    line, column = index.split(".")
    return int(line), int(column)
