"""Replies that a worker reads from the store: in the hub they would delay everyone."""

from typing import Final

from chat_server.rules.effects import ReadAudit, ReadHistory
from chat_server.store.store import Reader
from common import limits
from common.protocol import messages
from common.protocol.events import Event
from common.protocol.fast_encode import body_json

_FIRST_REACH: Final = 7
"""How far from the place the first read goes: if these events are long, no more of them fit."""
_FURTHER: Final = 16
"""How much farther each later read goes, to either side."""


def answer(query: ReadAudit | ReadHistory, re: int, reader: Reader) -> messages.ToClient:
    """The reply to the command `re`. Raises StoreFailedError."""
    if isinstance(query, ReadAudit):
        return _audit(query, re, reader)
    return _history(query, re, reader)


def _audit(query: ReadAudit, re: int, reader: Reader) -> messages.Audit:
    rows = reader.audit(query.before, query.count + 1)
    entries = tuple(
        messages.AuditEntry(
            number=row.number, at=row.at, by=row.by, action=row.action, fields=row.fields
        )
        for row in rows[: query.count]
    )
    return messages.Audit(re=re, entries=entries, more=len(rows) > query.count)


def _history(query: ReadHistory, re: int, reader: Reader) -> messages.HistoryPage:
    """Events in a row. The newest of them is nearest to what is asked for, if not all fit."""
    first, last, keep = _places(query, reader)
    found = _nearest(reader, query.room, first, last, keep) if first <= last else []
    events = _fitting(found, keep)
    if events:
        first, last = events[0].seq, events[-1].seq
    return messages.HistoryPage(
        re=re,
        room=query.room,
        events=tuple(map(_past, events)),
        upto=query.head,
        older=first > 1,
        newer=last < query.head,
    )


def _places(query: ReadHistory, reader: Reader) -> tuple[int, int, int]:
    """The first and the last place to read, and the one that must be among those that fit.

    If nothing is to be read, the last is the one before the first.
    """
    around = query.around
    if query.at is not None:
        around = reader.place_at(query.room, query.at)
    if query.after is not None:
        first = min(query.after, query.head) + 1
        return first, min(query.head, first + query.count - 1), first
    if around is None:
        last = min(query.head, (query.before or query.head + 1) - 1)
        return max(1, last + 1 - query.count), last, last
    if not query.head:
        return 1, 0, 1
    around = max(1, min(around, query.head))
    first = max(1, around - query.count // 2)
    last = min(query.head, first + query.count - 1)
    return max(1, last + 1 - query.count), last, around


def _nearest(reader: Reader, room: str, first: int, last: int, keep: int) -> list[Event]:
    """The events from `first` to `last`, from near `keep` to far, until there are too many to fit.

    In portions: 200 of the longest would take 40 times as long to read as those that fit, which a
    member could ask for over and over, with the interpreter's lock held.
    """
    events: list[Event] = []
    size, reach = 0, _FIRST_REACH
    low, high = keep, keep - 1
    while size <= limits.PAGE_HISTORY_BYTES and (low > first or high < last):
        below, above = max(first, keep - reach), min(last, keep + reach)
        earlier = reader.after(room, below - 1, low - below) if below < low else []
        later = reader.after(room, high, above - high) if high < above else []
        events = [*earlier, *events, *later]
        size += sum(_size(event) for event in (*earlier, *later))
        low, high = below, above
        reach += _FURTHER
    return events


def _fitting(events: list[Event], keep: int) -> list[Event]:
    """As many as PAGE_HISTORY_BYTES allows, consecutive, and around the place `keep`."""
    sizes = list(map(_size, events))
    total = sum(sizes)
    first, last = 0, len(events) - 1
    while total > limits.PAGE_HISTORY_BYTES and first < last:
        # Off the end that is farther away.
        if keep - events[first].seq >= events[last].seq - keep:
            total -= sizes[first]
            first += 1
        else:
            total -= sizes[last]
            last -= 1
    return events[first : last + 1]


def _size(event: Event) -> int:
    """Bytes of its body."""
    return len(body_json(event.body).encode())


def _past(event: Event) -> messages.PastEvent:
    return messages.PastEvent(
        seq=event.seq,
        kind=event.kind,
        sender=event.sender,
        sent_at=event.sent_at,
        cid=event.cid,
        body=dict(event.body),
    )
