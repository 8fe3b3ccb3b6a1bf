"""What goes out: the hub's effects are put into the connections' send queues, and when to flush."""

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
"""Time budget for writing new messages, in seconds per turn, and as much for all other writing."""
PRESENCE_FLUSH_INTERVAL: Final = 0.05
"""Minimum seconds between two writes that carry presence only (coalescing).

Without it, when n people connect at once, each costs a write to all before: n² / 2 system calls.
"""


class SendQueues:
    """The rooms' live connections, and three queues of connections to be written to.

    One I/O thread owns it.
    """

    def __init__(
        self, connections: Mapping[int, Connection], report: Report, endpoint: FramesEndpoint
    ) -> None:
        self._connections = connections
        self._report = report
        self._endpoint = endpoint
        self._accounts: dict[str, dict[int, Connection]] = {}
        """Connections that are signed in, by username."""
        self._live: dict[str, dict[int, Connection]] = {}
        self._message_queue: dict[int, Connection] = {}
        """Connections with new messages queued."""
        self._bulk_queue: dict[int, Connection] = {}
        """Connections with replies or pages queued, in round-robin order."""
        self._presence_queue: dict[int, Connection] = {}
        """Connections with presence queued only; flushed from `_presence_flush_at` on."""
        self._presence_flush_at = 0.0
        self._presence: dict[str, PresenceBatch] = {}
        """Pushes to everyone whose client has a capability, by its name; "" is for everyone."""

    def due(self, now: float) -> Iterator[Connection]:
        """Connections to write to now: first new messages, then all else, each within its budget.

        So neither messages nor reading wait behind many clients that catch up. A connection that is
        not reached keeps its place, and then gets everything queued for it in one write.
        """
        until = time.monotonic() + WRITE_BUDGET
        # By their keys, as each look for a dict's first one passes all that were deleted before it.
        for number in tuple(self._message_queue):
            connection = self._message_queue.pop(number)
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
        for number in tuple(self._bulk_queue):
            yield self._bulk_queue.pop(number)
            if time.monotonic() >= until:
                break

    def writable(self, connection: Connection) -> None:
        """Its socket is writable again: flush the rest of its send queue."""
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
        """Do what the hub asks. Effects for a connection that has ended are dropped."""
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
            case effects.MayWait():
                connection.may_wait(effect.seconds, now)
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
        """Put the gathered presence into the send queues: one piece for each connection.

        It follows whatever else was carried out in this turn. Reordering is safe, as each push
        about a person replaces the one before it.
        """
        news, self._presence = self._presence, {}
        # Sorted: "" tells of new accounts, and comes before who of them is online.
        for capability, told in sorted(news.items()):
            if not told:
                continue
            for connection in self._connections.values():
                if not connection.signed_in or capability not in {"", *connection.capabilities}:
                    continue
                if frames := told.of(connection.number):
                    self._enqueue_coalesced(connection, frames, now)

    def say(self, connection: Connection, frames: bytes, now: float) -> None:
        """Queue frames, to be written in this turn or the next."""
        self._enqueue(connection, frames, now)
        self._bulk_queue[connection.number] = connection

    def _enqueue_coalesced(self, connection: Connection, frames: bytes, now: float) -> None:
        """Queue frames, to be written with the next ones or after PRESENCE_FLUSH_INTERVAL."""
        self._enqueue(connection, frames, now)
        self._presence_queue[connection.number] = connection

    def _enqueue(self, connection: Connection, frames: bytes, now: float) -> None:
        connection.enqueue(frames, now)
        # Replies are bounded by UNANSWERED_LIMIT; this bounds the presence that is queued for a
        # client that reads nothing at all.
        if connection.waiting > 4 * SEND_QUEUE_LIMIT:
            self.disconnect(connection, Goodbye(code="too_slow", params={}), now)

    def disconnect(self, connection: Connection, goodbye: Goodbye, now: float) -> None:
        """Queue a goodbye after what is queued already; nothing is queued after it."""
        if connection.stage is not Stage.OPEN:
            return
        log.debug("connection %d: goodbye, %s", connection.number, goodbye.code)
        connection.enqueue(connection.end.send(goodbye), now)
        connection.begin_closing(now)
        self._bulk_queue[connection.number] = connection
        self.forget(connection, goodbye.code)

    def forget(self, connection: Connection, why: str) -> None:
        """End its live delivery and tell the hub that it closed. `why` is a code."""
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
        """Also forgets a room that nobody follows any more: there may be thousands."""
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
        """Queue a batch of a room's events to its live members.

        All get the same bytes object, so a fan-out to 1,000 costs no copy; only who sent some of
        the events gets bytes of its own, with acknowledgements in their places.
        """
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
        # Without a message in it, it is joins: those are coalesced as presence is.
        if effect.acks:
            self._message_queue |= told
        else:
            self._presence_queue |= told
