"""The checker's other half: what arrived at a client, what it was shown, and what it kept.

Three replays. *The wire* is what the server sent on each connection, before the client could
mend anything: a client that asks again where something is missing hides a wrong server from
its person, but not from here. *The view* is what the person was shown, through all lives.
*The store* is what is on the client's disk at the end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from chat_client.state.event import KeptEvent
from tests.torture.history import Client, History, Kind, Violation
from tests.torture.record import (
    Acked,
    Applied,
    Asked,
    Began,
    Connected,
    Heard,
    Parted,
    StartedOver,
    Transmitted,
    Welcomed,
)

Rooms = Mapping[str, Mapping[int, KeptEvent]]


@dataclass(slots=True)
class _Room:
    """A room on one connection: the last event that arrived, and whether it was surely live."""

    heard: int
    live: bool = False


@dataclass(slots=True)
class _Wire:
    """One connection."""

    rooms: dict[str, _Room] = field(default_factory=dict)
    acked: set[tuple[str, int]] = field(default_factory=set)
    transmitted: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    parted: bool = False


def check_wire(client: Client, history: History) -> Iterator[Violation]:
    """On each connection: no hole, nothing twice, no echo, nothing after the last words."""
    wire = _Wire()
    for record in client.records:
        match record:
            case Connected() | Began():
                wire = _Wire()
            case Asked():
                for room, position in record.positions.items():
                    # Asking again for a room that is followed already changes nothing.
                    wire.rooms.setdefault(room, _Room(position))
            case Transmitted():
                wire.transmitted.add(record.cid)
            case Welcomed() | Parted() | Acked() | Heard():
                yield from _arrive(client.person, wire, record, history)
            case _:
                pass


def _arrive(
    person: str, wire: _Wire, record: Welcomed | Parted | Acked | Heard, history: History
) -> Iterator[Violation]:
    match record:
        case Welcomed():
            if record.epoch != history.epoch:
                yield Violation(Kind.DISAGREES, person, detail=f"epoch {record.epoch}")
        case Parted():
            wire.parted = True
        case Acked():
            if wire.parted:
                yield Violation(Kind.AFTER_GOODBYE, person, record.room, record.seq)
            wire.acked.add((record.room, record.seq))
            wire.answered.add(record.cid)
        case Heard(event=event):
            for kind in _hear(person, wire, event, history):
                yield Violation(kind, person, event.room, event.seq)


def _hear(person: str, wire: _Wire, event: KeptEvent, history: History) -> Iterator[Kind]:
    if wire.parted:
        yield Kind.AFTER_GOODBYE
    if person not in history.members.get(event.room, ()):
        yield Kind.OUTSIDER
    room = wire.rooms.get(event.room)
    if room is None:
        yield Kind.HOLE_ON_WIRE  # It never asked for this room here.
        return
    if event.seq <= room.heard:
        yield Kind.REPEATED_ON_WIRE
        return
    between = range(room.heard + 1, event.seq)
    if not all((event.room, seq) in wire.acked for seq in between):
        yield Kind.HOLE_ON_WIRE
    if event.sender == person and event.cid in wire.transmitted:
        # While a client is caught up, pages of the log bring what it was acknowledged: that
        # is no echo. Before the acknowledgement it is one, and so it is to a live client.
        caught_up = room.live and person not in history.fell_behind
        if event.cid not in wire.answered or caught_up:
            yield Kind.ECHOED
    if between:
        # Its own events came as acknowledgements only. A page would have brought them.
        room.live = True
    room.heard = event.seq


def check_view(client: Client, rooms: Rooms) -> Iterator[Violation]:
    """The person is shown each room as one run, and never again what was shown before."""
    positions: dict[str, int] = {}
    for record in client.records:
        match record:
            case Began():
                yield from _went_back(client.person, positions, record.positions)
                positions = dict(record.positions)
            case StartedOver():
                yield Violation(Kind.WENT_BACK, client.person, detail="it started over")
                positions.clear()
            case Applied(event=event):
                if event.seq != positions.get(event.room, 0) + 1:
                    yield Violation(Kind.HOLE_IN_VIEW, client.person, event.room, event.seq)
                positions[event.room] = event.seq
                yield from _compare(client.person, event, rooms)
            case Heard(event=event):
                yield from _compare(client.person, event, rooms)
            case _:
                pass
    yield from _went_back(client.person, positions, client.store.positions)


def _went_back(
    person: str, before: Mapping[str, int], after: Mapping[str, int]
) -> Iterator[Violation]:
    for room, position in before.items():
        if after.get(room, 0) < position:
            where = f"to {after.get(room, 0)}"
            yield Violation(Kind.WENT_BACK, person, room, position, where)


def check_store(client: Client, history: History, rooms: Rooms) -> Iterator[Violation]:
    """The store has every room of the person from its first event to its head, as logged."""
    kept: dict[str, set[int]] = {}
    for event in client.store.events:
        kept.setdefault(event.room, set()).add(event.seq)
        yield from _compare(client.person, event, rooms)
    for room in kept.keys() | client.store.positions.keys():
        position = client.store.positions.get(room, 0)
        if kept.get(room, set()) != set(range(1, position + 1)):
            yield Violation(Kind.HOLE_IN_VIEW, client.person, room, position, "in its store")
    for room, members in history.members.items():
        head = max(rooms.get(room, {}), default=0)
        if client.person in members and client.store.positions.get(room, 0) < head:
            position = client.store.positions.get(room, 0)
            yield Violation(Kind.BEHIND, client.person, room, position, f"the head is {head}")


def _compare(person: str, event: KeptEvent, rooms: Rooms) -> Iterator[Violation]:
    logged = rooms.get(event.room, {}).get(event.seq)
    if logged != event:
        what = "the log has nothing there" if logged is None else f"the log: {logged.text[:60]!r}"
        yield Violation(Kind.DISAGREES, person, event.room, event.seq, what)
