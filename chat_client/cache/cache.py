"""The cache of one account: its rooms, and the other tables of the file.

Written by the core's thread alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Final, TypeAlias

from chat_client.cache.erasure import Erasure
from chat_client.cache.meta import Meta
from chat_client.cache.outbox import OutboxTable
from chat_client.cache.people import PeopleTable
from chat_client.cache.rows import (
    body_columns,
    is_cid,
    is_room,
    json_object,
    number,
    tolerate,
    whole,
    words,
)
from chat_client.cache.schema import connect_writer
from chat_client.cache.spans import Span, Spans
from chat_client.cache.unheard import Unheard
from common import limits
from common.protocol.events import MESSAGE, Event
from common.system.database import Folding

_ADD: Final = (
    "INSERT INTO events (room, seq, kind, sender, sent_at, cid, text, body, came)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
Read: TypeAlias = Callable[[Event], Event]
"""Decodes the body of an event as far as this program understands it."""
_ADD_PAST: Final = (
    "INSERT INTO events (room, seq, kind, sender, sent_at, cid, text, body, came, upto)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (room, seq) DO UPDATE SET kind = excluded.kind, sender = excluded.sender,"
    " sent_at = excluded.sent_at, cid = excluded.cid, text = excluded.text,"
    " body = excluded.body, came = excluded.came, upto = excluded.upto WHERE excluded.upto > upto"
)
"""A cached event is replaced only by a later state of it (`upto`)."""
_STRETCHES: Final = (
    "SELECT min(seq), max(seq) FROM (SELECT seq, seq - row_number() OVER (ORDER BY seq) AS stretch"
    " FROM events WHERE room = ? AND typeof(seq) = 'integer' AND seq BETWEEN 1 AND ?)"
    " GROUP BY stretch ORDER BY 1"
)
_NEWEST: Final = 1000
"""Events of a room that `last_said` looks at: there is no index of senders."""
_READ_UNTIL: Final = "read until: "
"""Prefix of the keys in `meta` about rooms that are fetched again; see `_remember_reading`."""
_UNDERSTOOD: Final = "understood"
"""Key in `meta` of the digest of the kinds with which `understand` ran last."""


class Cache:
    """One account's rooms, events and positions. In memory when there is no path.

    The outbox, the people and whose messages are removed are parts of it, with tables of their own.
    """

    def __init__(self, path: Path | None) -> None:
        """Open or create it. Raises CacheError."""
        self._path = path
        self._folding = Folding()
        self._connection = connect_writer(path)
        self._load()

    def _load(self) -> None:
        """Load the part of the file that is held in memory."""
        tolerate(self._connection)
        self._meta = Meta(self._connection)
        self.outbox = OutboxTable(self._connection)
        self.erasure = Erasure(self._connection)
        self.people = PeopleTable(self._connection, self._meta, self.erasure)
        self.unheard = Unheard(self._connection)
        """The queue of messages for the command of `listen --exec`."""
        self._positions = self._read_positions()
        self._spans = self._read_spans()
        self._read_until: dict[str, int] = {
            key.removeprefix(_READ_UNTIL): until
            for key, value in self._connection.execute(
                "SELECT key, value FROM meta WHERE substr(key, 1, ?) = ?",
                (len(_READ_UNTIL), _READ_UNTIL),
            )
            if (until := number(value)) is not None
        }
        """Room that is fetched again → the `sent_at` up to which it had been read."""

    def _read_positions(self) -> dict[str, int]:
        rows = self._connection.execute("SELECT room, position FROM rooms")
        return {room: whole(position) for room, position in rows if is_room(room)}

    def _read_spans(self) -> Spans:
        """The stored spans; those of a room where they are invalid are rebuilt from its events."""
        rows = self._connection.execute("SELECT room, first, last FROM spans").fetchall()
        stretches: dict[str, list[tuple[object, object]]] = {}
        for room, first, last in rows:
            stretches.setdefault(room, []).append((first, last))
        spans = Spans()
        for room, position in self._positions.items():
            found = stretches.get(room, [])
            if all(type(x) is type(y) is int and 1 <= x <= y <= position for x, y in found):
                for first, last in found:
                    spans.add(room, whole(first), whole(last))
            if len(spans.of(room)) != len(found) or (position and not found):
                spans.forget(room)
                for first, last in self._mended_spans(room, position):
                    spans.add(room, first, last)
        spans.commit()
        return spans

    def _mended_spans(self, room: str, position: int) -> list[tuple[int, int]]:
        """Spans rebuilt from a room's events, and stored if the file can be written now."""
        mended = self._connection.execute(_STRETCHES, (room, position)).fetchall()
        with suppress(sqlite3.Error):
            self._connection.execute("DELETE FROM spans WHERE room = ?", (room,))
            self._connection.executemany(
                "INSERT INTO spans (room, first, last) VALUES (?, ?, ?)",
                [(room, *span) for span in mended],
            )
        return mended

    def close(self) -> None:
        """Close the file, after every reader has closed it."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction: all or nothing, durable (fsync) at its end."""
        self._connection.execute("BEGIN IMMEDIATE")
        self.outbox.begin()
        self.erasure.begin()
        before = dict(self._positions), dict(self._read_until)
        try:
            yield
            self._connection.execute("COMMIT")
            self._spans.commit()
            if self.erasure.freed:
                self._folding.ask()
            self._folding.committed(self._connection)
        except BaseException:
            self._positions, self._read_until = before
            for part in (self._spans, self.outbox, self.erasure):
                part.roll_back()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def probe(self) -> None:
        """Check that the file can be written. Raises sqlite3.Error."""
        self.set_meta("probed", str(time.time_ns()))

    def reopen(self) -> None:
        """Reopen the file, as its handle is useless after the disk was away. Raises CacheError."""
        if self._path is not None:
            self._connection.close()
            self._connection = connect_writer(self._path)
            self._load()

    def meta(self, key: str) -> str | None:
        """A stored value, such as the server's epoch; None if there is none."""
        return self._meta.get(key)

    def set_meta(self, key: str, value: str) -> None:
        """Store a value under a key."""
        self._meta.set(key, value)

    def reset(self, epoch: str) -> None:
        """Drop everything received, for a server with another history (epoch).

        The outbox and drafts stay, with their rooms, which that history may not have; and so does
        the time up to which each room was read.
        """
        for room in self.rooms():
            self.forget_room(room)
        self.people.forget()
        self._connection.execute(
            "DELETE FROM rooms WHERE room NOT IN"
            " (SELECT room FROM outbox UNION SELECT room FROM drafts)"
        )
        self.set_meta("epoch", epoch)
        self.set_meta("session", "")
        self._positions = self._read_positions()

    def forget_room(self, room: str) -> None:
        """Drop a room's events, to fetch them again, and resend acknowledged messages not seen."""
        self._remember_reading(room)
        self.unheard.forget(room)
        self._connection.execute("DELETE FROM events WHERE room = ?", (room,))
        self._connection.execute("DELETE FROM spans WHERE room = ?", (room,))
        self._spans.forget(room)
        self._connection.execute("UPDATE rooms SET position = 0, read = 0 WHERE room = ?", (room,))
        self.outbox.send_again(room)
        self._positions[room] = 0

    def _remember_reading(self, room: str) -> None:
        """Store up to which `sent_at` a room was read: a `seq` means nothing in another history.

        What is sent after a backup was restored is later than all that was sent before.
        """
        (until,) = self._connection.execute(
            "SELECT max(sent_at) FROM events WHERE room = :room"
            " AND seq <= (SELECT read FROM rooms WHERE room = :room)",
            {"room": room},
        ).fetchone()
        if until is not None:
            until = whole(until, limits.MAX_TIME)
            # The room may not have been fetched again up to where it was read before.
            until = max(until, self._read_until.get(room, 0))
            self._read_until[room] = until
            self.set_meta(_READ_UNTIL + room, str(until))

    def _mark_read_before(self, events: Sequence[Event]) -> int:
        """Mark those read before as read, in a room fetched again; returns the last `seq`, or 0."""
        room = events[0].room
        until = self._read_until[room]
        read = [event.seq for event in takewhile(lambda event: event.sent_at <= until, events)]
        if read:
            self.mark_read(room, read[-1])
        if len(read) < len(events):
            del self._read_until[room]
            self._connection.execute("DELETE FROM meta WHERE key = ?", (_READ_UNTIL + room,))
        return read[-1] if read else 0

    def rooms(self) -> list[str]:
        """All known rooms, in no particular order."""
        return list(self._positions)

    def add_room(self, room: str) -> bool:
        """Add a room; True when it is new."""
        if room in self._positions:
            return False
        self._connection.execute("INSERT INTO rooms (room) VALUES (?)", (room,))
        self._positions[room] = 0
        return True

    def position(self, room: str) -> int:
        """The `seq` of the newest cached event of a room; 0 for none.

        Events before it may be missing; see `spans`.
        """
        return self._positions.get(room, 0)

    def cids(self, rooms: Iterable[str]) -> dict[str, str]:
        """Room → `cid` of the event at its position, if that is valid."""
        cids: dict[str, str] = {}
        for room in rooms:
            row = self._connection.execute(
                "SELECT cid FROM events WHERE room = ? AND seq = ?", (room, self.position(room))
            ).fetchone()
            if row is not None and is_cid(row[0]):
                cids[room] = row[0]
        return cids

    def last_said(self, room: str, username: str) -> int:
        """When somebody's newest message in a room was sent; 0 if it is none of the newest.

        In milliseconds since 1970-01-01 UTC.
        """
        (sent_at,) = self._connection.execute(
            "SELECT max(sent_at) FROM (SELECT sender, kind, sent_at FROM events WHERE room = ?"
            " ORDER BY seq DESC LIMIT ?) WHERE sender = ? AND kind = ?",
            (room, _NEWEST, username, MESSAGE),
        ).fetchone()
        return whole(sent_at, limits.MAX_TIME)

    def understand(self, read: Read, digest: Callable[[], str]) -> list[str]:
        """Decode again the events with unknown kinds or fields; returns the rooms that changed.

        `digest` identifies the registry of kinds. Events are decoded once for each registry, as
        there may be many that this program understands only in part.
        """
        rows = self._connection.execute(
            "SELECT room, seq, kind, text, body, came FROM events WHERE came IS NOT NULL"
        )
        first = rows.fetchone()
        if first is None or self.meta(_UNDERSTOOD) == (now := digest()):
            return []
        rooms: dict[str, None] = {}
        for room, seq, kind, text, body, came in [first, *rows.fetchall()]:
            whole = json_object(came)
            if whole is None:
                continue
            event = read(Event("", 0, words(kind), "", 0, "", whole))
            columns = body_columns(event.body)
            if event.known and columns != (text, body, came):
                self._connection.execute(
                    "UPDATE events SET text = ?, body = ?, came = ? WHERE room = ? AND seq = ?",
                    (*columns, room, seq),
                )
                rooms[room] = None
        self.set_meta(_UNDERSTOOD, now)
        return list(rooms)

    def set_position(self, room: str, seq: int) -> None:
        """Start a room after `seq`, without the events before it, for `listen --after`."""
        self.add_room(room)
        self._positions[room] = seq

    def add_event(self, event: Event) -> int:
        """Store the event that follows the room's position, and move the position to it.

        Returns its `seq` if it had been read before the room was fetched again, else 0.
        """
        self._insert([event])
        return self._moved([event])

    def add_events(self, events: Sequence[Event]) -> int:
        """Store consecutive events of one room, as `add_event` does with each; at least one.

        Returns the `seq` of the last that had been read before the room was fetched again, or 0.
        """
        self._insert(events)
        return self._moved(events)

    def add_past(self, events: Sequence[Event], upto: int) -> None:
        """Store consecutive events of one room from anywhere in its log; at least one.

        Their state is that after all changes up to the event `upto` were applied.
        """
        room, first, last = events[0].room, events[0].seq, events[-1].seq
        self.add_room(room)
        self._connection.executemany(_ADD_PAST, [(*_row(event), upto) for event in events])
        self._have(room, first, last)
        if last > self.position(room):
            self._connection.execute("UPDATE rooms SET position = ? WHERE room = ?", (last, room))
            self._positions[room] = last
            if room in self._read_until:
                # Nobody knows which of the events before these are unread: they count as read.
                self.mark_read(room, max(first - 1, self._mark_read_before(events)))

    def begin_reading(self, room: str, seq: int) -> int:
        """Have the events up to `seq` of a room that is new here count as read; returns `seq`.

        In a room that is fetched again `sent_at` decides which events count as read: returns 0.
        """
        self.add_room(room)
        if room in self._read_until:
            return 0
        self._connection.execute("UPDATE rooms SET read = max(read, ?) WHERE room = ?", (seq, room))
        return seq

    def spans(self, room: str) -> tuple[Span, ...]:
        """The cached spans of a room, sorted."""
        return self._spans.of(room)

    def _have(self, room: str, first: int, last: int) -> None:
        """Record that a range of a room is cached: merge it with its neighbours and store it."""
        span = self._spans.add(room, first, last)
        # The spans that became a part of it; invalid ones in the file, too.
        self._connection.execute(
            "DELETE FROM spans WHERE room = ? AND first BETWEEN ? AND ?", (room, *span)
        )
        self._connection.execute(
            "INSERT INTO spans (room, first, last) VALUES (?, ?, ?)", (room, *span)
        )

    def _insert(self, events: Sequence[Event]) -> None:
        room = events[0].room
        self.add_room(room)
        try:
            self._add(events)
        except sqlite3.IntegrityError:
            # Events beyond the position are invalid, whatever has stored them.
            self._connection.execute(
                "DELETE FROM events WHERE room = ? AND seq > ?", (room, self.position(room))
            )
            self._add(events)

    def _add(self, events: Sequence[Event]) -> None:
        if len(events) == 1:
            self._connection.execute(_ADD, _row(events[0]))
        else:
            self._connection.executemany(_ADD, map(_row, events))

    def _moved(self, events: Sequence[Event]) -> int:
        last = events[-1]
        self._connection.execute(
            "UPDATE rooms SET position = ? WHERE room = ?", (last.seq, last.room)
        )
        self._positions[last.room] = last.seq
        self._have(last.room, events[0].seq, last.seq)
        return self._mark_read_before(events) if last.room in self._read_until else 0

    def mark_read(self, room: str, seq: int) -> None:
        """Record that the person has read a room up to `seq`.

        A `seq` beyond the position is ignored: it is of before the room was fetched again.
        """
        self._connection.execute(
            "UPDATE rooms SET read = max(read, ?) WHERE room = ? AND position >= ?",
            (seq, room, seq),
        )

    def set_draft(self, room: str, text: str) -> None:
        """Store the draft of a room; a blank one is deleted."""
        if text.strip():
            # A lone surrogate, as a broken input method may leave it, can't be stored.
            whole = text.encode(errors="replace").decode()
            self._connection.execute(
                "INSERT INTO drafts (room, text) VALUES (?, ?)"
                " ON CONFLICT (room) DO UPDATE SET text = excluded.text",
                (room, whole),
            )
        else:
            self._connection.execute("DELETE FROM drafts WHERE room = ?", (room,))


def _row(event: Event) -> tuple[str | int | None, ...]:
    """The columns that `_ADD` fills."""
    room, seq, kind, sender, sent_at, cid, body = event
    if type(body) is dict and len(body) == 1 and type(text := body.get("text")) is str:
        return room, seq, kind, sender, sent_at, cid, text, None, None  # as almost all are
    return room, seq, kind, sender, sent_at, cid, *body_columns(body)
