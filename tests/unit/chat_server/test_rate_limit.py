"""What anybody may ask for: token buckets with a clock of the test's own."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from chat_server.net.connection import BURST, RATE
from chat_server.rate_limit import _COSTS, TokenBucket, TokenBuckets, cost
from chat_server.rules.world import DIRECT_ROOM_BURST, DIRECT_ROOM_RATE
from common import limits
from common.protocol import messages
from tests.events import send
from tests.unit.chat_server.house import NOW, House, acked, refused


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 50)), max_size=50))
def test_nobody_gets_more_than_burst_and_rate(steps: list[tuple[float, float]]) -> None:
    """Whoever waits as told has had at most the burst, the rate's worth, and the last thing."""
    bucket, now, had, last = TokenBucket(100, 10, 0.0), 0.0, 0.0, 0.0
    for pause, price in steps:
        now += pause
        wait = bucket.spend(price, now)
        had, last = had + price, price
        assert had - last <= 100 + 10 * now + 1e-6
        now += wait
    assert bucket.spend(0, now + 1e-9) < 1e-6


def test_a_clock_that_is_set_back_gives_and_takes_nothing() -> None:
    """It counts as no time."""
    bucket = TokenBucket(5, 1, 1000.0)
    assert bucket.spend(5, 1000.0) == 0
    assert bucket.wait_for(1, 10.0) == 1
    assert bucket.wait_for(1, 11.0) == 0


def test_every_command_has_its_price() -> None:
    """None is free, and all of a large chat's lists fit into what is allowed at once."""
    assert {*_COSTS, messages.Send} == set(get_args(messages.ToServer))
    lists = 100 * cost(messages.ListPeople(id=1)) + 10 * cost(messages.ListOnline(id=1))
    lists += 41 * cost(messages.ListRooms(id=1))
    positions = {f"dm:a:b{n}": 1 for n in range(limits.POSITIONS)}
    syncs = 16 * cost(messages.Sync(id=1, positions=positions))
    assert lists + syncs <= BURST
    assert RATE / cost(send(1)) > 9000
    assert cost(send(1, "x" * limits.TEXT_BYTES)) > 2 * cost(send(1))


def test_full_buckets_are_not_kept() -> None:
    """Ten thousand people who began one conversation each some time ago are remembered no more."""
    buckets = TokenBuckets(2, 1)
    for number in range(10_000):
        assert buckets.ask(f"p{number}", float(number)) == 0
    assert len(buckets) < 2100


def test_a_person_may_begin_many_conversations_but_not_thousands(house: House) -> None:
    """After a generous number the next is refused, to be tried again at a time that is told.

    What is said where there is a conversation already costs nothing.
    """
    ada = house.join("ada")
    count = int(DIRECT_ROOM_BURST) + 1
    for number in range(count):
        house.join(f"p{number}")
    for number in range(count - 1):
        assert acked(house.say(ada, "hello", f"dm:ada:p{number}")).seq == 1
    last = f"dm:ada:p{count - 1}"
    error = refused(house.say(ada, "hello", last), ada)
    assert (error.code, error.retryable, error.field) == ("rate_limited", True, "room")
    assert error.retry_after == 1000 / DIRECT_ROOM_RATE
    assert last not in house.world.directory.rooms
    assert acked(house.say(ada, "again", "dm:ada:p0")).seq == 2
    # Others are not held back by that, and it is over in its time.
    other = house.sign_in(f"p{count - 1}")[0]
    assert acked(house.say(other, "hello", last)).seq == 1
    assert house.world.direct_room_limit.ask("ada", (NOW + error.retry_after) / 1000) == 0
