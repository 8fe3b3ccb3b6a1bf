"""An I/O thread whose turns a test takes by hand, over socket pairs."""

from __future__ import annotations

import itertools
import selectors
import socket
from typing import Final

import pytest

from chat_server.hub.queue import HubItem, HubQueue
from chat_server.net import io_thread as io_module
from chat_server.net.connection import Connection
from chat_server.net.io_thread import IoThread
from chat_server.rules import effects
from common.protocol import messages
from common.protocol.codec import Arrival, ClientEnd, ServerEnd
from common.protocol.messages import ToServer
from tests.unit.chat_server.net.test_io import EPOCH, contexts, event

ENOUGH: Final = 200
"""Turns after which anything that comes to rest has come to rest."""
SMALL_BUFFER: Final = 16 * 1024
PLENTY: Final = b"".join(event(seq, "x" * 16_000) for seq in range(1, 61))
"""Nearly a MiB: more than the system takes in for a client that does not read."""


class Turns:
    """An I/O thread without its thread, and clients on socket pairs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, tls: bool = False) -> None:
        self.hub = HubQueue()
        self.io = IoThread(0, self.hub, contexts()[0] if tls else None)
        self.clients: list[socket.socket] = []
        self.waited: list[tuple[float | None, int]] = []
        """Of each turn: how long it would have waited, and how many were ready."""
        self._numbers = itertools.count(1)
        select = self.io._selector.select

        def noted(timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            ready = select(0)  # all that can be ready is; to wait would only take time
            self.waited.append((timeout, len(ready)))
            return ready

        monkeypatch.setattr(self.io._selector, "select", noted)

    def connect(self) -> tuple[Connection, socket.socket]:
        """A new connection and its client's socket."""
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
        # A socket pair is no TCP; all else of it is as with one.
        self.clients.append(theirs)
        theirs.setblocking(False)
        number = next(self._numbers)
        connection = Connection(number, ours, "192.0.2.1", 0.0, ServerEnd(), self.io._context)
        ours.setblocking(False)
        connection._started = connection._heard = connection._progress = float("inf")
        self.io._connections[number] = connection
        self.io._unauthenticated.add(connection)
        connection.interest = selectors.EVENT_READ
        self.io._selector.register(ours, connection.interest, connection)
        return connection, theirs

    def greet(self) -> tuple[Connection, socket.socket, ClientEnd]:
        """A connection that has said hello and was welcomed."""
        connection, client = self.connect()
        end = ClientEnd()
        self.say(client, end, messages.Hello(id=1, protocol=2, program="P"))
        welcome = messages.Welcome(re=1, protocol=2, program="S", server_name="Home", epoch=EPOCH)
        self.io.post([effects.Tell(connection.number, welcome)])
        self.turn(2)
        assert self.heard(client, end) == [welcome]
        return connection, client, end

    def sign_in(self) -> tuple[Connection, socket.socket, ClientEnd]:
        """A connection that is somebody's."""
        connection, client, end = self.greet()
        self.say(
            client,
            end,
            messages.SignIn(
                id=2, username="ada", token="1" * 64, device="Linux", installation="2" * 32
            ),
        )
        number = connection.number
        self.io.post([effects.Admit(number, "ada", frozenset()), effects.Tell(number, signed_in())])
        self.turn(2)
        assert self.heard(client, end) == [signed_in()]
        assert connection.admitted
        return connection, client, end

    def page(self, number: int, frames: bytes) -> effects.WritePage:
        """What writes a page that a worker leaves for a connection."""
        page = next(self._numbers)
        self.io.leave_page(number, page, frames)
        return effects.WritePage(number, page)

    def say(self, client: socket.socket, end: ClientEnd, *commands: ToServer) -> None:
        """A client sends, and the I/O thread reads."""
        client.sendall(b"".join(end.send(command) for command in commands))
        self.turn(2)

    def heard(self, client: socket.socket, end: ClientEnd) -> list[Arrival]:
        """What is there for a client."""
        return list(end.receive(drain(client)))

    def turn(self, times: int = 1) -> None:
        """Take turns."""
        for _ in range(times):
            self.io._turn()

    def told(self) -> list[HubItem]:
        """What the hub got so far."""
        items: list[HubItem] = []
        while not self.hub._queue.empty() or self.hub._unauthenticated or self.hub._waiting:
            items += self.hub.take()
        return items

    def rests(self) -> bool:
        """Whether it comes to rest: no turn finds anything, and each waits as long as it may."""
        self.turn(ENOUGH)
        self.waited.clear()
        self.turn(10)
        return self.waited == [(io_module.TICK, 0)] * 10

    def close(self) -> None:
        """Let go of everything."""
        for connection in tuple(self.io._connections.values()):
            self.io._drop(connection, "the test is over")
        while self.io._inbox:
            # Those adopted that no turn took.
            if isinstance(item := self.io._inbox.popleft(), io_module._Adopted):
                item.socket.close()
        for client in self.clients:
            client.close()
        self.io._selector.close()
        self.io._waker.close()


def signed_in() -> messages.SignedIn:
    """What lets ada in."""
    return messages.SignedIn(
        re=2, username="ada", display_name="Ada", session=EPOCH, role="member", mute=None
    )


def person(name: str) -> messages.PersonChanged:
    """News of somebody."""
    return messages.PersonChanged(
        person=messages.Person(username=name, display_name="N", role="member", change=1)
    )


def drain(client: socket.socket) -> bytes:
    """Everything that is there for a client to read."""
    data = b""
    try:
        while more := client.recv(1 << 20):
            data += more
    except BlockingIOError:
        pass
    return data
