"""Reading what is stored, through a connection that can't write."""

import json
import sqlite3
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from chat_server.store.sqlite.errors import failed
from chat_server.store.store import AuditRow
from common.limits import MAX_INTEGER
from common.protocol.events import REMOVED, WITHOUT_TEXT, Event
from common.system.database import connect_reader, sql_list

# Of an account whose messages are being removed no text is served, from the commit on that began
# it: `erasing` is NULL for all others.
_ROWS: Final = f"""
    SELECT json_group_array(json_array(
        seq, iif(gone, '{REMOVED}', kind), username, sent_at, cid, json(iif(gone, '{{}}', body))
    )) FROM (
        SELECT seq, kind, username, sent_at, cid, body,
            erasing IS NOT NULL AND kind NOT IN ({sql_list(WITHOUT_TEXT)}) AS gone
        FROM events
        JOIN rooms ON rooms.number = events.room
        JOIN accounts ON accounts.number = events.sender
        WHERE rooms.room = ? AND seq > ? ORDER BY seq LIMIT ?
    )
"""  # noqa: S608 - nothing but constants
"""Each step of a statement gives the interpreter away and has to get it back, which costs much
where others are busy: so all events come as one row, which JSON holds together."""


class SqliteReader:
    """A Reader: one connection, for one thread."""

    def __init__(self, path: Path) -> None:
        """Open the database. Raises StoreFailedError."""
        try:
            self._connection: sqlite3.Connection = connect_reader(path)
        except sqlite3.Error as error:
            raise failed(error) from error

    def after(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events of a room that follow a place, in order."""
        rows: list[tuple[Any, ...]] = json.loads(self._one(_ROWS, room, seq, count))
        rows.sort(key=itemgetter(0))
        return [Event(room, *row) for row in rows]

    def place_at(self, room: str, at: int) -> int:
        """The first place in a room from a time on; if nothing is that late, the one after all.

        By halves, as times rise with places but for clocks that were set: there is no index.
        """
        [(number, head)] = self._all(
            "SELECT number, (SELECT max(seq) FROM events WHERE room = number) FROM rooms"
            " WHERE room = ?",
            room,
        ) or [(0, 0)]
        first, last = 1, (head or 0) + 1
        while first < last:
            middle = (first + last) // 2
            [(sent_at,)] = self._all(
                "SELECT sent_at FROM events WHERE room = ? AND seq = ?", number, middle
            )
            first, last = (first, middle) if sent_at >= at else (middle + 1, last)
        return first

    def audit(self, before: int | None, count: int) -> list[AuditRow]:
        """The newest entries of the audit log, or those before a number, the newest first."""
        rows = self._all(
            "SELECT number, at, actor, action, fields FROM audit"
            " WHERE number < ? ORDER BY number DESC LIMIT ?",
            MAX_INTEGER + 1 if before is None else before,
            count,
        )
        return [
            AuditRow(number, at, by, action, json.loads(fields))
            for number, at, by, action, fields in rows
        ]

    def close(self) -> None:
        """Let go of the file, before the writer does."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def _one(self, statement: str, *values: object) -> str:
        """The one value that a statement gives."""
        ((value,),) = self._all(statement, *values)
        return str(value)

    def _all(self, statement: str, *values: object) -> list[Any]:
        """All rows that a statement gives."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise failed(error) from error
