"""What the person chose for this program: its looks, and what it notifies of.

`settings.json` in the data folder is meant to be read, and may be changed by hand. All windows of
a data folder share it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from chat_client.notify.policy import LEVELS, Level, Preferences
from chat_client.notify.quiet import FOR_EVER, Quiet
from common.domain.times import local_time
from common.system.settings import Content, SettingsError, SettingsFile, Trouble

log = logging.getLogger(__name__)

FILE: Final = "settings.json"
VERSION: Final = 1
ThemeChoice = Literal["system", "light", "dark"]
TEXT_SIZES: Final = (80, 90, 100, 110, 125, 150, 175, 200)
"""Per cent of the usual size that are offered; any whole number between them may be in the file."""
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_ALWAYS: Final = "until turned off"


@dataclass(frozen=True, slots=True)
class Looks:
    """The colours, and the size of text in per cent of the usual one."""

    theme: ThemeChoice = "system"
    text_size: int = 100


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `volume` is in per cent; `rooms` has each account's levels by room."""

    looks: Looks = field(default_factory=Looks)
    notifications: Preferences = field(default_factory=Preferences)
    volume: int = 70
    rooms: Mapping[str, Mapping[str, Level]] = field(default_factory=dict)

    def preferences(self, account: str) -> Preferences:
        """What is chosen for one account, by its key."""
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


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """Why settings are not as they were chosen: `what` is wrong, or the fields that are.

    `aside` is where a copy of the file is.
    """

    what: Trouble | Literal["wrong", "not_kept"]
    fields: tuple[str, ...] = ()
    aside: Path | None = None
    why: str = ""


class SettingsStore:
    """The settings of a data folder: read at once, written at each change."""

    def __init__(self, data_dir: Path) -> None:
        self._file = SettingsFile(data_dir / FILE, VERSION)
        self._listeners: list[Callable[[], object]] = []
        self.settings = Settings()
        self.problem: SettingsProblem | None = None
        """What the person has to be told."""
        self._read()

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def subscribe(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call `listener` after each change, whoever made it. Call the result to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def refresh(self) -> None:
        """Take over what another window changed; costs a look at the file's time."""
        if self._file.changed_since():
            self._read()
            self._changed()

    def set(self, *path: str, value: object) -> None:
        """Change one setting, by its place in the file, now and durably; None takes it out.

        It holds in this window even where it can't be kept: `problem` says why then.
        """

        def edit(content: Content) -> None:
            part = content
            for key in path[:-1]:
                below = part.get(key)
                if not isinstance(below, dict):
                    below = part[key] = {}
                part = below
            if value is None:
                part.pop(path[-1], None)
            else:
                part[path[-1]] = value

        try:
            content = self._file.change(edit)
        except SettingsError as error:
            log.warning("a setting can't be kept: %s", error)
            content = written(self.settings)
            edit(content)
            self.problem = SettingsProblem("not_kept", why=str(error))
        else:
            self.problem = None
        self.settings, _ = parse(content)
        self._changed()

    def set_quiet(self, quiet: Quiet) -> None:
        """Change when nothing may disturb."""
        self.set("notifications", "do_not_disturb", value=_quiet_written(quiet))

    def set_level(self, account: str, room: str, level: Level | None) -> None:
        """Choose of what of a room an account is told; None is what holds for all rooms."""
        self.set("accounts", account, "rooms", room, value=level)

    def _changed(self) -> None:
        for listener in list(self._listeners):
            listener()

    def _read(self) -> None:
        loaded = self._file.load()
        self.problem = None
        if loaded.trouble is not None:
            self.problem = SettingsProblem(loaded.trouble, aside=loaded.aside)
        self.settings, wrong = parse(loaded.content)
        if wrong:
            # The next change would write the right values in their place.
            self.problem = SettingsProblem("wrong", tuple(wrong), self._file.set_copy_aside())


def parse(content: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """The settings that a file holds; and which of its fields have values they can't have."""
    read = _Reader(content)
    looks = Looks(
        read.choice("looks", "theme", among=get_args(ThemeChoice), default="system"),
        read.number("looks", "text_size", low=TEXT_SIZES[0], high=TEXT_SIZES[-1], default=100),
    )
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
    volume = read.number("notifications", "volume", low=0, high=100, default=70)
    rooms = {
        account: {
            room: read.choice("accounts", account, "rooms", room, among=LEVELS, default="mentions")
            for room in read.part("accounts", account, "rooms")
        }
        for account in read.part("accounts")
    }
    return Settings(looks, notifications, volume, rooms), read.wrong


def written(settings: Settings) -> Content:
    """What a file with these settings holds."""
    chosen = settings.notifications
    return {
        "format": VERSION,
        "looks": {"theme": settings.looks.theme, "text_size": settings.looks.text_size},
        "notifications": {
            "enabled": chosen.enabled,
            "direct": chosen.direct,
            "rooms": chosen.room,
            "preview": chosen.preview,
            "sounds": chosen.sounds,
            "volume": settings.volume,
            "do_not_disturb": _quiet_written(chosen.quiet),
        },
        "accounts": {key: {"rooms": dict(rooms)} for key, rooms in settings.rooms.items()},
    }


def _quiet_written(quiet: Quiet) -> Content:
    until = _ALWAYS if quiet.until == FOR_EVER else None
    if quiet.until > 0:
        until = local_time(quiet.until).isoformat(timespec="seconds")
    hours = None
    if quiet.hours is not None:
        hours = [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in quiet.hours]
    return {"until": until, "hours": hours, "mentions_pass": quiet.mentions_pass}


class _Reader:
    """Takes values out of what a file holds, and notes the names of those that can't be."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self.wrong: list[str] = []

    def part(self, *path: str) -> Mapping[str, Any]:
        """An object in the file; {} where there is none."""
        part: Mapping[str, Any] = self._content
        for end, key in enumerate(path, 1):
            below = part.get(key)
            if below is not None and not isinstance(below, dict):
                name = ".".join(path[:end])
                if name not in self.wrong:
                    self.wrong.append(name)
            if not isinstance(below, dict):
                return {}
            part = below
        return part

    def _value(self, path: tuple[str, ...]) -> Any:
        return self.part(*path[:-1]).get(path[-1])

    def _refuse(self, path: tuple[str, ...]) -> None:
        self.wrong.append(".".join(path))

    def flag(self, *path: str, default: bool) -> bool:
        value = self._value(path)
        if isinstance(value, bool):
            return value
        if value is not None:
            self._refuse(path)
        return default

    def number(self, *path: str, low: int, high: int, default: int) -> int:
        value = self._value(path)
        if type(value) is int and low <= value <= high:
            return value
        if value is not None:
            self._refuse(path)
        return default

    def choice(self, *path: str, among: tuple[Any, ...], default: Any) -> Any:
        value = self._value(path)
        if value in among:
            return value
        if value is not None:
            self._refuse(path)
        return default

    def until(self, *path: str) -> int:
        value = self._value(path)
        if value is None:
            return 0
        if value == _ALWAYS:
            return FOR_EVER
        try:
            return max(0, int(datetime.fromisoformat(value).timestamp() * 1000))
        except (ValueError, TypeError, OverflowError, OSError):
            self._refuse(path)
            return 0

    def hours(self, *path: str) -> tuple[int, int] | None:
        value = self._value(path)
        if value is None:
            return None
        if isinstance(value, list) and len(value) == 2:
            found = [_CLOCK.fullmatch(each) if isinstance(each, str) else None for each in value]
            minutes = [int(each[1]) * 60 + int(each[2]) for each in found if each is not None]
            if len(minutes) == len(value):
                return minutes[0], minutes[1]
        self._refuse(path)
        return None
