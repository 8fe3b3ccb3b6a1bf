"""Menus about notifications: of a room, and of do not disturb."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

from chat_client.notify.policy import Level
from chat_client.notify.quiet import Quiet
from chat_client.notify.wording import (
    LEVEL_NAMES,
    chosen_quiet,
    describe_quiet,
    quiet_until,
)
from chat_client.window.notifications import Notifications
from chat_client.window.overview import Overview
from common.domain.names import direct_partner
from common.ui.look.theme import Theme
from common.ui.widgets.menus import MenuItem, popup

_QUIET: Final = {
    "hour": "For 1 hour",
    "tomorrow": "Until 08:00",
    "on": "Until I turn it off",
    "off": "Off",
}
_CHOSEN: Final = "\N{CHECK MARK} "
_OTHER: Final = "\N{EM SPACE}"


class NotificationMenus:
    """Opens them over `screen`, and has it shown until when do not disturb is on.

    `on_settings()` opens the settings; `mark_read(room)` marks a room as read.
    """

    def __init__(
        self,
        screen: tk.Misc,
        theme: Theme,
        overview: Overview,
        notifications: Notifications,
        *,
        on_settings: Callable[[], object],
        mark_read: Callable[[str], object],
    ) -> None:
        self._screen, self._theme, self._overview = screen, theme, overview
        self._notifications = notifications
        self._on_settings, self._mark_read = on_settings, mark_read
        self._on_quiet: Callable[[str], object] = lambda _: None

    def begin(self, on_quiet: Callable[[str], object]) -> None:
        """Call `on_quiet(line)` now and whenever do not disturb begins or ends; see `quiet_line`.

        Nobody else hears of it from now on.
        """
        self._on_quiet = on_quiet
        self._notifications.on_quiet = self._show_quiet
        self._show_quiet()

    def stop(self) -> None:
        """Don't any more, unless others have taken its place already."""
        if self._notifications.on_quiet == self._show_quiet:
            self._notifications.on_quiet = lambda: None

    def open_room(self, room: str, x: int, y: int) -> None:
        """What one is told of a room, and that it is read."""
        told, preferences = self._notifications, self._notifications.preferences
        is_direct = direct_partner(room, self._overview.me) is not None
        unread = bool(self._overview.unread.get(room))
        items = room_menu(
            told.chosen_level(room),
            preferences.direct if is_direct else preferences.room,
            lambda level: told.set_level(room, level),
            (lambda: self._mark_read(room)) if unread else None,
        )
        popup(self._screen, self._theme, items, x, y)

    def open_quiet(self, x: int, y: int) -> None:
        """Turning do not disturb on and off."""
        told = self._notifications
        items = quiet_menu(told.preferences.quiet, told.now(), told.quiet_for, self._on_settings)
        popup(self._screen, self._theme, items, x, y)

    def _show_quiet(self) -> None:
        told = self._notifications
        self._on_quiet(quiet_line(told.preferences.quiet, told.now()))


def room_menu(
    chosen: Level | None,
    default: Level,
    choose: Callable[[Level | None], object],
    mark_read: Callable[[], object] | None,
) -> list[MenuItem]:
    """Menu items for the notification level of a room; `default` applies if none is `chosen`."""
    items = [MenuItem("Mark as read", mark_read, enabled=mark_read is not None), MenuItem()]
    levels: list[tuple[Level | None, str]] = [
        (None, f"Notify as usual ({LEVEL_NAMES[default].lower()})"),
        ("everything", "Notify of every message"),
        ("mentions", "Notify of mentions only"),
        ("nothing", "Notify of nothing"),
    ]
    return items + [
        MenuItem(_marked(label, level == chosen), partial(choose, level)) for level, label in levels
    ]


def quiet_menu(
    quiet: Quiet,
    now: datetime,
    choose: Callable[[int], object],
    on_settings: Callable[[], object],
) -> list[MenuItem]:
    """Menu items that turn do not disturb on and off; `now` is local."""
    items = [MenuItem(f"Do not disturb: {_short(quiet, now)}", enabled=False), MenuItem()]
    items += [
        MenuItem(_marked(label, each == chosen_quiet(quiet, now)), partial(_choose, choose, each))
        for each, label in _QUIET.items()
    ]
    return [*items, MenuItem(), MenuItem("Settings…", on_settings)]


def quiet_line(quiet: Quiet, now: datetime) -> str:
    """Until when do not disturb is on; "" if it is off. `now` is local."""
    return describe_quiet(quiet, now) if quiet.holds(now) else ""


def _short(quiet: Quiet, now: datetime) -> str:
    return describe_quiet(quiet, now).rstrip(".").lower() if quiet.holds(now) else "off"


def _choose(choose: Callable[[int], object], each: str) -> None:
    choose(quiet_until(each))


def _marked(label: str, chosen: bool) -> str:
    return f"{_CHOSEN if chosen else _OTHER}{label}"
