"""A time budget for repeated costly work, such as drawing new messages. Pure."""

from __future__ import annotations

from typing import Final

SHARE: Final = 0.2
"""Maximum share of the time for the work while there is always more to do."""
LONGEST: Final = 0.25
"""Maximum pause in seconds, however slow the computer is."""


class Pace:
    """Times are in seconds, on one clock. The first run is allowed immediately."""

    def __init__(self) -> None:
        self._rested = 0.0

    def pause(self, now: float) -> float:
        """Seconds until the next run is allowed; 0 for now."""
        return max(0.0, min(self._rested - now, LONGEST))

    def done(self, began: float, ended: float) -> None:
        """Record a run, with its start and end."""
        self._rested = ended + (ended - began) * (1 / SHARE - 1)
