"""Messages a minute: the current rate, and that of the minutes before."""

from collections import deque
from typing import Final

HISTORY: Final = 20
"""Number of past minutes in the chart."""
_SECOND: Final = 1000
_WINDOW: Final = 60
"""Seconds over which the current rate is measured."""


class MessageRate:
    """Counts messages by second for the current rate and by minute for the chart.

    Memory is bounded whatever the traffic. Times are milliseconds since 1970-01-01 UTC.
    """

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, int]] = deque()
        self._minutes: dict[int, int] = {}

    def add(self, count: int, at: int) -> None:
        """Count `count` messages at `at`."""
        second = at // _SECOND
        while self._seconds and self._seconds[-1][0] > second:
            self._seconds.pop()  # the clock was set back: counts in its future are dropped
        if self._seconds and self._seconds[-1][0] == second:
            count_before = self._seconds.pop()[1]
            self._seconds.append((second, count_before + count))
        else:
            self._seconds.append((second, count))
        minute = second // 60
        self._minutes[minute] = self._minutes.get(minute, 0) + count
        self._forget(at)

    def per_minute(self, now: int) -> int:
        """Messages of the last 60 seconds."""
        self._forget(now)
        return sum(count for _, count in self._seconds)

    def history(self, now: int) -> tuple[int, ...]:
        """The rates of the last `HISTORY` full minutes, oldest first, and then the current rate."""
        minute = now // _SECOND // 60
        before = range(minute - HISTORY, minute)
        return (*(self._minutes.get(each, 0) for each in before), self.per_minute(now))

    def next_change(self, now: int) -> int | None:
        """When the two results above change without further messages; None for never."""
        self._forget(now)
        if self._seconds:
            return (self._seconds[0][0] + _WINDOW) * _SECOND
        if self._minutes:
            return (now // _SECOND // 60 + 1) * 60 * _SECOND
        return None

    def _forget(self, now: int) -> None:
        second = now // _SECOND
        while self._seconds and self._seconds[0][0] <= second - _WINDOW:
            self._seconds.popleft()
        minute = second // 60
        for old in [each for each in self._minutes if not minute - HISTORY <= each <= minute]:
            del self._minutes[old]
