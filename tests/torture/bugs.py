"""Wrong programs: each breaks one promise as such a one would, and the checker must see it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from chat_client.cache.cache import Cache
from chat_server.net.endpoints.frames import FramesEndpoint
from chat_server.rules import effects
from chat_server.store.sqlite.store import SqliteStore
from common.protocol import messages
from tests.torture import inside
from tests.torture.hooks import Points, wrap
from tests.torture.moderation_bugs import MODERATION_BUGS, lose_one_of_a_page

_APPEND: Final = (
    "INSERT INTO events (room, seq, kind, sender, sent_at, cid, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_ON_ITS_WAY: Final = 0.3
"""Seconds that an early acknowledgement gets to leave, before the server dies uncommitted."""


def _acknowledge_before_commit(points: Points) -> None:
    said: list[bool] = []

    @contextmanager
    def transaction(original: Any, log: SqliteStore) -> Iterator[None]:
        said.clear()
        if not points.due("before-commit"):
            with original(log):
                yield
            return
        with inside.uncommitted(log):
            yield
        if said:
            threading.Timer(_ON_ITS_WAY, points.reach, ["before-commit"]).start()
        else:
            log._connection.execute("COMMIT")

    inside.on_appended(lambda: said.append(True))
    inside.around_transaction(transaction)


def _no_unique_index(_points: Points) -> None:
    inside.on_opened(lambda log, _: log._connection.execute("DROP INDEX IF EXISTS events_by_cid"))
    inside.append_with(_APPEND)


def _drop_on_overflow(_points: Points) -> None:
    def fan_out(original: inside.FanOut, out: Any, effect: effects.Fanout, now: float) -> None:
        live = inside.live_in(out, effect.room)
        size = len(FramesEndpoint().events(effect.events))
        slow = {
            number: each for number, each in live.items() if each.waiting + size > inside.OUTBOX
        }
        for number in slow:
            del live[number]
        original(out, effect, now)
        live.update(slow)

    inside.around_fan_out(fan_out)


def _unordered_fan_out(_points: Points) -> None:
    held: dict[str, effects.Fanout] = {}

    def fan_out(original: inside.FanOut, out: Any, effect: effects.Fanout, now: float) -> None:
        late = held.pop(effect.room, None)
        if late is None and any(number is not None for number in effect.acks):
            held[effect.room] = effect
            return
        original(out, effect, now)
        if late is not None:
            original(out, late, now)

    inside.around_fan_out(fan_out)


def _no_fencing(_points: Points) -> None:
    def unfenced(command: messages.SignIn) -> messages.SignIn:
        return command.model_copy(update={"resume": None})

    inside.change_commands(messages.SignIn, unfenced)


def _echo_to_the_sender(_points: Points) -> None:
    def fan_out(original: inside.FanOut, out: Any, effect: effects.Fanout, now: float) -> None:
        original(out, effect, now)
        for number, acks in effect.acks.items():
            sender = inside.connection_of(out, number)
            if sender is not None:
                echoed = FramesEndpoint().events(effect.events[place] for place in acks)
                out.say(sender, echoed, now)

    inside.around_fan_out(fan_out)


def _one_device_only(_points: Points) -> None:
    """Not echoed to the sender's session is taken for: to none of the sender's sessions."""
    usernames: dict[int, str] = {}
    inside.on_admitted(lambda session, name: usernames.update({session.connection: name}))

    def fan_out(original: inside.FanOut, out: Any, effect: effects.Fanout, now: float) -> None:
        live = inside.live_in(out, effect.room)
        senders = {usernames.get(number) for number in effect.acks}
        left_out = {
            number: each
            for number, each in live.items()
            if number not in effect.acks and usernames.get(number) in senders
        }
        for number in left_out:
            del live[number]
        original(out, effect, now)
        live.update(left_out)

    inside.around_fan_out(fan_out)


def _same_epoch(_points: Points) -> None:
    """The epoch is kept beside the database, and stays when the database is set back.

    And positions are believed.
    """

    def opened(log: SqliteStore, path: Path) -> None:
        beside = path.with_name("epoch")
        if not beside.exists():
            beside.write_text(log.epoch())
        wrap(SqliteStore, "epoch", lambda *_: beside.read_text())

    inside.on_opened(opened)
    _believe_positions(_points)


def _believe_positions(_points: Points) -> None:
    """What a client has in a place is not compared with what is there."""

    def believed(command: messages.Sync) -> messages.Sync:
        return command.model_copy(update={"last": {}})

    inside.change_commands(messages.Sync, believed)


def keep_old_copies() -> None:
    """A client that takes note of another history, and goes on with its copy of the former.

    Nor does it say what it has, so that the server can't tell.
    """

    def reset(_original: object, cache: Cache, epoch: str) -> None:
        cache.set_meta("epoch", epoch)
        cache.set_meta("session", "")

    wrap(Cache, "reset", reset)
    wrap(Cache, "cids", lambda *_: {})


BUGS: Final[Mapping[str, Callable[[Points], None]]] = {
    "acknowledge-before-commit": _acknowledge_before_commit,
    "no-unique-index": _no_unique_index,
    "drop-on-overflow": _drop_on_overflow,
    "unordered-fan-out": _unordered_fan_out,
    "no-fencing": _no_fencing,
    "echo-to-the-sender": _echo_to_the_sender,
    "one-device-only": _one_device_only,
    "same-epoch": _same_epoch,
    "believe-positions": _believe_positions,
    **MODERATION_BUGS,
}
"""Wrong servers."""
CLIENT_BUGS: Final[Mapping[str, Callable[[], None]]] = {
    "keep-old-copies": keep_old_copies,
    "lose-one-of-a-page": lose_one_of_a_page,
}
"""Wrong clients."""
