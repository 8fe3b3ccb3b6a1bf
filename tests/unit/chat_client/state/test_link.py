"""The link: attempts and their pauses, signs of life, what is asked, and hanging up."""

from __future__ import annotations

import math

import pytest

from chat_client.state import news
from chat_client.state.backoff import FIRST
from chat_client.state.link import MAX_FAULTS, STABLE_AFTER
from chat_client.state.status import Link
from common import limits
from common.domain.reasons import Reason
from common.protocol import messages
from tests.unit.chat_client.state.parts import Bench, statuses

LOST = Reason("lost")


def test_it_begins_by_wanting_a_connection(bench: Bench) -> None:
    """There is none, nothing is due, and what is asked for goes nowhere."""
    link = bench.link
    assert (link.is_open, link.is_ready, link.wants_connection) == (False, False, True)
    assert link.deadline() == math.inf
    assert link.ask(messages.Ping) == 0
    assert (link.take_frames(), link.unanswered) == (b"", [])


def test_a_connection_is_open_at_once_and_ready_when_admitted(bench: Bench) -> None:
    """Between the two only greeting and signing in are for it."""
    link = bench.link
    bench.connect()
    assert (link.is_open, link.is_ready, link.wants_connection) == (True, False, False)
    bench.admit()
    assert (link.is_open, link.is_ready, link.wants_connection) == (True, True, False)
    assert link.status.link is Link.ONLINE


def test_a_lost_connection_is_tried_again_after_a_pause(bench: Bench) -> None:
    """Its deadline is the end of the pause; another loss meanwhile prolongs nothing."""
    bench.admit()
    bench.link.lost(LOST, bench.now)
    assert bench.left == 1
    retry_at = bench.link.deadline()
    assert retry_at == bench.now + FIRST / 2
    bench.link.lost(Reason("gap"), bench.now + 0.1)
    assert bench.link.deadline() == retry_at
    wanted = []
    for at in (retry_at - 0.01, retry_at):
        bench.link.tick(at)
        wanted.append(bench.link.wants_connection)
    assert wanted == [False, True]
    told = bench.told(news.StatusChanged)
    assert statuses(told) == [("PAUSED", "lost"), ("CONNECTING", "")]


def test_a_pause_is_as_long_as_the_server_asks_for(bench: Bench) -> None:
    """A longer one of its own stays."""
    bench.connect()
    bench.link.lost(LOST, bench.now, wait=7.0)
    assert bench.link.status.retry_at == bench.now + 7.0
    bench.link.connect_now()
    bench.connect()
    bench.link.lost(LOST, bench.now, wait=0.01)
    assert bench.link.status.retry_at == bench.now + FIRST / 2


def test_pauses_grow_until_a_connection_was_good_for_a_while(bench: Bench) -> None:
    """Being admitted alone is no reason for short ones."""

    def pause() -> float:
        bench.link.lost(LOST, bench.now)
        length = bench.link.status.retry_at - bench.now
        bench.link.tick(bench.link.status.retry_at)
        bench.admit()
        return length

    bench.admit()
    assert [pause(), pause(), pause()] == [FIRST / 2, FIRST, FIRST * 2]
    bench.now += STABLE_AFTER
    bench.link.tick(bench.now)
    assert pause() == FIRST / 2


def test_too_many_faults_end_the_attempts(bench: Bench) -> None:
    """The person decides then; why is told with the last fault's own reason."""
    for count in range(1, MAX_FAULTS + 1):
        bench.connect()
        bench.link.fault(Reason("gap"), bench.now)
        stopped = count == MAX_FAULTS
        assert (bench.link.status.link is Link.STOPPED) == stopped
        bench.link.tick(bench.link.status.retry_at)
    assert bench.link.status.reason == Reason("given_up", {"why": "gap"})
    bench.link.tick(bench.now + 1e6)
    wanted = [bench.link.wants_connection]
    bench.link.connect_now()
    wanted.append(bench.link.wants_connection)
    assert wanted == [False, True]
    bench.connect()
    bench.link.fault(Reason("gap"), bench.now)
    assert bench.link.status.link is Link.PAUSED


def test_faults_are_forgotten_on_a_good_connection(bench: Bench) -> None:
    """They count only one after the other."""
    for _ in range(2 * MAX_FAULTS):
        bench.admit()
        bench.now += STABLE_AFTER
        bench.link.tick(bench.now)
        bench.link.fault(Reason("gap"), bench.now)
        bench.link.tick(bench.link.status.retry_at)
    assert bench.link.status.link is Link.CONNECTING


@pytest.mark.parametrize(
    ("code", "link"),
    [
        ("server_closing", Link.PAUSED),
        ("too_slow", Link.PAUSED),
        ("timeout", Link.PAUSED),
        ("internal", Link.PAUSED),
        ("terminated", Link.SIGNED_OUT),
        ("banned", Link.SIGNED_OUT),
        ("a_code_of_later", Link.SIGNED_OUT),
    ],
)
def test_a_goodbye_is_final_unless_its_code_says_otherwise(
    bench: Bench, code: str, link: Link
) -> None:
    """Also one that this program does not know."""
    bench.admit()
    bench.link.goodbye(messages.Goodbye(code=code, params={}, retry_after=9000), bench.now)
    assert bench.link.status.link is link
    assert bench.link.status.code == code
    if link is Link.PAUSED:
        assert bench.link.status.retry_at == bench.now + 9.0


def test_a_stopped_server_is_the_reason_for_finding_none(bench: Bench) -> None:
    """Until a connection stands again."""
    bench.admit()
    bench.link.goodbye(
        messages.Goodbye(code="server_closing", params={}, retry_after=None), bench.now
    )
    bench.link.connect_now()
    bench.link.unreachable(bench.now, ())
    assert bench.link.status.code == "server_closing"
    bench.link.connect_now()
    bench.connect()
    bench.link.lost(LOST, bench.now)
    bench.link.connect_now()
    bench.link.unreachable(bench.now, ())
    assert bench.link.status.code == "unreachable"


def test_silence_is_asked_about_and_then_ends_the_connection(bench: Bench) -> None:
    """One ping for each interval, none where something else was sent; bytes are a sign of life."""
    bench.admit()
    assert bench.link.deadline() == bench.now + limits.PING_INTERVAL
    bench.now += limits.PING_INTERVAL
    bench.link.spoke(bench.now - 1)
    bench.link.tick(bench.now)
    assert bench.sent() == []
    bench.link.tick(bench.now + limits.PING_INTERVAL - 1)
    assert [type(command) for command in bench.sent()] == [messages.Ping]
    list(bench.link.receive(b"", bench.now))
    heard = bench.now
    stands = []
    for at in (heard + limits.SILENCE_DEADLINE - 0.01, heard + limits.SILENCE_DEADLINE):
        bench.link.tick(at)
        stands.append(bench.link.is_open)
    assert stands == [True, False]
    assert bench.link.status.code == "no_answer"


def test_nothing_is_asked_before_the_session_is_admitted(bench: Bench) -> None:
    """Silence ends such a connection all the same."""
    bench.connect()
    bench.link.tick(bench.now + limits.PING_INTERVAL)
    assert bench.sent() == []
    bench.link.tick(bench.now + limits.SILENCE_DEADLINE)
    assert bench.link.status.code == "no_answer"


def test_each_command_is_answered_once(bench: Bench) -> None:
    """Numbers go on over connections; what was asked before is not answered on the next."""
    bench.admit()
    first, second = bench.link.ask(messages.Ping), bench.link.ask(messages.ListPeople, since=0)
    assert second == first + 1
    assert bench.link.awaits(messages.ListPeople, messages.Sync)
    assert not bench.link.awaits(messages.Sync)
    asked = bench.link.answered(second)
    assert isinstance(asked, messages.ListPeople)
    assert bench.link.answered(second) is None
    assert not bench.link.awaits(messages.ListPeople)
    assert [command.id for command in bench.link.unanswered] == [first]
    bench.sent()
    bench.link.lost(LOST, bench.now)
    bench.connect()
    assert bench.link.unanswered == []
    bench.admit()
    assert bench.link.answered(first) is None
    assert bench.link.ask(messages.Ping) > second


def test_what_was_not_transmitted_goes_with_its_connection(bench: Bench) -> None:
    """On the next one it would come before the greeting."""
    bench.admit()
    bench.link.ask(messages.Ping)
    bench.link.leave()
    assert bench.link.take_frames() == b""


def test_nothing_is_heard_behind_the_end_of_a_connection(bench: Bench) -> None:
    """What stands in the same bytes is of a conversation that is over."""
    bench.admit()
    changed = messages.ServerChanged(server_name="Other")
    data = bench.server.send(changed) + bench.server.send(changed)
    heard = 0
    for _ in bench.link.receive(data, bench.now):
        heard += 1
        bench.link.leave()
    assert heard == 1
    assert list(bench.link.receive(data, bench.now)) == []


def test_a_suspension_asks_for_a_sign_of_life_soon(bench: Bench) -> None:
    """And a pause ends at once."""
    bench.admit()
    bench.link.resumed(bench.now)
    assert [type(command) for command in bench.sent()] == [messages.Ping]
    assert bench.link.deadline() == bench.now + 5.0
    bench.link.tick(bench.now + 5.0)
    assert bench.link.status.code == "no_answer"
    bench.link.resumed(bench.now)
    assert bench.link.wants_connection


@pytest.mark.parametrize("ended", [False, True])
def test_trouble_with_storage_ends_where_it_began(bench: Bench, ended: bool) -> None:
    """Time ends it as little as the person does."""
    bench.admit()
    if ended:
        bench.link.refused(Reason("no_such_account"))
    before = bench.link.status
    bench.link.leave()
    for retry_at in (bench.now + 1, bench.now + 2):
        bench.link.storage_failed(Reason("storage_full"), retry_at)
    assert bench.link.storage_trouble
    bench.link.connect_now()
    bench.link.tick(bench.now + 100)
    assert bench.link.storage_trouble
    bench.link.storage_works()
    assert bench.link.status == before if ended else bench.link.wants_connection


def test_the_number_that_waits_is_told_with_each_status(bench: Bench) -> None:
    """But for the last one, when nothing may be asked of the cache any more."""
    bench.waiting = 3
    bench.connect()
    bench.link.lost(LOST, bench.now)
    bench.link.failed(Reason("storage"))
    assert [item.waiting for item in bench.told(news.StatusChanged)] == [3, 0]
    assert not bench.link.wants_connection
