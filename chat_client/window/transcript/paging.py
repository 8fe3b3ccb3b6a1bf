"""Paging of the message list: loads the next page near one end, trims the other end."""

import math
import tkinter as tk
from collections.abc import Sequence
from time import perf_counter
from typing import Final

from chat_client.state.news import Wanted
from chat_client.window.transcript.content import Content
from chat_client.window.transcript.draw_budget import Pace
from chat_client.window.transcript.fetching import Fetching
from chat_client.window.transcript.held import STEP_WEIGHT, fitting
from chat_client.window.transcript.reading import PAGE, Reading
from chat_client.window.transcript.source import Source
from chat_client.window.transcript.viewport import Viewport
from common.protocol.events import Event
from common.ui.look.theme import Theme

_NEAR: Final = 900
"""Pixels from an end at which the next page is fetched."""
_DRAWN: Final = 20
"""Milliseconds after which the target of a jump is drawn on the screen."""
_TOLD: Final = 300
"""Milliseconds after which Tk has reported the view as drawing a page has left it."""


class Pager:
    """Chooses which part of the room the list holds, and extends it as the person scrolls.

    A page is read from the cache; one that is not cached is requested (`fetching`).
    """

    def __init__(
        self,
        text: tk.Text,
        theme: Theme,
        source: Source,
        reading: Reading,
        content: Content,
        viewport: Viewport,
        fetching: Fetching,
        pace: Pace,
    ) -> None:
        self._text, self._theme, self._source = text, theme, source
        self._reading, self._content, self._viewport = reading, content, viewport
        self._fetching = fetching
        self.pace = pace
        self._events = reading.events
        self._timer: str | None = None
        self._last_timer: str | None = None
        """For a check some time after the last page was drawn."""

    @property
    def busy(self) -> bool:
        """Whether a check of the ends is scheduled."""
        return self._timer is not None

    # Another part of the room

    def hold_latest(self) -> None:
        """Hold the newest page, and scroll to its end."""
        if self._reading.room is None:
            return
        self._content.restart(more=False)
        self._content.append(fitting(self._source.latest(self._reading.room, PAGE), newest=True))
        self._content.show_outbox()
        self._viewport.to_bottom()
        self.look_soon()

    def hold_from(self, seq: int) -> int | None:
        """Hold `seq` or the next cached event such that it can be scrolled to the top.

        Returns its `seq`, None if there is none. Pages loaded afterwards do not move it from the
        top: for that, some of what is above it and a whole view below are held from the beginning.
        Above the oldest event there is nothing.
        """
        room = self._reading.room
        page = [] if room is None else self._source.after(room, seq - 1, 1)
        if not page:
            return None
        first = page[0]
        views = 3 if self._source.before(first.room, first.seq, 1) else 1
        return first.seq if self.hold_around(first.seq, views) else None

    def hold_around(self, seq: int, views: int = 1) -> bool:
        """Hold an event and a view around it; returns whether the event is cached.

        More `views` hold more of what follows it.
        """
        room = self._reading.room
        if room is None:
            return False
        if self._events.at(seq) is not None:
            return True
        count = views * PAGE // 2
        page = self._source.after(room, seq - 1, count)
        if not page or page[0].seq != seq:
            return False  # The room was cleared meanwhile: the server was restored from a backup.
        before = self._source.before(room, seq, PAGE // 4)
        after = fitting(page, newest=False, most=views * STEP_WEIGHT * 2 // 3)
        self._content.restart(more=self._more_after(page, after, count))
        self._content.append([*fitting(before, newest=True, most=STEP_WEIGHT // 3), *after])
        self._end_with_outbox()
        return True

    def newest_added(self) -> None:
        """Hold the newest page, which may not adjoin what is held, if the reader follows it."""
        self._viewport.look()
        events = self._events
        if not len(events) or (self._reading.follows and not self._content.has_selection):
            self.hold_latest()
        elif self._source.after(events[0].room, events.last, 1) or (
            self._source.missing_after(events[0].room, events.last)
        ):
            self._content.hide_outbox()
            self._reading.brought(more=True)

    def _end_with_outbox(self) -> None:
        if not self._reading.has_newer:
            self._content.show_outbox()

    # The ends of what is held

    def look_soon(self) -> None:
        """Check the ends when Tk is idle."""
        if self._timer is None:
            self._timer = self._text.after_idle(self._look)

    def look_later(self) -> None:
        """Check the ends after the pending events of the window."""
        self.stop()  # of the check when idle, which the changed view has scheduled
        # A timer instead of `after_idle`: idle callbacks one after the other would delay events.
        self._timer = self._text.after(1, self._look)
        # Tk reports the view a while after a page was drawn, and not at all if it is back at the
        # same fractions of the list by then, such as with the upper end in view again.
        self._last_timer = self._text.after(_TOLD, self._look_at_last)

    def _look_at_last(self) -> None:
        self._last_timer = None
        self.look_soon()

    def look_when_drawn(self) -> None:
        """Check the ends when the target of a jump is drawn on the screen."""
        self.stop()
        self._timer = self._text.after(_DRAWN, self._look)

    def _look(self) -> None:
        self._timer = None
        reading, events = self._reading, self._events
        if reading.room is None or not len(events) or not self._viewport.has_size:
            return
        self._viewport.look()
        pause = self.pace.pause(perf_counter())
        if reading.follows and pause > 0:
            # During a flood of messages the upper end is not checked.
            self._timer = self._text.after(math.ceil(pause * 1000), self._look)
            return
        near = self._theme.px(_NEAR)
        above, below = self._viewport.pixels_beyond()
        if above < near and events.first > 1:
            page = self._source.before(reading.room, events.first, PAGE)
            if page:
                self._load_before(fitting(page, newest=True))
                return
            self._fetching.want(Wanted(reading.room, before=events.first))
        if below < near and reading.has_newer:
            page = self._source.after(reading.room, events.last, PAGE)
            if not page and self._source.missing_after(reading.room, events.last):
                # Not `before` a later event: a page of few long messages may not reach down here.
                self._fetching.want(Wanted(reading.room, around=events.last + 1))
                return
            self._load_after(page)
            return
        self._fetching.say()

    def _load_before(self, page: Sequence[Event]) -> None:
        # The first event may lose its day heading and head to the page before it while in view.
        anchor = None if self._reading.follows else self._viewport.anchor(at_least=1)
        self._content.prepend(page)
        if anchor is None:
            self._viewport.to_bottom()
        else:
            self._content.drop_below(self._viewport.bottom())
            self._viewport.restore(anchor)
        self.look_later()

    def _load_after(self, page: Sequence[Event]) -> None:
        taken = fitting(page, newest=False)
        anchor = self._viewport.anchor()
        self._content.append(taken)
        self._reading.brought(more=self._more_after(page, taken, PAGE))
        self._end_with_outbox()
        self._content.drop_above(self._viewport.top())
        self._viewport.restore(anchor)
        if page:
            self.look_later()

    def _more_after(self, page: Sequence[Event], taken: Sequence[Event], asked: int) -> bool:
        """Whether more events follow those `taken` of a page, of which `asked` were requested."""
        room = self._reading.room
        if len(page) == asked or len(taken) < len(page) or not page or room is None:
            return len(page) == asked or len(taken) < len(page)
        return self._source.missing_after(room, page[-1].seq)

    def stop(self) -> None:
        """Cancel the scheduled checks."""
        for timer in (self._timer, self._last_timer):
            if timer is not None:
                self._text.after_cancel(timer)
        self._timer = self._last_timer = None
