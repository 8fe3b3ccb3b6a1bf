"""What this program does not understand: kept whole, counted as had, and read again later."""

from __future__ import annotations

import queue
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from chat_client.accounts import new_account
from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader, RoomSummary
from chat_client.cache.search import NEWEST, Found, Search
from chat_client.core import Core
from chat_client.state import news
from chat_client.state.status import Link
from chat_client.window.transcript.drawing import DRAWN, UNKNOWN, drawing_of
from common import limits
from common.domain.invite import Invite
from common.protocol import messages
from common.protocol.codec import decode_body
from common.protocol.events import MESSAGE, Event, UnknownBody
from common.protocol.messages import KINDS, Message
from tests.events import TIME, cid_of, joined, message
from tests.unit.chat_client.desk import Desk, event, only, synced

Body = Mapping[str, Any]


class Notice(Message):
    """The body of a kind that a newer version knows."""

    text: messages.Text


class Parts(Message):
    """A body of messages as a newer version knows them."""

    text: str = ""
    parts: tuple[str, ...] = ()


NEWER: dict[str, tuple[str, Body]] = {
    "another kind": ("notice", {"text": "a relay sleeps", "level": 3}),
    "another kind without a text": ("moved", {"to": ["x", {"y": None}], "\u00e9": 1.5}),
    "another kind with nothing": ("left", {}),
    "a message without a text": (MESSAGE, {"parts": ["a relay", "sleeps"]}),
    "a message whose text is none": (MESSAGE, {"text": ["a relay"]}),
    "a message that is too long": (MESSAGE, {"text": "a relay " * 5000}),
    "a message with nothing in it": (MESSAGE, {"text": ""}),
}
"""What is not understood: its kind and body."""


def came(kind: str, body: Body, seq: int = 3, room: str = "general") -> Event:
    """An event as the client's end of the wire gives it."""
    assert decode_body(kind, body) is None
    return Event(room, seq, kind, "bob", TIME, cid_of(seq), UnknownBody(body))


@pytest.fixture
def desk(path: Path) -> Desk:
    """A client that is online, and has heard two messages in a room that was empty."""
    desk = Desk(cache=Cache(path))
    sync = only(desk.go_online(general=0), messages.Sync)
    desk.hear(synced(sync, general=0), event(1), event(2))
    return desk


@pytest.mark.parametrize("what", NEWER)
def test_it_is_kept_and_counted_as_had(desk: Desk, path: Path, what: str) -> None:
    """What follows is taken, what it holds is stored as it came, and it is not asked for again."""
    kind, body = NEWER[what]
    told = Event("general", 3, kind, "bob", TIME, cid_of(3), body)
    desk.hear(told, event(4))
    assert desk.controller.status.link is Link.ONLINE
    assert desk.shown() == [1, 2, 3, 4]
    assert desk.cache.position("general") == 4
    (added,) = desk.told(news.EventsAdded)[-1:]
    shown = added.events[-2]
    assert shown == told
    assert (shown.known, shown.is_message, shown.text) == (False, False, "")
    reader = CacheReader(path)
    kept = reader.latest("general", 2)[0]
    assert kept._replace(body={}) == told._replace(body={})
    assert (kept.known, kept.is_message, kept.text) == (False, False, "")
    reader.close()
    desk.lose()
    sync = only(desk.go_online(general=4), messages.Sync)
    assert (sync.positions, sync.last) == ({"general": 4}, {"general": event(4).cid})


def test_its_id_tells_the_server_where_the_copy_ends(desk: Desk) -> None:
    """As that of any other event."""
    desk.hear(Event("general", 3, "notice", "bob", TIME, cid_of(77), {}))
    desk.lose()
    sync = only(desk.go_online(general=4), messages.Sync)
    assert sync.last == {"general": cid_of(77)}


@pytest.mark.parametrize("what", NEWER)
def test_it_is_drawn_as_one_line(what: str) -> None:
    """Whatever there is in it."""
    arrived = came(*NEWER[what])
    assert drawing_of(arrived) is UNKNOWN
    assert drawing_of(arrived).note_about("Bob") == (
        "Bob did something that only a newer ChatClient can show"
    )
    assert "\n" not in UNKNOWN.note


@pytest.mark.parametrize("what", NEWER)
def test_it_is_no_unread_message_and_not_found(desk: Desk, path: Path, what: str) -> None:
    """Only what somebody said is; neither by its words nor by those of its line."""
    desk.hear(Event("general", 3, *_of(what)), event(4))
    reader = CacheReader(path)
    assert reader.rooms("ada") == [RoomSummary("general", 4, 0, 3)]
    reader.close()
    for words in ("relay", "notice", "newer", "text"):
        assert found(path, words) == []
    assert found(path, "general") == [4, 2, 1]


def _of(what: str) -> tuple[str, str, int, str, Body]:
    kind, body = NEWER[what]
    return kind, "bob", TIME, cid_of(3), body


def found(path: Path, words: str) -> list[int]:
    """Where the search finds words."""
    told: queue.SimpleQueue[Found] = queue.SimpleQueue()
    search = Search(path, "general", words, NEWEST, told.put)
    seqs: list[int] = []
    while not (part := told.get(timeout=10)).ended:
        seqs += part.seqs
    search.stop()
    return seqs + list(part.seqs)


def test_one_of_ones_own_leaves_the_outbox(desk: Desk) -> None:
    """Another device of the account may have a newer program; what counts is the id."""
    send = only(desk.say("hello"), messages.Send)
    desk.hear(Event("general", 3, "notice", "ada", TIME, send.cid, {}))
    assert desk.cache.outbox.find(send.cid) is None


Learn = Callable[[str, type[Message]], None]


@pytest.fixture
def learn(monkeypatch: pytest.MonkeyPatch) -> Learn:
    """What an update brings: another model of a kind."""
    return lambda kind, model: monkeypatch.setitem(KINDS, kind, model)


def begin(path: Path) -> Desk:
    """The next run of the program, with the same cache."""
    desk = Desk(cache=Cache(path))
    desk.step(desk.controller.begin)
    return desk


def test_after_an_update_it_is_read_from_what_was_stored(
    desk: Desk, path: Path, learn: Learn
) -> None:
    """In the rooms that are told; it counts as unread, is found, and reads as if it came now."""
    notice = Event("general", 3, "notice", "bob", TIME, cid_of(3), {"text": "a relay", "level": 3})
    desk.hear(notice, Event("general", 4, "moved", "bob", TIME, cid_of(4), {"to": 1}))
    learn("notice", Notice)
    again = begin(path)
    assert again.told(news.EventsUpgraded) == [news.EventsUpgraded(("general",))]
    reader = CacheReader(path)
    third, fourth = reader.latest("general", 2)
    reader.close()
    assert third == notice._replace(body={"text": "a relay"})
    assert (third.known, fourth.known) == (True, False)
    assert begin(path).told(news.EventsUpgraded) == [], "once"
    learn("moved", messages.JoinBody)
    assert begin(path).told(news.EventsUpgraded) == [news.EventsUpgraded(("general",))]


def test_a_message_of_another_form_is_understood_by_the_version_that_has_it(
    desk: Desk, path: Path, learn: Learn
) -> None:
    """From then on it is a message as any other."""
    desk.hear(Event("general", 3, *_of("a message that is too long")), event(4, sender="chen"))
    assert found(path, "relay") == []
    learn(MESSAGE, Parts)
    begin(path)
    assert found(path, "relay") == [3]
    reader = CacheReader(path)
    assert reader.rooms("ada") == [RoomSummary("general", 4, 0, 4)]
    (third,) = reader.before("general", 4, 1)
    assert third.is_message
    # As much of it as this version shows of any message.
    assert third.text == ("a relay " * 5000)[: limits.TEXT_BYTES]
    reader.close()


def test_a_list_is_understood(learn: Learn) -> None:
    """The models have tuples for it, also where what was stored is read again."""
    learn("parts", Parts)
    body = {"parts": ["a relay", "sleeps"]}
    assert decode_body("parts", {**body, "more": 1}) == body
    assert decode_body("parts", {"parts": [3]}) is None
    assert decode_body("parts", {"parts": ["half of a character: \ud83d"]}) is None


def test_without_an_update_nothing_is_told(desk: Desk, path: Path) -> None:
    """It stays as it came, byte for byte."""
    stored = "SELECT * FROM events"
    desk.hear(Event("general", 3, *_of("another kind without a text")))
    before = desk.cache._connection.execute(stored).fetchall()
    assert begin(path).news == []
    assert desk.cache._connection.execute(stored).fetchall() == before


def test_all_rooms_are_looked_at(path: Path, learn: Learn) -> None:
    """Those are told in which something changed."""
    cache = Cache(path)
    with cache.transaction():
        for room in ("art", "general", "zoo"):
            kind = "moved" if room == "general" else "notice"
            cache.add_events([joined(1, room=room), came(kind, {"text": "x"}, 2, room)])
    cache.close()
    learn("notice", Notice)
    (told,) = begin(path).told(news.EventsUpgraded)
    assert set(told.rooms) == {"art", "zoo"}


def test_what_is_understood_costs_nothing_to_look_for(path: Path) -> None:
    """However many messages there are: those that are not understood have an index."""
    cache = Cache(path)
    plan = cache._connection.execute(
        "EXPLAIN QUERY PLAN SELECT room, seq, kind, came FROM events WHERE came IS NOT NULL"
    ).fetchall()
    assert "events_to_understand" in plan[0][3]
    cache.close()


def test_the_core_looks_before_it_tells_anything_else(
    desk: Desk, path: Path, learn: Learn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its first transaction, once; the window opens the room again then.

    It does not wait for the network before that.
    """
    monkeypatch.setattr("chat_client.core.connect_in_background", lambda *_: None)
    monkeypatch.setattr("chat_client.core._LOOK_AT_CLOCKS", 1000.0)
    desk.hear(Event("general", 3, *_of("another kind")))
    desk.cache.close()
    learn("notice", Notice)
    told: queue.SimpleQueue[news.News] = queue.SimpleQueue()
    invite = Invite(("127.0.0.1",), 1, None, "k" * 22, "a server")

    def tell(items: object) -> None:
        assert isinstance(items, list)
        for item in items:
            told.put(item)

    core = Core(new_account(invite, "ada", "Ada"), Cache(path), tell)
    core.start()
    try:
        assert told.get(timeout=10) == news.EventsUpgraded(("general",))
        core.send("general", *message("hello"))
        while not isinstance(item := told.get(timeout=10), news.OutboxChanged):
            assert not isinstance(item, news.EventsUpgraded)
    finally:
        core.stop()


def test_what_it_held_is_of_use_only_whole(path: Path) -> None:
    """A body that was cut or changed on the disk is not understood, and does no harm."""
    cache = Cache(path)
    with cache.transaction():
        cache.add_events([came("notice", {"text": "x"}, 1)])
    cache.close()
    connection = sqlite3.connect(path)
    for came_as in (
        '{"text": "x"', "[]", "3", "null", '"text"', "", '{"text": 3}',
        '{"text": "x", "half": "\\ud83d"}', "[" * 100_000, 7, b"\xff{",
    ):  # fmt: skip
        connection.execute("UPDATE events SET kind = 'message', came = ?", (came_as,))
        connection.execute("DELETE FROM meta WHERE key = 'understood'")
        connection.commit()
        assert begin(path).told(news.EventsUpgraded) == []
        reader = CacheReader(path)
        (kept,) = reader.latest("general", 1)
        reader.close()
        assert not kept.known
    connection.close()


def test_each_kind_is_drawn() -> None:
    """The registry of kinds and how they are drawn name the same."""
    assert DRAWN.keys() == KINDS.keys()
    for kind in KINDS:
        assert drawing_of(Event("general", 1, kind, "bob", 0, cid_of(1), {})) is DRAWN[kind]
        unknown = Event("general", 1, kind, "bob", 0, cid_of(1), UnknownBody())
        assert drawing_of(unknown) is UNKNOWN
        assert decode_body(kind, {"text": "x", "messages": "kept"}) is not None
