"""Caches in which something stands that no ChatClient has written."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

HOSTILE: Sequence[tuple[str, object]] = (
    ("a large number", 2**63 - 1),
    ("a negative number", -(2**63)),
    ("the largest of JSON", 2**53 - 1),
    ("a fraction", 1.5),
    ("infinity", float("inf")),
    ("bytes", b"\x00\xff\xfe"),
    ("a word", "abc"),
    ("too many digits", "9" * 5000),
    ("lists in lists", "[" * 100_000),
    ("a body with half of a character", '{"text": "\\ud83d"}'),
    ("a body with a number for a text", '{"text": 3}'),
    ("a body with half of a character beside its text", '{"text": "x", "\\ud83d": "\\udc00"}'),
    ("a body with no number", '{"text": "x", "n": NaN}'),
    ("a list", "[]"),
    ("an empty text", ""),
    ("NULs", "\0" * 9),
    ("a huge text", "x" * 1_000_000),
    ("half a direct room", "dm:ada"),
    ("a direct room of too many", "dm:a:b:c"),
    ("controls", "\x1b[2J\u202e{$[exit]}"),
)
INVALID_UTF8 = {"a lone surrogate": "EDA080", "no UTF-8": "C3", "an overlong NUL": "C080"}
COLUMNS = {
    "events": ("room", "seq", "kind", "sender", "sent_at", "cid", "text", "body", "came"),
    "outbox": ("room", "cid", "kind", "body", "written_at", "state", "reason"),
    "rooms": ("room", "position", "read"),
    "spans": ("room", "first", "last"),
    "people": ("username", "display_name", "former"),
    "erased": ("username", "after"),
    "drafts": ("room", "text"),
    "meta": ("key", "value"),
}
GOOD: dict[str, tuple[object, ...]] = {
    "events": (
        "general",
        3,
        "message",
        "bob",
        3,
        "3" * 16,
        "three",
        '{"text":"three","n":1}',
        '{"text":"three","n":1,"m":2}',
    ),
    "outbox": ("general", "c" * 16, "message", '{"text":"hello"}', 5, "waiting", ""),
    "rooms": ("other", 0, 0),
    "spans": ("general", 1, 3),
    "people": ("bob", "Bob", 0),
    "erased": ("cem", 1),
    "drafts": ("other", "half a"),
    "meta": ("read until: general", "7"),
}


def spoil(path: Path, table: str, column: str, value: object, *, as_text: bool = False) -> None:
    """Put a row into a table in which one column has this value; as text, it is hexadecimal."""
    row = dict(zip(COLUMNS[table], GOOD[table], strict=True))
    row[column] = value
    marks = ["CAST(unhex_(?) AS TEXT)" if as_text and name == column else "?" for name in row]
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")  # it is done some hundred times
    connection.create_function("unhex_", 1, bytes.fromhex)
    connection.execute(
        f"INSERT OR REPLACE INTO {table} ({', '.join(row)}) VALUES ({', '.join(marks)})",  # noqa: S608 (our own names)
        tuple(row.values()),
    )
    connection.commit()
    connection.close()


CASES: Sequence[tuple[str, str, str, object, bool]] = [
    *((t, c, name, value, False) for t in COLUMNS for c in COLUMNS[t] for name, value in HOSTILE),
    *(
        (t, c, name, value, True)
        for t in COLUMNS
        for c in COLUMNS[t]
        for name, value in INVALID_UTF8.items()
    ),
]
"""Table, column, what is wrong, the value, and whether it is a text in hexadecimal."""
