"""The checker's other half: what arrived at a client, what it was shown, and what it kept.

Three replays, each against the history that the server had then. *The wire* is what the server
sent on each connection, before the client could mend anything: a client that asks again where
something is missing hides a wrong server from its person, but not from here. *The view* is what
the person was shown, through all lives. *The store* is what is on the client's disk at the end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from common.protocol.events import Event
from tests.torture.copies import Copy
from tests.torture.epochs import Epoch, wire_name
from tests.torture.history import Client, History, Kind, Violation
from tests.torture.record import (
    Acked,
    Admitted,
    Applied,
    Asked,
    Began,
    CacheReset,
    Connected,
    Filled,
    Heard,
    Parted,
    Record,
    Synced,
    Transmitted,
    Welcomed,
)


class Stretches:
    """Places of a room, kept as a few stretches: hours of talk are one."""

    def __init__(self) -> None:
        self._stretches: list[tuple[int, int]] = []

    def add(self, first: int, last: int) -> None:
        """These, too."""
        apart = [each for each in self._stretches if each[1] < first - 1 or each[0] > last + 1]
        joined = [each for each in self._stretches if each not in apart]
        first = min([first, *(begin for begin, _ in joined)])
        last = max([last, *(end for _, end in joined)])
        self._stretches = [*apart, (first, last)]

    def missing_in(self, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Those that are not wholly in one of these."""
        return [
            (first, last)
            for first, last in self._stretches
            if not any(begin <= first and last <= end for begin, end in spans)
        ]


@dataclass(slots=True)
class _Room:
    """A room on one connection: the last event that arrived, and whether it was surely live.

    Up to `head` there was something when the server began to bring it.
    """

    heard: int
    live: bool = False
    head: int = 0
    started: bool = False
    """Whether the server has agreed to bring it."""


@dataclass(slots=True)
class _Connection:
    """One connection. `epoch` is the history that the server named on it."""

    epoch: Epoch | None = None
    session: str = ""
    rooms: dict[str, _Room] = field(default_factory=dict)
    acked: set[tuple[str, int]] = field(default_factory=set)
    transmitted: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    parted: bool = False


class Wire:
    """On each connection: no hole, nothing twice, no echo, nothing after the last words."""

    def __init__(self, client: Client, history: History) -> None:
        self._person = client.person
        self._device = client.device
        self._history = history
        self._wire = _Connection()

    def take(self, record: Record) -> Iterator[Violation]:
        """As a Judge."""
        wire = self._wire
        match record:
            case Connected() | Began():
                self._wire = _Connection()
            case Admitted():
                wire.session = record.session
            case Asked():
                for name, position in record.positions.items():
                    room = wire.rooms.setdefault(name, _Room(position))
                    # Asking again for a room that is followed already changes nothing; one that
                    # was refused is asked for from its beginning.
                    room.heard = room.heard if room.started else min(room.heard, position)
            case Synced():
                self._begin(wire, record)
            case Transmitted():
                wire.transmitted.add(record.cid)
            case Welcomed() | Parted() | Acked() | Heard():
                yield from self._arrive(wire, record)
            case _:
                pass

    def finish(self) -> Iterator[Violation]:
        """As a Judge."""
        return iter(())

    @staticmethod
    def _begin(wire: _Connection, synced: Synced) -> None:
        """The server brings these rooms from now on."""
        for name, head in synced.heads.items():
            room = wire.rooms.setdefault(name, _Room(0))
            room.started = True
            room.head = head
            if name in synced.skipped:
                # From there on; whether by a page first is not known.
                room.heard = max(room.heard, head)
            elif head <= room.heard:
                room.live = True  # There was nothing to catch up with.

    def _arrive(
        self, wire: _Connection, record: Welcomed | Parted | Acked | Heard
    ) -> Iterator[Violation]:
        device = self._device
        match record:
            case Welcomed():
                wire.epoch = self._history.epoch(record.epoch)
                if wire.epoch is None:
                    yield Violation(Kind.DISAGREES, device, detail=f"epoch {record.epoch}")
            case Parted():
                wire.parted = True
            case Acked():
                if wire.parted:
                    yield Violation(Kind.AFTER_GOODBYE, device, record.room, record.seq)
                wire.acked.add((record.room, record.seq))
                wire.answered.add(record.cid)
            case Heard(event=event):
                for kind in self._hear(wire, event):
                    yield Violation(kind, device, event.room, event.seq)
                yield from compare(device, event, wire.epoch)

    def _hear(self, wire: _Connection, event: Event) -> Iterator[Kind]:
        if wire.parted:
            yield Kind.AFTER_GOODBYE
        if wire.epoch is not None and self._person not in wire.epoch.members.get(event.room, ()):
            yield Kind.OUTSIDER
        room = wire.rooms.get(event.room)
        if room is None:
            yield Kind.HOLE_ON_WIRE  # It never asked for this room here.
            return
        if event.seq <= room.heard:
            # Its own ones, acknowledged in their places and sent all the same, count as echoes.
            own = event.sender == self._person and event.cid in wire.answered
            yield Kind.ECHOED if own else Kind.REPEATED_ON_WIRE
            return
        between = range(room.heard + 1, event.seq)
        if not all((event.room, seq) in wire.acked for seq in between):
            yield Kind.HOLE_ON_WIRE
        said_here = event.sender == self._person and event.cid in wire.transmitted
        # Of a former connection is what was there already: sent again here, perhaps in vain.
        if said_here and event.seq > room.head:
            # While a client is caught up, pages of the log bring what it was acknowledged: that
            # is no echo. Before the acknowledgement it is one, and so it is to a live client.
            caught_up = room.live and wire.session not in self._history.fell_behind
            if event.cid not in wire.answered or caught_up:
                yield Kind.ECHOED
        if between:
            # Its own events came as acknowledgements only. A page would have brought them.
            room.live = True
        room.heard = event.seq


class View:
    """The person is shown each room as one run, and never again what was shown before.

    A new history begins at its first event, and a room that the server refused a copy of.
    """

    def __init__(self, client: Client, history: History) -> None:
        self._client = client
        self._history = history
        self._copy = Copy()
        self._positions: dict[str, int] = {}
        self._asked: dict[str, int] = {}
        """What was asked for last on this connection, of rooms of which nothing came since."""
        self._skipped: dict[str, int] = {}
        """Rooms of which on this connection only what follows this place comes by itself."""
        self._shown: dict[str, Stretches] = {}
        """What was shown of each room, which must be in the store from then on."""
        self._doubted: str | None = None
        """The last history with the epoch of another one that the copy was of: until the next one,
        rooms may be started over."""

    def take(self, record: Record) -> Iterator[Violation]:
        """As a Judge."""
        device = self._client.device
        known = (self._copy.of, self._copy.server)
        self._copy.take(record)
        if wire_name(self._copy.of) != wire_name(known[0]):
            self._positions.clear()
            self._skipped.clear()
            self._shown.clear()
        match record:
            case Began():
                yield from self._begin(record, known)
            case Connected() | Welcomed():
                self._meet(record)
            case CacheReset() if wire_name(self._copy.of) == wire_name(known[0]):
                yield from self._start_rooms_over()
            case Asked():
                self._asked.update(record.positions)
                if wire_name(self._copy.of) != wire_name(self._copy.server):
                    yield Violation(Kind.MIXED, device, detail=f"a copy of {self._copy.of}")
            case Applied(event=event):
                yield from self._show(event)
            case Synced():
                self._skipped |= {room: record.heads[room] for room in record.skipped}
            case Filled():
                yield from self._fill(record)
            case _:
                pass

    def _end(self, room: str) -> int:
        """The place after which events of a room come by themselves."""
        return max(self._positions.get(room, 0), self._skipped.get(room, 0))

    def _fill(self, filled: Filled) -> Iterator[Violation]:
        room, last = filled.room, filled.last
        if last > self._end(room):
            # What comes by itself is told as new; taken from a page, it would never be.
            detail = f"a page was taken up to {last}"
            yield Violation(Kind.HOLE_IN_VIEW, self._client.device, room, last, detail)
        self._positions[room] = max(self._positions.get(room, 0), last)
        self._asked.pop(room, None)
        self._shown.setdefault(room, Stretches()).add(filled.first, last)

    def _show(self, event: Event) -> Iterator[Violation]:
        device = self._client.device
        if event.seq != self._end(event.room) + 1:
            yield Violation(Kind.HOLE_IN_VIEW, device, event.room, event.seq)
        self._positions[event.room] = event.seq
        self._shown.setdefault(event.room, Stretches()).add(event.seq, event.seq)
        self._asked.pop(event.room, None)
        # Of a room that is new here, the own message may come before anything is compared.
        now = self._copy.server if self._copy.doubtful else self._copy.of
        yield from compare(device, event, self._history.epoch(now))

    def _begin(self, began: Began, known: tuple[str | None, str | None]) -> Iterator[Violation]:
        device = self._client.device
        # A folder may have been copied, with all that was kept, before its first life.
        if known != (None, None) and began.epoch not in map(wire_name, known):
            yield Violation(Kind.DISAGREES, device, detail=f"a copy of {began.epoch}")
        self._skipped.clear()
        # It may have been killed having started a room over, and before it could say so.
        if known[1] is None or known[1] != self._doubted:
            yield from _went_back(device, self._positions, began.positions)
        for room, position in self._positions.items():
            if began.positions.get(room, 0) < position:
                self._shown.pop(room, None)
        self._positions = dict(began.positions)

    def _meet(self, record: Connected | Welcomed) -> None:
        if isinstance(record, Connected):
            self._asked.clear()
            self._skipped.clear()
        elif self._copy.doubtful:
            self._doubted = self._copy.server

    def _start_rooms_over(self) -> Iterator[Violation]:
        """Only those that were refused: it is told after they were asked for again."""
        if self._copy.of != self._doubted:
            yield Violation(Kind.WENT_BACK, self._client.device, detail="it started over")
            self._positions.clear()
            self._shown.clear()
        for room, position in self._asked.items():
            if not position:
                self._positions.pop(room, None)
                self._shown.pop(room, None)

    def finish(self) -> Iterator[Violation]:
        """As a Judge."""
        device, store = self._client.device, self._client.store
        if store.epoch != wire_name(self._history.last.name):
            yield Violation(Kind.MIXED, device, detail=f"in the end a copy of {store.epoch}")
        if store.epoch == wire_name(self._copy.of):
            yield from _went_back(device, self._positions, store.positions)
            for room, shown in self._shown.items():
                for first, last in shown.missing_in(store.spans.get(room, [])):
                    detail = f"shown from {first} to {last}, and not in its store"
                    yield Violation(Kind.HOLE_IN_VIEW, device, room, first, detail)


def _went_back(
    device: str, before: Mapping[str, int], after: Mapping[str, int]
) -> Iterator[Violation]:
    for room, position in before.items():
        if after.get(room, 0) < position:
            where = f"to {after.get(room, 0)}"
            yield Violation(Kind.WENT_BACK, device, room, position, where)


def check_store(client: Client, history: History) -> Iterator[Violation]:
    """The store has what its spans say of each room of the person, up to the head, as logged."""
    epoch, store = history.last, client.store
    kept: dict[str, set[int]] = {}
    for event in store.events:
        kept.setdefault(event.room, set()).add(event.seq)
        if event.room in epoch.members or not _was_in_room_of_former(event, history):
            yield from compare(client.device, event, epoch)
    for room in kept.keys() | store.positions.keys():
        position = store.positions.get(room, 0)
        spans = sorted(store.spans.get(room, []))
        wanted = {seq for first, last in spans for seq in range(first, last + 1)}
        for (_, last), (first, _) in pairwise(spans):
            if first <= last + 1:
                detail = f"stretches that touch, at {first}"
                yield Violation(Kind.HOLE_IN_VIEW, client.device, room, first, detail)
        if kept.get(room, set()) != wanted or max(wanted, default=0) != position:
            yield Violation(Kind.HOLE_IN_VIEW, client.device, room, position, "in its store")
    for room, members in epoch.members.items():
        position, head = store.positions.get(room, 0), epoch.head(room)
        if client.person in members and position < head:
            yield Violation(Kind.BEHIND, client.device, room, position, f"the head is {head}")


def _was_in_room_of_former(event: Event, history: History) -> bool:
    """Whether it is of a room that went with a backup copied back: nothing tells a client so."""
    name = wire_name(history.last.name)
    former = [epoch for epoch in history.epochs if wire_name(epoch.name) == name]
    return any(epoch.at(event.room, event.seq) == event for epoch in former)


def compare(device: str, event: Event, epoch: Epoch | None) -> Iterator[Violation]:
    """The event is in that history's log. Without one, something else is wrong already."""
    logged = None if epoch is None else epoch.at(event.room, event.seq)
    if epoch is not None and logged != event:
        what = "the log has nothing there" if logged is None else f"the log: {logged.text[:60]!r}"
        yield Violation(Kind.DISAGREES, device, event.room, event.seq, what)
