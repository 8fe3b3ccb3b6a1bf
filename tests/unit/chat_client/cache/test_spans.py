"""Which stretches of a room are here: as a set of places would tell it, whatever happens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_client.cache.spans import Span, Spans

ROOMS = ("general", "dm:ada:bob")
_PLACES = st.integers(1, 40)
_STRETCHES = st.tuples(_PLACES, st.integers(0, 9)).map(lambda it: (it[0], it[0] + it[1]))
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(("add", "add", "add", "add", "forget", "keep", "roll_back")),
        st.sampled_from(ROOMS),
        _STRETCHES,
    ),
    max_size=40,
)


def stretches(places: set[int]) -> tuple[Span, ...]:
    """These places as spans that don't touch."""
    firsts = sorted(place for place in places if place - 1 not in places)
    lasts = sorted(place for place in places if place + 1 not in places)
    return tuple(map(Span, firsts, lasts))


@given(_STEPS)
def test_spans_are_the_places_that_were_added(
    steps: list[tuple[str, str, tuple[int, int]]],
) -> None:
    """In any order, overlapping or not, in two rooms, with what was taken back."""
    spans = Spans()
    places: dict[str, set[int]] = {room: set() for room in ROOMS}
    kept = {room: set(places[room]) for room in ROOMS}
    for what, room, (first, last) in steps:
        match what:
            case "add":
                places[room] |= set(range(first, last + 1))
                whole = spans.add(room, first, last)
                assert whole in stretches(places[room])
                assert whole.first <= first <= last <= whole.last
            case "forget":
                places[room].clear()
                spans.forget(room)
            case "keep":
                kept = {room: set(places[room]) for room in ROOMS}
                spans.commit()
            case _:
                places = {room: set(kept[room]) for room in ROOMS}
                spans.roll_back()
        for each in ROOMS:
            assert spans.of(each) == stretches(places[each])
