"""Reads what the processes left: records, the server's log, the clients' stores. Only reads."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chat_client.cache.rows import EVENTS, event_of
from common.protocol.events import Event
from tests.torture.backups import Backups, reading
from tests.torture.clock import read as read_clock
from tests.torture.copies import PlacedRecords
from tests.torture.crew import Crew, Person, Process
from tests.torture.history import Client, History, Kind, Store, Violation
from tests.torture.record import Began, Records, Silenced, kept

_HEADS: Final = (
    "SELECT username, rooms.room, coalesce(max(seq), 0), cid FROM members"
    " JOIN rooms ON rooms.number = members.room"
    " JOIN accounts ON accounts.number = members.account"
    " LEFT JOIN events ON events.room = rooms.number"
    " GROUP BY username, rooms.room"
)
"""With the id of the newest event (SQLite, bare columns of a max() query)."""
_KEPT: Final = (
    "SELECT rooms.room, position, cid FROM rooms"
    " LEFT JOIN events ON events.room = rooms.room AND seq = position"
)
_ALARMS: Final = (" ERROR ", "ERROR refused", " CRITICAL ", "Traceback", "Fatal Python error")
_KNOWN: Final = ("the log could not be written", "messages can't be stored")
"""What a server says, and should, while its disk is full."""


def gather(crew: Crew, backups: Backups) -> History:
    """The history of a run whose processes have all ended."""
    record = crew.server.record
    epochs = backups.epochs()
    sessions = backups.sessions(epochs)
    return History(
        epochs,
        [_client(person, sessions) for person in crew.people.values() if person.lives],
        set(record.read_text().split()) if record.exists() else set(),
        Records(crew.host.record) if crew.host.lives else (),
        read_clock(record.with_suffix(".clock")),
    )


def _client(person: Person, sessions: Mapping[str, str]) -> Client:
    records = PlacedRecords(Records(person.record), sessions)
    return Client(person.name, person.device, records, _store(person))


@dataclass(frozen=True, slots=True)
class _StoredEvents:
    """A cache's events, read anew each time."""

    path: Path

    def __iter__(self) -> Iterator[Event]:
        with reading(self.path) as database:
            for row in database.execute(EVENTS):
                event = event_of(row)
                assert event is not None, row
                yield kept(event)


def _store(person: Person) -> Store:
    path = person.cache
    if path is None:
        return Store()
    with reading(path) as database:
        found = database.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for room, first, last in database.execute("SELECT room, first, last FROM spans"):
            spans[room].append((first, last))
        return Store(
            _StoredEvents(path),
            dict(database.execute("SELECT room, position FROM rooms")),
            None if found is None else found[0],
            [cid for (cid,) in database.execute("SELECT cid FROM outbox WHERE state = 'waiting'")],
            spans,
            {
                cid: json.loads(reason)[0]
                for cid, reason in database.execute(
                    "SELECT cid, reason FROM outbox WHERE state = 'failed'"
                )
            },
        )


def hush(crew: Crew) -> dict[str, int]:
    """Have everyone stop talking; the sizes of their records until now."""
    sizes = {each.device: each.record.stat().st_size for each in crew.people.values()}
    for person in crew.people.values():
        person.order("talk 0")
    return sizes


def silent(crew: Crew, since: Mapping[str, int]) -> bool:
    """Whether everyone has stopped since `hush`; whoever began a life since then never talked."""
    return all(
        any(
            isinstance(record, Began | Silenced)
            for record in Records(person.record, since[person.device])
        )
        for person in crew.people.values()
    )


def pardoned(crew: Crew) -> int:
    """How often the host has lifted everything."""
    records = Records(crew.host.record) if crew.host.lives else ()
    return sum(isinstance(record, Silenced) for record in records)


def settled(crew: Crew) -> bool:
    """Whether everyone has joined and has everything, and no message waits.

    The server must be running.
    """
    try:
        with reading(crew.server.database) as database:
            heads = database.execute(_HEADS).fetchall()
            (epoch,) = database.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        wanted: dict[str, dict[str, _Head]] = defaultdict(dict)
        for username, room, head, cid in heads:
            wanted[username][room] = (head, cid)
        return all(
            _has(person, epoch, wanted[person.name])
            for person in crew.people.values()
            if person.lives
        )
    except sqlite3.OperationalError:
        return False  # A program that is just starting holds it for itself.


def progress(crew: Crew) -> int:
    """A number that grows while messages are delivered."""
    delivered = 0
    for person in crew.people.values():
        if person.cache is not None:
            with suppress(sqlite3.Error), reading(person.cache) as database:
                (positions,) = database.execute("SELECT sum(position) FROM rooms").fetchone()
                waiting = "SELECT count(*) FROM outbox WHERE state = 'waiting'"
                delivered += (positions or 0) - database.execute(waiting).fetchone()[0]
    return delivered


_Head = tuple[int, str | None]
"""The newest `seq` of a room, and the event's `cid`: a copy may be of another history."""


def _has(person: Person, epoch: str, heads: Mapping[str, _Head]) -> bool:
    path = person.cache
    if path is None or not heads:
        return False
    with reading(path) as database:
        (waiting,) = database.execute(
            "SELECT count(*) FROM outbox WHERE state = 'waiting'"
        ).fetchone()
        here = {room: (seq, cid) for room, seq, cid in database.execute(_KEPT)}
        copy_of = database.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    if waiting or copy_of != (epoch,):
        return False
    return all(here.get(room, (0, None)) == head for room, head in heads.items())


def complaints(crew: Crew) -> list[Violation]:
    """What programs met and did not expect, by what they printed."""
    found: list[Violation] = []
    everyone: list[Process] = [crew.server, crew.host, *crew.people.values()]
    for process in everyone:
        if not process.lives:
            continue
        expected = False
        with process.errors.open(errors="replace") as lines:
            for line in lines:
                if not line.startswith((" ", "Traceback")):
                    expected = any(known in line for known in _KNOWN)
                if not expected and any(alarm in line for alarm in _ALARMS):
                    found.append(Violation(Kind.PROGRAM_ERROR, process.title, detail=line.strip()))
    return found
