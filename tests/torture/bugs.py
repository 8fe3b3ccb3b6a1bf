"""Wrong servers: each breaks one promise as such a server would, and the checker must see it."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from chat_server import hub
from chat_server.hub_queue import Received
from chat_server.net import connection, outgoing
from chat_server.rules import admission, effects, table
from chat_server.store.log import SqliteLog
from common import messages
from tests.torture.hooks import Points, wrap
from tests.torture.points import says_something

_APPEND: Final = (
    "INSERT INTO events (room, seq, kind, sender, text, sent_at, cid) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_ON_ITS_WAY: Final = 0.3
"""Seconds that an early acknowledgement gets to leave, before the server dies uncommitted."""


def _acknowledge_before_commit(points: Points) -> None:
    apply: Any = hub.Hub._apply

    def commit(_original: object, self: Any, items: Any) -> list[Any]:
        now = time.time_ns() // 1_000_000
        self._failure = None
        if not any(isinstance(item, Received) and hub._writes(item) for item in items):
            return list(apply(self, items, now))
        with self._store.transaction():
            applied = apply(self, items, now)
            self._release(applied)
            if says_something(applied):
                if points.due("before-commit"):
                    time.sleep(_ON_ITS_WAY)
                points.reach("before-commit")
        return []

    wrap(hub.Hub, "_commit", commit)


def _no_unique_index(_points: Points) -> None:
    def opened(original: Any, self: SqliteLog, path: object) -> None:
        original(self, path)
        self._connection.execute("DROP INDEX IF EXISTS events_by_cid")

    def append(_original: object, self: SqliteLog, room: Any, event: Any, sender: Any) -> None:
        row = (room.number, event.seq, event.kind, sender.number, event.text, event.sent_at)
        cid = None if event.cid is None else bytes.fromhex(event.cid)
        self._connection.execute(_APPEND, (*row, cid))

    wrap(SqliteLog, "__init__", opened)
    wrap(SqliteLog, "append", append)
    wrap(SqliteLog, "find", lambda *_: None)


def _drop_on_overflow(_points: Points) -> None:
    def fan_out(original: Any, self: Any, effect: effects.Fanout, now: float) -> None:
        live = self._live.get(effect.room, {})
        size = sum(map(len, effect.frames))
        slow = {
            number: each
            for number, each in live.items()
            if each.waiting + size > connection.OUTBOX_LIMIT
        }
        for number in slow:
            del live[number]
        original(self, effect, now)
        live.update(slow)

    wrap(outgoing.Outgoing, "_fan_out", fan_out)


def _unordered_fan_out(_points: Points) -> None:
    held: dict[str, effects.Fanout] = {}

    def fan_out(original: Any, self: Any, effect: effects.Fanout, now: float) -> None:
        late = held.pop(effect.room, None)
        if late is None and any(number is not None for number in effect.acks):
            held[effect.room] = effect
            return
        original(self, effect, now)
        if late is not None:
            original(self, late, now)

    wrap(outgoing.Outgoing, "_fan_out", fan_out)


def _no_fencing(_points: Points) -> None:
    def sign_in(world: Any, session: Any, command: messages.SignIn, now: int) -> Any:
        unfenced = command.model_copy(update={"resume": None})
        return admission.sign_in(world, session, unfenced, now)

    commands: Any = table._COMMANDS
    commands[messages.SignIn] = sign_in


BUGS: Final[Mapping[str, Callable[[Points], None]]] = {
    "acknowledge-before-commit": _acknowledge_before_commit,
    "no-unique-index": _no_unique_index,
    "drop-on-overflow": _drop_on_overflow,
    "unordered-fan-out": _unordered_fan_out,
    "no-fencing": _no_fencing,
}
