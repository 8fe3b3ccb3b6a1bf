"""Where a client is watched from: between it and its wire, and between it and its store."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from chat_client.cache.cache import Cache
from chat_client.state.controller import Controller
from common import messages
from common.events import Event
from common.protocol import Arrival, ClientEnd
from tests.torture import record
from tests.torture.hooks import Points, wrap
from tests.torture.record import Recorder, condense, kept

_ANSWER: Final = re.compile(r" re ([A-Za-z0-9_-]{16})$")


class WatchedCache(Cache):
    """Records what is about to be written, and can die between applying and keeping."""

    def __init__(self, path: Path, recorder: Recorder, points: Points) -> None:
        super().__init__(path)
        self._recorder = recorder
        self._points = points
        self.positions = dict(self._positions)
        """Those of the life before."""
        self.epoch = self.meta("epoch")
        """The history they are of."""

    def put_out(self, room: str, cid: str, text: str, written_at: int) -> None:
        """As the cache's."""
        found = _ANSWER.search(text)
        answers = None if found is None else found[1]
        now = time.monotonic_ns()
        self._recorder.add(record.Wrote(now, room, cid, condense(text), answers))
        super().put_out(room, cid, text, written_at)

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

    def connected(original: Any, controller: Any, now: float) -> None:
        recorder.add(record.Connected(time.monotonic_ns()))
        original(controller, now)

    def send(original: Any, end: ClientEnd, message: messages.ToServer) -> Any:
        match message:
            case messages.Send():
                recorder.add(record.Transmitted(time.monotonic_ns(), message.cid))
            case messages.Sync():
                recorder.add(record.Asked(time.monotonic_ns(), message.positions))
            case _:
                pass
        return original(end, message)

    def receive(original: Any, end: ClientEnd, data: bytes) -> Iterator[Arrival]:
        for message in original(end, data):
            arrived = _arrived(message)
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


def _arrived(message: Arrival) -> record.Record | None:
    maker = _ARRIVALS.get(type(message))
    return None if maker is None else maker(message, time.monotonic_ns())


# What each function takes is its key's own type, which a mapping can't say: hence Any.
_ARRIVALS: Final[Mapping[type, Callable[[Any, int], record.Record]]] = {
    messages.Welcome: lambda it, at: record.Welcomed(at, it.epoch),
    messages.SignedIn: lambda it, at: record.Admitted(at, it.session),
    messages.Synced: lambda it, at: record.Synced(at, it.heads),
    messages.Ack: lambda it, at: record.Acked(at, it.room, it.seq, it.cid),
    Event: lambda it, at: record.Heard(at, kept(it)),
    messages.Goodbye: lambda it, at: record.Parted(at, it.code),
}
