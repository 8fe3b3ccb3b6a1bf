"""Events that come together are taken together, and nothing changes its place by that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.state.arrivals import in_runs
from common.protocol import messages
from common.protocol.codec import Arrival, RemoteProtocolError
from common.protocol.events import Event
from tests.unit.chat_client.desk import event

_PONG = messages.Pong(re=1)


@given(st.lists(st.booleans(), max_size=30))
def test_runs_hold_everything_in_its_order(events: list[bool]) -> None:
    """Lists hold events only, never none, and no two lists stand side by side."""
    said: list[Arrival] = [event(n) if is_event else _PONG for n, is_event in enumerate(events, 1)]
    runs = list(in_runs(said))
    flat: list[Arrival] = []
    for before, run in zip([None, *runs], runs, strict=False):
        if isinstance(run, list):
            assert run
            assert not isinstance(before, list)
            assert all(isinstance(each, Event) for each in run)
            flat += run
        else:
            assert not isinstance(run, Event)
            flat.append(run)
    assert flat == said


def test_what_came_before_a_breach_is_given() -> None:
    """A server that breaks the rules does not take back what it said before."""

    def said() -> Iterator[Arrival]:
        yield event(1)
        yield event(2)
        raise RemoteProtocolError("no such thing")

    runs = in_runs(said())
    assert next(runs) == [event(1), event(2)]
    with pytest.raises(RemoteProtocolError):
        next(runs)
