"""Clients that are mute, stuck or deaf are their own problem: nobody else waits for them."""

import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from common import messages
from common.frames import LENGTH
from common.messages import Ack
from common.protocol import encode
from common.tls import client_context
from tests.end_to_end.harness import House, Server
from tests.end_to_end.wire import Raw, Session, contiguous

AT_ONCE = 2.0
"""Seconds in which a message must arrive; it takes milliseconds on an idle machine."""
MESSAGES = 20_000
ROUNDS = 20


def _talk(server: Server, rounds: int) -> float:
    """Two well-behaved people talk; the longest delay of a message, in seconds."""
    longest = 0.0
    with Session(server.join, "ada") as ada, Session(server.join, "ben") as ben:
        ben.everything()
        for number in range(rounds):
            started = time.monotonic()
            ada.say(f"round {number}")
            ada.expect(Ack, AT_ONCE)
            ben.hear(f"round {number}", AT_ONCE)
            longest = max(longest, time.monotonic() - started)
    return longest


def _hello_of_a_handshake() -> bytes:
    """The first bytes that a TLS client sends."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context().wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


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
    hello = _hello_of_a_handshake()
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


def test_who_never_reads_is_caught_up_when_it_reads(house: House) -> None:
    """20,000 messages pass while one client reads nothing: all else goes on at once.

    When it reads at last, everything is there: one contiguous run.
    """
    server = house.server("--log-level", "debug")
    with (
        Session(server.join, "deaf", receive_buffer=4096) as deaf,
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
        server.child.complaint("ClientSlow(connection=1, slow=True)")  # Its queue was cut off.
        assert contiguous(ben.events)
        assert len(ben.events) == 4 + MESSAGES + ROUNDS
        deaf.hear(f"round {ROUNDS - 1}")
        assert deaf.events == ben.events
        # And it is as good a member as before.
        deaf.say("I hear you")
        assert ben.hear("I hear you").seq == len(deaf.events) + 1


def test_who_asks_and_never_reads_its_answers_has_to_wait(server: Server) -> None:
    """It is left unread once too many answers wait for it; others are not held up.

    When it reads, every command has its answer, in order.
    """
    commands = 40_000
    room = f"dm:{'a' * 32}:{'b' * 32}"
    with Session(server.join, "deaf", receive_buffer=4096) as deaf:
        asked = b"".join(
            encode(messages.Sync(id=number, positions={room: 0}))
            for number in range(1, commands + 1)
        )
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
