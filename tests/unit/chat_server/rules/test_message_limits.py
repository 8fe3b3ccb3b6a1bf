"""How fast messages may come into a room: the bucket of each sender, and slow mode."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.hub.queue import Received
from chat_server.rate_limit import cost
from chat_server.rules.effects import Publish, TellEveryone
from chat_server.rules.message_limits import MessageLimits
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome
from chat_server.store.store import StoreBusyError
from common import limits
from common.domain.names import GENERAL, direct_room
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.limits import MESSAGE_BURST, MESSAGE_RATE
from common.protocol import messages
from tests.contract.engines import MemoryEngine
from tests.events import send
from tests.unit.chat_server.house import NOW, House, acked, all_of, refused, told
from tests.unit.chat_server.hub_bench import HubBench

DIRECT = direct_room("ada", "bob")
RATE = 1.0
"""In the rules below: few messages do."""
BURST = int(MESSAGE_BURST * RATE)


# The buckets by themselves


def spend(message_limits: MessageLimits, username: str, cost: float, now: float) -> None:
    """Somebody sends a message to the room r."""
    bucket = ("r", username)
    message_limits.begin(
        bucket,
        max(message_limits.full_at.get(bucket, 0.0), now) + cost * message_limits.interval,
        now,
    )


@given(
    st.floats(0.1, 1000),
    st.lists(st.tuples(st.floats(0, 30), st.floats(1, 5)), max_size=60),
)
def test_nobody_gets_more_than_burst_and_rate(
    rate: float, steps: list[tuple[float, float]]
) -> None:
    """Beyond the last message; and whoever waits as told may send then, and not much sooner."""
    message_limits, now, had, last = MessageLimits(rate), 1000.0, 0.0, 0.0
    for pause, price in steps:
        now += pause
        wait = message_limits.wait("r", "ada", now)
        if wait > 1e-6:
            assert message_limits.wait("r", "ada", now + wait * 0.9) > 0
        now += wait + 1e-6
        assert message_limits.wait("r", "ada", now) < 1e-6
        spend(message_limits, "ada", price, now)
        had, last = had + price, price
        most = max(1, MESSAGE_BURST * rate) + rate * (now - 1000.0)
        assert had - last <= most + 1e-3 * rate


def test_a_burst_goes_at_once_and_then_as_many_as_the_rate() -> None:
    """To each room, from each sender; and no rate is no limit."""
    message_limits = MessageLimits(MESSAGE_RATE)
    for _ in range(int(MESSAGE_BURST * MESSAGE_RATE)):
        assert message_limits.wait("r", "ada", 0.0) == 0
        spend(message_limits, "ada", 1, 0.0)
    assert message_limits.wait("r", "ada", 0.0) == pytest.approx(1 / MESSAGE_RATE)
    assert message_limits.wait("r", "ada", 1 / MESSAGE_RATE + 1e-9) == 0
    assert message_limits.wait("q", "ada", 0.0) == message_limits.wait("r", "bob", 0.0) == 0
    free = MessageLimits(0)
    spend(free, "ada", 1e9, 0.0)
    assert free.wait("r", "ada", 0.0) == 0


def test_what_is_void_is_not_kept() -> None:
    """Of ten thousand who said one thing each, one after the other."""
    message_limits = MessageLimits(MESSAGE_RATE)
    for number in range(10_000):
        spend(message_limits, f"p{number}", 1, float(number))
        message_limits.slow_sent("r", f"p{number}", float(number) * 60)
    assert len(message_limits) < 2 * 1024 + 2 * 1024


# In the rules


@pytest.fixture
def ada(house: House) -> Session:
    """Somebody in a chat with a limit, though not the usual one."""
    house.world.message_limits = MessageLimits(RATE)
    house.world.moment = 1000.0
    house.join("bob")
    return house.join("ada")


def fill(house: House, session: Session, room: str = GENERAL) -> None:
    """As many messages as go at once; each character counts a little, too."""
    sent = 0
    while all_of(house.say(session, "x", room), Publish):
        sent += 1
    assert BURST - 2 <= sent <= BURST


def too_fast(outcome: Outcome, session: Session) -> messages.Error:
    """The refusal, which names the room and when to try again."""
    error = refused(outcome, session)
    assert (error.code, error.field, error.retryable) == ("rate_limited", "room", True)
    assert error.params["why"] == "many_messages"
    return error


def test_a_flood_is_refused_for_now_and_nobody_else(house: House, ada: Session) -> None:
    """In that room alone; whoever waits as told goes on, and what is refused leaves no trace."""
    fill(house, ada)
    before = house.log.load()
    error = too_fast(house.say(ada, "more"), ada)
    assert house.log.load() == before == house.world.directory
    assert error.params["room"] == GENERAL
    assert error.retry_after is not None
    assert error.retry_after == 1000
    assert sentence(Reason(error.code, error.params)) == "slow down: too many messages at once"
    acked(house.say(ada, "elsewhere", DIRECT))
    bob, _ = house.sign_in("bob")
    acked(house.say(bob, "somebody else"))
    house.world.moment += error.retry_after / 1000 + 1e-6
    acked(house.say(ada, "more"))
    too_fast(house.say(ada, "and more"), ada)


def test_neither_a_second_device_nor_coming_back_gives_more(house: House, ada: Session) -> None:
    """The limit is the person's."""
    fill(house, ada)
    again, _ = house.sign_in("ada")
    too_fast(house.say(again, "more"), again)


def test_what_is_stored_is_acknowledged_again_and_costs_nothing(house: House, ada: Session) -> None:
    """A message that came twice was accepted before; so its answer is the first one."""
    first = acked(house.say(ada, "first", cid="a" * 16))
    for _ in range(2 * BURST):
        again = acked(house.say(ada, "first", cid="a" * 16))
        assert again.seq == first.seq
    fill(house, ada)
    assert acked(house.say(ada, "first", cid="a" * 16)).seq == first.seq
    too_fast(house.say(ada, "more"), ada)


def test_nothing_overtakes_what_was_refused(house: House, ada: Session) -> None:
    """What names it as the one before is refused, too, even when there is a token again."""
    fill(house, ada)
    too_fast(house.say(ada, "first", cid="a" * 16), ada)
    house.world.moment += 60
    error = refused(house.say(ada, "second", cid="b" * 16, after="a" * 16), ada)
    assert error.code == "too_early"


def test_long_texts_cost_more(house: House, ada: Session) -> None:
    """By the same measure as elsewhere."""
    text = "x" * limits.TEXT_BYTES
    count = 0
    while all_of(house.say(ada, text), Publish):
        count += 1
    assert count == pytest.approx(BURST / cost(send(1, text)), abs=1)


def test_a_new_conversation_is_told_apart(house: House, ada: Session) -> None:
    """It is another limit, with another sentence."""
    while house.world.direct_room_limit.ask("ada", NOW / 1000) == 0:
        pass
    error = refused(house.say(ada, "psst", DIRECT), ada)
    assert (error.code, error.params) == ("rate_limited", {"why": "many_conversations"})
    assert sentence(Reason(error.code, error.params)).endswith("new conversations at once")


# Slow mode


def slow(house: House, seconds: int, room: str = GENERAL) -> Outcome:
    """The host puts a room into slow mode."""
    host = house.host()
    command = messages.SetSlowMode(id=house.request(), room=room, seconds=seconds)
    outcome = house.do(host, command)
    assert messages.Done(re=command.id) in told(outcome, host)
    return outcome


def held(outcome: Outcome, session: Session) -> int:
    """How long slow mode holds a message up, in milliseconds."""
    error = refused(outcome, session)
    assert (error.code, error.field, error.retryable) == ("slow_mode", "room", True)
    assert error.params["room"] == GENERAL
    assert error.retry_after is not None
    return error.retry_after


def test_slow_mode_lets_one_message_in_each_interval(house: House, ada: Session) -> None:
    """Of each member; what was said before it began does not count."""
    acked(house.say(ada, "before"))
    slow(house, 30)
    acked(house.say(ada, "first"))
    assert held(house.say(ada, "second"), ada) == 30_000
    house.world.moment += 18
    error = refused(house.say(ada, "second"), ada)
    assert error.retry_after == 12_000
    assert sentence(Reason(error.code, error.params)) == "slow mode: one message in 30 s"
    bob, _ = house.sign_in("bob")
    acked(house.say(bob, "mine"))
    acked(house.say(ada, "elsewhere", DIRECT))
    house.world.moment += 12
    acked(house.say(ada, "second"))
    assert held(house.say(ada, "third"), ada) == 30_000


def test_slow_mode_is_told_kept_and_ended(house: House, ada: Session) -> None:
    """To everybody, once for each change; a later list of rooms has it, as the log has."""
    (changed,) = [each.message for each in all_of(slow(house, 60), TellEveryone)]
    assert isinstance(changed, messages.RoomChanged)
    assert (changed.room.room, changed.room.slow) == (GENERAL, 60)
    assert all_of(slow(house, 60), TellEveryone) == []
    (listing,) = told(house.do(ada, messages.ListRooms(id=1)), ada)
    assert isinstance(listing, messages.Rooms)
    assert [room.slow for room in listing.rooms] == [60]
    assert house.log.load().rooms[GENERAL].slow == 60
    acked(house.say(ada, "first"))
    assert held(house.say(ada, "second"), ada) == 60_000
    slow(house, 10)
    assert held(house.say(ada, "second"), ada) == 10_000
    slow(house, 0)
    acked(house.say(ada, "second"))
    acked(house.say(ada, "third"))


def test_moderators_do_not_wait(house: House, ada: Session) -> None:
    """They have to be able to calm others; a member who was one waits again."""
    slow(house, 60)
    host = house.host()
    for role in ("moderator", "member"):
        house.do(host, messages.SetRole(id=1, username="ada", role=role))
        acked(house.say(ada, "one"))
    assert held(house.say(ada, "two"), ada) == 60_000


def test_what_is_stored_is_acknowledged_in_slow_mode(house: House, ada: Session) -> None:
    """Its answer may have been lost."""
    slow(house, 60)
    first = acked(house.say(ada, "first", cid="a" * 16))
    again = acked(house.say(ada, "first", cid="a" * 16))
    assert again.seq == first.seq


@pytest.mark.parametrize(
    ("room", "by", "code"),
    [
        ("nowhere", "host", "no_such_room"),
        ("nowhere", "ada", "no_such_room"),
        (DIRECT, "host", "not_allowed"),
        (DIRECT, "ada", "not_allowed"),
        (direct_room("bob", "cem"), "ada", "no_such_room"),
    ],
)
def test_only_public_rooms_have_slow_mode(
    house: House, ada: Session, room: str, by: str, code: str
) -> None:
    """And a moderator learns nothing of the conversations of others."""
    house.join("cem")
    bob, _ = house.sign_in("bob")
    house.say(ada, "psst", DIRECT)
    house.say(bob, "psst", direct_room("bob", "cem"))
    host = house.host()
    house.do(host, messages.SetRole(id=1, username="ada", role="moderator"))
    before = house.log.load()
    by_whom = host if by == "host" else ada
    outcome = house.do(by_whom, messages.SetSlowMode(id=2, room=room, seconds=5))
    error = refused(outcome, by_whom)
    assert (error.code, error.field, error.retryable) == (code, "room", False)
    assert house.log.load() == before


@pytest.mark.usefixtures("errors_logged")
def test_a_message_that_is_not_stored_does_not_use_up_the_interval() -> None:
    """Its batch failed: it is sent again at once, and not half a minute later."""
    bench = HubBench(MemoryEngine())
    ada, host = bench.join("ada"), bench.host()
    set_slow = messages.SetSlowMode(id=bench.number(), room=GENERAL, seconds=30)
    bench.run(Received(host, (set_slow,)))
    first = bench.send("first")
    bench.store.fail("end of transaction", StoreBusyError("locked"))
    reply = bench.run(Received(ada, (first,))).answer(ada, first)
    assert isinstance(reply, messages.Error)
    assert reply.code == "busy"
    bench.store.heal()
    bench.now += 5
    assert isinstance(bench.run(Received(ada, (first,))).answer(ada, first), messages.Ack)
    second = bench.send("second")
    bench.now += 10
    reply = bench.run(Received(ada, (second,))).answer(ada, second)
    assert isinstance(reply, messages.Error)
    assert (reply.code, reply.retry_after) == ("slow_mode", 20_000)
    bench.close()
