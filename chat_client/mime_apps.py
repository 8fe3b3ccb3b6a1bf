"""Which program opens what: lists named mimeapps.list.

See Association between MIME types and applications 1.0.1.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from chat_client.desktop_entry import ENTRY, MIME_TYPE, read_entry
from chat_client.key_file import group_of, items_of, read_groups

_LIST: Final = "mimeapps.list"
_DEFAULTS: Final = "Default Applications"
_ADDED: Final = "Added Associations"
_REMOVED: Final = "Removed Associations"


class Folders(NamedTuple):
    """Where entries and lists are, in the order in which they count (Base Directory 0.8)."""

    data: Path
    data_dirs: tuple[Path, ...]
    config: Path
    config_dirs: tuple[Path, ...]
    desktops: tuple[str, ...] = ()
    """The names of the desktop that runs, in lower case."""


def environment_folders() -> Folders:
    """Those of this process."""
    home = Path.home()

    def one(variable: str, default: Path) -> Path:
        given = os.environ.get(variable, "")
        return Path(given) if given.startswith("/") else default

    def several(variable: str, default: str) -> tuple[Path, ...]:
        given = os.environ.get(variable) or default
        return tuple(Path(each) for each in given.split(":") if each.startswith("/"))

    desktops = os.environ.get("XDG_CURRENT_DESKTOP", "")
    return Folders(
        one("XDG_DATA_HOME", home / ".local" / "share"),
        several("XDG_DATA_DIRS", "/usr/local/share:/usr/share"),
        one("XDG_CONFIG_HOME", home / ".config"),
        several("XDG_CONFIG_DIRS", "/etc/xdg"),
        tuple(each.lower() for each in desktops.split(":") if each and "/" not in each),
    )


class Applications:
    """The programs that a desktop knows, in its folders."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def default(self) -> Path | None:
        """The entry with which the desktop opens links."""
        removed: set[str] = set()
        for defaults in (True, False):
            for path in self._lists():
                groups = read_groups(path)
                names = groups.get(_DEFAULTS if defaults else _ADDED, {}).get(MIME_TYPE, "")
                for name in items_of(names):
                    found = None if name in removed else self._entry(name)
                    if found is not None:
                        return found
                if not defaults:
                    removed |= {*items_of(groups.get(_REMOVED, {}).get(MIME_TYPE, ""))}
        for folder in self._entry_folders():
            # The cache, and ours in case that it was made before.
            cache = read_groups(folder / "mimeinfo.cache").get("MIME Cache", {})
            for name in (*items_of(cache.get(MIME_TYPE, "")), ENTRY):
                entry = None if name in removed else self._entry(name)
                if entry is not None and entry.parent == folder and _opens_links(entry):
                    return entry
        return None

    def _lists(self) -> Iterator[Path]:
        folders = self._folders
        for folder in (folders.config, *folders.config_dirs, *self._entry_folders()):
            for desktop in folders.desktops:
                yield folder / f"{desktop}-{_LIST}"
            yield folder / _LIST

    def own_lists(self) -> list[Path]:
        """The person's lists to change: those of a desktop count more, where they choose, too."""
        config = self._folders.config
        special = [config / f"{desktop}-{_LIST}" for desktop in self._folders.desktops]
        choosing = [path for path in special if MIME_TYPE in read_groups(path).get(_DEFAULTS, {})]
        return [*choosing, config / _LIST]

    def _entry_folders(self) -> list[Path]:
        return [
            folder / "applications" for folder in (self._folders.data, *self._folders.data_dirs)
        ]

    def _entry(self, name: str) -> Path | None:
        """The entry of a name: the first one counts, and hides the others."""
        if "/" in name or not name.endswith(".desktop"):
            return None
        for folder in self._entry_folders():
            path = folder / name
            if path.is_file():
                entry = read_entry(path)
                tried = entry.get("TryExec", "")
                is_there = not tried or shutil.which(tried) is not None
                return path if is_there and entry.get("Hidden") != "true" else None
        return None


def choose(lines: Sequence[str], entry: str) -> list[str]:
    """A list with an entry as the first one that opens links; all else stays as it is."""
    return _with_items(lines, lambda items: [entry, *(each for each in items if each != entry)])


def choose_no_more(lines: Sequence[str], entry: str) -> list[str]:
    """A list without an entry among those that open links."""
    return _with_items(lines, lambda items: [each for each in items if each != entry])


def _with_items(
    lines: Sequence[str], change: Callable[[Sequence[str]], Sequence[str]]
) -> list[str]:
    """A list of which the default entries for links are changed; none of them is no line."""
    before: list[str] = []
    rest: list[str] = []
    place: int | None = None
    group = ""
    for line in lines:
        group = group_of(line) or group
        key, equals, value = line.partition("=")
        if group == _DEFAULTS and equals and key.strip() == MIME_TYPE:
            place = place if before else len(rest)
            before += items_of(value)
            continue
        rest.append(line)
        if group == _DEFAULTS and group_of(line) is not None and place is None:
            place = len(rest)
    after = change(before)
    if not after:
        return rest
    added = [f"{MIME_TYPE}={';'.join(after)};"]
    if place is None:
        added = [*([""] if rest and rest[-1] else []), f"[{_DEFAULTS}]", *added]
        place = len(rest)
    return [*rest[:place], *added, *rest[place:]]


def _opens_links(entry: Path) -> bool:
    return MIME_TYPE in items_of(read_entry(entry).get("MimeType", ""))
