"""Long histories, written straight into the databases of a server and of a client.

Both get the same events, as if they had been said and received: the two stay in step, and the
programs that open them are none the wiser. Neither may run meanwhile.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from chat_client.cache import schema as cache_schema
from chat_server.store.sqlite import schema as store_schema
from common.domain.names import GENERAL
from common.protocol.fast_encode import body_json
from tests.events import cid_of

_SENDERS: Final = ("ada", "bruno")
_APART: Final = 47_000
"""Milliseconds between two messages."""
_WORDS: Final = (
    *("the", "relay", "on", "the", "second", "floor", "of", "the", "harbour", "office"),
    *("sleeps", "and", "wakes", "up", "again"),
)

ONCE: Final = "anchor"
"""A word that is said once, among the oldest messages."""

_Row = tuple[int, str, str, int, str]


def lengthen(log: Path, cache: Path | None, head: int) -> None:
    """Let the general room of both databases reach to `head`; or the server's alone."""
    now = time.time_ns() // 1_000_000
    store = store_schema.connect_writer(log)
    with store:
        (room,) = store.execute("SELECT number FROM rooms WHERE room = ?", (GENERAL,)).fetchone()
        (last,) = store.execute("SELECT max(seq) FROM events WHERE room = ?", (room,)).fetchone()
        numbers = dict(store.execute("SELECT username, number FROM accounts"))
        store.execute("BEGIN")
        store.executemany(
            "INSERT INTO events (room, seq, kind, sender, body, sent_at, cid)"
            " VALUES (?, ?, 'message', ?, ?, ?, ?)",
            (
                (room, seq, numbers[sender], body_json({"text": text}), at, cid)
                for seq, sender, text, at, cid in _rows(last, head, now)
            ),
        )
        store.execute("COMMIT")
    store.close()
    if cache is None:
        return
    kept = cache_schema.connect_writer(cache)
    kept.execute("BEGIN")
    kept.executemany(
        "INSERT INTO events (room, seq, kind, sender, text, sent_at, cid)"
        " VALUES (?, ?, 'message', ?, ?, ?, ?)",
        (
            (GENERAL, seq, sender, text, at, cid)
            for seq, sender, text, at, cid in _rows(last, head, now)
        ),
    )
    kept.execute("UPDATE spans SET last = ? WHERE room = ? AND first = 1", (head, GENERAL))
    kept.execute("UPDATE rooms SET position = ?, read = ? WHERE room = ?", (head, head, GENERAL))
    kept.execute("COMMIT")
    kept.close()


def _rows(last: int, head: int, now: int) -> Iterator[_Row]:
    """Messages of three at a time by one sender, between three words and three lines long."""
    words = itertools.cycle(range(3, 45))
    for seq in range(last + 1, head + 1):
        count = next(words)
        text = f"{seq}: " + " ".join(_WORDS[n % len(_WORDS)] for n in range(count))
        if seq == last + 1:
            text += f" {ONCE}"
        yield (
            seq,
            _SENDERS[seq // 3 % 2],
            text,
            now - (head - seq) * _APART,
            cid_of(seq),
        )
