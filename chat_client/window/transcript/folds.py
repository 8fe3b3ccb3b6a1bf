"""Folding and unfolding of long texts in the message list, portion by portion with pauses."""

import tkinter as tk
from collections.abc import Callable
from typing import Final

from chat_client.window.transcript.held import Held
from chat_client.window.transcript.pen import SHOW_LESS, Pen
from chat_client.window.transcript.places import Places
from chat_client.window.transcript.viewport import Viewport
from chat_client.window.transcript.wording import portions
from common.protocol.events import Event

MOST_UNFOLDED: Final = 3
"""Maximum number of texts unfolded at the same time, so that the list stays small."""
_PAUSE: Final = 10
"""Milliseconds between two portions of a long text, in which the window handles events."""


class Folds:
    """Draws more of a message, or less.

    `on_drawn(seq)` is called when a further portion of a message is drawn.
    """

    def __init__(
        self,
        text: tk.Text,
        pen: Pen,
        places: Places,
        events: Held,
        viewport: Viewport,
        on_drawn: Callable[[int], object],
    ) -> None:
        self._text, self._pen, self._places = text, pen, places
        self._events, self._viewport, self._on_drawn = events, viewport, on_drawn
        self._unfolded: dict[int, int] = {}
        """`seq` of each unfolded message → number of its portions that are drawn."""
        self._then: dict[int, Callable[[], object]] = {}
        """`seq` → callback for when all of the message is drawn."""
        self._timer: str | None = None

    @property
    def busy(self) -> bool:
        """Whether further portions are scheduled to be drawn."""
        return self._timer is not None

    def drawn(self, seq: int) -> int:
        """Number of portions of a message that are drawn."""
        return self._unfolded.get(seq, 1)

    def toggle(self, seq: int) -> None:
        """Unfold a folded message, or fold an unfolded one."""
        self._fold(seq) if seq in self._unfolded else self.unfold(seq)

    def unfold(self, seq: int, then: Callable[[], object] | None = None) -> None:
        """Draw all of a message: the next portion now, the others one by one; then call `then`.

        With `MOST_UNFOLDED` unfolded already, the one that was unfolded first is folded.
        """
        if then is not None:
            self._then[seq] = then
        if seq in self._unfolded:
            return
        if len(self._unfolded) >= MOST_UNFOLDED:
            self._fold(next(iter(self._unfolded)))
        self._unfolded[seq] = 1
        if self._timer is None:
            self._go_on()

    def _fold(self, seq: int) -> None:
        """Draw only the first portion of a message; the visible events keep their position."""
        anchor = self._viewport.anchor()
        self._draw_beginning(seq)
        if anchor[0] == seq:
            # The visible portion was deleted, so show the message's beginning.
            self._viewport.show_at_top(seq)
        else:
            self._viewport.restore(anchor)

    def _draw_beginning(self, seq: int) -> None:
        self.forget(seq)
        mark, stop = self._places.stretch(seq)
        start = self._text.index(mark)
        body = self._places.body(mark, stop) or stop
        self._text.delete(body, stop)
        self._text.mark_set("page", body)
        self._pen.draw_words(self._events.find(seq), "page")
        # Within a group the text begins right at the mark, whose right gravity has moved it.
        self._text.mark_set(mark, start)
        self._text.mark_unset("page")

    def forget(self, seq: int) -> None:
        """Drop the state of a message that was removed from the list, or folded."""
        self._unfolded.pop(seq, None)
        self._then.pop(seq, None)

    def clear(self) -> None:
        """Drop all state: the list was cleared, or is about to be destroyed."""
        self._unfolded.clear()
        self._then.clear()
        if self._timer is not None:
            self._text.after_cancel(self._timer)
            self._timer = None

    def _go_on(self) -> None:
        """Draw the next portion of the first message that is not complete."""
        self._timer = None
        for seq, drawn in self._unfolded.items():
            said = self._events.find(seq)
            count = len(portions(said.text))
            if drawn < count:
                self._draw(seq, said, drawn)
                self._unfolded[seq] = drawn + 1
                self._timer = self._text.after(_PAUSE, self._go_on)
                self._on_drawn(seq)
                if drawn + 1 == count and seq in self._then:
                    self._then.pop(seq)()
                break

    def _draw(self, seq: int, said: Event, number: int) -> None:
        """Draw one more portion of a message, and after the last one the button that folds it."""
        text = said.text
        parts = portions(text)
        mark, stop = self._places.stretch(seq)
        self._text.mark_set("page", self._places.more(mark, stop))
        self._text.delete("page", stop)
        self._pen.draw_portion(said, parts[number], "page")
        if number + 1 == len(parts):
            if not text.endswith("\n"):
                self._pen.draw_end(said, "page")
            self._pen.draw_more(SHOW_LESS, said, "page")
        else:
            self._pen.draw_more(f"{parts[number].end:,} of {len(text):,} characters", said, "page")
        self._text.mark_unset("page")
