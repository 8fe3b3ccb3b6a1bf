"""The handler of chat:// links on desktops of freedesktop.org, such as GNOME, KDE and Xfce.

A desktop entry says which program opens links (Desktop Entry Specification 1.5), and mimeapps.list
which entry the person wants (Association between MIME types and applications 1.0.1). The entry that
is written here starts a script: xdg-open without a desktop neither changes to the entry's folder
nor understands quotation marks, so a program in a folder with a space in its name would not start.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from chat_client.options import OPEN_LINK
from chat_client.scheme_handler import Handler, Opens, SchemeHandlerError
from common.system.other_program import Launch
from common.system.private_files import make_private_folder

ENTRY: Final = "lan.chat.ChatClient.desktop"
"""The name of the package's entry, too: a person's own replaces it in menus."""
ICON: Final = "chat-client"
MIME_TYPE: Final = "x-scheme-handler/chat"
_OWN: Final = "X-Chat-WrittenBySettings=true"
"""The line by which an entry that was written here is known."""
SCRIPT: Final = "start.sh"
"""In the program's usual data folder: what the entry starts."""
_LIST: Final = "mimeapps.list"
_DEFAULTS: Final = "Default Applications"
_ADDED: Final = "Added Associations"
_REMOVED: Final = "Removed Associations"
_ICONS: Final = Path(__file__).resolve().parents[1] / "common" / "ui" / "assets" / "icons"
_ICON_SIZE: Final = 128
_UPDATER: Final = "update-desktop-database"
_UPDATING: Final = 10.0
"""Seconds after which the program that updates the desktop's cache is given up."""
_RESERVED: Final = frozenset(" \t\n\"'\\><~|&;$*?#()`")
"""Characters of an argument that has to stand in quotation marks."""
_STRING: Final = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
"""Escapes in every value of an entry, after those of arguments."""


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


class XdgHandler:
    """The handler, of a copy of the program, in folders."""

    def __init__(self, program: Launch, folders: Folders) -> None:
        self._program, self._folders = program, folders

    def find(self) -> Handler:
        """What opens links now, as far as files say it."""
        path = self._chosen()
        if path is None:
            return Handler(Opens.NOTHING)
        if path == self._own and _lines(path) == self._entry_lines() and self._is_script_own():
            return Handler(Opens.THIS)
        entry = _read_entry(path)
        command = _program_of(entry.get("Exec", ""))
        this = Path(self._program.command[0]).resolve()
        if path != self._own and path.name == ENTRY and command == this:
            return Handler(Opens.INSTALLED)
        program = entry.get("TryExec") if _is_own(path) else str(command)
        where = f" in {Path(program).parent}" if path.name == ENTRY and program else ""
        return Handler(Opens.ANOTHER, entry.get("Name", path.stem) + where)

    def register(self) -> None:
        """Write the entry, and choose it. Raises SchemeHandlerError."""
        if any("\n" in word or "\r" in word for word in self._program.command):
            raise SchemeHandlerError("The name of this program’s folder has a line break in it.")
        try:
            self._write_entry()
            for path in self._own_lists():
                _write(path, choose(_lines(path), ENTRY))
        except OSError as error:
            raise SchemeHandlerError(_why(error)) from error
        self._update_cache()

    def unregister(self) -> None:
        """Delete the entry, and choose it no more. Raises SchemeHandlerError."""
        try:
            if _is_own(self._own):
                for path in (self._own, self._script, self._icon):
                    path.unlink(missing_ok=True)
                with suppress(FileNotFoundError):
                    _kept(self._own).replace(self._own)
            for path in self._own_lists():
                if path.exists():
                    _write(path, choose_no_more(_lines(path), ENTRY))
        except OSError as error:
            raise SchemeHandlerError(_why(error)) from error
        self._update_cache()

    # Looking

    def _chosen(self) -> Path | None:
        """The entry with which the desktop opens links."""
        removed: set[str] = set()
        for defaults in (True, False):
            for path in self._lists():
                groups = _read_groups(path)
                names = groups.get(_DEFAULTS if defaults else _ADDED, {}).get(MIME_TYPE, "")
                for name in _items(names):
                    found = None if name in removed else self._entry(name)
                    if found is not None:
                        return found
                if not defaults:
                    removed |= {*_items(groups.get(_REMOVED, {}).get(MIME_TYPE, ""))}
        for folder in self._entry_folders():
            # The cache, and ours in case that it was made before.
            cache = _read_groups(folder / "mimeinfo.cache").get("MIME Cache", {})
            for name in (*_items(cache.get(MIME_TYPE, "")), ENTRY):
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

    def _own_lists(self) -> list[Path]:
        """The person's lists to change: those of a desktop count more, where they choose, too."""
        config = self._folders.config
        special = [config / f"{desktop}-{_LIST}" for desktop in self._folders.desktops]
        choosing = [path for path in special if MIME_TYPE in _read_groups(path).get(_DEFAULTS, {})]
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
                entry = _read_entry(path)
                tried = entry.get("TryExec", "")
                is_there = not tried or shutil.which(tried) is not None
                return path if is_there and entry.get("Hidden") != "true" else None
        return None

    # Writing

    @property
    def _own(self) -> Path:
        return self._folders.data / "applications" / ENTRY

    @property
    def _script(self) -> Path:
        return self._folders.data / "ChatClient" / SCRIPT

    def _is_script_own(self) -> bool:
        try:
            return _lines(self._script) == script(self._program)
        except OSError:
            return False

    def _entry_lines(self) -> list[str]:
        start = "sh", str(self._script)
        return desktop_entry(start, self._program.command[0])

    @property
    def _icon(self) -> Path:
        size = f"{_ICON_SIZE}x{_ICON_SIZE}"
        return self._folders.data / "icons" / "hicolor" / size / "apps" / f"{ICON}.png"

    def _write_entry(self) -> None:
        path = self._own
        if path.exists() and not _is_own(path):
            path.replace(_kept(path))  # the person's own, which comes back later
        make_private_folder(self._script.parent)
        _write(self._script, script(self._program))
        # A copy: that of a single file is gone when the program ends.
        self._icon.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_ICONS / f"{ICON}-{_ICON_SIZE}.png", self._icon)
        _write(path, self._entry_lines())

    def _update_cache(self) -> None:
        """Have the desktop notice it; some read only their cache."""
        tool = shutil.which(_UPDATER)
        if tool is None:
            return
        command = [tool, str(self._folders.data / "applications")]

        def run() -> None:
            with suppress(OSError, subprocess.SubprocessError):
                subprocess.run(command, timeout=_UPDATING, check=False, capture_output=True)  # noqa: S603  # found on the PATH

        # Nobody waits for it: the list that was written counts without it.
        threading.Thread(target=run, name="desktop cache", daemon=True).start()


def desktop_entry(start: Sequence[str], program: str) -> list[str]:
    """The lines of an entry by which ChatClient is in menus, and opens links.

    `start` is the command, without options, and `program` what has to be there for that.
    """
    return [
        "[Desktop Entry]",
        "Type=Application",
        "Name=ChatClient",
        "GenericName=Chat",
        "Comment=Talk with the people on your network",
        "Keywords=chat;messages;talk;LAN;",
        f"Exec={_line([*start, OPEN_LINK])} %u",
        f"TryExec={_escaped(program)}",
        f"Icon={ICON}",
        "Terminal=false",
        "Categories=Network;Chat;InstantMessaging;",
        f"MimeType={MIME_TYPE};",
        "StartupNotify=true",
        "StartupWMClass=Chatclient",
        "Actions=new-window;",
        _OWN,
        "",
        "[Desktop Action new-window]",
        "Name=New Window",
        f"Exec={_line([*start, '--new-window'])}",
    ]


def script(program: Launch) -> list[str]:
    """The lines of a shell script that starts a program with the options that it gets."""
    lines = ["#!/bin/sh", "# Written by ChatClient's settings, for links that begin with chat://."]
    if program.folder is not None:
        lines.append(f"cd {shlex.quote(str(program.folder))} || exit 1")
    return [*lines, f'exec {shlex.join(program.command)} "$@"']


def _line(command: Sequence[str]) -> str:
    return _escaped(" ".join(map(quoted, command)))


def quoted(argument: str) -> str:
    """An argument as the key Exec has it."""
    argument = argument.replace("%", "%%")
    if argument and not _RESERVED & {*argument}:
        return argument
    escaped = "".join(f"\\{each}" if each in '"`$\\' else each for each in argument)
    return f'"{escaped}"'


def arguments_of(line: str) -> list[str]:
    """The arguments of a key Exec, whose field codes stay; [] if it is malformed."""
    words: list[str] = []
    word: str | None = None
    is_quoted = False
    signs = iter(line)
    for sign in signs:
        if sign == '"':
            is_quoted, word = not is_quoted, word or ""
        elif sign == "\\" and is_quoted:
            word = (word or "") + next(signs, "")
        elif sign == " " and not is_quoted:
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + sign
    words += [] if word is None else [word]
    return [] if is_quoted else [each.replace("%%", "%") for each in words]


def _program_of(line: str) -> Path | None:
    """The program that a key Exec starts, without links; None if there is none."""
    words = arguments_of(line)
    found = shutil.which(words[0]) if words else None
    return Path(found).resolve() if found is not None else None


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
        group = _group_of(line) or group
        key, equals, value = line.partition("=")
        if group == _DEFAULTS and equals and key.strip() == MIME_TYPE:
            place = place if before else len(rest)
            before += _items(value)
            continue
        rest.append(line)
        if group == _DEFAULTS and _group_of(line) is not None and place is None:
            place = len(rest)
    after = change(before)
    if not after:
        return rest
    added = [f"{MIME_TYPE}={';'.join(after)};"]
    if place is None:
        added = [*([""] if rest and rest[-1] else []), f"[{_DEFAULTS}]", *added]
        place = len(rest)
    return [*rest[:place], *added, *rest[place:]]


def _group_of(line: str) -> str | None:
    stripped = line.strip()
    return stripped[1:-1] if stripped[:1] == "[" and stripped[-1:] == "]" else None


def _opens_links(entry: Path) -> bool:
    return MIME_TYPE in _items(_read_entry(entry).get("MimeType", ""))


def _items(value: str) -> list[str]:
    return [item.strip() for item in value.split(";") if item.strip()]


def _lines(path: Path) -> list[str]:
    """The lines of a file; none where there is no file. What is no UTF-8 stays as it is."""
    try:
        return path.read_text("utf-8", "surrogateescape").splitlines()
    except FileNotFoundError:
        return []


def _read_groups(path: Path) -> dict[str, dict[str, str]]:
    """The groups of a file, as its values are written; {} if it can't be read."""
    groups: dict[str, dict[str, str]] = {}
    values: dict[str, str] = {}
    try:
        lines = _lines(path)
    except OSError:
        return {}
    for line in lines:
        group = _group_of(line)
        key, equals, value = line.partition("=")
        if group is not None:
            values = groups.setdefault(group, {})
        elif equals and not line.startswith("#"):
            values.setdefault(key.strip(), value.strip())
    return groups


def _read_entry(path: Path) -> dict[str, str]:
    """The values of a desktop entry, without escapes."""
    values = _read_groups(path).get("Desktop Entry", {})
    return {key: _unescaped(value) for key, value in values.items()}


def _escaped(value: str) -> str:
    return "".join(_STRING.get(each, each) for each in value)


def _unescaped(value: str) -> str:
    signs = iter(value)
    meant = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    return "".join(meant.get(next(signs, ""), "") if sign == "\\" else sign for sign in signs)


def _is_own(path: Path) -> bool:
    try:
        return _OWN in _lines(path)
    except OSError:
        return False


def _kept(path: Path) -> Path:
    """Where an entry goes that was there before; no desktop reads that name."""
    return path.with_name(f"{path.name}.before")


def _write(path: Path, lines: Sequence[str]) -> None:
    """Replace a file, or what a link of that name leads to. Raises OSError."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        text = "".join(f"{line}\n" for line in lines)
        made.write_bytes(text.encode("utf-8", "surrogateescape"))
        if path.exists():
            shutil.copymode(path, made)
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def _why(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"It can’t be written. {where}{error.strerror or error}."
