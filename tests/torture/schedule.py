"""What is to be done later, one thing after the other."""

import heapq
import itertools
import time
from collections.abc import Callable


class Schedule:
    """Actions, each with the time at which it is due."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._later: list[tuple[float, int, Callable[[], None]]] = []

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do it so many seconds from now."""
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), action))

    def run_until(self, end: float) -> None:
        """Let time pass, and do what is due by then."""
        while True:
            due = min(self._later[0][0], end) if self._later else end
            time.sleep(max(0.0, due - time.monotonic()))
            if not self._later or self._later[0][0] > end:
                return
            heapq.heappop(self._later)[2]()

    def run_all(self) -> None:
        """Do now whatever is left."""
        while self._later:
            heapq.heappop(self._later)[2]()
