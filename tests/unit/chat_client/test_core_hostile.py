"""A real core and a server on a real socket that breaks its rules: counted are the connections."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator, Sequence

import pytest

from chat_client.accounts import new_account
from chat_client.cache.cache import Cache
from chat_client.core import Core
from chat_client.state import backoff, news
from chat_client.state.link import MAX_FAULTS
from chat_client.state.status import Link
from common import limits
from common.domain.invite import Invite
from common.domain.sentences import sentence
from common.protocol import messages
from common.protocol.codec import ServerEnd
from common.protocol.frames import encode_frame
from common.protocol.messages import ToClient
from tests.events import message
from tests.unit.chat_client.desk import EPOCH

DEADLINE = 10.0


class Hostile:
    """Lets everybody in, and says something unlawful then."""

    def __init__(self, begin_closing: bytes) -> None:
        self._last_words = begin_closing
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def invite(self) -> Invite:
        """The way to it."""
        return Invite(("127.0.0.1",), self._listening.getsockname()[1], None, "k" * 22, "Home")

    def close(self) -> None:
        """No more of it."""
        # Closing alone would not wake the one that waits for a connection.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self.connections += 1
                connection.settimeout(DEADLINE)
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        end = ServerEnd()
        while data := connection.recv(65536):
            for command in end.receive(data):
                if isinstance(command, messages.Hello):
                    self._say(connection, end, _welcome(command))
                elif isinstance(command, messages.Join | messages.SignIn):
                    self._say(connection, end, _signed_in(command))
                    connection.sendall(self._last_words)

    def _say(self, connection: socket.socket, end: ServerEnd, message: ToClient) -> None:
        connection.sendall(end.send(message))


def _welcome(hello: messages.Hello) -> messages.Welcome:
    return messages.Welcome(
        re=hello.id,
        protocol=limits.PROTOCOL_VERSION,
        program="S",
        server_name="Home",
        epoch=EPOCH,
    )


def _signed_in(command: messages.Join | messages.SignIn) -> messages.SignedIn:
    return messages.SignedIn(
        re=command.id,
        username="ada",
        display_name="Ada",
        session="a" * 32,
        role="member",
        mute=None,
    )


@pytest.fixture(
    params=[b"\0\0\0\0", encode_frame(b'{"type":"dance","re":9}')], ids=["frame", "answer"]
)
def hostile(request: pytest.FixtureRequest) -> Iterator[Hostile]:
    """A server that breaks its rules in one way or another."""
    server = Hostile(request.param)
    yield server
    server.close()


def test_the_core_stops_after_some_tries(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    """And tells why; then nothing more reaches the server until the person wants it."""
    monkeypatch.setattr(backoff, "FIRST", 0.005)
    told: queue.SimpleQueue[news.News] = queue.SimpleQueue()

    def tell(items: Sequence[news.News]) -> None:
        for item in items:
            told.put(item)

    def stopped() -> news.StatusChanged:
        while True:
            item = told.get(timeout=DEADLINE)
            if isinstance(item, news.StatusChanged) and item.status.link is Link.STOPPED:
                return item

    core = Core(new_account(hostile.invite, "ada", "Ada"), Cache(None), tell)
    core.start()
    try:
        assert "may need an update" in sentence(stopped().status.reason)
        assert hostile.connections == MAX_FAULTS
        # What is written then is kept, and sent by the next connection that is of use.
        core.send("general", *message("hello"))
        while not isinstance(told.get(timeout=DEADLINE), news.OutboxChanged):
            pass
        assert hostile.connections == MAX_FAULTS
        core.connect_now()
        stopped()
        assert hostile.connections == 2 * MAX_FAULTS
    finally:
        core.stop()
