"""What goes out: the hub's effects, carried out onto the connections' outboxes."""

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Final, assert_never

from chat_server.hub.queue import Report
from chat_server.net.connection import SEND_QUEUE_LIMIT, Connection, Stage
from chat_server.net.endpoints.frames import FramesEndpoint
from chat_server.net.presence_batch import PresenceBatch
from chat_server.rules import effects, inputs
from common.protocol.codec import LocalProtocolError
from common.protocol.messages import Error, Goodbye, Reply, ToClient

log = logging.getLogger(__name__)

WRITE_BUDGET: Final = 0.005
"""Seconds for writing what is said now, in each turn, and as much for all other writing."""
PRESENCE_FLUSH_INTERVAL: Final = 0.05
"""Seconds between two writes of nothing but who comes and goes, to those who are told of it.

In a crowd each newcomer would otherwise cost a write to everyone who is there already.
"""


class SendQueues:
    """The rooms' live connections, and what is written to whom. One I/O thread owns it."""

    def __init__(
        self, connections: Mapping[int, Connection], report: Report, endpoint: FramesEndpoint
    ) -> None:
        self._connections = connections
        self._report = report
        self._endpoint = endpoint
        self._accounts: dict[str, dict[int, Connection]] = {}
        """Those that are signed in, by username."""
        self._live: dict[str, dict[int, Connection]] = {}
        self._message_queue: dict[int, Connection] = {}
        """Those for whom something said now waits."""
        self._bulk_queue: dict[int, Connection] = {}
        """Those for whom anything else waits, in the order in which they are served."""
        self._presence_queue: dict[int, Connection] = {}
        """Those for whom only news of people wait; they are served from `_presence_flush_at` on."""
        self._presence_flush_at = 0.0
        self._presence: dict[str, PresenceBatch] = {}
        """What everyone is told whose client has a capability, or with "" everyone."""

    def due(self, now: float) -> Iterator[Connection]:
        """Those to be written to now: first what is said, then all else, each for a bounded time.

        So neither waits behind a crowd that catches up, nor does reading. Whoever has to wait keeps
        its place, and then gets all that came until then at once.
        """
        until = time.monotonic() + WRITE_BUDGET
        while self._message_queue:
            connection = self._message_queue.pop(next(iter(self._message_queue)))
            if connection.reports_drained:
                self._bulk_queue[connection.number] = connection
                continue
            yield connection
            if time.monotonic() >= until:
                break
        if self._presence_queue and now >= self._presence_flush_at:
            self._presence_flush_at = now + PRESENCE_FLUSH_INTERVAL
            later, self._presence_queue = self._presence_queue, {}
            self._bulk_queue |= later
        until = time.monotonic() + WRITE_BUDGET
        while self._bulk_queue:
            yield self._bulk_queue.pop(next(iter(self._bulk_queue)))
            if time.monotonic() >= until:
                break

    def writable(self, connection: Connection) -> None:
        """It can take more of what waits for it."""
        self._bulk_queue[connection.number] = connection

    def wait(self, now: float, longest: float) -> float:
        """Seconds until something has to be written, `longest` at most."""
        if self._message_queue or self._bulk_queue:
            return 0
        return (
            min(longest, max(0.0, self._presence_flush_at - now))
            if self._presence_queue
            else longest
        )

    def carry_out(self, effect: effects.IoEffect, now: float) -> None:
        """Do what the hub asks. What is for a connection that has gone is dropped."""
        match effect:
            case effects.Fanout():
                self._fan_out(effect, now)
            case effects.TellEveryone():
                news = self._presence.setdefault(effect.capability, PresenceBatch())
                news.add(self._endpoint.message(effect.message), effect.but)
            case effects.TellAccount():
                for connection in tuple(self._accounts.get(effect.username, {}).values()):
                    self._send(connection, effect.message, now)
            case _:
                its = self._connections.get(effect.connection)
                if its is not None and its.stage is Stage.OPEN:
                    self._to_one(its, effect, now)

    def _to_one(self, connection: Connection, effect: effects.ToOne, now: float) -> None:
        match effect:
            case effects.Admit():
                self._admit(connection, effect, now)
            case effects.Tell():
                self._tell(connection, effect.message, now)
            case effects.GoLive():
                self._go_live(connection, effect.room)
            case effects.WritePage():
                self._bring(connection, connection.pages.pop(effect.page), now)
            case effects.WriteEvents():
                self._bring(connection, self._endpoint.events(effect.events), now)
            case effects.Disconnect():
                self.disconnect(connection, effect.goodbye, now)
            case _:
                assert_never(effect)

    def flush_presence(self, now: float) -> None:
        """Put what everyone is told into the outboxes: once for each, however much it is.

        It comes after whatever else was carried out since the last time. That makes no difference:
        what is told of a person replaces what was told before.
        """
        news, self._presence = self._presence, {}
        # Who is new comes before whether they are online.
        for capability, told in sorted(news.items()):
            if not told:
                continue
            for connection in self._connections.values():
                if not connection.signed_in or capability not in {"", *connection.capabilities}:
                    continue
                if frames := told.of(connection.number):
                    self._enqueue_coalesced(connection, frames, now)

    def say(self, connection: Connection, frames: bytes, now: float) -> None:
        """Put frames into an outbox, to be written soon."""
        self._enqueue(connection, frames, now)
        self._bulk_queue[connection.number] = connection

    def _enqueue_coalesced(self, connection: Connection, frames: bytes, now: float) -> None:
        """Put frames into an outbox, to be written with what follows, or after a moment."""
        self._enqueue(connection, frames, now)
        self._presence_queue[connection.number] = connection

    def _enqueue(self, connection: Connection, frames: bytes, now: float) -> None:
        connection.enqueue(frames, now)
        # Replies are bounded by what a client may leave unanswered; this bounds the news of
        # people that come and go while a client reads nothing at all.
        if connection.waiting > 4 * SEND_QUEUE_LIMIT:
            self.disconnect(connection, Goodbye(code="too_slow", params={}), now)

    def disconnect(self, connection: Connection, goodbye: Goodbye, now: float) -> None:
        """Say goodbye after what waits already; nothing follows it."""
        if connection.stage is not Stage.OPEN:
            return
        log.debug("connection %d: goodbye, %s", connection.number, goodbye.code)
        connection.enqueue(connection.end.send(goodbye), now)
        connection.begin_closing(now)
        self._bulk_queue[connection.number] = connection
        self.forget(connection, goodbye.code)

    def forget(self, connection: Connection, why: str) -> None:
        """No more live events for it, and the hub knows."""
        for room in tuple(connection.live):
            self._not_live(connection, room)
        mine = self._accounts.get(connection.username, {})
        mine.pop(connection.number, None)
        if not mine:
            self._accounts.pop(connection.username, None)
        closed = inputs.Closed(connection.number, why)
        self._report.add(closed, unauthenticated=not connection.admitted)

    def _admit(self, connection: Connection, effect: effects.Admit, now: float) -> None:
        connection.admit(now)
        connection.username = effect.username
        self._accounts.setdefault(effect.username, {})[connection.number] = connection
        connection.capabilities = effect.capabilities
        for capability in ("", *effect.capabilities):
            self._presence.setdefault(capability, PresenceBatch()).begin(connection.number)

    def _tell(self, connection: Connection, message: ToClient, now: float) -> None:
        if isinstance(message, Reply) or (isinstance(message, Error) and message.re is not None):
            connection.unanswered -= 1
        self._send(connection, message, now)

    def _send(self, connection: Connection, message: ToClient, now: float) -> None:
        try:
            self.say(connection, connection.end.send(message), now)
        except LocalProtocolError:
            log.exception("a reply out of order to connection %d", connection.number)
            goodbye = Goodbye(code="internal", params={})
            self.disconnect(connection, goodbye, now)

    def _go_live(self, connection: Connection, room: str) -> None:
        self._live.setdefault(room, {})[connection.number] = connection
        connection.live.add(room)

    def _not_live(self, connection: Connection, room: str) -> None:
        """Nothing is kept for a room that nobody follows: there may be thousands."""
        connection.live.discard(room)
        live = self._live[room]
        del live[connection.number]
        if not live:
            del self._live[room]

    def _bring(self, connection: Connection, frames: bytes, now: float) -> None:
        connection.brought += 1
        connection.reports_drained = True
        self.say(connection, frames, now)

    def _fan_out(self, effect: effects.Fanout, now: float) -> None:
        """The same bytes object to everyone, but for those with messages of their own in it."""
        live = self._live.get(effect.room, {})
        batch = self._endpoint.batch(effect.events)
        joined = batch.joined
        room_left = SEND_QUEUE_LIMIT - len(joined)
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
            connection.reports_drained = True
            self._bulk_queue[connection.number] = connection
            self._report.add(inputs.FellBehind(connection.number, effect.room, effect.first - 1))
        for number, acks in effect.acks.items():
            sender = self._connections.get(number)
            if sender is None or sender.stage is not Stage.OPEN:
                continue
            sender.unanswered -= len(acks)
            self._enqueue(sender, batch.own(acks, live=number in live), now)
            self._message_queue[number] = sender
        # Without a message in it, it is people who come: a crowd of them is told of at once.
        if effect.acks:
            self._message_queue |= told
        else:
            self._presence_queue |= told
