"""Highlights the matches of a search in the message list, and the message that was jumped to."""

import re
import tkinter as tk
from itertools import islice
from typing import Final

from chat_client.window.transcript.held import Held
from chat_client.window.transcript.places import Places
from common.ui.look.theme import Theme
from common.ui.widgets.richtext import RichText

_MOST: Final = 150
"""Maximum number of marks: one letter may be in view thousands of times, and each costs time."""
_AROUND = 300
"""Characters looked at before and after what is in view: more than can be looked for."""
_NOT_SAID = {"waiting", "failed"}
"""Tags of what is not in the room yet, and so is not looked through."""


class Highlights:
    """Two tags of a Text: `found` for the words in view, `here` for the message."""

    def __init__(self, text: tk.Text, rich: RichText, places: Places, events: Held) -> None:
        self._text, self._rich = text, rich
        self._places, self._events = places, events
        self.pattern: re.Pattern[str] | None = None
        """The pattern of the search."""
        self.here = 0
        """The `seq` that was jumped to; 0 for none."""
        self._timer: str | None = None

    def paint(self, theme: Theme) -> None:
        """The colours of the moment."""
        palette, text = theme.palette, self._text
        found = palette.found
        text.tag_configure("here", background=palette.selection, foreground=palette.on_selection)
        # The line is what is seen from afar; a ground that is would hide the words.
        text.tag_configure("found", background=found.fill, foreground=found.text, underline=True)
        # Else a word at the beginning of a line would have the margin's ground, too.
        text.tag_configure("found", lmargincolor=palette.window)
        text.tag_raise("here")
        text.tag_raise("found")
        text.tag_raise("sel")

    def look_for(self, pattern: re.Pattern[str] | None) -> None:
        """Mark this wherever it is shown, and no place that was gone to."""
        self.here = 0
        self._text.tag_remove("found", "1.0", "end")
        self._text.tag_remove("here", "1.0", "end")
        self.pattern = pattern
        self.mark_soon()

    def mark_soon(self) -> None:
        """Mark anew what is looked for, when all that is due is drawn."""
        if self.pattern is not None and self._timer is None:
            self._timer = self._text.after_idle(self._mark)

    def _mark(self) -> None:
        self._timer = None
        self._mark_view()

    def drawn(self, seq: int) -> None:
        """More of a message is drawn."""
        if seq == self.here:
            self.show_here()
        self.mark_soon()

    def stop(self) -> None:
        """The list is about to go."""
        if self._timer is not None:
            self._text.after_cancel(self._timer)
            self._timer = None

    def _mark_view(self) -> None:
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

    def show_here(self) -> None:
        """Mark the message that was gone to, if it is drawn, and no other."""
        if not self.here or self._events.at(self.here) is None:
            return
        text = self._text
        start, end = self._places.stretch(self.here)
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
