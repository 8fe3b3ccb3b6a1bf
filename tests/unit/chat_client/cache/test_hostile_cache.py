"""Whatever stands in a cache, it can be read, shown and gone on with."""

from __future__ import annotations

import queue
import sqlite3
from datetime import date
from pathlib import Path

import pytest

from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.cache.search import NEWEST, Found, Search
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Link
from chat_client.window.overview import Overview
from chat_client.window.transcript.timeline import as_event, lay_out
from common import limits
from common.protocol import messages
from tests.unit.chat_client.corrupt_caches import CASES, COLUMNS, HOSTILE, spoil
from tests.unit.chat_client.desk import Desk, event, only, room_of, synced

META = ("epoch", "session", "people", "read until: general", "read until: nowhere")


def good_cache(path: Path) -> None:
    """Two events and somebody who said them."""
    cache = Cache(path)
    with cache.transaction():
        cache.add_events([event(1), event(2)])
        cache.people.add(
            messages.Person(username="bob", display_name="Bob", role="member", change=1)
        )
    cache.close()


def shown(path: Path) -> list[str]:
    """Everything that the window reads, laid out; the lines of the general room."""
    reader = CacheReader(path)
    overview = Overview("ada")
    overview.load(reader.rooms("ada"), reader.people())
    overview.add_room("general")
    overview.rooms(), overview.direct(), overview.members("general")
    assert all(isinstance(text, str) for text in reader.drafts().values())
    events = reader.latest("general", 100)
    assert reader.after("general", 0, 100) == events
    waiting = [as_event(out, "ada") for out in reader.outbox("general")]
    entries = lay_out([*events, *waiting], None, overview.name, date(2024, 5, 17))
    reader.close()
    for each in entries:
        assert len(each.text) <= 4 * limits.TEXT_BYTES
        str((each.name, each.sender, each.time, each.day)).encode()
    return [each.text for each in entries]


def found(path: Path) -> list[int]:
    """Where the search finds a letter."""
    told: queue.SimpleQueue[Found] = queue.SimpleQueue()
    search = Search(path, "general", "e", NEWEST, told.put)
    seqs: list[int] = []
    while True:
        part = told.get(timeout=10)
        assert not part.problem
        seqs += part.seqs
        if part.ended:
            search.stop()
            return seqs


def go_on(path: Path) -> None:
    """The core opens it, comes online, hears, sends and stores."""
    desk = Desk(cache=Cache(path))
    desk.step(desk.controller.begin)
    asked = desk.sign_in()
    rooms = desk.list_people(asked)
    head = desk.cache.position("general")
    listed = (room_of("general", head + 1),)
    commands = desk.hear(messages.Rooms(re=rooms.id, rooms=listed, more=False))
    if head < limits.MAX_INTEGER - 1:
        sync = only(commands, messages.Sync)
        desk.hear(synced(sync, general=head + 1))
        desk.hear(event(head + 1))
        assert desk.cache.position("general") == head + 1
    desk.say("more")
    desk.wait(30)
    assert desk.controller.status.link is Link.ONLINE
    desk.cache.close()


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table in COLUMNS for column in COLUMNS[table]]
)
def test_anything_in_any_column_can_be_read_and_gone_on_with(
    tmp_path: Path, table: str, column: str
) -> None:
    """Each value, one after the other, each in a cache of its own."""
    good = tmp_path / "good.db"
    good_cache(good)
    for number, (*where, _, value, as_text) in enumerate(CASES):
        if where != [table, column]:
            continue
        path = tmp_path / f"{number}.db"
        path.write_bytes(good.read_bytes())
        spoil(path, table, column, value, as_text=as_text)
        lines = shown(path)
        if table == "spans":
            Cache(path).close()  # As always before anything is shown: it mends them.
            lines = shown(path)
        assert {"general 1", "general 2"} <= set(lines), value
        if table == "events":  # the search reads nothing else
            assert {1, 2} <= set(found(path)), value
        go_on(path)


@pytest.mark.parametrize("key", META)
def test_any_fact_can_be_anything(tmp_path: Path, key: str) -> None:
    """What is remembered about the server may be wrong in every way."""
    good = tmp_path / "good.db"
    good_cache(good)
    for number, (_, value) in enumerate(HOSTILE):
        path = tmp_path / f"{number}.db"
        path.write_bytes(good.read_bytes())
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
        connection.commit()
        connection.close()
        shown(path)
        go_on(path)


def test_what_stands_beyond_the_position_is_fetched_from_the_server(tmp_path: Path) -> None:
    """It is no part of the copy; it must not stand in the way of what is."""
    path = tmp_path / "cache.db"
    good_cache(path)
    spoil(path, "events", "text", "forged")
    cache = Cache(path)
    with cache.transaction():
        cache.add_events([event(3), event(4)])
    assert cache.position("general") == 4
    cache.close()
    assert shown(path) == ["general 1", "general 2", "general 3", "general 4"]


def test_a_message_in_an_unknown_state_is_left_to_the_person(tmp_path: Path) -> None:
    """It is shown, and can be sent again or dropped."""
    path = tmp_path / "cache.db"
    good_cache(path)
    spoil(path, "outbox", "state", "on the moon")
    reader = CacheReader(path)
    (out,) = reader.outbox("general")
    reader.close()
    assert (out.text, out.state) == ("hello", OutboxState.FAILED)
