"""Where a client is watched from: between it and its wire, and between it and its store."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from chat_client.cache.cache import Cache
from chat_client.state.controller import Controller
from chat_client.state.event import Event, KeptEvent
from common import messages
from common.protocol import ClientEnd
from tests.torture import record
from tests.torture.hooks import Points, wrap
from tests.torture.record import Recorder

_ANSWER: Final = re.compile(r" re ([0-9a-f]{32})$")


def kept(event: Event) -> KeptEvent:
    """The event as it is compared."""
    return KeptEvent(
        event.room, event.seq, event.kind, event.sender, event.text, event.sent_at, event.cid
    )


class WatchedCache(Cache):
    """Records what is about to be written, and can die between applying and keeping."""

    def __init__(self, path: Path, recorder: Recorder, points: Points) -> None:
        super().__init__(path)
        self._recorder = recorder
        self._points = points
        self.positions = dict(self._positions)
        """Those of the life before."""

    def put_out(self, room: str, cid: str, text: str, written_at: int) -> None:
        """As the cache's."""
        found = _ANSWER.search(text)
        answers = None if found is None else found[1]
        self._recorder.add(record.Wrote(time.monotonic_ns(), room, cid, text, answers))
        super().put_out(room, cid, text, written_at)

    def add_event(self, event: Event) -> None:
        """As the cache's."""
        super().add_event(event)
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

    def receive(original: Any, end: ClientEnd, data: bytes) -> Iterator[messages.ToClient]:
        for message in original(end, data):
            arrived = _arrived(message)
            if arrived is not None:
                recorder.add(arrived)
            yield message

    def drop(original: Any, controller: Any, cid: str) -> None:
        if cid != controller._in_flight:  # Such a one can't be given up.
            recorder.add(record.Dropped(time.monotonic_ns(), cid))
            original(controller, cid)

    wrap(Controller, "connected", connected)
    wrap(Controller, "drop", drop)
    wrap(ClientEnd, "send", send)
    wrap(ClientEnd, "receive", receive)


def _arrived(message: messages.ToClient) -> record.Record | None:
    at = time.monotonic_ns()
    match message:
        case messages.Welcome():
            return record.Welcomed(at, message.epoch)
        case messages.Ack():
            return record.Acked(at, message.room, message.seq, message.cid)
        case messages.Event():
            return record.Heard(at, kept(message))
        case messages.Goodbye():
            return record.Parted(at, message.code)
        case _:
            return None
