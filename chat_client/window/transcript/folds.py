"""Which long texts of the message list are unfolded, and how far: bit by bit, with pauses."""

import tkinter as tk
from collections.abc import Callable
from typing import Final

from chat_client.window.transcript.held import Held
from chat_client.window.transcript.pen import SHOW_LESS, Pen
from chat_client.window.transcript.places import Places
from chat_client.window.transcript.wording import portions

MOST_UNFOLDED: Final = 3
"""Long texts that are unfolded at once: the list stays small."""
_PAUSE: Final = 10
"""Milliseconds between two portions of a long text: the window has its turn."""


class Folds:
    """Draws more of a message, or less.

    `stretch(seq)` says from where to where an event is drawn; `on_drawn(seq, whole)` is told when
    more of one is, and whether all of it is there.
    """

    def __init__(
        self,
        text: tk.Text,
        pen: Pen,
        places: Places,
        events: Held,
        stretch: Callable[[int], tuple[str, str]],
        on_drawn: Callable[[int, bool], object],
    ) -> None:
        self._text, self._pen, self._places = text, pen, places
        self._events, self._stretch, self._on_drawn = events, stretch, on_drawn
        self._unfolded: dict[int, int] = {}
        """Place of each message that is not folded → its portions that are drawn."""
        self._timer: str | None = None

    def __contains__(self, seq: int) -> bool:
        return seq in self._unfolded

    @property
    def busy(self) -> bool:
        """Whether more is about to be drawn."""
        return self._timer is not None

    @property
    def first_of_too_many(self) -> int | None:
        """What has to be folded before one more can be unfolded."""
        return next(iter(self._unfolded)) if len(self._unfolded) >= MOST_UNFOLDED else None

    def drawn(self, seq: int) -> int:
        """How many portions of a message are drawn."""
        return self._unfolded.get(seq, 1)

    def unfold(self, seq: int) -> None:
        """Draw all of a message, the next portion now and the rest soon; harmless if it is so."""
        if seq not in self._unfolded:
            self._unfolded[seq] = 1
            if self._timer is None:
                self._go_on()

    def fold(self, seq: int) -> None:
        """Draw only the beginning of a message."""
        del self._unfolded[seq]
        mark, stop = self._stretch(seq)
        start = self._text.index(mark)
        body = self._places.body(mark, stop) or stop
        self._text.delete(body, stop)
        self._text.mark_set("page", body)
        self._pen.draw_words(self._events.find(seq).text, "page")
        # Within a group nothing stands between the mark and what is drawn, which pushed it on.
        self._text.mark_set(mark, start)
        self._text.mark_unset("page")

    def forget(self, seq: int) -> None:
        """A message is in the list no more."""
        self._unfolded.pop(seq, None)

    def clear(self) -> None:
        """The list is empty, or about to go."""
        self._unfolded.clear()
        if self._timer is not None:
            self._text.after_cancel(self._timer)
            self._timer = None

    def _go_on(self) -> None:
        """Draw the next portion of the first message that is not whole."""
        self._timer = None
        for seq, drawn in self._unfolded.items():
            text = self._events.find(seq).text
            count = len(portions(text))
            if drawn < count:
                self._draw(seq, text, drawn)
                self._unfolded[seq] = drawn + 1
                self._timer = self._text.after(_PAUSE, self._go_on)
                self._on_drawn(seq, drawn + 1 == count)
                break

    def _draw(self, seq: int, text: str, number: int) -> None:
        """Draw one more portion of a message, and behind the last what folds it again."""
        parts = portions(text)
        mark, stop = self._stretch(seq)
        self._text.mark_set("page", self._places.more(mark, stop))
        self._text.delete("page", stop)
        self._pen.draw_portion(text, parts[number], "page")
        if number + 1 == len(parts):
            if not text.endswith("\n"):
                self._pen.draw_end("page")
            self._pen.draw_more(SHOW_LESS, "page")
        else:
            self._pen.draw_more(f"{parts[number].end:,} of {len(text):,} characters", "page")
        self._text.mark_unset("page")
