"""Who may do what by a database, what was done to make it so, and whether the two agree."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_MODERATOR: Final = 2
"""The number of that role (chat_server/rules/directory.py)."""


@dataclass(frozen=True, slots=True)
class Sanction:
    """A ban or a mute. A ban of a device is about the person who had it in hand then."""

    kind: str
    username: str
    until: int | None
    reason: str
    of_device: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """What holds: sanctions by their numbers, who are moderators, the invite's secret.

    `last_sanction` and `last_entry` are the greatest numbers that were given out so far.
    """

    sanctions: Mapping[int, Sanction] = field(default_factory=dict)
    moderators: frozenset[str] = frozenset()
    last_sanction: int = 0
    last_entry: int = 0


NO_RIGHTS: Final = Rights()
"""Of a server to which nothing was ever done."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One of the audit log."""

    number: int
    by: str
    action: str
    fields: Mapping[str, Any]


def read_rights(database: sqlite3.Connection) -> Rights:
    """What a database says."""
    rows = database.execute(
        "SELECT sanctions.number, kind, username, until, reason, sanctions.device FROM sanctions"
        " LEFT JOIN accounts ON accounts.number = account"
    )
    found = {
        number: Sanction(kind, username or person_in(reason), until, reason, device is not None)
        for number, kind, username, until, reason, device in rows
    }
    moderators = database.execute("SELECT username FROM accounts WHERE role = ?", (_MODERATOR,))
    last = dict(database.execute("SELECT name, seq FROM sqlite_sequence"))
    return Rights(
        found,
        frozenset(username for (username,) in moderators),
        last.get("sanctions", 0),
        last.get("audit", 0),
    )


def read_audit(database: sqlite3.Connection, after: int) -> list[Entry]:
    """The audit log behind an entry."""
    rows = database.execute(
        "SELECT number, actor, action, fields FROM audit WHERE number > ? ORDER BY number", (after,)
    )
    return [Entry(number, by, action, json.loads(fields)) for number, by, action, fields in rows]


def person_in(reason: str) -> str:
    """Whom the words of a sanction of this torture are about."""
    return reason.partition(" ")[0]


def followed(before: Rights, audit: Sequence[Entry]) -> Rights:
    """What holds after all that was done."""
    sanctions = dict(before.sanctions)
    moderators = set(before.moderators)
    last = before.last_sanction
    for entry in audit:
        name = entry.fields.get("username")
        match entry.action:
            case "ban" | "mute":
                if entry.action == "mute":
                    _lift(sanctions, "mute", name)
                last += 1
                reason = entry.fields.get("reason", "")
                until = entry.fields.get("until")
                about = name or person_in(reason)
                of_device = "connection" in entry.fields
                sanctions[last] = Sanction(entry.action, about, until, reason, of_device)
            case "unban" if "number" in entry.fields:
                sanctions.pop(entry.fields["number"], None)
            case "unban":
                _lift(sanctions, "ban", name)
            case "unmute":
                _lift(sanctions, "mute", name)
            case "set_role" if entry.fields["role"] == "moderator":
                moderators.add(name or "")
            case "set_role":
                moderators.discard(name or "")
            case _:
                pass
    numbers = [entry.number for entry in audit]
    return Rights(sanctions, frozenset(moderators), last, max(numbers, default=before.last_entry))


def _lift(sanctions: dict[int, Sanction], kind: str, name: str | None) -> None:
    for number, each in list(sanctions.items()):
        if (each.kind, each.username, each.of_device) == (kind, name, False):
            del sanctions[number]


def differences(wanted: Rights, found: Rights, latest: float) -> Iterator[str]:
    """What a database has otherwise than what was done says, in words.

    What has ended by `latest`, in milliseconds since 1970, may be deleted.
    """
    for number in sorted(wanted.sanctions.keys() | found.sanctions.keys()):
        one, other = wanted.sanctions.get(number), found.sanctions.get(number)
        if one is not None and other is None and one.until is not None and one.until <= latest:
            continue
        if one != other:
            yield f"sanction {number} should be {one} and is {other}"
    for name in sorted(wanted.moderators ^ found.moderators):
        yield f"{name} {'should be' if name in wanted.moderators else 'is'} a moderator"
