"""The visible part of the message list, and scrolling it by events and pixels."""

import tkinter as tk

from chat_client.window.transcript.places import Places
from chat_client.window.transcript.reading import Reading


class Viewport:
    """The view of a Text. It tells `reading` whether the newest message is in it."""

    def __init__(self, text: tk.Text, places: Places, reading: Reading) -> None:
        self._text, self._places, self._reading = text, places, reading
        self._events = reading.events
        self._going_down = False

    @property
    def has_size(self) -> bool:
        """Whether the Text is laid out: before, nothing is in view."""
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

        Tk's own fractions go by heights of lines that it corrects when it has time, and not at all
        for lines that came while the window was iconified.
        """
        if not self.has_size or not self._end_in_view():
            return False
        first = self._text.dlineinfo("1.0")
        return first is not None and first[1] >= self._pad

    # Where the end is

    def look(self) -> None:
        """See whether somebody scrolled away, which Tk tells late while much is going on."""
        if self._reading.follows and self.has_size:
            self.see_end()

    def moved(self) -> None:
        """Tk says that the view is another one."""
        if not self._going_down and self.has_size:
            # Tk tells this late at times, of a view that is no more: so it is asked.
            self.see_end()

    def see_end(self) -> None:
        """See whether the newest message is in view."""
        self._reading.see_end(self._end_in_view())

    def _end_in_view(self) -> bool:
        line = None if self._reading.has_newer else self._text.dlineinfo("end-1c")
        return line is not None and line[1] + line[3] <= self._text.winfo_height() - self._pad

    def to_bottom(self) -> None:
        """Have the end of what is held in view."""
        self._going_down = True
        try:
            # Not by a fraction: that needs the height of all lines, which takes long to know.
            self._text.yview("end")
        finally:
            self._going_down = False
        self._reading.see_end(True)

    # Where the events are

    def pixels_beyond(self) -> tuple[int, int]:
        """How much is held above the view, and below it, in pixels."""
        height = self._text.winfo_height()
        return self._pixels("1.0", "@0,0"), self._pixels(f"@0,{height}", "end")

    def top(self) -> int:
        """Where among the events the first one in view stands."""
        at = self._at("@0,0")
        return len(self._events) - 1 if at is None else at

    def bottom(self) -> int | None:
        """Where among the events the last one in view stands; None if that is none of them."""
        return self._at(f"@0,{self._text.winfo_height()}")

    def _at(self, index: str) -> int | None:
        mark = self._places.mark_at(index)
        return self._events.at(int(mark[1:])) if mark is not None and mark[0] == "e" else None

    def anchor(self, at_least: int = 0) -> tuple[int, int]:
        """The first event in view, and how far its beginning is from the top, in pixels.

        Or a later one, as the `at_least` first ones don't count.
        """
        seq = self._events[min(max(at_least, self.top()), len(self._events) - 1)].seq
        return seq, self._pixels(f"e{seq}", "@0,0", "-update") - self._offset("@0,0")

    def restore(self, anchor: tuple[int, int]) -> None:
        """Have an anchor where it was."""
        seq, offset = anchor
        self._text.yview(f"e{seq}")
        self._text.yview_scroll(offset, "pixels")

    def show_at_top(self, seq: int) -> None:
        """Have the beginning of an event at the top."""
        self._text.yview(f"e{seq}")

    def show_place(self, place: str) -> None:
        """Have a place in view, with a third of the view before it."""
        self._text.yview(place)
        # Near the end it stays further down than at the top.
        spare = self._text.winfo_height() // 3 - self._offset(place)
        if spare > 0:
            self._text.yview_scroll(-spare, "pixels")

    def _pixels(self, start: str, end: str, *options: str) -> int:
        counted = self._text.tk.call(str(self._text), "count", *options, "-ypixels", start, end)
        return int(counted or 0)

    def _offset(self, place: str) -> int:
        """How far the line of a place is from where it would be at the top; 0 out of view."""
        line = self._text.dlineinfo(place)
        return 0 if line is None else line[1] - self._pad

    @property
    def _pad(self) -> int:
        return int(str(self._text.cget("pady")))
