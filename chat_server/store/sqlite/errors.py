"""SQLite's errors as those of the store's face (https://www.sqlite.org/rescode.html)."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chat_server.store.store import (
    StoreBusyError,
    StoreFailedError,
    StoreFaultError,
    StoreFullError,
    StoreUnreadableError,
    StoreUnusableError,
)

_KINDS: Final[Mapping[int, type[StoreFailedError]]] = {
    sqlite3.SQLITE_FULL: StoreFullError,
    sqlite3.SQLITE_BUSY: StoreBusyError,
    sqlite3.SQLITE_LOCKED: StoreBusyError,
    sqlite3.SQLITE_CONSTRAINT: StoreFaultError,
    sqlite3.SQLITE_MISMATCH: StoreFaultError,
    sqlite3.SQLITE_MISUSE: StoreFaultError,
    sqlite3.SQLITE_RANGE: StoreFaultError,
    sqlite3.SQLITE_TOOBIG: StoreFaultError,
}
_FAULTS: Final = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
)
"""Classes of errors that the module finds by itself, without a code."""


def failed(error: sqlite3.Error) -> StoreFailedError:
    """What an error means for who asked."""
    usual = StoreFaultError if isinstance(error, _FAULTS) else StoreUnreadableError
    return _KINDS.get(_code(error), usual)(str(error))


def unusable(path: Path, error: Exception) -> StoreUnusableError:
    """Why a database can't be used and what to do about it, by what failed.

    `error` is SQLite's, the system's, or a StoreFailedError that came of one of these.
    """
    cause = error.__cause__ if isinstance(error, StoreFailedError) else error
    code = _code(cause)
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        why = f"is damaged ({error}); restore it from a backup"
    elif code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        why = "is in use by another program; close that one"
    elif code == sqlite3.SQLITE_FULL:
        why = "can't be written: the disk is full"
    elif code == sqlite3.SQLITE_READONLY:
        why = f"can't be written: {error}"
    else:
        why = f"can't be opened: {error}"
    return StoreUnusableError(f"the database {path} {why}")


def _code(error: BaseException | None) -> int:
    """The plain code, which an extended one has in its lowest byte; 255 for none.

    The module's own errors, such as that of a closed connection, have none.
    """
    code: int = getattr(error, "sqlite_errorcode", -1)
    return code & 0xFF
