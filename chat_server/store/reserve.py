"""A reserve of disk space, released when the disk is full.

When a commit finds the disk full, the reserve is released: then the database has room for a
checkpoint of its write-ahead log, and for actions of the host. New messages do not get that room:
they are refused, and wait in their senders' outboxes, until there is space for them and for a new
reserve.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path
from typing import Final

from common.system.private_files import NO_LINK, PRIVATE_FILE

SIZE: Final = 16 * 1024 * 1024
"""Bytes; four times the usual size of SQLite's write-ahead log before a checkpoint."""
FLOOR: Final = 8 * 1024 * 1024
"""Bytes that must be free beyond the reserve before messages are accepted again."""


class Reserve:
    """The file, in the data folder. One thread owns it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def hold(self) -> bool:
        """Allocate the file unless it exists; returns whether it exists then."""
        try:
            if self._is_there():
                return True
            if shutil.disk_usage(self._path.parent).free < SIZE + FLOOR:
                return False
            self._make()
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Delete the file. Idempotent."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _is_there(self) -> bool:
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_size == SIZE

    def _make(self) -> None:
        # A new file, and no one else's: what is there instead is taken away and not written to.
        self._path.unlink(missing_ok=True)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | NO_LINK
        descriptor = os.open(self._path, flags, PRIVATE_FILE)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, SIZE)
            else:
                # A sparse file would reserve nothing.
                for _ in range(SIZE >> 20):
                    os.write(descriptor, bytes(1 << 20))
        finally:
            os.close(descriptor)
