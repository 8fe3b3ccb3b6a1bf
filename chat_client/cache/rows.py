"""Validates the rows of the cache's tables when they are read.

SQLite stores any type in any column, and a file may have been damaged, edited or written by a
faulty program. The window has to open with any content: so no value that is read is trusted to
have its type, its bounds or valid characters. Invalid values are skipped or replaced by the nearest
valid one; the server still has the right ones.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from chat_client.state.outbox_message import OutboxMessage, OutboxState
from common import limits
from common.domain.names import ROOM_PATTERN, USERNAME_PATTERN
from common.domain.reasons import Reason
from common.protocol.events import Event, PartOfBody, UnknownBody
from common.protocol.fast_encode import body_json

_ROOM: Final = re.compile(ROOM_PATTERN)
_USERNAME: Final = re.compile(USERNAME_PATTERN)
_SESSION: Final = re.compile(r"[0-9a-f]{32}")
_NUMBER: Final = re.compile(r"[0-9]{1,16}")
_CID: Final = re.compile(r"[A-Za-z0-9_-]{16}")
_STATES: Final[dict[object, OutboxState]] = {state.value: state for state in OutboxState}


def tolerate(connection: sqlite3.Connection) -> None:
    """Decode invalid UTF-8 with replacement characters.

    Otherwise a single such text would fail every query that reads it.
    """
    connection.text_factory = lambda text: str(text, "utf-8", "replace")


def words(value: object, most: int = limits.TEXT_BYTES) -> str:
    """A text cut to `most` characters; "" for any other type."""
    return value[:most] if isinstance(value, str) else ""


def whole(value: object, most: int = limits.MAX_INTEGER) -> int:
    """An integer from 0 to `most`; 0 for anything else."""
    return min(max(0, value), most) if type(value) is int else 0


def number(text: object) -> int | None:
    """An integer from 0 on that is stored as text; None for anything else."""
    if isinstance(text, str) and _NUMBER.fullmatch(text):
        return whole(int(text))
    return None


def is_room(value: object) -> bool:
    """Whether it is a valid room id."""
    return isinstance(value, str) and len(value) <= 80 and _ROOM.fullmatch(value) is not None


def is_username(value: object) -> bool:
    """Whether it is a valid username, in its stored form."""
    return isinstance(value, str) and bool(_USERNAME.fullmatch(value)) and value == value.lower()


def is_session(value: object) -> bool:
    """Whether it is a valid session name."""
    return isinstance(value, str) and _SESSION.fullmatch(value) is not None


def is_cid(value: object) -> bool:
    """Whether it is a valid `cid`."""
    return isinstance(value, str) and _CID.fullmatch(value) is not None


EVENTS: Final = "SELECT room, seq, kind, sender, sent_at, cid, text, body FROM events"
"""Selects the columns for `event_of`."""
OUTBOX: Final = "SELECT number, room, cid, kind, body, written_at, state, reason FROM outbox"
"""Selects the columns for `outgoing_of`."""


def event_of(row: tuple[object, ...]) -> Event | None:
    """The event of a row of `EVENTS`; None if its `seq` is invalid."""
    room, seq, kind, sender, sent_at, cid, text, body = row
    if type(seq) is not int or not 1 <= seq <= limits.MAX_INTEGER:
        return None
    return Event(
        words(room),
        seq,
        words(kind, limits.KIND_LENGTH),
        words(sender, limits.USERNAME_LENGTH),
        whole(sent_at, limits.MAX_TIME),
        words(cid, limits.CID_LENGTH),
        _body_of(text, body),
    )


def _body_of(text: object, body: object) -> Mapping[str, Any]:
    if text is None:
        # What it holds is of no use before `Cache.understand` has looked at it.
        return UnknownBody()
    if body is None:
        return {"text": words(text)}
    known = json_object(body)
    if known is None:
        return UnknownBody()
    return known | {"text": words(text)} if "text" in known else known


def body_columns(body: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """The columns `text`, `body` and `came` of an event with this body: see the schema."""
    if isinstance(body, UnknownBody):
        return None, None, body_json(body)
    came = body_json(body.whole) if isinstance(body, PartOfBody) else None
    text = body.get("text")
    if isinstance(text, str):
        return text, None if len(body) == 1 else body_json(body), came
    return "", body_json(body), came


def json_object(value: object) -> dict[str, Any] | None:
    """A JSON object stored as text; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = json.loads(value)
        if "\\u" in value:
            body_json(found).encode()  # Half of a character can't be stored or drawn.
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def outgoing_of(row: tuple[object, ...]) -> OutboxMessage:
    """The outbox entry of a row of `OUTBOX`.

    One with an unknown state counts as failed: the person decides.
    """
    number, room, cid, kind, body, written_at, state, reason = row
    return OutboxMessage(
        words(room),
        words(cid),
        words(kind, limits.KIND_LENGTH),
        json_object(body) or {},
        whole(written_at, limits.MAX_TIME),
        _STATES.get(state, OutboxState.FAILED) if isinstance(state, str) else OutboxState.FAILED,
        _reason(reason),
        whole(number, 2**63 - 1),
    )


def _reason(value: object) -> Reason | None:
    """Why a message could not be sent; a former version stored a sentence instead of a code."""
    if not isinstance(value, str) or not value:
        return None
    try:
        code, params = json.loads(value)
        known = {
            name: text
            for name, text in params.items()
            if isinstance(name, str) and isinstance(text, str | int)
        }
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Reason("text", {"text": words(value, limits.REASON_LENGTH)})
    return Reason(words(code, limits.KIND_LENGTH), known)
