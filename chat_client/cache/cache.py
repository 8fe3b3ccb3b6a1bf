"""The cache and the outbox of one account, written by the core's thread alone."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from chat_client.cache.rows import (
    OUTBOX,
    body_columns,
    is_cid,
    is_room,
    is_username,
    json_object,
    number,
    outgoing_of,
    tolerate,
    whole,
    words,
)
from chat_client.cache.schema import connect_writer
from chat_client.cache.spans import Span, Spans
from chat_client.cache.unheard import Unheard
from chat_client.state.outbox_message import OutboxMessage, OutboxState
from common import limits
from common.domain.reasons import Reason
from common.protocol.events import MESSAGE, Event
from common.protocol.fast_encode import body_json
from common.system.database import fold

if TYPE_CHECKING:
    from common.protocol.messages import Person

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
_NEXT: Final = f"{OUTBOX} WHERE number > ? AND state = ? ORDER BY number LIMIT 1"
_NEXT_IN: Final = f"{OUTBOX} WHERE number > ? AND state = ? AND room = ? ORDER BY number LIMIT 1"
_NEXT_BUT: Final = (
    f"{OUTBOX} WHERE number > ? AND state = ?"  # noqa: S608 - nothing but constants
    " AND room NOT IN (SELECT value FROM json_each(?)) ORDER BY number LIMIT 1"
)
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
_NEWEST: Final = 1000
"""Events of a room that `last_said` looks at: there is no index of senders."""
_PEOPLE: Final = "people"
MODERATORS: Final = "moderators"
"""Key in `meta` of the moderators' usernames, separated by spaces."""
_READ_UNTIL: Final = "read until: "
"""Prefix of the keys in `meta` about rooms that are fetched again; see `_remember_reading`."""
_UNDERSTOOD: Final = "understood"
"""Key in `meta` of the digest of the kinds with which `understand` ran last."""


class Cache:
    """One account's events, positions and outbox. In memory when there is no path."""

    def __init__(self, path: Path | None) -> None:
        """Open or create it. Raises CacheError."""
        self._path = path
        self._connection = connect_writer(path)
        self._fold = False
        """Whether the write-ahead log has texts that were removed for good."""
        self._load()

    def _load(self) -> None:
        """Load the part of the file that is held in memory."""
        tolerate(self._connection)
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
        erased = self._connection.execute("SELECT username, after FROM erased")
        self._erased: dict[str, bool] = {
            username: after is not None for username, after in erased if is_username(username)
        }
        """Whose messages were removed → whether they are still being removed here."""
        (waiting,) = self._connection.execute(
            "SELECT count(*) FROM outbox WHERE state = ?", (OutboxState.WAITING,)
        ).fetchone()
        self._waiting = int(waiting)

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
        self._fold = False
        before = (
            dict(self._positions), dict(self._read_until), dict(self._erased), self._waiting,
        )  # fmt: skip
        try:
            yield
            self._connection.execute("COMMIT")
            self._spans.commit()
            if self._fold:
                with suppress(sqlite3.Error):
                    fold(self._connection)
        except BaseException:
            self._positions, self._read_until, self._erased, self._waiting = before
            self._spans.roll_back()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @property
    def unheard(self) -> Unheard:
        """The queue of messages for the command of `listen --exec`."""
        return Unheard(self._connection)

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
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Store a value under a key."""
        self._connection.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def reset(self, epoch: str) -> None:
        """Drop everything received, for a server with another history (epoch).

        The outbox and drafts stay, with their rooms, which that history may not have; and so does
        the time up to which each room was read.
        """
        for room in self.rooms():
            self.forget_room(room)
        self.forget_people()
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
        self.send_again(room)
        self._positions[room] = 0

    def send_again(self, room: str | None = None) -> int:
        """Queue acknowledged messages without a cached event for sending again; returns how many.

        A restored server may have lost them; one that has them deduplicates by `cid`. Without a
        room, those of all rooms.
        """
        again = self._connection.execute(
            "UPDATE outbox SET state = :waiting"
            " WHERE (:room IS NULL OR room = :room) AND state = :sent",
            {"waiting": OutboxState.WAITING, "sent": OutboxState.SENT, "room": room},
        )
        self._waiting += again.rowcount
        return again.rowcount

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

    def shown(self, event: Event) -> Event:
        """An event as it may be stored and shown: of somebody who is erased without its text."""
        return event.without_text() if event.sender in self._erased else event

    def erase(self, username: str) -> bool:
        """Remove somebody's messages, here and whenever more of them come; True when that is new.

        From now on readers leave out their texts; `erase_some` removes them from the file.
        """
        if username in self._erased:
            return False
        self._connection.execute("INSERT OR REPLACE INTO erased VALUES (?, 0)", (username,))
        self._erased[username] = True
        self.unheard.forget_sender(username)
        return True

    @property
    def erasing(self) -> bool:
        """Whether `erase_some` has something left to do."""
        return True in self._erased.values()

    def erase_some(self) -> None:
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
        self._fold = not self._erased[username]
        self._connection.execute(
            "UPDATE erased SET after = ? WHERE username = ?",
            (to if self._erased[username] else None, username),
        )

    def _is_not_erased(self, username: str) -> None:
        """The account is there, in the server's present history."""
        if self._erased.pop(username, None) is not None:
            self._connection.execute("DELETE FROM erased WHERE username = ?", (username,))

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

    def begin_reading(self, room: str, seq: int) -> None:
        """Add a room of which nothing is cached; its events up to `seq` count as read.

        In a room that is fetched again `sent_at` decides which events count as read.
        """
        self.add_room(room)
        if room not in self._read_until:
            self._connection.execute(
                "UPDATE rooms SET read = max(read, ?) WHERE room = ?", (seq, room)
            )

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

    def people_change(self) -> int:
        """The number of the last known change of the server's accounts; 0 for none.

        Also 0 if an older program, without roles, stored the people: then all are fetched again.
        """
        return 0 if self.meta(MODERATORS) is None else number(self.meta(_PEOPLE)) or 0

    def set_people_change(self, change: int) -> None:
        """Record that all changes up to this one are known."""
        self.set_meta(_PEOPLE, str(change))
        if self.meta(MODERATORS) is None:
            self.set_meta(MODERATORS, "")

    def usernames(self) -> set[str]:
        """The usernames of all known people."""
        return {username for (username,) in self._connection.execute("SELECT username FROM people")}

    def display_names(self) -> dict[str, str]:
        """Username → display name of all known people but former members."""
        rows = self._connection.execute(
            "SELECT username, display_name FROM people WHERE NOT former"
        )
        return {
            username: words(name, limits.DISPLAY_NAME_LENGTH)
            for username, name in rows
            if is_username(username)
        }

    def is_former(self, username: str) -> bool:
        """Whether somebody's account was deleted."""
        row = self._connection.execute(
            "SELECT 1 FROM people WHERE username = ? AND former", (username,)
        ).fetchone()
        return row is not None

    def display_name(self, username: str) -> str:
        """A person's display name; "" for an unknown username."""
        row = self._connection.execute(
            "SELECT display_name FROM people WHERE username = ?", (username,)
        ).fetchone()
        return "" if row is None else words(row[0], limits.DISPLAY_NAME_LENGTH)

    def forget_people(self) -> None:
        """Remove all people."""
        self._connection.execute("DELETE FROM people")
        self._connection.execute("DELETE FROM erased")
        self._erased.clear()
        self.set_meta(MODERATORS, "")
        self.set_people_change(0)

    def add_person(self, person: Person) -> None:
        """Add a person, or update their name and role, and whether the account was deleted."""
        self._connection.execute(
            "INSERT INTO people (username, display_name, former) VALUES (?, ?, ?)"
            " ON CONFLICT (username) DO UPDATE SET display_name = excluded.display_name,"
            " former = excluded.former",
            (person.username, person.display_name, person.former),
        )
        if not person.erased:
            self._is_not_erased(person.username)
        moderators = set((self.meta(MODERATORS) or "").split())
        is_one = person.role == "moderator"
        if is_one != (person.username in moderators):
            self.set_meta(MODERATORS, " ".join(sorted(moderators ^ {person.username})))

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

    def outbox_add(
        self, room: str, cid: str, kind: str, body: Mapping[str, Any], written_at: int
    ) -> None:
        """Add a message to the outbox; it stays until its event is cached, or it is deleted."""
        self._connection.execute(
            "INSERT INTO outbox (room, cid, kind, body, written_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (room, cid, kind, body_json(body), written_at, OutboxState.WAITING),
        )
        self._waiting += 1

    def next_waiting(
        self, after: int = 0, *, room: str | None = None, but: Collection[str] = ()
    ) -> OutboxMessage | None:
        """The message to send next: the oldest one waiting, of those after number `after`.

        Of one room, or of all `but` some.
        """
        values = [after, OutboxState.WAITING]
        if room is not None:
            row = self._connection.execute(_NEXT_IN, [*values, room]).fetchone()
        elif but:
            row = self._connection.execute(_NEXT_BUT, [*values, json.dumps(list(but))]).fetchone()
        else:
            row = self._connection.execute(_NEXT, values).fetchone()
        return None if row is None else outgoing_of(row)

    def last_written(self) -> int:
        """The number of the message of the outbox that was written last; 0 for none."""
        (last,) = self._connection.execute("SELECT max(number) FROM outbox").fetchone()
        return whole(last, 2**63 - 1)

    def outgoing(self, cid: str) -> OutboxMessage | None:
        """A message of the outbox by its cid."""
        row = self._connection.execute(f"{OUTBOX} WHERE cid = ?", (cid,)).fetchone()
        return None if row is None else outgoing_of(row)

    def waiting(self) -> int:
        """Number of messages that are not acknowledged yet.

        A running count: with thousands of rows, `SELECT count(*)` at each change took seconds.
        """
        return self._waiting

    def outbox_set_state(self, cid: str, state: OutboxState, reason: Reason | None = None) -> None:
        """Set the state of a message: acknowledged, refused, or to be sent again."""
        waited = self._waits(cid)
        changed = self._connection.execute(
            "UPDATE outbox SET state = ?, reason = ? WHERE cid = ?",
            (state, "" if reason is None else json.dumps([reason.code, dict(reason.params)]), cid),
        )
        self._waiting += (changed.rowcount > 0 and state is OutboxState.WAITING) - waited

    def outbox_remove(self, cid: str) -> bool:
        """Delete a message that is in the room, or given up. True if it was in the outbox."""
        waited = self._waits(cid)
        cursor = self._connection.execute("DELETE FROM outbox WHERE cid = ?", (cid,))
        self._waiting -= waited
        return cursor.rowcount > 0

    def _waits(self, cid: str) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM outbox WHERE cid = ? AND state = ?", (cid, OutboxState.WAITING)
        )
        return found.fetchone() is not None


def _row(event: Event) -> tuple[str | int | None, ...]:
    """The columns that `_ADD` fills."""
    room, seq, kind, sender, sent_at, cid, body = event
    if type(body) is dict and len(body) == 1 and type(text := body.get("text")) is str:
        return room, seq, kind, sender, sent_at, cid, text, None, None  # as almost all are
    return room, seq, kind, sender, sent_at, cid, *body_columns(body)
