"""SQLite for both programs: durable and read-only connections, and migration with a backup."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from common.system.private_files import NO_LINK, PRIVATE_FILE

SYNCHRONOUS: Final = "FULL"
"""What is committed survives a loss of power (SQLite, PRAGMA synchronous)."""


def make_durable(connection: sqlite3.Connection) -> None:
    """Have a connection commit to a write-ahead log, and wait for the disk each time."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")


def connect_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection that never checkpoints: only the one writer does.

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

    Forward only, all steps or none, and after a copy of what was there, which is removed again if
    that fails; a database in memory has no `path`. Raises sqlite3.Error, OSError.
    """
    backup: Path | None = None
    if 0 < version < len(migrations) and path is not None:
        backup = path.with_name(f"{path.name}.before-format-{version + 1}")
    try:
        if backup is not None:
            _back_up(connection, backup)
        if version < len(migrations):
            # executescript would commit first; hence all of it as one script of its own.
            steps = ";".join(migrations[version:])
            connection.executescript(
                f"BEGIN IMMEDIATE; PRAGMA application_id = {application};"
                f"{steps}; PRAGMA user_version = {len(migrations)}; COMMIT;"
            )
    except BaseException:
        # The original is unchanged, and a full disk needs the space.
        if backup is not None:
            with suppress(OSError):
                backup.unlink(missing_ok=True)
        raise


def _back_up(connection: sqlite3.Connection, backup: Path) -> None:
    # As private as what it is a copy of, from its first byte.
    os.close(os.open(backup, os.O_CREAT | os.O_WRONLY | NO_LINK, PRIVATE_FILE))
    copy = sqlite3.connect(backup)
    try:
        connection.backup(copy)
    finally:
        copy.close()
