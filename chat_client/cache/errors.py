"""The errors of the cache, so that its users need not know SQLite."""

import sqlite3


class CacheError(Exception):
    """The cache can't be opened; the text says why and what to do, for a person."""


CacheFailedError = sqlite3.Error
"""Every method of an open cache may raise it; the transaction is rolled back."""


def is_full(error: Exception) -> bool:
    """Whether it failed because the disk is full."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.Error) and code == sqlite3.SQLITE_FULL
