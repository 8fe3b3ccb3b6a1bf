"""Backoff for the store: when to retry. The hub asks, and never sleeps."""

import time
from collections.abc import Callable
from typing import Final

FIRST_PAUSE: Final = 0.1
"""Seconds."""
LONGEST_PAUSE: Final = 5.0
"""Seconds."""


class Retry:
    """Exponential backoff: a first failure is retried at once, later ones after longer pauses.

    `clock` gives seconds and is monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = 0.0
        self.failures = 0
        """Number of consecutive failures."""

    @property
    def wait(self) -> float:
        """Seconds until the next attempt is allowed; 0 for now."""
        return max(0.0, self._at - self._clock()) if self.failures else 0.0

    @property
    def due(self) -> bool:
        """Whether an attempt is allowed now."""
        return not self.wait

    def failed(self) -> None:
        """Record a failed attempt."""
        self.failures += 1
        # Bounded before it is shifted: a disk may be away for days.
        doublings = min(self.failures - 2, 10)
        pause = 0.0 if doublings < 0 else min(LONGEST_PAUSE, FIRST_PAUSE * (1 << doublings))
        self._at = self._clock() + pause

    def worked(self) -> None:
        """Record a successful attempt."""
        self.failures = 0
