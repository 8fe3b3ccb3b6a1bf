"""What goes out: the hub's effects, carried out onto the connections' outboxes."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, assert_never

from chat_server.hub_queue import HubQueue
from chat_server.net.connection import OUTBOX_LIMIT, Connection, Stage
from chat_server.rules import effects, inputs
from common.messages import Error, Goodbye, Reply
from common.protocol import LocalProtocolError, encode

log = logging.getLogger(__name__)


class Outgoing:
    """The rooms' live connections, and what is written to whom. One I/O thread owns it."""

    def __init__(self, connections: Mapping[int, Connection], hub: HubQueue) -> None:
        self._connections = connections
        self._hub = hub
        self._live: dict[str, dict[int, Connection]] = {}
        self._dirty: dict[int, Connection] = {}

    def take_dirty(self) -> list[Connection]:
        """The connections whose outboxes grew since the last time."""
        dirty, self._dirty = self._dirty, {}
        return list(dirty.values())

    def carry_out(self, effect: effects.IoEffect, now: float) -> None:
        """Do what the hub asks. What is for a connection that has gone is dropped."""
        match effect:
            case effects.Fanout():
                self._fan_out(effect, now)
            case effects.TellEveryone():
                frame = encode(effect.message)
                for connection in self._connections.values():
                    if connection.signed_in and connection.number != effect.but:
                        self.say(connection, frame, now)
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

    def say(self, connection: Connection, frames: bytes, now: float) -> None:
        """Put frames into an outbox."""
        connection.enqueue(frames, now)
        self._dirty[connection.number] = connection
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
        self._hub.post(inputs.Closed(connection.number, why))

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
        behind: list[Connection] = []
        for number, connection in live.items():
            if connection.waiting + len(joined) > OUTBOX_LIMIT:
                behind.append(connection)
            elif number not in effect.acks:
                self.say(connection, joined, now)
        for connection in behind:
            del live[connection.number]
            connection.wants_drained = True
            self._dirty[connection.number] = connection
            self._hub.post(inputs.FellBehind(connection.number, effect.room, effect.first - 1))
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
