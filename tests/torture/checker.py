"""The checker: decides from a run's records whether every promise of the delivery was kept.

It does no I/O. The log is compared with what was written and acknowledged here; what arrived
and what was shown is replayed in `views`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from chat_client.state.event import KeptEvent
from tests.torture.history import Client, History, Kind, Violation
from tests.torture.record import Acked, Dropped, Kept, Record, Refused, Wrote
from tests.torture.views import check_store, check_view, check_wire

Key = tuple[str, str]
"""A message's sender and cid: what makes it one."""


def check(history: History) -> list[Violation]:
    """Every broken promise; none if the run was right."""
    rooms = _rooms(history.log)
    places = _places(history.log)
    violations = [*_check_log(history, rooms)]
    for client in history.clients:
        violations += _check_acks(client, places)
        violations += _check_outbox(client, places)
        violations += _check_order(client, places)
        violations += check_wire(client, history)
        violations += check_view(client, rooms)
        violations += check_store(client, history, rooms)
    return violations


def _rooms(log: Sequence[KeptEvent]) -> dict[str, dict[int, KeptEvent]]:
    rooms: dict[str, dict[int, KeptEvent]] = defaultdict(dict)
    for event in log:
        rooms[event.room][event.seq] = event
    return rooms


def _places(log: Sequence[KeptEvent]) -> dict[Key, KeptEvent]:
    """Where each message is; the first copy, if there are several."""
    places: dict[Key, KeptEvent] = {}
    for event in sorted(log, key=lambda event: event.seq):
        if event.cid is not None:
            places.setdefault((event.sender, event.cid), event)
    return places


def _check_log(history: History, rooms: dict[str, dict[int, KeptEvent]]) -> Iterator[Violation]:
    """No gaps, nothing twice, and nothing that was not sent just so."""
    for room, events in rooms.items():
        for seq in range(1, max(events) + 1):
            if seq not in events:
                yield Violation(Kind.GAP_IN_LOG, "", room, seq)
    written = {
        (client.person, record.cid): record
        for client in history.clients
        for record in client.records
        if isinstance(record, Wrote)
    }
    copies = Counter((event.sender, event.cid) for event in history.log if event.cid is not None)
    for (sender, cid), count in copies.items():
        if count > 1:
            yield Violation(Kind.DUPLICATE, sender, detail=f"{count} copies of {cid}")
    joined: set[str] = set()
    for event in history.log:
        if event.kind == "join":
            if event.sender in joined:
                yield Violation(Kind.DUPLICATE, event.sender, event.room, event.seq, "a join")
            joined.add(event.sender)
            continue
        wrote = written.get((event.sender, event.cid or ""))
        if wrote is None or (wrote.room, wrote.text) != (event.room, event.text):
            yield Violation(Kind.NOT_SENT, event.sender, event.room, event.seq, event.text[:60])


def _check_acks(client: Client, places: dict[Key, KeptEvent]) -> Iterator[Violation]:
    """Acknowledged is in the log, where the acknowledgement said."""
    for ack in client.records:
        if isinstance(ack, Acked):
            event = places.get((client.person, ack.cid))
            if event is None:
                yield Violation(Kind.ACK_LOST, client.person, ack.room, ack.seq, ack.cid)
            elif (event.room, event.seq) != (ack.room, ack.seq):
                where = f"it is at {event.room}/{event.seq}"
                yield Violation(Kind.ACK_MOVED, client.person, ack.room, ack.seq, where)


def _check_outbox(client: Client, places: dict[Key, KeptEvent]) -> Iterator[Violation]:
    """What was kept is in the log in the end, unless the person gave it up."""
    accounted = {record.cid for record in client.records if isinstance(record, Dropped)}
    accounted |= {cid for sender, cid in places if sender == client.person}
    accounted |= set(client.store.waiting)
    for record in client.records:
        if isinstance(record, Refused):
            yield Violation(Kind.NOT_DELIVERED, client.person, detail=record.reason)
        elif isinstance(record, Kept) and record.cid not in accounted:
            yield Violation(Kind.LOST, client.person, detail=record.cid)
    for cid in client.store.waiting:
        yield Violation(Kind.NOT_DELIVERED, client.person, detail=f"{cid} waits")


def _check_order(client: Client, places: dict[Key, KeptEvent]) -> Iterator[Violation]:
    """A device's messages in a room are in the order they were written, answers after causes."""
    last: dict[str, int] = {}
    by_cid = {cid: event for (_, cid), event in places.items()}
    for record in _written(client.records):
        event = places.get((client.person, record.cid))
        if event is None:
            continue
        if event.seq < last.get(event.room, 0):
            after = f"after the one at {last[event.room]}"
            yield Violation(
                Kind.DEVICE_ORDER, client.person, event.room, event.seq, f"written {after}"
            )
        last[event.room] = max(event.seq, last.get(event.room, 0))
        if record.answers is not None:
            cause = by_cid.get(record.answers)
            # Seen and not in the log at all is another violation; there is no place to compare.
            if cause is not None and cause.room == event.room and cause.seq >= event.seq:
                yield Violation(
                    Kind.EFFECT_BEFORE_CAUSE,
                    client.person,
                    event.room,
                    event.seq,
                    f"answers {cause.seq}",
                )


def _written(records: Sequence[Record]) -> Iterator[Wrote]:
    return (record for record in records if isinstance(record, Wrote))
