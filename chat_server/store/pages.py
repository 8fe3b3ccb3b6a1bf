"""Reading the log: pages of a room after a place, through a connection that can't write."""

import sqlite3
from pathlib import Path
from typing import Final

from chat_server.rules.conversation import frame_of
from chat_server.rules.directory import StoredEvent
from common.database import connect_reader

PAGE_BYTES: Final = 128 * 1024
"""A page ends with the event that reaches this: about 600 short messages."""

_PAGE: Final = (
    "SELECT seq, kind, username, text, sent_at, lower(hex(cid)) FROM events"
    " JOIN rooms ON rooms.number = events.room"
    " JOIN accounts ON accounts.number = events.sender"
    " WHERE rooms.room = ? AND seq > ? ORDER BY seq"
)


class PageReader:
    """One reading connection, for one thread."""

    def __init__(self, path: Path) -> None:
        self._connection: sqlite3.Connection = connect_reader(path)

    def page(self, room: str, after: int) -> tuple[bytes, int]:
        """The frames of the events that follow `after`, and the last one's `seq`.

        Without any: no bytes, and `after`. Raises sqlite3.Error.
        """
        frames: list[bytes] = []
        size = 0
        last = after
        # Stepping the cursor reads no more rows than the page takes.
        cursor = self._connection.execute(_PAGE, (room, after))
        try:
            for seq, kind, sender, text, sent_at, cid in cursor:
                event = StoredEvent(room, seq, kind, sender, text, sent_at, cid or None)
                frames.append(frame_of(event))
                size += len(frames[-1])
                last = seq
                if size >= PAGE_BYTES:
                    break
        finally:
            cursor.close()  # Or its read transaction would keep the log from being checkpointed.
        return b"".join(frames), last

    def close(self) -> None:
        """Let go of the file, before the writer does."""
        self._connection.close()
