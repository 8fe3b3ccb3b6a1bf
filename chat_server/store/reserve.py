"""Disk space kept back for the way out of a full disk.

When a commit finds the disk full, the reserve is given up: what the database still has to do,
folding its log into itself or deleting at the host's wish, has room again. New messages do not
get that room. They are refused, and wait with their senders, until there is space for them and
for a new reserve.
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
"""Bytes; four times what SQLite's log usually grows to before it is folded in."""
FLOOR: Final = 8 * 1024 * 1024
"""Bytes that must be free besides, before messages are taken again."""


class Reserve:
    """The file, in the data folder. One thread owns it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def hold(self) -> bool:
        """Have the file, made now if there is room for it; whether it is there."""
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
        """Give the space up. Harmless when it is gone."""
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
                # A file that only claims its size would keep nothing back.
                for _ in range(SIZE >> 20):
                    os.write(descriptor, bytes(1 << 20))
        finally:
            os.close(descriptor)
