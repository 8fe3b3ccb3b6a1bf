"""A sorted collection of keys, in which one key can move without sorting the others. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import Any


class Ordered:
    """Keys in the order of what each sorts by, then of the keys themselves.

    A change costs a binary search and a move in memory: with 5,000 keys a few microseconds, where
    sorting them takes milliseconds. What keys sort by must be comparable with each other.
    """

    def __init__(self) -> None:
        self._order: list[tuple[Any, str]] = []
        self._by: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, key: object) -> bool:
        return key in self._by

    def __iter__(self) -> Iterator[str]:
        return (key for _, key in self._order)

    def put(self, key: str, by: Any) -> None:  # whatever can be compared
        """Have a key, new or moved."""
        if key in self._by:
            if self._by[key] == by:
                return
            self.discard(key)
        self._by[key] = by
        insort(self._order, (by, key))

    def discard(self, key: str) -> None:
        """Remove a key, if it is there."""
        if key in self._by:
            del self._order[bisect_left(self._order, (self._by.pop(key), key))]

    def fill(self, keys: Iterable[tuple[Any, str]]) -> None:
        """Have these and no others, each behind what it sorts by."""
        self._order = sorted(keys)
        self._by = {key: by for by, key in self._order}

    def snapshot(self) -> Keys:
        """An immutable copy of the current order."""
        return Keys(self._order.copy(), self._by)


class Keys:
    """An order as it was: what is shown stays the same until it is shown anew."""

    def __init__(self, order: list[tuple[Any, str]], by: dict[str, Any]) -> None:
        self._order = order
        self._by = by
        """What keys sort by now: the one thing that is not copied, as that takes longest."""

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[str]:
        return (key for _, key in self._order)

    def __getitem__(self, at: int) -> str:
        key: str = self._order[at][1]
        return key

    def at(self, key: str) -> int | None:
        """The index of a key; None if it is not there, or was moved since."""
        by = self._by.get(key)
        at = len(self._order) if by is None else bisect_left(self._order, (by, key))
        return at if at < len(self._order) and self._order[at][1] == key else None
