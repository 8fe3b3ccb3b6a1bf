"""Frames: a 4-byte big-endian length, then that many bytes: one kind byte and the body.

Bytes in, frames out, with no I/O. The length is checked as soon as its four bytes are there,
before anything of that size is kept, so a peer can never make this end hold more than one
frame of the allowed size plus what one read brought.
"""

import struct
from collections.abc import Generator
from typing import Final

HEADER: Final = struct.Struct(">IB")
LENGTH: Final = struct.Struct(">I")
JSON: Final = ord("J")
_KINDS: Final = (b"", bytes((JSON,)))
"""A valid header's fifth byte, which may not be here yet."""


class FrameError(Exception):
    """The peer's frame header is invalid: framing is lost, and the connection must be closed."""


def encode_frame(body: bytes, kind: int = JSON) -> bytes:
    """The bytes of one frame on the wire."""
    return HEADER.pack(len(body) + 1, kind) + body


class FrameDecoder:
    """Splits a byte stream into frames, however the network has fragmented it.

    `limit` is the largest length accepted, in bytes; it may be raised between frames.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._rest = b""
        self._broken = False

    def frames(self, data: bytes) -> Generator[bytes, None, None]:
        """The body of every frame that `data` completes. Raises FrameError on an invalid header.

        After that the decoder yields nothing more, as framing is lost. Iterate it to its end, or
        close it, before the next call; frames left over then come with that.
        """
        if self._broken:
            return
        # The rest is less than a frame and nearly always empty: copying it once per read is cheaper
        # than a ring buffer or a list of chunks would be.
        buffer = self._rest + data if self._rest else data
        start = 0
        try:
            while len(buffer) - start >= LENGTH.size:
                (length,) = LENGTH.unpack_from(buffer, start)
                kind = buffer[start + LENGTH.size : start + HEADER.size]
                if not 1 <= length <= self.limit or kind not in _KINDS:
                    self._broken, start = True, len(buffer)
                    raise FrameError(self._wrong(length, kind))
                end = start + LENGTH.size + length
                if len(buffer) < end:
                    break
                body = buffer[start + HEADER.size : end]
                start = end
                yield body
        finally:
            self._rest = buffer[start:]

    @property
    def partial(self) -> bool:
        """True while a part of a frame is buffered."""
        return bool(self._rest)

    def _wrong(self, length: int, kind: bytes) -> str:
        """Why a header is invalid, as far as it has arrived."""
        if not 1 <= length <= self.limit:
            return f"a frame of {length} bytes; allowed are 1 to {self.limit}"
        return f"a frame of unknown kind 0x{kind.hex()}"
