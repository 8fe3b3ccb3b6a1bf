"""Finding words in the cache: all that are there, the newest first, whatever their case."""

from __future__ import annotations

import queue
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.cache import search
from chat_client.cache.cache import Cache
from chat_client.cache.search import NEWEST, Found, Search
from common.domain.search_normalization import comparable
from common.protocol.events import MESSAGE, Event
from tests.events import cid_of

WITHIN = 30


class Kept:
    """A cache with rooms of messages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cache = Cache(path)

    def say(self, *texts: str, room: str = "general", kind: str = MESSAGE) -> None:
        """The next events of a room, from its first on."""
        with self.cache.transaction():
            self.cache.add_room(room)
            for seq, text in enumerate(texts, self.cache.position(room) + 1):
                self.cache.add_event(
                    Event(room, seq, kind, "ada", seq, cid_of(seq), {"text": text})
                )

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
        # One form for all that looks the same, on both sides
        ("Z\u00fcrich", "in Zu\u0308rich"),
        ("zu\u0308rich", "in Z\u00dcRICH"),
        ("\u00fc", "Zu\u0308rich"),
        ("100 EUR", "100\u00a0EUR"),
        ("100\u00a0EUR", "100 eur"),
        ("a b", "a\u202fb"),
        ("a\u3000b", "a\tb"),
        ("\u1ea1\u0308", "a\u0308\u0323"),
        ("x\u0302", "x\u0302"),
        ("\u00e5ngstr\u00f6m", "\u212bngstro\u0308m"),
        ("\u03c9", "5 \u2126"),
        ("\ud55c\uad6d", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
        ("\u304c", "\u304b\u3099"),
        ("\u0958", "\u0915\u093c"),
        ("\u0915\u093c", "\u0958"),
        ("\u05e9\u05c1", "\ufb2a"),
        ("\u0639\u064e\u0651", "\u0639\u0651\u064e"),
        ("\u884c\u52d5", "\ufa08\u52d5"),
        ("\u091c\u093c\u094b", "\u095b\u094b"),
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


_LETTERS = st.sampled_from(
    "ab iksZ%_!;\u00e4\u00fc\u0308\u0301\u0323\u00a0\u3000\u212b\u212a\u2126\uac00\u1100\u1161"
    "\u11a8\u304b\u3099\u0915\u093c\u0958\ufb2a\u05e9\u05c1\u4e2d\uf900\u8c48\u09c7\u09be\u00df\u0130\u0131"
)


@given(st.text(_LETTERS, min_size=1, max_size=6), st.text(_LETTERS, max_size=3), st.booleans())
def test_what_matches_is_like_the_words(words: str, around: str, decomposed: bool) -> None:
    """SQLite's quick look never passes over a text that has the words in some form."""
    text = around + words + around
    text = unicodedata.normalize("NFD", text) if decomposed else text
    if search.pattern(words).search(comparable(text)):
        with closing(sqlite3.connect(":memory:")) as connection:
            (like,) = connection.execute(
                "SELECT ? LIKE ? ESCAPE '!'", (text, search._like(words))
            ).fetchone()
        assert like
