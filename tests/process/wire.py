"""Sessions without a ChatClient: frames and messages over TLS, and no behaviour of their own.

The one client of tests that speak with our own models of messages; `stranger.py` knows the protocol
from its document alone.
"""

import secrets
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from common import limits
from common.domain.invite import Invite
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.codec import Arrival, ClientEnd
from common.protocol.events import Event
from common.protocol.frames import encode_frame
from common.protocol.ids import new_cid
from common.protocol.messages import Ack, Goodbye, SignedIn, Synced, Welcome
from common.system.tls import client_context, pinned
from tests.events import send
from tests.process.harness import DEADLINE

M = TypeVar("M", bound=messages.Message | Event)
_READ: Final = 64 * 1024


class HungUpError(Exception):
    """The server ended the connection."""


class Raw:
    """A connection to a server, to transmit anything over."""

    def __init__(
        self, invite: Invite, *, receive_buffer: int | None = None, source: str | None = None
    ) -> None:
        """Connect, from a `source` address of this computer if one is given.

        Raises OSError, of which TLS errors are a kind.
        """
        raw = socket.socket()
        try:
            raw.settimeout(DEADLINE)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if receive_buffer is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if source is not None:
                raw.bind((source, 0))
            raw.connect((invite.hosts[0], invite.port))
            self.socket: socket.socket = raw
            if invite.fingerprint is not None:
                secured = client_context().wrap_socket(raw)
                self.socket = secured
                assert pinned(secured, invite.fingerprint)
        except BaseException:
            raw.close()
            raise
        self.end = ClientEnd()
        self._arrived: Iterator[Arrival] = iter(())

    def transmit(self, data: bytes) -> None:
        """Any bytes."""
        self.socket.settimeout(DEADLINE)
        self.socket.sendall(data)

    def frame(self, body: bytes) -> None:
        """A JSON frame of any body."""
        self.transmit(encode_frame(body))

    def message(self, within: float = DEADLINE) -> Arrival:
        """What the server says next. Raises HungUpError, TimeoutError."""
        end = time.monotonic() + within
        while True:
            for message in self._arrived:
                return message
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self.socket.recv(_READ)
            except ConnectionError as error:
                raise HungUpError from error
            if not data:
                raise HungUpError
            self._arrived = self.end.receive(data)

    def expect_goodbye(self) -> Goodbye:
        """The server's last words."""
        while True:
            message = self.message()
            if isinstance(message, Goodbye):
                return message

    def to_the_end(self) -> list[Arrival]:
        """Everything the server says until it hangs up."""
        said: list[Arrival] = []
        with suppress(HungUpError):
            while True:
                said.append(self.message())
        return said

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Session(Raw):
    """An account's session. What comes while it waits for something else is kept in `events`."""

    def __init__(
        self,
        invite: Invite,
        username: str,
        token: str | None = None,
        *,
        new: bool = False,
        display_name: str = "",
        device: str = "wire",
        installation: str = "0" * 32,
        receive_buffer: int | None = None,
        source: str | None = None,
    ) -> None:
        """Sign in with a device's token; without one, or for a `new` account, join.

        Raises HungUpError, OSError.
        """
        super().__init__(invite, receive_buffer=receive_buffer, source=source)
        self.username = username
        self.events: list[Event] = []
        self._requests = 0
        try:
            self.command(messages.Hello, protocol=limits.PROTOCOL_VERSION, program="wire")
            self.expect(Welcome)
            self.token = token or secrets.token_hex(32)
            whose = {"username": username, "token": self.token}
            where = {"device": device, "installation": installation}
            if token is not None and not new:
                self.command(messages.SignIn, **whose, **where)
            else:
                name = display_name or username
                self.command(
                    messages.Join, secret=invite.secret, display_name=name, **whose, **where
                )
            self.session = self.expect(SignedIn).session
        except BaseException:
            self.close()
            raise

    def command(self, kind: Callable[..., Any], **fields: object) -> int:
        """Say something that is due in this phase; its request id."""
        self._requests += 1
        self.transmit(self.end.send(kind(id=self._requests, **fields)))
        return self._requests

    def say(self, text: str, room: str = GENERAL, cid: str | None = None) -> str:
        """Send a message, without waiting for its acknowledgement; its cid."""
        cid = cid or new_cid()
        self._requests += 1
        self.transmit(self.end.send(send(self._requests, text, room=room, cid=cid)))
        return cid

    def say_all(self, *texts: str, room: str = GENERAL) -> list[Ack]:
        """Send messages in one go; their acknowledgements."""
        frames: list[bytes] = []
        for text in texts:
            self._requests += 1
            frames.append(self.end.send(send(self._requests, text, room=room, cid=new_cid())))
        self.transmit(b"".join(frames))
        return [self.expect(Ack) for _ in texts]

    def follow(self, room: str = GENERAL, after: int = 0) -> int:
        """Ask for a room's events; the head it has now."""
        self.command(messages.Sync, positions={room: after})
        return self.expect(Synced).heads[room]

    def expect(self, kind: type[M], within: float = DEADLINE) -> M:
        """The next message of a kind. Events that come before it are kept."""
        end = time.monotonic() + within
        while True:
            message = self.message(end - time.monotonic())
            if isinstance(message, kind):
                return message
            if isinstance(message, Event):
                self.events.append(message)
            assert not isinstance(message, messages.Error | Goodbye), message

    def hear(self, text: str, within: float = DEADLINE) -> Event:
        """The event with this text; it and all before it are kept."""
        end = time.monotonic() + within
        while True:
            event = self.expect(Event, end - time.monotonic())
            self.events.append(event)
            if event.text == text:
                return event

    def hear_from(self, senders: Collection[str]) -> Event:
        """The next message by one of some people; it and all before it are kept."""
        while True:
            self.events.append(self.expect(Event))
            if self.events[-1].is_message and self.events[-1].sender in senders:
                return self.events[-1]

    def everything(self, room: str = GENERAL) -> list[Event]:
        """The room's whole log, up to its present head."""
        head = self.follow(room)
        while not self.events or self.events[-1].seq < head:
            self.events.append(self.expect(Event))
        return self.events

    def settle(self) -> None:
        """Return when all that was published to this session before now has come.

        What it still is being caught up with from the log is another matter: see `everything`.
        """
        request = self.command(messages.Ping)
        assert self.expect(messages.Pong).re == request


def client_hello() -> bytes:
    """The first bytes that a TLS client sends."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context().wrap_bio(incoming, outgoing)
    with suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def contiguous(events: list[Event], after: int = 0) -> bool:
    """Whether the events are a run without a gap or a repetition."""
    return [event.seq for event in events] == list(range(after + 1, after + 1 + len(events)))
