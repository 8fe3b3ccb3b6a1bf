"""Removing the messages of former members, in steps."""

from __future__ import annotations

import sqlite3
from typing import Final

from chat_client.cache.rows import is_username, whole
from chat_client.cache.unheard import Unheard
from common.protocol.events import Event

_ERASED_AT_ONCE: Final = 500
"""Events whose texts are removed in one transaction."""
_LOOKED_AT_ONCE: Final = 20_000
"""Events that are looked at for these: there is no index by sender."""
_TO_ERASE: Final = (
    "SELECT rowid, room FROM events WHERE rowid > ? AND rowid <= ? AND sender = ?"
    " AND kind NOT IN ('account_deleted', 'join', 'removed') ORDER BY rowid LIMIT ?"
)
_ERASE: Final = (
    "UPDATE events SET kind = 'removed', text = '', body = '{}', came = NULL WHERE rowid > ?"
    " AND rowid <= ? AND sender = ? AND kind NOT IN ('account_deleted', 'join', 'removed')"
)


class Erasure:
    """Whose messages are removed.

    Its statements are part of the transaction that the cache has begun.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.freed = False
        """Whether the write-ahead log has texts that this transaction has removed for good."""
        erased = connection.execute("SELECT username, after FROM erased")
        self._erased: dict[str, bool] = {
            username: after is not None for username, after in erased if is_username(username)
        }
        """Whose messages were removed → whether they are still being removed here."""
        self._before = dict(self._erased)

    def begin(self) -> None:
        """A transaction begins."""
        self._before, self.freed = dict(self._erased), False

    def roll_back(self) -> None:
        """It was rolled back."""
        self._erased = self._before

    def forget(self) -> None:
        """Nobody's messages are removed: these people are of another history of the server."""
        self._connection.execute("DELETE FROM erased")
        self._erased.clear()

    def apply(self, event: Event) -> Event:
        """An event as it may be stored and shown: of somebody who is erased without its text."""
        return event.without_text() if event.sender in self._erased else event

    def add(self, username: str) -> bool:
        """Remove somebody's messages, here and whenever more of them come; True when that is new.

        From now on readers leave out their texts; `step` removes them from the file.
        """
        if username in self._erased:
            return False
        self._connection.execute("INSERT OR REPLACE INTO erased VALUES (?, 0)", (username,))
        self._erased[username] = True
        Unheard(self._connection).forget_sender(username)
        return True

    @property
    def pending(self) -> bool:
        """Whether `step` has something left to do."""
        return True in self._erased.values()

    def step(self) -> None:
        """Remove some of the texts of those who are erased: a step of many.

        A crash between two steps costs nothing: the next start goes on.
        """
        username = next(name for name, is_left in self._erased.items() if is_left)
        (after,) = self._connection.execute(
            "SELECT after FROM erased WHERE username = ?", (username,)
        ).fetchone()
        after = whole(after)
        found = self._connection.execute(
            _TO_ERASE, (after, after + _LOOKED_AT_ONCE, username, _ERASED_AT_ONCE)
        ).fetchall()
        full = len(found) == _ERASED_AT_ONCE
        to = found[-1][0] if full else after + _LOOKED_AT_ONCE
        self._connection.execute(_ERASE, (after, to, username))
        (last,) = self._connection.execute("SELECT max(rowid) FROM events").fetchone()
        self._erased[username] = to < (last or 0)
        self.freed = not self._erased[username]
        self._connection.execute(
            "UPDATE erased SET after = ? WHERE username = ?",
            (to if self._erased[username] else None, username),
        )

    def cancel(self, username: str) -> None:
        """The account is there, in the server's present history."""
        if self._erased.pop(username, None) is not None:
            self._connection.execute("DELETE FROM erased WHERE username = ?", (username,))
