"""The settings of a program as it uses them: read at once, written at each change.

`settings.json` in the data folder is meant to be read, and may be changed by hand. All windows of
a data folder share it. What it may hold is the program's affair (`SettingsReader`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeVar, get_args

from common.system.looks import TEXT_SIZES, Looks, ThemeChoice
from common.system.settings import Content, SettingsError, SettingsFile, Trouble

log = logging.getLogger(__name__)

FILE: Final = "settings.json"
VOLUME: Final = 70
"""The volume of sounds where none was chosen, in per cent."""
_TOLD_ONCE: Final = {"damaged", "wrong"}
"""Problems that are over when they are found, and stay until the person was told."""


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """What the settings of every program with a window have. `volume` is in per cent (0–100)."""

    looks: Looks = field(default_factory=Looks)
    volume: int = VOLUME

    def written_with(self, version: int, notifications: Content) -> Content:
        """What a file with these holds; `notifications` are those that are the program's own."""
        return {
            "format": version,
            "looks": self.looks.written(),
            "notifications": {**notifications, "volume": self.volume},
        }


S = TypeVar("S", bound=WindowSettings)


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """Why settings are not as they were chosen: `what` is wrong, or the fields that are.

    `aside` is where a copy of the file is.
    """

    what: Trouble | Literal["wrong", "not_kept"]
    fields: tuple[str, ...] = ()
    aside: Path | None = None
    why: str = ""


class SettingsStore(Generic[S]):
    """The settings of a data folder, in a file of a `version` (see `SettingsFile`).

    `parse` reads what a file holds, and names the fields that have values they can't have;
    `written` is its inverse.
    """

    def __init__(
        self,
        data_dir: Path,
        version: int,
        parse: Callable[[Mapping[str, Any]], tuple[S, list[str]]],
        written: Callable[[S], Content],
    ) -> None:
        self._file = SettingsFile(data_dir / FILE, version)
        self._parse, self._written = parse, written
        self._listeners: list[Callable[[], object]] = []
        self.settings, _ = parse({})
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

    def told(self) -> None:
        """The person knows of the problem: forget one that is over."""
        if self.problem is not None and self.problem.what in _TOLD_ONCE:
            self.problem = None

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
            content = self._written(self.settings)
            edit(content)
            self.problem = SettingsProblem("not_kept", why=str(error))
        else:
            if self.problem is not None and self.problem.what == "not_kept":
                self.problem = None
        self.settings, _ = self._parse(content)
        self._changed()

    def _changed(self) -> None:
        for listener in list(self._listeners):
            listener()

    def _read(self) -> None:
        loaded = self._file.load()
        if self.problem is not None and self.problem.what not in _TOLD_ONCE:
            self.problem = None
        if loaded.trouble is not None:
            self.problem = SettingsProblem(loaded.trouble, aside=loaded.aside)
        self.settings, wrong = self._parse(loaded.content)
        if wrong:
            # The next change would write the right values in their place.
            self.problem = SettingsProblem("wrong", tuple(wrong), self._file.set_copy_aside())


class SettingsReader:
    """Takes values out of what a file holds, and notes the names of those that can't be.

    `looks` and `volume` are what the settings of all windows have.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self.wrong: list[str] = []
        """The fields, with the names of what they are in: `looks.theme`."""

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

    def value(self, *path: str) -> Any:
        """What stands in a place; None where nothing does."""
        return self.part(*path[:-1]).get(path[-1])

    def refuse(self, *path: str) -> None:
        """Note that what stands in a place can't be."""
        self.wrong.append(".".join(path))

    def flag(self, *path: str, default: bool) -> bool:
        """Whether something is on."""
        value = self.value(*path)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.refuse(*path)
        return default

    def number(self, *path: str, low: int, high: int, default: int) -> int:
        """A whole number from `low` to `high`."""
        value = self.value(*path)
        if type(value) is int and low <= value <= high:
            return value
        if value is not None:
            self.refuse(*path)
        return default

    def choice(self, *path: str, among: tuple[Any, ...], default: Any) -> Any:
        """One of a few values."""
        value = self.value(*path)
        if value in among:
            return value
        if value is not None:
            self.refuse(*path)
        return default

    def looks(self) -> Looks:
        """The colours and the size of text."""
        theme = self.choice("looks", "theme", among=get_args(ThemeChoice), default="system")
        least, most = TEXT_SIZES[0], TEXT_SIZES[-1]
        size = self.number("looks", "text_size", low=least, high=most, default=100)
        return Looks(theme, size)

    def volume(self) -> int:
        """Of sounds, in per cent."""
        return self.number("notifications", "volume", low=0, high=100, default=VOLUME)
