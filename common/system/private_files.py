"""Folders and files that only their owner may read, and the lock that keeps them to one program.

No link is followed in them: whoever could write there, while a folder was open to others, could
otherwise have us write into any file of ours.

On Windows the profile folder is private by its access list; the modes below do nothing there.
"""

import contextlib
import errno
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Final

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600


NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
"""For os.open: a link in the file's place is an error (ELOOP)."""

_OURS: Final = (
    "account.json", "accounts", "cache.db", "chat.db", "ctl", "installation", "last", "lock",
    "log.txt", "profiles", "reserve", "running.json", "server.pem", "window.json",
)  # fmt: skip
"""How the names begin that we open in a data folder."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_HELD_BY_ANOTHER: Final = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}


class FolderInUseError(Exception):
    """Another running program has this folder."""


class UnsafeFolderError(OSError):
    """A data folder is another person's, or has something in it that we must not open."""


def make_private_folder(folder: Path) -> bool:
    """Make `folder` and take everybody else's rights to it; whether others had any.

    Raises OSError, an UnsafeFolderError when it is not ours, can't be closed to others' writing, or
    has a link in the place of a file or folder of ours.
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
    # After it was closed: from here on nobody else can put anything there.
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(_OURS) and entry.is_symlink():
                why = f"its {entry.name} is a link, and none is followed there"
                raise UnsafeFolderError(errno.ELOOP, why, str(folder))
    return was_open


def write_private(path: Path, content: bytes) -> None:
    """Replace the file whole and durably: a reader or a crash sees the old or the new one.

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
    """Make a rename durable. Windows has no such call and keeps renames in its journal."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FolderLock:
    """Keeps a folder for this process until `release`, or until the process ends in any way."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises FolderInUseError when another program has it, OSError when it can't be made.

        Or when it can't be locked: not every file system can (NFS without its lock service).
        """
        make_private_folder(self._path.parent)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | NO_LINK, PRIVATE_FILE)
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in _HELD_BY_ANOTHER:
                why = f"its file system can't lock files ({error.strerror or error})"
                raise OSError(error.errno, why, str(self._path.parent)) from error
            raise FolderInUseError(f"{self._path.parent} is in use by another program") from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next one in. Harmless when nothing is held."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
