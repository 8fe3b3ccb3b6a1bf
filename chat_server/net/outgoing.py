"""What goes out: the hub's effects, carried out onto the connections' outboxes."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, assert_never

from chat_server.hub_queue import Report
from chat_server.net.connection import OUTBOX_LIMIT, Connection, Stage
from chat_server.rules import effects, inputs
from common.messages import Error, Goodbye, Reply, SignedIn
from common.protocol import LocalProtocolError, encode

log = logging.getLogger(__name__)

COMINGS_PAUSE: Final = 0.05
"""Seconds between two writes of nothing but who comes and goes, to those who are told of it.

In a crowd each newcomer would otherwise cost a write to everyone who is there already.
"""
BULK: Final = 32 * 1024
"""Bytes: for whom more than this waits has to let others go first."""
BULK_FOR: Final = 0.005
"""Seconds for such writing in each turn."""


class Outgoing:
    """The rooms' live connections, and what is written to whom. One I/O thread owns it."""

    def __init__(self, connections: Mapping[int, Connection], report: Report) -> None:
        self._connections = connections
        self._report = report
        self._live: dict[str, dict[int, Connection]] = {}
        self._dirty: dict[int, Connection] = {}
        self._later: dict[int, Connection] = {}
        self._later_at = 0.0
        self._bulk: dict[int, Connection] = {}
        self._news: list[tuple[bytes, int | None]] = []

    def due(self, now: float) -> Iterator[Connection]:
        """Those to be written to now: first for whom little waits, then others for a bounded time.

        So what is said now does not wait behind the pages of a crowd that catches up.
        """
        dirty, self._dirty = self._dirty, {}
        if self._later and now >= self._later_at:
            self._later_at = now + COMINGS_PAUSE
            later, self._later = self._later, {}
            dirty |= later
        for connection in dirty.values():
            if connection.waiting > BULK:
                self._bulk[connection.number] = connection
            else:
                yield connection
        until = time.monotonic() + BULK_FOR
        while self._bulk:
            yield self._bulk.pop(next(iter(self._bulk)))
            if time.monotonic() >= until:
                break

    def writable(self, connection: Connection) -> None:
        """It can take more of what waits for it."""
        self._dirty[connection.number] = connection

    def wait(self, now: float, longest: float) -> float:
        """Seconds until something has to be written, `longest` at most."""
        if self._bulk:
            return 0
        return min(longest, max(0.0, self._later_at - now)) if self._later else longest

    def carry_out(self, effect: effects.IoEffect, now: float) -> None:
        """Do what the hub asks. What is for a connection that has gone is dropped."""
        match effect:
            case effects.Fanout():
                self._fan_out(effect, now)
            case effects.TellEveryone():
                self._news.append((encode(effect.message), effect.but))
            case effects.Tell():
                self._on(effect, self._tell, now)
            case effects.GoLive():
                self._on(effect, self._go_live, now)
            case effects.WritePage():
                self._on(effect, self._write_page, now)
            case effects.HangUp():
                self._on(effect, self._end, now)
            case _:
                assert_never(effect)

    def spread_news(self, now: float) -> None:
        """Put what everyone is told into the outboxes: once for each, however much it is.

        It comes after whatever else was carried out since the last time. That makes no difference:
        what is told of a person replaces what was told before.
        """
        if not self._news:
            return
        news, self._news = self._news, []
        everything = b"".join(frame for frame, _ in news)
        without = {number for _, number in news if number is not None}
        for connection in self._connections.values():
            if not connection.signed_in:
                continue
            number = connection.number
            if number in without:
                frames = b"".join(frame for frame, but in news if but != number)
            else:
                frames = everything
            if frames:
                self._say_later(connection, frames, now)

    def say(self, connection: Connection, frames: bytes, now: float) -> None:
        """Put frames into an outbox, to be written at once."""
        self._put(connection, frames, now)
        self._dirty[connection.number] = connection

    def _say_later(self, connection: Connection, frames: bytes, now: float) -> None:
        """Put frames into an outbox, to be written with what follows, or after a moment."""
        self._put(connection, frames, now)
        self._later[connection.number] = connection

    def _put(self, connection: Connection, frames: bytes, now: float) -> None:
        connection.enqueue(frames, now)
        # Replies are bounded by what a client may leave unanswered; this bounds the news of
        # people that come and go while a client reads nothing at all.
        if connection.waiting > 4 * OUTBOX_LIMIT:
            self.hang_up(connection, Goodbye(code="too_slow", reason="Too much waited."), now)

    def hang_up(self, connection: Connection, goodbye: Goodbye, now: float) -> None:
        """Say goodbye after what waits already; nothing follows it."""
        if connection.stage is not Stage.OPEN:
            return
        connection.enqueue(connection.end.send(goodbye), now)
        connection.last_words(now)
        self._dirty[connection.number] = connection
        self.forget(connection, goodbye.code.replace("_", " "))

    def forget(self, connection: Connection, why: str) -> None:
        """No more live events for it, and the hub knows."""
        for live in self._live.values():
            live.pop(connection.number, None)
        closed = inputs.Closed(connection.number, why)
        self._report.add(closed, newcomer=not connection.admitted)

    def _on(
        self,
        effect: effects.Tell | effects.GoLive | effects.WritePage | effects.HangUp,
        action: Callable[[Connection, Any, float], None],
        now: float,
    ) -> None:
        connection = self._connections.get(effect.connection)
        if connection is not None and connection.stage is Stage.OPEN:
            action(connection, effect, now)

    def _tell(self, connection: Connection, effect: effects.Tell, now: float) -> None:
        message = effect.message
        if isinstance(message, Reply) or (isinstance(message, Error) and message.re is not None):
            connection.unanswered -= 1
        if isinstance(message, SignedIn):
            self.spread_news(now)  # what is older than this is none to it
            connection.admitted = True
        try:
            self.say(connection, connection.end.send(message), now)
        except LocalProtocolError:
            log.exception("a reply out of order to connection %d", connection.number)
            goodbye = Goodbye(code="internal", reason="The server made a mistake.")
            self.hang_up(connection, goodbye, now)

    def _go_live(self, connection: Connection, effect: effects.GoLive, _now: float) -> None:
        self._live.setdefault(effect.room, {})[connection.number] = connection

    def _write_page(self, connection: Connection, effect: effects.WritePage, now: float) -> None:
        connection.wants_drained = True
        self.say(connection, effect.frames, now)

    def _end(self, connection: Connection, effect: effects.HangUp, now: float) -> None:
        self.hang_up(connection, effect.goodbye, now)

    def _fan_out(self, effect: effects.Fanout, now: float) -> None:
        """The same bytes object to everyone, but for those with messages of their own in it."""
        live = self._live.get(effect.room, {})
        joined = b"".join(effect.frames)
        room_left = OUTBOX_LIMIT - len(joined)
        # Without a message in it, it is people who come: a crowd of them is told of at once.
        written = self._dirty if effect.acks else self._later
        behind: list[Connection] = []
        for number, connection in live.items():
            if connection.waiting > room_left:
                behind.append(connection)
            elif number not in effect.acks:
                connection.enqueue(joined, now)
                written[number] = connection
        for connection in behind:
            del live[connection.number]
            connection.wants_drained = True
            self._dirty[connection.number] = connection
            self._report.add(inputs.FellBehind(connection.number, effect.room, effect.first - 1))
        for number, acks in effect.acks.items():
            sender = self._connections.get(number)
            if sender is None or sender.stage is not Stage.OPEN:
                continue
            sender.unanswered -= len(acks)
            self.say(sender, _own_stream(effect.frames, acks, live=number in live), now)


def _own_stream(frames: tuple[bytes, ...], acks: Mapping[int, bytes], *, live: bool) -> bytes:
    """What the sender of some of the frames gets: acknowledgements in their places.

    A sender that is not live in the room gets the others' events from the log in their time.
    """
    if not live:
        return b"".join(acks.values())
    return b"".join(acks.get(place, frame) for place, frame in enumerate(frames))
