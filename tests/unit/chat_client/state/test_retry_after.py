"""A server that says how long to wait is not asked before; it never shortens a pause."""

from __future__ import annotations

import pytest

from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Link
from common import limits
from common.domain.reasons import Reason
from common.protocol import messages
from tests.events import text_of
from tests.unit.chat_client.desk import Desk, ack, cid, only

MINUTE = 60_000
"""In milliseconds, as the server says it."""


@pytest.fixture
def desk() -> Desk:
    """A client that is online, in a room without messages."""
    desk = Desk()
    desk.go_online(general=0)
    return desk


def pause(desk: Desk) -> float:
    """Seconds until the client does something by itself."""
    return desk.controller.deadline() - desk.now


@pytest.mark.parametrize("code", sorted(messages.RETRYABLE))
def test_a_message_is_sent_again_after_that_time(desk: Desk, code: messages.ErrorCode) -> None:
    """Not a moment before, whatever is written meanwhile; then in the order of writing."""
    send = only(desk.say("one", "dm:ada:bob"), messages.Send)
    assert desk.hear(messages.refusal(code, re=send.id, retry_after=7500)) == []
    assert pause(desk) == 7.5
    assert desk.say("two", "dm:ada:bob") == desk.wait(7) == desk.wait(0.25) == []
    again = only(desk.wait(0.25), messages.Send)
    assert again == send.model_copy(update={"id": again.id})
    assert text_of(only(desk.hear(ack(again, 1)), messages.Send)) == "two"


@pytest.mark.parametrize("code", sorted(messages.RETRYABLE))
def test_another_room_is_held_only_if_the_server_stores_nothing(
    desk: Desk, code: messages.ErrorCode
) -> None:
    """What a room does not take for now is no reason for the others to wait."""
    send = only(desk.say("one", "dm:ada:bob"), messages.Send)
    desk.hear(messages.refusal(code, re=send.id, retry_after=7500))
    sent = desk.say("two")
    assert bool(sent) == (code not in {"busy", "disk_full"})


def test_a_room_stays_held_on_another_connection(desk: Desk) -> None:
    """As long as the server has asked for; the others go on at once."""
    send = only(desk.say("one", "dm:ada:bob"), messages.Send)
    desk.hear(messages.refusal("rate_limited", re=send.id, retry_after=15_000))
    desk.lose()
    desk.say("two")
    desk.wait(5)
    other = only(desk.sign_in(), messages.Send)
    assert text_of(other) == "two"
    assert desk.hear(ack(other, 1)) == desk.wait(9) == []
    assert only(desk.wait(1), messages.Send).cid == send.cid


def test_a_rate_that_was_exceeded_is_awaited_as_often_as_it_takes(desk: Desk) -> None:
    """It passes by itself: the message is not left to the person."""
    send = only(desk.say("one", "dm:ada:bob"), messages.Send)
    for _ in range(30):
        refusal = messages.refusal("rate_limited", re=send.id, field="room", retry_after=5000)
        assert desk.hear(refusal) == []
        out = desk.cache.outbox.find(cid(1))
        assert out is not None
        assert out.state is OutboxState.WAITING
        commands = desk.wait(30)
        send = only(commands, messages.Send)
        for ping in commands:
            if isinstance(ping, messages.Ping):
                desk.hear(messages.Pong(re=ping.id))
    desk.hear(ack(send, 1))
    assert desk.cache.outbox.waiting == 0


def test_a_short_wait_does_not_shorten_the_growing_pauses(desk: Desk) -> None:
    """Else a server in trouble would be asked over and over."""
    send = only(desk.say("one"), messages.Send)
    pauses: list[float] = []
    for _ in range(5):
        desk.hear(messages.refusal("busy", re=send.id, retry_after=0))
        pauses.append(pause(desk))
        send = only(desk.wait(pauses[-1]), messages.Send)
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]


def test_another_connection_does_not_wait_any_more(desk: Desk) -> None:
    """Messages go out as before: the server says it again if it has to."""
    send = only(desk.say("one"), messages.Send)
    desk.hear(messages.refusal("busy", re=send.id, retry_after=10 * MINUTE))
    desk.lose()
    assert only(desk.sign_in(), messages.Send).cid == send.cid


@pytest.mark.parametrize("code", ["busy", "internal", "overloaded"])
@pytest.mark.parametrize("kind", ["hello", "sign in", "list"])
def test_a_refused_connection_comes_back_after_that_time(code: str, kind: str) -> None:
    """Whatever was refused of what it begins with."""
    desk = Desk()
    (asked,) = desk.connect()
    if kind != "hello":
        welcome = messages.Welcome(
            re=asked.id,
            protocol=limits.PROTOCOL_VERSION,
            program="S",
            server_name="Home",
            epoch="e" * 32,
        )
        (asked,) = desk.hear(welcome)
    if kind == "list":
        (asked,) = desk.hear(
            messages.SignedIn(
                re=asked.id,
                username="ada",
                display_name="Ada",
                session="a" * 32,
                role="member",
                mute=None,
            )
        )
    desk.hear(messages.Error(re=asked.id, code=code, params={}, retryable=True, retry_after=MINUTE))
    status = desk.controller.status
    assert (status.link, status.retry_at) == (Link.PAUSED, desk.now + 60)
    desk.wait(59.5)
    assert not desk.controller.wants_connection
    desk.wait(0.5)
    assert desk.controller.wants_connection


@pytest.mark.parametrize("code", ["server_closing", "too_slow", "timeout", "internal"])
def test_a_goodbye_says_when_to_come_back(desk: Desk, code: str) -> None:
    """The person sees the time, and may cut it short."""
    desk.hear(messages.Goodbye(code=code, params={}, retry_after=2 * MINUTE))
    status = desk.controller.status
    assert (status.link, status.code, status.retry_at) == (Link.PAUSED, code, desk.now + 120)
    desk.lose()  # The socket ends, too.
    desk.wait(119)
    assert not desk.controller.wants_connection
    desk.step(desk.controller.connect_now)
    assert desk.controller.wants_connection


@pytest.mark.parametrize("code", ["terminated", "banned", "replaced", "violation", "moved"])
def test_a_final_goodbye_stays_final(desk: Desk, code: str) -> None:
    """A time does not make it one after which the client comes back by itself."""
    desk.hear(messages.Goodbye(code=code, params={}, retry_after=1000))
    desk.wait(3600)
    assert desk.controller.status.link is Link.SIGNED_OUT
    assert not desk.controller.wants_connection


def test_an_error_that_is_final_stays_final(desk: Desk) -> None:
    """Also for a message: `retryable` says whether, the time only when."""
    send = only(desk.say("one"), messages.Send)
    desk.hear(messages.refusal("too_long", re=send.id, retry_after=1000))
    out = desk.cache.outbox.find(send.cid)
    assert out is not None
    assert (out.state, out.reason) == (OutboxState.FAILED, Reason("too_long", {}))


def test_a_short_wait_does_not_shorten_the_pauses_between_connections(desk: Desk) -> None:
    """They grow as they would without."""
    pauses: list[float] = []
    for _ in range(4):
        desk.hear(messages.Goodbye(code="internal", params={}, retry_after=1))
        pauses.append(pause(desk))
        desk.wait(pauses[-1])
        desk.sign_in()
    assert pauses == [0.25, 0.5, 1.0, 2.0]
