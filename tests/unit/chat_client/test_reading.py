"""What the message list holds and whether it follows the end: against the plainest model of it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chat_client.window.transcript.held import MOST, MOST_WEIGHT
from chat_client.window.transcript.reading import BURST, PAGE, Draw, End, Reading
from common.protocol.events import Event
from tests.events import said

VIEW = 10
"""Messages in view at most."""


def events(first: int, last: int, text: str = "hi", sender: str = "bob") -> list[Event]:
    """Consecutive messages."""
    return [said(seq, sender, text) for seq in range(first, last + 1)]


def made(count: int = 0, *, follows: bool = True) -> Reading:
    """A room whose `count` messages are held, with the end in view or not."""
    reading = Reading(lambda _: None)
    reading.events.append(events(1, count))
    reading.see_end(follows)
    return reading


def test_new_events_are_appended_while_the_end_is_in_view() -> None:
    """In their order, each once, however often they are told."""
    reading = made(3)
    assert reading.hear(events(3, 5))
    assert reading.hear(events(4, 6))
    draw, fresh = reading.take_fresh(selecting=False)
    assert (draw, [event.seq for event in fresh]) == (Draw.APPEND, [4, 5, 6])
    assert reading.take_fresh(selecting=False) == (Draw.NOTHING, ())
    assert not reading.hear(events(1, 3))


def test_of_too_many_new_events_only_the_latest_page_is_drawn() -> None:
    """Also of too heavy ones; and where something before them is missing."""
    for fresh in (
        events(4, 4 + BURST),
        events(4, 20, "\U0001f600" * 4096),
        events(6, 7),
    ):
        reading = made(3)
        reading.hear(fresh)
        assert reading.take_fresh(selecting=False) == (Draw.LATEST, ())
        assert reading.end is End.FOLLOWED


@pytest.mark.parametrize(("count", "draw"), [(BURST, Draw.APPEND), (BURST + 1, Draw.LEAVE)])
def test_what_is_selected_is_not_thrown_away(count: int, draw: Draw) -> None:
    """As many as can be appended are; more of them wait until somebody goes down."""
    reading = made(3)
    reading.hear(events(4, 3 + count))
    assert reading.take_fresh(selecting=True)[0] is draw
    assert reading.end is (End.FOLLOWED if draw is Draw.APPEND else End.BEYOND)


@pytest.mark.parametrize(("held", "draw"), [(MOST - 2, Draw.APPEND), (MOST - 1, Draw.LEAVE)])
def test_who_reads_elsewhere_gets_what_there_is_room_for(held: int, draw: Draw) -> None:
    """More would take something away at the other end, where they may read."""
    reading = made(held, follows=False)
    reading.hear(events(held + 1, held + 2))
    assert reading.take_fresh(selecting=False)[0] is draw
    assert reading.end is (End.BELOW if draw is Draw.APPEND else End.BEYOND)


def test_nothing_is_heard_of_what_is_far_below() -> None:
    """Going down brings it, with all before it; nothing is in view of the end meanwhile."""
    reading = made(3, follows=False)
    reading.hear(events(4, 4))
    reading.brought(more=True)
    assert reading.fresh == []
    assert not reading.hear(events(5, 6))
    ends = []
    for step in (reading.see_end, lambda _: reading.brought(more=False), reading.see_end):
        step(True)
        ends.append(reading.end)
    assert ends == [End.BEYOND, End.BELOW, End.FOLLOWED]


def test_ones_own_words_are_drawn_without_delay_unless_they_are_among_many() -> None:
    """They would else be gone for a moment: from the outbox already, and not in the room yet."""
    reading = made()
    reading.hear(events(1, 2))
    assert not reading.has_fresh_of("ada")
    reading.hear(events(3, 3, sender="ada"))
    assert reading.has_fresh_of("ada")
    reading.hear(events(4, BURST + 1))
    assert not reading.has_fresh_of("ada")


def test_going_to_the_latest_page_does_not_leave_the_end() -> None:
    """Whoever follows it is told nothing of it; else they are told once it is in view."""
    told: list[bool] = []
    reading = Reading(told.append)
    reading.events.append(events(1, 3))
    reading.restart(more=False)
    assert (len(reading.events), reading.end, told) == (0, End.FOLLOWED, [])
    reading.restart(more=True)
    reading.restart(more=False)
    assert (reading.end, told) == (End.BELOW, [False])
    reading.see_end(True)
    assert told == [False, True]


def test_what_is_heavy_is_dropped_away_from_the_view() -> None:
    """But what is in view, and a page beside it, stays whatever it weighs."""
    reading = Reading(lambda _: None)
    reading.events.append(events(1, 200, "\U0001f600" * 4096))
    dropped = reading.drop_above(150)
    assert [event.seq for event in dropped] == list(range(1, 150 - PAGE + 1))
    assert reading.events._weight > MOST_WEIGHT
    dropped = reading.drop_below(0)
    assert dropped[0].seq == 200
    assert reading.events._weight <= MOST_WEIGHT
    assert len(reading.events) > PAGE
    assert reading.end is End.BEYOND
    assert reading.drop_below(None) == []


class Reader(RuleBasedStateMachine):
    """A room of which the cache has all; a list of it that is drawn as the window draws it."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bool] = []
        self.reading = Reading(self.told.append)
        self.said = 0
        """The newest message of the room."""
        self.first = 0
        """Where in what is held the view begins."""

    def page(self, first: int, last: int) -> list[Event]:
        """Of the cache."""
        return events(max(1, first), min(last, self.said))

    @property
    def held(self) -> int:
        """How many are held."""
        return len(self.reading.events)

    def bottom(self) -> None:
        """The end of what is held comes into view."""
        self.first = max(0, self.held - VIEW)
        self.reading.see_end(True)

    def latest(self) -> None:
        """The newest page is drawn."""
        self.reading.restart(more=False)
        self.reading.events.append(self.page(self.said - PAGE + 1, self.said))
        self.bottom()

    def drop_above(self) -> None:
        """What is far above the view is dropped."""
        in_view = [event.seq for event in self.reading.events][self.first : self.first + VIEW]
        self.first -= len(self.reading.drop_above(self.first))
        assert [event.seq for event in self.reading.events][
            self.first : self.first + VIEW
        ] == in_view

    @rule(count=st.integers(1, BURST + 20))
    def speak(self, count: int) -> None:
        """Somebody says something."""
        self.said += count
        self.reading.hear(events(self.said - count + 1, self.said))

    @rule(selecting=st.booleans())
    def draw(self, selecting: bool) -> None:
        """It is time to draw what is new."""
        followed, fresh = self.reading.follows, list(self.reading.fresh)
        do, taken = self.reading.take_fresh(selecting=selecting)
        assert (do is Draw.NOTHING) == (not fresh)
        match do:
            case Draw.LATEST:
                assert followed
                self.latest()
            case Draw.APPEND:
                assert list(taken) == fresh
                self.reading.events.append(taken)
                if followed:
                    self.bottom()
                    self.drop_above()
            case Draw.LEAVE:
                assert not followed or selecting
            case Draw.NOTHING:
                pass

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def scroll(self, data: st.DataObject) -> None:
        """Anywhere within what is held; near its ends more is brought."""
        self.first = data.draw(st.integers(0, max(0, self.held - VIEW)))
        self.reading.see_end(self.first + VIEW >= self.held)
        held = self.reading.events
        if self.first < VIEW and held.first > 1:
            page = self.page(held.first - PAGE, held.first - 1)
            held.prepend(page)
            self.first += len(page)
            if not self.reading.follows:
                self.reading.drop_below(min(self.held, self.first + VIEW) - 1)
        elif self.first + 2 * VIEW > self.held and self.reading.has_newer:
            page = self.page(held.last + 1, held.last + PAGE)
            held.append(page)
            self.reading.brought(more=held.last < self.said)
            self.drop_above()

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def go_to(self, data: st.DataObject) -> None:
        """To a place, as somebody looks for something; or to the latest."""
        place = data.draw(st.integers(1, self.said))
        page = self.page(place - PAGE // 4, place + PAGE // 2)
        self.reading.restart(more=page[-1].seq < self.said)
        self.reading.events.append(page)
        self.first = 0
        self.reading.see_end(len(page) <= VIEW)

    @rule()
    def go_to_latest(self) -> None:
        """The button, or the key."""
        self.latest() if self.reading.has_newer else self.bottom()

    @invariant()
    def holds_without_a_gap(self) -> None:
        """And not too many."""
        places = [event.seq for event in [*self.reading.events, *self.reading.fresh]]
        assert all(after == before + 1 for before, after in pairwise(places))
        assert self.held <= MOST + PAGE

    @invariant()
    def nothing_new_is_lost(self) -> None:
        """What is held and waits reaches the room's end, or it is known that it does not."""
        if self.reading.has_newer:
            assert self.reading.fresh == []
            assert self.reading.newest < self.said
        else:
            assert self.reading.newest == self.said

    @invariant()
    def every_change_is_told_once(self) -> None:
        """Of whether the end is in view."""
        assert all(before != after for before, after in pairwise([True, *self.told]))
        assert [True, *self.told][-1] == self.reading.follows
        assert not (self.reading.follows and self.reading.has_newer)


TestReader = Reader.TestCase
TestReader.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
