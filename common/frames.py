"""Frames: a 4-byte big-endian length, then that many bytes: one kind byte and the body.

Bytes in, frames out, with no I/O. The length is checked as soon as its four bytes are there,
before anything of that size is kept, so a peer can never make this end hold more than one
frame of the allowed size plus what one read brought.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

HEADER: Final = struct.Struct(">IB")
LENGTH: Final = struct.Struct(">I")
JSON: Final = ord("J")


class FrameError(Exception):
    """The peer's frame header is wrong; nothing after it can be understood."""


class Frame(NamedTuple):
    """One whole frame: its kind byte and its body."""

    kind: int
    body: bytes


def encode_frame(body: bytes, kind: int = JSON) -> bytes:
    """The bytes of one frame on the wire."""
    return HEADER.pack(len(body) + 1, kind) + body


class FrameDecoder:
    """Cuts a byte stream into frames, however the network split it.

    `limit` is the largest length accepted, in bytes; it may be raised between frames.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._buffer = bytearray()
        self._broken = False

    def feed(self, data: bytes) -> None:
        """Add received bytes; `frames` gives what they completed."""
        if not self._broken:
            self._buffer += data

    def frames(self) -> Iterator[Frame]:
        """Every frame complete by now. Raises FrameError on a header that breaks the rules.

        After that the decoder stays empty: the stream has lost its meaning.
        """
        start = 0
        try:
            while len(self._buffer) - start >= LENGTH.size:
                (length,) = LENGTH.unpack_from(self._buffer, start)
                if not 1 <= length <= self.limit:
                    raise self._break(f"a frame of {length} bytes; allowed are 1 to {self.limit}")
                if len(self._buffer) - start < HEADER.size:
                    break
                kind = self._buffer[start + LENGTH.size]
                if kind != JSON:
                    raise self._break(f"a frame of unknown kind 0x{kind:02x}")
                end = start + LENGTH.size + length
                if len(self._buffer) < end:
                    break
                body = bytes(memoryview(self._buffer)[start + HEADER.size : end])
                start = end
                yield Frame(kind, body)
        finally:
            # One move for many frames: deleting after each would copy the rest every time.
            del self._buffer[:start]

    @property
    def partial(self) -> bool:
        """True while part of a frame is waiting for the rest of it."""
        return bool(self._buffer)

    def _break(self, why: str) -> FrameError:
        self._broken = True
        self._buffer.clear()
        return FrameError(why)
