"""Pages of the message list that only the server has: requests, retries, and the notice."""

import tkinter as tk
from collections.abc import Callable
from math import ceil
from time import perf_counter
from typing import Final

from chat_client.state.news import HistoryAdded, Wanted
from chat_client.window.transcript.missing import PATIENCE, Missing
from chat_client.window.transcript.reading import Reading
from chat_client.window.transcript.viewport import Viewport
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label

_AT: Final = 2, 48
"""Distances of the notice about missing messages from the upper edge, where it is above the
day heading, and from the lower one, above the button "Latest"; px at 96 dpi."""
_INSET: Final = 20
"""Minimum space on both sides of the notice, px at 96 dpi."""
_COVER: Final = 8
"""Padding above and below a notice of several lines, so that it hides the day; px at 96 dpi."""


class Fetching:
    """`on_missing(wanted)` requests a page from the server; `answered` is called with the result.

    `on_again()` is called when a refused page may be requested again, if it is still wanted.
    """

    def __init__(
        self,
        text: tk.Text,
        theme: Theme,
        reading: Reading,
        viewport: Viewport,
        on_missing: Callable[[Wanted], object],
        on_again: Callable[[], object],
    ) -> None:
        self._theme, self._reading, self._viewport = theme, reading, viewport
        self._missing = Missing(on_missing)
        self._on_again = on_again
        self._target: Wanted | None = None
        """The page to show on arrival, as the person went to the beginning or to a day."""
        self._text = text
        self._label = Label(text, theme, font="label", tone="muted", justify="center")
        self._say_later: str | None = None
        self._try_later: str | None = None

    def want(self, wanted: Wanted) -> None:
        """Request a page that is not cached, unless it is requested already."""
        self._missing.want(wanted, perf_counter())
        self.say()

    def aim(self, wanted: Wanted) -> None:
        """Request a page, and show it on arrival."""
        self._target = wanted
        self.want(wanted)

    def aim_at_nothing(self) -> None:
        """Show no page on arrival: the person went elsewhere meanwhile."""
        self._target = None

    def answered(self, added: HistoryAdded) -> bool:
        """Handle a page's arrival or failure; returns whether it is the one to be shown."""
        if added.places:
            self._missing.came(added.wanted)
        else:
            self._missing.failed(added.wanted, added.why, added.again, perf_counter())
            self._plan()
        aimed = added.wanted == self._target
        if aimed:
            self._target = None
        return aimed

    def forget(self) -> None:
        """Cancel all requests: another conversation is shown, or the connection is a new one."""
        self._missing.forget()
        self._plan()

    def disconnected(self) -> Wanted | None:
        """Mark all requests as failed; returns the page that was to be shown on arrival, if any."""
        self._missing.lost(perf_counter())
        self._plan()
        target, self._target = self._target, None
        return target

    def say(self) -> None:
        """Update the notice that older or newer messages are missing at an end that is in view."""
        line, at_top = self._line()
        if line:
            self._label.set(line)
            room = max(1, self._text.winfo_width() - 2 * self._theme.px(_INSET))
            covers = self._theme.fonts["label"].measure(line) > room
            self._label.configure(wraplength=room, pady=self._theme.px(_COVER) if covers else 0)
            above, below = map(self._theme.px, _AT)
            if at_top:
                self._label.place(relx=0.5, rely=0.0, y=above, anchor="n")
            else:
                self._label.place(relx=0.5, rely=1.0, y=-below, anchor="s")
        else:
            self._label.place_forget()
        if self._missing.waits and self._say_later is None:
            self._say_later = self._label.after(round(1000 * PATIENCE), self._say_again)

    def _say_again(self) -> None:
        self._say_later = None
        self.say()

    def _line(self) -> tuple[str, bool]:
        """The notice, and whether it belongs at the top; see `Missing.notice`."""
        reading, viewport = self._reading, self._viewport
        above = below = None
        if self._target is None and len(reading.events):
            above = reading.events.first if viewport.has_first_line else None
            has_end = reading.has_newer and viewport.has_last_line
            below = reading.events.last if has_end else None
        return self._missing.notice(reading.room, self._target, above, below, perf_counter())

    def _plan(self) -> None:
        """Schedule the next retry of a failed request."""
        if self._try_later is not None:
            self._label.after_cancel(self._try_later)
            self._try_later = None
        pause = self._missing.next_try(perf_counter())
        if pause is not None:
            self._try_later = self._label.after(ceil(1000 * pause), self._try_again)

    def _try_again(self) -> None:
        self._try_later = None
        self._on_again()
        self._plan()

    def stop(self) -> None:
        """Cancel the timers: the list is about to be destroyed."""
        for timer in (self._say_later, self._try_later):
            if timer is not None:
                self._label.after_cancel(timer)
        self._say_later = self._try_later = None
