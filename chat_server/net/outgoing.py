"""What goes out: the hub's effects, carried out onto the connections' outboxes."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, assert_never

from chat_server.hub.queue import Report
from chat_server.net.connection import OUTBOX_LIMIT, Connection, Stage
from chat_server.net.news import News
from chat_server.rules import effects, inputs
from common.messages import Error, Goodbye, Reply
from common.protocol import LocalProtocolError, encode

log = logging.getLogger(__name__)

WRITE_FOR: Final = 0.005
"""Seconds for writing what is said now, in each turn, and as much for all other writing."""
COMINGS_PAUSE: Final = 0.05
"""Seconds between two writes of nothing but who comes and goes, to those who are told of it.

In a crowd each newcomer would otherwise cost a write to everyone who is there already.
"""


class Outgoing:
    """The rooms' live connections, and what is written to whom. One I/O thread owns it."""

    def __init__(self, connections: Mapping[int, Connection], report: Report) -> None:
        self._connections = connections
        self._report = report
        self._live: dict[str, dict[int, Connection]] = {}
        self._prompt: dict[int, Connection] = {}
        """Those for whom something said now waits."""
        self._others: dict[int, Connection] = {}
        """Those for whom anything else waits, in the order in which they are served."""
        self._later: dict[int, Connection] = {}
        """Those for whom only news of people wait; they are served from `_later_at` on."""
        self._later_at = 0.0
        self._news: dict[str, News] = {}
        """What everyone is told whose client has a capability, or with "" everyone."""

    def due(self, now: float) -> Iterator[Connection]:
        """Those to be written to now: first what is said, then all else, each for a bounded time.

        So neither waits behind a crowd that catches up, nor does reading. Whoever has to wait keeps
        its place, and then gets all that came until then at once.
        """
        until = time.monotonic() + WRITE_FOR
        while self._prompt:
            connection = self._prompt.pop(next(iter(self._prompt)))
            if connection.wants_drained:
                self._others[connection.number] = connection
                continue
            yield connection
            if time.monotonic() >= until:
                break
        if self._later and now >= self._later_at:
            self._later_at = now + COMINGS_PAUSE
            later, self._later = self._later, {}
            self._others |= later
        until = time.monotonic() + WRITE_FOR
        while self._others:
            yield self._others.pop(next(iter(self._others)))
            if time.monotonic() >= until:
                break

    def writable(self, connection: Connection) -> None:
        """It can take more of what waits for it."""
        self._others[connection.number] = connection

    def wait(self, now: float, longest: float) -> float:
        """Seconds until something has to be written, `longest` at most."""
        if self._prompt or self._others:
            return 0
        return min(longest, max(0.0, self._later_at - now)) if self._later else longest

    def carry_out(self, effect: effects.IoEffect, now: float) -> None:
        """Do what the hub asks. What is for a connection that has gone is dropped."""
        match effect:
            case effects.Fanout():
                self._fan_out(effect, now)
            case effects.TellEveryone():
                news = self._news.setdefault(effect.capability, News())
                news.add(encode(effect.message), effect.but)
            case effects.Admit():
                self._on(effect, self._admit, now)
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
        news, self._news = self._news, {}
        # Who is new comes before whether they are online.
        for capability, told in sorted(news.items()):
            if not told:
                continue
            for connection in self._connections.values():
                if not connection.signed_in or capability not in {"", *connection.capabilities}:
                    continue
                if frames := told.of(connection.number):
                    self._say_later(connection, frames, now)

    def say(self, connection: Connection, frames: bytes, now: float) -> None:
        """Put frames into an outbox, to be written soon."""
        self._put(connection, frames, now)
        self._others[connection.number] = connection

    def _say_later(self, connection: Connection, frames: bytes, now: float) -> None:
        """Put frames into an outbox, to be written with what follows, or after a moment."""
        self._put(connection, frames, now)
        self._later[connection.number] = connection

    def _put(self, connection: Connection, frames: bytes, now: float) -> None:
        connection.enqueue(frames, now)
        # Replies are bounded by what a client may leave unanswered; this bounds the news of
        # people that come and go while a client reads nothing at all.
        if connection.waiting > 4 * OUTBOX_LIMIT:
            self.hang_up(connection, Goodbye(code="too_slow", params={}), now)

    def hang_up(self, connection: Connection, goodbye: Goodbye, now: float) -> None:
        """Say goodbye after what waits already; nothing follows it."""
        if connection.stage is not Stage.OPEN:
            return
        log.debug("connection %d: goodbye, %s", connection.number, goodbye.code)
        connection.enqueue(connection.end.send(goodbye), now)
        connection.last_words(now)
        self._others[connection.number] = connection
        self.forget(connection, goodbye.code)

    def forget(self, connection: Connection, why: str) -> None:
        """No more live events for it, and the hub knows."""
        for room in tuple(connection.live):
            self._not_live(connection, room)
        closed = inputs.Closed(connection.number, why)
        self._report.add(closed, newcomer=not connection.admitted)

    def _on(
        self,
        effect: effects.Admit | effects.Tell | effects.GoLive | effects.WritePage | effects.HangUp,
        action: Callable[[Connection, Any, float], None],
        now: float,
    ) -> None:
        connection = self._connections.get(effect.connection)
        if connection is not None and connection.stage is Stage.OPEN:
            action(connection, effect, now)

    def _admit(self, connection: Connection, effect: effects.Admit, now: float) -> None:
        connection.admit(now)
        connection.capabilities = effect.capabilities
        for capability in ("", *effect.capabilities):
            self._news.setdefault(capability, News()).begin(connection.number)

    def _tell(self, connection: Connection, effect: effects.Tell, now: float) -> None:
        message = effect.message
        if isinstance(message, Reply) or (isinstance(message, Error) and message.re is not None):
            connection.unanswered -= 1
        try:
            self.say(connection, connection.end.send(message), now)
        except LocalProtocolError:
            log.exception("a reply out of order to connection %d", connection.number)
            goodbye = Goodbye(code="internal", params={})
            self.hang_up(connection, goodbye, now)

    def _go_live(self, connection: Connection, effect: effects.GoLive, _now: float) -> None:
        self._live.setdefault(effect.room, {})[connection.number] = connection
        connection.live.add(effect.room)

    def _not_live(self, connection: Connection, room: str) -> None:
        """Nothing is kept for a room that nobody follows: there may be thousands."""
        connection.live.discard(room)
        live = self._live[room]
        del live[connection.number]
        if not live:
            del self._live[room]

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
        told: dict[int, Connection] = {}
        behind: list[Connection] = []
        for number, connection in live.items():
            if connection.waiting > room_left:
                behind.append(connection)
            elif number not in effect.acks:
                connection.enqueue(joined, now)
                told[number] = connection
        for connection in behind:
            self._not_live(connection, effect.room)
            connection.wants_drained = True
            self._others[connection.number] = connection
            self._report.add(inputs.FellBehind(connection.number, effect.room, effect.first - 1))
        for number, acks in effect.acks.items():
            sender = self._connections.get(number)
            if sender is None or sender.stage is not Stage.OPEN:
                continue
            sender.unanswered -= len(acks)
            self._put(sender, _own_stream(effect.frames, acks, live=number in live), now)
            self._prompt[number] = sender
        # Without a message in it, it is people who come: a crowd of them is told of at once.
        if effect.acks:
            self._prompt |= told
        else:
            self._later |= told


def _own_stream(frames: tuple[bytes, ...], acks: Mapping[int, bytes], *, live: bool) -> bytes:
    """What the sender of some of the frames gets: acknowledgements in their places.

    A sender that is not live in the room gets the others' events from the log in their time.
    """
    if not live:
        return b"".join(acks.values())
    return b"".join(acks.get(place, frame) for place, frame in enumerate(frames))
