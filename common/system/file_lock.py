"""Locks on open files, which end with the process that has them, in whatever way it ends."""

from __future__ import annotations

import errno
import sys
from typing import Final

_HELD_BY_ANOTHER: Final = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}


def lock_file(descriptor: int) -> bool:
    """Lock an open file until it is closed; False when another program has it. Raises OSError.

    Such as where the file system has no locks (NFS without its lock service).
    """
    try:
        _lock(descriptor)
    except OSError as error:
        if error.errno in _HELD_BY_ANOTHER:
            return False
        raise
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
