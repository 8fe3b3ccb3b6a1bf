"""A moderator's menu of a room: its slow mode."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from chat_client.state import news
from chat_client.state.slow_mode import SlowModeOrder
from chat_client.status_text import refusal_text
from common.domain.times import duration_text
from common.ui.look.theme import Theme
from common.ui.widgets.menus import MenuItem, popup
from common.ui.widgets.notices import FAILURE_TIME, TOAST_TIME
from common.ui.widgets.safe_text import safe

if TYPE_CHECKING:  # at run time it is loaded when the window is on the screen
    from chat_client.core import Core

_INTERVALS: Final = (5, 10, 30, 60, 5 * 60, 15 * 60, 3600, 6 * 3600)
"""Seconds."""
_CHOSEN: Final = "\N{CHECK MARK} "
_OTHER: Final = "\N{EM SPACE}"


def menu_items(interval: int, choose: Callable[[int], object]) -> list[MenuItem]:
    """The intervals to choose from, with the present one marked; 0 is off."""
    items = [MenuItem("Slow mode: each member may send", enabled=False)]
    for seconds in (0, *sorted({*_INTERVALS, interval} - {0})):
        words = f"one message in {duration_text(seconds)}" if seconds else "any number of messages"
        mark = _CHOSEN if seconds == interval else _OTHER
        items.append(MenuItem(f"{mark}{words}", partial(choose, seconds)))
    return items


class SlowModeMenu:
    """Opens over `screen`.

    `order(do)` has the core do something; `toast(text, milliseconds)` says what became of it;
    `interval(room)` is the present one, in seconds.
    """

    def __init__(
        self,
        screen: tk.Misc,
        theme: Theme,
        *,
        order: Callable[[Callable[[Core], object]], object],
        toast: Callable[[str, int], object],
        interval: Callable[[str], int],
    ) -> None:
        self._screen, self._theme = screen, theme
        self._order, self._toast, self._interval = order, toast, interval

    def open(self, room: str, x: int, y: int) -> None:
        """Let the person choose the interval of a room."""
        items = menu_items(self._interval(room), partial(self.choose, room))
        popup(self._screen, self._theme, items, x, y)

    def choose(self, room: str, seconds: int) -> None:
        """Put a room into slow mode; 0 ends it."""
        wanted = SlowModeOrder(room, seconds)
        self._order(lambda core: core.moderate(wanted))

    def hear(self, what: SlowModeOrder, item: news.Moderated) -> None:
        """The server answered."""
        if item.why is None:
            words = f"one message in {duration_text(what.seconds)}" if what.seconds else "off"
            self._toast(f"Slow mode: {words}", TOAST_TIME)
        else:
            self._toast(safe(refusal_text(item.why)), FAILURE_TIME)
