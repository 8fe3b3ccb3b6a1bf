"""The schema of the server's database, its history, and the migration of older ones.

`PRAGMA user_version` counts the migrations applied. They only go forward, each database is
copied before its first one, and a database from a newer program is refused untouched.
"""

import logging
import os
import shutil
import sqlite3
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from chat_server.store.sqlite.errors import unusable
from chat_server.store.store import StoreUnusableError
from common.system.database import make_durable, migrate, overwrite_deleted
from common.system.private_files import NO_LINK, PRIVATE_FILE

log = logging.getLogger(__name__)

APPLICATION_ID: Final = 0x43484154
"""SQLite's application id, "CHAT", by which another program's database is recognized."""

MIGRATIONS: Final[Sequence[str]] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE accounts (
        number INTEGER PRIMARY KEY,
        username TEXT NOT NULL UNIQUE,
        display_name TEXT NOT NULL,
        created_at INTEGER NOT NULL
    );
    CREATE TABLE devices (
        token_hash BLOB PRIMARY KEY,
        account INTEGER NOT NULL REFERENCES accounts,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE rooms (
        number INTEGER PRIMARY KEY,
        room TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL
    );
    CREATE TABLE members (
        room INTEGER NOT NULL REFERENCES rooms,
        account INTEGER NOT NULL REFERENCES accounts,
        PRIMARY KEY (room, account)
    ) WITHOUT ROWID;
    CREATE TABLE events (
        room INTEGER NOT NULL REFERENCES rooms,
        seq INTEGER NOT NULL CHECK (seq > 0),
        kind TEXT NOT NULL,
        sender INTEGER NOT NULL REFERENCES accounts,
        text TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        cid BLOB,
        PRIMARY KEY (room, seq)
    );
    CREATE UNIQUE INDEX events_by_cid ON events (sender, cid) WHERE cid IS NOT NULL;
    """,
    # Ids begin with the time: in this order the new ones of all senders are on one or two pages.
    """
    DROP INDEX events_by_cid;
    CREATE UNIQUE INDEX events_by_cid ON events (cid, sender) WHERE cid IS NOT NULL;
    """,
    # The body of an event depends on its kind. Each event has an id, of 64 bits; of former ids the
    # last 64 bits remain, which are random.
    """
    CREATE TABLE new_events (
        room INTEGER NOT NULL REFERENCES rooms,
        seq INTEGER NOT NULL CHECK (seq > 0),
        kind TEXT NOT NULL,
        sender INTEGER NOT NULL REFERENCES accounts,
        sent_at INTEGER NOT NULL,
        cid TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (room, seq)
    );
    INSERT INTO new_events
        SELECT room, seq, kind, sender, sent_at,
            substr(lower(hex(coalesce(cid, randomblob(8)))), -16),
            CASE kind WHEN 'message' THEN json_object('text', text) ELSE '{}' END
        FROM events ORDER BY rowid;
    DROP TABLE events;
    ALTER TABLE new_events RENAME TO events;
    -- Ids that a client chose to be the same in their last 64 bits.
    UPDATE events SET cid = lower(hex(randomblob(8))) WHERE (cid, sender) IN
        (SELECT cid, sender FROM events GROUP BY cid, sender HAVING count(*) > 1);
    CREATE UNIQUE INDEX events_by_cid ON events (cid, sender);
    ALTER TABLE accounts ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
    UPDATE accounts SET change = number;
    """,
    # Roles, bans, mutes, and the audit log. The numbers of former changes are kept: a client that
    # reports one of them has a copy of this history.
    """
    ALTER TABLE accounts ADD COLUMN role INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE devices ADD COLUMN installation TEXT;
    CREATE TABLE former_changes (change INTEGER PRIMARY KEY);
    CREATE TABLE sanctions (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        account INTEGER REFERENCES accounts,
        installations TEXT NOT NULL,
        device TEXT,
        until INTEGER,
        reason TEXT NOT NULL,
        actor TEXT NOT NULL,
        at INTEGER NOT NULL
    );
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        fields TEXT NOT NULL
    );
    """,
    # Invites other than the standing one, of which no secret is stored but its hash. Number 0 is
    # the standing one, whose secret stays in `meta`: it is shown again. A device's invite may have
    # been deleted since.
    #
    # Deleted accounts: `erasing` is NULL if an account's messages stay, 1 while they are being
    # removed, 0 when that is done.
    """
    CREATE TABLE invites (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        secret_hash BLOB NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        creator INTEGER REFERENCES accounts,
        role INTEGER NOT NULL,
        account INTEGER REFERENCES accounts,
        note TEXT NOT NULL,
        expires_at INTEGER,
        most_uses INTEGER,
        uses INTEGER NOT NULL,
        ended_at INTEGER
    );
    ALTER TABLE devices ADD COLUMN last_seen INTEGER;
    ALTER TABLE devices ADD COLUMN invite INTEGER;
    ALTER TABLE accounts ADD COLUMN deleted_at INTEGER;
    ALTER TABLE accounts ADD COLUMN erasing INTEGER;
    ALTER TABLE rooms ADD COLUMN slow INTEGER NOT NULL DEFAULT 0;
    """,
)


_REWRITES: Final = {3: 3}
"""Number of a migration that rewrites the log → the space that it takes meanwhile, as a multiple
of the database's size, beside the backup (measured: 2.7; 6.9 for texts of quotation marks)."""
_PROGRESS: Final = 10.0
"""Seconds between two log lines about the progress of a migration."""
_LOOK: Final = 1_000_000
"""Instructions of SQLite's virtual machine between checks of the clock: tens of milliseconds."""


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open the one connection that writes; the database is migrated to the current format.

    Raises StoreUnusableError if the file is not this program's database, is damaged, unreadable, or
    of a newer version; it is unchanged then.
    """
    try:
        # It contains messages, so it is created with mode 0600, not changed to it afterwards.
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | NO_LINK, PRIVATE_FILE))
        _check_room(path, _look_at_header(path))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            version = _version(connection, path)
            _configure(connection)
            _migrate(connection, path, version)
            _keep_journals_in_memory(connection)
            overwrite_deleted(connection)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise unusable(path, error) from error
    return connection


def _check_room(path: Path, version: int) -> None:
    """Check the free space for the migrations. Raises StoreUnusableError, OSError."""
    if not 0 < version < len(MIGRATIONS):
        return
    steps = range(version + 1, len(MIGRATIONS) + 1)
    need = _size(path) * (1 + sum(_REWRITES.get(step, 0) for step in steps))
    free = shutil.disk_usage(path.parent).free
    if free < need:
        raise StoreUnusableError(
            f"the database {path} has to be brought to the form of this version, which takes about "
            f"{_megabytes(need)} for a while, and its disk has {_megabytes(free)} left; make room "
            "and start again. Nothing was changed"
        )


def _migrate(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Migrate to the current format, logging the progress: a large database takes minutes."""
    if not 0 < version < len(MIGRATIONS):
        migrate(connection, path, version, MIGRATIONS, APPLICATION_ID)
        return
    log.info(
        "bringing %s (%s) from format %d to %d; a copy of it stays beside it",
        path, _megabytes(_size(path)), version, len(MIGRATIONS),
    )  # fmt: skip
    begun = time.monotonic()
    connection.set_progress_handler(_progress(path, begun), _LOOK)
    try:
        migrate(connection, path, version, MIGRATIONS, APPLICATION_ID)
    finally:
        connection.set_progress_handler(None, 0)
    # Otherwise the WAL keeps the size of all that was written until the server stops.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (free,) = connection.execute(
        "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size"
    ).fetchone()
    log.info(
        "%s has format %d now, after %.1f s: %s, of which %s are free for what comes",
        path, len(MIGRATIONS), time.monotonic() - begun, _megabytes(_size(path)), _megabytes(free),
    )  # fmt: skip


def _progress(path: Path, begun: float) -> Callable[[], int]:
    """A progress handler for SQLite that logs the size so far every `_PROGRESS` seconds."""
    told = begun

    def look() -> int:
        nonlocal told
        now = time.monotonic()
        if now - told >= _PROGRESS:
            told = now
            log.info("migrating for %.0f s: %s so far", now - begun, _megabytes(_size(path)))
        return 0  # continue

    return look


def _size(path: Path) -> int:
    """Bytes of the database and its write-ahead log."""
    size = path.stat().st_size
    try:
        return size + path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        return size


def _megabytes(size: int) -> str:
    return f"{max(1, round(size / 1e6))} MB"


def connect_again(path: Path) -> sqlite3.Connection:
    """Another connection that writes, to a database that `connect_writer` has opened before.

    Raises sqlite3.Error. A missing file is not created, and only SQLite opens files: closing
    another descriptor would release the locks of its other connections in this process (POSIX).
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        _configure(connection)
        _keep_journals_in_memory(connection)
        overwrite_deleted(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    make_durable(connection)  # an acknowledged message survives a power failure
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -16384")


def _keep_journals_in_memory(connection: sqlite3.Connection) -> None:
    """Keep statement journals in memory: otherwise each statement of several rows creates a file.

    Not before a migration: sorting a new index uses the same storage, and may not fit in memory.
    """
    connection.execute("PRAGMA temp_store = MEMORY")


def _look_at_header(path: Path) -> int:
    """Check the file's header before SQLite opens it, which would leave files beside it.

    Returns its format, 0 if unknown. Raises StoreUnusableError if the database is foreign.

    The offsets are those of the SQLite file format, §1.3: the user version at 60, the application
    id at 68. A new database, with neither, is checked after it is opened.
    """
    with path.open("rb") as file:
        header = file.read(100)
    if not header:
        return 0
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise StoreUnusableError(f"{path} is not a ChatServer database; choose another --data-dir")
    version, application = struct.unpack(">I4xI", header[60:72])
    if (version, application) != (0, 0):
        _check(version, application, path)
    return int(version)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The format of an open database; 0 for a new one. Raises StoreUnusableError if foreign."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    # A first start that was interrupted leaves an empty database, which is initialized again.
    if tables or version or application:
        _check(version, application, path)
    return int(version)


def _check(version: int, application: int, path: Path) -> None:
    if application != APPLICATION_ID:
        raise StoreUnusableError(f"{path} is not a ChatServer database; choose another --data-dir")
    if version > len(MIGRATIONS):
        raise StoreUnusableError(
            f"{path} was made by a newer ChatServer (format {version}, this one knows "
            f"{len(MIGRATIONS)}); install that version. Nothing was changed"
        )
