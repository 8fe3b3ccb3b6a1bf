"""The server's log, and what it was before a backup was put in its place."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from common.protocol.events import Event
from tests.torture.rights import NO_RIGHTS, Entry, Rights

Key = tuple[str, str]
"""A message's sender and cid: what makes it one."""


def wire_name(history: str | None) -> str | None:
    """What the server calls a history: its epoch.

    A backup that is plainly copied back brings its epoch with it. The histories that have it in
    common are told apart by a number behind a `#`; the first one has none.
    """
    return None if history is None else history.partition("#")[0]


@dataclass(frozen=True, slots=True)
class Moderated:
    """What a history has of what was done to people: what held first and last, and the audit log.

    It lasted from `began` to `ended`, in nanoseconds on the monotonic clock.
    """

    before: Rights = NO_RIGHTS
    after: Rights = NO_RIGHTS
    audit: Sequence[Entry] = ()
    began: float = 0
    ended: float = math.inf


_NOTHING_DONE: Final = Moderated()


class Epoch:
    """One history of the server: the log of each room from its first event on.

    A restored backup begins another one, whose `name` no other has. It has what `parent`, in which
    the backup was made, had up to `base` in each room, and goes on by itself from there with
    `tail`: so that a long run's logs are held once.
    """

    def __init__(
        self,
        name: str,
        tail: Iterable[Event],
        members: Mapping[str, Collection[str]],
        parent: Epoch | None = None,
        base: Mapping[str, int] | None = None,
        moderated: Moderated = _NOTHING_DONE,
    ) -> None:
        self.name = name
        self.moderated = moderated
        self.members = members
        self.parent = parent
        self.base: Mapping[str, int] = base or {}
        self._rooms: dict[str, dict[int, Event]] = {}
        self._places: dict[Key, Event] = {}
        for event in sorted(tail, key=lambda event: (event.room, event.seq)):
            self._rooms.setdefault(event.room, {})[event.seq] = event
            if event.is_message:
                self._places.setdefault((event.sender, event.cid), event)

    def tail(self) -> Iterator[Event]:
        """What came after `base`, room by room in order."""
        for events in self._rooms.values():
            yield from events.values()

    def rooms(self) -> set[str]:
        """Every room that has events."""
        return self._rooms.keys() | self.base.keys()

    def head(self, room: str) -> int:
        """The `seq` of a room's newest event, 0 for none."""
        return max(self._rooms.get(room, ()), default=self.base.get(room, 0))

    def at(self, room: str, seq: int) -> Event | None:
        """What is in a place of the log."""
        epoch: Epoch | None = self
        while epoch is not None and seq <= epoch.base.get(room, 0):
            epoch = epoch.parent
        return None if epoch is None else epoch._rooms.get(room, {}).get(seq)

    def place(self, key: Key) -> Event | None:
        """Where a message is in the log; the first copy, if there are several."""
        epoch: Epoch | None = self
        bound: Mapping[str, int] | None = None
        found: Event | None = None
        while epoch is not None:
            event = epoch._places.get(key)
            if event is not None and (bound is None or event.seq <= bound.get(event.room, 0)):
                found = event
            bound = epoch.base
            epoch = epoch.parent
        return found
