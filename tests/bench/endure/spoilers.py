"""Attackers that get through the TLS handshake, each in a thread of its own."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from common import limits
from common.domain.invite import Invite
from common.protocol import messages
from common.protocol.codec import RemoteProtocolError, encode
from common.protocol.frames import LENGTH, encode_frame
from common.protocol.messages import Goodbye, Pong, Welcome
from tests.process.wire import HungUpError, Raw, Session

_HELLO: Final = encode(messages.Hello(id=1, protocol=limits.PROTOCOL_VERSION, program="spoiler"))
_PING: Final = b'{"type":"ping","id":77}'
_BROKEN: Final = (HungUpError, OSError)
_SHORT: Final = 0.2
"""Seconds until one that was not let in tries again."""


def padded(length: int, body: bytes) -> bytes:
    """A frame whose length field says `length`; white space around JSON means nothing."""
    return encode_frame(body.ljust(length - 1))


def noise(size: int) -> bytes:
    """Random bytes, no two times the same."""
    return random.randbytes(size)  # noqa: S311 (noise is no secret)


class Whisperers:
    """They shake hands and then say hello in a frame of 4 KiB, a byte a second."""

    def __init__(self, invite: Invite, until: float, count: int) -> None:
        self.count: Counter[str] = Counter()
        self._invite = invite
        self._until = until
        self._raws: list[Raw | None] = [None] * count
        self._said = [0] * count
        self._frame = padded(limits.FRAME_BEFORE_SIGN_IN, _HELLO[5:])

    def run(self) -> None:
        """Until the time is over."""
        while time.monotonic() < self._until:
            for number in range(len(self._raws)):
                if time.monotonic() < self._until:
                    self._whisper(number)
            time.sleep(max(0.0, min(1.0, self._until - time.monotonic())))
        for raw in self._raws:
            if raw is not None:
                raw.close()

    def _whisper(self, number: int) -> None:
        raw = self._raws[number]
        try:
            if raw is None:
                self._raws[number] = Raw(self._invite)
                self._said[number] = 0
                self.count["a byte a second, in TLS: came"] += 1
                return
            raw.transmit(self._frame[self._said[number] :][:1])
            self._said[number] += 1
        except _BROKEN:
            if raw is not None:
                raw.close()
                self._raws[number] = None
            self.count["a byte a second, in TLS: hung up on"] += 1


class Frames:
    """Frames at every limit, before signing in and after it; and what the server makes of them."""

    def __init__(self, invite: Invite, until: float, username: str) -> None:
        self.count: Counter[str] = Counter()
        self._invite = invite
        self._until = until
        self._username = username
        self._token: str | None = None

    def run(self) -> None:
        """Until the time is over."""
        while time.monotonic() < self._until:
            self._try("the longest hello", self._longest_hello)
            self._try("the longest ping", self._longest_ping)
            for limit, who, come in (
                (limits.FRAME_BEFORE_SIGN_IN, "a stranger", self._stranger),
                (limits.FRAME_JSON, "a member", self._member),
            ):
                for what, bad in _fatal_frames(limit).items():
                    self._try(f"{what} by {who}", partial(_fatal, come, bad))

    def _try(self, what: str, attack: Callable[[], str]) -> None:
        """Make an attack; it tells what was wrong about the answer, if anything was."""
        if time.monotonic() >= self._until:
            return
        try:
            wrong = attack()
        except _BROKEN:
            self.count["frames: not let in"] += 1
            time.sleep(_SHORT)
            return
        except (AssertionError, RemoteProtocolError) as error:
            wrong = f"{error}"
        self.count[f"frames: WRONG: {what}: {wrong}" if wrong else "frames: rightly answered"] += 1

    def _longest_hello(self) -> str:
        """The longest frame that a stranger may send is understood."""
        with self._stranger() as raw:
            raw.transmit(padded(limits.FRAME_BEFORE_SIGN_IN, _HELLO[5:]))
            raw.end.send(messages.Hello(id=1, protocol=limits.PROTOCOL_VERSION, program="spoiler"))
            message = raw.message()
            return "" if isinstance(message, Welcome) else f"{message}"

    def _longest_ping(self) -> str:
        """So is the longest that a member may send."""
        with self._member() as session:
            session.transmit(padded(limits.FRAME_JSON, _PING))
            return "" if session.expect(Pong).re == 77 else "another pong"

    def _stranger(self) -> Raw:
        return Raw(self._invite)

    def _member(self) -> Session:
        session = Session(self._invite, self._username, self._token)
        self._token = session.token
        return session


def _fatal_frames(limit: int) -> dict[str, bytes]:
    """What ends a connection, where frames may have so many bytes."""
    return {
        "an empty frame": LENGTH.pack(0),
        "the header of a frame too long by one": LENGTH.pack(limit + 1),
        "a frame too long by one": padded(limit + 1, _PING),
        "a frame of 2 GiB": LENGTH.pack(2**31),
        "the longest length": LENGTH.pack(2**32 - 1),
        "random bytes": b"\x80" + noise(2000),
    }


def _fatal(come: Callable[[], Raw], bad: bytes) -> str:
    """A bad frame is answered with the end."""
    with come() as raw:
        with suppress(OSError):  # It may hang up before it has read all of it.
            raw.transmit(bad)
        said = raw.to_the_end()
        last = said[-1] if said else None
        return "" if isinstance(last, Goodbye) and last.code == "violation" else f"{last}"
