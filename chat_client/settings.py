"""ChatClient's settings: looks, notifications, and levels of single rooms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from chat_client.notify.policy import LEVELS, Level, Preferences
from chat_client.notify.quiet import FOR_EVER, Quiet
from common.domain.times import local_time
from common.system import settings_store
from common.system.settings import Content
from common.system.settings_store import WindowSettings

VERSION: Final = 1
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_ALWAYS: Final = "until turned off"


@dataclass(frozen=True, slots=True)
class Settings(WindowSettings):
    """All settings; `rooms` has the levels by account and room."""

    notifications: Preferences = field(default_factory=Preferences)
    rooms: Mapping[str, Mapping[str, Level]] = field(default_factory=dict)

    def preferences(self, account: str) -> Preferences:
        """The notification settings of one account, by its key."""
        chosen = self.notifications
        return Preferences(
            chosen.enabled,
            chosen.direct,
            chosen.room,
            self.rooms.get(account, {}),
            chosen.preview,
            chosen.sounds,
            chosen.quiet,
        )


class SettingsStore(settings_store.SettingsStore[Settings]):
    """The settings of a data folder: read at once, written at each change."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, VERSION, parse, written)

    def set_quiet(self, quiet: Quiet) -> None:
        """Change do not disturb."""
        self.set("notifications", "do_not_disturb", value=_quiet_written(quiet))

    def set_level(self, account: str, room: str, level: Level | None) -> None:
        """Set the notification level of a room of an account; None removes it (the default)."""
        self.set("accounts", account, "rooms", room, value=level)


def parse(content: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """Parse a file's content; returns the settings, and the fields whose values are invalid."""
    read = _Reader(content)
    notifications = Preferences(
        enabled=read.flag("notifications", "enabled", default=True),
        direct=read.choice("notifications", "direct", among=LEVELS, default="everything"),
        room=read.choice("notifications", "rooms", among=LEVELS, default="mentions"),
        preview=read.flag("notifications", "preview", default=True),
        sounds=read.flag("notifications", "sounds", default=True),
        quiet=Quiet(
            read.until("notifications", "do_not_disturb", "until"),
            read.hours("notifications", "do_not_disturb", "hours"),
            read.flag("notifications", "do_not_disturb", "mentions_pass", default=False),
        ),
    )
    rooms = {
        account: {
            room: read.choice("accounts", account, "rooms", room, among=LEVELS, default="mentions")
            for room in read.part("accounts", account, "rooms")
        }
        for account in read.part("accounts")
    }
    return Settings(read.looks(), read.volume(), notifications, rooms), read.wrong


def written(settings: Settings) -> Content:
    """The content of a file with these settings."""
    chosen = settings.notifications
    notifications = {
        "enabled": chosen.enabled,
        "direct": chosen.direct,
        "rooms": chosen.room,
        "preview": chosen.preview,
        "sounds": chosen.sounds,
        "do_not_disturb": _quiet_written(chosen.quiet),
    }
    accounts = {key: {"rooms": dict(rooms)} for key, rooms in settings.rooms.items()}
    return {**settings.written_with(VERSION, notifications), "accounts": accounts}


def _quiet_written(quiet: Quiet) -> Content:
    until = _ALWAYS if quiet.until == FOR_EVER else None
    if quiet.until > 0:
        until = local_time(quiet.until).isoformat(timespec="seconds")
    hours = None
    if quiet.hours is not None:
        hours = [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in quiet.hours]
    return {"until": until, "hours": hours, "mentions_pass": quiet.mentions_pass}


class _Reader(settings_store.SettingsReader):
    """Reads fields that only this program's settings have, too."""

    def until(self, *path: str) -> int:
        value = self.value(*path)
        if value is None:
            return 0
        if value == _ALWAYS:
            return FOR_EVER
        try:
            return max(0, int(datetime.fromisoformat(value).timestamp() * 1000))
        except (ValueError, TypeError, OverflowError, OSError):
            self.refuse(*path)
            return 0

    def hours(self, *path: str) -> tuple[int, int] | None:
        value = self.value(*path)
        if value is None:
            return None
        if isinstance(value, list) and len(value) == 2:
            found = [_CLOCK.fullmatch(each) if isinstance(each, str) else None for each in value]
            minutes = [int(each[1]) * 60 + int(each[2]) for each in found if each is not None]
            if len(minutes) == len(value):
                return minutes[0], minutes[1]
        self.refuse(*path)
        return None
