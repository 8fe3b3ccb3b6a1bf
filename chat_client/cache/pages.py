"""Reading the cache: pages of a room for the message list, through a connection of its own."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chat_client.cache.cache import MODERATORS
from chat_client.cache.rows import (
    event_of,
    is_room,
    is_username,
    outgoing_of,
    tolerate,
    whole,
    words,
)
from chat_client.state.outgoing import Outgoing
from common import limits
from common.database import connect_reader
from common.events import Event

_EVENT = "SELECT room, seq, kind, sender, sent_at, cid, text, unknown FROM events WHERE room = ?"

COUNTED: Final = 1000
"""Unread messages of a room that are counted when the cache is opened: nobody needs to know more,
and counting a million takes seconds."""


@dataclass(frozen=True, slots=True)
class RoomSummary:
    """A room as the sidebar shows it. `unread` counts others' messages after `read`.

    It counts up to `COUNTED`.
    """

    room: str
    position: int
    read: int
    unread: int


class CacheReader:
    """What the window reads, on the thread that made it. It can't write."""

    def __init__(self, path: Path) -> None:
        self._connection: sqlite3.Connection = connect_reader(path)
        tolerate(self._connection)

    def close(self) -> None:
        """Let go of the file, before the writer does."""
        self._connection.close()

    def before(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events before `seq` without a gap, in order; see `missing_before`."""
        first = self._one(
            "SELECT first FROM spans WHERE room = ? AND first < ? AND last >= ? - 1",
            room, seq, seq,
        )  # fmt: skip
        if first is None:
            return []
        rows = self._connection.execute(
            f"{_EVENT} AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            (room, first, seq, count),
        ).fetchall()
        return _events(reversed(rows))

    def missing_before(self, room: str, seq: int) -> bool:
        """Whether events before `seq` are on the server and not here."""
        return seq > 1 and not self.before(room, seq, 1)

    def after(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events after `seq` without a gap, in order; see `missing_after`."""
        last = self._one(
            "SELECT last FROM spans WHERE room = ? AND first <= ? + 1 AND last > ?",
            room, seq, seq,
        )  # fmt: skip
        if last is None:
            return []
        rows = self._connection.execute(
            f"{_EVENT} AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?", (room, seq, last, count)
        ).fetchall()
        return _events(rows)

    def missing_after(self, room: str, seq: int) -> bool:
        """Whether newer events are here, and not those right after `seq`."""
        last = self._one("SELECT max(last) FROM spans WHERE room = ?", room)
        return last is not None and seq < last and not self.after(room, seq, 1)

    def latest(self, room: str, count: int) -> list[Event]:
        """The newest events of a room, in order."""
        last = self._one("SELECT max(last) FROM spans WHERE room = ?", room)
        return [] if last is None else self.before(room, last + 1, count)

    def _one(self, statement: str, *values: object) -> int | None:
        """The number that a statement gives, if it gives one."""
        row = self._connection.execute(statement, values).fetchone()
        return None if row is None or type(row[0]) is not int else row[0]

    def outbox(self, room: str) -> list[Outgoing]:
        """What waits in a room or could not be sent, as written."""
        rows = self._connection.execute(
            "SELECT number, room, cid, text, written_at, state, reason FROM outbox"
            " WHERE room = ? ORDER BY number",
            (room,),
        ).fetchall()
        return list(map(outgoing_of, rows))

    def drafts(self) -> dict[str, str]:
        """By room, what was written there and not sent."""
        rows = self._connection.execute("SELECT room, text FROM drafts")
        return {room: words(text, 4 * limits.TEXT_BYTES) for room, text in rows if is_room(room)}

    def rooms(self, me: str) -> list[RoomSummary]:
        """Every known room, with what `me` has not read yet."""
        rows = self._connection.execute(
            "SELECT room, position, read, (SELECT count(*) FROM (SELECT 1 FROM events"
            "  WHERE events.room = rooms.room AND seq > read AND kind = 'message'"
            "  AND unknown IS NULL AND sender <> ? LIMIT ?)) FROM rooms ORDER BY room",
            (me, COUNTED),
        ).fetchall()
        return [
            RoomSummary(room, whole(position), whole(read), whole(unread))
            for room, position, read, unread in rows
            if is_room(room)
        ]

    def people(self) -> dict[str, str]:
        """Username → display name of everyone known."""
        rows = self._connection.execute("SELECT username, display_name FROM people")
        return {
            username: words(name, limits.DISPLAY_NAME_LENGTH) or username
            for username, name in rows
            if is_username(username)
        }

    def moderators(self) -> set[str]:
        """The usernames of those who were moderators when they were last told of."""
        rows = self._connection.execute("SELECT value FROM meta WHERE key = ?", (MODERATORS,))
        found = [value for (value,) in rows if isinstance(value, str)]
        return {each for value in found for each in value.split() if is_username(each)}


def _events(rows: Iterable[tuple[object, ...]]) -> list[Event]:
    return [event for row in rows if (event := event_of(row)) is not None]
