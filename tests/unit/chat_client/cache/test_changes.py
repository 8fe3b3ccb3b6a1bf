"""A kind of event that changes earlier ones, made up: whether the cache keeps what it takes.

No kind of this version does that, but a newer server has one. What it sends is stored by this
program, as a kind that it does not know, and shown by a later one; pages show what they have as of
`upto`. `Copy` reads a cache by the rules of docs/protocol.md, section 9, "Changes".
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_client.cache.cache import Cache
from common.protocol.events import MESSAGE, Event, UnknownBody
from tests.events import TIME, cid_of

ROOM: Final = "general"
AMEND: Final = "amend"
"""Gives an earlier message another text: `of` is its place."""
PAGE: Final = 4


class Log:
    """What the server has."""

    def __init__(self) -> None:
        self._said: list[str | tuple[int, str]] = []

    @property
    def head(self) -> int:
        """The place of the newest event."""
        return len(self._said)

    def say(self) -> int:
        """Somebody says something; its place."""
        self._said.append(f"said in {self.head + 1}")
        return self.head

    def amend(self, of: int) -> int:
        """Somebody changes what was said in a place; the place of the change."""
        self._said.append((of, f"changed in {self.head + 1}"))
        return self.head

    def messages(self) -> list[int]:
        """The places in which something was said."""
        return [seq for seq, said in enumerate(self._said, 1) if isinstance(said, str)]

    def text(self, seq: int, upto: int) -> str:
        """What was said in a place, as of another place."""
        said = self._said[seq - 1]
        assert isinstance(said, str)
        changes = self._said[seq:upto]
        return [said, *(each[1] for each in changes if each[0] == seq)][-1]  # by tuples alone

    def event(self, seq: int, upto: int) -> Event:
        """An event as of a place from its own on."""
        said, at = self._said[seq - 1], TIME + 1000 * seq
        if isinstance(said, str):
            body = {"text": self.text(seq, upto)}
            return Event(ROOM, seq, MESSAGE, "bob", at, cid_of(seq), body)
        changed = UnknownBody({"of": said[0], "text": said[1]})
        return Event(ROOM, seq, AMEND, "bob", at, cid_of(seq), changed)


class Copy:
    """A client's copy of a log: what it is brought, and what it shows."""

    def __init__(self, log: Log) -> None:
        self.log, self.cache = log, Cache(None)
        self.end = 0
        """The place up to which nothing more comes by itself."""

    def live(self, *, late: bool = False) -> None:
        """All that is new comes, one by one; `late`: with what has changed it since."""
        for seq in range(self.end + 1, self.log.head + 1):
            with self.cache.transaction():
                self.cache.add_event(self.log.event(seq, self.log.head if late else seq))
            self.end = seq

    def skip(self) -> None:
        """It was away for long: delivery goes on at the head."""
        self.end = self.log.head

    def page(self, last: int, upto: int, *, late: bool = False) -> None:
        """A page comes that ends with a place or where delivery begins, as of the place `upto`.

        `late`: it was read when there was more.
        """
        last = min(last, upto, self.end)
        if last:
            as_of = self.log.head if late else upto
            events = [self.log.event(seq, as_of) for seq in range(max(1, last - 3), last + 1)]
            with self.cache.transaction():
                self.cache.add_past(events, upto)

    def stored(self) -> dict[int, tuple[int, str]]:
        """By place, what is stored of each message: up to where it counts, and the text."""
        rows = self.cache._connection.execute(
            "SELECT seq, max(upto, seq), text FROM events WHERE kind = ?", (MESSAGE,)
        )
        return {seq: (upto, text) for seq, upto, text in rows}

    def shown(self) -> dict[int, str]:
        """By place, what is shown: as of the state that is here, and all later changes that are."""
        stored = self.stored()
        texts = {seq: text for seq, (_, text) in stored.items()}
        rows = self.cache._connection.execute(
            "SELECT seq, came FROM events WHERE kind = ? ORDER BY seq", (AMEND,)
        )
        for seq, came in rows:
            change = json.loads(came)
            if change["of"] in stored and seq > stored[change["of"]][0]:
                texts[change["of"]] = change["text"]
        return texts

    def stale(self) -> set[int]:
        """The places of messages that may have been changed by what is not here."""
        spans = self.cache.spans(ROOM)
        here = [*spans, (self.end + 1, self.end)]  # even if nothing came yet after what was skipped
        whole_from = min(first for first, last in here if last == self.end)
        return {seq for seq, (upto, _) in self.stored().items() if upto < whole_from - 1}

    def is_right(self) -> bool:
        """Whether all that is not stale is shown as the server has it."""
        shown = self.shown()
        places = shown.keys() - self.stale()
        return all(shown[seq] == self.log.text(seq, self.log.head) for seq in places)


@pytest.fixture
def copy() -> Iterator[Copy]:
    """Eight messages, all of which are here."""
    copy = Copy(Log())
    for _ in range(8):
        copy.log.say()
    copy.live()
    yield copy
    copy.cache.close()


def test_a_change_in_a_gap_makes_stale_what_is_before_it(copy: Copy) -> None:
    """Until a page of it comes, or the gap is filled; what is behind the gap is right."""
    copy.log.amend(of=3)
    for _ in range(20):
        copy.log.say()
    copy.skip()
    copy.page(copy.end, copy.log.head)
    assert copy.shown()[3] == "said in 3"
    assert copy.stale() == {*range(1, 9)}
    copy.page(4, copy.log.head)
    assert copy.shown()[3] == "changed in 9"
    assert copy.stale() == {5, 6, 7, 8}
    for last in range(9, copy.end, PAGE):
        copy.page(last, copy.log.head)
    assert copy.stale() == set()
    assert copy.is_right()


def test_the_change_itself_may_come_first(copy: Copy) -> None:
    """It is stored before the message is, whose state is of before it."""
    other = Copy(copy.log)
    other.skip()
    upto = copy.log.head
    copy.log.amend(of=6)
    other.live()
    other.page(8, upto)
    assert other.shown()[6] == "changed in 9"
    assert other.is_right()
    other.cache.close()


def test_a_page_of_before_a_change_does_not_take_it_back(copy: Copy) -> None:
    """The change came meanwhile, to a message that is here already; the page replaces that."""
    upto = copy.log.head
    copy.log.amend(of=6)
    copy.live()
    copy.page(8, upto)
    assert copy.stored()[6] == (8, "said in 6")
    assert copy.shown()[6] == "changed in 9"


def test_an_older_change_does_not_count_against_a_later_state(copy: Copy) -> None:
    """It comes with the gap that it was in, behind the page that has its outcome."""
    copy.log.amend(of=3)
    copy.log.amend(of=3)
    for _ in range(20):
        copy.log.say()
    copy.skip()
    copy.page(4, copy.log.head)
    copy.page(9, copy.log.head)
    assert copy.shown()[3] == "changed in 10"


_STEPS: Final = st.one_of(
    st.tuples(st.just("say"), st.integers(1, 6)),
    st.tuples(st.just("amend"), st.integers(0, 40)),
    st.tuples(st.sampled_from(("live", "skip", "answer")), st.integers(0, 1)),
    st.tuples(st.just("ask"), st.integers(1, 30)),
    st.tuples(st.just("ask"), st.just(1000)),
)


class Course:
    """What happens to a log and a copy of it, in any order; pages are answered late."""

    def __init__(self) -> None:
        self.log = Log()
        self.copy = Copy(self.log)
        self._asked: deque[tuple[int, int]] = deque()

    def say(self, count: int) -> None:
        """Somebody says so many things."""
        for _ in range(count):
            self.log.say()

    def amend(self, number: int) -> None:
        """One of the messages is changed, if there is one."""
        if messages := self.log.messages():
            self.log.amend(messages[number % len(messages)])

    def live(self, late: int) -> None:
        """What is new comes."""
        self.copy.live(late=bool(late))

    def skip(self, _: int) -> None:
        """Much has been missed."""
        self.copy.skip()

    def ask(self, last: int) -> None:
        """A page is asked for, or the newest; the server knows by then what it will hold."""
        self._asked.append((min(last, self.copy.end), self.log.head))

    def answer(self, late: int) -> None:
        """One that was asked for comes."""
        if self._asked:
            self.copy.page(*self._asked.popleft(), late=bool(late))


@given(st.lists(_STEPS, min_size=8, max_size=30))
@settings(max_examples=200)
def test_what_is_not_stale_is_right_in_whatever_order_it_came(steps: list[tuple[str, int]]) -> None:
    """Whenever all that comes by itself is here; and once what is stale is fetched, all is."""
    course = Course()
    log, copy = course.log, course.copy
    for what, number in [*steps, ("live", 0)]:
        getattr(course, what)(number)
        assert copy.end < log.head or copy.is_right()
    for seq in copy.stale():
        copy.page(seq, log.head)
    assert copy.stale() == set()
    assert copy.is_right()
    copy.cache.close()
