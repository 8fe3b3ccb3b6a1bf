"""The engine on SQLite: what is its own, and no file harmed that is not ours.

What every engine has to do is in tests/contract/test_store.py.
"""

from __future__ import annotations

import errno
import itertools
import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from chat_server.net.pages import Pages
from chat_server.rules import inputs
from chat_server.rules.commands import is_refusal
from chat_server.rules.directory import Account, RoomLog
from chat_server.rules.issued_invites import STANDING, InviteKind, IssuedInvite, secret_hash
from chat_server.rules.roles import Role
from chat_server.store.sqlite import schema
from chat_server.store.sqlite.reader import SqliteReader
from chat_server.store.sqlite.store import SqliteStore
from chat_server.store.store import StoreUnusableError
from common.protocol import messages
from common.system import database
from tests import strategies as our
from tests.events import joined, said
from tests.unit.chat_server.house import NOW, House, acked, told, understood
from tests.unit.chat_server.rules.invitations import add_device, devices, result


def inhabited(house: House, *, join: bool = True) -> tuple[RoomLog, Account]:
    """The general room and an account in it."""
    if join:
        house.join("ada")
    return house.world.directory.rooms["general"], house.world.directory.accounts["ada"]


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


@pytest.mark.usefixtures("synchronised")
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


def test_nobody_is_more_than_a_member_after_a_former_format(migrated: House) -> None:
    """Nobody is banned or muted, nothing was done; and all of that can be from then on."""
    house = migrated
    directory = house.world.directory
    assert {each.role for each in directory.accounts.values()} == {Role.MEMBER}
    assert list(directory.sanctions.after(0, NOW)) == []
    assert directory.former_changes == set()
    assert directory.installations == {}
    reader = SqliteReader(house.path)
    assert reader.audit(None, 10) == []
    host = house.host()
    for command in (
        messages.SetRole(id=1, username="ada", role="moderator"),
        messages.Ban(id=2, username="bob", until=NOW + 1, reason="Enough."),
        messages.MutePerson(id=3, username="cem"),
    ):
        assert messages.Done(re=command.id) in told(house.do(host, command), host)
    assert house.log.load() == directory
    assert [row.action for row in reader.audit(None, 10)] == ["mute", "ban", "set_role"]
    reader.close()
    # Whose devices told no installation before are kept away by their names.
    _, refused = house.sign_in("bob")
    assert is_refusal(refused)
    assert not house.world.sessions.online("bob")


def test_the_invite_of_a_former_format_lets_in(tmp_path: Path) -> None:
    """The link that people have stays the standing one; who may join is as it was."""
    former = former_database(tmp_path, 4)
    (secret,) = former.execute("SELECT value FROM meta WHERE key = 'invite_secret'").fetchone()
    assert len(secret) == 22
    former.close()
    log = SqliteStore(tmp_path / "chat.db")
    with log.transaction():
        assert log.invite_secret(NOW) == secret
    (standing,) = log.load().invites
    assert standing == IssuedInvite(STANDING, secret_hash(secret), InviteKind.LINK, NOW)
    assert standing.ended(NOW + 2**45) is None
    with log.transaction():
        assert log.meta("join_rule", "not yet") == "not yet"
    log.close()


def test_moderation_of_a_former_format_stays(tmp_path: Path) -> None:
    """Roles, bans, mutes, installations, the audit log, and the numbers of former changes."""
    former = former_database(tmp_path, 4)
    with former:
        former.execute("UPDATE accounts SET role = 2 WHERE username = 'ada'")
        former.execute("UPDATE devices SET installation = ? WHERE account = 1", ("a" * 32,))
        former.execute("INSERT INTO former_changes VALUES (77)")
        for kind, account in (("ban", 2), ("mute", 3)):
            former.execute(
                "INSERT INTO sanctions"
                " (kind, account, installations, device, until, reason, actor, at)"
                " VALUES (?, ?, ?, NULL, ?, 'Enough', 'ada', 5)",
                (kind, account, json.dumps(["b" * 32]), NOW + 1),
            )
        former.execute(
            "INSERT INTO audit (at, actor, action, fields) VALUES (5, 'ada', 'ban', '{}')"
        )
    former.close()
    house = House(tmp_path / "chat.db")
    directory = house.world.directory
    assert directory.accounts["ada"].role is Role.MODERATOR
    assert directory.installations == {"ada": {"a" * 32}}
    assert directory.was_change(77)
    sanctions = {(each.kind, each.username) for each in directory.sanctions.after(0, NOW)}
    assert sanctions == {("ban", "bob"), ("mute", "cem")}
    reader = SqliteReader(house.path)
    assert [row.action for row in reader.audit(None, 10)] == ["ban"]
    reader.close()
    house.close()


def test_devices_of_a_former_format_are_listed_and_seen(migrated: House) -> None:
    """When they were seen last nobody knows, until they come; each can be signed out."""
    house = migrated
    host = house.host()
    assert {each.last_seen for each in house.world.directory.devices.values()} == {None}
    (told_of,) = devices(house, host, "ada")
    assert (told_of.last_seen, told_of.online, told_of.created) == (None, False, NOW)
    house.sign_in("ada")
    with house.log.transaction():
        house.happen(inputs.SaveSeen())
    house.world.directory.commit()
    assert [each.last_seen for each in house.log.load().devices.values() if each.last_seen] == [NOW]
    command = messages.RemoveDevice(id=1, username="ada", device=told_of.device)
    assert messages.Done(re=1) in told(house.do(host, command), host)
    _, refusal = house.sign_in("ada")
    assert is_refusal(refusal)
    _, invite = add_device(house, host, "ada")
    assert result(house, "ada", invite.secret) == "in"


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


def test_a_copy_is_never_written_over(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who went back to a former database and migrates it again keeps both; so if that fails."""
    path, copy = tmp_path / "chat.db", tmp_path / f"chat.db.before-format-{version + 1}"
    copy.write_bytes(b"the copy of another day")
    former = former_database(tmp_path, version)
    before = list(former.iterdump())
    former.close()

    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "unplugged")

    with monkeypatch.context() as patched:
        patched.setattr(database, "_back_up", failing)
        with pytest.raises(StoreUnusableError, match="unplugged"):
            SqliteStore(path)
    assert copy.read_bytes() == b"the copy of another day"
    # What a crash left of a copy is none, and is in nobody's way.
    tmp_path.joinpath("chat.db.before-format.part").write_bytes(b"half of a copy")
    SqliteStore(path).close()
    assert copy.read_bytes() == b"the copy of another day"
    with closing(sqlite3.connect(copy.with_name(f"{copy.name}.2"))) as connection:
        assert list(connection.iterdump()) == before
    assert len(list(tmp_path.glob("*.before-*"))) == 2


def test_a_copy_gets_its_name_after_a_crash(tmp_path: Path, version: int) -> None:
    """The migration was committed, and the program ended before it could name the copy."""
    former = former_database(tmp_path, version)
    before = list(former.iterdump())
    former.close()
    SqliteStore(tmp_path / "chat.db").close()
    copy = tmp_path / f"chat.db.before-format-{version + 1}"
    copy.rename(tmp_path / "chat.db.before-format.part")
    SqliteStore(tmp_path / "chat.db").close()
    with closing(sqlite3.connect(copy)) as connection:
        assert list(connection.iterdump()) == before
    assert len(list(tmp_path.glob("*.before-*"))) == 1


@pytest.mark.parametrize("version", [1, 2])  # the ids of the third have been short
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


class Disk(NamedTuple):
    """What is told of a disk."""

    total: int
    used: int
    free: int


def talk(former: sqlite3.Connection, version: int) -> None:
    """Say more than a page has room for."""
    insert = {
        True: "INSERT INTO events (room, seq, kind, sender, sent_at, cid, text) VALUES",
        False: "INSERT INTO events (room, seq, kind, sender, sent_at, cid, body) VALUES",
    }[version < 3]
    text = "more " * 100 if version < 3 else '{"text":"more"}'
    former.executemany(
        f"{insert} (1, ?, 'message', 1, 0, ?, ?)",
        [(seq, f"{seq:016x}".encode(), text) for seq in range(100, 400)],
    )
    former.commit()


def test_a_migration_is_not_begun_without_room(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what it takes, and leaves everything as it was, to the byte."""
    former_database(tmp_path, version).close()
    before = contents(tmp_path)
    size = len(before["chat.db"])
    # A copy, and where the log is written anew, that with what was written and not folded in.
    need = size * (4 if version < 3 else 1)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Disk(0, 0, need - 1))
    with pytest.raises(StoreUnusableError, match=r"1 MB for a while.*Nothing was changed"):
        SqliteStore(tmp_path / "chat.db")
    assert contents(tmp_path) == before
    monkeypatch.setattr("shutil.disk_usage", lambda _: Disk(0, 0, need))
    SqliteStore(tmp_path / "chat.db").close()


def test_a_disk_that_fills_up_in_a_migration_costs_nothing(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said so, and the copy is gone; when there is room again, it works."""
    former = former_database(tmp_path, version)
    before = list(former.iterdump())
    (pages,) = former.execute("PRAGMA page_count").fetchone()
    former.close()
    original = schema._configure

    def no_room(connection: sqlite3.Connection) -> None:
        original(connection)
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")

    monkeypatch.setattr(schema, "_configure", no_room)
    with pytest.raises(StoreUnusableError, match="the disk is full"):
        SqliteStore(tmp_path / "chat.db")
    with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
        assert list(connection.iterdump()) == before
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    assert [path.name for path in tmp_path.iterdir() if "before" in path.name] == []
    monkeypatch.undo()
    SqliteStore(tmp_path / "chat.db").close()
    assert (tmp_path / f"chat.db.before-format-{version + 1}").exists()


def test_a_migration_tells_the_log_how_far_it_is(
    tmp_path: Path,
    version: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With sizes at the start and the end, and in between now and then; a new one needs none."""
    with closing(former_database(tmp_path, version)) as former:
        talk(former, version)
    monkeypatch.setattr(schema, "_PROGRESS", 0.0)
    monkeypatch.setattr(schema, "_LOOK", 100)
    with caplog.at_level("INFO", "chat_server.store"):
        SqliteStore(tmp_path / "chat.db").close()
        said = [record.getMessage() for record in caplog.records]
        assert f"from format {version} to {len(schema.MIGRATIONS)}" in said[0]
        assert all("so far" in each for each in said[1:-1])
        assert len(said) > 2 or version == 3  # which is quick
        assert "are free for what comes" in said[-1]
        caplog.clear()
        SqliteStore(tmp_path / "chat.db").close()
        SqliteStore(tmp_path / "new.db").close()
        assert caplog.records == []


def test_what_a_migration_wrote_is_folded_in(tmp_path: Path, version: int) -> None:
    """Or the disk would hold it twice until the server stops. What it freed is used again."""
    with closing(former_database(tmp_path, version)) as former:
        talk(former, version)
    house = House(tmp_path / "chat.db")
    wal = tmp_path / "chat.db-wal"
    assert wal.stat().st_size < (tmp_path / "chat.db").stat().st_size
    pragma = house.log._connection.execute
    (free,) = pragma("PRAGMA freelist_count").fetchone()
    (pages,) = pragma("PRAGMA page_count").fetchone()
    ada, _ = house.sign_in("ada")
    if version < 3:
        assert free > 1
    while pragma("PRAGMA freelist_count").fetchone()[0] > 0:
        assert pragma("PRAGMA page_count").fetchone() == (pages,)
        house.say(ada, "more " * 500)
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


def test_memory_is_what_the_disk_says(house: House) -> None:
    """After any lawful commands the directory in memory equals one loaded anew."""
    names = ["ada", "bob", "cem"]
    sessions = [house.join(name) for name in names]
    for one, other in itertools.permutations(range(3), 2):
        room = "dm:" + ":".join(sorted((names[one], names[other])))
        house.say(sessions[one], "psst", room)
    assert house.world.directory == house.log.load()
