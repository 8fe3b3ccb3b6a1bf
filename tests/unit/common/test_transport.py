"""The transport of both programs: all that came is read, within a budget; nothing is lost."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import cast

import pytest

from chat_server.identity import load_identity
from common.system.tls import client_context, server_context
from common.system.transport import Transport
from common.system.waker import Waker

RECORD = 16 * 1024
PIECE = 64 * 1024
PLENTY = 1 << 30


@cache
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's and the client's side of TLS, made once."""
    return server_context(load_identity(Path(mkdtemp())).path), client_context()


class Pair:
    """Both ends of a connection; the other end of `ours` is `theirs`."""

    def __init__(self, *, tls: bool) -> None:
        ends = socket.socketpair()
        for end in ends:
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.ours, self.theirs = map(Transport, ends)
        if tls:
            server, client = contexts()
            self.ours.secure(server, server_side=True)
            self.theirs.secure(client, server_side=False)
            while not all([self.theirs.handshake(), self.ours.handshake()]):
                pass

    def close(self) -> None:
        """Let go of both."""
        self.ours.close()
        self.theirs.close()


@pytest.fixture(params=[True, False], ids=["tls", "plaintext"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """With encryption and without."""
    made = Pair(tls=request.param)
    yield made
    made.close()


@pytest.fixture
def encrypted() -> Iterator[Pair]:
    """With encryption."""
    made = Pair(tls=True)
    yield made
    made.close()


def test_records_that_are_there_are_read_at_once(encrypted: Pair) -> None:
    """However many: full ones, short ones, in any order; and then it knows that it has all."""
    sizes = [RECORD, RECORD, RECORD, 1, 100, RECORD, 1, 1]
    for size in sizes:
        assert encrypted.theirs.write(b"x" * size) == size
    assert [len(piece) for piece in encrypted.ours.pieces(PIECE, PLENTY)] == sizes
    assert not encrypted.ours.more


def test_a_budget_ends_it_and_tells_that_there_may_be_more(pair: Pair) -> None:
    """Also in the midst of a record, of which no selector would announce the rest."""
    data = bytes(range(256)) * 256
    assert pair.theirs.write(data) == len(data)
    size = 4000
    read = b""
    turns = 0
    while not turns or pair.ours.more:
        turn = list(pair.ours.pieces(size, 3 * size))
        assert sum(map(len, turn)) < 4 * size
        read += b"".join(turn)
        turns += 1
    assert read == data
    assert turns >= len(data) // (3 * size)


def test_what_is_left_when_reading_is_broken_off_is_not_forgotten(pair: Pair) -> None:
    """Whoever has enough after the first piece is told that there may be more."""
    pair.theirs.write(b"x" * 3 * RECORD)
    first = next(iter(pair.ours.pieces(1000, PLENTY)))
    assert len(first) == 1000
    assert pair.ours.more
    assert sum(map(len, pair.ours.pieces(1000, PLENTY))) == 3 * RECORD - 1000
    assert not pair.ours.more


def test_nothing_there_is_no_end(pair: Pair) -> None:
    """Neither more nor less."""
    assert list(pair.ours.pieces(PIECE, PLENTY)) == []
    assert (pair.ours.more, pair.ours.wants_write) == (False, False)


def test_what_the_system_does_not_take_is_written_later(pair: Pair) -> None:
    """With the kernel's buffers full a write takes nothing, and then goes on where it was."""
    data = memoryview(bytes(range(256)) * (64 * 1024))
    left = data
    while written := pair.ours.write(left):
        left = left[written:]
    assert left
    read = bytearray()
    while len(read) < len(data):
        before = len(read)
        for piece in pair.theirs.pieces(PIECE, PLENTY):
            read += piece
        written = pair.ours.write(left) if left else 0
        left = left[written:]
        assert written or len(read) > before
    assert bytes(read) == data


def test_half_closed_it_still_reads(pair: Pair) -> None:
    """Who has said that nothing follows is heard to the end, and hears what is still said."""
    pair.theirs.write(b"the last words")
    pair.theirs.shut()
    assert pair.ours.write(b"goodbye") == 7
    assert list(pair.theirs.pieces(PIECE, PLENTY)) == [b"goodbye"]
    pieces = pair.ours.pieces(PIECE, PLENTY)
    assert next(pieces) == b"the last words"
    with pytest.raises((EOFError, ssl.SSLEOFError)):
        next(pieces if pair.ours.is_secure else pair.ours.pieces(PIECE, PLENTY))


def test_a_connection_that_broke_off_raises(pair: Pair) -> None:
    """What has arrived comes before that."""
    pair.theirs.close()
    with pytest.raises((EOFError, OSError)):
        list(pair.ours.pieces(PIECE, PLENTY))
    with pytest.raises(OSError, match=r"."):
        all(iter(lambda: pair.ours.write(b"x"), 0))


class Renegotiating:
    """Stands in for a TLS socket that has to write before it can read."""

    def __init__(self) -> None:
        self.blocked = True

    def recv(self, _size: int) -> bytes:
        """Something, once it could write."""
        if self.blocked:
            raise ssl.SSLWantWriteError
        raise ssl.SSLWantReadError


def test_tls_that_has_to_write_before_it_reads_says_so() -> None:
    """Until it could; the reader is not sent round in circles meanwhile."""
    sock = Renegotiating()
    transport = Transport(cast("socket.socket", sock))
    assert list(transport.pieces(PIECE, PLENTY)) == []
    assert (transport.more, transport.wants_write) == (False, True)
    sock.blocked = False
    assert list(transport.pieces(PIECE, PLENTY)) == []
    assert (transport.more, transport.wants_write) == (False, False)


def test_a_waker_that_is_closed_wakes_nobody() -> None:
    """Nor does it fail; and many wakes are one."""
    waker = Waker()
    for _ in range(100_000):
        waker.wake()
    assert waker.receiver.recv(10) == b"\0"
    waker.clear()
    waker.wake()
    assert waker.receiver.recv(10) == b"\0"
    waker.close()
    waker.wake()
