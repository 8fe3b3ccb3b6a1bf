"""Updates at the end of the message list: new events, and changes of the outbox."""

import math
import tkinter as tk
from collections.abc import Sequence
from time import perf_counter
from typing import assert_never

from chat_client.window.transcript.content import Content
from chat_client.window.transcript.draw_budget import Pace
from chat_client.window.transcript.paging import Pager
from chat_client.window.transcript.reading import Draw, Reading
from chat_client.window.transcript.viewport import Viewport
from common.protocol.events import Event


class Live:
    """Draws new events within a time budget; see `draw_budget`."""

    def __init__(
        self,
        text: tk.Text,
        reading: Reading,
        content: Content,
        viewport: Viewport,
        pager: Pager,
        pace: Pace,
    ) -> None:
        self._text, self._reading = text, reading
        self._content, self._viewport, self._pager = content, viewport, pager
        self.pace = pace
        self._timer: str | None = None

    @property
    def busy(self) -> bool:
        """Whether new events are scheduled to be drawn."""
        return self._timer is not None

    def add(self, events: Sequence[Event]) -> None:
        """Draw new events of the room, now or when the time budget allows it."""
        if not self._reading.hear(events):
            return
        pause = self.pace.pause(perf_counter())
        if pause <= 0 or self._reading.has_fresh_of(self._reading.me):
            # An own message has just left the outbox: it must not disappear until the next turn.
            self._draw()
        elif self._timer is None:
            self._timer = self._text.after(math.ceil(pause * 1000), self._draw)

    def _draw(self) -> None:
        """Draw the gathered events one by one; if they are too many, the latest page instead."""
        self.stop()
        self._viewport.look()
        began = perf_counter()
        draw, fresh = self._reading.take_fresh(selecting=self._content.has_selection)
        match draw:
            case Draw.NOTHING:
                return
            case Draw.LATEST:
                self._pager.hold_latest()
            case Draw.APPEND:
                self._content.hide_outbox()
                self._content.append(fresh)
                self._content.show_outbox()
                if self._reading.follows:
                    self._content.drop_above(self._viewport.top())
                    self._viewport.to_bottom()
            case Draw.LEAVE:
                self._content.hide_outbox()
                self._pager.look_soon()
            case _:
                assert_never(draw)
        self.pace.done(began, perf_counter())

    def refresh_outbox(self) -> None:
        """Redraw the outbox after a message in it was added, changed or removed."""
        reading = self._reading
        if reading.room is None or reading.has_newer or reading.fresh:
            return  # Drawing the new events draws the outbox below them.
        self._viewport.look()
        follow = reading.follows
        self._content.hide_outbox()
        self._content.show_outbox()
        if follow:
            self._viewport.to_bottom()

    def stop(self) -> None:
        """Cancel the scheduled drawing."""
        if self._timer is not None:
            self._text.after_cancel(self._timer)
            self._timer = None
