"""Reads what the processes left: records, the server's log, the clients' stores. Only reads."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from chat_client.state.event import KeptEvent
from tests.torture.crew import Crew, Person, Server
from tests.torture.history import Client, History, Kind, Store, Violation
from tests.torture.record import Began, Silenced, read_records

_LOG: Final = (
    "SELECT rooms.room, seq, kind, username, text, sent_at, nullif(lower(hex(cid)), '') FROM events"
    " JOIN rooms ON rooms.number = events.room JOIN accounts ON accounts.number = events.sender"
    " ORDER BY rooms.room, seq"
)
_HEADS: Final = (
    "SELECT username, rooms.room, coalesce((SELECT max(seq) FROM events"
    " WHERE events.room = rooms.number), 0) FROM members"
    " JOIN rooms ON rooms.number = members.room"
    " JOIN accounts ON accounts.number = members.account"
)
_ALARMS: Final = (" ERROR ", "ERROR refused", " CRITICAL ", "Traceback", "Fatal Python error")
_KNOWN: Final = ("the log could not be written", "messages can't be stored")
"""What a server says, and should, while its disk is full."""


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    # Read-only in earnest: the last to close would otherwise fold the log of a killed program.
    uri = f"{path.as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        yield connection


def gather(crew: Crew) -> History:
    """The history of a run whose processes have all ended."""
    with _reading(crew.server.database) as database:
        rows = database.execute(_LOG).fetchall()
        heads = database.execute(_HEADS).fetchall()
        (epoch,) = database.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    members: dict[str, set[str]] = defaultdict(set)
    for username, room, _ in heads:
        members[room].add(username)
    record = crew.server.record
    return History(
        [KeptEvent(*row) for row in rows],
        epoch,
        members,
        [_client(person) for person in crew.people.values() if person.lives],
        set(record.read_text().split()) if record.exists() else set(),
    )


def _client(person: Person) -> Client:
    return Client(person.name, read_records(person.record), _store(person))


def _store(person: Person) -> Store:
    path = person.cache
    if path is None:
        return Store()
    with _reading(path) as database:
        columns = "room, seq, kind, sender, text, sent_at, cid"
        events = database.execute(f"SELECT {columns} FROM events").fetchall()  # noqa: S608 (ours)
        return Store(
            [KeptEvent(*row) for row in events],
            dict(database.execute("SELECT room, position FROM rooms")),
            [cid for (cid,) in database.execute("SELECT cid FROM outbox WHERE state = 'waiting'")],
        )


def hush(crew: Crew) -> dict[str, int]:
    """Have everyone stop talking; the sizes of their records until now."""
    sizes = {person.name: person.record.stat().st_size for person in crew.people.values()}
    for person in crew.people.values():
        person.order("talk 0")
    return sizes


def silent(crew: Crew, since: Mapping[str, int]) -> bool:
    """Whether everyone has stopped since `hush`; whoever began a life since then never talked."""
    return all(
        any(
            isinstance(record, Began | Silenced)
            for record in read_records(person.record, since[person.name])
        )
        for person in crew.people.values()
    )


def settled(crew: Crew) -> bool:
    """Whether everyone has joined and has everything, and no message waits.

    The server must be running.
    """
    try:
        with _reading(crew.server.database) as database:
            heads = database.execute(_HEADS).fetchall()
        wanted: dict[str, dict[str, int]] = defaultdict(dict)
        for username, room, head in heads:
            wanted[username][room] = head
        return all(
            _has(person, wanted[person.name]) for person in crew.people.values() if person.lives
        )
    except sqlite3.OperationalError:
        return False  # A program that is just starting holds it for itself.


def _has(person: Person, heads: Mapping[str, int]) -> bool:
    path = person.cache
    if path is None or not heads:
        return False
    with _reading(path) as database:
        (waiting,) = database.execute(
            "SELECT count(*) FROM outbox WHERE state = 'waiting'"
        ).fetchone()
        positions = dict(database.execute("SELECT room, position FROM rooms"))
    return not waiting and all(positions.get(room, 0) >= head for room, head in heads.items())


def complaints(crew: Crew) -> list[Violation]:
    """What programs met and did not expect, by what they printed."""
    found: list[Violation] = []
    everyone: list[Server | Person] = [crew.server, *crew.people.values()]
    for process in everyone:
        lines = process.errors.read_text(errors="replace").splitlines()
        expected = False
        for line in lines:
            if not line.startswith((" ", "Traceback")):
                expected = any(known in line for known in _KNOWN)
            if not expected and any(alarm in line for alarm in _ALARMS):
                found.append(Violation(Kind.PROGRAM_ERROR, process.title, detail=line.strip()))
    return found
