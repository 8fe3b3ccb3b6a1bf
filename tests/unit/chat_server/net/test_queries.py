"""Answers that workers read: pages of history and of the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.net.queries import answer
from chat_server.rules.effects import ReadAudit, ReadHistory
from chat_server.store.sqlite.reader import SqliteReader
from chat_server.store.store import Reader
from common import limits
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.codec import encode
from common.protocol.events import Event
from common.protocol.fast_encode import body_json
from tests.contract.engines import MemoryEngine
from tests.contract.test_store import Filled
from tests.events import said
from tests.unit.chat_server.house import House

BYTES: Final = limits.PAGE_HISTORY_BYTES


@pytest.fixture
def filled() -> Iterator[Filled]:
    """A room of 50 messages, at the times 1000, 2000 and so on."""
    made = Filled(MemoryEngine())
    made.say(*(said(seq, cid=f"{seq:016}", sent_at=1000 * seq) for seq in range(1, 51)))
    yield made
    made.store.close()


def page(
    filled: Filled,
    count: int,
    *,
    head: int = 50,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
    at: int | None = None,
) -> messages.HistoryPage:
    """What is answered."""
    query = ReadHistory(GENERAL, head, before, after, around, at, count)
    found = answer(query, 7, filled.engine.reader())
    assert isinstance(found, messages.HistoryPage)
    assert (found.re, found.room, found.upto) == (7, GENERAL, head)
    return found


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ({"count": 10}, 41, 50),
        ({"count": 200}, 1, 50),
        ({"count": 10, "head": 30}, 21, 30),
        ({"count": 10, "before": 41}, 31, 40),
        ({"count": 10, "before": 5}, 1, 4),
        ({"count": 10, "before": 2}, 1, 1),
        ({"count": 10, "before": 999}, 41, 50),
        ({"count": 10, "after": 0}, 1, 10),
        ({"count": 10, "after": 20}, 21, 30),
        ({"count": 1, "after": 49}, 50, 50),
        ({"count": 200, "after": 45}, 46, 50),
        ({"count": 10, "after": 25, "head": 30}, 26, 30),
        ({"count": 10, "around": 20}, 15, 24),
        ({"count": 1, "around": 20}, 20, 20),
        ({"count": 10, "around": 1}, 1, 10),
        ({"count": 10, "around": 50}, 41, 50),
        ({"count": 10, "around": 999}, 41, 50),
        ({"count": 10, "at": 20_000}, 15, 24),
        ({"count": 10, "at": 19_001}, 15, 24),
        ({"count": 10, "at": 0}, 1, 10),
        ({"count": 10, "at": 99_000}, 41, 50),
    ],
)
def test_a_page_is_what_was_asked_for(
    filled: Filled, asked: dict[str, int], first: int, last: int
) -> None:
    """Consecutive events, and whether there are others before and after them."""
    found = page(filled, **asked)
    assert [each.seq for each in found.events] == list(range(first, last + 1))
    assert (found.older, found.newer) == (first > 1, last < asked.get("head", 50))
    fields = filled.stored()[first - 1]._asdict()
    del fields["room"]
    assert found.events[0].model_dump() == fields


@pytest.mark.parametrize(
    ("asked", "older", "newer"),
    [
        ({"before": 1}, False, True),
        ({"after": 50}, True, False),
        ({"after": 999}, True, False),
        ({"after": 30, "head": 30}, True, False),
        ({"head": 0}, False, False),
        ({"head": 0, "before": 1}, False, False),
        ({"head": 0, "before": 7}, False, False),
        ({"head": 0, "after": 0}, False, False),
        ({"head": 0, "after": 7}, False, False),
        ({"head": 0, "around": 7}, False, False),
        ({"head": 0, "at": 20_000}, False, False),
    ],
)
def test_where_nothing_is_there_is_an_empty_page(
    filled: Filled, asked: dict[str, int], older: bool, newer: bool
) -> None:
    """Before the first, after the last, and in an empty room: and what there is on either side."""
    found = page(filled, 10, **asked)
    assert (found.events, found.older, found.newer) == ((), older, newer)


def test_pages_forward_and_back_meet_each_other(filled: Filled) -> None:
    """Each begins where the one before ends, and the last says that it is."""
    forward: list[int] = []
    more = True
    while more:
        found = page(filled, 7, after=forward[-1] if forward else 0)
        forward += [each.seq for each in found.events]
        more = found.newer
    back: list[int] = []
    more = True
    while more:
        found = page(filled, 7, before=back[0] if back else 51)
        back = [each.seq for each in found.events] + back
        more = found.older
    assert forward == back == list(range(1, 51))


@pytest.mark.parametrize(
    "times",
    [
        [7] * 50,  # all at once
        [1000 * min(seq, 50 - seq) for seq in range(1, 51)],  # the clock was set back
        [*range(100, 125), *range(100, 125)],
    ],
)
def test_pages_are_the_same_whatever_the_clock_said(times: list[int]) -> None:
    """None is missing and none comes twice: pages go by places, and a time leads to one of them."""
    filled = Filled(MemoryEngine())
    filled.say(*(said(seq, cid=f"{seq:016}", sent_at=at) for seq, at in enumerate(times, 1)))
    test_pages_forward_and_back_meet_each_other(filled)
    for at in {0, *times, max(times) + 1}:
        found = page(filled, 10, at=at)
        seqs = [each.seq for each in found.events]
        assert seqs == list(range(seqs[0], seqs[0] + 10))
        assert any(each.sent_at >= at for each in found.events) == (at <= max(times))


def test_a_page_forward_of_long_messages_begins_after_its_place() -> None:
    """What does not fit is cut off its end."""
    filled = Filled(MemoryEngine())
    text = '"' * limits.TEXT_BYTES
    filled.say(*(said(seq, cid=f"{seq:016}", text=text) for seq in range(1, 20)))
    found = page(filled, 10, head=19, after=3)
    assert [each.seq for each in found.events] == list(range(4, 4 + len(found.events)))
    assert 1 <= len(found.events) < 10
    assert (found.older, found.newer) == (True, True)


@pytest.mark.parametrize("place", [None, 100, 150, 199])
def test_a_page_of_long_messages_fits_its_frame(place: int | None) -> None:
    """What is nearest to what was asked for is in it, and nothing is left out in between."""
    filled = Filled(MemoryEngine())
    text = '"' * limits.TEXT_BYTES
    filled.say(*(said(seq, cid=f"{seq:016}", text=text) for seq in range(1, 200)))
    found = page(filled, limits.PAGE_HISTORY, head=199, around=place)
    seqs = [each.seq for each in found.events]
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert (place or 199) in seqs
    assert len(encode(found)) <= limits.FRAME_JSON
    assert (found.older, found.newer) == (True, seqs[-1] < 199)


class CountingReader:
    """Counts the bytes that are read."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def after(self, room: str, seq: int, count: int) -> list[Event]:
        """The events, and how much they are."""
        found = self._reader.after(room, seq, count)
        self.bytes += sum(len(event.text) for event in found)
        return found


@pytest.mark.parametrize("place", [{}, {"before": 150}, {"after": 20}, {"around": 100}])
def test_a_page_reads_about_what_it_tells(place: dict[str, int]) -> None:
    """Asked for over and over, pages of long messages must not keep the others waiting."""
    filled = Filled(MemoryEngine())
    text = "x" * limits.TEXT_BYTES
    filled.say(*(said(seq, cid=f"{seq:016}", text=text) for seq in range(1, 200)))
    reader = CountingReader(filled.engine.reader())
    fields = dict.fromkeys(("before", "after", "around", "at")) | place
    query = ReadHistory(GENERAL, 199, **fields, count=limits.PAGE_HISTORY)
    found = answer(query, 7, cast("Reader", reader))
    assert isinstance(found, messages.HistoryPage)
    assert found.events
    assert reader.bytes <= 4 * limits.PAGE_HISTORY_BYTES


@given(
    st.lists(st.sampled_from([1, 400, 9_000, limits.TEXT_BYTES]), min_size=1, max_size=70),
    st.integers(1, 70),
    st.integers(1, 70),
    st.sampled_from(["before", "after", "around"]),
)
def test_a_page_has_as_much_as_fits(sizes: list[int], place: int, count: int, way: str) -> None:
    """The nearest events in a row, and one more on the nearer side would be too many."""
    filled = Filled(MemoryEngine())
    filled.say(*(said(seq, cid=f"{seq:016}", text="x" * size) for seq, size in enumerate(sizes, 1)))
    head = len(sizes)
    found = page(filled, count, head=head, **{way: place})
    seqs = [each.seq for each in found.events]
    weights = {seq: len(body_json({"text": "x" * size})) for seq, size in enumerate(sizes, 1)}
    match way:
        case "before":
            near = list(range(min(place - 1, head), 0, -1))[:count]
        case "after":
            near = list(range(place + 1, head + 1))[:count]
        case _:
            middle = min(place, head)
            first = max(1, min(middle - count // 2, head + 1 - count))
            # Of two that are as far away the later one is first.
            near = sorted(
                range(first, min(head, first + count - 1) + 1),
                key=lambda seq: (abs(seq - middle), -seq),
            )
    fitting = [
        seq
        for index, seq in enumerate(near)
        if not index or sum(weights[each] for each in near[: index + 1]) <= BYTES
    ]
    assert seqs == sorted(fitting)


def test_a_page_of_the_audit_log(house: House) -> None:
    """The newest first, then those before; the last page says that it is."""
    host = house.host()
    house.join("ada")
    for number in range(5):
        house.do(host, messages.MutePerson(id=1, username="ada", reason=str(number)))

    reader = SqliteReader(house.path)
    pages = [answer(ReadAudit(before, 2), 7, reader) for before in (None, 4, 2, 1)]
    reader.close()
    got = [
        ([entry.fields["reason"] for entry in each.entries], each.more)
        for each in pages
        if isinstance(each, messages.Audit)
    ]
    assert got == [(["4", "3"], True), (["2", "1"], True), (["0"], False), ([], False)]
