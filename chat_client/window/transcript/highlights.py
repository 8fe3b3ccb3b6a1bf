"""Highlights the matches of a search in the message list, and the message jumped to."""

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
"""Characters searched before and after the view: more than the longest search term."""
_NOT_SAID = {"waiting", "failed"}
"""Tags of outbox messages, which are not searched."""


class Highlights:
    """Two tags of a Text: `found` for the words in view, `here` for the message."""

    def __init__(self, text: tk.Text, rich: RichText, places: Places, events: Held) -> None:
        self._text, self._rich = text, rich
        self._places, self._events = places, events
        self.pattern: re.Pattern[str] | None = None
        """The pattern of the search."""
        self.here = 0
        """The `seq` of the message jumped to; 0 for none."""
        self._timer: str | None = None

    def paint(self, theme: Theme) -> None:
        """Configure the tags with the colours of the current mode."""
        palette, text = theme.palette, self._text
        found = palette.found
        text.tag_configure("here", background=palette.selection, foreground=palette.on_selection)
        # The underline is what catches the eye; a background as strong would hide the words.
        text.tag_configure("found", background=found.fill, foreground=found.text, underline=True)
        # Otherwise the background of a match at a line's beginning would extend into the margin.
        text.tag_configure("found", lmargincolor=palette.window)
        text.tag_raise("here")
        text.tag_raise("found")
        text.tag_raise("sel")

    def look_for(self, pattern: re.Pattern[str] | None) -> None:
        """Highlight the matches of a pattern, and no message jumped to."""
        self.here = 0
        self._text.tag_remove("found", "1.0", "end")
        self._text.tag_remove("here", "1.0", "end")
        self.pattern = pattern
        self.mark_soon()

    def mark_soon(self) -> None:
        """Update the highlighted matches when Tk is idle."""
        if self.pattern is not None and self._timer is None:
            self._timer = self._text.after_idle(self._mark)

    def _mark(self) -> None:
        self._timer = None
        self._mark_view()

    def drawn(self, seq: int) -> None:
        """Update the highlights after more of a message was drawn."""
        if seq == self.here:
            self.show_here()
        self.mark_soon()

    def stop(self) -> None:
        """Cancel the timer: the list is about to be destroyed."""
        if self._timer is not None:
            self._text.after_cancel(self._timer)
            self._timer = None

    def _mark_view(self) -> None:
        """Highlight the matches in view, and no others, which bounds the cost."""
        text = self._text
        text.tag_remove("found", "1.0", "end")
        if self.pattern is None:
            return
        top = text.index("@0,0")
        bottom = text.index(f"@{text.winfo_width()},{text.winfo_height()}")
        first, last = _place(top), _place(bottom)
        # A line may be very long, and a match may begin before the view.
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
        """Start and end of each match in a range of the list, names and times included."""
        return self._rich.find(self.pattern, start, end) if self.pattern is not None else []

    def first_in(self, start: str, end: str) -> str:
        """Position of the first match in a message's range; `start` if there is none."""
        return next((place for place, _ in self.find(start, end) if self._said(place)), start)

    def show_here(self) -> None:
        """Highlight the message jumped to, if it is drawn, and no other."""
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
        """Whether a position is in the text of an event, not in a name, time, day or outbox."""
        tags = self._text.tag_names(place)
        return "body" in tags and _NOT_SAID.isdisjoint(tags)


def _place(index: str) -> tuple[int, int]:
    line, column = index.split(".")
    return int(line), int(column)
