"""The newest events of the rooms, as frames: most who come back miss no more than these."""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

TAIL_BYTES: Final = 128 * 1024
"""Of each room, as much as a page: about 600 short messages."""
TAILS: Final = 64
"""Rooms at most, those that were talked in last: 8 MiB in all."""


class _Tail:
    """Consecutive frames up to `last`."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.frames: deque[bytes] = deque()
        self._size = 0

    def add(self, frames: Sequence[bytes]) -> None:
        self.frames.extend(frames)
        self.last += len(frames)
        self._size += sum(map(len, frames))
        while self._size > TAIL_BYTES:
            self._size -= len(self.frames.popleft())


class Tails:
    """Holds only what is committed: whoever reads here gets nothing that may be taken back."""

    def __init__(self) -> None:
        self._tails: dict[str, _Tail] = {}
        """By room; the one that was added to last is at the end."""

    def add(self, room: str, first: int, frames: Sequence[bytes]) -> None:
        """Events of a room, from `first` on, have been committed."""
        tail = self._tails.pop(room, None)
        if tail is None or tail.last != first - 1:
            tail = _Tail(first - 1)
        self._tails[room] = tail
        tail.add(frames)
        if len(self._tails) > TAILS:
            del self._tails[next(iter(self._tails))]

    def between(self, room: str, after: int, head: int) -> bytes | None:
        """The frames of the events that follow `after` up to `head`, if all of them are here."""
        tail = self._tails.get(room)
        if tail is None or tail.last != head:
            return None
        missing = head - after
        if missing > len(tail.frames):
            return None
        return b"".join(islice(tail.frames, len(tail.frames) - missing, None))
