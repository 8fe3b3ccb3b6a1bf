"""Reading what is stored, through a connection that can't write."""

import json
import sqlite3
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from chat_server.store.sqlite.errors import failed
from common.database import connect_reader
from common.events import Event

_ROWS: Final = """
    SELECT json_group_array(json_array(seq, kind, username, sent_at, cid, json(body))) FROM (
        SELECT seq, kind, username, sent_at, cid, body FROM events
        JOIN rooms ON rooms.number = events.room
        JOIN accounts ON accounts.number = events.sender
        WHERE rooms.room = ? AND seq > ? ORDER BY seq LIMIT ?
    )
"""
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

    def close(self) -> None:
        """Let go of the file, before the writer does."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def _one(self, statement: str, *values: object) -> str:
        """The one value that a statement gives."""
        try:
            ((value,),) = self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise failed(error) from error
        return str(value)
