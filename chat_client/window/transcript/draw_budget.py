"""How often something costly is done: so that it takes at most a part of the time. Pure."""

from __future__ import annotations

from typing import Final

SHARE: Final = 0.2
"""The part of the time that the costly thing may take when there is always more to do."""
LONGEST: Final = 0.25
"""Seconds that nothing waits longer, however slow the computer is."""


class Pace:
    """Times are in seconds, on one clock. The first time is always at once."""

    def __init__(self) -> None:
        self._rested = 0.0

    def pause(self, now: float) -> float:
        """Seconds until it may be done again; 0 for at once."""
        return max(0.0, min(self._rested - now, LONGEST))

    def done(self, began: float, ended: float) -> None:
        """It was done, and took that long."""
        self._rested = ended + (ended - began) * (1 / SHARE - 1)
