"""The server's wall clock, which jumps: what it told when, by the clock that all processes share.

Its launcher adds a line to a file when it begins and around each jump; between two lines it goes on
as all clocks do.
"""

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

_UNSURE: Final = "?"
_MS: Final = 1_000_000


def sure() -> bytes:
    """A line: from now on the clock tells what it tells now."""
    return f"{time.monotonic_ns()} {time.time_ns()}\n".encode()


def unsure() -> bytes:
    """A line: it is about to jump."""
    return f"{time.monotonic_ns()} {_UNSURE}\n".encode()


class ServerClock:
    """Times are in nanoseconds on the monotonic clock; what the server's tells in milliseconds."""

    def __init__(self, lines: Sequence[tuple[int, int | None]] = ()) -> None:
        """Each line is a time, and what the clock told then, if that is known."""
        self._times = [at for at, _ in lines]
        self._told = [told for _, told in lines]

    def told(self, begin: float, end: float) -> tuple[int, int] | None:
        """The least and the most that it told in a stretch of time; None if that is not known."""
        if not self._times or begin < self._times[0]:
            return None
        first, last = (bisect_right(self._times, each) - 1 for each in (begin, end))
        told: list[float] = []
        for place in range(first, last + 1):
            until = self._times[place + 1] if place < last else end
            for since, known in self._may_be(place):
                told += [known + max(begin, since) - since, known + min(end, until) - since]
        return int(min(told)) // _MS, int(max(told)) // _MS

    def _may_be(self, place: int) -> Iterator[tuple[int, int]]:
        """What it may have told since a line: around a jump what it told before or after.

        Each is a time, and what the clock told then.
        """
        known = self._told[place]
        if known is not None:
            yield self._times[place], known
            return
        for each in range(max(0, place - 1), min(place + 2, len(self._times))):
            told = self._told[each]
            if told is not None:
                yield self._times[each], told


def read(path: Path) -> ServerClock:
    """What a launcher left."""
    lines: list[tuple[int, int | None]] = []
    for line in path.read_text().splitlines() if path.exists() else ():
        at, told = line.split()
        lines.append((int(at), None if told == _UNSURE else int(told)))
    return ServerClock(lines)


def now(path: Path) -> int:
    """What the clock tells now, as far as is known, in milliseconds."""
    at = time.monotonic_ns()
    told = read(path).told(at, at)
    return time.time_ns() // _MS if told is None else told[0]
