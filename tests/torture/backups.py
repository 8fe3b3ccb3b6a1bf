"""Backups of the server's database, and putting one in its place, as an administrator would.

A restored database may get a new epoch, which tells clients that its log is another one than theirs
may be of; plainly copied back, it has the old one. What the server had until then is read before it
is thrown away.
"""

import json
import math
import secrets
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from common.protocol.events import Event
from common.system.private_files import PRIVATE_FILE
from tests.torture.epochs import Epoch, Moderated, wire_name
from tests.torture.history import Kind, Violation
from tests.torture.record import kept
from tests.torture.rights import NO_RIGHTS, read_audit, read_rights

_LOG: Final = (
    "SELECT rooms.room, seq, kind, username, sent_at, cid, body FROM events"
    " JOIN rooms ON rooms.number = events.room JOIN accounts ON accounts.number = events.sender"
    " ORDER BY events.room, seq"
)
_HEADS: Final = (
    "SELECT room, (SELECT max(seq) FROM events WHERE events.room = rooms.number) FROM rooms"
)
_MEMBERS: Final = (
    "SELECT rooms.room, username FROM members JOIN rooms ON rooms.number = members.room"
    " JOIN accounts ON accounts.number = members.account"
)
_EPOCH: Final = "SELECT value FROM meta WHERE key = 'epoch'"


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads."""
    # In earnest: the last to close would otherwise fold the log of a killed program.
    uri = f"{path.as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        yield connection


def _size(database: sqlite3.Connection) -> int:
    """How many events there are in all rooms."""
    return sum(head or 0 for _, head in database.execute(_HEADS))


class Backups:
    """The backup of one server's database, and the histories that restoring it ended."""

    def __init__(self, database: Path, folder: Path) -> None:
        self._database = database
        self._backup = folder / "backup.db"
        self._admitted = folder / "server.admitted"
        self._former: list[Epoch] = []
        self._ended: list[int] = []
        """For each of those, how many sessions had been admitted when it ended."""
        self._made_in = 0
        """The number of the history in which the backup was made."""
        self._base: dict[str, int] = {}
        self._parent: Epoch | None = None
        self._rights = NO_RIGHTS
        """What the backup has of these, if it was restored."""
        self._began = 0
        self._cost = 0
        """Events in the backup."""
        self.violations: list[Violation] = []
        """Where a log, as it is read, does not begin with its backup."""

    def affordable(self) -> bool:
        """Whether there is one, and enough was said since the last time one was restored.

        Everyone fetches all of it anew. So the log has to grow by half of it in between, or
        a long run would do little else.
        """
        if not self._backup.exists():
            return False
        with suppress(sqlite3.Error), reading(self._database) as database:
            return 2 * (_size(database) - sum(self._base.values())) >= self._cost
        return False

    def make(self) -> None:
        """A copy as of now, whether the server runs or not. Raises sqlite3.Error."""
        self._backup.unlink(missing_ok=True)
        with reading(self._database) as source, closing(sqlite3.connect(self._backup)) as copy:
            source.backup(copy)
            self._cost = _size(copy)
            self._made_in = len(self._former)

    def restore(self, *, new_epoch: bool = True) -> None:
        """Put the backup in the place of the database; the server must not be running."""
        now = time.monotonic_ns()
        self._former.append(self._read(now))
        self._began = now
        self._ended.append(len(self._sessions()))
        with reading(self._backup) as backup:
            self._rights = read_rights(backup)
            self._base = {room: head or 0 for room, head in backup.execute(_HEADS)}
        self._parent = self._former[self._made_in]
        for ending in ("", "-wal", "-shm"):
            self._database.with_name(self._database.name + ending).unlink(missing_ok=True)
        self._database.touch(PRIVATE_FILE)
        self._database.write_bytes(self._backup.read_bytes())
        if not new_epoch:
            return
        with closing(sqlite3.connect(self._database)) as restored, restored:
            change = "UPDATE meta SET value = ? WHERE key = 'epoch'"
            restored.execute(change, (secrets.token_hex(16),))

    def epochs(self) -> list[Epoch]:
        """All histories, the last one read now."""
        return [*self._former, self._read()]

    def sessions(self, epochs: Sequence[Epoch]) -> dict[str, str]:
        """In which of all histories each session was admitted: its name."""
        admitted = self._sessions()
        bounds = [0, *self._ended, len(admitted)]
        return {
            session: epoch.name
            for epoch, begin, end in zip(epochs, bounds[:-1], bounds[1:], strict=True)
            for session in admitted[begin:end]
        }

    def _sessions(self) -> list[str]:
        return self._admitted.read_text().split() if self._admitted.exists() else []

    def _read(self, ended: float = math.inf) -> Epoch:
        with reading(self._database) as database:
            (name,) = database.execute(_EPOCH).fetchone()
            members: dict[str, set[str]] = defaultdict(set)
            for room, username in database.execute(_MEMBERS):
                members[room].add(username)
            tail = list(self._new(database))
            after = read_rights(database)
            audit = read_audit(database, self._rights.last_entry)
        earlier = sum(wire_name(epoch.name) == name for epoch in self._former)
        if earlier:
            name = f"{name}#{earlier + 1}"
        moderated = Moderated(self._rights, after, audit, self._began, ended)
        return Epoch(name, tail, members, self._parent, self._base, moderated)

    def _new(self, database: sqlite3.Connection) -> Iterator[Event]:
        """What came after the backup; what came before must be as it was."""
        for room, seq, kind, sender, sent_at, cid, body in database.execute(_LOG):
            event = kept(Event(room, seq, kind, sender, sent_at, cid, json.loads(body)))
            if event.seq > self._base.get(event.room, 0):
                yield event
            elif self._parent is None or self._parent.at(event.room, event.seq) != event:
                detail = "it was not so before the backup was restored"
                self.violations.append(
                    Violation(Kind.DISAGREES, "server", event.room, event.seq, detail)
                )
