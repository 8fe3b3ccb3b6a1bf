"""The log on the disk: all or nothing, one copy each, and no file harmed that is not ours."""

from __future__ import annotations

import itertools
import sqlite3
import sys
from pathlib import Path

import pytest

from chat_server.rules.directory import Account, LogUnreadableError, RoomLog, StoredEvent
from chat_server.rules.effects import Publish
from chat_server.store import pages, schema
from chat_server.store.log import SqliteLog
from chat_server.store.pages import PageReader
from chat_server.store.schema import StoreError
from tests.chat_server.house import House, only, seqs, understood


def said(seq: int, cid: str | None = None, text: str = "hello") -> StoredEvent:
    """A message in the general room."""
    return StoredEvent("general", seq, "message", "ada", text, 0, cid or f"{seq:032x}")


def inhabited(house: House) -> tuple[RoomLog, Account]:
    """The general room and an account in it."""
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
        house.log.add_account("bob", "Bob", 0)
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
        with pytest.raises(sqlite3.IntegrityError), house.log.atomic():  # noqa: PT012 (it is the whole that fails)
            house.log.add_account("bob", "Bob", 0)
            house.log.add_account("ada", "Twice", 0)
        house.log.append(room, said(3), ada)
    directory = house.log.load()
    assert set(directory.accounts) == {"ada"}
    assert directory.rooms["general"].head == 3


def test_a_place_has_one_message(house: House) -> None:
    """The database itself refuses a second one, whatever the rules think."""
    room, ada = inhabited(house)
    with house.log.transaction():
        assert house.log.append(room, said(2, "1" * 32), ada) is None
    with pytest.raises(sqlite3.IntegrityError), house.log.transaction():
        house.log.append(room, said(2, "2" * 32), ada)
    assert len(house.stored()) == 2


def test_a_message_has_one_copy(house: House) -> None:
    """The second one is not written; what it was said with is given, in whatever room."""
    room, ada = inhabited(house)
    other = house.log.add_room("other", 0)
    first = said(2, "1" * 32, "what was said")
    with house.log.transaction():
        assert house.log.append(room, first, ada) is None
        assert house.log.append(room, said(3, "1" * 32), ada) == first
        assert house.log.append(other, said(1, "1" * 32)._replace(room="other"), ada) == first
        assert house.log.append(room, said(3, "2" * 32), ada) is None
    assert len(house.stored()) == 3


def test_many_messages_are_looked_up_and_written_at_once(house: House) -> None:
    """Those that were said come back as they were said, also from the same transaction."""
    room, ada = inhabited(house)
    cids = [f"{number:032x}" for number in range(100)]
    old = [said(2 + place, cid, f"old {place}") for place, cid in enumerate(cids[:90])]
    with house.log.transaction():
        house.log.recall([(ada, cid) for cid in cids[:90]])
        assert [house.log.append(room, event, ada) for event in old] == [None] * 90
    with house.log.transaction():
        house.log.recall([(ada, cid) for cid in cids])
        again = [house.log.append(room, said(92, cid, "new"), ada) for cid in cids[:91]]
        assert again == [*old, None]
        assert house.log.append(room, said(93, cids[90]), ada) == said(92, cids[90], "new")
        assert house.log.load().rooms["general"].head == 92
    assert [text for *_, text in house.stored()[1:]] == [*(event.text for event in old), "new"]


def test_when_events_were_stored_is_found_for_many_rooms_at_once(house: House) -> None:
    """Of what is written, whether committed or not; an empty place is left out."""
    _, ada = inhabited(house)
    logs: list[RoomLog] = []
    with house.log.transaction():
        for number in range(100):
            logs.append(log := house.log.add_room(f"room{number}", 0))
            for seq in (1, 2):
                event = StoredEvent(log.room, seq, "join", "ada", "", 1000 * seq + number, None)
                house.log.append(log, event, ada)
    wanted = {log.room: 2000 + number for number, log in enumerate(logs)}
    assert house.log.times([(log, 2) for log in logs]) == wanted
    assert house.log.times([(logs[7], 1), (logs[8], 3)]) == {"room7": 1007}
    assert house.log.times([]) == {}


def test_an_event_that_waits_to_be_written_has_no_time_yet(house: House) -> None:
    """It is in no client's copy either."""
    room, ada = inhabited(house)
    with house.log.transaction():
        house.log.append(room, said(2)._replace(sent_at=7), ada)
        assert house.log.times([(room, 2)]) == {}
    assert house.log.times([(room, 2)]) == {"general": 7}


def test_times_of_an_unreadable_log(house: House) -> None:
    """The rules are told in their own words."""
    room, _ = inhabited(house)
    house.log._connection.execute("ALTER TABLE events RENAME TO elsewhere")
    with pytest.raises(LogUnreadableError):
        house.log.times([(room, 1)])


def test_what_a_failed_transaction_noted_is_forgotten(house: House) -> None:
    """Neither written nor remembered by the next one; the same for a part of a transaction."""
    room, ada = inhabited(house)
    with pytest.raises(ZeroDivisionError), house.log.transaction():  # noqa: PT012 (it is the whole that fails)
        house.log.append(room, said(2, "1" * 32), ada)
        raise ZeroDivisionError
    with house.log.transaction():
        with pytest.raises(ZeroDivisionError), house.log.atomic():  # noqa: PT012 (it is the whole that fails)
            house.log.append(room, said(2, "2" * 32), ada)
            raise ZeroDivisionError
        assert house.log.append(room, said(2, "2" * 32), ada) is None
        assert house.log.append(room, said(3, "1" * 32), ada) is None
    assert len(house.stored()) == 3


def test_a_message_is_found_by_its_sender_and_cid(house: House) -> None:
    """As it was stored, and nobody else's."""
    room, ada = inhabited(house)
    house.join("bob")
    event = said(3, "ab" * 16, "what was said")
    with house.log.transaction():
        house.log.append(room, event, ada)
    assert house.log.find(ada, "ab" * 16) == event
    assert house.log.find(house.world.directory.accounts["bob"], "ab" * 16) is None
    assert house.log.find(ada, "cd" * 16) is None


def test_pages_bring_the_whole_log_in_bounded_pieces(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page after page gives every event once in order; none is larger than it must be."""
    monkeypatch.setattr(pages, "PAGE_BYTES", 2000)
    room, ada = inhabited(house)
    with house.log.transaction():
        for seq in range(2, 60):
            house.log.append(room, said(seq, text="x" * (seq * 7 % 300 + 1)), ada)
    reader = PageReader(house.path)
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
    reader = PageReader(house.path)
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
    reader = PageReader(house.path)
    frames_read, last, _ = reader.page("general", 1)
    join, *_ = reader.page("general", 0)
    reader.close()
    assert (frames_read, last) == (b"".join(frames), 4)
    event = next(understood(join))
    assert event.model_dump()["cid"] is None


def test_a_reader_can_not_write(house: House) -> None:
    """Only the writer writes: two that do can damage the file."""
    inhabited(house)
    reader = PageReader(house.path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM events")
    assert reader.page("nowhere", 0) == (b"", 0, False)
    reader.close()


def test_a_reader_holds_up_no_checkpoint(house: House) -> None:
    """Between pages a reader holds no old state of the database."""
    room, ada = inhabited(house)
    reader = PageReader(house.path)
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
    log = SqliteLog(tmp_path / "chat.db")
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


@pytest.mark.parametrize("version", range(1, len(schema.MIGRATIONS)))
def test_what_was_said_in_an_older_format_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """Whoever resends across an update of the program finds that the message is there."""
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:version])
        house = House(tmp_path / "chat.db")
        room, ada = inhabited(house)
        with house.log.transaction():
            assert house.log.append(room, said(2), ada) is None
        house.close()
    log = SqliteLog(tmp_path / "chat.db")
    with log.transaction():
        assert log.append(room, said(3, said(2).cid), ada) == said(2)
    log.close()
    copy = tmp_path / f"chat.db.before-format-{version + 1}"
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT text FROM events WHERE seq = 2").fetchone() == ("hello",)
    connection.close()


def test_a_failed_migration_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a step is none: the older program can still use it."""
    House(tmp_path / "chat.db").close()
    with monkeypatch.context() as newer:
        newer.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE more (x); NONSENSE"))
        with pytest.raises(StoreError):
            SqliteLog(tmp_path / "chat.db")
    log = SqliteLog(tmp_path / "chat.db")
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
        with pytest.raises(StoreError):
            SqliteLog(tmp_path / "chat.db")
    SqliteLog(tmp_path / "chat.db").close()


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    """Not one byte of it changes, it is not copied, and the reason names both formats."""
    House(tmp_path / "chat.db").close()
    newer = sqlite3.connect(tmp_path / "chat.db")
    newer.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    newer.close()
    before = contents(tmp_path)
    with pytest.raises(StoreError, match=rf"newer.*{len(schema.MIGRATIONS) + 1}"):
        SqliteLog(tmp_path / "chat.db")
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
    with pytest.raises(StoreError, match=r"chat\.db"):
        SqliteLog(path)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    """As one that `touch` or a crash left behind."""
    (tmp_path / "chat.db").touch()
    SqliteLog(tmp_path / "chat.db").close()


def test_each_database_has_its_own_name_and_secret(tmp_path: Path) -> None:
    """The epoch and the invite's secret are random, lawful, and stay."""
    logs = [SqliteLog(tmp_path / f"{number}.db") for number in range(2)]
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
