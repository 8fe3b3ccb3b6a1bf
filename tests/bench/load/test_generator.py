"""The load generator finds what a wrong server does, as its figures would be worth nothing."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.bench.load.generator import Figures, Generator, Load, TrialError
from tests.bench.load.seed import Seeds
from tests.bench.load.servers import Running, Server, servers

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None or not Path("/usr/include/openssl/ssl.h").exists(),
    reason="needs a C compiler and OpenSSL's headers",
)
SERVER = Server("a server in this test", "line", tls=False)
LOAD = Load(members=2, publishers=1, rate=500)
Change = Callable[[int, bytes], list[bytes]]
"""What is handed on in place of the line of this number."""


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    """Compiled once."""
    return Generator(tmp_path_factory.mktemp("load"))


def trial(generator: Generator, change: Change, load: Load = LOAD, warmup: float = 0) -> Figures:
    """Half a second with a server that hands the lines on with a change."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening, load.members, change))
        thread.start()
        running = Running(os.getpid(), listening.getsockname()[1])
        try:
            return generator.run(SERVER, running, load, warmup, seconds=0.5)
        finally:
            thread.join()


def serve(listening: socket.socket, members: int, change: Change) -> None:
    """Let all of them in, and hand what the first one says on to the others."""
    with ExitStack() as stack, suppress(OSError):
        clients = [stack.enter_context(listening.accept()[0]) for _ in range(members)]
        everyone = [stack.enter_context(client.makefile("rb")) for client in clients]
        for client, lines in zip(clients, everyone, strict=True):
            lines.readline()
            client.sendall(b"in\n")
        for number, line in enumerate(everyone[0]):
            for changed in change(number, line):
                for client in clients[1:]:
                    client.sendall(changed)


def test_a_right_server_is_without_fault(generator: Generator) -> None:
    """All that was sent is counted, and timed."""
    figures = trial(generator, lambda _, line: [line])
    assert figures.faults == 0
    assert figures.sent >= 200
    assert figures.delivery is not None
    assert figures.delivery.count == figures.sent


def test_lost_messages_are_counted(generator: Generator) -> None:
    """One in the midst, overtaken by those behind it."""
    figures = trial(generator, lambda number, line: [] if number == 50 else [line])
    assert (figures.lost, figures.disordered, figures.missing) == (1, 0, 0)


def test_repeated_messages_are_counted(generator: Generator) -> None:
    """The same line twice."""
    figures = trial(generator, lambda number, line: [line] * (2 if number == 50 else 1))
    assert (figures.lost, figures.disordered, figures.missing) == (0, 1, 0)


def test_reordered_messages_are_counted(generator: Generator) -> None:
    """One comes behind the next: the next has overtaken it, and it comes too late."""
    held: list[bytes] = []

    def swap(number: int, line: bytes) -> list[bytes]:
        if number == 50:
            held.append(line)
            return []
        return [line, held.pop()] if held else [line]

    figures = trial(generator, swap)
    assert (figures.lost, figures.disordered, figures.missing) == (1, 1, 0)


def test_who_stops_reading_is_not_missed(generator: Generator) -> None:
    """It counts until then and not any more; what the others don't get is missed as before."""
    load = replace(LOAD, members=4, stopped=1)
    figures = trial(generator, lambda _, line: [line], load, warmup=0.2)
    assert figures.faults == 0
    assert figures.demanded > 0
    assert figures.demanded % 2 == 0  # of each message to the two that still read
    figures = trial(generator, lambda number, line: [] if number == 50 else [line], load)
    assert (figures.lost, figures.missing) == (2, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"xxx", b"xyx"),
        (b"#000", b"#001"),
        (b"#000000032", b"#000999999"),
        (b"xxx", b"xx"),
    ],
    ids=["content", "publisher", "counter", "length"],
)
def test_what_nobody_sent_ends_the_trial(generator: Generator, old: bytes, new: bytes) -> None:
    """A damaged line is no delivery."""

    def damage(number: int, line: bytes) -> list[bytes]:
        return [line.replace(old, new, 1) if number == 50 else line]

    with pytest.raises(TrialError, match="that nobody"):
        trial(generator, damage)


@pytest.mark.parametrize(
    "load",
    [
        Load(members=4, publishers=2, window=4),
        Load(members=4, publishers=2, window=4, known=True, history=60, behind=40),
        Load(members=8, publishers=4, rooms=4, window=8, known=True),
    ],
    ids=["joining", "catching up", "rooms"],
)
def test_a_real_server_is_without_fault(generator: Generator, load: Load, tmp_path: Path) -> None:
    """Ours and the generator speak the same protocol, each by its own hand."""
    ours = next(server for server in servers() if server.ours and server.tls)
    prepare = None if load.seed is None else partial(Seeds(tmp_path).put, load.seed)
    with ours.start(tmp_path / "server", tmp_path / "no certificate", prepare) as running:
        figures = generator.run(ours, running, load, warmup=0, seconds=0.3)
    assert figures.faults == 0
    assert figures.sent > 0  # and what is not at all of its members in the end is missing
    assert (figures.catch_up is not None) == (load.behind > 0)
