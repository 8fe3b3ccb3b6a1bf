"""How the cache can fail. What raises it is SQLite; who uses the cache need not know that."""

import sqlite3


class CacheError(Exception):
    """The cache can't be opened; the text says why and what to do, for a person."""


CacheFailedError = sqlite3.Error
"""What every method of an open cache may raise: of its transaction nothing is stored."""


def is_full(error: Exception) -> bool:
    """Whether it failed for want of room on the disk."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.Error) and code == sqlite3.SQLITE_FULL
