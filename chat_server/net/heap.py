"""Giving memory back to the system after a crowd has gone."""

import logging
import sys
from typing import Final

log = logging.getLogger(__name__)

TRIM_AFTER_CLOSED: Final = 256
"""Connections that must have ended before it is worth looking."""
PAUSE: Final = 2.0
"""Seconds between two looks, each of which takes some milliseconds."""


class Heap:
    """Counts connections that end, and has the allocator give back what they leave behind.

    A TLS connection takes some 45 KiB of the C heap in many pieces. What is free between those that
    stay, glibc keeps for itself unless it is told. One I/O thread owns this.
    """

    def __init__(self) -> None:
        self._ended = 0
        self._next = 0.0

    def ended(self) -> None:
        """One more connection is gone."""
        self._ended += 1

    def trim_if_due(self, now: float) -> bool:
        """To be called now and then, with the time in seconds; True when memory was given back."""
        if self._ended < TRIM_AFTER_CLOSED or now < self._next:
            return False
        self._ended = 0
        self._next = now + PAUSE
        return _trim()


def _trim() -> bool:
    """Give back what is free (glibc's malloc_trim); False where there is no such thing."""
    if sys.platform != "linux":
        return False
    # Imported here: few servers ever meet such a crowd.
    import ctypes

    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return False
    trim(ctypes.c_size_t(0))
    log.debug("free memory was given back to the system")
    return True
