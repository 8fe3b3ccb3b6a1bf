"""Detects that the computer was suspended. Pure: the clocks are read elsewhere."""

from __future__ import annotations

from typing import Final

_JUMP: Final = 10.0
"""Seconds by which the clocks must differ: corrections by NTP are far smaller."""


class SuspensionDetector:
    """Compares the wall clock with the monotonic one, which stands still during suspension.

    That applies to Linux and macOS. On Windows the monotonic clock goes on, so that all deadlines
    have passed when the computer wakes up. Setting the clock forward by hand looks like a
    suspension; setting it back does not.
    """

    def __init__(self, wall: float, monotonic: float) -> None:
        self._difference = wall - monotonic

    def was_suspended(self, wall: float, monotonic: float) -> bool:
        """Whether it was suspended since the last call; both clocks in seconds, read together."""
        difference = wall - monotonic
        jump, self._difference = difference - self._difference, difference
        return jump >= _JUMP
