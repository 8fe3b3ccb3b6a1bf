"""Many messages at once: what each costs, and what is said when they can't be sent."""

from __future__ import annotations

import dataclasses

import pytest

from chat_client.cache.cache import Cache
from chat_client.conversation import FailedError
from chat_client.headless import _Sending
from chat_client.state import news
from chat_client.state.outbox_message import OutboxState
from common.domain.reasons import Reason
from common.protocol import messages
from tests.events import message
from tests.unit.chat_client.desk import Desk, ack, cid

ROOM = "general"


def changed(number: int, state: OutboxState, reason: Reason | None = None) -> news.OutboxChanged:
    """What is told of a message."""
    return news.OutboxChanged(ROOM, cid(number), state, 1, reason)


def steps_of_saying(waiting: int) -> tuple[int, int]:
    """What the database has to do for ten messages more, and for ten acknowledgements."""
    desk = Desk(cache=Cache(None), at_once=64)
    with desk.cache.transaction():
        for number in range(waiting):
            desk.cache.outbox.add(ROOM, f"{number:015d}f", *message("line"), 0)
    desk.go_online(general=0)
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    desk.cache._connection.set_progress_handler(count, 1)
    for _ in range(10):
        desk.say("line")
    said, counted = counted, 0
    for seq in range(1, 11):
        (sent,) = [
            command
            for command in desk.controller._link.unanswered
            if isinstance(command, messages.Send) and command.cid == f"{seq - 1:015d}f"
        ]
        desk.hear(ack(sent, seq))
    return said, counted


def test_a_message_costs_the_same_however_many_wait() -> None:
    """To be written, and to be acknowledged: 16,000 lines are 16,000 times one."""
    few, many = steps_of_saying(100), steps_of_saying(3000)
    assert many[0] <= 2 * few[0]
    assert many[1] <= 2 * few[1]


def test_how_far_it_came_is_told() -> None:
    """The line that was refused, by its number in the input, and how many went."""
    sending = _Sending([1, 3, 7], by_line=True)
    for number in (1, 2, 3):
        assert not sending.went(changed(number, OutboxState.WAITING))
    assert not sending.went(changed(1, OutboxState.SENT))
    with pytest.raises(FailedError, match="line 7: the text is too long") as failed:
        sending.went(changed(3, OutboxState.FAILED, Reason("too_long")))
    assert sending.so_far(str(failed.value)).endswith("(1 of 3 lines are known to be sent)")


def test_one_message_has_no_lines() -> None:
    """Its refusal is told as it is, and it is sent when it is acknowledged."""
    sending = _Sending([1], by_line=False)
    assert not sending.went(changed(1, OutboxState.WAITING))
    assert sending.so_far("no such room") == "no such room"
    assert sending.went(changed(1, OutboxState.SENT))


def test_what_the_server_waits_for_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Not each time it is refused, but anew when it had gone on."""
    sending = _Sending([1, 2], by_line=True)
    full = changed(1, OutboxState.WAITING, Reason("disk_full"))
    for item in (changed(1, OutboxState.WAITING), changed(2, OutboxState.WAITING), full, full):
        sending.went(item)
    assert capsys.readouterr().err == "ChatClient: the host's disk is full; trying again\n"
    sending.went(changed(1, OutboxState.SENT))
    sending.went(changed(2, OutboxState.WAITING, Reason("disk_full")))
    assert capsys.readouterr().err.count("trying again") == 1


def test_a_limit_is_told_once_however_often_it_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    """It is met all the time with many lines, and is no trouble; with how long, if that is long."""
    sending = _Sending([1, 2, 3], by_line=True)
    fast = Reason("rate_limited", {"why": "many_messages", "room": ROOM})
    slow = Reason("slow_mode", {"seconds": 600, "room": ROOM})
    for number in (1, 2):
        for reason, again in ((fast, 1.0), (slow, 599.5)):
            waits = changed(number, OutboxState.WAITING, reason)
            sending.went(dataclasses.replace(waits, again=again))
        sending.went(changed(number, OutboxState.SENT))
    assert capsys.readouterr().err == (
        "ChatClient: slow down: too many messages at once; trying again\n"
        "ChatClient: slow mode: one message in 10 min; trying again in 10 min\n"
    )


def steps_beside_a_held_room(waiting: int) -> int:
    """What the database has to do for ten messages while many wait in another room."""
    desk = Desk(cache=Cache(None), at_once=64)
    with desk.cache.transaction():
        for number in range(waiting):
            desk.cache.outbox.add("dm:ada:bob", f"{number:015d}f", *message("line"), 0)
    desk.go_online(general=0)
    for send in desk.controller._link.unanswered:
        if isinstance(send, messages.Send):
            desk.hear(messages.refusal("rate_limited", re=send.id, retry_after=3_600_000))
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    desk.cache._connection.set_progress_handler(count, 1)
    for seq in range(1, 11):
        (send,) = desk.say("elsewhere")
        assert isinstance(send, messages.Send)
        assert send.room == ROOM
        desk.hear(ack(send, seq))
    return counted


def test_a_message_costs_the_same_however_many_wait_in_a_held_room() -> None:
    """They are not gone over each time: but for once, when the room begins to be held."""
    assert steps_beside_a_held_room(3000) <= 2 * steps_beside_a_held_room(100)
