"""Spans: the ranges of `seq` of each room that the cache has, without gaps within. Pure."""

from bisect import bisect_right
from typing import NamedTuple


class Span(NamedTuple):
    """All events from `first` to `last`."""

    first: int
    last: int


class Spans:
    """The spans of each room, sorted and disjoint; between two of them events are missing."""

    def __init__(self) -> None:
        self._spans: dict[str, list[Span]] = {}
        self._before: dict[str, list[Span]] = {}
        """The rooms that were changed since the last `commit`, as they were then."""

    def of(self, room: str) -> tuple[Span, ...]:
        """The spans of a room."""
        return tuple(self._spans.get(room, ()))

    def add(self, room: str, first: int, last: int) -> Span:
        """Add a range (1 ≤ first ≤ last), merging neighbours; returns the span it is in now."""
        spans = self._spans.setdefault(room, [])
        self._before.setdefault(room, list(spans))
        at = bisect_right(spans, (first, last))
        begin = end = at
        if begin and spans[begin - 1].last >= first - 1:
            begin -= 1
        while end < len(spans) and spans[end].first <= last + 1:
            end += 1
        gone = spans[begin:end]
        if gone:
            first, last = min(first, gone[0].first), max(last, gone[-1].last)
        whole = Span(first, last)
        spans[begin:end] = [whole]
        return whole

    def forget(self, room: str) -> None:
        """Remove all spans of a room."""
        self._before.setdefault(room, self._spans.pop(room, []))

    def commit(self) -> None:
        """Accept all changes: they are stored."""
        self._before.clear()

    def roll_back(self) -> None:
        """Undo the changes since the last `commit`."""
        self._spans.update(self._before)
        self._before.clear()
