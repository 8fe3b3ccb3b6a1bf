"""Clients that are mute, stuck or deaf are their own problem: nobody else waits for them."""

import signal
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from common.limits import TEXT_BYTES
from common.protocol import messages
from common.protocol.codec import encode
from common.protocol.frames import LENGTH
from common.protocol.messages import Ack
from tests.events import send
from tests.process.harness import DEADLINE, House, Server, wait_until
from tests.process.wire import Raw, Session, client_hello, contiguous

AT_ONCE = 2.0
"""Seconds in which a message must arrive; it takes milliseconds on an idle machine."""
READERS = 2
"""Threads of the server that open the log's own file when they first read."""
RECEIVE_BUFFER = 64 * 1024
"""Bytes of a client that reads nothing, so that it is soon noticed. With 4 KiB its window may end
up smaller than the server's segments; from then on Linux sends one for each persist timer (200 ms),
however eagerly the client reads."""
MESSAGES = 20_000
ROUNDS = 20
GROWTH = 16 * 1024 * 1024
"""Bytes that a client which reads nothing may cost; its outbox is 1 MiB."""


def _talk(server: Server, rounds: int, names: tuple[str, str] = ("ada", "ben")) -> float:
    """Two well-behaved people join and talk; the longest delay of a message, in seconds."""
    longest = 0.0
    with Session(server.join, names[0]) as ada, Session(server.join, names[1]) as ben:
        ben.everything()
        for number in range(rounds):
            started = time.monotonic()
            ada.say(f"round {number}")
            ada.expect(Ack, AT_ONCE)
            ben.hear(f"round {number}", AT_ONCE)
            longest = max(longest, time.monotonic() - started)
    return longest


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What is opened on it is closed after the test."""
    with ExitStack() as stack:
        yield stack


def test_mute_and_stuck_clients_hold_up_nobody(server: Server, stack: ExitStack) -> None:
    """No byte, a handshake that stops, a frame that stops: others talk on, at once.

    Who does not shake hands within 5 seconds is hung up on.
    """
    address = (server.join.hosts[0], server.port)
    started = time.monotonic()
    mute = [stack.enter_context(socket.create_connection(address)) for _ in range(10)]
    hello = client_hello()
    for cut in (1, 5, len(hello) // 2, len(hello)):
        stuck = stack.enter_context(socket.create_connection(address))
        stuck.sendall(hello[:cut])
        mute.append(stuck)
    babble = stack.enter_context(socket.create_connection(address))
    babble.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    silent = stack.enter_context(Raw(server.join))
    half_header = stack.enter_context(Raw(server.join))
    half_header.transmit(b"\x00\x00")
    half_frame = stack.enter_context(Raw(server.join))
    half_frame.transmit(LENGTH.pack(4096) + b'J{"type":"hello"')
    assert _talk(server, 50) < AT_ONCE
    for connection in mute:
        connection.settimeout(10)
        with suppress(ConnectionError):
            while connection.recv(65536):
                pass  # The server's part of the handshake, at most.
    assert time.monotonic() - started < 10
    # These are past their handshake and have half a minute to sign in.
    for raw in (silent, half_header, half_frame):
        raw.socket.settimeout(0.01)
        with pytest.raises(TimeoutError):
            raw.socket.recv(1)


def test_a_crowd_that_means_no_good(server: Server, stack: ExitStack) -> None:
    """Hundreds that are mute, stuck, slow or noisy: who means well comes in and talks.

    Afterwards the server holds nothing of them any more.
    """
    address = (server.join.hosts[0], server.port)
    pid = server.child.process.pid
    hello = client_hello()
    _talk(server, 1, ("cleo", "dan"))
    before = _open_files(pid)
    crowd = [
        *[b""] * 300,
        *[hello[: len(hello) // 2]] * 25,
        *[hello] * 25,
        *[b"\x80" + hello] * 10,
        *[b"\x16\x03\x01\x02\x00" + bytes(512)] * 10,
    ]
    for first in crowd:
        stack.enter_context(_attacker(address)).sendall(first)
    slow = [stack.enter_context(_attacker(address)) for _ in range(20)]
    for number, byte in enumerate(hello[:20]):
        for each in slow:
            with suppress(ConnectionError):  # It may have been hung up on.
                each.sendall(bytes([byte]))
        with Session(server.join, f"good{number}", new=True) as good:
            good.say_all("I mean well.")
    _talk(server, 20)
    wait_until(lambda: _open_files(pid) <= before + READERS, "the end of all of them", 40)


def _attacker(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, timeout=DEADLINE)


def _open_files(pid: int) -> int:
    """Of a process; 0 where the system does not tell."""
    folder = Path(f"/proc/{pid}/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_who_never_reads_is_caught_up_when_it_reads(house: House) -> None:
    """20,000 messages pass while one client reads nothing: all else goes on at once.

    When it reads at last, everything is there: one contiguous run.
    """
    server = house.server("--log-level", "debug")
    with (
        Session(server.join, "deaf", receive_buffer=RECEIVE_BUFFER) as deaf,
        Session(server.join, "flood") as flood,
        Session(server.join, "ada") as ada,
        Session(server.join, "ben") as ben,
    ):
        deaf.follow()
        ben.everything()
        longest = 0.0
        for number in range(ROUNDS):
            for start in range(0, MESSAGES // ROUNDS, 250):
                flood.say_all(*(f"{number} {start + n} ".ljust(200, ".") for n in range(250)))
            started = time.monotonic()
            ada.say(f"round {number}")
            ada.expect(Ack, AT_ONCE)
            ben.hear(f"round {number}", AT_ONCE)
            longest = max(longest, time.monotonic() - started)
        assert longest < AT_ONCE
        server.child.complaint("ClientSlow connection=1 slow=True")  # Its queue was cut off.
        assert contiguous(ben.events)
        assert len(ben.events) == 4 + MESSAGES + ROUNDS
        deaf.hear(f"round {ROUNDS - 1}")
        assert deaf.events == ben.events
        # And it is as good a member as before.
        deaf.say("I hear you")
        assert ben.hear("I hear you").seq == len(deaf.events) + 1


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told by /proc")
def test_what_a_deaf_client_costs_is_bounded(server: Server) -> None:
    """While 32 MiB are said that one client does not read, the server's memory hardly grows."""
    pid = server.child.process.pid
    with (
        Session(server.join, "deaf", receive_buffer=RECEIVE_BUFFER) as deaf,
        Session(server.join, "ada") as ada,
    ):
        deaf.follow()
        _say_mebibytes(ada, 18)  # Until the database's cache of pages is full.
        deaf.hear("The end.")
        before = _memory(pid)
        _say_mebibytes(ada, 32)
        assert _memory(pid) - before < GROWTH
        deaf.hear("The end.")
        assert contiguous(deaf.events)


def _say_mebibytes(session: Session, count: int) -> None:
    for _ in range(count):
        session.say_all(*["x" * TEXT_BYTES] * (1024 * 1024 // TEXT_BYTES))
    session.say_all("The end.")


def _memory(pid: int) -> int:
    """Bytes of memory that a process has in use."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)


def test_who_asks_and_never_reads_its_answers_has_to_wait(server: Server) -> None:
    """It is left unread once too many answers wait for it; others are not held up.

    When it reads, every command has its answer, in order.
    """
    commands = 40_000
    room = f"dm:{'a' * 32}:{'b' * 32}"
    with Session(server.join, "deaf", receive_buffer=RECEIVE_BUFFER) as deaf:
        asked = b"".join(encode(send(number, "x", room=room)) for number in range(1, commands + 1))
        deaf.socket.setblocking(False)
        rest = _write(deaf, memoryview(asked))
        assert _talk(server, 50) < AT_ONCE
        answered = 0
        while answered < commands:
            rest = _write(deaf, rest)
            message = deaf.message()
            if isinstance(message, messages.Error):
                answered += 1
                assert (message.re, message.code) == (answered, "no_such_room")
            deaf.socket.setblocking(False)


def _write(session: Session, data: memoryview) -> memoryview:
    """Write what the network takes, from a session that does not block; the rest."""
    try:
        while data:
            data = data[session.socket.send(data[:16384]) :]
    except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
        pass
    return data


def test_a_stopped_listener_is_caught_up_when_it_goes_on(house: House) -> None:
    """A computer that slept: its program hears everything, and the others did not wait."""
    server = house.server("--log-level", "debug")
    listener = house.client(server, "ada").listen()
    assert listener.event().kind == "join"
    with Session(server.join, "ben") as ben:
        listener.process.send_signal(signal.SIGSTOP)
        for start in range(0, 3000, 100):
            ben.say_all(*(f"{start + n} ".ljust(4000, ".") for n in range(100)))
        server.child.complaint("slow=True")
        listener.process.send_signal(signal.SIGCONT)
        texts = [text.rstrip(". ") for text in listener.texts(3000)]
        assert texts == [str(number) for number in range(3000)]
        ben.say_all("awake?")
        assert listener.texts(1) == ["awake?"]
        assert contiguous(listener.heard)
