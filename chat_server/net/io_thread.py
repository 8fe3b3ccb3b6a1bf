"""The I/O thread: its connections' sockets, and the fan-out of what the hub published."""

import contextlib
import logging
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, assert_never

from chat_server.hub_queue import HubQueue, Received
from chat_server.net.connection import LOW_WATER, OUTBOX_LIMIT, Connection, Stage
from chat_server.net.wake import Waker
from chat_server.rules import effects, inputs
from common.messages import Error, Goodbye, Reply, ToServer
from common.protocol import LocalProtocolError, Violation, encode

log = logging.getLogger(__name__)

HANDSHAKES_AT_ONCE: Final = 2
"""Handshake steps for each wake-up: each costs about a millisecond that others would wait."""
STOP_DEADLINE: Final = 5.0
TICK: Final = 0.5


class IoThread:
    """Owns its connections; gets effects from the hub, gives it what arrived."""

    def __init__(self, index: int, hub: HubQueue, context: ssl.SSLContext | None) -> None:
        self._hub = hub
        self._context = context
        self._selector = selectors.DefaultSelector()
        self._waker = Waker()
        self._selector.register(self._waker.receiver, selectors.EVENT_READ)
        self._inbox: deque[list[effects.IoEffect] | tuple[int, socket.socket, str]] = deque()
        self._connections: dict[int, Connection] = {}
        self._live: dict[str, dict[int, Connection]] = {}
        self._handshakes: dict[int, Connection] = {}
        self._unread: dict[int, Connection] = {}
        self._dirty: dict[int, Connection] = {}
        self._stop_at: float | None = None
        self._next_tick = 0.0
        self._thread = threading.Thread(target=self._run, name=f"io-{index}")

    # From other threads

    def start(self) -> None:
        """Start serving."""
        self._thread.start()

    def adopt(self, number: int, sock: socket.socket, address: str) -> None:
        """A new connection, not yet shaken hands with. From the acceptor."""
        self._inbox.append((number, sock, address))
        self._waker.wake()

    def post(self, batch: list[effects.IoEffect]) -> None:
        """Effects to carry out in their order. From the hub."""
        self._inbox.append(batch)
        self._waker.wake()

    def stop(self) -> None:
        """Write what waits, within STOP_DEADLINE seconds, then close everything and return."""
        if self._thread.is_alive():
            self._stop_at = time.monotonic() + STOP_DEADLINE
            self._waker.wake()
            self._thread.join()

    # The thread itself

    def _run(self) -> None:
        try:
            while not self._finished():
                self._turn()
        finally:
            for connection in tuple(self._connections.values()):
                self._drop(connection, "the server closed")
            self._selector.close()
            self._waker.close()

    def _finished(self) -> bool:
        if self._stop_at is None or self._inbox:
            return False
        if time.monotonic() > self._stop_at:
            return True
        return all(c.stage is Stage.HANDSHAKE for c in self._connections.values())

    def _turn(self) -> None:
        busy = bool(self._handshakes or self._unread)
        ready = self._selector.select(0 if busy else TICK)
        now = time.monotonic()
        again, self._unread = self._unread, {}
        for key, mask in ready:
            connection: Connection | None = key.data
            if connection is None:
                self._waker.clear()
            elif connection.stage is Stage.HANDSHAKE:
                self._handshakes[connection.number] = connection
            else:
                if mask & selectors.EVENT_WRITE:
                    self._dirty[connection.number] = connection
                if mask & selectors.EVENT_READ:
                    again[connection.number] = connection
        for connection in again.values():
            self._guard(connection, self._read, now)
        self._shake_hands(now)
        while self._inbox:
            self._take(self._inbox.popleft(), now)
        dirty, self._dirty = self._dirty, {}
        for connection in dirty.values():
            self._guard(connection, self._flush, now)
        if self._stop_at is not None and not self._inbox:
            self._say_goodbye_to_the_rest(now)
        if now >= self._next_tick:
            self._next_tick = now + TICK
            self._tick(now)

    def _guard(
        self,
        connection: Connection,
        step: Callable[[Connection, float], None],
        now: float,
    ) -> None:
        """A step of one connection: whatever fails in it ends that connection alone."""
        if connection.number not in self._connections:
            return
        try:
            step(connection, now)
        except EOFError:
            self._drop(connection, "left")
        except OSError as error:
            # ssl.SSLError is one too. The peer's doing, not ours: no traceback.
            log.debug("connection %d broke off: %s", connection.number, error)
            self._drop(connection, "the connection broke off")
        except Exception:
            log.exception("connection %d failed", connection.number)
            self._drop(connection, "an internal error")

    def _take(
        self, item: list[effects.IoEffect] | tuple[int, socket.socket, str], now: float
    ) -> None:
        if isinstance(item, tuple):
            self._open(*item, now)
            return
        for effect in item:
            self._carry_out(effect, now)

    def _open(self, number: int, raw: socket.socket, address: str, now: float) -> None:
        try:
            raw.setblocking(False)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock = raw
            if self._context is not None:
                sock = self._context.wrap_socket(
                    raw, server_side=True, do_handshake_on_connect=False
                )
        except OSError:
            raw.close()
            return
        connection = Connection(number, sock, address, now)
        self._connections[number] = connection
        connection.interest = selectors.EVENT_READ
        self._selector.register(sock, connection.interest, connection)
        if connection.stage is Stage.OPEN:
            self._hub.post(inputs.Opened(number, address))

    def _shake_hands(self, now: float) -> None:
        for number in tuple(self._handshakes)[:HANDSHAKES_AT_ONCE]:
            self._guard(self._handshakes.pop(number), self._handshake, now)

    def _handshake(self, connection: Connection, _now: float) -> None:
        if connection.handshake():
            self._hub.post(inputs.Opened(connection.number, connection.address))
            # TLS may already hold the first command behind the handshake's last record.
            self._unread[connection.number] = connection

    # Reading

    def _read(self, connection: Connection, now: float) -> None:
        if not connection.readable:
            return
        commands: list[ToServer] = []
        try:
            for item in connection.read(now):
                if isinstance(item, Violation):
                    self._violated(connection, item, now)
                else:
                    commands.append(item)
        finally:
            # Also when it ends with EOF: what was sent before it counts.
            if commands and connection.stage is Stage.OPEN:
                connection.unanswered += len(commands)
                self._hub.post(Received(connection.number, tuple(commands)))
                self._watch(connection)
        if connection.pending and connection.readable:
            self._unread[connection.number] = connection

    def _violated(self, connection: Connection, violation: Violation, now: float) -> None:
        """Answer a bad command; end the connection after a bad header or too many of them."""
        if connection.stage is not Stage.OPEN:
            return
        error = violation.error
        if not connection.logged_violation:
            connection.logged_violation = True
            log.warning(
                "connection %d from %s sent something invalid: %s",
                connection.number,
                connection.address,
                error.code,
            )
        self._say(connection, encode(error), now)
        if violation.fatal or connection.violation(now):
            reason = "too many invalid messages" if not violation.fatal else error.message
            self._hang_up(connection, Goodbye(code="violation", reason=reason), now)

    # Effects

    def _carry_out(self, effect: effects.IoEffect, now: float) -> None:
        match effect:
            case effects.Fanout():
                self._fan_out(effect, now)
            case effects.TellEveryone():
                frame = encode(effect.message)
                for connection in self._connections.values():
                    if connection.signed_in and connection.number != effect.but:
                        self._say(connection, frame, now)
            case effects.Tell():
                self._on(effect.connection, self._tell, effect, now)
            case effects.GoLive():
                self._on(effect.connection, self._go_live, effect, now)
            case effects.WritePage():
                self._on(effect.connection, self._write_page, effect, now)
            case effects.HangUp():
                self._on(effect.connection, self._end, effect, now)
            case _:
                assert_never(effect)

    def _on(
        self, number: int, action: Callable[[Connection, Any, float], None], effect: Any, now: float
    ) -> None:
        """Do it if the connection is still there; the hub may not know yet that it isn't."""
        connection = self._connections.get(number)
        if connection is not None and connection.stage is Stage.OPEN:
            action(connection, effect, now)

    def _tell(self, connection: Connection, effect: effects.Tell, now: float) -> None:
        message = effect.message
        if isinstance(message, Reply) or (isinstance(message, Error) and message.re is not None):
            connection.unanswered -= 1
        try:
            self._say(connection, connection.end.send(message), now)
        except LocalProtocolError:
            log.exception("a reply out of order to connection %d", connection.number)
            self._drop(connection, "an internal error")

    def _end(self, connection: Connection, effect: effects.HangUp, now: float) -> None:
        self._hang_up(connection, effect.goodbye, now)

    def _go_live(self, connection: Connection, effect: effects.GoLive, _now: float) -> None:
        self._live.setdefault(effect.room, {})[connection.number] = connection

    def _write_page(self, connection: Connection, effect: effects.WritePage, now: float) -> None:
        connection.wants_drained = True
        self._say(connection, effect.frames, now)

    def _fan_out(self, effect: effects.Fanout, now: float) -> None:
        live = self._live.get(effect.room, {})
        joined = b"".join(effect.frames)
        behind: list[Connection] = []
        for number, connection in live.items():
            if connection.waiting + len(joined) > OUTBOX_LIMIT:
                behind.append(connection)
            elif number not in effect.acks:
                self._say(connection, joined, now)
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
            self._say(sender, _own_stream(effect.frames, acks, live=number in live), now)

    def _say(self, connection: Connection, frames: bytes, now: float) -> None:
        connection.enqueue(frames, now)
        self._dirty[connection.number] = connection
        # Replies are bounded by what the client may leave unanswered; this bounds the news of
        # people that come and go while a client reads nothing at all.
        if connection.waiting > 4 * OUTBOX_LIMIT:
            goodbye = Goodbye(code="too_slow", reason="Too much was waiting for you.")
            self._hang_up(connection, goodbye, now)

    def _hang_up(self, connection: Connection, goodbye: Goodbye, now: float) -> None:
        if connection.stage is not Stage.OPEN:
            return
        connection.enqueue(connection.end.send(goodbye), now)
        connection.last_words(now)
        self._dirty[connection.number] = connection
        self._forget(connection, goodbye.code.replace("_", " "))

    # Writing

    def _flush(self, connection: Connection, now: float) -> None:
        connection.flush(now)
        if connection.wants_drained and connection.waiting < LOW_WATER:
            connection.wants_drained = False
            self._hub.post(inputs.Drained(connection.number))
        if connection.stage is Stage.LAST_WORDS and not connection.waiting:
            connection.shut()
        self._watch(connection)
        if connection.pending and connection.readable:
            # Reading was held back; what TLS has decrypted by now no selector will announce.
            self._unread[connection.number] = connection

    def _watch(self, connection: Connection) -> None:
        """Ask the selector for what this connection can use now."""
        interest = selectors.EVENT_READ if connection.readable else 0
        if connection.waiting:
            interest |= selectors.EVENT_WRITE
        if interest == connection.interest:
            return
        if not interest:
            self._selector.unregister(connection.socket)
        elif not connection.interest:
            self._selector.register(connection.socket, interest, connection)
        else:
            self._selector.modify(connection.socket, interest, connection)
        connection.interest = interest

    # The end

    def _say_goodbye_to_the_rest(self, now: float) -> None:
        """Those who connected while the hub was telling everyone that the server closes."""
        for connection in self._connections.values():
            goodbye = Goodbye(code="server_closing", reason="The host closed the server.")
            self._hang_up(connection, goodbye, now)

    def _tick(self, now: float) -> None:
        totals: dict[int, tuple[int, int]] = {}
        for connection in tuple(self._connections.values()):
            why = connection.overdue(now)
            if why is not None:
                self._overdue(connection, why, now)
                continue
            count = (connection.bytes_in, connection.bytes_out)
            if connection.signed_in and count != connection.counted:
                connection.counted = totals[connection.number] = count
        if totals:
            self._hub.post(inputs.Traffic(totals))

    def _overdue(self, connection: Connection, why: str, now: float) -> None:
        if connection.stage is Stage.OPEN and not connection.waiting:
            self._hang_up(
                connection, Goodbye(code="timeout", reason=f"Closed because it {why}."), now
            )
        else:
            self._drop(connection, why)

    def _forget(self, connection: Connection, why: str) -> None:
        """No more live events for it, and the hub knows."""
        for live in self._live.values():
            live.pop(connection.number, None)
        self._handshakes.pop(connection.number, None)
        self._unread.pop(connection.number, None)
        self._hub.post(inputs.Closed(connection.number, why))

    def _drop(self, connection: Connection, why: str) -> None:
        if self._connections.pop(connection.number, None) is None:
            return
        if connection.stage in {Stage.OPEN, Stage.HANDSHAKE}:
            self._forget(connection, why)
        if connection.interest:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(connection.socket)
        connection.close()


def _own_stream(frames: tuple[bytes, ...], acks: Mapping[int, bytes], *, live: bool) -> bytes:
    """What the sender of some of the frames gets: acknowledgements in their places.

    A sender that is not live in the room gets the others' events from the log in their time.
    """
    if not live:
        return b"".join(acks.values())
    return b"".join(acks.get(place, frame) for place, frame in enumerate(frames))
