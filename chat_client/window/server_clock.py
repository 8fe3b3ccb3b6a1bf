"""What time it is by the server's clock, which bans and mutes go by."""

from __future__ import annotations

import time
from collections.abc import Callable

from common.system.clock import elapsed


class ServerClock:
    """Goes on from what the server told, whatever happens to this computer's clock.

    That may be wrong, and be set while the program runs. Before a server has told the time, it
    counts all the same.
    """

    def __init__(self, passed: Callable[[], float] = elapsed) -> None:
        self._passed = passed
        self._time = time.time_ns() // 1_000_000
        self._at = passed()

    def set(self, told: int, ago: float) -> None:
        """The server told this time, in ms since 1970-01-01 UTC, so many seconds ago."""
        self._time, self._at = told, self._passed() - ago

    def take_over(self, former: ServerClock) -> None:
        """Have the time of another one."""
        self._time, self._at = former._time, former._at

    def now(self) -> int:
        """The time there now, in ms since 1970-01-01 UTC."""
        return self._time + round(1000 * (self._passed() - self._at))
