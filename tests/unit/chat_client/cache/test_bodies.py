"""Bodies of any kind in the cache: all of each is kept, and what is understood of it is read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.state import news
from common.protocol import messages
from common.protocol.codec import known_event
from common.protocol.events import MESSAGE, Event
from common.protocol.messages import KINDS, Message
from tests.events import TIME, cid_of, joined, said
from tests.unit.chat_client.desk import Desk

Body = Mapping[str, Any]


class Topic(Message):
    """A kind with another body than a text."""

    topic: str
    n: int
    by: tuple[dict[str, int], ...] = ()


class Part(Message):
    """An object in a body."""

    bold: bool = False


class Parts(Message):
    """A kind with objects in its body."""

    parts: tuple[Part, ...]


class MoodyMessage(messages.MessageBody):
    """A message as a later version has it."""

    mood: str = ""


BODIES: Final[dict[str, tuple[str, Body]]] = {
    "a text": (MESSAGE, {"text": 'quo"ted, \\ and\nlined: é 😀'}),
    "nothing": ("join", {}),
    "no text": ("topic", {"topic": "é", "n": 3}),
    "a list": ("topic", {"topic": "x", "n": -1, "by": [{"é": 1}, {}]}),
    "a text of another kind": ("notice", {"text": "x"}),
}


@pytest.fixture(autouse=True)
def more_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """This version has three kinds more."""
    monkeypatch.setitem(KINDS, "topic", Topic)
    monkeypatch.setitem(KINDS, "parts", Parts)
    monkeypatch.setitem(KINDS, "notice", messages.MessageBody)


def event(kind: str, body: Body, seq: int = 1) -> Event:
    """As it came from the server."""
    return known_event(Event("general", seq, kind, "bob", TIME, cid_of(seq), body))


def keep(path: Path, *events: Event) -> None:
    """Store them, and let go of the cache."""
    cache = Cache(path)
    with cache.transaction():
        cache.add_events(events)
    cache.close()


def read(path: Path) -> list[Event]:
    """What the window gets."""
    reader = CacheReader(path)
    try:
        return reader.latest("general", 99)
    finally:
        reader.close()


def came(path: Path) -> list[tuple[object, ...]]:
    """What is kept of what is not all understood."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT seq, came FROM events WHERE came IS NOT NULL").fetchall()


def begin(path: Path) -> list[news.News]:
    """The next run of the program, with the same cache: what it tells first."""
    desk = Desk(cache=Cache(path))
    desk.step(desk.controller.begin)
    return desk.news


@pytest.mark.parametrize("what", BODIES)
def test_a_body_is_read_as_it_came(path: Path, what: str) -> None:
    """Live, and as a page of history; nothing more is kept of it than that."""
    told = event(*BODIES[what])
    assert told.known
    keep(path, told)
    cache = Cache(path)
    with cache.transaction():
        cache.add_past([told._replace(seq=2)], 9)
    cache.close()
    first, second = read(path)
    assert first == told
    assert second.body == told.body
    assert type(first.body) is dict
    assert (first.known, first.is_message) == (True, told.kind == MESSAGE)
    assert came(path) == []


FURTHER: Final[dict[str, tuple[str, Body, Body]]] = {
    "of a message": (MESSAGE, {"text": "hello", "mood": "good"}, {"text": "hello"}),
    "of a join": ("join", {"through": ["the", "window"]}, {}),
    "of another kind": ("topic", {"topic": "x", "n": 1, "é": None}, {"topic": "x", "n": 1}),
    "of an object in a body": (
        "parts",
        {"parts": [{"bold": True, "size": 3}, {}]},
        {"parts": [{"bold": True}, {}]},
    ),
}
"""A kind, a body with fields that this version does not know, and what is known of it."""


@pytest.mark.parametrize("what", FURTHER)
def test_fields_that_are_not_known_are_left_out_and_kept(path: Path, what: str) -> None:
    """The event is one that is understood; what it had more is there for a later version."""
    kind, body, known = FURTHER[what]
    told = event(kind, body)
    assert (told.known, told.body) == (True, known)
    keep(path, told)
    assert read(path) == [told]
    ((_, kept),) = came(path)
    assert json.loads(str(kept)) == body


def test_after_an_update_the_further_fields_are_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all that had them, and of nothing else; from then on nothing is left to be kept."""
    moody = {"text": "hello", "mood": "good"}
    other = {"text": "hello", "mood": ["odd"], "more": 1}
    keep(path, said(1), joined(2), event(MESSAGE, moody, 3), event(MESSAGE, other, 4))
    assert begin(path) == []
    monkeypatch.setitem(KINDS, MESSAGE, MoodyMessage)
    assert begin(path) == [news.EventsUpgraded(("general",))]
    assert [each.body for each in read(path)] == [
        {"text": "hello"}, {}, moody, {"text": "hello"},
    ]  # fmt: skip
    assert [seq for seq, _ in came(path)] == [4]
    assert begin(path) == []


def test_what_was_looked_at_is_not_looked_at_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer server may have something more in each of a million messages."""
    asked: list[str] = []

    def understand(cache: Cache, digest: str) -> list[str]:
        def look(told: Event) -> Event:
            asked.append(told.kind)
            return known_event(told)

        with cache.transaction():
            return cache.understand(look, lambda: digest)

    keep(path, event(MESSAGE, {"text": "x", "mood": "good"}), event("poll", {}, 2))
    cache = Cache(path)
    for digest in ("one", "one", "two", "two"):
        assert understand(cache, digest) == []
    assert asked == [MESSAGE, "poll"] * 2
    before = messages.kinds_digest()
    assert messages.kinds_digest() == before
    monkeypatch.setitem(KINDS, "poll", messages.JoinBody)
    assert messages.kinds_digest() != before
    assert understand(cache, messages.kinds_digest()) == ["general"]
    cache.close()


def test_without_anything_to_understand_it_is_not_asked_what_is_understood(path: Path) -> None:
    """To tell that takes milliseconds for each kind."""

    def digest() -> str:
        raise AssertionError("asked")

    cache = Cache(path)
    with cache.transaction():
        cache.add_events([said(1), joined(2)])
        assert cache.understand(known_event, digest) == []
    cache.close()


@pytest.fixture
def damaged(path: Path) -> Iterator[sqlite3.Connection]:
    """A cache with one event, by another program."""
    keep(path, event("topic", {"topic": "x", "n": 1}))
    with closing(sqlite3.connect(path)) as database:
        yield database


@pytest.mark.parametrize("body", ["", "{", "[]", "3", '"x"', "null", 5, b"\xff\xfe", "[" * 9999])
def test_a_body_that_makes_no_sense_is_not_understood(
    path: Path, damaged: sqlite3.Connection, body: object
) -> None:
    """The event keeps its place."""
    damaged.execute("UPDATE events SET body = ?", (body,))
    damaged.commit()
    (kept,) = read(path)
    assert (kept.seq, kept.kind, kept.known, kept.text) == (1, "topic", False, "")
