"""The checker: decides from a run's records whether every promise of the delivery was kept.

It does no I/O but reading records, of which it keeps little: a long run has millions. The log is
compared with what was written and acknowledged here; what arrived and what was shown is judged
in `views`. Each of the server's histories is judged by itself: what was acknowledged in one that
a restored backup ended is in that one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from tests.torture.copies import Copy
from tests.torture.epochs import Epoch, Key
from tests.torture.history import Client, History, Kind, Violation
from tests.torture.moderation import check_moderation
from tests.torture.pages import Pages
from tests.torture.record import Acked, Applied, Dropped, Kept, Paged, Record, Refused, Wrote
from tests.torture.views import View, Wire, check_store


class Judge(Protocol):
    """Sees all records of one client in their order."""

    def take(self, record: Record) -> Iterable[Violation]:
        """What is wrong with the next one."""

    def finish(self) -> Iterable[Violation]:
        """What is wrong now that there are no more."""


def check(history: History) -> list[Violation]:
    """Every broken promise; none if the run was right."""
    written: dict[Key, tuple[str, str]] = {}
    violations: list[Violation] = []
    for client in history.clients:
        judges: list[Judge] = [
            Acks(client, history),
            Outbox(client, history),
            Order(client, history),
            Wire(client, history),
            View(client, history),
            Pages(client, history),
        ]
        for record in client.records:
            if isinstance(record, Wrote):
                written[client.person, record.cid] = (record.room, record.text)
            for judge in judges:
                violations += judge.take(record)
        for judge in judges:
            violations += judge.finish()
        violations += check_store(client, history)
    for epoch in history.epochs:
        violations += check_log(epoch, written)
    violations += check_moderation(history)
    return violations


def check_log(epoch: Epoch, written: Mapping[Key, tuple[str, str]]) -> Iterator[Violation]:
    """No gaps, nothing twice, and nothing that was not sent just so."""
    heads: dict[str, int] = dict(epoch.base)
    said: set[Key] = set()
    joined: set[tuple[str, str]] = set()
    for event in epoch.tail():
        for seq in range(heads.get(event.room, 0) + 1, event.seq):
            yield Violation(Kind.GAP_IN_LOG, "", event.room, seq)
        heads[event.room] = event.seq
        if event.kind == "join":
            if (event.room, event.sender) in joined:
                yield Violation(Kind.DUPLICATE, event.sender, event.room, event.seq, "a join")
            joined.add((event.room, event.sender))
            continue
        key = (event.sender, event.cid)
        if key in said or epoch.place(key) != event:
            yield Violation(Kind.DUPLICATE, event.sender, event.room, event.seq, key[1])
        said.add(key)
        if written.get(key) != (event.room, event.text):
            yield Violation(Kind.NOT_SENT, event.sender, event.room, event.seq, event.text[:60])


class Acks:
    """Acknowledged is in the log, where the acknowledgement said."""

    def __init__(self, client: Client, history: History) -> None:
        self._client = client
        self._history = history
        self._copy = Copy()

    def take(self, record: Record) -> Iterator[Violation]:
        """As a Judge."""
        self._copy.take(record)
        epoch = self._history.epoch(self._copy.server) if isinstance(record, Acked) else None
        if epoch is None or not isinstance(record, Acked):
            return  # That the server said a name it never had is found elsewhere.
        event = epoch.place((self._client.person, record.cid))
        device = self._client.device
        if event is None:
            yield Violation(Kind.ACK_LOST, device, record.room, record.seq, record.cid)
        elif (event.room, event.seq) != (record.room, record.seq):
            where = f"it is at {event.room}/{event.seq}"
            yield Violation(Kind.ACK_MOVED, device, record.room, record.seq, where)

    def finish(self) -> Iterator[Violation]:
        """As a Judge."""
        return iter(())


class Outbox:
    """What was kept is in the log in the end, unless the person gave it up.

    Or a restored backup took it: of what a former history had acknowledged, that is the way of
    things. What was still under way when the backup was restored must be in the log after it.
    """

    def __init__(self, client: Client, history: History) -> None:
        self._client = client
        self._history = history
        self._last = history.last
        self._copy = Copy()
        self._kept: set[str] = set()
        self._accounted: set[str] = set()

    def take(self, record: Record) -> Iterator[Violation]:
        """As a Judge."""
        self._copy.take(record)
        match record:
            case Kept(cid=cid):
                self._kept.add(cid)
            case Dropped(cid=cid):
                self._accounted.add(cid)
            case Acked(cid=cid) if self._copy.server != self._last.name:
                self._accounted.add(cid)
            case Applied(event=event) if self._copy.of != self._last.name:
                if event.sender == self._client.person and event.is_message:
                    self._accounted.add(event.cid)
            case Paged(events=events) if self._copy.of != self._last.name:
                own = (it for it in events if it.sender == self._client.person)
                self._accounted.update(event.cid for event in own if event.is_message)
            case Refused(cid=cid, reason="muted"):
                self._accounted.add(cid)  # Whether that was right is judged elsewhere, too.
                server = self._history.epoch(self._copy.server)
                if server is not None and server.place((self._client.person, cid)) is not None:
                    detail = f"{cid} is stored, and was refused"
                    yield Violation(Kind.NOT_DELIVERED, self._client.device, detail=detail)
            case Refused(reason=reason):
                yield Violation(Kind.NOT_DELIVERED, self._client.device, detail=reason)
            case _:
                pass

    def finish(self) -> Iterator[Violation]:
        """As a Judge."""
        waiting = set(self._client.store.waiting)
        refused = self._client.store.refused
        self._accounted.update(cid for cid, code in refused.items() if code == "muted")
        for cid in sorted(self._kept - self._accounted - waiting):
            if self._last.place((self._client.person, cid)) is None:
                yield Violation(Kind.LOST, self._client.device, detail=cid)
        for cid in sorted(waiting):
            yield Violation(Kind.NOT_DELIVERED, self._client.device, detail=f"{cid} waits")


class Order:
    """A device's messages in a room are in the order they were written, answers after causes."""

    def __init__(self, client: Client, history: History) -> None:
        self._client = client
        self._history = history
        self._copy = Copy()
        self._seen: dict[str, str] = {}
        """Of other people: the senders of what the person has been shown, by cid."""
        self._written: list[str] = []
        self._causes: dict[str, tuple[Key, str | None]] = {}
        """What an answer answers, and in which history that was seen."""

    def take(self, record: Record) -> Iterator[Violation]:
        """As a Judge."""
        before = self._copy.of
        self._copy.take(record)
        if self._copy.of != before:
            self._seen.clear()
        match record:
            case Applied(event=event) if event.is_message:
                self._seen[event.cid] = event.sender
            case Wrote():
                self._written.append(record.cid)
                sender = self._seen.get(record.answers or "")
                if record.answers is not None and sender is not None:
                    self._causes[record.cid] = ((sender, record.answers), self._copy.of)
            case _:
                pass
        return iter(())

    def finish(self) -> Iterator[Violation]:
        """As a Judge."""
        for epoch in self._history.epochs:
            yield from self._judge(epoch)

    def _judge(self, epoch: Epoch) -> Iterator[Violation]:
        device = self._client.device
        last: dict[str, int] = {}
        for cid in self._written:
            event = epoch.place((self._client.person, cid))
            if event is None:
                continue
            room, seq = event.room, event.seq
            before = last.get(room, 0)
            if seq < before:
                detail = f"written after the one at {before}"
                yield Violation(Kind.DEVICE_ORDER, device, room, seq, detail)
            last[room] = max(seq, before)
            key, seen_in = self._causes.get(cid, (("", ""), None))
            # A backup may have taken the cause, which then came again after its answer.
            cause = epoch.place(key) if seen_in == epoch.name else None
            if cause is not None and cause.room == room and cause.seq >= seq:
                detail = f"answers {cause.seq}"
                yield Violation(Kind.EFFECT_BEFORE_CAUSE, device, room, seq, detail)
