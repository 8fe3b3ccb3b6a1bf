"""One client's connection: its transport, frames and outbox, owned by one I/O thread."""

import socket
import ssl
from collections import deque
from collections.abc import Generator, Iterator
from enum import Enum, auto
from typing import Final

from chat_server.costs import Bucket, cost
from common.limits import HANDSHAKE_DEADLINE, SIGN_IN_DEADLINE, SILENCE_DEADLINE
from common.protocol.codec import Phase, ServerEnd, Violation
from common.protocol.messages import ToServer
from common.system.transport import Transport

SEND_QUEUE_LIMIT: Final = 1024 * 1024
"""Bytes that may wait for a client before its live events are cut off."""
LOW_WATER: Final = 64 * 1024
"""Below this a client that was behind gets its next page."""
UNANSWERED_LIMIT: Final = 1024
"""Commands of one client that may wait for the hub before its socket is left unread."""
BURST: Final = 20_000.0
"""What a signed-in connection may ask for at once, in the unit of `costs`.

A device that comes back to 10,000 people and 4,000 rooms asks for less.
"""
RATE: Final = 10_000.0
"""And for each second after that: more messages than one connection can have acknowledged."""
FIRST_COMMANDS: Final = 8.0
"""Commands that a connection may bring at once before it has signed in, whatever they are."""
FIRST_RATE: Final = 0.5
"""And for each second after that. Who wants in needs two; the rest is for mistyped names."""
GOODBYE_DEADLINE: Final = 3.0
"""Seconds for the last words to be written and for the client to hang up by itself."""

_READ: Final = 64 * 1024
_FIRST_READ: Final = 4 * 1024
"""Bytes of one read before somebody has signed in: what is kept of a crowd of them is less."""
_READ_AT_ONCE: Final = 128 * 1024
"""Bytes after which the others have their turn."""
_WRITE: Final = 256 * 1024
_VIOLATIONS: Final = 10.0
"""Bad commands a client may send at once; one more is forgiven each second."""


class Stage(Enum):
    """Where a connection is in its life."""

    HANDSHAKE = auto()
    OPEN = auto()
    CLOSING = auto()
    """A goodbye is being written; nothing is read into the rules any more."""
    LINGERING = auto()
    """All is written and our direction is shut; the client has yet to hang up."""


class Connection:
    """A non-blocking connection. All times are seconds on the monotonic clock."""

    # CPython keeps the attributes of an object beside it only if there are 30 at most. With one
    # more, each write to one of a thousand receivers took a third longer.
    __slots__ = (
        "_bucket",
        "_closing_at",
        "_context",
        "_heard",
        "_progress",
        "_send_queue",
        "_started",
        "_violations",
        "_violations_at",
        "_write",
        "_writing",
        "address",
        "admitted",
        "brought",
        "bytes_in",
        "bytes_out",
        "capabilities",
        "counted",
        "end",
        "has_undecoded",
        "interest",
        "live",
        "logged_violation",
        "number",
        "pages",
        "rate_limited_until",
        "read_cost",
        "reports_drained",
        "stage",
        "transport",
        "unanswered",
        "username",
        "waiting",
    )

    def __init__(
        self,
        number: int,
        sock: socket.socket,
        address: str,
        now: float,
        end: ServerEnd,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Over a connected, non-blocking socket: with TLS if there is a context for it."""
        self.number = number
        self.address = address
        self.transport = Transport(sock)
        # Looked up once: a crowd is a thousand writes for each thing that is said.
        self._write = self.transport.write
        self.end = end
        self.stage = Stage.OPEN if context is None else Stage.HANDSHAKE
        self.bytes_in = 0
        self.bytes_out = 0
        self.waiting = 0
        """Bytes in the outbox."""
        self.unanswered = 0
        self.admitted = False
        """Whether it was told that it is signed in; it stays so. See `admit`."""
        self.username = ""
        """Whose it is, once it is admitted."""
        self.pages: dict[int, bytes] = {}
        """What workers have read for it, by number, until the hub has it written."""
        self.capabilities: frozenset[str] = frozenset()
        self.read_cost = 0.0
        """What the commands of the last `read` cost."""
        self.rate_limited_until = 0.0
        """Until then it is left unread: it has asked for all it may for now."""
        self.live: set[str] = set()
        """The rooms whose new events it is handed."""
        self.brought = 0
        """Pages that were put into its outbox so far."""
        self.reports_drained = False
        self.counted: tuple[int, int] = (0, 0)
        self.interest = 0
        """The selector events asked for at present."""
        self.logged_violation = False
        self._context = context
        self._send_queue: deque[bytes] = deque()
        self._writing: bytes | memoryview | None = None
        self._started = now
        self._heard = now
        self._progress = now
        self._closing_at = 0.0
        self._violations = 0.0
        self._violations_at = now
        self._bucket = Bucket(FIRST_COMMANDS, FIRST_RATE, now)
        self.has_undecoded = False
        """Whether there may be whole frames that were read and not looked at yet."""

    def handshake(self) -> bool:
        """One step of the TLS handshake; True when done. Raises OSError when it fails.

        TLS begins with the first byte: those that connect and say nothing cost little memory.
        """
        if self._context is not None:
            self.transport.secure(self._context, server_side=True)
            self._context = None
        if self.transport.handshake():
            self.stage = Stage.OPEN
            return True
        return False

    def admit(self, now: float) -> None:
        """It was told that it is signed in, and may ask for much more from now on."""
        self.admitted = True
        self._bucket = Bucket(BURST, RATE, now)
        self.rate_limited_until = 0.0

    def read(self, now: float) -> Iterator[ToServer | Violation]:
        """What arrived. Raises EOFError when the client hung up, OSError when it broke off.

        Ends early after a bounded number of bytes, or as soon as the client has to wait:
        `has_more` then tells that there may be more, of which the selector knows nothing.
        """
        self.read_cost = 0.0
        if self.has_undecoded and (yield from self._decode(b"", now)):
            return
        for data in self.transport.pieces(_READ if self.admitted else _FIRST_READ, _READ_AT_ONCE):
            self.bytes_in += len(data)
            self._heard = now
            if self.stage is Stage.OPEN and (yield from self._decode(data, now)):
                return

    def _decode(self, data: bytes, now: float) -> Generator[ToServer | Violation, None, bool]:
        """The commands in it, up to the one after which the client has to wait, if it has to."""
        self.has_undecoded = False
        items = self.end.receive(data)
        for item in items:
            if isinstance(item, Violation):
                yield item
                continue
            self.unanswered += 1
            price = cost(item) if self.admitted else 1.0
            self.read_cost += price
            wait = self._bucket.spend(price, now)
            if wait:
                self.rate_limited_until = now + wait
            if wait or self.unanswered >= UNANSWERED_LIMIT:
                self.has_undecoded = True
                items.close()  # what is left of the bytes comes with the next ones
            yield item
        return self.has_undecoded

    @property
    def has_more(self) -> bool:
        """Whether there may be bytes that no selector will announce, as they were read already."""
        return self.transport.more or (self.has_undecoded and self.stage is Stage.OPEN)

    @property
    def socket(self) -> socket.socket:
        """For a selector."""
        return self.transport.socket

    @property
    def readable(self) -> bool:
        """Whether to go on reading: a client has to wait that doesn't read its answers.

        So has one that asks for too much; see `rate_limited_until`.
        """
        return (
            self.waiting <= SEND_QUEUE_LIMIT
            and self.unanswered < UNANSWERED_LIMIT
            and not self.rate_limited_until
        )

    @property
    def signed_in(self) -> bool:
        """Whether an account's messages may be written here."""
        return self.stage is Stage.OPEN and self.end.phase is Phase.READY

    def enqueue(self, frames: bytes, now: float) -> None:
        """Add bytes to the outbox; the same object may be in many."""
        if not self.waiting:
            self._progress = now
        self._send_queue.append(frames)
        self.waiting += len(frames)

    def flush(self, now: float) -> None:
        """Write as much as the network takes. Raises OSError when it broke off."""
        while True:
            data = self._writing
            if data is None:
                if not self._send_queue:
                    return
                data = self._take()
            written = self._write(data)
            if not written:
                self._writing = data
                return
            self.bytes_out += written
            self.waiting -= written
            self._progress = now
            self._writing = memoryview(data)[written:] if written < len(data) else None

    def _take(self) -> bytes:
        """The next write: small pieces joined, so that TLS records are filled."""
        first = self._send_queue.popleft()
        if not self._send_queue or len(first) >= _WRITE:
            return first
        pieces, size = [first], len(first)
        while self._send_queue and size < _WRITE:
            pieces.append(self._send_queue.popleft())
            size += len(pieces[-1])
        return b"".join(pieces)

    def begin_closing(self, now: float) -> None:
        """Nothing is read or added any more; what waits is written, then the line is shut."""
        self.stage = Stage.CLOSING
        self.rate_limited_until = 0.0
        self.has_undecoded = False
        self._closing_at = now

    def shut(self) -> None:
        """Everything is written: tell the client's end so, and wait until it hangs up."""
        self.stage = Stage.LINGERING
        self.transport.shut()

    def violation(self, now: float) -> bool:
        """Count a bad command; True when there were too many (a token bucket)."""
        self._violations = max(0.0, self._violations - (now - self._violations_at)) + 1
        self._violations_at = now
        return self._violations > _VIOLATIONS

    def overdue(self, now: float) -> str | None:
        """Why this connection must end now, if it must."""
        if self.stage is Stage.HANDSHAKE and now - self._started > HANDSHAKE_DEADLINE:
            return "no_handshake"
        if self.stage in {Stage.CLOSING, Stage.LINGERING}:
            return "closed" if now - self._closing_at > GOODBYE_DEADLINE else None
        if self.end.phase is not Phase.READY:
            # Who waits for our answer is not to blame, but for one who always does.
            patience = SIGN_IN_DEADLINE * (2 if self.unanswered else 1)
            if now - self._started > patience:
                return "no_sign_in"
        if self.waiting and now - self._progress > SILENCE_DEADLINE:
            return "stuck"
        # Who is left unread can't be blamed for silence.
        if self.readable and now - self._heard > SILENCE_DEADLINE:
            return "silent"
        return None

    def close(self) -> None:
        """Let go of the socket."""
        self.transport.close()
