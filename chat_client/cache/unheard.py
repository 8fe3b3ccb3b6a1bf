"""Messages that were received for a command and not handed to one yet: a durable queue.

An entry is made in the transaction that stores the event and moves the position, and removed once
the command has ended. So the connection is read while a command takes its time, and what a crash
leaves is handed on at the next start.

The tables are made when a program listens with a command for the first time, and are no part of
the format: whoever never does has a cache as all versions know it.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from chat_client.cache.rows import event_of, is_room, json_object
from common.protocol.events import Event, PartOfBody

_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS unheard (
        number INTEGER PRIMARY KEY,
        room TEXT NOT NULL,
        seq INTEGER NOT NULL,
        UNIQUE (room, seq)
    );
    CREATE TABLE IF NOT EXISTS heard (room TEXT, cid TEXT, PRIMARY KEY (room, cid)) WITHOUT ROWID;
"""
_PAGE: Final = (
    "SELECT room, seq, kind, sender, sent_at, cid, text, body, came"
    " FROM unheard CROSS JOIN events USING (room, seq)"
    " WHERE :room IS NULL OR room = :room ORDER BY number LIMIT :most"
)


class Unheard:
    """The queue of a cache. Every method is called within a transaction but `page`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def make(self) -> None:
        """Make the queue, unless there is one."""
        for statement in filter(str.strip, _TABLES.split(";")):
            self._connection.execute(statement)

    def add(self, event: Event) -> None:
        """Add a message to the end, unless it was heard before its room was fetched again."""
        heard = self._connection.execute(
            "SELECT 1 FROM heard WHERE room = ? AND cid = ?", (event.room, event.cid)
        )
        if heard.fetchone() is None:
            self._connection.execute(
                "INSERT OR IGNORE INTO unheard (room, seq) VALUES (?, ?)", (event.room, event.seq)
            )

    def page(self, room: str | None, most: int) -> list[Event]:
        """The first messages of a room, or of all, in the order in which they came."""
        if not self._exists():
            return []
        rows = self._connection.execute(_PAGE, {"room": room, "most": most}).fetchall()
        return [event for row in rows if is_room(row[0]) and (event := _event(row)) is not None]

    def remove(self, event: Event) -> None:
        """A message was heard. Its place may hold another one since."""
        self._connection.execute(
            "DELETE FROM unheard WHERE room = :room AND seq = :seq AND :cid ="
            " (SELECT cid FROM events WHERE room = :room AND seq = :seq)",
            {"room": event.room, "seq": event.seq, "cid": event.cid},
        )

    def forget(self, room: str) -> None:
        """A room's events are about to be dropped, to be fetched again from a restored server.

        Their places may hold other messages then; those that were heard are known by their ids.
        """
        if not self._exists():
            return
        self._connection.execute(
            "INSERT OR IGNORE INTO heard SELECT room, cid FROM events WHERE room = :room"
            " AND seq NOT IN (SELECT seq FROM unheard WHERE room = :room)",
            {"room": room},
        )
        self._connection.execute("DELETE FROM unheard WHERE room = ?", (room,))

    def forget_sender(self, username: str) -> None:
        """Somebody's messages were removed: no command gets them any more."""
        if self._exists():
            self._connection.execute(
                "DELETE FROM unheard WHERE number IN (SELECT number FROM unheard"
                " CROSS JOIN events USING (room, seq) WHERE sender = ?)",
                (username,),
            )

    def _exists(self) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'unheard'"
        )
        return found.fetchone() is not None


def _event(row: tuple[object, ...]) -> Event | None:
    """The event of a row of `_PAGE`, with all of its body; None if it makes no sense."""
    event = event_of(row[:-1])
    whole = json_object(row[-1])
    if event is None or whole is None or not event.known:
        return event
    return event._replace(body=PartOfBody(event.body, whole))
