"""Where a client is watched from: between it and its wire, and between it and its store."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from chat_client.cache.cache import Cache
from chat_client.cache.outbox import OutboxTable
from chat_client.state.controller import Controller
from common.protocol import messages
from common.protocol.codec import Arrival, ClientEnd, known_event
from common.protocol.events import Event
from tests.torture import record
from tests.torture.hooks import Points, wrap
from tests.torture.record import Recorder, condense, kept

Moderating = messages.MutePerson | messages.Unmute | messages.Ban | messages.Terminate
"""What a moderator asks for."""
_ANSWER: Final = re.compile(r" re ([A-Za-z0-9_-]{16})$")


class WatchedOutbox(OutboxTable):
    """Records what is about to be written."""

    def __init__(self, connection: sqlite3.Connection, recorder: Recorder) -> None:
        super().__init__(connection)
        self._recorder = recorder

    def add(self, room: str, cid: str, kind: str, body: Mapping[str, Any], written_at: int) -> None:
        """As the cache's."""
        text = body["text"]
        found = _ANSWER.search(text)
        answers = None if found is None else found[1]
        now = time.monotonic_ns()
        self._recorder.add(record.Wrote(now, room, cid, condense(text), answers))
        super().add(room, cid, kind, body, written_at)


class WatchedCache(Cache):
    """Records what is about to be written, and can die between applying and keeping."""

    def __init__(self, path: Path, recorder: Recorder, points: Points) -> None:
        self._recorder = recorder
        self._points = points
        super().__init__(path)
        self.positions = dict(self._positions)
        """Those of the life before."""
        self.epoch = self.meta("epoch")
        """The history they are of."""

    def _load(self) -> None:
        super()._load()
        self.outbox = WatchedOutbox(self._connection, self._recorder)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As the cache's."""
        with super().transaction():
            before = sum(self._positions.values())
            yield
            for _ in range(before, sum(self._positions.values())):
                self._points.reach("apply")


def listen_on_the_wire(recorder: Recorder) -> None:
    """Record what leaves and what arrives, before anything follows from it."""
    ordered: set[int] = set()

    def connected(original: Any, controller: Any, now: float) -> None:
        ordered.clear()
        recorder.add(record.Connected(time.monotonic_ns()))
        original(controller, now)

    def send(original: Any, end: ClientEnd, message: messages.ToServer) -> Any:
        if isinstance(message, Moderating):
            ordered.add(message.id)
        leaving = _LEAVING.get(type(message))
        if leaving is not None:
            recorder.add(leaving(message, time.monotonic_ns()))
        return original(end, message)

    def receive(original: Any, end: ClientEnd, data: bytes) -> Iterator[Arrival]:
        for message in original(end, data):
            arrived = _answered(message, ordered) or _arrived(message)
            if arrived is not None:
                recorder.add(arrived)
            yield message

    def drop(original: Any, controller: Any, cid: str) -> None:
        if not controller.is_in_flight(cid):  # Such a one can't be given up.
            recorder.add(record.Dropped(time.monotonic_ns(), cid))
            original(controller, cid)

    wrap(Controller, "connected", connected)
    wrap(Controller, "drop", drop)
    wrap(ClientEnd, "send", send)
    wrap(ClientEnd, "receive", receive)


def _order(command: Moderating, at: int) -> record.Ordered:
    fields = command.model_dump(exclude={"id", "type"}, exclude_none=True)
    about = command.username or ""
    return record.Ordered(at, command.id, command.type, fields, about)


def _page_asked(asked: messages.History, at: int) -> record.PageAsked:
    places = (asked.before, asked.around, asked.at)
    return record.PageAsked(at, asked.id, asked.room, *places)


def _paged(page: messages.HistoryPage, at: int) -> record.Paged:
    events = [
        kept(known_event(Event(page.room, it.seq, it.kind, it.sender, it.sent_at, it.cid, it.body)))
        for it in page.events
    ]
    return record.Paged(at, page.re, page.room, events, page.upto, page.older, page.newer)


def _answered(message: Arrival, ordered: set[int]) -> record.Answered | None:
    """The answer to an order, done or refused."""
    if not isinstance(message, messages.Done | messages.Error) or message.re not in ordered:
        return None
    code = message.code if isinstance(message, messages.Error) else ""
    return record.Answered(time.monotonic_ns(), message.re, code)


def _arrived(message: Arrival) -> record.Record | None:
    maker = _ARRIVALS.get(type(message))
    return None if maker is None else maker(message, time.monotonic_ns())


# What each function takes is its key's own type, which a mapping can't say: hence Any.
_LEAVING: Final[Mapping[type, Callable[[Any, int], record.Record]]] = {
    messages.Send: lambda it, at: record.Transmitted(at, it.cid),
    messages.Sync: lambda it, at: record.Asked(at, it.positions),
    messages.History: _page_asked,
    messages.MutePerson: _order,
    messages.Unmute: _order,
    messages.Ban: _order,
    messages.Terminate: _order,
}
_ARRIVALS: Final[Mapping[type, Callable[[Any, int], record.Record]]] = {
    messages.Welcome: lambda it, at: record.Welcomed(at, it.epoch),
    messages.SignedIn: lambda it, at: record.Admitted(at, it.session),
    messages.Synced: lambda it, at: record.Synced(at, it.heads, list(it.skipped)),
    messages.Ack: lambda it, at: record.Acked(at, it.room, it.seq, it.cid),
    messages.HistoryPage: _paged,
    Event: lambda it, at: record.Heard(at, kept(it)),
    messages.Goodbye: lambda it, at: record.Parted(at, it.code),
}
