"""The acceptor at the bound of open files: it waits, says so once, and leaves some to others."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import cast

import pytest

from chat_server.net import acceptor as module
from chat_server.net import descriptors
from chat_server.net.acceptor import Acceptor, listen
from chat_server.net.descriptors import check_room, out_of_files
from chat_server.net.io_thread import IoThread
from common.domain.reasons import Reason
from common.domain.sentences import sentence

DEADLINE = 10.0
PAUSE = 0.02


class Taken:
    """Stands for the I/O thread: what it was handed."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self.came = threading.Semaphore(0)

    def adopt(self, _number: int, sock: socket.socket, _address: str) -> None:
        """A connection."""
        self.sockets.append(sock)
        self.came.release()


class Door:
    """An acceptor, and what it gives and says."""

    def __init__(self) -> None:
        self.taken = Taken()
        self.said: list[Reason] = []
        self.full = threading.Event()
        listening = listen("127.0.0.1", 0)
        self.address = listening.getsockname()
        self._acceptor = Acceptor(listening, [cast("IoThread", self.taken)], full=self._is_full)
        self._clients = ExitStack()
        self._acceptor.start()

    def knock(self) -> None:
        """One more client."""
        self._clients.enter_context(socket.create_connection(self.address, timeout=DEADLINE))

    def lets_in(self) -> bool:
        """Whether the next one is let in."""
        return self.taken.came.acquire(timeout=DEADLINE)

    def close(self) -> None:
        """End all of it."""
        self._acceptor.stop()
        self._clients.close()
        for sock in self.taken.sockets:
            sock.close()

    def _is_full(self, why: Reason) -> None:
        self.said.append(why)
        self.full.set()


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", PAUSE)


@pytest.fixture
def door(_short_pauses: None) -> Iterator[Door]:
    """An open door."""
    made = Door()
    yield made
    made.close()


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS])
def test_without_descriptors_it_waits(
    door: Door, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """It asks again after pauses rather than at once, says so once, and then goes on."""
    looks = 0
    enough = threading.Event()
    accept = socket.socket.accept

    def fail(*_: object) -> None:
        nonlocal looks
        looks += 1
        if looks == 6:
            enough.set()
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(socket.socket, "accept", fail)
    monkeypatch.setattr(Acceptor, "_look_for_room", fail)
    began = time.monotonic()
    door.knock()
    door.knock()
    assert enough.wait(DEADLINE)
    assert time.monotonic() - began >= 4 * PAUSE
    assert len(door.said) == 1
    assert door.taken.sockets == []
    monkeypatch.setattr(socket.socket, "accept", accept)
    monkeypatch.setattr(Acceptor, "_look_for_room", lambda _: None)
    assert door.lets_in()
    assert door.lets_in()


def test_it_can_be_stopped_while_it_waits(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the pause is."""
    monkeypatch.setattr(module, "PAUSE", 1000.0)

    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket.socket, "accept", fail)
    door.knock()
    assert door.full.wait(DEADLINE)


@pytest.mark.usefixtures("_short_pauses")
def test_some_are_left_to_the_rest_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who connected last is let in, and the next one waits until somebody has left."""
    monkeypatch.setattr(module, "first_reserved", lambda: 0)  # whatever this process has open
    door = Door()
    try:
        door.knock()
        assert door.lets_in()
        assert door.full.wait(DEADLINE)
        door.knock()
        # The system takes it, and nobody is told that it came.
        assert not door.taken.came.acquire(timeout=5 * PAUSE)
        door._acceptor._reserved = 1 << 20
        assert door.lets_in()
        assert len(door.said) == 1
    finally:
        door.close()


@pytest.mark.skipif(sys.platform == "win32", reason="sockets are no files there")
def test_a_server_needs_some_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those are asked for before anything is made, and all are given back."""
    held: list[int] = []
    real = os.open

    def limited(path: str, flags: int) -> int:
        if len(held) == descriptors.RESERVE:
            raise OSError(errno.EMFILE, "Too many open files")
        held.append(real(path, flags))
        return held[-1]

    before = os.dup(0)
    os.close(before)
    monkeypatch.setattr(os, "open", limited)
    with pytest.raises(OSError, match="Too many") as raised:
        check_room()
    monkeypatch.undo()
    after = os.dup(0)
    os.close(after)
    assert after == before
    check_room()
    here = out_of_files(raised.value)
    assert here.code == "out_of_files_here"
    assert "ulimit -n" in sentence(here)
    elsewhere = out_of_files(OSError(errno.ENFILE, "Too many open files in system"))
    assert elsewhere == Reason("out_of_files")
