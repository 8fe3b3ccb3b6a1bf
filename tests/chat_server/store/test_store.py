"""The log on the disk: all or nothing, one copy each, and no file harmed that is not ours."""

from __future__ import annotations

import itertools
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.net import pages
from chat_server.net.pages import Pages
from chat_server.rules.directory import Account, RoomLog
from chat_server.rules.effects import Publish
from chat_server.store.sqlite import schema
from chat_server.store.sqlite.reader import SqliteReader
from chat_server.store.sqlite.store import SqliteStore
from chat_server.store.store import StoreFailedError, StoreUnusableError
from common import messages
from common.events import Event
from common.quick_frames import event_frame
from tests import strategies as our
from tests.chat_server.house import NOW, House, acked, only, seqs, told, understood
from tests.events import cid_of, joined, said


def inhabited(house: House, *, join: bool = True) -> tuple[RoomLog, Account]:
    """The general room and an account in it."""
    if join:
        house.join("ada")
    return house.world.directory.rooms["general"], house.world.directory.accounts["ada"]


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    """Accounts, devices, rooms, members, heads, epoch and secret: the same the next time."""
    house = House(tmp_path / "chat.db")
    ada = house.join("ada")
    house.join("bob")
    house.say(ada, "psst", "dm:ada:bob")
    before = (house.world.directory, house.world.facts.epoch, house.log.invite_secret())
    house.close()
    again = House(tmp_path / "chat.db")
    assert (again.world.directory, again.world.facts.epoch, again.log.invite_secret()) == before
    assert again.world.head("dm:ada:bob") == 1
    again.close()


def test_a_transaction_is_all_or_nothing(house: House) -> None:
    """An error in its middle leaves the database as it was, ready for the next one."""
    room, ada = inhabited(house)
    before = house.log.load()
    with pytest.raises(ZeroDivisionError), house.log.transaction():  # noqa: PT012 (it is the whole that fails)
        house.log.append(room, said(2), ada)
        house.log.add_account("bob", "Bob", 2**40, 0)
        house.log.set_meta("name", "Other")
        raise ZeroDivisionError
    assert house.log.load() == before
    with house.log.transaction():
        assert house.log.meta("name", "Home") == "Home"


def test_a_command_is_all_or_nothing_within_its_batch(house: House) -> None:
    """What one command wrote goes with it; what the others of the batch wrote stays."""
    room, ada = inhabited(house)
    with house.log.transaction():
        house.log.append(room, said(2), ada)
        with pytest.raises(StoreFailedError), house.log.atomic():  # noqa: PT012 (it is the whole that fails)
            house.log.add_account("bob", "Bob", 2**40, 0)
            house.log.add_account("ada", "Twice", 2**40 + 1, 0)
        house.log.append(room, said(3), ada)
    directory = house.log.load()
    assert set(directory.accounts) == {"ada"}
    assert directory.rooms["general"].head == 3


def test_a_place_has_one_message(house: House) -> None:
    """The database itself refuses a second one, whatever the rules think."""
    room, ada = inhabited(house)
    with house.log.transaction():
        assert house.log.append(room, said(2, cid="1" * 16), ada) is None
    with pytest.raises(StoreFailedError), house.log.transaction():
        house.log.append(room, said(2, cid="2" * 16), ada)
    assert len(house.stored()) == 2


def test_a_message_has_one_copy(house: House) -> None:
    """The second one is not written; what it was said with is given, in whatever room."""
    room, ada = inhabited(house)
    other = house.log.add_room("other", 0)
    first = said(2, text="what was said", cid="1" * 16)
    with house.log.transaction():
        assert house.log.append(room, first, ada) is None
        assert house.log.append(room, said(3, cid="1" * 16), ada) == first
        assert house.log.append(other, said(1, cid="1" * 16)._replace(room="other"), ada) == first
        assert house.log.append(room, said(3, cid="2" * 16), ada) is None
    assert len(house.stored()) == 3


def test_many_messages_are_looked_up_and_written_at_once(house: House) -> None:
    """Those that were said come back as they were said, also from the same transaction."""
    room, ada = inhabited(house)
    cids = [cid_of(number) for number in range(100)]
    old = [said(2 + place, text=f"old {place}", cid=cid) for place, cid in enumerate(cids[:90])]
    with house.log.transaction():
        house.log.recall([(ada, cid) for cid in cids[:90]])
        assert [house.log.append(room, event, ada) for event in old] == [None] * 90
    with house.log.transaction():
        house.log.recall([(ada, cid) for cid in cids])
        again = [house.log.append(room, said(92, text="new", cid=cid), ada) for cid in cids[:91]]
        assert again == [*old, None]
        new = said(92, text="new", cid=cids[90])
        assert house.log.append(room, said(93, cid=cids[90]), ada) == new
        assert house.log.load().rooms["general"].head == 92
    assert [text for *_, text in house.stored()[1:]] == [*(event.text for event in old), "new"]


def test_ids_of_events_are_found_for_many_rooms_at_once(house: House) -> None:
    """Of what is written, whether committed or not; an empty place is left out."""
    _, ada = inhabited(house)
    logs: list[RoomLog] = []
    with house.log.transaction():
        for number in range(100):
            logs.append(log := house.log.add_room(f"room{number}", 0))
            for seq in (1, 2):
                event = said(seq, room=log.room, cid=cid_of(1000 * seq + number))
                house.log.append(log, event, ada)
    wanted = {log.room: cid_of(2000 + number) for number, log in enumerate(logs)}
    assert house.log.cids([(log, 2) for log in logs]) == wanted
    assert house.log.cids([(logs[7], 1), (logs[8], 3)]) == {"room7": cid_of(1007)}
    assert house.log.cids([]) == {}


def test_an_event_that_waits_to_be_written_is_in_no_place_yet(house: House) -> None:
    """It is in no client's copy either."""
    room, ada = inhabited(house)
    with house.log.transaction():
        house.log.append(room, said(2), ada)
        assert house.log.cids([(room, 2)]) == {}
    assert house.log.cids([(room, 2)]) == {"general": said(2).cid}


def test_ids_of_an_unreadable_log(house: House) -> None:
    """The rules are told in their own words."""
    room, _ = inhabited(house)
    house.log._connection.execute("ALTER TABLE events RENAME TO elsewhere")
    with pytest.raises(StoreFailedError):
        house.log.cids([(room, 1)])


@given(st.lists(our.event(newer=True), min_size=1, max_size=5, unique_by=lambda each: each.cid))
def test_whatever_an_event_holds_comes_back(inhabited_house: House, events: list[Event]) -> None:
    """Of any kind, found by its id and in a page: the same, to the byte."""
    house = inhabited_house
    room, ada = inhabited(house, join=False)
    head = house.log.load().rooms["general"].head
    stored = [
        event._replace(room="general", seq=head + place, sender="ada", cid=house.cid())
        for place, event in enumerate(events, start=1)
    ]
    with house.log.transaction():
        assert [house.log.append(room, event, ada) for event in stored] == [None] * len(stored)
    with house.log.transaction():
        house.log.recall([(ada, event.cid) for event in stored])
        assert [house.log.find(ada, event.cid) for event in stored] == stored
    reader = Pages(SqliteReader(house.path))
    frames = b""
    while (page := reader.page("general", head)).frames:
        frames += page.frames
        head = page.last
    reader.close()
    assert frames == b"".join(map(event_frame, stored))


@pytest.fixture(scope="module")
def inhabited_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all examples: they only add to it."""
    made = House(tmp_path_factory.mktemp("house") / "chat.db")
    made.join("ada")
    yield made
    made.close()


def test_what_a_failed_transaction_noted_is_forgotten(house: House) -> None:
    """Neither written nor remembered by the next one; the same for a part of a transaction."""
    room, ada = inhabited(house)
    with pytest.raises(ZeroDivisionError), house.log.transaction():  # noqa: PT012 (it is the whole that fails)
        house.log.append(room, said(2, cid="1" * 16), ada)
        raise ZeroDivisionError
    with house.log.transaction():
        with pytest.raises(ZeroDivisionError), house.log.atomic():  # noqa: PT012 (it is the whole that fails)
            house.log.append(room, said(2, cid="2" * 16), ada)
            raise ZeroDivisionError
        assert house.log.append(room, said(2, cid="2" * 16), ada) is None
        assert house.log.append(room, said(3, cid="1" * 16), ada) is None
    assert len(house.stored()) == 3


def test_a_message_is_found_by_its_sender_and_cid(house: House) -> None:
    """As it was stored, and nobody else's."""
    room, ada = inhabited(house)
    house.join("bob")
    event = said(3, text="what was said", cid="ab" * 8)
    with house.log.transaction():
        house.log.append(room, event, ada)
    assert house.log.find(ada, "ab" * 8) == event
    assert house.log.find(house.world.directory.accounts["bob"], "ab" * 8) is None
    assert house.log.find(ada, "cd" * 8) is None


def test_pages_bring_the_whole_log_in_bounded_pieces(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page after page gives every event once in order; none is larger than it must be."""
    monkeypatch.setattr(pages, "PAGE_BYTES", 2000)
    room, ada = inhabited(house)
    with house.log.transaction():
        for seq in range(2, 60):
            house.log.append(room, said(seq, text="x" * (seq * 7 % 300 + 1)), ada)
    reader = Pages(SqliteReader(house.path))
    got: list[int] = []
    last, sizes = 0, list[int]()
    while True:
        frames, after, _ = reader.page("general", last)
        if not frames:
            assert after == last
            break
        assert seqs(frames)[-1] == after
        got += seqs(frames)
        last = after
        sizes.append(len(frames))
    reader.close()
    assert got == list(range(1, 60))
    assert max(sizes) < 2000 + 600
    assert len(sizes) > 3


def test_whole_pages_are_kept_and_shared(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many who catch up at once get the same bytes; what may still grow is read again."""
    monkeypatch.setattr(pages, "PAGE_EVENTS", 8)
    monkeypatch.setattr(pages, "KEPT_PAGES", 2)
    room, ada = inhabited(house)
    with house.log.transaction():
        for seq in range(2, 31):
            house.log.append(room, said(seq), ada)
    reader = Pages(SqliteReader(house.path))
    first, rest = reader.page("general", 0), reader.page("general", 24)
    assert (first.last, first.whole, rest.last, rest.whole) == (8, True, 30, False)
    assert reader.page("general", 3).last == 8
    assert reader.page("general", 0) is first
    with house.log.transaction():
        house.log.append(room, said(31), ada)
    assert reader.page("general", 24).last == 31
    assert [reader.page("general", after).last for after in (8, 16)] == [16, 24]
    again = reader.page("general", 0)
    assert again == first
    assert again is not first
    reader.close()


def test_a_page_tells_what_was_published(house: House) -> None:
    """Read from the log an event is the same bytes as when it was live."""
    ada = house.join("ada")
    frames = [only(house.say(ada, text), Publish).frame for text in ("one", "två\n", "😀")]
    reader = Pages(SqliteReader(house.path))
    frames_read, last, _ = reader.page("general", 1)
    join, *_ = reader.page("general", 0)
    reader.close()
    assert (frames_read, last) == (b"".join(frames), 4)
    assert next(understood(join)) == messages.EventMessage.model_validate(
        joined(1, sent_at=NOW)._replace(cid=house.cid_at(1))._asdict()
    )


def test_a_reader_can_not_write(house: House) -> None:
    """Only the writer writes: two that do can damage the file."""
    inhabited(house)
    reader = SqliteReader(house.path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM events")
    reader.close()


def test_a_reader_holds_up_no_checkpoint(house: House) -> None:
    """Between pages a reader holds no old state of the database."""
    room, ada = inhabited(house)
    reader = Pages(SqliteReader(house.path))
    reader.page("general", 0)
    with house.log.transaction():
        house.log.append(room, said(2), ada)
    busy, *_ = house.log._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0
    reader.close()


def test_the_file_is_durable_and_its_owners_alone(house: House) -> None:
    """Full synchronisation, write-ahead log, and no rights for anybody else."""
    pragma = house.log._connection.execute
    assert pragma("PRAGMA synchronous").fetchone() == (2,)
    assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
    assert pragma("PRAGMA foreign_keys").fetchone() == (1,)
    if sys.platform != "win32":
        assert house.path.stat().st_mode & 0o077 == 0


# Databases of other times and other programs


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_older_database_is_copied_and_then_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy holds what was there before; the database has the new form and the old content."""
    house = House(tmp_path / "chat.db")
    house.join("ada")
    house.close()
    step = "CREATE TABLE more (x); INSERT INTO more VALUES (1)"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    log = SqliteStore(tmp_path / "chat.db")
    assert log._connection.execute("SELECT x FROM more").fetchall() == [(1,)]
    assert set(log.load().accounts) == {"ada"}
    log.close()
    (copy,) = tmp_path.glob("chat.db.*format*")
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT username FROM accounts").fetchall() == [("ada",)]
    assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS) - 1,)
    connection.close()
    if sys.platform != "win32":
        assert copy.stat().st_mode & 0o077 == 0


FORMER: Final = Path(__file__).with_name("former")
"""Databases of former formats, as SQL: the same chat, each made by the program of its time."""
IDS: Final = {place: f"{0xFEDCBA9876543210 - place + 3:016x}" for place in range(3, 12)}
"""By the place in the general room: the last 64 bits of the id that ada's message had."""


def former_database(folder: Path, version: int) -> sqlite3.Connection:
    """A database of a former format, open so that it can still be changed."""
    connection = sqlite3.connect(folder / "chat.db")
    statements = (FORMER / f"format_{version}.sql").read_text("ascii")
    connection.executescript(f"BEGIN; {statements} COMMIT;")
    return connection


@pytest.fixture(params=range(1, len(schema.MIGRATIONS)))
def version(request: pytest.FixtureRequest) -> int:
    """Each former format."""
    number: int = request.param
    return number


@pytest.fixture
def migrated(tmp_path: Path, version: int) -> Iterator[House]:
    """A house whose database was of a former format."""
    former_database(tmp_path, version).close()
    house = House(tmp_path / "chat.db")
    yield house
    house.close()


def test_what_was_said_in_a_former_format_is_there(migrated: House, version: int) -> None:
    """Everybody, every room, every message in its place, and what else the database holds."""
    house = migrated
    accounts = house.world.directory.accounts
    assert {each.username: each.display_name for each in accounts.values()} == {
        "ada": "Ada", "bob": 'Bob "B." O\'Neill — Ω', "cem": "Cem",
    }  # fmt: skip
    texts = enumerate(our.HARD_TEXTS, start=3)
    assert house.stored() == [
        (1, "join", "ada", ""),
        (2, "join", "bob", ""),
        *((place, "message", "ada", text) for place, text in texts),
        (11, "message", "ada", "the same id"),
        (12, "message", "bob", "the same id"),
        (13, "join", "cem", ""),
        (14, "message", "cem", "last"),
    ]
    assert house.stored("dm:ada:bob") == [
        (1, "message", "bob", "psst"), (2, "message", "ada", "yes?"),
    ]  # fmt: skip
    heads = {log.room: (log.head, log.members) for log in house.world.directory.rooms.values()}
    assert heads == {"general": (14, {"ada", "bob", "cem"}), "dm:ada:bob": (2, {"ada", "bob"})}
    assert house.log.epoch() in (FORMER / f"format_{version}.sql").read_text("ascii")
    pragma = house.log._connection.execute
    assert pragma("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    assert pragma("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert pragma("PRAGMA foreign_key_check").fetchall() == []


def test_what_was_said_in_a_former_format_is_said_once(migrated: House) -> None:
    """Whoever resends across an update of the program finds that the message is there."""
    house = migrated
    ada, _ = house.sign_in("ada")
    bob, _ = house.sign_in("bob")
    before = house.stored()
    for place, cid in IDS.items():
        assert house.cid_at(place) == cid
        assert acked(house.say(ada, before[place - 1][3], cid=cid)).seq == place
    assert acked(house.say(bob, "the same id", cid=IDS[11])).seq == 12
    assert acked(house.say(bob, "psst", "dm:ada:bob", "fedcba9876543207")).seq == 1
    assert house.stored() == before
    assert acked(house.say(ada, "new")).seq == 15


def test_joins_of_a_former_format_get_ids(migrated: House) -> None:
    """They had none, and each gets its own; it stays, and a client may name it."""
    house = migrated
    ids = [house.cid_at(place) for place in (1, 2, 13)]
    assert len({*ids, *IDS.values()}) == 3 + len(IDS)
    assert all(re.fullmatch(r"[0-9a-f]{16}", each) for each in ids)
    reader = Pages(SqliteReader(house.path))
    events = list(understood(reader.page("general", 0).frames))
    reader.close()
    assert [each.cid for each in events if isinstance(each, messages.EventMessage)] == [
        house.cid_at(place) for place in range(1, 15)
    ]
    assert events[12] == messages.EventMessage.model_validate(
        joined(13, "cem", sent_at=NOW)._replace(cid=ids[2])._asdict()
    )
    ada, _ = house.sign_in("ada")
    synced, _ = house.sync(ada, {"general": 13}, {"general": ids[2]})
    assert (synced.heads, synced.refused) == ({"general": 14}, {})
    again = SqliteStore(house.path)
    assert again.load() == house.world.directory
    assert [again.cids([(house.world.directory.rooms["general"], 1)])] == [{"general": ids[0]}]
    again.close()


def test_accounts_of_a_former_format_are_told_in_their_order(migrated: House) -> None:
    """As if each had changed when it came; who comes now comes after them."""
    house = migrated
    ada, _ = house.sign_in("ada")
    command = messages.ListPeople(id=1, since=0)
    (people,) = told(house.do(ada, command), ada)
    assert isinstance(people, messages.People)
    assert [(each.username, each.change) for each in people.people] == [
        ("ada", 1), ("bob", 2), ("cem", 3),
    ]  # fmt: skip
    house.join("dan")
    assert house.world.directory.accounts["dan"].change > 3
    assert house.world.directory == house.log.load()


def test_a_former_database_is_copied_before_it_is_migrated(tmp_path: Path, version: int) -> None:
    """The copy is what the former program left, and that program's to use."""
    former = former_database(tmp_path, version)
    before = list(former.iterdump())
    former.close()
    House(tmp_path / "chat.db").close()
    copy = tmp_path / f"chat.db.before-format-{version + 1}"
    connection = sqlite3.connect(copy)
    assert list(connection.iterdump()) == before
    assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    assert connection.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
    connection.close()
    if sys.platform != "win32":
        assert copy.stat().st_mode & 0o077 == 0
    # And it is not copied again.
    copy.unlink()
    House(tmp_path / "chat.db").close()
    assert not list(tmp_path.glob("*.before-*"))


def test_long_ids_made_to_be_the_same_when_short_stop_no_server(
    tmp_path: Path, version: int
) -> None:
    """Nobody's program does that, but anybody's could have: each message stays, with an id."""
    former = former_database(tmp_path, version)
    alike = [f"{number:016x}{'ab' * 8}" for number in range(3)]
    for seq, cid in enumerate(alike, start=15):
        former.execute(
            "INSERT INTO events VALUES (1, ?, 'message', 1, 'alike', 0, ?)",
            (seq, bytes.fromhex(cid)),
        )
    former.commit()
    former.close()
    house = House(tmp_path / "chat.db")
    assert house.stored()[14:] == [(seq, "message", "ada", "alike") for seq in (15, 16, 17)]
    ids = {house.cid_at(seq) for seq in range(1, 18)}
    assert len(ids) == 16  # two different people's may be the same
    assert all(len(each) == 16 for each in ids)
    assert {place: house.cid_at(place) for place in IDS} == IDS
    house.close()


def test_a_failed_migration_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a step is none: the older program can still use it."""
    House(tmp_path / "chat.db").close()
    with monkeypatch.context() as newer:
        newer.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE more (x); NONSENSE"))
        with pytest.raises(StoreUnusableError):
            SqliteStore(tmp_path / "chat.db")
    log = SqliteStore(tmp_path / "chat.db")
    assert log._connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    with pytest.raises(sqlite3.OperationalError):
        log._connection.execute("SELECT * FROM more")
    log.close()


def test_a_first_start_that_was_cut_short_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash or a full disk while the database is made doesn't lock the host out of it."""
    with monkeypatch.context() as cut_short:
        cut_short.setattr(schema, "MIGRATIONS", ("CREATE TABLE meta (x); NONSENSE",))
        with pytest.raises(StoreUnusableError):
            SqliteStore(tmp_path / "chat.db")
    SqliteStore(tmp_path / "chat.db").close()


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    """Not one byte of it changes, it is not copied, and the reason names both formats."""
    House(tmp_path / "chat.db").close()
    newer = sqlite3.connect(tmp_path / "chat.db")
    newer.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    newer.close()
    before = contents(tmp_path)
    with pytest.raises(StoreUnusableError, match=rf"newer.*{len(schema.MIGRATIONS) + 1}"):
        SqliteStore(tmp_path / "chat.db")
    after = contents(tmp_path)
    assert after.pop("chat.db") == before["chat.db"]
    assert set(after) <= {"chat.db-shm", "chat.db-wal"}  # SQLite's own, for whoever looks


def _foreign_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE precious (x)")
    connection.close()


@pytest.mark.parametrize(
    "make",
    [
        _foreign_database,
        lambda path: path.write_bytes(b"This is a diary, not a database. " * 99),
        lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096),
        lambda path: path.mkdir(),
    ],
    ids=["another program's", "text", "damaged", "folder"],
)
def test_what_is_no_database_of_ours_is_refused_untouched(tmp_path: Path, make: object) -> None:
    """A sentence for the host instead of a traceback, and the file as it was."""
    path = tmp_path / "chat.db"
    assert callable(make)
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreUnusableError, match=r"chat\.db"):
        SqliteStore(path)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    """As one that `touch` or a crash left behind."""
    (tmp_path / "chat.db").touch()
    SqliteStore(tmp_path / "chat.db").close()


def test_each_database_has_its_own_name_and_secret(tmp_path: Path) -> None:
    """The epoch and the invite's secret are random, lawful, and stay."""
    logs = [SqliteStore(tmp_path / f"{number}.db") for number in range(2)]
    assert len({log.epoch() for log in logs} | {log.invite_secret() for log in logs}) == 4
    for log in logs:
        assert log.epoch() == log.epoch()
        assert len(log.invite_secret()) == 22
        log.close()


def test_memory_is_what_the_disk_says(house: House) -> None:
    """After any lawful commands the directory in memory equals one loaded anew."""
    names = ["ada", "bob", "cem"]
    sessions = [house.join(name) for name in names]
    for one, other in itertools.permutations(range(3), 2):
        room = "dm:" + ":".join(sorted((names[one], names[other])))
        house.say(sessions[one], "psst", room)
    assert house.world.directory == house.log.load()
