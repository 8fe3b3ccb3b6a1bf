"""The I/O thread: an event loop that owns all connections and waits on them with one selector."""

import contextlib
import heapq
import logging
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from chat_server.hub.queue import HubQueue, Received, Report
from chat_server.net.connection import LOW_WATER, Connection, Stage
from chat_server.net.endpoints.frames import FramesEndpoint
from chat_server.net.heap import Heap
from chat_server.net.send_queues import SendQueues
from chat_server.net.unauthenticated import UnauthenticatedConnections
from chat_server.rules import effects, inputs
from chat_server.thread_watch import Ended, ignore, watched
from common.protocol.codec import Violation
from common.protocol.messages import Goodbye, ToServer
from common.system.waker import Waker

log = logging.getLogger(__name__)

READ_FOR: Final = 0.005
"""Time budget for reading from signed-in connections, in seconds per turn."""
STOP_DEADLINE: Final = 5.0
"""Seconds for what is queued to be written when the server stops."""
TICK: Final = 0.5
"""Seconds between two looks at the deadlines of all connections."""


class _Adopted(NamedTuple):
    """A new connection, from the acceptor."""

    number: int
    socket: socket.socket
    address: str


class _Page(NamedTuple):
    """What a worker has read for a connection, by its number."""

    connection: int
    number: int
    frames: bytes


_Posted = list[effects.IoEffect] | _Adopted | _Page


class IoThread:
    """Owns its connections; gets effects from the hub, gives it what arrived."""

    def __init__(
        self,
        index: int,
        hub: HubQueue,
        context: ssl.SSLContext | None,
        ended: Ended = ignore,
    ) -> None:
        self._report = Report(hub)
        self._context = context
        self._selector = selectors.DefaultSelector()
        self._waker = Waker()
        self._selector.register(self._waker.receiver, selectors.EVENT_READ)
        self._inbox: deque[_Posted] = deque()
        self._connections: dict[int, Connection] = {}
        self._endpoint = FramesEndpoint()
        self._out = SendQueues(self._connections, self._report, self._endpoint)
        self._unauthenticated = UnauthenticatedConnections()
        self._heap = Heap()
        self._unread: dict[int, Connection] = {}
        self._rate_limited: list[tuple[float, int]] = []
        """A heap of times with the connections that are over their rate limit until then."""
        self._stop_at: float | None = None
        self._next_tick = 0.0
        self._busy = 0.0
        """Seconds of the last turn besides reading and handshakes, whose time budget follows it."""
        self._thread = watched(self._run, f"io-{index}", ended)

    # From other threads

    def start(self) -> None:
        """Start serving."""
        self._thread.start()

    def adopt(self, number: int, sock: socket.socket, address: str) -> None:
        """Take over a new connection, before its TLS handshake. From the acceptor."""
        self._inbox.append(_Adopted(number, sock, address))
        self._waker.wake()

    def post(self, batch: list[effects.IoEffect]) -> None:
        """Effects to carry out in their order. From the hub."""
        if batch:
            self._inbox.append(batch)
            self._waker.wake()

    def leave_page(self, connection: int, number: int, frames: bytes) -> None:
        """A page for a connection, to be written when the hub says so. From a worker.

        Nobody is woken: the hub, which is told after this, will do that.
        """
        self._inbox.append(_Page(connection, number, frames))

    def stop(self) -> None:
        """Write what is queued, within STOP_DEADLINE seconds, then close everything and return."""
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
                self._drop(connection, "server_closing")
            self._report.post()
            self._selector.close()
            self._waker.close()

    def _finished(self) -> bool:
        if self._stop_at is None or self._inbox:
            return False
        if time.monotonic() > self._stop_at:
            return True
        return all(c.stage is Stage.HANDSHAKE for c in self._connections.values())

    def _turn(self) -> None:
        busy = self._unauthenticated or self._unread
        ready = self._selector.select(0 if busy else self._select_timeout(time.monotonic()))
        now = time.monotonic()
        self._end_rate_limits(now)
        readable, self._unread = self._unread, {}
        for key, mask in ready:
            if key.data is None:
                self._waker.clear()
            else:
                self._dispatch(key.data, mask, readable)
        self._read_all(readable, now)
        for connection in self._unauthenticated.serve(self._busy):
            step = self._handshake if connection.stage is Stage.HANDSHAKE else self._read
            self._isolate_errors(connection, step, now)
        self._report.post()
        served = time.monotonic()
        # Only what is there by now: the hub may add more meanwhile, and wakes this thread for it.
        for _ in range(len(self._inbox)):
            self._take(self._inbox.popleft(), now)
        self._out.flush_presence(now)
        if self._stop_at is not None and not self._inbox:
            self._close_remaining(now)
        for connection in self._out.due(now):
            self._isolate_errors(connection, self._flush, now)
        if now >= self._next_tick:
            self._next_tick = now + TICK
            self._tick(now)
        self._report.post()
        self._busy = time.monotonic() - served

    def _select_timeout(self, now: float) -> float:
        """The timeout of `select`: seconds until something is due without any I/O."""
        longest = (
            min(TICK, max(0.0, self._rate_limited[0][0] - now)) if self._rate_limited else TICK
        )
        return self._out.wait(now, longest)

    def _end_rate_limits(self, now: float) -> None:
        """Read again from connections whose rate limit has ended."""
        while self._rate_limited and self._rate_limited[0][0] <= now:
            _, number = heapq.heappop(self._rate_limited)
            connection = self._connections.get(number)
            if connection is not None and 0 < connection.rate_limited_until <= now:
                connection.rate_limited_until = 0.0
                self._watch(connection)
                self._resume_reading(connection)

    def _resume_reading(self, connection: Connection) -> None:
        """Queue a connection that has buffered data: the selector reports only the socket."""
        if connection.has_more and connection.readable:
            if connection.admitted:
                self._unread[connection.number] = connection
            else:
                self._unauthenticated.heard(connection)

    def _dispatch(self, connection: Connection, mask: int, readable: dict[int, Connection]) -> None:
        """Queue a connection for what the selector reports of it."""
        if not connection.admitted and connection.stage is not Stage.LINGERING:
            self._unauthenticated.heard(connection)
            mask &= ~selectors.EVENT_READ
        if mask & selectors.EVENT_READ:
            readable[connection.number] = connection
        if mask & selectors.EVENT_WRITE:
            if connection.transport.wants_write:
                readable[connection.number] = connection
            self._out.writable(connection)

    def _isolate_errors(
        self,
        connection: Connection,
        step: Callable[[Connection, float], None],
        now: float,
    ) -> None:
        """One step of one connection; an error in it closes that connection and no other."""
        if connection.number not in self._connections:
            return
        try:
            step(connection, now)
        except EOFError:
            self._drop(connection, "left")
        except OSError as error:
            # ssl.SSLError is one too. The peer's doing, not ours: no traceback.
            log.debug("connection %d was lost: %s", connection.number, error)
            self._drop(connection, "lost")
        except Exception:
            log.exception("connection %d failed", connection.number)
            self._drop(connection, "internal")

    def _take(self, item: _Posted, now: float) -> None:
        if isinstance(item, _Adopted):
            self._open(*item, now)
            return
        if isinstance(item, _Page):
            connection = self._connections.get(item.connection)
            if connection is not None:
                connection.pages[item.number] = item.frames
            return
        for effect in item:
            try:
                self._out.carry_out(effect, now)
            except Exception:
                # A bug of ours; effects for other connections are carried out all the same.
                log.exception("a %s could not be carried out", type(effect).__name__)

    def _open(self, number: int, sock: socket.socket, address: str, now: float) -> None:
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            sock.close()
            return
        connection = Connection(
            number, sock, address, now, self._endpoint.conversation(), self._context
        )
        self._connections[number] = connection
        self._unauthenticated.add(connection)
        connection.interest = selectors.EVENT_READ
        self._selector.register(sock, connection.interest, connection)
        if connection.stage is Stage.OPEN:
            self._report.add(inputs.Opened(number, address), unauthenticated=True)
        log.debug("connection %d: opened", number)
        while (evicted := self._unauthenticated.next_to_evict()) is not None:
            self._drop(evicted, "evicted")

    def _handshake(self, connection: Connection, _now: float) -> None:
        if connection.handshake():
            opened = inputs.Opened(connection.number, connection.address)
            self._report.add(opened, unauthenticated=True)
            # TLS may already hold the first command behind the handshake's last record.
            self._unauthenticated.heard(connection)

    # Reading

    def _read_all(self, readable: dict[int, Connection], now: float) -> None:
        """Read within the time budget; connections not reached come first in the next turn."""
        until = time.monotonic() + READ_FOR
        for number in tuple(readable):
            self._isolate_errors(readable.pop(number), self._read, now)
            if time.monotonic() >= until:
                break
        if readable:
            self._unread = readable | self._unread

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
            # Also at the end of the stream: commands before it count.
            if commands and connection.stage is Stage.OPEN:
                received = Received(connection.number, tuple(commands), connection.read_cost)
                self._report.add(received, unauthenticated=not connection.admitted)
                self._watch(connection)
        if connection.transport.wants_write:
            self._watch(connection)
        if connection.rate_limited_until:
            heapq.heappush(self._rate_limited, (connection.rate_limited_until, connection.number))
        self._resume_reading(connection)

    def _violated(self, connection: Connection, violation: Violation, now: float) -> None:
        """Reply to an invalid command; disconnect after a bad header or too many of them."""
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
        self._out.say(connection, self._endpoint.message(error), now)
        if violation.fatal or connection.violation(now):
            self._out.disconnect(connection, Goodbye(code="violation", params=error.params), now)

    # Writing

    def _flush(self, connection: Connection, now: float) -> None:
        connection.flush(now)
        if connection.reports_drained and connection.waiting < LOW_WATER:
            connection.reports_drained = False
            self._report.add(inputs.Drained(connection.number, connection.brought))
        if connection.stage is Stage.CLOSING and not connection.waiting:
            connection.shut()
        reads_on = connection.interest == selectors.EVENT_READ and not connection.has_undecoded
        if reads_on and not connection.waiting:
            return  # Nothing changes. This is so after nearly every write, and saves a tenth of it.
        was_held_back = not connection.interest & selectors.EVENT_READ
        self._watch(connection)
        if was_held_back or connection.has_undecoded:
            self._resume_reading(connection)

    def _watch(self, connection: Connection) -> None:
        """Register the connection for the events it can use now; unchanged ones cost no call."""
        interest = selectors.EVENT_READ if connection.readable else 0
        if connection.waiting or connection.transport.wants_write:
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

    def _close_remaining(self, now: float) -> None:
        """Disconnect those who connected while the hub was telling everyone else."""
        for connection in self._connections.values():
            goodbye = Goodbye(code="server_closing", params={})
            self._out.disconnect(connection, goodbye, now)

    def _tick(self, now: float) -> None:
        totals: dict[int, tuple[int, int]] = {}
        self._unauthenticated.drop_authenticated()
        for connection in tuple(self._connections.values()):
            # A connection whose handshake waits for us is not to blame.
            why = None if self._unauthenticated.is_waiting(connection) else connection.overdue(now)
            if why is not None:
                self._overdue(connection, why, now)
                continue
            if connection.waits_until and now >= connection.waits_until:
                connection.may_wait(None, now)
                ended = inputs.WaitEnded(connection.number)
                self._report.add(ended, unauthenticated=True)
            count = (connection.bytes_in, connection.bytes_out)
            if connection.signed_in and count != connection.counted:
                connection.counted = totals[connection.number] = count
        if totals:
            self._report.add(inputs.Traffic(totals))
        self._heap.trim_if_due(now)

    def _overdue(self, connection: Connection, why: str, now: float) -> None:
        blocked = connection.interest & selectors.EVENT_WRITE
        if connection.stage is Stage.OPEN and not blocked:
            self._out.disconnect(connection, Goodbye(code="timeout", params={"why": why}), now)
        else:
            self._drop(connection, why)

    def _drop(self, connection: Connection, why: str) -> None:
        if self._connections.pop(connection.number, None) is None:
            return
        counts = connection.bytes_in, connection.bytes_out
        log.debug("connection %d: closed, %s; %d bytes in, %d out", connection.number, why, *counts)
        self._unauthenticated.forget(connection)
        self._heap.ended()
        if connection.stage is Stage.OPEN:
            self._out.forget(connection, why)
        if connection.interest:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(connection.socket)
        connection.close()
