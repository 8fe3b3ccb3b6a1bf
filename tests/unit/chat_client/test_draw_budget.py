"""Something costly gets its share of the time and no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_client.window.transcript.draw_budget import LONGEST, SHARE, Pace


def test_the_first_time_is_at_once() -> None:
    """Nobody waits for a message that comes alone."""
    assert Pace().pause(1000.0) == 0


@given(st.lists(st.floats(1e-4, 0.05), min_size=1, max_size=20))
def test_no_more_than_its_share(costs: list[float]) -> None:
    """With always more to do, it takes its share of the time, whatever each time costs."""
    pace, now = Pace(), 0.0
    for cost in costs:
        now += pace.pause(now)
        pace.done(now, now + cost)
        now += cost
    now += pace.pause(now)
    assert sum(costs) <= now * SHARE * 1.001


def test_a_rest_ends() -> None:
    """After it there is no pause any more, and a very slow time does not make a very long one."""
    pace = Pace()
    pace.done(10.0, 10.01)
    assert 0 < pace.pause(10.02) < 0.05
    assert pace.pause(10.06) == 0
    pace.done(20.0, 30.0)
    assert pace.pause(30.0) == LONGEST
