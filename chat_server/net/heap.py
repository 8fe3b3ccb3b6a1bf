"""Giving memory back to the system after many connections have closed."""

import logging
import sys
from typing import Final

log = logging.getLogger(__name__)

TRIM_AFTER_CLOSED: Final = 256
"""Connections that must have closed before `malloc_trim` is worth its milliseconds."""
PAUSE: Final = 2.0
"""Minimum seconds between two calls of `malloc_trim`."""


class Heap:
    """Counts closed connections, and has the allocator return what they leave behind.

    A TLS connection takes some 45 KiB of the C heap in many small blocks. glibc keeps free blocks
    between those in use unless `malloc_trim` is called. One I/O thread owns this.
    """

    def __init__(self) -> None:
        self._ended = 0
        self._next = 0.0

    def ended(self) -> None:
        """One more connection was closed."""
        self._ended += 1

    def trim_if_due(self, now: float) -> bool:
        """Called once a tick with the time in seconds; True when memory was given back."""
        if self._ended < TRIM_AFTER_CLOSED or now < self._next:
            return False
        self._ended = 0
        self._next = now + PAUSE
        return _trim()


def _trim() -> bool:
    """Give back what is free (glibc's malloc_trim); False where there is no such thing."""
    if sys.platform != "linux":
        return False
    # Imported here: few servers ever have so many connections.
    import ctypes

    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return False
    trim(ctypes.c_size_t(0))
    log.debug("free memory was given back to the system")
    return True
