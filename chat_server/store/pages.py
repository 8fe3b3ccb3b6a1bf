"""Reading the log: pages of a room after a place, through a connection that can't write."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

from common.database import connect_reader
from common.events import Event
from common.quick_frames import event_frame

PAGE_BYTES: Final = 128 * 1024
"""A page ends with the event that reaches this: about 600 short messages."""
PAGE_EVENTS: Final = 512
"""It also ends with an event whose `seq` is a multiple of this.

So the pages of those who began in different places become the same ones.
"""
KEPT_PAGES: Final = 16
"""Whole pages that a reader keeps: many who catch up at once want the same ones."""

_FIRST_ROWS: Final = 8
"""Events that are read first: a page may hold no more, if they are long."""
_ROWS_AT_ONCE: Final = 64
"""Events at most that are read with one step of a statement.

Each step gives the interpreter away and has to get it back, which costs much where others are busy:
so they come as one row, which JSON holds together.
"""
_ROWS: Final = """
    SELECT json_group_array(json_array(seq, kind, username, sent_at, cid, json(body))) FROM (
        SELECT seq, kind, username, sent_at, cid, body FROM events
        JOIN rooms ON rooms.number = events.room
        JOIN accounts ON accounts.number = events.sender
        WHERE rooms.room = ? AND seq > ? ORDER BY seq LIMIT ?
    )
"""


class Page(NamedTuple):
    """Consecutive events of a room."""

    frames: bytes
    """Empty if there are none."""
    last: int
    """The last event's `seq`; without any, the one before the page."""
    whole: bool
    """Whether it is as long as a page gets, and not just as long as the log is now."""


class PageReader:
    """One reading connection, for one thread."""

    def __init__(self, path: Path) -> None:
        self._connection: sqlite3.Connection = connect_reader(path)
        self._kept: dict[tuple[str, int], Page] = {}
        """Whole pages, those used last at the end. The log only grows: they stay as they are."""

    def page_of(
        self, rooms: Sequence[tuple[str, int]]
    ) -> tuple[bytes, tuple[tuple[str, int], ...]]:
        """One page of what follows in several rooms, and the last place in each that is in it.

        Raises sqlite3.Error.
        """
        frames: list[bytes] = []
        lasts: list[tuple[str, int]] = []
        size = 0
        for room, after in rooms:
            page = self.page(room, after)
            frames.append(page.frames)
            lasts.append((room, page.last))
            size += len(page.frames)
            if size >= PAGE_BYTES:
                break
        return b"".join(frames), tuple(lasts)

    def page(self, room: str, after: int) -> Page:
        """The events that follow `after`. Raises sqlite3.Error."""
        key = (room, after)
        page = self._kept.pop(key, None) or self._read(room, after)
        if page.whole:
            self._kept[key] = page
            if len(self._kept) > KEPT_PAGES:
                del self._kept[next(iter(self._kept))]
        return page

    def _read(self, room: str, after: int) -> Page:
        frames: list[bytes] = []
        size = 0
        last = after
        count = _FIRST_ROWS
        while True:
            rows = self._rows(room, last, count)
            for seq, kind, sender, sent_at, cid, body in rows:
                frames.append(event_frame(Event(room, seq, kind, sender, sent_at, cid, body)))
                size += len(frames[-1])
                last = seq
                if size >= PAGE_BYTES or seq % PAGE_EVENTS == 0:
                    return Page(b"".join(frames), last, whole=True)
            if len(rows) < count:
                return Page(b"".join(frames), last, whole=False)
            # About as many as the page will take.
            count = max(1, min(_ROWS_AT_ONCE, (PAGE_BYTES - size) * len(frames) // size))

    def _rows(
        self, room: str, after: int, count: int
    ) -> list[tuple[int, str, str, int, str, dict[str, Any]]]:
        """The next events, in their order."""
        statement = self._connection.execute(_ROWS, (room, after, count))
        ((rows,),) = statement.fetchall()
        found: list[tuple[int, str, str, int, str, dict[str, Any]]] = json.loads(rows)
        found.sort(key=itemgetter(0))
        return found

    def close(self) -> None:
        """Let go of the file, before the writer does."""
        with suppress(sqlite3.Error):
            self._connection.close()
