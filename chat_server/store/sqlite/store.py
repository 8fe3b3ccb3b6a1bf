"""The writer: the hub's own connection."""

import json
import secrets
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar

from chat_server.rules.directory import Account, Device, Directory, RoomLog
from chat_server.rules.issued_invites import STANDING, InviteKind, IssuedInvite, secret_hash
from chat_server.rules.roles import Role
from chat_server.rules.sanctions import Sanction, SanctionKind
from chat_server.store.reserve import Reserve
from chat_server.store.sqlite.errors import failed
from chat_server.store.sqlite.schema import connect_again, connect_writer
from chat_server.store.store import StoreBusyError, StoreUnreadableError
from common.protocol.events import REMOVED, WITHOUT_TEXT, Event
from common.protocol.fast_encode import body_json
from common.system.database import Folding, sql_list

_ROWS_AT_ONCE: Final = (256, 64, 16, 4, 1)
"""Rows per statement: few sizes, so that all stay prepared.

Each statement releases the GIL and has to get it back, which under load costs more than what the
statement does: one per row is slower. With a size for every number of rows they would evict each
other from the cache of prepared statements.
"""
_INTO: Final = "INSERT INTO events (room, seq, kind, sender, sent_at, cid, body) VALUES "
_APPEND: Final = {
    rows: _INTO + ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * rows) for rows in _ROWS_AT_ONCE
}
_FOUND: Final = (
    "SELECT accounts.number, username, rooms.room, seq, kind, sent_at, events.cid, body"
    # CROSS JOIN keeps the order: each of those asked for is looked up in the index, and the
    # names only of what is found.
    " FROM asked CROSS JOIN events ON events.sender = asked.sender AND events.cid = asked.cid"
    " CROSS JOIN rooms ON rooms.number = events.room"
    " CROSS JOIN accounts ON accounts.number = events.sender"
)
_RECALL: Final = {
    rows: "WITH asked (sender, cid) AS (VALUES " + ", ".join(["(?, ?)"] * rows) + f") {_FOUND}"
    for rows in _ROWS_AT_ONCE
}
_STORED_AT: Final = (
    "SELECT events.room, cid FROM asked"
    " CROSS JOIN events ON events.room = asked.room AND events.seq = asked.seq"
)
_CIDS: Final = {
    rows: "WITH asked (room, seq) AS (VALUES " + ", ".join(["(?, ?)"] * rows) + f") {_STORED_AT}"
    for rows in _ROWS_AT_ONCE
}


_ERASED_AT_ONCE: Final = 500
"""Events of a deleted account whose texts are removed in one transaction."""
_LOOKED_AT_ONCE: Final = 10_000
"""Events that are looked at for these: there is no index by sender, which every message would pay
for."""
_WITH_TEXT: Final = (
    f"rowid > ? AND rowid <= ? AND sender = ? AND kind NOT IN ({sql_list(WITHOUT_TEXT)})"
)
_TO_ERASE: Final = f"SELECT rowid FROM events WHERE {_WITH_TEXT} ORDER BY rowid LIMIT ?"  # noqa: S608 - constants
_ERASE: Final = f"UPDATE events SET kind = '{REMOVED}', body = '{{}}' WHERE {_WITH_TEXT}"  # noqa: S608 - constants
_EventRow = tuple[int, int, str, int, int, str, str]
"""Room, seq, kind, sender, time, cid, body: as the table has them."""
_Row = TypeVar("_Row", bound=tuple[object, ...])


class SqliteStore:
    """A Store. Used by one thread at a time; see docs/architecture.md."""

    def __init__(self, path: Path) -> None:
        """Open or make the database. Raises StoreUnusableError."""
        self._path = path
        self._connection = connect_writer(path)
        self._unwritten: list[_EventRow] = []
        """Rows of events that are yet to be written in this transaction."""
        self._mark = 0
        """Number of these rows before the current command."""
        self._command_wrote = False
        """Whether the current command has written to the database already."""
        self._within = False
        """Whether a transaction is open."""
        self._said: dict[tuple[int, str], Event | None] = {}
        """Cache of this transaction: the event of an id, or None if it was not used."""
        self._folding = Folding()
        """Empties the write-ahead log of texts that were removed for good."""
        self._reserve = Reserve(path.with_name("reserve"))

    def close(self) -> None:
        """The last connection to close: it folds the write-ahead log into the database."""
        self._reserve.release()
        with suppress(sqlite3.Error):
            self._connection.close()

    def reopen(self, epoch: str) -> None:
        """Open the database anew, outside of a transaction.

        After a disk was disconnected, the files of the old connection can't be used any more.
        Raises StoreFailedError, also when the database is gone or is not the one with this epoch;
        the old connection then stays.
        """
        try:
            connection = connect_again(self._path)
            try:
                _check_epoch(connection, epoch)
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise failed(error) from error
        with suppress(sqlite3.Error):
            self._connection.close()
        self._connection = connection

    def release_reserve(self) -> None:
        """Free the reserve, and checkpoint the write-ahead log with the space that gives."""
        self._reserve.release()
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def has_space(self) -> bool:
        """Whether the disk has space for the reserve and more; allocates the reserve then."""
        return self._reserve.hold()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk at its end. Raises StoreFailedError with nothing changed."""
        self._forget()
        if self._connection.in_transaction:
            # One whose ROLLBACK failed, too: until it is over, no other can begin.
            self._execute("ROLLBACK")
        self._execute("BEGIN IMMEDIATE")
        self._within = True
        try:
            yield
            self._write()
            self._execute("COMMIT")
            self._folding.committed(self._connection)
        except BaseException:
            # A failed COMMIT may have rolled back already (SQLite, "Response To Errors").
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
            raise
        finally:
            self._within = False
            self._forget()

    def begin_command(self) -> None:
        """What is noted from here on is the next command's."""
        self._mark = len(self._unwritten)
        self._command_wrote = False

    def undo_command(self) -> bool:
        """Forget what the command noted; False when some of it is in the transaction already."""
        if self._command_wrote:
            return False
        for _, _, _, sender, _, cid, _ in self._unwritten[self._mark :]:
            self._said.pop((sender, cid), None)
        del self._unwritten[self._mark :]
        return True

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Several writes of one command: all of them or none, within the batch's transaction."""
        self._write()
        self._execute("SAVEPOINT command")
        wrote = self._command_wrote
        try:
            yield
            self._write()
        except BaseException:
            self._forget()
            self._command_wrote = wrote
            # Where the error ended the whole transaction, there is no savepoint any more.
            if self._connection.in_transaction:
                self._execute("ROLLBACK TO command")
                self._execute("RELEASE command")
            raise
        self._execute("RELEASE command")
        self._command_wrote = True

    def meta(self, key: str, default: str) -> str:
        """A durable setting, written with `default` when there is none yet."""
        self._change(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING", (key, default)
        )
        [(value,)] = self._query("SELECT value FROM meta WHERE key = ?", (key,))
        return str(value)

    def set_meta(self, key: str, value: str) -> None:
        """Change a durable setting."""
        self._change(
            "INSERT INTO meta (key, value) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def epoch(self) -> str:
        """This database's own random name; a client that knows another one starts over."""
        return self.meta("epoch", secrets.token_hex(16))

    def invite_secret(self, now: int) -> str:
        """The secret of the standing invite: 128 random bits, base64url (RFC 4648)."""
        secret = self.meta("invite_secret", secrets.token_urlsafe(16))
        if not self._query("SELECT 1 FROM invites WHERE number = ?", (STANDING,)):
            kind = InviteKind.LINK
            self._insert_invite(IssuedInvite(STANDING, secret_hash(secret), kind, now), STANDING)
        return secret

    def load(self) -> Directory:
        """Everything durable but the events."""
        self._write()
        directory = Directory()
        usernames: dict[int, str] = {}
        rooms: dict[int, RoomLog] = {}
        for number, username, display_name, change, role, deleted_at, erasing in self._query(
            "SELECT number, username, display_name, change, role, deleted_at, erasing FROM accounts"
            " ORDER BY change"
        ):
            usernames[number] = username
            former, erased = deleted_at is not None, erasing is not None
            directory.add_account(
                Account(number, username, display_name, change, Role(role), former, erased)
            )
            if erasing:
                directory.move_erasing(username, 0)
        past = self._query("SELECT change FROM former_changes")
        directory.former_changes = {change for (change,) in past}
        for token_hash, account, *device in self._query(
            "SELECT token_hash, account, installation, name, created_at, invite, last_seen"
            " FROM devices"
        ):
            directory.add_device(token_hash, Device(usernames[account], *device))
        for number, hashed, kind, created, by, role, account, *terms in self._query(
            "SELECT number, secret_hash, kind, created_at, creator, role, account,"
            " note, expires_at, most_uses, uses, ended_at FROM invites"
        ):
            issuer, owner = (None if each is None else usernames[each] for each in (by, account))
            directory.put_invite(
                IssuedInvite(
                    number, hashed, InviteKind(kind), created, issuer, Role(role), owner, *terms
                )
            )
        for number, kind, account, installations, *rest in self._query(
            "SELECT number, kind, account, installations, device, until, reason, actor, at"
            " FROM sanctions"
        ):
            username = None if account is None else usernames[account]
            known = frozenset(json.loads(installations))
            directory.add_sanction(Sanction(number, SanctionKind(kind), username, known, *rest))
        for number, room, head, slow in self._query(
            "SELECT number, room, (SELECT max(seq) FROM events WHERE room = number), slow"
            " FROM rooms"
        ):
            rooms[number] = RoomLog(number, room, head or 0, set(), head or 0, slow)
            directory.add_room(rooms[number])
        for room_number, account in self._query("SELECT room, account FROM members"):
            directory.enter(rooms[room_number], usernames[account])
        directory.commit()
        return directory

    def add_account(
        self, username: str, display_name: str, change: int, now: int, role: Role = Role.MEMBER
    ) -> Account:
        """A new account."""
        cursor = self._change(
            "INSERT INTO accounts (username, display_name, change, created_at, role)"
            " VALUES (?, ?, ?, ?, ?)",
            (username, display_name, change, now, role),
        )
        return Account(cursor.lastrowid or 0, username, display_name, change, role)

    def change_account(self, account: Account) -> None:
        """An account is otherwise now, by the number of its change."""
        self._change(
            "INSERT INTO former_changes SELECT change FROM accounts WHERE number = ?",
            (account.number,),
        )
        self._change(
            "UPDATE accounts SET display_name = ?, role = ?, change = ? WHERE number = ?",
            (account.display_name, account.role, account.change, account.number),
        )

    def delete_account(self, account: Account, now: int) -> None:
        """An account was deleted, and is this from now on."""
        self.change_account(account)
        self._change(
            "UPDATE accounts SET deleted_at = ?, erasing = ? WHERE number = ?",
            (now, 1 if account.erased else None, account.number),
        )
        self._change("UPDATE devices SET name = '' WHERE account = ?", (account.number,))

    def erase(self, account: Account, after: int) -> int | None:
        """Remove some of an account's texts, of the rows after the one with this `rowid`.

        A step looks at so few rows, and changes so few, that others wait for some milliseconds.
        """
        self._write()
        found = self._query(
            _TO_ERASE, (after, after + _LOOKED_AT_ONCE, account.number, _ERASED_AT_ONCE)
        )
        full = len(found) == _ERASED_AT_ONCE
        to = found[-1][0] if full else after + _LOOKED_AT_ONCE
        self._change(_ERASE, (after, to, account.number))
        [(last,)] = self._query("SELECT max(rowid) FROM events", ())
        if to < (last or 0):
            return int(to)
        self._change("UPDATE accounts SET erasing = 0 WHERE number = ?", (account.number,))
        self._folding.ask()
        return None

    def add_device(self, account: Account, token_hash: bytes, device: Device) -> None:
        """A device that may sign in to an account."""
        self._change(
            "INSERT INTO devices"
            " (token_hash, account, name, installation, created_at, invite, last_seen)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                token_hash,
                account.number,
                device.name,
                device.installation,
                device.created,
                device.invite,
                device.last_seen,
            ),
        )

    def remove_device(self, token_hash: bytes) -> None:
        """A device may not sign in any more."""
        self._change("DELETE FROM devices WHERE token_hash = ?", (token_hash,))

    def save_seen(self, devices: Mapping[bytes, Device]) -> None:
        """When these devices were seen last, and what they are called now."""
        for key, device in devices.items():
            self._change(
                "UPDATE devices SET last_seen = ?, name = ? WHERE token_hash = ?",
                (device.last_seen, device.name, key),
            )

    def add_invite(self, invite: IssuedInvite) -> IssuedInvite:
        """An invite, with the number that it has from now on."""
        return replace(invite, number=self._insert_invite(invite))

    def change_invite(self, invite: IssuedInvite) -> None:
        """It was used or revoked, or the standing one has another secret."""
        self._change(
            "UPDATE invites SET secret_hash = ?, created_at = ?, uses = ?, ended_at = ?"
            " WHERE number = ?",
            (invite.secret_hash, invite.created, invite.uses, invite.ended_at, invite.number),
        )

    def remove_invite(self, invite: IssuedInvite) -> None:
        """It ended long ago."""
        self._change("DELETE FROM invites WHERE number = ?", (invite.number,))

    def _insert_invite(self, invite: IssuedInvite, number: int | None = None) -> int:
        cursor = self._change(
            "INSERT INTO invites (number, secret_hash, kind, created_at, creator, role, account,"
            " note, expires_at, most_uses, uses, ended_at) VALUES"
            " (?, ?, ?, ?, (SELECT number FROM accounts WHERE username = ?), ?,"
            " (SELECT number FROM accounts WHERE username = ?), ?, ?, ?, ?, ?)",
            (
                number,
                invite.secret_hash,
                invite.kind,
                invite.created,
                invite.by,
                invite.role,
                invite.username,
                invite.note,
                invite.expires,
                invite.most_uses,
                invite.uses,
                invite.ended_at,
            ),
        )
        return cursor.lastrowid or 0

    def add_sanction(self, sanction: Sanction) -> Sanction:
        """A ban or a mute, with the number that it has from now on."""
        cursor = self._change(
            "INSERT INTO sanctions"
            " (kind, account, installations, device, until, reason, actor, at) VALUES"
            " (?, (SELECT number FROM accounts WHERE username = ?), ?, ?, ?, ?, ?, ?)",
            (
                sanction.kind,
                sanction.username,
                json.dumps(sorted(sanction.installations)),
                sanction.device,
                sanction.until,
                sanction.reason,
                sanction.by,
                sanction.at,
            ),
        )
        return replace(sanction, number=cursor.lastrowid or 0)

    def remove_sanction(self, sanction: Sanction) -> None:
        """It is lifted, or has ended."""
        self._change("DELETE FROM sanctions WHERE number = ?", (sanction.number,))

    def add_audit(self, at: int, by: str, action: str, fields: Mapping[str, Any]) -> None:
        """Something was done, at a time in milliseconds since 1970-01-01 UTC."""
        self._change(
            "INSERT INTO audit (at, actor, action, fields) VALUES (?, ?, ?, ?)",
            (at, by, action, json.dumps(fields, ensure_ascii=False)),
        )

    def add_room(self, room: str, now: int) -> RoomLog:
        """A new, empty room."""
        cursor = self._change("INSERT INTO rooms (room, created_at) VALUES (?, ?)", (room, now))
        return RoomLog(cursor.lastrowid or 0, room, 0, set())

    def set_slow(self, room: RoomLog, seconds: int) -> None:
        """Change a room's slow mode."""
        self._change("UPDATE rooms SET slow = ? WHERE number = ?", (seconds, room.number))

    def add_member(self, room: RoomLog, account: Account) -> None:
        """Let an account into a room."""
        self._change(
            "INSERT INTO members (room, account) VALUES (?, ?)", (room.number, account.number)
        )

    def recall(self, ids: Collection[tuple[Account, str]]) -> None:
        """Look up at once what `append` would look up one by one."""
        asked = dict.fromkeys([(account.number, cid) for account, cid in ids])
        self._said.update(asked)
        for some in _portions(list(asked)):
            found = self._query(_RECALL[len(some)], list(chain.from_iterable(some)))
            for number, username, room, seq, kind, sent_at, cid, body in found:
                event = Event(room, seq, kind, username, sent_at, cid, json.loads(body))
                self._said[number, cid] = event

    def append(self, room: RoomLog, event: Event, sender: Account) -> Event | None:
        """Note the room's next event; or nothing, and give what its `cid` was said with before.

        It is written with others, at the end of the transaction at the latest, which fails if
        there is an event in that place: the primary key refuses.
        """
        _, seq, kind, _, sent_at, cid, body = event
        key = (sender.number, cid)
        said = self._said[key] if key in self._said else self.find(sender, cid)
        if said is not None:
            return said
        self._said[key] = event
        row = (room.number, seq, kind, sender.number, sent_at, cid, body_json(body))
        self._unwritten.append(row)
        return None

    def find(self, sender: Account, cid: str) -> Event | None:
        """The event a sender already added under this id."""
        key = (sender.number, cid)
        if key not in self._said:
            if self._connection.in_transaction and not self._within:
                # One whose ROLLBACK failed: what it wrote may still be rolled back.
                raise StoreBusyError("a transaction that failed is not over yet")
            self.recall([(sender, cid)])
        return self._said[key]

    def cids(self, places: Collection[tuple[RoomLog, int]]) -> dict[str, str]:
        """By room, the `cid` of what is written in these places, at most one of each room.

        It needs no transaction. A place that is empty, or whose event waits to be written with
        others, is left out.
        """
        rooms = {log.number: log.room for log, _ in places}
        cids: dict[str, str] = {}
        for some in _portions([(log.number, seq) for log, seq in places]):
            for number, cid in self._query(_CIDS[len(some)], list(chain.from_iterable(some))):
                cids[rooms[number]] = cid
        return cids

    def _change(self, statement: str, values: Sequence[Any]) -> sqlite3.Cursor:
        """Write at once: from then on it can't be told apart from what others wrote."""
        self._command_wrote = True
        return self._execute(statement, values)

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise failed(error) from error

    def _query(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows. Reading them can fail, too."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise failed(error) from error

    def _forget(self) -> None:
        """A transaction or a part of it begins or is undone: nothing is known or noted."""
        self._unwritten.clear()
        self._mark = 0
        self._said.clear()

    def _write(self) -> None:
        """Write the events that were noted."""
        rows, self._unwritten = self._unwritten, []
        self._command_wrote = self._command_wrote or len(rows) > self._mark
        self._mark = 0
        for some in _portions(rows):
            self._execute(_APPEND[len(some)], list(chain.from_iterable(some)))


def _check_epoch(connection: sqlite3.Connection, epoch: str) -> None:
    found = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    if found != (epoch,):
        raise StoreUnreadableError("another database is in its place")


def _portions(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    """All rows in their order, as many at once as there is a statement for."""
    start = 0
    for size in _ROWS_AT_ONCE:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size
