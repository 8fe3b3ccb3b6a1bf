"""The I/O thread's turns, taken one by one: what each does, and that it waits if it can do nothing.

The I/O thread's code and the sockets are real; the test takes the turns, and plays hub and clients.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from chat_server.hub.queue import Received
from chat_server.net import io_thread as io_module
from chat_server.net import send_queues as send_queues_module
from chat_server.net.connection import (
    BURST,
    FIRST_COMMANDS,
    FIRST_RATE,
    RATE,
    SEND_QUEUE_LIMIT,
    UNANSWERED_LIMIT,
    Connection,
    Stage,
)
from chat_server.net.unauthenticated import UnauthenticatedConnections
from chat_server.rate_limit import TokenBucket, cost
from chat_server.rules import effects, inputs
from common.limits import PRESENCE
from common.protocol import messages
from common.protocol.codec import ClientEnd, ServerEnd
from common.protocol.events import Event
from tests.events import cid_of, send
from tests.unit.chat_server.net.test_io import SENT_BY_SOMEBODY_GONE, event, fanout, spoken
from tests.unit.chat_server.net.turns import (
    ENOUGH,
    PLENTY,
    Turns,
    drain,
    person,
    signed_in,
)
from tests.unit.common.test_transport import Pair


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Turns]:
    """An I/O thread whose turns the test takes."""
    made = Turns(monkeypatch)
    yield made
    made.close()


def blocked(turns: Turns) -> tuple[Connection, socket.socket, ClientEnd]:
    """A client that takes nothing more while much waits for it."""
    connection, client, end = turns.sign_in()
    turns.io.post([turns.page(connection.number, PLENTY)])
    turns.turn(ENOUGH)
    assert connection.waiting
    return connection, client, end


# Waiting


def test_with_nothing_to_do_it_waits(turns: Turns) -> None:
    """Nobody there, then somebody who is silent, then somebody who is in."""
    assert turns.rests()
    turns.connect()
    assert turns.rests()
    turns.sign_in()
    assert turns.rests()


def test_who_takes_nothing_makes_no_turns(turns: Turns) -> None:
    """Much waits, nothing can be written: that is no work. Then it is, and all of it arrives."""
    connection, client, _ = blocked(turns)
    assert turns.rests()
    data = b""
    while connection.waiting:
        data += drain(client)
        turns.turn()
    assert data + drain(client) == PLENTY
    assert turns.rests()


def test_a_hub_that_goes_on_and_on_keeps_no_turn(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It posts more while its effects are carried out: that is for the turns after this one."""
    connection, client, end = turns.sign_in()
    carry_out, left = turns.io._out.carry_out, 4

    def more(effect: effects.IoEffect, now: float) -> None:
        nonlocal left
        carry_out(effect, now)
        if left:
            left -= 1
            connection.unanswered += 1
            turns.io.post([effects.Tell(connection.number, messages.Pong(re=left + 1))])

    monkeypatch.setattr(turns.io._out, "carry_out", more)
    connection.unanswered += 1
    turns.io.post([effects.Tell(connection.number, messages.Pong(re=5))])
    for expected in (5, 4, 3, 2, 1):
        turns.turn()
        assert turns.heard(client, end) == [messages.Pong(re=expected)]
    assert turns.rests()


def test_news_for_who_takes_nothing_make_no_turns(turns: Turns) -> None:
    """What may wait a moment is tried after it, and then left to the selector."""
    connection, _, _ = blocked(turns)
    turns.io.post([effects.TellEveryone(person("bob"))])
    turns.io.post([effects.GoLive(connection.number, "general"), fanout(spoken(1))])
    turns.turn(ENOUGH)
    while turns.io._out._presence_queue:
        turns.turn()
    assert turns.rests()


def test_who_has_to_wait_for_answers_makes_no_turns(turns: Turns) -> None:
    """A member that asks more than may be open, and goes on asking: not one command more is read.

    What came in the same bytes is there as soon as it is answered.
    """
    member, client, end = turns.sign_in()
    turns.told()
    frames = end.send(send(7)) * 50
    asked = 0
    while member.readable:
        client.send(frames)
        asked += 50
        turns.turn()
    client.send(frames)
    assert turns.rests()
    assert member.unanswered == UNANSWERED_LIMIT
    assert commands(turns) == UNANSWERED_LIMIT
    refusal = messages.refusal("busy", re=7)
    turns.io.post([effects.Tell(member.number, refusal)] * UNANSWERED_LIMIT)
    turns.turn(ENOUGH)
    assert commands(turns) == asked + 50 - UNANSWERED_LIMIT


def test_what_was_read_is_not_forgotten_while_much_waits(turns: Turns) -> None:
    """Its turn to be read on comes while its outbox is full, which is written in a later turn."""
    member, client, end = turns.sign_in()
    turns.told()
    member.unanswered = UNANSWERED_LIMIT - 10
    client.send(end.send(send(7)) * 30)
    turns.turn(2)
    assert commands(turns) == 10
    member.unanswered = 0
    turns.io._unread[member.number] = member
    member.waiting += (
        SEND_QUEUE_LIMIT + 1
    )  # as if much had been put there, and not been written yet
    member.interest |= selectors.EVENT_READ
    turns.turn()
    assert commands(turns) == 0
    member.waiting -= SEND_QUEUE_LIMIT + 1
    turns.io.post([effects.Tell(member.number, messages.Pong(re=7))])
    turns.turn(3)
    assert commands(turns) == 20


def commands(turns: Turns) -> int:
    """How many commands the hub got since it was last asked."""
    return sum(len(item.commands) for item in turns.told() if isinstance(item, Received))


class Clock:
    """In place of `time`, for an I/O thread: it goes on as a test has it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now


def test_who_has_not_signed_in_may_ask_a_few_things_only(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many pings come at once: a handful is read, then one every other second."""
    clock = Clock()
    monkeypatch.setattr(io_module, "time", clock)
    stranger, client, end = turns.greet()
    stranger._bucket = TokenBucket(FIRST_COMMANDS, FIRST_RATE, clock.now)
    turns.told()
    client.send(end.send(messages.Ping(id=7)) * 140)
    assert turns.rests()
    assert commands(turns) == FIRST_COMMANDS + 1
    for _ in range(5):
        clock.now += 1 / FIRST_RATE
        turns.turn(5)
        assert commands(turns) == 1
        assert turns.rests()
    assert stranger.overdue(clock.now) is None
    # Once it is in, the rest comes at once.
    turns.io.post([effects.Tell(stranger.number, messages.Pong(re=7))] * 14)
    stranger.admit(clock.now)
    turns.turn(ENOUGH)
    assert commands(turns) == 140 - 14


@pytest.mark.parametrize(
    "command",
    [
        messages.Ping(id=7),
        messages.ListPeople(id=7),
        messages.ListOnline(id=7, after="ada"),
        messages.ListRooms(id=7, after="general"),
        messages.Sync(id=7, positions={"general": 0}),
        messages.Sync(
            id=7, positions={f"dm:a:b{n}": 1 for n in range(99)}, last={"dm:a:b0": cid_of(1)}
        ),
    ],
    ids=lambda command: f"{command.type}",
)
def test_a_member_that_floods_gets_its_rate_and_no_more(
    turns: Turns, monkeypatch: pytest.MonkeyPatch, command: messages.ToServer
) -> None:
    """Whatever it asks for: a burst, then a rate that leaves the server to the others."""
    clock = Clock()
    monkeypatch.setattr(io_module, "time", clock)
    member, client, end = turns.sign_in()
    member._bucket = TokenBucket(BURST, RATE, clock.now)
    turns.told()
    frames = end.send(command) * 20
    answer = effects.Tell(member.number, messages.refusal("internal", re=7))
    unsent, got, seconds = b"", 0, 3
    for _ in range(seconds):
        clock.now += 1
        turns.turn()
        while not member.rate_limited_until:
            unsent = unsent or frames
            with suppress(BlockingIOError):
                unsent = unsent[client.send(unsent) :]
            turns.turn()
            drain(client)
            new = commands(turns)
            got += new
            turns.io.post([answer] * new)
    allowed = (BURST + seconds * RATE) / cost(command)
    assert allowed - 1 - RATE / cost(command) <= got <= allowed + 1


@pytest.mark.parametrize("member", [True, False])
def test_last_words_that_nobody_reads_make_no_turns(turns: Turns, *, member: bool) -> None:
    """A goodbye that can't be written, to one that talks on; and one that hangs up meanwhile."""
    connection, client = blocked(turns)[:2] if member else turns.connect()
    goodbye = messages.Goodbye(code="terminated", params={"reason": "Enough."})
    turns.io.post([effects.Disconnect(connection.number, goodbye)])
    turns.turn(3)
    client.send(b"\0\0\0\x05Jhello" * 20)
    assert connection.stage is (Stage.CLOSING if member else Stage.LINGERING)
    connection._closing_at = float("inf")
    assert turns.rests()
    client.close()
    turns.turn(3)
    assert connection.number not in turns.io._connections
    assert turns.rests()


@pytest.mark.parametrize("first", [b"", b"\x16\x03\x01\x02", b"GET / HTTP/1.1\r\n\r\n"])
def test_half_a_handshake_makes_no_turns(monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    """Nor does its end."""
    made = Turns(monkeypatch, tls=True)
    _, client = made.connect()
    client.sendall(first)
    assert made.rests()
    client.close()
    assert made.rests()
    assert not made.io._connections
    made.close()


# In which order, and how much at once


def written_to(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of those that are written to, as it goes on."""
    flush, noted = turns.io._flush, list[int]()

    def note(connection: Connection, now: float) -> None:
        noted.append(connection.number)
        flush(connection, now)

    monkeypatch.setattr(turns.io, "_flush", note)
    return noted


def test_what_is_said_goes_before_all_else(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before pages, answers, and those who catch up; and its sender hears of it first."""
    numbers = [turns.sign_in()[0].number for _ in range(7)]
    pages, answered, catching_up, sender = numbers[:2], numbers[2], numbers[3], numbers[6]
    turns.io.post([effects.GoLive(number, "general") for number in numbers[3:]])
    turns.io._connections[catching_up].reports_drained = True
    turns.turn()
    noted = written_to(turns, monkeypatch)
    turns.io.post([turns.page(number, b"page") for number in pages])
    turns.io.post([effects.Tell(answered, messages.Pong(re=1))])
    turns.io.post([fanout(spoken(1), acks={sender: {0: 5}})])
    turns.turn()
    assert noted == [sender, *numbers[4:6], *pages, answered, catching_up]


def test_who_must_wait_gets_all_at_once(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    """With time for one write a turn each gets its turn; what is said meanwhile waits with it."""
    members = [turns.sign_in() for _ in range(4)]
    turns.io.post([effects.GoLive(connection.number, "general") for connection, *_ in members])
    turns.turn()
    noted = written_to(turns, monkeypatch)
    monkeypatch.setattr(send_queues_module, "WRITE_BUDGET", 0.0)
    for seq in range(1, 5):
        turns.io.post([fanout(spoken(seq), acks=SENT_BY_SOMEBODY_GONE)])
        turns.turn()
    assert noted == [connection.number for connection, *_ in members]
    turns.turn(ENOUGH)
    for _, client, end in members:
        assert [e.seq for e in turns.heard(client, end) if isinstance(e, Event)] == [
            1, 2, 3, 4,
        ]  # fmt: skip
    assert turns.rests()


def test_what_is_said_waits_behind_no_pages(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do those whose turn comes last in their room, while a crowd goes on catching up."""
    members = [turns.sign_in()[0] for _ in range(3)]
    crowd = [turns.sign_in()[0] for _ in range(20)]
    turns.io.post([effects.GoLive(connection.number, "general") for connection in members])
    turns.turn()
    monkeypatch.setattr(send_queues_module, "WRITE_BUDGET", 0.0)
    turns.io.post([turns.page(connection.number, b"page") for connection in crowd])
    for seq in range(1, 5):
        turns.io.post([fanout(spoken(seq), acks=SENT_BY_SOMEBODY_GONE)])
        turns.turn(len(members))
        assert not any(connection.waiting for connection in members)
    assert any(connection.waiting for connection in crowd)


def test_pages_that_had_to_wait_are_bounded_too(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When many who took nothing take again, a turn writes to no more than it has time for."""
    members = [blocked(turns) for _ in range(5)]
    monkeypatch.setattr(send_queues_module, "WRITE_BUDGET", 0.0)
    before = [connection.bytes_out for connection, *_ in members]
    for _, client, _ in members:
        drain(client)
    turns.turn()
    wrote = [
        connection.bytes_out > was for (connection, *_), was in zip(members, before, strict=True)
    ]
    assert sum(wrote) == 1
    turns.turn(ENOUGH)
    assert all(
        connection.bytes_out > was for (connection, *_), was in zip(members, before, strict=True)
    )


def test_one_stream_keeps_its_order(turns: Turns) -> None:
    """What may wait, what may not, what is much: as the hub said it, whatever was written when."""
    connection, client, end = turns.sign_in()
    number = connection.number
    turns.io.post([effects.GoLive(number, "general"), fanout(spoken(1))])
    turns.turn()
    turns.io.post([fanout(spoken(2))])
    turns.turn()
    turns.io.post([turns.page(number, b"".join(event(seq, "x" * 9000) for seq in (3, 4)))])
    turns.io.post([fanout(*(spoken(seq, "x" * 9000) for seq in range(5, 15)))])
    turns.io.post([effects.Tell(number, messages.Pong(re=1)), fanout(spoken(15))])
    data = b""
    while len(data) < 10 or connection.waiting:
        turns.turn()
        data += drain(client)
    heard = list(end.receive(data + drain(client)))
    assert [each.seq for each in heard if isinstance(each, Event)] == list(range(1, 16))
    assert isinstance(heard[-2], messages.Pong)


def test_a_page_and_drained_are_told_once_each(turns: Turns) -> None:
    """However many writes a page takes, the hub hears once that the next may come."""
    connection, client, _ = blocked(turns)
    assert inputs.Drained(connection.number, 1) not in turns.told()
    while connection.waiting:
        drain(client)
        turns.turn()
    turns.turn(ENOUGH)
    assert turns.told().count(inputs.Drained(connection.number, 1)) == 1


# Those who are gone


def test_who_is_gone_is_kept_nowhere(turns: Turns) -> None:
    """Much waiting, a moment's waiting, live: after it dropped nothing of it stays."""
    connection, client, _ = blocked(turns)
    turns.io.post(
        [
            effects.GoLive(connection.number, "general"),
            turns.page(connection.number, PLENTY),
            effects.TellEveryone(person("bob")),
        ]
    )
    while turns.io._inbox:
        turns.io._take(turns.io._inbox.popleft(), 0.0)
    turns.io._drop(connection, "gone")
    client.close()
    turns.turn(ENOUGH)
    out, strangers = turns.io._out, turns.io._unauthenticated
    assert out._accounts == {}
    assert out._live == {}  # nor is anything kept for a room that nobody follows
    for kept in (out._message_queue, out._bulk_queue, out._presence_queue, turns.io._unread):
        assert connection.number not in kept
    for kept in (strangers._silent, strangers._heard, strangers._waiting):
        assert connection.number not in kept
    assert [item for item in turns.told() if isinstance(item, inputs.Closed)] == [
        inputs.Closed(connection.number, "gone")
    ]


def test_the_bound_of_news_ends_a_connection_once(turns: Turns) -> None:
    """Who reads nothing while people come and go is let go; that is told once, others stay."""
    connection, client, _ = blocked(turns)
    other, others_socket, other_end = turns.sign_in()
    changed = effects.TellEveryone(person("bob"))
    while connection.stage is Stage.OPEN:
        turns.io.post([changed] * 4000)
        turns.turn()
        while other.waiting:
            turns.heard(others_socket, other_end)
            turns.turn()
    assert connection.waiting > 4 * SEND_QUEUE_LIMIT
    turns.io.post([changed] * 10)
    turns.turn(3)
    closed = [item for item in turns.told() if isinstance(item, inputs.Closed)]
    assert closed == [inputs.Closed(connection.number, "too_slow")]
    assert other.stage is Stage.OPEN
    client.close()


# Unauthenticated connections


def test_too_many_who_spoke_do_not_keep_out_who_comes_now(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who sent something and stopped make room: whoever has just come had no time to."""
    monkeypatch.setattr(turns.io, "_unauthenticated", UnauthenticatedConnections(3))
    for _ in range(3):
        _, client = turns.connect()
        client.sendall(b"\0")
    turns.turn(3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        unauthenticated = socket.create_connection(listening.getsockname())
        accepted, _ = listening.accept()
    turns.io.adopt(99, accepted, "192.0.2.9")
    turns.turn()
    assert 99 in turns.io._connections
    unauthenticated.close()


def test_the_hub_hears_nothing_of_who_never_shook_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of half handshakes must not fill the lane in which newcomers wait."""
    made = Turns(monkeypatch, tls=True)
    for _ in range(20):
        _, client = made.connect()
        client.sendall(b"\x16\x03\x01\x02")
        client.close()
    made.turn(ENOUGH)
    assert not made.io._connections
    assert made.told() == []
    made.close()


@pytest.mark.parametrize("capability", ["", PRESENCE])
def test_who_has_just_come_in_hears_nothing_of_before(turns: Turns, capability: str) -> None:
    """Ada went, and came again: her new connection must not be told of the first after the last."""
    connection, client, end = turns.greet()
    turns.say(
        client,
        end,
        messages.SignIn(
            id=2, username="ada", token="1" * 64, device="Linux", installation="2" * 32
        ),
    )
    number = connection.number

    def tell(name: str, but: int | None = None) -> effects.TellEveryone:
        return effects.TellEveryone(person(name), but, capability)

    turns.io.post(
        [
            tell("before"),
            effects.Admit(number, "bob", frozenset({PRESENCE})),
            effects.Tell(number, signed_in()),
            tell("herself", but=number),
        ]
    )
    turns.turn(ENOUGH)
    while turns.io._out._presence_queue:
        turns.turn()
    assert turns.heard(client, end) == [signed_in()]
    turns.io.post([tell("after")])
    turns.turn(ENOUGH)
    while turns.io._out._presence_queue:
        turns.turn()
    assert turns.heard(client, end) == [person("after")]


# Reading


def test_everything_that_came_over_tls_is_read_at_once() -> None:
    """Records of 16 KiB, however many within the bound; beyond it the others have their turn."""
    pair = Pair(tls=True)
    connection = Connection(1, pair.ours.socket, "192.0.2.1", 0.0, ServerEnd())
    connection.admit(0.0)
    connection.stage = Stage.LINGERING  # what comes is not understood any more, only read
    for records in (1, 2, 7):
        before = connection.bytes_in
        for _ in range(records):
            assert pair.theirs.write(bytes(16 * 1024)) == 16 * 1024
        assert list(connection.read(0.0)) == []
        assert connection.bytes_in - before == records * 16 * 1024
        assert not connection.has_more
    for _ in range(12):
        pair.theirs.write(bytes(16 * 1024))
    assert list(connection.read(0.0)) == []
    assert connection.has_more
    assert list(connection.read(0.0)) == []
    assert (connection.bytes_in, connection.has_more) == (22 * 16 * 1024, False)
    pair.close()


def test_of_fifty_that_are_busy_each_has_its_turn(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With time for one of them in each turn: nobody is read twice before all were read once."""
    busy = [turns.sign_in() for _ in range(50)]
    read, noted = turns.io._read, list[int]()

    def note(connection: Connection, now: float) -> None:
        noted.append(connection.number)
        read(connection, now)

    monkeypatch.setattr(turns.io, "_read", note)
    monkeypatch.setattr(io_module, "READ_FOR", 0.0)
    for _ in range(3):
        for _, client, end in busy:
            client.send(end.send(messages.Ping(id=7)) * 10)
        noted.clear()
        turns.turn(50)
        assert sorted(noted) == [connection.number for connection, *_ in busy]
    assert turns.rests()


def test_tls_that_has_to_write_first_is_waited_for(turns: Turns) -> None:
    """By the selector, and then it is read: without a turn in which nothing can be done."""
    connection, client, _ = turns.sign_in()
    connection.transport.wants_write = True
    turns.io._watch(connection)
    assert connection.interest & selectors.EVENT_WRITE
    turns.turn()
    assert not connection.transport.wants_write  # it was read, which has cleared it
    turns.turn()
    assert not connection.interest & selectors.EVENT_WRITE
    assert turns.rests()
    client.close()
