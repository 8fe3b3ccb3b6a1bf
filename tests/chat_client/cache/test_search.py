"""Finding words in the cache: all that are there, the newest first, whatever their case."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from chat_client.cache import search
from chat_client.cache.cache import Cache
from chat_client.cache.search import NEWEST, Found, Search
from chat_client.state.event import KeptEvent
from common.messages import EventKind

WITHIN = 30


class Kept:
    """A cache with rooms of messages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cache = Cache(path)

    def say(self, *texts: str, room: str = "general", kind: EventKind = "message") -> None:
        """The next events of a room, from its first on."""
        with self.cache.transaction():
            self.cache.add_room(room)
            for seq, text in enumerate(texts, self.cache.position(room) + 1):
                self.cache.add_event(KeptEvent(room, seq, kind, "ada", text, seq, None))

    def all(self, words: str, before: int = NEWEST) -> list[Found]:
        """What a search tells, until it ends."""
        told: queue.Queue[Found] = queue.Queue()
        looking = Search(self.path, "general", words, before, told.put)
        found = [told.get(timeout=WITHIN)]
        while not found[-1].ended:
            found.append(told.get(timeout=WITHIN))
        looking.stop()
        assert told.empty(), "it told more after its end"
        return found

    def find(self, words: str, before: int = NEWEST) -> list[int]:
        """The places found, in the order in which they were."""
        return places(self.all(words, before))


def places(found: Sequence[Found]) -> list[int]:
    """All of them."""
    return [seq for some in found for seq in some.seqs]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """An empty one."""
    kept = Kept(tmp_path / "cache.db")
    yield kept
    kept.cache.close()


def test_the_newest_comes_first(kept: Kept) -> None:
    """And what has other words, is of another room, or is no message, does not come."""
    kept.say("the relay", "the harbour", "a relay too", "relays")
    kept.say("the relay", room="dm:ada:bob")
    kept.say("relay", kind="join")
    assert kept.find("relay") == [4, 3, 1]
    assert kept.find("relay", before=4) == [3, 1]
    assert kept.find("nobody said that") == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("relay", "The RELAY"),
        ("RELAY", "the relay"),
        ("größe", "GRÖßE"),
        ("straße", "STRAẞE"),
        ("istanbul", "İSTANBUL"),
        ("IRMAK", "\u0131rmak"),
        ("kelvin", "5 \u212aelvin"),
        ("wissen", "Wi\u017f\u017fen"),
        ("ΛΌΓΟΣ", "λόγος"),
        ("привет", "ПРИВЕТ"),
        ("日本", "日本語"),
        ("🙂", "well 🙂"),
        ("*", "5 * 3"),
        ("?", "what?"),
        ("[ab]", "x[ab]y"),
        ("]", "x]y"),
        ("^a-z", "[^a-z]"),
        ("%_", "100%_"),
        ("0%", "10%"),
        ("!", "oh!"),
        ("\\", "C:\\"),
        ("'; DROP TABLE events; --", "'; DROP TABLE events; --"),
        ("over\ntwo", "goes over\ntwo lines"),
    ],
)
def test_letters_are_the_same_in_either_case_and_signs_mean_themselves(
    kept: Kept, words: str, text: str
) -> None:
    """Of a pattern's own signs none does anything."""
    kept.say("xyz", text, "xyz")
    assert kept.find(words) == [2]


def test_many_are_found_a_part_at_a_time(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the first is there soon; each one once, with nothing left out at the borders."""
    monkeypatch.setattr(search, "_PORTION", 7)
    monkeypatch.setattr(search, "FOUND_AT_ONCE", 50)
    kept.say(*(f"{'relay' if n % 3 == 0 else 'harbour'} {n}" for n in range(100)))
    found = kept.all("relay")
    assert places(found) == [seq for seq in range(100, 0, -1) if seq % 3 == 1]
    assert len(found) > 10
    assert found[-1] == Found(ended=True)


def test_after_enough_the_next_search_goes_on(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that there may be more, and before where to look for them."""
    monkeypatch.setattr(search, "_PORTION", 7)
    monkeypatch.setattr(search, "FOUND_AT_ONCE", 10)
    kept.say(*(f"relay {n}" for n in range(25)))
    first = kept.all("relay")
    assert (places(first), first[-1].more) == ([*range(25, 15, -1)], True)
    second = kept.all("relay", before=16)
    assert (places(second), second[-1].more) == ([*range(15, 5, -1)], True)
    third = kept.all("relay", before=6)
    assert (places(third), third[-1].more) == ([*range(5, 0, -1)], False)


def test_a_room_that_nobody_has_spoken_in(kept: Kept) -> None:
    """There is nothing, and that is said."""
    assert kept.all("relay") == [Found(ended=True)]


def test_what_is_stopped_tells_no_more(kept: Kept) -> None:
    """Not even that it ended."""
    kept.say(*("relay" for _ in range(1000)))
    told: list[Found] = []
    for _ in range(20):
        Search(kept.path, "general", "relay", NEWEST, told.append).stop()
        told.clear()
        assert not told


def test_it_stops_soon_even_where_comparing_takes_long(kept: Kept) -> None:
    """A long text of one letter is the worst for LIKE: to the end this would take minutes."""
    kept.say(*("a" * 16_000 for _ in range(2_000)))
    told: list[Found] = []
    Search(kept.path, "general", "a" * 4_000 + "b", NEWEST, told.append).stop()
    assert not told


def test_a_cache_that_cannot_be_read_is_said_to_be(tmp_path: Path) -> None:
    """With SQLite's own words for why."""
    path = tmp_path / "cache.db"
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    told: queue.Queue[Found] = queue.Queue()
    looking = Search(path, "general", "relay", NEWEST, told.put)
    found = told.get(timeout=WITHIN)
    looking.stop()
    assert found.ended
    assert "not a database" in found.problem
