"""ChatServer's smoke test without a window: a real server, joined over TLS by this process."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from pydantic import JsonValue

from chat_server.options import Options, parse_options
from chat_server.ready_file import Running
from chat_server.rules.view import ViewEvent
from chat_server.service import Server
from common.desktop.smoke import look_at_desktop
from common.domain.invite import parse_invite
from common.domain.names import GENERAL
from common.limits import PROTOCOL_VERSION
from common.protocol.codec import Arrival, ClientEnd
from common.protocol.events import MESSAGE, Event
from common.protocol.messages import (
    Ack,
    Hello,
    Join,
    Send,
    SignedIn,
    Sync,
    ToServer,
    Welcome,
)
from common.system.smoke import Check, every_module, look_at_names, run_checks
from common.system.tls import client_context, pinned

_DEADLINE: Final = 15.0
_TEXT: Final = "Can you read this?"
Wanted = TypeVar("Wanted")


def checks() -> list[Check]:
    """The checks that need no window."""
    return [
        every_module("chat_server", "common"),
        ("names", look_at_names),
        ("desktop", look_at_desktop),
        ("server", look_at_server),
    ]


def run() -> int:
    """Make all checks that need no window. Returns 0, or ends the process with 1."""
    return run_checks("ChatServer", checks())


def options() -> Options:
    """A server on this computer alone, on any free port."""
    return parse_options(["--host", "127.0.0.1", "--port", "0", "--name", "Smoke test"])


def look_at_server(folder: Path) -> str:
    """Start a server, join it, have a message acknowledged, and find it after a restart."""
    first = Server(options(), folder, _say_nothing)
    with joined(first.start()) as guest:
        guest.say(_TEXT)
    first.stop()
    second = Server(options(), folder, _say_nothing)
    with joined(second.start()) as guest:
        heard = guest.hear()
    second.stop()
    if heard != _TEXT:
        raise RuntimeError(f"after a restart there is {heard!r}")
    return f"a message was stored, and received over {guest.version}"


class Guest:
    """Somebody who has joined."""

    def __init__(self, connection: socket.socket, version: str) -> None:
        self.version = version
        self._connection = connection
        self._end = ClientEnd()
        self._requests = 0

    def join(self, secret: str) -> None:
        """Join with the invite's secret."""
        self._ask(Hello(id=self._next(), protocol=PROTOCOL_VERSION, program="smoke test"), Welcome)
        join = Join(
            id=self._next(), secret=secret, username="guest", display_name="Guest",
            token="0" * 64, device="here", installation="0" * 32,
        )  # fmt: skip
        self._ask(join, SignedIn)

    def say(self, text: str) -> None:
        """Send a message; it is stored when this returns."""
        body: dict[str, JsonValue] = {"text": text}
        self._ask(Send(id=self._next(), room=GENERAL, cid="0" * 16, kind=MESSAGE, body=body), Ack)

    def hear(self) -> str:
        """The first message that was ever sent."""
        self._connection.sendall(self._end.send(Sync(id=self._next(), positions={GENERAL: 0})))
        for answer in self._answers():
            if isinstance(answer, Event) and answer.is_message:
                return answer.text
        raise ConnectionError("the server disconnected instead of sending a message")

    def _next(self) -> int:
        self._requests += 1
        return self._requests

    def _ask(self, message: ToServer, wanted: type[Wanted]) -> Wanted:
        self._connection.sendall(self._end.send(message))
        for answer in self._answers():
            if isinstance(answer, wanted):
                return answer
        raise ConnectionError(f"the server disconnected instead of sending a {wanted.__name__}")

    def _answers(self) -> Iterator[Arrival]:
        while data := self._connection.recv(65536):
            yield from self._end.receive(data)


@contextmanager
def joined(running: Running) -> Iterator[Guest]:
    """A guest of that server, within the block."""
    invite = parse_invite(running.invite)
    if invite.fingerprint is None:
        raise ConnectionError("the server has no certificate")
    raw = socket.create_connection((invite.hosts[0], invite.port), _DEADLINE)
    with client_context().wrap_socket(raw) as connection:
        if not pinned(connection, invite.fingerprint):
            raise ConnectionError("another server answered")
        guest = Guest(connection, connection.version() or "no TLS")
        guest.join(invite.secret)
        yield guest


def _say_nothing(_: Sequence[ViewEvent]) -> None:
    pass
