"""Reading the cache: pages of a room for the message list, through a connection of its own."""

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chat_client.cache.people import MODERATORS
from chat_client.cache.rows import (
    EVENTS,
    OUTBOX,
    event_of,
    is_room,
    is_username,
    outgoing_of,
    tolerate,
    whole,
    words,
)
from chat_client.cache.spans import Span
from chat_client.state.outbox_message import OutboxMessage
from common import limits
from common.protocol.events import Event
from common.system.database import connect_reader

_EVENT: Final = f"{EVENTS} WHERE room = ?"
_SPANS: Final = (
    "SELECT first, last FROM spans WHERE room = ? AND typeof(first) = 'integer' AND first >= 1"
    " AND typeof(last) = 'integer' AND last BETWEEN first AND 9007199254740991"
)
"""The valid spans of a room, whatever the table contains: up to `limits.MAX_INTEGER`."""

COUNTED: Final = 1000
"""Maximum number of unread messages counted in a room when the cache is opened: an exact number is
of no use beyond, and counting a million takes seconds."""


@dataclass(frozen=True, slots=True)
class RoomSummary:
    """A room as the sidebar shows it. `unread` counts others' messages after `read`.

    It counts up to `COUNTED` of the cached ones, and all events that are missing.
    """

    room: str
    position: int
    read: int
    unread: int


class CacheReader:
    """The window's read-only access to the cache, on the thread that has created it."""

    def __init__(self, path: Path) -> None:
        self._connection: sqlite3.Connection = connect_reader(path)
        tolerate(self._connection)

    def close(self) -> None:
        """Close the file, before the writer closes it."""
        self._connection.close()

    def before(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events before `seq` without a gap, in order.

        An empty list, with `seq` greater than 1, means that only the server has them.
        """
        span = self._span(room, seq - 1)
        if span is None:
            return []
        rows = self._connection.execute(
            f"{_EVENT} AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            (room, span.first, seq, count),
        ).fetchall()
        return self._events(reversed(rows))

    def after(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events after `seq` without a gap, in order; see `missing_after`."""
        span = self._span(room, seq + 1)
        if span is None:
            return []
        rows = self._connection.execute(
            f"{_EVENT} AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
            (room, seq, span.last, count),
        ).fetchall()
        return self._events(rows)

    def missing_after(self, room: str, seq: int) -> bool:
        """Whether newer events are cached, but not those right after `seq`."""
        newest = self._span(room, limits.MAX_INTEGER, around=False)
        return newest is not None and seq < newest.last and not self.after(room, seq, 1)

    def latest(self, room: str, count: int) -> list[Event]:
        """At most `count` of the newest cached events of a room without a gap, in order."""
        newest = self._span(room, limits.MAX_INTEGER, around=False)
        return [] if newest is None else self.before(room, newest.last + 1, count)

    def is_whole(self, room: str) -> bool:
        """Whether all events of a room up to its position are cached."""
        (position,) = self._connection.execute(
            "SELECT max(position) FROM rooms WHERE room = ?", (room,)
        ).fetchone()
        span = self._span(room, whole(position))
        return not whole(position) or (span is not None and span.first == 1)

    def place_at(self, room: str, at: int) -> tuple[int, bool]:
        """`seq` of the first cached event sent from `at` (ms) on, else of the newest; 0 for none.

        Also whether it is the first such event of the whole room: else that one may not be cached.
        The search assumes that `sent_at` rises with `seq`, which holds unless a clock was set.
        """
        spans = self._connection.execute(f"{_SPANS} ORDER BY first", (room,)).fetchall()
        end = 0
        for first, last in spans:
            begins = range(first, last + 1)
            at_or_after = first + bisect_left(begins, at, key=lambda seq: self._sent_at(room, seq))
            if at_or_after <= last:
                return at_or_after, at_or_after == 1 or at_or_after > first or end == first - 1
            end = last
        return end, bool(end)

    def _sent_at(self, room: str, seq: int) -> int:
        row = self._connection.execute(
            "SELECT sent_at FROM events WHERE room = ? AND seq = ?", (room, seq)
        ).fetchone()
        return 0 if row is None else whole(row[0], limits.MAX_TIME)

    def _span(self, room: str, seq: int, *, around: bool = True) -> Span | None:
        """The span that contains `seq`; with `around` false, the last that begins up to there."""
        row = self._connection.execute(
            f"{_SPANS} AND first <= ? ORDER BY first DESC LIMIT 1", (room, seq)
        ).fetchone()
        if row is None or (around and row[1] < seq):
            return None
        return Span(*row)

    def outbox(self, room: str) -> list[OutboxMessage]:
        """The outbox messages of a room, in the order in which they were written."""
        rows = self._connection.execute(
            f"{OUTBOX} WHERE room = ? ORDER BY number", (room,)
        ).fetchall()
        return list(map(outgoing_of, rows))

    def drafts(self) -> dict[str, str]:
        """Room → draft."""
        rows = self._connection.execute("SELECT room, text FROM drafts")
        return {room: words(text, 4 * limits.TEXT_BYTES) for room, text in rows if is_room(room)}

    def rooms(self, me: str, only: str | None = None) -> list[RoomSummary]:
        """Every known room, or `only` one, with the number of messages that `me` has not read."""
        rows = self._connection.execute(
            "SELECT room, position, read, (SELECT count(*) FROM (SELECT 1 FROM events"
            "  WHERE events.room = rooms.room AND seq > read AND kind = 'message'"
            "  AND text IS NOT NULL AND sender <> :me"
            "  AND sender NOT IN (SELECT username FROM erased) LIMIT :counted)),"
            " position - read - (SELECT coalesce(sum(last - max(first - 1, read)), 0) FROM spans"
            "  WHERE spans.room = rooms.room AND last > read)"
            " FROM rooms WHERE :only IS NULL OR room = :only ORDER BY room",
            {"me": me, "counted": COUNTED, "only": only},
        ).fetchall()
        return [
            RoomSummary(room, whole(position), whole(read), whole(unread) + whole(missing))
            for room, position, read, unread, missing in rows
            if is_room(room)
        ]

    def unread_with_sign(self, room: RoomSummary, me: str) -> list[str]:
        """Texts with an `@` among the newest `COUNTED` messages that `me` has not read."""
        rows = self._connection.execute(
            "SELECT text FROM (SELECT text FROM events"
            "  WHERE room = ? AND seq > ? AND kind = 'message' AND text IS NOT NULL AND sender <> ?"
            "  AND sender NOT IN (SELECT username FROM erased)"
            "  ORDER BY seq DESC LIMIT ?)"
            " WHERE instr(text, '@') OR instr(text, '\uff20')",
            (room.room, room.read, me, COUNTED),
        )
        return [str(text) for (text,) in rows]

    def people(self) -> dict[str, str]:
        """Username → display name of all known people."""
        rows = self._connection.execute("SELECT username, display_name FROM people")
        return {
            username: words(name, limits.DISPLAY_NAME_LENGTH) or username
            for username, name in rows
            if is_username(username)
        }

    def moderators(self) -> set[str]:
        """The usernames of moderators, as the server last reported them."""
        rows = self._connection.execute("SELECT value FROM meta WHERE key = ?", (MODERATORS,))
        found = [value for (value,) in rows if isinstance(value, str)]
        return {each for value in found for each in value.split() if is_username(each)}

    def former(self) -> set[str]:
        """The usernames of accounts that were deleted."""
        rows = self._connection.execute("SELECT username FROM people WHERE former")
        return {username for (username,) in rows if is_username(username)}

    def _events(self, rows: Iterable[tuple[object, ...]]) -> list[Event]:
        """The events of rows of `EVENTS`, without the texts of those whose messages were removed.

        Who they are is asked after the rows were read: a text that was there still is left out.
        """
        events = [event for row in rows if (event := event_of(row)) is not None]
        erased = {name for (name,) in self._connection.execute("SELECT username FROM erased")}
        return [each.without_text() if each.sender in erased else each for each in events]
