"""Which events the message list holds: a bounded number of a bounded weight."""

from __future__ import annotations

from chat_client.window.transcript.held import (
    MOST,
    MOST_WEIGHT,
    STEP_WEIGHT,
    Held,
    fitting,
    weight_of,
)
from common.protocol.events import Event
from tests.events import said

HEAVY = "\U0001f600" * 4096


def events(first: int, last: int, text: str = "hi") -> list[Event]:
    """Consecutive messages."""
    return [said(n, text=text) for n in range(first, last + 1)]


def test_a_step_draws_as_much_as_fits_and_one_at_least() -> None:
    """From the end that is next to what is there."""
    light = events(1, 40)
    assert fitting(light, newest=True) == light
    heavy = events(1, 40, HEAVY)
    taken = fitting(heavy, newest=True)
    assert 1 <= len(taken) < 4
    assert taken[-1].seq == 40
    assert sum(map(weight_of, taken)) <= STEP_WEIGHT
    assert [event.seq for event in fitting(heavy, newest=False)][:1] == [1]
    assert fitting([], newest=True) == []


def test_too_many_and_too_heavy_ones_go_from_an_end() -> None:
    """What is in view and near it stays whatever it weighs."""
    held = Held()
    held.append(events(1, MOST + 10))
    assert held.excess(newest=False, spare=100) == 10
    assert [event.seq for event in held.drop(10, newest=False)] == [*range(1, 11)]
    assert (held.first, held.last, len(held)) == (11, MOST + 10, MOST)
    assert held.excess(newest=True, spare=100) == 0
    heavy = Held()
    heavy.prepend(events(1, 200, HEAVY))
    excess = heavy.excess(newest=True, spare=10)
    assert (200 - excess) * weight_of(events(1, 1, HEAVY)[0]) <= MOST_WEIGHT
    assert heavy.excess(newest=True, spare=190) == 10
    assert [event.seq for event in heavy.drop(2, newest=True)] == [200, 199]
    assert not heavy.has_room(events(199, 199))


def test_events_are_found_by_their_place() -> None:
    """Also should there be a gap."""
    held = Held()
    assert (held.first, held.last, held.at(1)) == (0, 0, None)
    held.append(events(5, 9) + events(11, 12))
    assert [held.at(seq) for seq in (4, 5, 9, 10, 11, 12, 13)] == [None, 0, 4, None, 5, 6, None]
    assert held.find(11).seq == 11
