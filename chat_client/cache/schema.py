"""The schema of the cache's database, and the migrations from older ones.

The cache can be fetched again from the server, the outbox can not: so it is treated as data
like any other, backed up before a migration and refused untouched when it is newer.
"""

import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chat_client.cache.errors import CacheError
from common.system.database import make_durable, migrate, overwrite_deleted
from common.system.private_files import NO_LINK, PRIVATE_FILE

_LEAST_ROOM: Final = 128 * 1024
"""Bytes that SQLite needs for files beside an open database (its WAL and shared memory)."""
APPLICATION_ID: Final = 0x43484143
MIGRATIONS: Final[Sequence[str]] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE people (
        username TEXT PRIMARY KEY,
        display_name TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE rooms (
        room TEXT PRIMARY KEY,
        position INTEGER NOT NULL DEFAULT 0,
        read INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
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
    CREATE TABLE outbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        room TEXT NOT NULL,
        cid TEXT NOT NULL UNIQUE,
        text TEXT NOT NULL,
        written_at INTEGER NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT ''
    );
    """,
    """
    CREATE TABLE drafts (room TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
    """,
    # An event's id is shorter, the last 64 bits of the former one; some had none, and the server
    # has assigned them one since. `body` is the part of an event's body that is understood, and
    # `came` is the whole body as it was received where that is more: both as JSON. `text` has a
    # column of its own: it is searched and drawn without parsing JSON, and most events have it
    # alone, whose `body` is NULL. (To write it there as well made a text of 100 characters cost a
    # quarter more processor time, and one of 1,000 characters three times the space.) It is ''
    # for a kind without a text, and NULL if nothing is understood.
    #
    # The outbox holds events of any kind that can be sent, no longer texts alone.
    """
    CREATE TABLE new_events (
        room TEXT NOT NULL,
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        sender TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        cid TEXT NOT NULL,
        text TEXT,
        body TEXT,
        came TEXT,
        upto INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (room, seq)
    );
    INSERT INTO new_events
        SELECT room, seq, kind, sender, sent_at, coalesce(substr(cid, -16), ''), text,
            CASE kind WHEN 'message' THEN NULL ELSE '{}' END, NULL, 0
        FROM events ORDER BY rowid;
    DROP TABLE events;
    ALTER TABLE new_events RENAME TO events;
    CREATE INDEX events_to_understand ON events (kind) WHERE came IS NOT NULL;
    CREATE TABLE spans (
        room TEXT NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (room, first)
    ) WITHOUT ROWID;
    INSERT INTO spans SELECT room, 1, position FROM rooms WHERE position > 0;
    UPDATE OR IGNORE outbox SET cid = substr(cid, -16);
    ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'message';
    ALTER TABLE outbox RENAME COLUMN text TO body;
    UPDATE outbox SET body = json_object('text', CAST(body AS TEXT));
    """,
    # Deleted accounts. `erased` has those whose messages were removed; `after` is the last row in
    # which they are removed here, and NULL once they all are. Everybody is listed again, as a
    # former version may have been told of some of them and not have noted it.
    """
    ALTER TABLE people ADD COLUMN former INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE erased (username TEXT PRIMARY KEY, after INTEGER) WITHOUT ROWID;
    DELETE FROM meta WHERE key = 'people';
    """,
)


def connect_writer(path: Path | None) -> sqlite3.Connection:
    """The one connection that writes; in memory when there is no path. Raises CacheError."""
    try:
        if path is not None and not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY | NO_LINK, PRIVATE_FILE))
        connection = sqlite3.connect(
            ":memory:" if path is None else path, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        if path is not None and _is_full(path.parent):
            # SQLite reports "disk I/O error" when it can't create the files beside the database.
            raise CacheError("this computer's disk is full; make room, and try again") from error
        raise CacheError(f"the messages in {path} can't be opened: {error}") from error
    return connection


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _LEAST_ROOM
    except OSError:
        return False


def _prepare(connection: sqlite3.Connection, path: Path | None) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    # A first start that was interrupted leaves an empty database, which is initialized again.
    if (version or tables) and application != APPLICATION_ID:
        raise CacheError(f"{path} is not ChatClient's; move it away")
    if version > len(MIGRATIONS):
        raise CacheError(f"{path} was made by a newer ChatClient; install that version")
    # What the person wrote must survive a power failure from the moment it is shown.
    make_durable(connection)
    migrate(connection, path, version, MIGRATIONS, APPLICATION_ID)
    overwrite_deleted(connection)
