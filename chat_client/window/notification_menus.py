"""Menus about notifications: of a room, and of do not disturb."""

from __future__ import annotations

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
from common.ui.widgets.menus import MenuItem

_QUIET: Final = {
    "hour": "For 1 hour",
    "tomorrow": "Until 08:00",
    "on": "Until I turn it off",
    "off": "Off",
}
_CHOSEN: Final = "\N{CHECK MARK} "
_OTHER: Final = "\N{EM SPACE}"


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
