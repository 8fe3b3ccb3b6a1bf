"""SQLite for both programs: durable and read-only connections, and migration with a backup."""

import itertools
import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from common.system.private_files import NO_LINK, PRIVATE_FILE

SYNCHRONOUS: Final = "FULL"
"""Commits survive a power failure (SQLite, PRAGMA synchronous)."""


def make_durable(connection: sqlite3.Connection) -> None:
    """Use a write-ahead log, with an fsync at each commit."""
    # First: changing to the log is a transaction, too.
    connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
    connection.execute("PRAGMA journal_mode = WAL")


def sql_list(texts: Iterable[str]) -> str:
    """Texts as the list that stands behind IN: for constants, not for what somebody sends."""
    return ", ".join("'" + text.replace("'", "''") + "'" for text in sorted(texts))


def overwrite_deleted(connection: sqlite3.Connection) -> None:
    """Overwrite with zeros what is deleted from now on (SQLite, PRAGMA secure_delete).

    Not before a migration: to overwrite the former tables would take as much space again.
    """
    connection.execute("PRAGMA secure_delete = ON")


FOLD_WAIT: Final = 100
"""Milliseconds that `Folding` waits for those who read, once."""


class Folding:
    """Folds the write-ahead log into the database and empties it.

    Until then it has what was deleted. It can't while somebody reads: after a short wait that is
    left to later commits.
    """

    def __init__(self) -> None:
        self._due = self._waits = False

    def ask(self) -> None:
        """What the present transaction deletes is to be gone."""
        self._due = self._waits = True

    def committed(self, connection: sqlite3.Connection) -> None:
        """A transaction was committed: fold if that is due. Raises nothing."""
        if not self._due:
            return
        waits, self._waits = self._waits, False
        try:
            (timeout,) = connection.execute("PRAGMA busy_timeout").fetchone()
            connection.execute(f"PRAGMA busy_timeout = {FOLD_WAIT if waits else 0}")
            try:
                (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.execute(f"PRAGMA busy_timeout = {timeout}")
        except sqlite3.Error:
            return
        self._due = bool(busy)


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
    """Migrate a database from format `version` (0 for a new one) to the current one.

    Forward only, in one transaction, and after a backup, which is removed again if the migration
    fails. Backups of former migrations are left alone: somebody may have gone back to one. A
    database in memory has no `path`. Raises sqlite3.Error, OSError.
    """
    # Under this name until the migration is committed: no copy that is not whole has the other.
    part = None if path is None else path.with_name(f"{path.name}.before-format.part")
    try:
        if part is not None and 0 < version < len(migrations):
            _back_up(connection, part)
        if version < len(migrations):
            run_migrations(connection, version, migrations, application)
    except BaseException:
        # The original is unchanged, and a full disk needs the space.
        if part is not None:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        raise
    # It may also be of a migration that was committed just before a crash.
    if path is not None and part is not None and version > 0 and part.exists():
        with suppress(OSError):  # then at the next start
            part.rename(_free_name(path, _format_of(part) + 1))


def run_migrations(
    connection: sqlite3.Connection, version: int, migrations: Sequence[str], application: int
) -> None:
    """Run those after `version` in one transaction. Raises sqlite3.Error."""
    # executescript would commit first; hence all of it as one script of its own.
    steps = ";".join(migrations[version:])
    connection.executescript(
        f"BEGIN IMMEDIATE; PRAGMA application_id = {application};"
        f"{steps}; PRAGMA user_version = {len(migrations)}; COMMIT;"
    )


def _free_name(path: Path, number: int) -> Path:
    """A name for a copy from before this format that no file has yet."""
    wanted = path.with_name(f"{path.name}.before-format-{number}")
    for another in itertools.count(2):
        if not wanted.exists():
            break
        wanted = path.with_name(f"{path.name}.before-format-{number}.{another}")
    return wanted


def _format_of(path: Path) -> int:
    """The `user_version` of a database that is not open (SQLite file format, 1.3)."""
    with path.open("rb") as file:
        return int.from_bytes(file.read(64)[60:], "big")


def _back_up(connection: sqlite3.Connection, backup: Path) -> None:
    # A new file: what a crash left of a former attempt could be anything.
    for stale in (backup, backup.with_name(f"{backup.name}-journal")):
        stale.unlink(missing_ok=True)
    # Private from its creation, as the original is.
    os.close(os.open(backup, os.O_CREAT | os.O_EXCL | os.O_WRONLY | NO_LINK, PRIVATE_FILE))
    copy = sqlite3.connect(backup)
    try:
        connection.backup(copy)
    finally:
        copy.close()
