"""What the device keeps survives, is all or nothing, and can be read page by page."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_client.cache import schema
from chat_client.cache.cache import Cache
from chat_client.cache.errors import CacheError
from chat_client.cache.pages import COUNTED, CacheReader, RoomSummary
from chat_client.state.outbox_message import OutboxMessage, OutboxState
from common.domain.reasons import Reason
from common.protocol.events import Event
from common.protocol.messages import Person
from tests.events import joined, message
from tests.unit.chat_client.desk import cid, event

REASON = Reason("too_long", {"most": 7, "why": "words"})


@pytest.fixture
def cache(path: Path) -> Iterator[Cache]:
    """A cache on the disk that knows one room."""
    made = Cache(path)
    with made.transaction():
        made.add_room("general")
    yield made
    made.close()


def fill(cache: Cache, count: int, room: str = "general") -> list[Event]:
    """The first events of a room."""
    events = [event(seq, room) for seq in range(1, count + 1)]
    with cache.transaction():
        cache.add_room(room)
        for each in events:
            cache.add_event(each)
    return events


def test_everything_is_there_after_reopening(path: Path, cache: Cache) -> None:
    """Positions, outbox and facts: a restart continues where the last run ended."""
    fill(cache, 3)
    with cache.transaction():
        cache.outbox.add("general", cid(1), *message("hello"), 5)
        cache.set_meta("epoch", "e" * 32)
    again = Cache(path)
    assert (again.position("general"), again.meta("epoch")) == (3, "e" * 32)
    assert again.outbox.next() == OutboxMessage(
        "general", cid(1), *message("hello"), 5, OutboxState.WAITING, None, 1
    )
    assert again.outbox.waiting == 1
    again.close()


def test_a_failed_transaction_changes_nothing(cache: Cache) -> None:
    """On the disk and in memory: the position would otherwise run ahead of the events."""
    fill(cache, 2)
    with pytest.raises(ZeroDivisionError), cache.transaction():  # noqa: PT012 (it is the whole that fails)
        cache.add_event(event(3))
        cache.add_room("other")
        cache.outbox.add("general", cid(1), *message("hello"), 5)
        raise ZeroDivisionError
    assert cache.position("general") == 2
    assert cache.outbox.waiting == 0
    with cache.transaction():
        assert cache.add_room("other")
        cache.add_event(event(3))
    assert cache.position("general") == 3


def test_an_event_has_one_copy(cache: Cache) -> None:
    """The database refuses a second one in the same place."""
    fill(cache, 1)
    with pytest.raises(sqlite3.IntegrityError), cache.transaction():
        cache.add_event(event(1))


def test_the_outbox_keeps_the_order_of_writing(cache: Cache) -> None:
    """Failed and sent messages don't hold up those behind them, nor do they count as waiting."""
    with cache.transaction():
        for number in range(1, 5):
            cache.outbox.add("general", cid(number), *message(f"text {number}"), number)
        cache.outbox.set_state(cid(1), OutboxState.FAILED, REASON)
        cache.outbox.set_state(cid(2), OutboxState.SENT)
        waiting = cache.outbox.next()
        assert waiting is not None
        assert (waiting.cid, cache.outbox.waiting) == (cid(3), 2)
        assert cache.outbox.remove(cid(3))
        assert not cache.outbox.remove(cid(3))
        waiting = cache.outbox.next()
        assert waiting is not None
        assert waiting.cid == cid(4)
    failed = cache.outbox.find(cid(1))
    assert failed is not None
    assert (failed.state, failed.reason) == (OutboxState.FAILED, REASON)


def test_starting_over_keeps_what_was_written(cache: Cache) -> None:
    """Events, rooms and people go; messages stay, and sent ones without their event go again."""
    fill(cache, 3)
    with cache.transaction():
        cache.people.add(Person(username="bob", display_name="Bob", role="member", change=1))
        cache.outbox.add("general", cid(1), *message("sent"), 1)
        cache.outbox.set_state(cid(1), OutboxState.SENT)
        cache.outbox.add("general", cid(2), *message("failed"), 2)
        cache.outbox.set_state(cid(2), OutboxState.FAILED, REASON)
        cache.reset("f" * 32)
    assert cache.position("general") == 0
    assert (cache.meta("epoch"), cache.meta("session")) == ("f" * 32, "")
    out = [cache.outbox.find(cid(number)) for number in (1, 2)]
    assert [each and each.state for each in out] == [OutboxState.WAITING, OutboxState.FAILED]


def test_starting_over_keeps_rooms_for_what_was_written_in_them(path: Path, cache: Cache) -> None:
    """The new history may not have them: the words would be nowhere. Other rooms go."""
    fill(cache, 3)
    fill(cache, 2, "other")
    with cache.transaction():
        for number, state in enumerate((OutboxState.WAITING, OutboxState.FAILED, OutboxState.SENT)):
            cache.add_room(f"dm:ada:{state}")
            cache.outbox.add(f"dm:ada:{state}", cid(number), *message("hello"), 1)
            cache.outbox.set_state(cid(number), state)
        cache.outbox.add("general", cid(9), *message("hello"), 1)
        cache.reset("f" * 32)
    left = ["dm:ada:failed", "dm:ada:sent", "dm:ada:waiting", "general"]
    assert sorted(cache.rooms()) == left
    assert not any(cache.position(room) for room in left)
    again = Cache(path)
    assert sorted(again.rooms()) == left
    again.close()
    fill(cache, 1)
    fill(cache, 1, "other")


def test_one_room_can_be_fetched_again(cache: Cache) -> None:
    """The others stay as they are. What it had sent, and has no event of, goes again."""
    fill(cache, 3)
    fill(cache, 2, "other")
    with cache.transaction():
        for number, room in enumerate(("general", "other"), 1):
            cache.outbox.add(room, cid(number), *message("sent"), number)
            cache.outbox.set_state(cid(number), OutboxState.SENT)
        cache.forget_room("general")
    assert (cache.position("general"), cache.position("other")) == (0, 2)
    out = [cache.outbox.find(cid(number)) for number in (1, 2)]
    assert [each and each.state for each in out] == [OutboxState.WAITING, OutboxState.SENT]
    fill(cache, 1)


def test_which_is_the_last_event_of_each_room(cache: Cache) -> None:
    """Of rooms that have one at their position; a listener that began later has none."""
    with cache.transaction():
        cache.add_events([event(1), event(2)])
        cache.add_room("empty")
        cache.set_position("begun", 7)
    assert cache.cids(["general", "empty", "begun", "unknown"]) == {"general": event(2).cid}
    assert cache.cids([]) == {}


def at(seq: int, sent_at: int, room: str = "general") -> Event:
    """An event of a time."""
    return event(seq, room)._replace(sent_at=sent_at)


def fetched(cache: Cache, *times: int) -> None:
    """More of the general room, in several reads."""
    for sent_at in times:
        with cache.transaction():
            cache.add_event(at(cache.position("general") + 1, sent_at))


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("all_rooms", [True, False])
@pytest.mark.parametrize(
    ("restored", "read"),
    [
        ([10, 20, 30, 40, 50], 3),
        ([10, 20, 60, 70, 80], 2),
        ([60, 70, 80], 0),
        ([10, 20], 2),
    ],
    ids=["same", "some gone", "all gone", "short"],
)
def test_what_was_read_is_remembered_when_it_is_fetched_again(
    path: Path, cache: Cache, restored: list[int], read: int, *, at_once: bool, all_rooms: bool
) -> None:
    """By its time: places mean other events there. What came after the backup is unread."""
    fetched(cache, 10, 20, 30, 40, 50)
    with cache.transaction():
        cache.mark_read("general", 3)
        if all_rooms:
            cache.reset("f" * 32)
        else:
            cache.forget_room("general")
    cache = Cache(path)  # The program may end in between.
    if at_once:
        with cache.transaction():
            told = cache.add_events([at(seq, sent_at) for seq, sent_at in enumerate(restored, 1)])
        assert told == read
    else:
        fetched(cache, *restored)
    reader = CacheReader(path)
    assert reader.rooms("ada") == [
        RoomSummary("general", len(restored), read, len(restored) - read)
    ]
    reader.close()
    fetched(cache, 90)
    reader = CacheReader(path)
    assert reader.rooms("ada")[0].read == read
    reader.close()
    cache.close()


def test_a_place_of_before_is_no_place_now(path: Path, cache: Cache) -> None:
    """The window may say that it was read to a place that is not fetched again yet."""
    fetched(cache, 10, 20, 30)
    with cache.transaction():
        cache.forget_room("general")
        cache.mark_read("general", 3)
    fetched(cache, 40, 50, 60)
    reader = CacheReader(path)
    assert reader.rooms("ada") == [RoomSummary("general", 3, 0, 3)]
    reader.close()


def test_what_was_read_is_remembered_when_started_over_again_too_soon(
    path: Path, cache: Cache
) -> None:
    """Before it was fetched as far as it was read, and after a transaction that failed."""
    fetched(cache, 10, 20, 30)
    with cache.transaction():
        cache.mark_read("general", 3)
        cache.forget_room("general")
    fetched(cache, 10)
    with pytest.raises(ZeroDivisionError), cache.transaction():  # noqa: PT012 (it is the whole that fails)
        cache.add_event(at(2, 99))
        raise ZeroDivisionError
    with cache.transaction():
        cache.forget_room("general")
    fetched(cache, 10, 20, 30, 40)
    reader = CacheReader(path)
    assert reader.rooms("ada") == [RoomSummary("general", 4, 3, 1)]
    reader.close()


def test_pages_before_after_and_latest(path: Path, cache: Cache) -> None:
    """Each is in the order of the room and stops at the room's ends."""
    events = fill(cache, 10)
    fill(cache, 4, "other")
    reader = CacheReader(path)
    assert reader.latest("general", 3) == events[7:]
    assert reader.before("general", 8, 3) == events[4:7]
    assert reader.before("general", 3, 30) == events[:2]
    assert reader.before("general", 1, 3) == []
    assert reader.after("general", 7, 2) == events[7:9]
    assert reader.after("general", 0, 100) == events
    assert reader.after("general", 10, 5) == reader.latest("nowhere", 5) == []
    reader.close()


def test_unread_counts_what_others_said(path: Path, cache: Cache) -> None:
    """One's own messages and joins are not unread; reading never goes backwards."""
    with cache.transaction():
        cache.add_event(joined(1))
        cache.add_event(event(2))
        cache.add_event(event(3, sender="ada"))
        cache.add_event(event(4))
        cache.add_room("other")
    reader = CacheReader(path)
    assert reader.rooms("ada") == [
        RoomSummary("general", 4, 0, 2),
        RoomSummary("other", 0, 0, 0),
    ]
    for seen, unread in ((2, 1), (1, 1), (4, 0)):
        with cache.transaction():
            cache.mark_read("general", seen)
        assert reader.rooms("ada")[0].unread == unread
    reader.close()


def test_many_events_at_once_are_kept_as_one_by_one(path: Path, cache: Cache) -> None:
    """The same rows and the same position, also of a room that was not known."""
    events = [event(seq, "new") for seq in range(1, 51)]
    with cache.transaction():
        cache.add_events(events[:1])
        cache.add_events(events[1:])
    reader = CacheReader(path)
    assert [*reader.after("new", 0, 100)] == events
    assert cache.position("new") == 50
    with pytest.raises(sqlite3.IntegrityError), cache.transaction():
        cache.add_events([event(51, "new"), event(50, "new")])
    assert (cache.position("new"), len(reader.latest("new", 100))) == (50, 50)
    reader.close()


def test_unread_is_counted_only_so_far(path: Path, cache: Cache) -> None:
    """Whoever was away for a million messages opens the window as quickly as others."""
    with cache.transaction():
        cache.add_events([event(seq) for seq in range(1, COUNTED + 20)])
    reader = CacheReader(path)
    assert reader.rooms("ada")[0].unread == COUNTED
    with cache.transaction():
        cache.mark_read("general", 30)
    assert reader.rooms("ada")[0].unread == COUNTED - 11
    reader.close()


def test_the_window_reads_the_outbox_and_the_people(path: Path, cache: Cache) -> None:
    """As written, each room's own; people with their newest name."""
    with cache.transaction():
        cache.outbox.add("general", cid(1), *message("hello"), 5)
        cache.outbox.add("other", cid(2), *message("there"), 6)
        for name in ("Bob", "Bob B."):
            cache.people.add(Person(username="bob", display_name=name, role="member", change=1))
    reader = CacheReader(path)
    assert reader.outbox("general") == [
        OutboxMessage("general", cid(1), *message("hello"), 5, OutboxState.WAITING, None, 1)
    ]
    assert reader.people() == {"bob": "Bob B."}
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM outbox")
    reader.close()


def test_a_newer_cache_is_refused_untouched(path: Path) -> None:
    """Not a byte changes: the outbox in it is somebody's words."""
    Cache(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(CacheError, match="newer"):
        Cache(path)
    assert path.read_bytes() == before


def _foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE precious (x)")
    connection.close()


@pytest.mark.parametrize(
    "make", [_foreign, lambda path: path.write_bytes(b"a diary " * 999)], ids=["database", "text"]
)
def test_what_is_no_cache_is_refused_untouched(path: Path, make: object) -> None:
    """Neither text nor some other program's database is written to."""
    assert callable(make)
    make(path)
    before = path.read_bytes()
    with pytest.raises(CacheError):
        Cache(path).close()
    assert path.read_bytes() == before


def test_an_older_cache_is_copied_and_migrated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy is as it was; what was written is there in the new form."""
    cache = Cache(path)
    with cache.transaction():
        cache.outbox.add("general", cid(1), *message("hello"), 5)
    cache.close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE more (x)"))
    again = Cache(path)
    assert again.outbox.waiting == 1
    again.close()
    (copy,) = path.parent.glob("cache.db.*format*")
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT body FROM outbox").fetchall() == [('{"text":"hello"}',)]
    connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists, no modes")
def test_the_cache_is_its_owners(path: Path, cache: Cache) -> None:
    """What people say is for nobody else on this computer."""
    fill(cache, 1)
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0


# Made by the version that kept no drafts, and read out of it with ".dump".
FORMER = """
PRAGMA application_id = 1128808771;
PRAGMA user_version = 1;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('epoch','eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee');
CREATE TABLE people (
        username TEXT PRIMARY KEY,
        display_name TEXT NOT NULL
    ) WITHOUT ROWID;
INSERT INTO people VALUES('bob','Bob');
CREATE TABLE rooms (
        room TEXT PRIMARY KEY,
        position INTEGER NOT NULL DEFAULT 0,
        read INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
INSERT INTO rooms VALUES('general',1,1);
CREATE TABLE events (
        room TEXT NOT NULL,
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        sender TEXT NOT NULL,
        text TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        cid TEXT,
        PRIMARY KEY (room, seq)
    );
INSERT INTO events VALUES('general',1,'message','bob','first',1700000000000,NULL);
CREATE TABLE outbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        room TEXT NOT NULL,
        cid TEXT NOT NULL UNIQUE,
        text TEXT NOT NULL,
        written_at INTEGER NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT ''
    );
INSERT INTO outbox VALUES(7,'general','00000000000000000000000000000001','not sent',5,'waiting','');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('outbox',9);
"""


def test_a_cache_of_the_former_version_is_copied_and_migrated(path: Path) -> None:
    """Nothing of it is lost, drafts can be kept from then on, and the copy is as it was."""
    former = sqlite3.connect(path)
    former.executescript(FORMER)
    former.close()
    cache = Cache(path)
    assert (cache.position("general"), cache.outbox.waiting, cache.meta("epoch")) == (
        1,
        1,
        "e" * 32,
    )
    with cache.transaction():
        cache.outbox.add("general", cid(2), *message("next"), 6)
        cache.set_draft("general", "half a sen")
    reader = CacheReader(path)
    assert [(out.number, out.text) for out in reader.outbox("general")] == [
        (7, "not sent"),
        (10, "next"),
    ]
    assert [event.text for event in reader.latest("general", 9)] == ["first"]
    assert reader.drafts() == {"general": "half a sen"}
    reader.close()
    cache.close()
    copy = sqlite3.connect(path.with_name("cache.db.before-format-2"))
    assert copy.execute("PRAGMA user_version").fetchone() == (1,)
    assert copy.execute("SELECT text FROM outbox").fetchall() == [("not sent",)]
    assert copy.execute("SELECT 1 FROM sqlite_schema WHERE name = 'drafts'").fetchall() == []
    copy.close()


def test_drafts_are_kept_for_each_room(path: Path, cache: Cache) -> None:
    """The newest of each; nothing of one that is blank; they outlast another history."""
    with cache.transaction():
        cache.set_draft("general", "one")
        cache.set_draft("general", "two \ud83d")
        cache.set_draft("dm:ada:bob", "psst")
        cache.set_draft("other", "gone")
        cache.set_draft("other", " \n")
        cache.add_room("dm:ada:bob")
        cache.reset("f" * 32)
    reader = CacheReader(path)
    assert reader.drafts() == {"general": "two ?", "dm:ada:bob": "psst"}
    assert {room.room for room in reader.rooms("ada")} >= {"dm:ada:bob"}
    reader.close()


def test_what_waits_is_counted_along(cache: Cache) -> None:
    """Through every change, and back with a transaction that fails."""

    def counted() -> int:
        (count,) = cache._connection.execute(
            "SELECT count(*) FROM outbox WHERE state = 'waiting'"
        ).fetchone()
        return int(count)

    with cache.transaction():
        for number in range(6):
            cache.outbox.add("general", cid(number), *message("hello"), 5)
        cache.outbox.set_state(cid(0), OutboxState.SENT)
        cache.outbox.set_state(cid(0), OutboxState.SENT)
        cache.outbox.set_state(cid(1), OutboxState.FAILED, REASON)
        cache.outbox.remove(cid(1))
        cache.outbox.remove(cid(2))
        cache.outbox.remove(cid(2))
    assert cache.outbox.waiting == counted() == 3
    with pytest.raises(ZeroDivisionError), cache.transaction():  # noqa: PT012 (it is the whole that fails)
        cache.outbox.remove(cid(3))
        cache.outbox.add("general", cid(9), *message("hello"), 5)
        raise ZeroDivisionError
    assert cache.outbox.waiting == counted() == 3
    with cache.transaction():
        cache.forget_room("general")
    assert cache.outbox.waiting == counted() == 4


def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite speaks of I/O errors where it can't make the files beside the database."""
    with pytest.raises(CacheError, match="can't be opened"):
        Cache(tmp_path)
    monkeypatch.setattr(schema, "_is_full", lambda _: True)
    with pytest.raises(CacheError, match="disk is full"):
        Cache(tmp_path)


@pytest.mark.usefixtures("synchronised")
def test_what_is_committed_survives_a_loss_of_power(cache: Cache) -> None:
    """Each transaction is synchronised with the disk: the outbox is all there is of a message."""
    assert cache._connection.execute("PRAGMA synchronous").fetchone() == (2,)
