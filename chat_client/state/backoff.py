"""Exponential backoff with jitter, so that clients don't reconnect in step after an outage."""

from collections.abc import Callable
from typing import Final

FIRST: Final = 0.5
LONGEST: Final = 30.0


class Backoff:
    """Gives the pause before each next try, in seconds; `chance` gives numbers in [0, 1)."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self.chance = chance
        self._tries = 0

    def next(self) -> float:
        """Between half and the whole of a bound that doubles with each try."""
        bound = min(LONGEST, FIRST * float(1 << self._tries))
        self._tries = min(self._tries + 1, 16)
        return bound * (0.5 + self.chance() / 2)

    def reset(self) -> None:
        """It worked: the next pause is a short one."""
        self._tries = 0
