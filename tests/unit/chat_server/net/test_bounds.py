"""What bounds a connection: how much may wait for it, and how long it may take to come in."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from chat_server.net.connection import SEND_QUEUE_LIMIT, UNANSWERED_LIMIT, Connection
from chat_server.rules import effects, inputs
from common.limits import SIGN_IN_DEADLINE, SILENCE_DEADLINE
from common.protocol.codec import ClientEnd, ServerEnd
from common.protocol.events import Event
from tests.events import send
from tests.unit.chat_server.net.test_io import event, fanout, spoken
from tests.unit.chat_server.net.turns import ENOUGH, PLENTY, Turns, drain

STARTED = 1000.0


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Turns]:
    """An I/O thread whose turns the test takes."""
    made = Turns(monkeypatch)
    yield made
    made.close()


@pytest.fixture
def stranger() -> Iterator[Connection]:
    """A connection that has not signed in."""
    ours, theirs = socket.socketpair()
    with theirs:
        connection = Connection(1, ours, "192.0.2.1", STARTED, ServerEnd())
        yield connection
        connection.close()


# How much may wait


def live(turns: Turns) -> tuple[Connection, socket.socket, ClientEnd]:
    """A client that is live in a room, and takes nothing more."""
    connection, client, end = turns.sign_in()
    turns.io.post([turns.page(connection.number, PLENTY)])
    turns.turn(ENOUGH)
    turns.io.post([effects.GoLive(connection.number, "general")])
    turns.turn()
    turns.told()
    return connection, client, end


@pytest.mark.parametrize(("more", "stays"), [(0, True), (1, False)])
def test_what_comes_counts_with_what_waits(turns: Turns, more: int, *, stays: bool) -> None:
    """A fan-out has to fit as a whole; what does not is not begun."""
    connection, client, _ = live(turns)
    while connection.waiting > SEND_QUEUE_LIMIT // 2:
        drain(client)
        turns.turn()
    turns.turn(ENOUGH)
    turns.told()
    waiting = connection.waiting
    assert 0 < waiting < SEND_QUEUE_LIMIT
    room_left = SEND_QUEUE_LIMIT - waiting + more
    said = spoken(7, "x" * (room_left - len(event(7, ""))))
    turns.io.post([fanout(said)])
    turns.turn()
    assert connection.waiting == (waiting + room_left if stays else waiting)
    behind = inputs.FellBehind(connection.number, "general", 6)
    assert turns.told() == ([] if stays else [behind])


def test_a_batch_in_one_goes_beyond_no_bound(turns: Turns) -> None:
    """Whatever its size: a live client holds the same memory, and lacks nothing afterwards."""
    connection, client, end = turns.sign_in()
    turns.io.post([effects.GoLive(connection.number, "general")])
    seq, behind = 0, None
    for size in range(1, 40):
        turns.io.post([fanout(*(spoken(seq + n, "x" * 9000) for n in range(1, size + 1)))])
        turns.turn()
        assert connection.waiting <= SEND_QUEUE_LIMIT
        behind = next((each for each in turns.told() if isinstance(each, inputs.FellBehind)), None)
        if behind is not None:
            break
        seq += size
    assert behind == inputs.FellBehind(connection.number, "general", seq)
    data = drain(client)
    while connection.waiting:
        turns.turn()
        data += drain(client)
    got = [each.seq for each in end.receive(data) if isinstance(each, Event)]
    assert got == list(range(1, seq + 1))


# What counts as an answer


@pytest.mark.parametrize("is_live", [True, False])
def test_acknowledgements_are_answers(turns: Turns, *, is_live: bool) -> None:
    """Whoever says as much as it may leave unanswered, and is answered, may go on."""
    connection, client, end = turns.sign_in()
    if is_live:
        turns.io.post([effects.GoLive(connection.number, "general")])
    for each in range(3):
        first = each * (UNANSWERED_LIMIT // 2) + 1
        said = [send(first + n, "x") for n in range(UNANSWERED_LIMIT // 2)]
        for at in range(0, len(said), 64):  # as much as the system takes at once
            turns.say(client, end, *said[at : at + 64])
        assert connection.unanswered == len(said)
        acks = {place: one.id for place, one in enumerate(said)}
        new = (spoken(first + place) for place in acks)
        turns.io.post([fanout(*new, acks={connection.number: acks})])
        turns.turn()
        assert connection.unanswered == 0
        assert connection.readable
        drain(client)
        turns.turn(2)


# How long coming in may take


def test_who_does_not_sign_in_has_to_go(stranger: Connection) -> None:
    """At its deadline, and not before."""
    assert stranger.overdue(STARTED + SIGN_IN_DEADLINE) is None
    assert stranger.overdue(STARTED + SIGN_IN_DEADLINE + 0.01) == "no_sign_in"


@pytest.mark.parametrize("unanswered", [1, UNANSWERED_LIMIT])
def test_a_command_that_is_always_open_is_no_excuse(stranger: Connection, unanswered: int) -> None:
    """Who waits for an answer of ours has twice as long, and then has to go as well."""
    stranger.unanswered = unanswered
    for second in range(1, int(2 * SIGN_IN_DEADLINE) + 1):
        stranger._heard = STARTED + second  # it says something all the time
        assert stranger.overdue(STARTED + second) is None
    assert stranger.overdue(STARTED + 2 * SIGN_IN_DEADLINE + 0.01) == "no_sign_in"


def test_who_waits_for_the_host_need_not_sign_in(stranger: Connection) -> None:
    """As long as it pings; the deadline begins anew when the wait is over."""
    stranger.may_wait(600, STARTED)
    for second in range(1, 600, 20):
        stranger._heard = STARTED + second
        assert stranger.overdue(STARTED + second) is None
    stranger.may_wait(None, STARTED + 600)
    stranger._heard = STARTED + 600
    assert stranger.overdue(STARTED + 600 + SIGN_IN_DEADLINE) is None
    assert stranger.overdue(STARTED + 600 + SIGN_IN_DEADLINE + 0.01) == "no_sign_in"


def test_who_waits_and_says_nothing_is_dead(stranger: Connection) -> None:
    """A computer that was switched off asks no longer."""
    stranger.may_wait(600, STARTED)
    assert stranger.overdue(STARTED + SILENCE_DEADLINE) is None
    assert stranger.overdue(STARTED + SILENCE_DEADLINE + 0.01) == "silent"
