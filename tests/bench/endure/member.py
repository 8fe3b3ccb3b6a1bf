"""A member of the room on one connection, by docs/protocol.md: it never waits for anything."""

from __future__ import annotations

import secrets
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from common import limits
from common.domain.invite import Invite
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.codec import Arrival, encode
from common.protocol.events import Event
from common.protocol.frames import FrameDecoder
from common.protocol.messages import EventMessage, to_client
from common.system.tls import client_context, pinned
from tests.bench.endure.ledger import Ledger
from tests.events import send

_READ: Final = 64 * 1024
_READS_AT_ONCE: Final = 8
_WOULD_BLOCK: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_CONTEXT: Final = client_context()


class LostError(Exception):
    """The connection has ended, for a reason that the text tells."""


@dataclass
class Account:
    """What a client keeps on its disk: who it is, how far it is, what has to be sent yet."""

    username: str
    token: str = field(default_factory=lambda: secrets.token_hex(32))
    joined: bool = False
    session: str | None = None
    position: int = 0
    said: int = 0
    outbox: dict[str, str] = field(default_factory=dict)
    """Texts by their cid, until they are acknowledged."""


@lru_cache(maxsize=8192)
def understand(body: bytes) -> Arrival:
    """The message of a frame; everybody gets the same bytes, so it is read once."""
    message: Arrival = to_client().validator.validate_json(body)
    if isinstance(message, EventMessage):
        return Event(*(getattr(message, name) for name in Event._fields))
    return message


class Member:
    """An account's device on one connection.

    `step` moves everything on that can be moved, and raises LostError when the connection has
    ended. What arrives is judged by the ledger. `live`: it has reached what was the head when it
    came; `timed`: how long its deliveries take counts.
    """

    def __init__(
        self, account: Account, invite: Invite, ledger: Ledger, receive_buffer: int | None = None
    ) -> None:
        """Connect. Raises LostError."""
        self.account = account
        self.live = False
        self.timed = True
        self.frozen = False
        self._ledger = ledger
        self._invite = invite
        self._head: int | None = None
        self._decoder = FrameDecoder(limits.FRAME_JSON)
        self._shaken = False
        self._requests = 0
        self._unanswered: dict[int, str] = {}
        self._by_ack: set[int] = set()
        """Places that were reached by an acknowledgement."""
        self._out = bytearray()
        raw = socket.socket()
        try:
            if receive_buffer is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.connect((invite.hosts[0], invite.port))
            raw.setblocking(False)
            self.socket: ssl.SSLSocket = _CONTEXT.wrap_socket(raw, do_handshake_on_connect=False)
        except OSError as error:
            raw.close()
            raise LostError(f"connecting: {error}") from error

    @property
    def wants_write(self) -> bool:
        """Whether something waits for the network to take it."""
        return bool(self._out)

    def step(self) -> None:
        """Read and write what can be. Raises LostError."""
        try:
            if not self._shaken:
                self._shake_hands()
            self._read()
            self._flush()
        except _WOULD_BLOCK:
            return
        except OSError as error:
            raise LostError(str(error)) from error

    def say(self, due: int, size: int) -> None:
        """Send a message that was due at a time, in nanoseconds. Raises LostError."""
        self.account.said += 1
        name = self.account.username
        cid, text = self._ledger.message(name, self.account.said, due, size)
        self.account.outbox[cid] = text
        self._send(cid, text)
        self.step()

    def ping(self) -> None:
        """Show that this end is alive, if it is in. Raises LostError."""
        if self.live:
            self._command(messages.Ping)
            self.step()

    def close(self) -> None:
        """Hang up; a session that was there is resumed by the next connection."""
        self.socket.close()

    # Reading

    def _shake_hands(self) -> None:
        self.socket.do_handshake()
        self._shaken = True
        assert self._invite.fingerprint is not None
        if not pinned(self.socket, self._invite.fingerprint):
            raise LostError("another server answered")
        self._command(messages.Hello, protocol=limits.PROTOCOL_VERSION, program="endure")

    def _read(self) -> None:
        reads = 0
        # Others want their turn; but what TLS holds already no selector announces.
        while reads < _READS_AT_ONCE or self.socket.pending():
            reads += 1
            try:
                data = self.socket.recv(_READ)
            except _WOULD_BLOCK:
                return
            if not data:
                raise LostError("the server hung up")
            now = time.monotonic_ns()
            for frame in self._decoder.frames(data):
                message = understand(frame)
                handler = _HANDLERS.get(type(message))
                if handler is not None:
                    handler(self, message, now)

    def _welcome(self, _message: messages.Welcome, _now: int) -> None:
        account = self.account
        if account.joined:
            self._command(
                messages.SignIn,
                username=account.username,
                token=account.token,
                device="endure",
                installation="0" * 32,
                resume=account.session,
            )
            return
        self._command(
            messages.Join,
            secret=self._invite.secret,
            username=account.username,
            display_name=account.username,
            token=account.token,
            device="endure",
            installation="0" * 32,
        )

    def _signed_in(self, message: messages.SignedIn, _now: int) -> None:
        self.account.joined = True
        self.account.session = message.session
        self._command(messages.Sync, positions={GENERAL: self.account.position})

    def _synced(self, message: messages.Synced, _now: int) -> None:
        self._head = message.heads[GENERAL]
        # What was not acknowledged on the last connection is said again, under its cid.
        for cid, text in self.account.outbox.items():
            self._send(cid, text)
        self._look_whether_live()

    def _event(self, event: Event, now: int) -> None:
        account = self.account
        if event.seq in self._by_ack:
            # Its acknowledgement came first, while the log was still being read to us.
            self._by_ack.remove(event.seq)
            return
        if event.seq != account.position + 1:
            self._ledger.fault(f"{account.username} got event {event.seq} after {account.position}")
        account.position = event.seq
        timed = now if self.live and self.timed else None
        self._ledger.delivered(account.username, event, timed)
        if event.sender == account.username:
            account.outbox.pop(event.cid, None)
        if not self.live:
            self._look_whether_live()

    def _ack(self, ack: messages.Ack, now: int) -> None:
        account = self.account
        if self._unanswered.pop(ack.re, None) != ack.cid:
            self._ledger.fault(f"{account.username} got an acknowledgement of nothing")
            return
        text = account.outbox.pop(ack.cid, None)
        in_turn = ack.seq == account.position + 1
        if in_turn:
            account.position = ack.seq
            self._by_ack.add(ack.seq)
        if text is not None:
            self._ledger.acknowledged(account.username, ack, text, now, in_turn=in_turn)
        elif in_turn:
            self._ledger.fault(f"{account.username} got an acknowledgement twice")

    def _error(self, error: messages.Error, _now: int) -> None:
        self._ledger.fault(f"{self.account.username} was refused: {error.code} {error.params}")

    def _goodbye(self, goodbye: messages.Goodbye, _now: int) -> None:
        raise LostError(f"goodbye: {goodbye.code}")

    def _look_whether_live(self) -> None:
        self.live = self._head is not None and self.account.position >= self._head

    # Writing

    def _send(self, cid: str, text: str) -> None:
        self._requests += 1
        self._out += encode(send(self._requests, text, room=GENERAL, cid=cid))
        self._unanswered[self._requests] = cid

    def _command(self, kind: Callable[..., Any], **fields: object) -> int:
        self._requests += 1
        self._out += encode(kind(id=self._requests, **fields))
        return self._requests

    def _flush(self) -> None:
        while self._out:
            sent = self.socket.send(self._out)
            del self._out[:sent]


_HANDLERS: Final[dict[type, Callable[[Member, Any, int], None]]] = {
    messages.Welcome: Member._welcome,
    messages.SignedIn: Member._signed_in,
    messages.Synced: Member._synced,
    Event: Member._event,
    messages.Ack: Member._ack,
    messages.Error: Member._error,
    messages.Goodbye: Member._goodbye,
}
