"""The storage engines, each with the ways in which it can be made to fail."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol, Self
from unittest import mock

from chat_server.store.sqlite import store as sqlite_module
from chat_server.store.sqlite.reader import SqliteReader
from chat_server.store.sqlite.store import SqliteStore
from chat_server.store.store import Reader, Store, StoreBusyError, StoreUnreadableError
from tests.contract.memory import Medium, MemoryReader, MemoryStore, full


class Engine(Protocol):
    """What a storage engine has to bring along to be tested."""

    def open(self) -> Store:
        """The store, whatever is in it. At most one is open at a time."""

    def reader(self) -> Reader:
        """A reader of it."""

    def full(self, store: Store) -> AbstractContextManager[None]:
        """There is no room for 100 KB more."""

    def busy(self, store: Store) -> AbstractContextManager[None]:
        """Somebody else writes it."""

    def unreadable(self, *parts: Store | Reader) -> AbstractContextManager[None]:
        """The disk is away."""

    def no_room(self) -> AbstractContextManager[None]:
        """Others have filled the disk."""

    def become(self, other: Self) -> None:
        """A copy of another, which is open and outside of a transaction. This one is not open."""

    def replaced(self, store: Store) -> AbstractContextManager[None]:
        """Another one, with an epoch of its own, is in the place of this store."""


def io_error() -> sqlite3.OperationalError:
    """What SQLite says of a disk that answers nothing but EIO."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR | 10 << 8  # extended, as it comes from a read
    return error


class SqliteEngine:
    """SQLite, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "chat.db"

    def open(self) -> SqliteStore:
        """The database."""
        return SqliteStore(self.path)

    def reader(self) -> SqliteReader:
        """A connection that reads."""
        return SqliteReader(self.path)

    @contextmanager
    def full(self, store: Store) -> Iterator[None]:
        """SQLite itself says that it is."""
        pragma = _connection(store).execute
        (pages,) = pragma("PRAGMA page_count").fetchone()
        pragma(f"PRAGMA max_page_count = {pages + 1}")
        try:
            yield
        finally:
            pragma("PRAGMA max_page_count = 1000000")

    @contextmanager
    def busy(self, store: Store) -> Iterator[None]:
        """Some other program has the database: a transaction can't even begin."""
        _connection(store).execute("PRAGMA busy_timeout = 0")
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()

    @contextmanager
    def unreadable(self, *parts: Store | Reader) -> Iterator[None]:
        """Each use of a connection fails, and so does each new one."""
        with ExitStack() as patches:
            for part in parts:
                away = _Away(_connection(part))
                patches.enter_context(mock.patch.object(part, "_connection", away))
            patches.enter_context(
                mock.patch.object(sqlite_module, "connect_again", side_effect=io_error())
            )
            yield

    @contextmanager
    def no_room(self) -> Iterator[None]:
        """Free space is what the system says."""
        usage = shutil.disk_usage(self.path.parent)._replace(free=0)
        with mock.patch("shutil.disk_usage", return_value=usage):
            yield

    @contextmanager
    def replaced(self, store: Store) -> Iterator[None]:
        """Another file under its name."""
        other = self.path.with_name("other.db")
        SqliteStore(other).close()
        with mock.patch.object(store, "_path", other):
            yield

    def become(self, other: SqliteEngine) -> None:
        """Page by page."""
        with (
            closing(sqlite3.connect(other.path)) as its,
            closing(sqlite3.connect(self.path)) as own,
        ):
            its.backup(own)


class _Away:
    """A connection to a database whose disk is away."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.close = connection.close

    @property
    def in_transaction(self) -> bool:
        """It knows without the disk."""
        return self._connection.in_transaction

    @staticmethod
    def execute(*_: object) -> sqlite3.Cursor:
        """Whatever it is."""
        raise io_error()


def _connection(part: Store | Reader) -> Any:
    assert isinstance(part, SqliteStore | SqliteReader)
    return part._connection


class MemoryEngine:
    """No disk at all."""

    def __init__(self) -> None:
        self.medium = Medium()

    def open(self) -> MemoryStore:
        """What is on the medium."""
        return MemoryStore(self.medium)

    def reader(self) -> MemoryReader:
        """The same medium."""
        return MemoryReader(self.medium)

    @contextmanager
    def full(self, _store: Store) -> Iterator[None]:
        """Nothing can be added."""
        with mock.patch.object(self.medium, "unwritable", full()):
            yield

    @contextmanager
    def busy(self, _store: Store) -> Iterator[None]:
        """No transaction begins."""

        def begins() -> None:
            raise StoreBusyError("locked")

        with mock.patch.object(self.medium, "begins", begins):
            yield

    @contextmanager
    def unreadable(self, *_: Store | Reader) -> Iterator[None]:
        """Nothing can be done."""
        with mock.patch.object(self.medium, "away", StoreUnreadableError("pulled out")):
            yield

    @contextmanager
    def no_room(self) -> Iterator[None]:
        """As it is told."""
        with mock.patch.object(self.medium, "room", False):
            yield

    @contextmanager
    def replaced(self, store: Store) -> Iterator[None]:
        """Another medium."""
        other = MemoryEngine()
        other.open().epoch()
        with mock.patch.object(store, "medium", other.medium):
            yield

    def become(self, other: MemoryEngine) -> None:
        """The medium has the same on it."""
        self.medium.state = other.medium.state.copy()
