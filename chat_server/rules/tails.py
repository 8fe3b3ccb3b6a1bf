"""A cache of the newest events of each room: most clients that resume miss no more than these."""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from common.protocol.events import ACCOUNT_DELETED, Event

TAIL_BYTES: Final = 128 * 1024
"""Of each room, as much as a page: about 600 short messages."""
TAILS: Final = 64
"""Maximum number of rooms, evicting the least recently written: 8 MiB in all."""
_ENVELOPE: Final = 200
"""Bytes of an event's frame besides its text, about."""


def weight(event: Event) -> int:
    """Approximate size of an event's frame in bytes. The exact size would cost an encoding."""
    text = event.body.get("text")
    if type(text) is not str:
        return _ENVELOPE
    return _ENVELOPE + (len(text) if text.isascii() else len(text.encode()))


class _Tail:
    """Consecutive events up to `last`."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.events: deque[tuple[Event, int]] = deque()
        """With the weight of each."""
        self._size = 0

    def add(self, events: Sequence[Event]) -> None:
        weights = list(map(weight, events))
        self.events.extend(zip(events, weights, strict=True))
        self.last += len(events)
        self._size += sum(weights)
        while self._size > TAIL_BYTES:
            self._size -= self.events.popleft()[1]


class Tails:
    """Holds committed events only: nothing read here can be rolled back."""

    def __init__(self) -> None:
        self._tails: dict[str, _Tail] = {}
        """By room; the one that was added to last is at the end."""

    def add(self, room: str, events: Sequence[Event]) -> None:
        """Consecutive events of a room have been committed."""
        first = events[0].seq
        tail = self._tails.pop(room, None)
        if tail is None or tail.last != first - 1:
            tail = _Tail(first - 1)
        self._tails[room] = tail
        tail.add(events)
        if any(event.kind == ACCOUNT_DELETED for event in events):
            # What is stored of its sender's events may be no more what is here.
            self._tails[room] = tail = _Tail(tail.last)
        if len(self._tails) > TAILS:
            del self._tails[next(iter(self._tails))]

    def between(self, room: str, after: int, head: int) -> list[Event] | None:
        """The events that follow `after` up to `head`, if all of them are here."""
        tail = self._tails.get(room)
        if tail is None or tail.last != head:
            return None
        missing = head - after
        if missing > len(tail.events):
            return None
        return [event for event, _ in islice(tail.events, len(tail.events) - missing, None)]
