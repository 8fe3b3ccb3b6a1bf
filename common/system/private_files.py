"""Folders and files that only their owner can access, and a lock for one process at a time.

No symbolic link is followed in them: whoever could write there while a folder was open to others
could otherwise redirect writes to any file of the user.

On Windows the profile folder is private by its access control list; the modes below do nothing.
"""

import contextlib
import errno
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Final

from common.system.file_lock import lock_file

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600


NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
"""For os.open: a link in the file's place is an error (ELOOP)."""

_OURS: Final = (
    "account.json", "accounts", "cache.db", "chat.db", "ctl", "installation", "last", "lock",
    "log.txt", "profiles", "reserve", "running.json", "server.pem", "settings", "window.json",
    "windows",
)  # fmt: skip
"""Prefixes of the names that the programs open in a data folder."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class FolderInUseError(Exception):
    """Another running process has locked this folder."""


class UnsafeFolderError(OSError):
    """A data folder belongs to another user, or contains something that must not be opened."""


def make_private_folder(folder: Path) -> bool:
    """Create `folder` with mode 0700, or set that mode; returns whether others had access before.

    Raises OSError: UnsafeFolderError when it belongs to another user, stays writable for others, or
    has a symbolic link in the place of one of the programs' files or folders.
    """
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    if sys.platform == "win32":
        return False
    before = folder.stat()
    if before.st_uid != os.geteuid():
        raise UnsafeFolderError(errno.EPERM, "it belongs to somebody else", str(folder))
    was_open = bool(before.st_mode & _OTHERS)
    if was_open:
        folder.chmod(PRIVATE_FOLDER)
        if folder.stat().st_mode & _OTHERS_WRITE:
            raise UnsafeFolderError(errno.EPERM, "others may write in it", str(folder))
    # After the mode was set: from here on nobody else can create anything there.
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(_OURS) and entry.is_symlink():
                why = f"its {entry.name} is a link, and none is followed there"
                raise UnsafeFolderError(errno.ELOOP, why, str(folder))
    return was_open


def write_private(path: Path, content: bytes) -> None:
    """Replace the file atomically and durably, with mode 0600.

    Raises OSError.
    """
    # mkstemp makes the file with mode 0600 from the start.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable by an fsync of the folder. Windows journals renames instead."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FolderLock:
    """Locks a folder for this process until `release`, or until the process ends in any way."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises FolderInUseError when another process has locked it, else OSError.

        OSError, too, where the file system has no locks (NFS without its lock service).
        """
        make_private_folder(self._path.parent)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | NO_LINK, PRIVATE_FILE)
        try:
            locked = lock_file(descriptor)
        except OSError as error:
            os.close(descriptor)
            why = f"its file system can't lock files ({error.strerror or error})"
            raise OSError(error.errno, why, str(self._path.parent)) from error
        if not locked:
            os.close(descriptor)
            raise FolderInUseError(f"{self._path.parent} is in use by another program")
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock. Idempotent."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None
