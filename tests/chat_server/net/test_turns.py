"""The I/O thread's turns, taken one by one: what each does, and that it waits if it can do nothing.

The I/O thread's code and the sockets are real; the test takes the turns, and plays hub and clients.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from chat_server.hub_queue import Received
from chat_server.net import outgoing as outgoing_module
from chat_server.net.connection import OUTBOX_LIMIT, UNANSWERED_LIMIT, Connection, Stage
from chat_server.net.outgoing import BULK
from chat_server.net.strangers import Strangers
from chat_server.rules import effects, inputs
from common import messages
from common.protocol import ClientEnd
from tests.chat_server.net.test_io import EPOCH, event, fanout
from tests.chat_server.net.turns import (
    ENOUGH,
    PLENTY,
    Turns,
    drain,
    person,
    signed_in,
)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Turns]:
    """An I/O thread whose turns the test takes."""
    made = Turns(monkeypatch)
    yield made
    made.close()


def blocked(turns: Turns) -> tuple[Connection, socket.socket, ClientEnd]:
    """A client that takes nothing more while much waits for it."""
    connection, client, end = turns.sign_in()
    turns.io.post([effects.WritePage(connection.number, PLENTY)])
    turns.turn(ENOUGH)
    assert connection.waiting > BULK
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


def test_news_for_who_takes_nothing_make_no_turns(turns: Turns) -> None:
    """What may wait a moment is tried after it, and then left to the selector."""
    connection, _, _ = blocked(turns)
    turns.io.post([effects.TellEveryone(person(online=True, name="bob"))])
    turns.io.post([effects.GoLive(connection.number, "general"), fanout(1, event(1))])
    turns.turn(ENOUGH)
    while turns.io._out._later:
        turns.turn()
    assert turns.rests()


def test_who_has_to_wait_for_answers_makes_no_turns(turns: Turns) -> None:
    """A stranger and a member that ask more than may be open, and go on asking."""
    stranger, their_socket = turns.connect()
    end = ClientEnd()
    turns.say(their_socket, end, messages.Hello(id=1, protocol=1, program="P"))
    welcome = messages.Welcome(re=1, protocol=1, program="S", server_name="Home", epoch=EPOCH)
    turns.io.post([effects.Tell(stranger.number, welcome)])
    turns.turn(2)
    turns.heard(their_socket, end)
    member, client, member_end = turns.sign_in()
    for asking, sock, its_end in ((stranger, their_socket, end), (member, client, member_end)):
        ping = its_end.send(messages.Ping(id=7))
        while asking.readable:
            sock.send(ping * 20)
            turns.turn()
        sock.send(ping * 20)
        assert asking.unanswered >= UNANSWERED_LIMIT
    assert turns.rests()
    turns.io.post([effects.Tell(stranger.number, messages.Pong(re=7))] * stranger.unanswered)
    turns.told()
    turns.turn(ENOUGH)
    (received,) = turns.told()
    assert received == Received(stranger.number, (messages.Ping(id=7),) * 20)


@pytest.mark.parametrize("member", [True, False])
def test_last_words_that_nobody_reads_make_no_turns(turns: Turns, *, member: bool) -> None:
    """A goodbye that can't be written, to one that talks on; and one that hangs up meanwhile."""
    connection, client = blocked(turns)[:2] if member else turns.connect()
    goodbye = messages.Goodbye(code="terminated", reason="Enough.")
    turns.io.post([effects.HangUp(connection.number, goodbye)])
    turns.turn(3)
    client.send(b"\0\0\0\x05Jhello" * 20)
    assert connection.stage is (Stage.LAST_WORDS if member else Stage.LINGERING)
    connection._last_words_at = float("inf")
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


def test_little_goes_before_much(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everyone's few bytes are written in the turn in which pages are; one page, without time."""
    monkeypatch.setattr(outgoing_module, "BULK_FOR", 0.0)
    members = [turns.sign_in() for _ in range(6)]
    pages = [effects.WritePage(connection.number, PLENTY) for connection, *_ in members[:3]]
    words = [effects.Tell(connection.number, messages.Pong(re=1)) for connection, *_ in members[3:]]
    turns.io.post([*pages, *words])
    before = [connection.bytes_out for connection, *_ in members]
    turns.turn()
    wrote = [
        connection.bytes_out > was for (connection, *_), was in zip(members, before, strict=True)
    ]
    assert wrote == [True, False, False, True, True, True]
    turns.turn()
    assert members[1][0].bytes_out > before[1]
    assert members[2][0].bytes_out == before[2]


def test_pages_that_had_to_wait_are_bounded_too(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When many who took nothing take again, a turn writes to no more than it has time for."""
    members = [blocked(turns) for _ in range(5)]
    monkeypatch.setattr(outgoing_module, "BULK_FOR", 0.0)
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
    turns.io.post([effects.GoLive(number, "general"), fanout(1, event(1))])
    turns.turn()
    turns.io.post([fanout(2, event(2))])
    turns.turn()
    turns.io.post([effects.WritePage(number, b"".join(event(seq, "x" * 9000) for seq in (3, 4)))])
    turns.io.post([fanout(5, *(event(seq, "x" * 9000) for seq in range(5, 15)))])
    turns.io.post([effects.Tell(number, messages.Pong(re=1)), fanout(15, event(15))])
    data = b""
    while len(data) < 10 or connection.waiting:
        turns.turn()
        data += drain(client)
    heard = list(end.receive(data + drain(client)))
    assert [each.seq for each in heard if isinstance(each, messages.Event)] == list(range(1, 16))
    assert isinstance(heard[-2], messages.Pong)


def test_a_page_and_drained_are_told_once_each(turns: Turns) -> None:
    """However many writes a page takes, the hub hears once that the next may come."""
    connection, client, _ = blocked(turns)
    assert inputs.Drained(connection.number) not in turns.told()
    while connection.waiting:
        drain(client)
        turns.turn()
    turns.turn(ENOUGH)
    assert turns.told().count(inputs.Drained(connection.number)) == 1


# Those who are gone


def test_who_is_gone_is_kept_nowhere(turns: Turns) -> None:
    """Much waiting, a moment's waiting, live: after it dropped nothing of it stays."""
    connection, client, _ = blocked(turns)
    turns.io.post(
        [
            effects.GoLive(connection.number, "general"),
            effects.WritePage(connection.number, PLENTY),
            effects.TellEveryone(person(online=True, name="bob")),
        ]
    )
    turns.io._take(turns.io._inbox.popleft(), 0.0)
    turns.io._drop(connection, "gone")
    client.close()
    turns.turn(ENOUGH)
    out, strangers = turns.io._out, turns.io._strangers
    for kept in (out._dirty, out._later, out._bulk, out._live["general"], turns.io._unread):
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
    changed = effects.TellEveryone(person(online=True, name="bob"))
    while connection.stage is Stage.OPEN:
        turns.io.post([changed] * 4000)
        turns.turn()
        while other.waiting:
            turns.heard(others_socket, other_end)
            turns.turn()
    assert connection.waiting > 4 * OUTBOX_LIMIT
    turns.io.post([changed] * 10)
    turns.turn(3)
    closed = [item for item in turns.told() if isinstance(item, inputs.Closed)]
    assert closed == [inputs.Closed(connection.number, "too slow")]
    assert other.stage is Stage.OPEN
    client.close()


# Strangers


def test_too_many_who_spoke_do_not_keep_out_who_comes_now(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who sent something and stopped make room: whoever has just come had no time to."""
    monkeypatch.setattr(turns.io, "_strangers", Strangers(3))
    for _ in range(3):
        _, client = turns.connect()
        client.sendall(b"\0")
    turns.turn(3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        newcomer = socket.create_connection(listening.getsockname())
        accepted, _ = listening.accept()
    turns.io.adopt(99, accepted, "192.0.2.9")
    turns.turn()
    assert 99 in turns.io._connections
    newcomer.close()


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


def test_who_has_just_come_in_hears_nothing_of_before(turns: Turns) -> None:
    """Ada went, and came again: her new connection must not be told of the first after the last."""
    connection, client = turns.connect()
    end = ClientEnd()
    turns.say(client, end, messages.Hello(id=1, protocol=1, program="P"))
    welcome = messages.Welcome(re=1, protocol=1, program="S", server_name="Home", epoch=EPOCH)
    turns.io.post([effects.Tell(connection.number, welcome)])
    turns.turn(2)
    turns.heard(client, end)
    turns.say(client, end, messages.SignIn(id=2, username="ada", token="1" * 64, device="Linux"))
    turns.io.post(
        [
            effects.TellEveryone(person(online=False)),
            effects.Tell(connection.number, signed_in()),
            effects.TellEveryone(person(online=True), but=connection.number),
        ]
    )
    turns.turn(ENOUGH)
    while turns.io._out._later:
        turns.turn()
    assert turns.heard(client, end) == [signed_in()]
