"""What both programs' SQLite databases have in common: how they are migrated, and how read."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from common.datafolder import NO_LINK, PRIVATE_FILE


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that can't write and never checkpoints: only the one writer does.

    SQLite up to 3.51.2 can damage a WAL when two connections write or checkpoint.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA query_only = ON")
    return connection


def migrate(
    connection: sqlite3.Connection,
    path: Path | None,
    version: int,
    migrations: Sequence[str],
    application: int,
) -> None:
    """Bring a database of ours from format `version` (0 for a new one) to the present one.

    Forward only, each step whole or not at all, and after a copy of what was there; a database
    in memory has no `path`. Raises sqlite3.Error, OSError.
    """
    if 0 < version < len(migrations) and path is not None:
        _back_up(connection, path.with_name(f"{path.name}.before-format-{version + 1}"))
    for number in range(version, len(migrations)):
        # executescript would commit first; hence the whole step as one script of its own.
        connection.executescript(
            f"BEGIN IMMEDIATE; PRAGMA application_id = {application};"
            f"{migrations[number]}; PRAGMA user_version = {number + 1}; COMMIT;"
        )


def _back_up(connection: sqlite3.Connection, backup: Path) -> None:
    # As private as what it is a copy of, from its first byte.
    os.close(os.open(backup, os.O_CREAT | os.O_WRONLY | NO_LINK, PRIVATE_FILE))
    copy = sqlite3.connect(backup)
    try:
        connection.backup(copy)
    finally:
        copy.close()
