"""Pauses stay in their bounds, and the state line says what is so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.state.backoff import FIRST, LONGEST, Backoff
from chat_client.state.status import Link, Status
from chat_client.status_text import describe
from common.domain.reasons import Reason


@given(st.lists(st.floats(0, 1, exclude_max=True) | st.none(), max_size=60))
def test_pauses_are_bounded_and_reset(chances: list[float | None]) -> None:
    """Each is between half and the whole of a bound that doubles; None stands for a success."""
    chance = 0.0
    backoff = Backoff(lambda: chance)
    tries = 0
    for given_chance in chances:
        if given_chance is None:
            backoff.reset()
            tries = 0
            continue
        chance = given_chance
        bound = min(LONGEST, FIRST * 2**tries)
        assert bound / 2 <= backoff.next() <= bound
        tries += 1


LOST = Reason("lost")


@pytest.mark.parametrize(
    ("status", "waiting", "line"),
    [
        (Status(Link.CONNECTING), 0, "Connecting…"),
        (Status(Link.ONLINE), 0, "Connected"),
        (Status(Link.ONLINE), 1, "Connected · 1 message waiting"),
        (Status(Link.CONNECTING), 2, "Connecting… · 2 messages waiting"),
        (
            Status(Link.PAUSED, LOST, retry_at=107.4),
            0,
            "The connection was lost · reconnecting in 7 s",
        ),
        (
            Status(Link.PAUSED, LOST, retry_at=90.0),
            3,
            "The connection was lost · reconnecting in 1 s · 3 messages waiting",
        ),
        # As long as a server may ask for; of seconds nobody could tell how long that is.
        (
            Status(Link.PAUSED, LOST, retry_at=219.4),
            0,
            "The connection was lost · reconnecting in 119 s",
        ),
        (
            Status(Link.PAUSED, LOST, retry_at=225.0),
            0,
            "The connection was lost · reconnecting in 2 min",
        ),
        (
            Status(Link.PAUSED, LOST, retry_at=86_500.0),
            0,
            "The connection was lost · reconnecting in 24 h",
        ),
        (
            Status(Link.PAUSED, Reason("storage_full"), retry_at=107.4),
            0,
            "This computer's disk is full · trying again in 7 s",
        ),
        (Status(Link.SIGNED_OUT, Reason("terminated")), 0, "Signed out"),
        (Status(Link.SIGNED_OUT, Reason("terminated")), 1, "Signed out · 1 message waiting"),
        (Status(Link.REFUSED, Reason("name_taken")), 0, "Not connected"),
        (Status(Link.STOPPED, Reason("given_up")), 0, "Not connected"),
    ],
)
def test_the_state_line(status: Status, waiting: int, line: str) -> None:
    """One line for people: the truth about the connection and what waits."""
    assert describe(status, waiting, 100.0) == line
