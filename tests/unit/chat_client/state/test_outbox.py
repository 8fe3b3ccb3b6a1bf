"""The outbox: order, what is under way, answers, refusals and trying again."""

from __future__ import annotations

import itertools
import math

import pytest

from chat_client.state import news
from chat_client.state.outbox import MAX_REFUSALS, Outbox
from chat_client.state.outbox_message import OutboxState
from common.domain.reasons import Reason
from common.protocol import messages
from tests.events import message, text_of
from tests.unit.chat_client.desk import ack, cid, event
from tests.unit.chat_client.state.parts import Bench

ROOM = "general"


@pytest.fixture
def outbox(bench: Bench) -> Outbox:
    """Three messages may be under way at once."""
    return made(bench, 3)


def made(bench: Bench, at_once: int) -> Outbox:
    """An outbox with a room to write in."""
    ids = itertools.count(1)
    bench.cache.add_room(ROOM)
    outbox = Outbox(
        bench.cache, bench.link, bench.queue.tell, lambda: cid(next(ids)), at_once=at_once
    )
    bench.on_left = outbox.forget_sending
    return outbox


def write(outbox: Outbox, *texts: str) -> None:
    """The person writes messages, one after the other."""
    for text in texts:
        outbox.send(ROOM, *message(text), 0)


def sends(bench: Bench) -> list[messages.Send]:
    """The messages that were transmitted since this was called last."""
    return [command for command in bench.sent() if isinstance(command, messages.Send)]


def refuse(
    bench: Bench, outbox: Outbox, send: messages.Send, code: str = "odd", *, wait: float = 0.0
) -> None:
    """The server refuses a message, which is to be tried again."""
    bench.link.answered(send.id)
    outbox.refused(send, Reason(code), bench.now, retryable=True, wait=wait)


def test_what_is_written_is_kept_and_told_before_it_is_sent(bench: Bench, outbox: Outbox) -> None:
    """Without a connection it waits; the draft it was written from is gone."""
    bench.cache.set_draft(ROOM, "one")
    write(outbox, "one")
    outbox.send_next(bench.now)
    assert bench.link.take_frames() == b""
    (told,) = bench.told(news.OutboxChanged)
    assert (told.cid, told.state, told.waiting) == (cid(1), OutboxState.WAITING, 1)
    assert bench.cache._connection.execute("SELECT * FROM drafts").fetchall() == []


def test_messages_go_in_their_order_each_behind_the_one_before(
    bench: Bench, outbox: Outbox
) -> None:
    """As many as may be under way; an answer makes room for the next."""
    write(outbox, "one", "two", "three", "four")
    bench.admit()
    outbox.send_next(bench.now)
    first, *rest = sends(bench)
    assert [send.after for send in (first, *rest)] == [None, cid(1), cid(2)]
    assert outbox.acknowledged(first.cid) is not None
    outbox.send_next(bench.now)
    (fourth,) = sends(bench)
    assert (fourth.cid, fourth.after) == (cid(4), cid(3))


def test_large_texts_are_not_all_under_way_at_once(bench: Bench) -> None:
    """However many may be: the server would pause reading."""
    outbox = made(bench, 1000)
    write(outbox, *["x" * 16_000] * 40)
    bench.admit()
    outbox.send_next(bench.now)
    sent = sum(len(text_of(send)) for send in sends(bench))
    assert 256 * 1024 <= sent < 256 * 1024 + 16_000


def test_a_refused_message_goes_before_what_was_written_after_it(
    bench: Bench, outbox: Outbox
) -> None:
    """Nothing is sent until all that is in flight is answered and the pause is over."""
    write(outbox, "one", "two", "three")
    bench.admit()
    outbox.send_next(bench.now)
    first, second, third = sends(bench)
    assert outbox.deadline() == math.inf
    refuse(bench, outbox, first, "busy", wait=2.0)
    assert outbox.deadline() == math.inf  # The others are in flight still.
    refuse(bench, outbox, second, "too_early")
    refuse(bench, outbox, third, "too_early")
    assert outbox.deadline() == bench.now + 2.0
    outbox.send_next(bench.now + 1.9)
    assert sends(bench) == []
    outbox.send_next(bench.now + 2.0)
    assert [send.cid for send in sends(bench)] == [cid(1), cid(2), cid(3)]


def test_one_pause_is_enough_for_all_that_were_under_way(bench: Bench, outbox: Outbox) -> None:
    """The first refusal tells how long; the others are of the same moment."""
    write(outbox, "one", "two")
    bench.admit()
    outbox.send_next(bench.now)
    first, second = sends(bench)
    refuse(bench, outbox, first, "busy", wait=2.0)
    refuse(bench, outbox, second, "busy", wait=9.0)
    assert outbox.deadline() == bench.now + 2.0


def test_what_follows_from_another_refusal_is_not_told(bench: Bench, outbox: Outbox) -> None:
    """The first one says what there is to say."""
    write(outbox, "one", "two")
    bench.admit()
    outbox.send_next(bench.now)
    first, second = sends(bench)
    bench.queue.clear()
    refuse(bench, outbox, first, "busy")
    refuse(bench, outbox, second, "too_early")
    (told,) = bench.told(news.OutboxChanged)
    assert (told.cid, told.reason) == (cid(1), Reason("busy"))


@pytest.mark.parametrize(("code", "fails"), [("odd", True), ("busy", False)])
def test_a_message_that_is_refused_for_itself_is_given_up_in_the_end(
    bench: Bench, code: str, fails: bool
) -> None:
    """Not for what goes on at the server; and what was written after it goes on."""
    outbox = made(bench, 1)
    write(outbox, "one", "two")
    bench.admit()
    for _ in range(MAX_REFUSALS):
        outbox.send_next(bench.now)
        (send,) = sends(bench)
        assert send.cid == cid(1)
        refuse(bench, outbox, send, code)
        bench.now += 60
    states = [told.state for told in bench.told(news.OutboxChanged)]
    assert (states[-1] is OutboxState.FAILED) == fails
    outbox.send_next(bench.now)
    next_sent = [send.cid for send in sends(bench)]
    assert next_sent == [cid(2) if fails else cid(1)]


def test_a_final_refusal_is_told_and_the_next_message_goes(bench: Bench) -> None:
    """The person changes it or drops it."""
    outbox = made(bench, 1)
    write(outbox, "one", "two")
    bench.admit()
    outbox.send_next(bench.now)
    (send,) = sends(bench)
    outbox.refused(send, Reason("muted"), bench.now, retryable=False, wait=0.0)
    told = bench.told(news.OutboxChanged)[-1]
    assert (told.state, told.reason, told.waiting) == (OutboxState.FAILED, Reason("muted"), 1)
    assert [send.cid for send in sends(bench)] == [cid(2)]


def test_a_new_connection_sends_from_the_oldest_on(bench: Bench, outbox: Outbox) -> None:
    """Whatever was under way: its answer may be lost with the connection."""
    write(outbox, "one", "two")
    bench.admit()
    outbox.send_next(bench.now)
    assert len(sends(bench)) == 2
    bench.link.lost(Reason("lost"), bench.now)
    assert not outbox.is_in_flight(cid(1))
    bench.admit()
    outbox.send_next(bench.now)
    assert [(send.cid, send.after) for send in sends(bench)] == [(cid(1), None), (cid(2), cid(1))]


def test_a_message_in_flight_can_not_be_dropped(bench: Bench) -> None:
    """The server may have it; one that waits or failed can."""
    outbox = made(bench, 1)
    write(outbox, "one", "two")
    bench.admit()
    outbox.send_next(bench.now)
    bench.queue.clear()
    outbox.drop(cid(1))
    assert bench.told(news.OutboxChanged) == []
    outbox.drop(cid(2))
    (told,) = bench.told(news.OutboxChanged)
    assert (told.cid, told.state, told.waiting) == (cid(2), OutboxState.DROPPED, 1)
    outbox.drop(cid(9))
    assert bench.told(news.OutboxChanged) == []


def test_only_the_first_acknowledgement_of_a_message_shortens_pauses(
    bench: Bench, outbox: Outbox
) -> None:
    """A server could else make the client come again and again with one message."""

    def lose() -> float:
        bench.link.lost(Reason("lost"), bench.now)
        pause = bench.link.status.retry_at - bench.now
        bench.link.tick(bench.link.status.retry_at)
        bench.admit()
        return pause

    write(outbox, "one")
    bench.admit()
    short = lose()
    assert lose() > short
    outbox.acknowledged(cid(1))
    assert lose() == short
    outbox.acknowledged(cid(1))
    assert lose() > short


def test_an_acknowledgement_ahead_is_told_once(bench: Bench, outbox: Outbox) -> None:
    """Its event takes it out of the outbox, silently."""
    write(outbox, "one")
    bench.admit()
    outbox.send_next(bench.now)
    (send,) = sends(bench)
    assert outbox.acknowledged(send.cid) is not None
    outbox.ahead(ack(send, 7), is_here=False)
    out = bench.cache.outbox.find(cid(1))
    assert out is not None
    assert out.state is OutboxState.SENT
    outbox.in_room(event(7, sender="ada", own=cid(1)))
    assert bench.cache.outbox.find(cid(1)) is None
    told = [(item.state, item.seq) for item in bench.told(news.OutboxChanged)]
    assert told == [(OutboxState.SENT, 7)]


def test_what_is_here_already_leaves_with_its_acknowledgement(bench: Bench, outbox: Outbox) -> None:
    """Nothing comes for it any more."""
    write(outbox, "one")
    bench.admit()
    outbox.send_next(bench.now)
    (send,) = sends(bench)
    outbox.acknowledged(send.cid)
    outbox.ahead(ack(send, 7), is_here=True)
    assert bench.cache.outbox.find(cid(1)) is None


def test_what_was_acknowledged_and_never_seen_goes_again_first(
    bench: Bench, outbox: Outbox
) -> None:
    """A backup may have taken it, whatever copies are found right; not before they are compared."""
    write(outbox, "one", "two")
    bench.cache.outbox.set_state(cid(1), OutboxState.SENT)
    assert bench.cache.outbox.waiting == 1
    bench.admit()
    outbox.signed_in()
    assert bench.cache.outbox.waiting == 2
    listing = bench.link.ask(messages.ListRooms)
    outbox.send_next(bench.now)
    assert sends(bench) == []
    bench.link.answered(listing)
    outbox.send_next(bench.now)
    assert [send.cid for send in sends(bench)] == [cid(1), cid(2)]


def test_without_such_a_message_nothing_waits_for_the_copies(bench: Bench, outbox: Outbox) -> None:
    """It goes as soon as one is signed in."""
    write(outbox, "one")
    bench.admit()
    outbox.signed_in()
    bench.link.ask(messages.ListRooms)
    outbox.send_next(bench.now)
    assert [send.cid for send in sends(bench)] == [cid(1)]


def test_what_waits_again_goes_before_all_others(bench: Bench, outbox: Outbox) -> None:
    """As when its room was set back; but behind the answers of what is in flight."""
    write(outbox, "one", "two")
    bench.cache.outbox.set_state(cid(1), OutboxState.SENT)
    bench.admit()
    outbox.send_next(bench.now)
    (second,) = sends(bench)
    bench.cache.outbox.set_state(cid(1), OutboxState.WAITING)
    outbox.begin_again()
    outbox.send_next(bench.now)
    assert sends(bench) == []
    refuse(bench, outbox, second, "busy")
    outbox.send_next(bench.now + 60)
    assert [send.cid for send in sends(bench)] == [cid(1), cid(2)]


def test_what_was_refused_can_be_sent_again_before_what_was_written_later(bench: Bench) -> None:
    """As the same message, when what stood in its way may be over; and it may be refused again."""
    outbox = made(bench, 1)
    write(outbox, "one", "two", "three")
    bench.admit()
    outbox.send_next(bench.now)
    (one,) = sends(bench)
    outbox.refused(one, Reason("muted"), bench.now, retryable=False, wait=0.0)
    (two,) = sends(bench)
    assert bench.cache.outbox.waiting == 2
    bench.told(news.OutboxChanged)
    for _ in range(2):
        outbox.send_again(cid(1))
        (told,) = bench.told(news.OutboxChanged)
        assert (told.cid, told.state, told.waiting) == (cid(1), OutboxState.WAITING, 3)
        outbox.send_next(bench.now)
        assert sends(bench) == []  # behind the answer of what is in flight
        refuse(bench, outbox, two, "busy")
        bench.now += 60
        outbox.send_next(bench.now)
        (again,) = sends(bench)
        assert (again.cid, text_of(again)) == (cid(1), "one")
        bench.link.answered(again.id)
        outbox.refused(again, Reason("muted"), bench.now, retryable=False, wait=0.0)
        (two,) = sends(bench)
        bench.told(news.OutboxChanged)
    assert bench.cache.outbox.waiting == 2


def test_what_was_given_up_after_many_refusals_gets_as_many_again(bench: Bench) -> None:
    """Else the first one would end it at once."""
    outbox = made(bench, 1)
    write(outbox, "one")
    bench.admit()
    for _ in range(2):
        for tries in range(1, MAX_REFUSALS + 1):
            outbox.send_next(bench.now)
            (send,) = sends(bench)
            refuse(bench, outbox, send)
            bench.now += 60
            (last,) = bench.told(news.OutboxChanged)
            assert (last.state is OutboxState.FAILED) is (tries == MAX_REFUSALS)
        outbox.send_again(cid(1))
        bench.told(news.OutboxChanged)


def test_only_what_failed_is_sent_again(bench: Bench, outbox: Outbox) -> None:
    """Not what waits, was sent, or is there no more."""
    write(outbox, "one", "two")
    bench.cache.outbox.set_state(cid(2), OutboxState.SENT)
    bench.told(news.OutboxChanged)
    for number in (1, 2, 3):
        outbox.send_again(cid(number))
    assert bench.told(news.OutboxChanged) == []
    assert bench.cache.outbox.waiting == 1


def test_what_no_server_takes_fails_here(bench: Bench, outbox: Outbox) -> None:
    """A cache may hold anything; the rest is sent."""
    write(outbox, "", "two")
    bench.admit()
    outbox.send_next(bench.now)
    assert [(send.cid, send.after) for send in sends(bench)] == [(cid(2), None)]
    failed = [item for item in bench.told(news.OutboxChanged) if item.state is OutboxState.FAILED]
    assert [(item.cid, item.reason) for item in failed] == [(cid(1), Reason("not_sendable"))]
