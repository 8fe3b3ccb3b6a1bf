"""The windows of a program that are open with a data folder: an entry for each in `windows`.

An entry is made before the window is there, and says later at which port of 127.0.0.1 the window
takes what further starts hand over (common/system/second_start.py), with the key for that. Its file
is locked as long as its process runs: so an entry that a killed program left is known as such, and
whoever starts next deletes it. Only the owner can read the files.

Every start of a window reads this, so nothing is imported that Tk and the window don't need.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from common.system.file_lock import lock_file

FOLDER: Final = "windows"
_LONGEST: Final = 4096
"""Bytes of an entry."""
_LOCKED_PLACE: Final = 1 << 20
"""The byte that is locked. Windows lets nobody read what is locked, so it is far behind the end."""
_MAKING: Final = 60.0
"""Seconds after which an entry that is not locked was left behind while it was made."""
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class OpenWindow(NamedTuple):
    """What another process's entry says.

    `port` is 0 until the window can be reached. `account` is the key of the account that it has
    open; "" for none. `used` is when it had the keyboard last, in nanoseconds since 1970.
    """

    name: str
    port: int
    key: bytes
    account: str
    used: int

    @property
    def is_reachable(self) -> bool:
        """Whether something can be handed over to it."""
        return self.port != 0


class WindowEntry:
    """This process's own entry, until `remove` or the end of the process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor
        self._account = ""
        self._port, self._key = 0, b""

    def publish(self, port: int, key: bytes) -> None:
        """Say where the window can be reached from now on."""
        self._port, self._key = port, key
        self._write()

    def show(self, account: str) -> None:
        """Say which account it has open, by its key; "" for none."""
        if account != self._account:
            self._account = account
            self._write()

    def touch(self) -> None:
        """Say that it has the keyboard now."""
        with suppress(OSError):
            os.utime(self.path)

    def remove(self) -> None:
        """Delete the entry. Idempotent."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        if sys.platform == "win32":  # where no open file can be deleted
            os.close(descriptor)
            self.path.unlink(missing_ok=True)
        else:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
            os.close(descriptor)

    def _write(self) -> None:
        if self._descriptor is not None:
            content = {"port": self._port, "key": self._key.hex(), "account": self._account}
            written = json.dumps(content).encode()
            with suppress(OSError):  # such as a full disk: a second start opens its own window then
                os.lseek(self._descriptor, 0, os.SEEK_SET)
                os.write(self._descriptor, written.ljust(_shown_length(written)))
                os.ftruncate(self._descriptor, _shown_length(written))


def _shown_length(written: bytes) -> int:
    """Padded, so that what is read is hardly ever of two writings."""
    return max(256, len(written))


def announce(data_dir: Path) -> WindowEntry | None:
    """Make this process's entry; creates the data folder.

    None if there can be none, as with a folder that others may write in, or a file system without
    locks. The window opens all the same, but nothing can be handed over to it.
    """
    try:
        folder = _private(data_dir, create=True) / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        _private(folder)
        return _announce(folder)
    except OSError:
        return None


def _announce(folder: Path) -> WindowEntry:
    """Make the entry under a name that begins with a dot, and only then give it its place.

    Of two programs that start at once, the one whose name comes first must be seen as such by both
    (Lamport's bakery algorithm). So the time is taken when the file can be seen: whoever does not
    see it looked before that, and has an earlier time.
    """
    # No open file gets another name there, so two starts at the same moment may make two windows.
    on_windows = sys.platform == "win32"
    hidden = folder / (_name() if on_windows else f".{os.getpid()}-{os.urandom(4).hex()}.json")
    descriptor = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600)
    try:
        os.lseek(descriptor, _LOCKED_PLACE, os.SEEK_SET)
        while not lock_file(descriptor):
            time.sleep(0.001)  # somebody looks whether it is locked
        return WindowEntry(hidden if on_windows else hidden.replace(folder / _name()), descriptor)
    except BaseException:
        os.close(descriptor)
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
        raise


def _name() -> str:
    """The name of an entry: by the clock of the computer, which nobody sets."""
    return f"{time.monotonic_ns():020}-{os.getpid()}.json"


def other_windows(data_dir: Path, own: WindowEntry | None) -> list[OpenWindow]:
    """The other windows that are open or are opening now, the one used last first.

    Entries that were left behind are deleted.
    """
    try:
        folder = _private(_private(data_dir) / FOLDER)
        paths = [path for path in folder.iterdir() if own is None or path.name != own.path.name]
    except OSError:
        return []
    found = [window for path in paths for window in _look(path)]
    return sorted(found, key=lambda window: window.used, reverse=True)


def is_older(window: OpenWindow, own: WindowEntry | None) -> bool:
    """Whether another window's program was started before this one.

    Of two that start at once, one has to be the first for both of them.
    """
    return own is None or window.name < own.path.name


def _look(path: Path) -> Iterator[OpenWindow]:
    """The window with this entry, if it is there still."""
    try:
        descriptor = os.open(path, os.O_RDWR | _NO_LINK)
    except OSError:
        return
    try:
        found = os.fstat(descriptor)
        os.lseek(descriptor, _LOCKED_PLACE, os.SEEK_SET)
        is_free = lock_file(descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        content = b"" if is_free else os.read(descriptor, _LONGEST)
    except OSError:
        return
    finally:
        os.close(descriptor)
    has_no_place = path.name.startswith(".")
    if is_free and (not has_no_place or time.time() - found.st_mtime > _MAKING):
        with suppress(OSError):
            path.unlink(missing_ok=True)
    elif has_no_place:
        yield OpenWindow("", 0, b"", "", found.st_mtime_ns)  # before all others
    else:
        port, key, account = _parse(content)
        yield OpenWindow(path.name, port, key, account, found.st_mtime_ns)


def _parse(content: bytes) -> tuple[int, bytes, str]:
    """Port, key and account; port 0 for what is not written yet."""
    try:
        told: Any = json.loads(content)
        return int(told["port"]), bytes.fromhex(told["key"]), str(told["account"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0, b"", ""


def _private(folder: Path, *, create: bool = False) -> Path:
    """The folder, which only this user can write in. Raises OSError."""
    if create:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat() if create else folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(str(folder))
    if sys.platform != "win32" and (found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE):
        raise PermissionError(f"others may write in {folder}")
    return folder
