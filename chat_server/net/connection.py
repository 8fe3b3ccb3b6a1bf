"""One client's connection: its transport, decoder and send queue, owned by one I/O thread."""

import socket
import ssl
from collections import deque
from collections.abc import Generator, Iterator
from enum import Enum, auto
from typing import Final

from chat_server.rate_limit import TokenBucket, cost
from common.limits import HANDSHAKE_DEADLINE, SIGN_IN_DEADLINE, SILENCE_DEADLINE
from common.protocol.codec import Phase, ServerEnd, Violation
from common.protocol.messages import ToServer
from common.system.transport import Transport

SEND_QUEUE_LIMIT: Final = 1024 * 1024
"""Bytes queued for a client above which it falls back from live delivery to catching up."""
LOW_WATER: Final = 64 * 1024
"""Bytes queued below which a client that catches up gets its next page."""
UNANSWERED_LIMIT: Final = 1024
"""Commands of one client without a reply above which its socket is not read (back-pressure)."""
BURST: Final = 20_000.0
"""Rate limit once signed in: size of the token bucket, in the unit of `rate_limit`.

A device that resumes with 10,000 people and 4,000 rooms spends less than this at once.
"""
RATE: Final = 10_000.0
"""Tokens per second: more messages than one connection can have acknowledged."""
FIRST_COMMANDS: Final = 8.0
"""Rate limit of an unauthenticated connection: commands at once, whatever they are."""
FIRST_RATE: Final = 0.5
"""Commands per second. Signing in takes two; the rest is for names that are taken or mistyped."""
GOODBYE_DEADLINE: Final = 3.0
"""Seconds for a goodbye to be written and for the client to close its end."""

_READ: Final = 64 * 1024
_FIRST_READ: Final = 4 * 1024
"""Bytes per read while unauthenticated: thousands of such buffers may be alive at once."""
_READ_AT_ONCE: Final = 128 * 1024
"""Bytes per turn of one connection, so that a fast sender can't starve the others."""
_WRITE: Final = 256 * 1024
_VIOLATIONS: Final = 10.0
"""Invalid commands that a client may send at once; the bucket refills by one per second."""


class Stage(Enum):
    """Where a connection is in its life."""

    HANDSHAKE = auto()
    OPEN = auto()
    CLOSING = auto()
    """A goodbye is being written; commands are ignored."""
    LINGERING = auto()
    """All is written and our direction is shut; the client has yet to close its own."""


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
        "waits_until",
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
        # Bound once: a message to 1,000 members is 1,000 calls, and the attribute lookup shows.
        self._write = self.transport.write
        self.end = end
        self.stage = Stage.OPEN if context is None else Stage.HANDSHAKE
        self.bytes_in = 0
        self.bytes_out = 0
        self.waiting = 0
        """Bytes in the send queue."""
        self.unanswered = 0
        self.admitted = False
        """Whether it is authenticated; it stays so until its end. See `admit`."""
        self.username = ""
        """Whose it is, once it is admitted."""
        self.pages: dict[int, bytes] = {}
        """What workers have read for it, by number, until the hub has it written."""
        self.capabilities: frozenset[str] = frozenset()
        self.read_cost = 0.0
        """What the commands of the last `read` cost."""
        self.waits_until = 0.0
        """Until when it may wait for the host without signing in; 0 if it does not."""
        self.rate_limited_until = 0.0
        """It is not read before this time, as its token bucket is in debt; 0 for no limit."""
        self.live: set[str] = set()
        """The rooms whose new events it is handed."""
        self.brought = 0
        """Pages that were put into its send queue so far."""
        self.reports_drained = False
        """Whether the hub waits to hear that the send queue is below LOW_WATER."""
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
        self._bucket = TokenBucket(FIRST_COMMANDS, FIRST_RATE, now)
        self.has_undecoded = False
        """Whether there may be whole frames that were read and not decoded yet."""

    def handshake(self) -> bool:
        """One step of the TLS handshake; True when done. Raises OSError when it fails.

        The TLS object is made with the first byte: a silent connection costs no 45 KiB of heap.
        """
        if self._context is not None:
            self.transport.secure(self._context, server_side=True)
            self._context = None
        if self.transport.handshake():
            self.stage = Stage.OPEN
            return True
        return False

    def may_wait(self, seconds: float | None, now: float) -> None:
        """It may wait for the host for so long; with None it has to sign in, beginning now."""
        self.waits_until = 0.0 if seconds is None else now + seconds
        self._started = now

    def admit(self, now: float) -> None:
        """It is authenticated: the rate limit of members holds from now on."""
        self.admitted = True
        self.waits_until = 0.0
        self._bucket = TokenBucket(BURST, RATE, now)
        self.rate_limited_until = 0.0

    def read(self, now: float) -> Iterator[ToServer | Violation]:
        """Commands that arrived. Raises EOFError at the stream's end, OSError when it is reset.

        Ends early after _READ_AT_ONCE bytes, or as soon as a rate limit or back-pressure applies:
        `has_more` then tells that data is buffered here, for which no selector event will come.
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
        """The commands in it, up to the one after which a limit applies, if one does."""
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
        """Whether data is buffered here: no selector event will come for it."""
        return self.transport.more or (self.has_undecoded and self.stage is Stage.OPEN)

    @property
    def socket(self) -> socket.socket:
        """For a selector."""
        return self.transport.socket

    @property
    def readable(self) -> bool:
        """Whether to read on: not from a client that doesn't read its replies (back-pressure).

        Nor from one that is over its rate limit; see `rate_limited_until`.
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
        """Add bytes to the send queue. No copy: the same object may be in many queues."""
        if not self.waiting:
            self._progress = now
        self._send_queue.append(frames)
        self.waiting += len(frames)

    def flush(self, now: float) -> None:
        """Write as much as the socket takes. Raises OSError when the connection is lost."""
        while self.waiting:
            data = self._writing
            if data is None:
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
        """The next write: small pieces joined, as each write is a system call and a TLS record."""
        first = self._send_queue.popleft()
        if not self._send_queue or len(first) >= _WRITE:
            return first
        pieces, size = [first], len(first)
        while self._send_queue and size < _WRITE:
            pieces.append(self._send_queue.popleft())
            size += len(pieces[-1])
        return b"".join(pieces)

    def begin_closing(self, now: float) -> None:
        """Read and queue nothing more; what is queued is written, then our direction is shut."""
        self.stage = Stage.CLOSING
        self.rate_limited_until = 0.0
        self.has_undecoded = False
        self._closing_at = now

    def shut(self) -> None:
        """Everything is written: shut our direction, and linger until the client closes its own.

        To close at once could reset the connection and lose the goodbye on its way.
        """
        self.stage = Stage.LINGERING
        self.transport.shut()

    def violation(self, now: float) -> bool:
        """Count an invalid command; True when there were too many (a leaky bucket)."""
        self._violations = max(0.0, self._violations - (now - self._violations_at)) + 1
        self._violations_at = now
        return self._violations > _VIOLATIONS

    def overdue(self, now: float) -> str | None:
        """The code of the deadline that has passed, or None."""
        if self.stage is Stage.HANDSHAKE and now - self._started > HANDSHAKE_DEADLINE:
            return "no_handshake"
        if self.stage in {Stage.CLOSING, Stage.LINGERING}:
            return "closed" if now - self._closing_at > GOODBYE_DEADLINE else None
        if self.end.phase is not Phase.READY and not self.waits_until:
            # A client that waits for our reply is not to blame, but it can't always wait for one.
            patience = SIGN_IN_DEADLINE * (2 if self.unanswered else 1)
            if now - self._started > patience:
                return "no_sign_in"
        if self.waiting and now - self._progress > SILENCE_DEADLINE:
            return "stuck"
        # A connection that is not read would seem silent.
        if self.readable and now - self._heard > SILENCE_DEADLINE:
            return "silent"
        return None

    def close(self) -> None:
        """Close the socket."""
        self.transport.close()
