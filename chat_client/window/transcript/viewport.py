"""The visible part of the message list, and scrolling it by events and pixels."""

import tkinter as tk

from chat_client.window.transcript.places import Places
from chat_client.window.transcript.reading import Reading


class Viewport:
    """The view of a Text. It reports to `reading` whether the newest message is in it."""

    def __init__(self, text: tk.Text, places: Places, reading: Reading) -> None:
        self._text, self._places, self._reading = text, places, reading
        self._events = reading.events
        self._going_down = False

    @property
    def has_size(self) -> bool:
        """Whether the Text has been laid out: before that, nothing is in view."""
        return self._text.winfo_height() > 1

    @property
    def has_first_line(self) -> bool:
        """Whether the first line is in view."""
        return self._text.dlineinfo("1.0") is not None

    @property
    def has_last_line(self) -> bool:
        """Whether the last line is in view, if only in part."""
        return self._text.dlineinfo("end-1c") is not None

    @property
    def shows_all(self) -> bool:
        """Whether all that is held is in view.

        Tk's own fractions use heights of lines that it corrects when idle, and not at all for lines
        inserted while the window was iconified.
        """
        if not self.has_size or not self._end_in_view():
            return False
        first = self._text.dlineinfo("1.0")
        return first is not None and first[1] >= self._pad

    # Where the end is

    def look(self) -> None:
        """Check whether the person scrolled away, which Tk reports late under load."""
        if self._reading.follows and self.has_size:
            self.see_end()

    def moved(self) -> None:
        """Handle Tk's report that the view has changed (`yscrollcommand`)."""
        if not self._going_down and self.has_size:
            # The report may be late, of a former view: so query the current one.
            self.see_end()

    def see_end(self) -> None:
        """Check whether the newest message is in view, and report it to `reading`."""
        self._reading.see_end(self._end_in_view())

    def _end_in_view(self) -> bool:
        line = None if self._reading.has_newer else self._text.dlineinfo("end-1c")
        return line is not None and line[1] + line[3] <= self._text.winfo_height() - self._pad

    def to_bottom(self) -> None:
        """Scroll to the end of the held events."""
        self._going_down = True
        try:
            # Not `yview_moveto`: it needs the heights of all lines, which take long to compute.
            self._text.yview("end")
        finally:
            self._going_down = False
        self._reading.see_end(True)

    # Where the events are

    def pixels_beyond(self) -> tuple[int, int]:
        """Height of the content above the view, and below it, in pixels."""
        height = self._text.winfo_height()
        return self._pixels("1.0", "@0,0"), self._pixels(f"@0,{height}", "end")

    def top(self) -> int:
        """Index of the first event in view."""
        at = self._at("@0,0")
        return len(self._events) - 1 if at is None else at

    def bottom(self) -> int | None:
        """Index of the last event in view; None if no event is in view."""
        return self._at(f"@0,{self._text.winfo_height()}")

    def _at(self, index: str) -> int | None:
        mark = self._places.mark_at(index)
        return self._events.at(int(mark[1:])) if mark is not None and mark[0] == "e" else None

    def anchor(self, at_least: int = 0) -> tuple[int, int]:
        """The `seq` of the first event in view, and the pixels from the top to its beginning.

        The `at_least` first held events are skipped.
        """
        seq = self._events[min(max(at_least, self.top()), len(self._events) - 1)].seq
        return seq, self._pixels(f"e{seq}", "@0,0", "-update") - self._offset("@0,0")

    def restore(self, anchor: tuple[int, int]) -> None:
        """Scroll so that an anchor has its former position."""
        seq, offset = anchor
        self._text.yview(f"e{seq}")
        self._text.yview_scroll(offset, "pixels")

    def show_at_top(self, seq: int) -> None:
        """Scroll the beginning of an event to the top."""
        self._text.yview(f"e{seq}")

    def show_place(self, place: str) -> None:
        """Scroll a position into view, with a third of the view above it."""
        self._text.yview(place)
        # Near the end of the list the position can't be scrolled up to the top.
        spare = self._text.winfo_height() // 3 - self._offset(place)
        if spare > 0:
            self._text.yview_scroll(-spare, "pixels")

    def _pixels(self, start: str, end: str, *options: str) -> int:
        counted = self._text.tk.call(str(self._text), "count", *options, "-ypixels", start, end)
        return int(counted or 0)

    def _offset(self, place: str) -> int:
        """Pixels from the top of the view to the line of a position; 0 if it is out of view."""
        line = self._text.dlineinfo(place)
        return 0 if line is None else line[1] - self._pad

    @property
    def _pad(self) -> int:
        return int(str(self._text.cget("pady")))
