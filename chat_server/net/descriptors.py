"""How many files, and so connections, the system lets this process have open."""

import contextlib
import errno
import logging
import os
import sys
from typing import Final

from common.domain.reasons import Reason

log = logging.getLogger(__name__)

ENOUGH: Final = 65_536
RESERVE: Final = 48
"""Files kept free of connections: for the database, the log, the ready file and what a start opens,
which are about twenty, and for the sockets of discovery, sixteen at most. So a crowd can't keep the
server from its own files."""
_SOME: Final = 16
"""Connections that must be possible at least, or there is no use in starting."""


def allow_connections() -> None:
    """Ask for as many open files as we may have, up to ENOUGH.

    What a process gets at first is often 1,024, while many times as many are there for the asking.
    """
    if sys.platform == "win32":
        return  # where sockets are no files
    import resource

    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if most == resource.RLIM_INFINITY else min(ENOUGH, most)
    if now == resource.RLIM_INFINITY or now >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    except (OSError, ValueError) as error:
        # macOS has a bound of its own below the one that it tells.
        log.debug("%d open files are not allowed: %s", wanted, error)


def check_room() -> None:
    """Raise OSError (EMFILE, ENFILE) unless a server and some connections find room."""
    with contextlib.ExitStack() as held:
        for _ in range(RESERVE + _SOME):
            descriptor = os.open(os.devnull, os.O_RDONLY)
            held.callback(os.close, descriptor)


def first_reserved() -> int | None:
    """The lowest descriptor that no connection should get; None where there is no such bound."""
    bound = _bound()
    return None if bound is None else max(0, bound - RESERVE)


def out_of_files(error: OSError) -> Reason:
    """What that means, and what can be done."""
    bound = _bound()
    if error.errno == errno.EMFILE and bound is not None:
        return Reason("out_of_files_here", {"most": bound})
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return Reason("out_of_files")
    return Reason("out_of_means", {"cause": error.strerror or str(error)})


def _bound() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    now, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if now == resource.RLIM_INFINITY else now
