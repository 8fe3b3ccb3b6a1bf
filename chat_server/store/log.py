"""The log: the hub's own connection, which alone writes."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from chat_server.rules.directory import Account, Directory, RoomLog, StoredEvent
from chat_server.store.reserve import Reserve
from chat_server.store.schema import connect_writer

_APPEND: Final = (
    "INSERT INTO events (room, seq, kind, sender, text, sent_at, cid) VALUES (?, ?, ?, ?, ?, ?, ?)"
    # One look into the index does for both: whether it was said before, and noting that it is now.
    " ON CONFLICT (sender, cid) WHERE cid IS NOT NULL DO NOTHING"
)
_FIND: Final = (
    "SELECT rooms.room, seq, kind, text, sent_at FROM events"
    " JOIN rooms ON rooms.number = events.room WHERE sender = ? AND cid = ?"
)


class SqliteLog:
    """Writes everything durable. Used by one thread at a time; see docs/architecture.md."""

    def __init__(self, path: Path) -> None:
        """Open or make the database. Raises StoreError."""
        self._connection = connect_writer(path)
        self._reserve = Reserve(path.with_name("reserve"))

    def close(self) -> None:
        """The last connection to close: it folds the write-ahead log into the database."""
        self._reserve.release()
        self._connection.close()

    def give_way(self) -> None:
        """The disk is full: give up the reserve, and fold the log into the database with it."""
        self._reserve.release()
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def has_room(self) -> bool:
        """Whether there is room on the disk, for the reserve and for more; it is held from then."""
        return self._reserve.hold()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk at its end. Raises sqlite3.Error with nothing changed."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # A failed COMMIT may have rolled back already (SQLite, "Response To Errors").
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Several writes of one command: all of them or none, within the batch's transaction."""
        self._connection.execute("SAVEPOINT command")
        try:
            yield
        except BaseException:
            # Where the error ended the whole transaction, there is no savepoint any more.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO command")
                self._connection.execute("RELEASE command")
            raise
        self._connection.execute("RELEASE command")

    def meta(self, key: str, default: str) -> str:
        """A durable setting, written with `default` when there is none yet."""
        self._connection.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING", (key, default)
        )
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Change a durable setting."""
        self._connection.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def epoch(self) -> str:
        """This database's own random name; a client that knows another one starts over."""
        return self.meta("epoch", secrets.token_hex(16))

    def invite_secret(self) -> str:
        """What lets newcomers in: 128 random bits, base64url."""
        return self.meta("invite_secret", secrets.token_urlsafe(16))

    def load(self) -> Directory:
        """Everything durable but the events."""
        directory = Directory()
        usernames: dict[int, str] = {}
        rooms: dict[int, RoomLog] = {}
        for number, username, display_name in self._connection.execute(
            "SELECT number, username, display_name FROM accounts"
        ):
            usernames[number] = username
            directory.accounts[username] = Account(number, username, display_name)
        for token_hash, account in self._connection.execute(
            "SELECT token_hash, account FROM devices"
        ):
            directory.devices[token_hash] = usernames[account]
        for number, room, head in self._connection.execute(
            "SELECT number, room, (SELECT max(seq) FROM events WHERE room = number) FROM rooms"
        ):
            rooms[number] = directory.rooms[room] = RoomLog(number, room, head or 0, set())
        for room_number, account in self._connection.execute("SELECT room, account FROM members"):
            directory.enter(rooms[room_number], usernames[account])
        return directory

    def add_account(self, username: str, display_name: str, now: int) -> Account:
        """A new account."""
        cursor = self._connection.execute(
            "INSERT INTO accounts (username, display_name, created_at) VALUES (?, ?, ?)",
            (username, display_name, now),
        )
        return Account(cursor.lastrowid or 0, username, display_name)

    def add_device(self, account: Account, token_hash: bytes, name: str, now: int) -> None:
        """A device that may sign in to an account."""
        self._connection.execute(
            "INSERT INTO devices (token_hash, account, name, created_at) VALUES (?, ?, ?, ?)",
            (token_hash, account.number, name, now),
        )

    def add_room(self, room: str, now: int) -> RoomLog:
        """A new, empty room."""
        cursor = self._connection.execute(
            "INSERT INTO rooms (room, created_at) VALUES (?, ?)", (room, now)
        )
        return RoomLog(cursor.lastrowid or 0, room, 0, set())

    def add_member(self, room: RoomLog, account: Account) -> None:
        """Let an account into a room."""
        self._connection.execute(
            "INSERT INTO members (room, account) VALUES (?, ?)", (room.number, account.number)
        )

    def append(self, room: RoomLog, event: StoredEvent, sender: Account) -> StoredEvent | None:
        """Write the room's next event; or nothing, and give what its `cid` was said with before.

        Raises sqlite3.Error, also when there is an event in that place: the primary key refuses.
        """
        _, seq, kind, _, text, sent_at, cid = event
        key = None if cid is None else bytes.fromhex(cid)
        written = self._connection.execute(
            _APPEND, (room.number, seq, kind, sender.number, text, sent_at, key)
        )
        return None if written.rowcount or cid is None else self.find(sender, cid)

    def find(self, sender: Account, cid: str) -> StoredEvent | None:
        """The message a sender already said under this id."""
        row = self._connection.execute(_FIND, (sender.number, bytes.fromhex(cid))).fetchone()
        if row is None:
            return None
        room, seq, kind, text, sent_at = row
        return StoredEvent(room, seq, kind, sender.username, text, sent_at, cid)
