"""Pages of the message list that only the server has: asked for, and said where they belong."""

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
"""Distances of what is said about missing messages from the upper edge, where it stands above the
day, and from the lower one, where it leaves room for the way to the latest; px at 96 dpi."""
_INSET: Final = 20
"""Beside it at least, px at 96 dpi."""
_COVER: Final = 8
"""Above and below it where it takes more than one line: it covers the day whole."""


class Fetching:
    """`on_missing(wanted)` asks for a page, which `answered` tells of.

    `on_again()` is called when one that was refused may be asked for again, if it is still wanted.
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
        """The page to show as soon as it is here: somebody goes to the beginning, or to a day."""
        self._text = text
        self._label = Label(text, theme, font="label", tone="muted", justify="center")
        self._say_later: str | None = None
        self._try_later: str | None = None

    def want(self, wanted: Wanted) -> None:
        """Ask for a page that is not here, once."""
        self._missing.want(wanted, perf_counter())
        self.say()

    def aim(self, wanted: Wanted) -> None:
        """Ask for a page that is to be shown when it is here."""
        self._target = wanted
        self.want(wanted)

    def aim_at_nothing(self) -> None:
        """Somebody goes elsewhere meanwhile."""
        self._target = None

    def answered(self, added: HistoryAdded) -> bool:
        """A page came, or can't be had now; whether it is the one that is to be shown."""
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
        """Another conversation is shown, or there is another connection."""
        self._missing.forget()
        self._plan()

    def disconnected(self) -> Wanted | None:
        """Nothing that was asked for comes any more; the page that was to be shown."""
        self._missing.lost(perf_counter())
        self._plan()
        target, self._target = self._target, None
        return target

    def say(self) -> None:
        """Say at the end of what is here, if it is in view, that there is more, and where."""
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
        """What to say, and whether it is about what is above and not below."""
        reading, viewport = self._reading, self._viewport
        above = below = None
        if self._target is None and len(reading.events):
            above = reading.events.first if viewport.has_first_line else None
            has_end = reading.has_newer and viewport.has_last_line
            below = reading.events.last if has_end else None
        return self._missing.notice(reading.room, self._target, above, below, perf_counter())

    def _plan(self) -> None:
        """Look again when something that was refused may be asked for again."""
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
        """The list is about to go."""
        for timer in (self._say_later, self._try_later):
            if timer is not None:
                self._label.after_cancel(timer)
        self._say_later = self._try_later = None
