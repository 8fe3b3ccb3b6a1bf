"""A cache with gaps: which spans it stores, and which events it reports as missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.cache.spans import Span
from common.protocol.events import Event, UnknownBody
from tests.events import joined, said

ROOM = "general"


@pytest.fixture
def cache(path: Path) -> Iterator[Cache]:
    """A cache on the disk."""
    made = Cache(path)
    yield made
    made.close()


@pytest.fixture
def reader(path: Path, cache: Cache) -> Iterator[CacheReader]:
    """What the window reads of it."""
    del cache
    made = CacheReader(path)
    yield made
    made.close()


def events(first: int, last: int, sender: str = "bob") -> list[Event]:
    """Messages, a second apart."""
    return [said(seq, sender, f"message {seq}") for seq in range(first, last + 1)]


def have(cache: Cache, *stretches: tuple[int, int], upto: int = 1000) -> None:
    """Store these stretches, as pages of history."""
    with cache.transaction():
        for first, last in stretches:
            cache.add_past(events(first, last), upto)


def places(found: Sequence[Event]) -> list[int]:
    """Where they stand."""
    return [event.seq for event in found]


def _fail_if(fails: bool) -> None:
    if fails:
        raise ZeroDivisionError


def stored_spans(path: Path) -> list[tuple[int, int]]:
    """What stands in the file."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT first, last FROM spans ORDER BY first").fetchall()
    connection.close()
    return rows


def test_pages_are_read_within_a_stretch_only(cache: Cache, reader: CacheReader) -> None:
    """Whoever reads past its end would not see that something is missing."""
    have(cache, (91, 100), (41, 50), (1, 5))
    assert cache.position(ROOM) == 100
    assert places(reader.latest(ROOM, 4)) == [97, 98, 99, 100]
    assert places(reader.latest(ROOM, 40)) == [*range(91, 101)]
    assert places(reader.before(ROOM, 95, 2)) == [93, 94]
    assert places(reader.before(ROOM, 95, 40)) == [91, 92, 93, 94]
    assert places(reader.before(ROOM, 91, 40)) == []
    assert places(reader.before(ROOM, 51, 3)) == [48, 49, 50]
    assert places(reader.before(ROOM, 52, 3)) == []
    assert places(reader.after(ROOM, 0, 40)) == [1, 2, 3, 4, 5]
    assert places(reader.after(ROOM, 5, 40)) == []
    assert places(reader.after(ROOM, 40, 3)) == [41, 42, 43]
    assert places(reader.after(ROOM, 39, 3)) == []
    assert places(reader.after(ROOM, 100, 3)) == []


def test_what_is_missing_is_told(cache: Cache, reader: CacheReader) -> None:
    """At each end of a stretch; not before the first event, nor after the newest."""
    assert not reader.missing_after(ROOM, 0)
    have(cache, (91, 100), (41, 50))
    assert [seq for seq in range(2, 103) if not reader.before(ROOM, seq, 1)] == [
        *range(2, 42), *range(52, 92), 102,
    ]  # fmt: skip
    assert [seq for seq in range(102) if reader.missing_after(ROOM, seq)] == [
        *range(40), *range(50, 90),
    ]  # fmt: skip
    assert not reader.is_whole(ROOM)
    have(cache, (1, 40), (51, 90))
    assert reader.is_whole(ROOM)
    assert all(reader.before(ROOM, seq, 1) for seq in range(2, 102))
    assert not any(reader.missing_after(ROOM, seq) for seq in range(102))
    assert reader.is_whole("nobody said anything here")


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 30), st.integers(0, 7)), min_size=1, max_size=12
    )
)
def test_the_file_has_what_is_told(steps: list[tuple[bool, int, int]]) -> None:
    """Pages and new events in any order, of which some transactions fail."""
    cache = Cache(None)
    kept: set[int] = set()
    for fails, first, more in steps:
        stretch = range(first, first + more + 1)
        with suppress(ZeroDivisionError), cache.transaction():
            cache.add_past(events(stretch[0], stretch[-1]), 40)
            head = cache.position(ROOM)
            cache.add_events(events(head + 1, head + 2))
            new = {*stretch, head + 1, head + 2}
            _fail_if(fails)
            kept |= new
        here = {seq for span in cache.spans(ROOM) for seq in range(span.first, span.last + 1)}
        assert here == kept
        assert cache.position(ROOM) == max(kept, default=0)
        rows = cache._connection.execute("SELECT first, last FROM spans ORDER BY first").fetchall()
        assert [Span(*row) for row in rows] == [*cache.spans(ROOM)]
        stored = cache._connection.execute("SELECT seq FROM events").fetchall()
        assert {seq for (seq,) in stored} == kept
    cache.close()


def test_the_stretches_are_there_after_reopening(path: Path, cache: Cache) -> None:
    """In memory as in the file."""
    have(cache, (91, 100), (41, 50))
    with cache.transaction():
        cache.add_event(events(101, 101)[0])
    again = Cache(path)
    assert again.spans(ROOM) == (Span(41, 50), Span(91, 101))
    again.close()


def test_a_page_replaces_only_what_is_older_than_it(cache: Cache, reader: CacheReader) -> None:
    """A state as of one place does not come back over one as of a later place."""
    with cache.transaction():
        cache.add_past([said(7, "bob", "as of 20")], 20)
        cache.add_past([said(7, "bob", "as of 10")], 10)
    assert [event.text for event in reader.latest(ROOM, 9)] == ["as of 20"]
    with cache.transaction():
        cache.add_past([said(7, "bob", "as of 30")], 30)
    assert [event.text for event in reader.latest(ROOM, 9)] == ["as of 30"]


def test_what_came_live_is_as_new_as_its_place(cache: Cache, reader: CacheReader) -> None:
    """A page that tells of what was before it can't be about it; one of later is newer."""
    with cache.transaction():
        cache.add_event(said(1, "bob", "live"))
        cache.add_past([said(1, "bob", "later")], 9)
    assert [event.text for event in reader.latest(ROOM, 9)] == ["later"]


def test_an_unknown_kind_in_a_page_is_kept_whole(cache: Cache, reader: CacheReader) -> None:
    """As one that came live: a later program shows it."""
    unknown = Event(ROOM, 8, "poll", "bob", 5, "p" * 16, UnknownBody({"text": "Lunch?"}))
    with cache.transaction():
        cache.add_past([said(7), unknown, joined(9)], 20)
    shown = reader.latest(ROOM, 9)
    assert [(event.kind, event.known, event.text) for event in shown] == [
        ("message", True, "hello"), ("poll", False, ""), ("join", True, ""),
    ]  # fmt: skip
    with cache.transaction():
        assert cache.understand(lambda event: event, lambda: "all") == [ROOM]
    assert [event.text for event in reader.latest(ROOM, 9)] == ["hello", "Lunch?", ""]


def test_a_room_that_is_forgotten_has_no_stretches(path: Path, cache: Cache) -> None:
    """Nor has one of another history; a failed transaction brings them back."""
    have(cache, (91, 100), (41, 50))
    with pytest.raises(ZeroDivisionError), cache.transaction():  # noqa: PT012 (it is the whole that fails)
        cache.forget_room(ROOM)
        cache.add_past(events(3, 4), 9)
        raise ZeroDivisionError
    assert cache.spans(ROOM) == (Span(41, 50), Span(91, 100))
    assert stored_spans(path) == [(41, 50), (91, 100)]
    with cache.transaction():
        cache.forget_room(ROOM)
    assert (cache.spans(ROOM), stored_spans(path)) == ((), [])
    have(cache, (3, 4))
    with cache.transaction():
        cache.reset("f" * 32)
    assert (cache.spans(ROOM), stored_spans(path)) == ((), [])


def test_what_is_missing_counts_as_unread(cache: Cache, reader: CacheReader) -> None:
    """All of it, whoever said it; of what is here, others' messages only."""
    with cache.transaction():
        cache.add_events([*events(1, 4), *events(5, 6, "ada")])
    assert [room.unread for room in reader.rooms("ada")] == [4]
    with cache.transaction():
        cache.mark_read(ROOM, 5)
        cache.add_past(events(91, 100), 100)
    (room,) = reader.rooms("ada", only=ROOM)
    assert (room.position, room.read, room.unread) == (100, 5, 84 + 10)
    have(cache, (41, 50))
    assert reader.rooms("ada")[0].unread == 74 + 20
    with cache.transaction():
        cache.mark_read(ROOM, 95)
    assert reader.rooms("ada")[0].unread == 5
    assert reader.rooms("ada", only="nowhere") == []


def test_what_was_before_one_came_is_not_unread(cache: Cache, reader: CacheReader) -> None:
    """A room that is begun in its middle begins read, until something is said."""
    with cache.transaction():
        cache.begin_reading(ROOM, 1_000_000)
        cache.add_past(events(999_901, 1_000_000), 1_000_000)
    assert reader.rooms("ada")[0].unread == 0
    with cache.transaction():
        cache.add_event(events(1_000_001, 1_000_001)[0])
    assert reader.rooms("ada")[0].unread == 1


def test_a_room_that_is_begun_again_in_its_middle_is_read_as_far_as_it_was(
    cache: Cache, reader: CacheReader
) -> None:
    """Told by when it was said, as its places are others now."""
    with cache.transaction():
        cache.add_events(events(1, 10))
        cache.mark_read(ROOM, 8)
        cache.forget_room(ROOM)
        cache.begin_reading(ROOM, 900)
        # What was said up to the former eighth message has been read.
        cache.add_past([said(seq + 800, "bob", sent_at=e.sent_at)
                        for seq, e in enumerate(events(5, 12))], 900)  # fmt: skip
    (room,) = reader.rooms("ada")
    assert (room.position, room.read, room.unread) == (807, 803, 4)


def test_a_room_that_is_begun_again_after_all_that_was_read(
    cache: Cache, reader: CacheReader
) -> None:
    """How much lies between is not known: only what is here counts."""
    with cache.transaction():
        cache.add_events(events(1, 10))
        cache.mark_read(ROOM, 8)
        cache.forget_room(ROOM)
        cache.begin_reading(ROOM, 900)
        cache.add_past(events(801, 900), 900)
    (room,) = reader.rooms("ada")
    assert (room.read, room.unread) == (800, 100)


def test_a_day_is_found_in_what_is_here(cache: Cache, reader: CacheReader) -> None:
    """The first event of a time or later, and whether an earlier one may be missing."""
    at = {seq: said(seq).sent_at for seq in range(1, 2000)}
    assert reader.place_at(ROOM, 0) == (0, False)
    have(cache, (91, 100), (41, 50))
    assert reader.place_at(ROOM, at[45]) == (45, True)
    assert reader.place_at(ROOM, at[45] - 1) == (45, True)
    assert reader.place_at(ROOM, at[41]) == (41, False)
    assert reader.place_at(ROOM, at[20]) == (41, False)
    assert reader.place_at(ROOM, at[51]) == (91, False)
    assert reader.place_at(ROOM, at[92]) == (92, True)
    assert reader.place_at(ROOM, at[1999]) == (100, True)
    have(cache, (1, 40))
    assert reader.place_at(ROOM, 0) == (1, True)
    assert reader.place_at(ROOM, at[41]) == (41, True)


@pytest.mark.parametrize(
    "rows",
    [
        [(1, 2**62)],
        [(1, 3), (2, 7)],
        [(1, 3), (4, 7)],
        [("a", "b"), (0, 4), (9, 2), (-5, 3), (2.5, 7)],
        [(8, 10), (400, 500)],
        [],
    ],
)
def test_stretches_that_make_no_sense_are_mended(
    path: Path, cache: Cache, rows: list[tuple[object, object]]
) -> None:
    """By what there is; the next to open the file finds them right."""
    with cache.transaction():
        cache.add_events(events(1, 10))
        cache.add_past(events(21, 30), 30)
    cache._connection.execute("DELETE FROM spans")
    cache._connection.executemany(f"INSERT INTO spans VALUES ('{ROOM}', ?, ?)", rows)  # noqa: S608 (ours)
    again = Cache(path)
    assert again.spans(ROOM) == (Span(1, 10), Span(21, 30))
    assert stored_spans(path) == [(1, 10), (21, 30)]
    with again.transaction():
        again.add_past(events(11, 20), 30)
    assert again.spans(ROOM) == (Span(1, 30),)
    again.close()
    reader = CacheReader(path)
    assert places(reader.after(ROOM, 0, 99)) == [*range(1, 31)]
    assert places(reader.before(ROOM, 31, 99)) == [*range(1, 31)]
    reader.close()
