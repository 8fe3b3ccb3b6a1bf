"""How many files, and so connections, the system lets this process have open."""

import logging
import sys
from typing import Final

log = logging.getLogger(__name__)

ENOUGH: Final = 65_536


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
