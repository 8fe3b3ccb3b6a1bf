"""What comes at the end of the message list while somebody reads: new events, and the outbox."""

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
    """Draws what is new, at once or in a moment: see `draw_budget`."""

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
        """Whether something new is about to be drawn."""
        return self._timer is not None

    def add(self, events: Sequence[Event]) -> None:
        """New events of the room; drawn now, or a moment later."""
        if not self._reading.hear(events):
            return
        pause = self.pace.pause(perf_counter())
        if pause <= 0 or self._reading.has_fresh_of(self._reading.me):
            # What one has just said and came back must not be gone for a moment.
            self._draw()
        elif self._timer is None:
            self._timer = self._text.after(math.ceil(pause * 1000), self._draw)

    def _draw(self) -> None:
        """Draw what has gathered: some dozens as they are, of more only what will be in view."""
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
        """Something was written, acknowledged, refused or dropped."""
        reading = self._reading
        if reading.room is None or reading.has_newer or reading.fresh:
            return  # What is drawn in a moment has the outbox below it.
        self._viewport.look()
        follow = reading.follows
        self._content.hide_outbox()
        self._content.show_outbox()
        if follow:
            self._viewport.to_bottom()

    def stop(self) -> None:
        """Draw nothing that is new any more."""
        if self._timer is not None:
            self._text.after_cancel(self._timer)
            self._timer = None
