"""Data sources of a virtual list: items in order, each fetched when it comes into view."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


class Rows(Protocol[Item_co]):
    """Items from top to bottom; iterating gives the keys of those that have one.

    `item` may be called at any time, for whatever comes into view. All lengths are screen pixels.
    """

    def __len__(self) -> int: ...

    def item(self, place: int) -> Item_co:
        """The item at an index."""

    def top(self, place: int) -> int:
        """Top of the item at an index; for the index after the last, the total height."""

    def at(self, y: int) -> int:
        """The index of the item at `y`: -1 above the first, `len` below the last."""

    def place(self, key: str) -> int | None:
        """The index of the item with a key."""

    def __iter__(self) -> Iterator[str]:
        """The keys of all that have one, in order."""


class ItemRows(Generic[Item]):
    """Items that are all in memory, of any heights."""

    def __init__(
        self,
        items: list[Item],
        key_of: Callable[[Item], str | None],
        height_of: Callable[[Item], int],
    ) -> None:
        self._items = items
        self._tops = [0, *accumulate(map(height_of, items))]
        keyed = ((key_of(item), place) for place, item in enumerate(items))
        self._places = {key: place for key, place in keyed if key is not None}

    def has(self, items: list[Item]) -> bool:
        """Whether these are the items."""
        return items == self._items

    def __len__(self) -> int:
        return len(self._items)

    def item(self, place: int) -> Item:
        """See `Rows`."""
        return self._items[place]

    def top(self, place: int) -> int:
        """See `Rows`."""
        return self._tops[place]

    def at(self, y: int) -> int:
        """See `Rows`."""
        return bisect_right(self._tops, y) - 1

    def place(self, key: str) -> int | None:
        """See `Rows`."""
        return self._places.get(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)


class Keyed(Protocol):
    """An ordered sequence of keys with a fast lookup of a key's index."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: int, /) -> str: ...

    def __iter__(self) -> Iterator[str]: ...

    def at(self, key: str) -> int | None:
        """The index of a key."""


class KeyedRows(Generic[Item]):
    """Items of one height that are made from their keys when they come into view."""

    def __init__(self, keys: Keyed, make: Callable[[str], Item], height: int) -> None:
        self._keys, self._make, self._height = keys, make, height

    def __len__(self) -> int:
        return len(self._keys)

    def item(self, place: int) -> Item:
        """See `Rows`."""
        return self._make(self._keys[place])

    def top(self, place: int) -> int:
        """See `Rows`."""
        return place * self._height

    def at(self, y: int) -> int:
        """See `Rows`."""
        return max(-1, min(len(self._keys), y // self._height))

    def place(self, key: str) -> int | None:
        """See `Rows`."""
        return self._keys.at(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)


class JoinedRows(Generic[Item]):
    """Several rows, one below the other."""

    def __init__(self, parts: Sequence[Rows[Item]]) -> None:
        self._parts = [part for part in parts if len(part)]
        self._firsts = [0, *accumulate(map(len, self._parts))]
        """The index of the first item of each part, and the total number of items."""
        self._tops = [0, *accumulate(part.top(len(part)) for part in self._parts)]

    def __len__(self) -> int:
        return self._firsts[-1]

    def item(self, place: int) -> Item:
        """See `Rows`."""
        at = bisect_right(self._firsts, place) - 1
        return self._parts[at].item(place - self._firsts[at])

    def top(self, place: int) -> int:
        """See `Rows`."""
        at = bisect_right(self._firsts, place) - 1
        if at == len(self._parts):
            return self._tops[-1]
        return self._tops[at] + self._parts[at].top(place - self._firsts[at])

    def at(self, y: int) -> int:
        """See `Rows`."""
        at = bisect_right(self._tops, y) - 1
        if not 0 <= at < len(self._parts):
            return -1 if at < 0 else len(self)
        return self._firsts[at] + self._parts[at].at(y - self._tops[at])

    def place(self, key: str) -> int | None:
        """See `Rows`."""
        for part, first in zip(self._parts, self._firsts, strict=False):
            place = part.place(key)
            if place is not None:
                return first + place
        return None

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._parts)
