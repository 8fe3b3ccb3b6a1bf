"""The outbox of one account: messages that are not in a room yet, oldest first."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from typing import Any, Final

from chat_client.cache.rows import OUTBOX, outgoing_of, whole
from chat_client.state.outbox_message import OutboxMessage, OutboxState
from common.domain.reasons import Reason
from common.protocol.fast_encode import body_json

_NEXT: Final = f"{OUTBOX} WHERE number > ? AND state = ? ORDER BY number LIMIT 1"
_NEXT_IN: Final = f"{OUTBOX} WHERE number > ? AND state = ? AND room = ? ORDER BY number LIMIT 1"
_NEXT_BUT: Final = (
    f"{OUTBOX} WHERE number > ? AND state = ?"  # noqa: S608 - nothing but constants
    " AND room NOT IN (SELECT value FROM json_each(?)) ORDER BY number LIMIT 1"
)


class OutboxTable:
    """The outbox. Its statements are part of the transaction that the cache has begun."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (waiting,) = connection.execute(
            "SELECT count(*) FROM outbox WHERE state = ?", (OutboxState.WAITING,)
        ).fetchone()
        self._waiting = self._before = int(waiting)

    def begin(self) -> None:
        """A transaction begins."""
        self._before = self._waiting

    def roll_back(self) -> None:
        """It was rolled back."""
        self._waiting = self._before

    def add(self, room: str, cid: str, kind: str, body: Mapping[str, Any], written_at: int) -> None:
        """Add a message to the outbox; it stays until its event is cached, or it is deleted."""
        self._connection.execute(
            "INSERT INTO outbox (room, cid, kind, body, written_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (room, cid, kind, body_json(body), written_at, OutboxState.WAITING),
        )
        self._waiting += 1

    def next(
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

    def find(self, cid: str) -> OutboxMessage | None:
        """A message of the outbox by its cid."""
        row = self._connection.execute(f"{OUTBOX} WHERE cid = ?", (cid,)).fetchone()
        return None if row is None else outgoing_of(row)

    @property
    def waiting(self) -> int:
        """Number of messages that are not acknowledged yet.

        A running count: with thousands of rows, `SELECT count(*)` at each change took seconds.
        """
        return self._waiting

    def set_state(self, cid: str, state: OutboxState, reason: Reason | None = None) -> None:
        """Set the state of a message: acknowledged, refused, or to be sent again."""
        waited = self._waits(cid)
        changed = self._connection.execute(
            "UPDATE outbox SET state = ?, reason = ? WHERE cid = ?",
            (state, "" if reason is None else json.dumps([reason.code, dict(reason.params)]), cid),
        )
        self._waiting += (changed.rowcount > 0 and state is OutboxState.WAITING) - waited

    def remove(self, cid: str) -> bool:
        """Delete a message that is in the room, or given up. True if it was in the outbox."""
        waited = self._waits(cid)
        cursor = self._connection.execute("DELETE FROM outbox WHERE cid = ?", (cid,))
        self._waiting -= waited
        return cursor.rowcount > 0

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

    def _waits(self, cid: str) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM outbox WHERE cid = ? AND state = ?", (cid, OutboxState.WAITING)
        )
        return found.fetchone() is not None
