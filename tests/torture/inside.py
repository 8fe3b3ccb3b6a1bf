"""Where the torture gets into the server: every name of the server's insides that it relies on.

Points, faults and wrong servers go through here, so that whoever rebuilds the server finds in
one place what has to hold: a transaction of the log commits what it appended, and what is handed
out goes through `SendQueues.carry_out` afterwards.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any, Final, TypeVar

from chat_server import service
from chat_server.hub import batch
from chat_server.net import connection, io_thread, pages, queries, send_queues
from chat_server.rules import commands, effects, invites, permissions
from chat_server.rules.delivery import Delivery
from chat_server.rules.roles import Role
from chat_server.rules.sessions import Session, Sessions
from chat_server.rules.world import World
from chat_server.store.sqlite.store import SqliteStore
from common.protocol import messages
from common.protocol.events import Event
from common.protocol.fast_encode import body_json
from tests.torture.hooks import wrap, wrap_context

OUTBOX: Final = 48 * 1024
"""Bytes that may wait for a client of a hurried server; a page must fit in four of these."""

FanOut = Callable[[Any, effects.Fanout, float], None]


def small_outboxes() -> None:
    """So that they are full after a second of talk."""
    settings: list[tuple[Any, str, int]] = [
        (connection, "SEND_QUEUE_LIMIT", OUTBOX),
        (send_queues, "SEND_QUEUE_LIMIT", OUTBOX),
        (io_thread, "LOW_WATER", OUTBOX // 4),
        (pages, "PAGE_BYTES", OUTBOX // 2),
    ]
    _change(settings)


def small_kernel_buffers() -> None:
    """The kernel's buffer is an outbox, too: left large, ours would hardly ever be full."""

    def listen(original: Any, *rest: object) -> Any:
        listening = original(*rest)
        # What is accepted has it from the listening socket.
        listening.setsockopt(SOL_SOCKET, SO_SNDBUF, OUTBOX // 4)
        return listening

    wrap(service, "listen", listen)


def short_deadlines(silence: float) -> None:
    """A connection that brings nothing for so many seconds is given up, and so on."""
    settings: list[tuple[Any, str, float]] = [
        (connection, "SILENCE_DEADLINE", silence),
        (connection, "HANDSHAKE_DEADLINE", 2.0),
        (connection, "SIGN_IN_DEADLINE", 4.0),
    ]
    _change(settings)


def _change(settings: list[tuple[Any, str, Any]]) -> None:
    for module, name, value in settings:
        assert hasattr(module, name), name
        setattr(module, name, value)


# The log


def on_opened(act: Callable[[SqliteStore, Path], object]) -> None:
    """After the log is opened."""

    def opened(original: Any, log: SqliteStore, path: Path) -> None:
        original(log, path)
        act(log, path)

    wrap(SqliteStore, "__init__", opened)


_appended: list[Callable[[], object]] = []


def on_appended(act: Callable[[], object]) -> None:
    """After a client's message was written, in the transaction."""
    _appended.append(act)

    def append(original: Any, log: SqliteStore, room: Any, event: Any, sender: Any) -> Any:
        said_before = original(log, room, event, sender)
        if event.is_message and said_before is None:
            act()
        return said_before

    wrap(SqliteStore, "append", append)


def append_with(statement: str) -> None:
    """Have events written so, whatever is there: room, seq, kind, sender, time, cid, body."""

    def append(_original: object, log: SqliteStore, room: Any, event: Any, sender: Any) -> None:
        place = (room.number, event.seq, event.kind, sender.number)
        content = (event.sent_at, event.cid, body_json(event.body))
        log._connection.execute(statement, (*place, *content))
        for act in _appended if event.is_message else ():
            act()

    wrap(SqliteStore, "append", append)


def around_transaction(around: Callable[[Any, SqliteStore], AbstractContextManager[None]]) -> None:
    """Around everything from beginning to commit, on the hub's thread."""
    wrap_context(SqliteStore, "transaction", around)


@contextmanager
def uncommitted(log: SqliteStore) -> Iterator[None]:
    """A transaction of which the store knows, and that it does not end."""
    log._connection.execute("BEGIN IMMEDIATE")
    log._within = True
    try:
        yield
    finally:
        log._within = False


def before_transaction(act: Callable[[SqliteStore], None]) -> None:
    """Between two transactions, on the hub's thread."""

    @contextmanager
    def around(original: Any, log: SqliteStore) -> Iterator[None]:
        act(log)
        with original(log):
            yield

    around_transaction(around)


# What goes out


def around_fan_out(around: Callable[[FanOut, Any, effects.Fanout, float], None]) -> None:
    """Around the handing out of what a batch added to a room, on an I/O thread."""

    def carry_out(original: Any, out: Any, effect: effects.IoEffect, now: float) -> None:
        if isinstance(effect, effects.Fanout):
            around(original, out, effect, now)
        else:
            original(out, effect, now)

    wrap(send_queues.SendQueues, "carry_out", carry_out)


def connection_of(out: Any, number: int) -> Any:
    """A connection by its number; None if it has gone."""
    return out._connections.get(number)


def live_in(out: Any, room: str) -> dict[int, Any]:
    """The connections that are handed a room's new events."""
    live: dict[int, Any] = out._live.get(room, {})
    return live


# Sessions


def on_fell_behind(act: Callable[[Session], object]) -> None:
    """When a session's outbox was full, and it is to be caught up from the log."""

    def fell_behind(original: Any, delivery: Delivery, session: Session, *rest: object) -> Any:
        act(session)
        return original(delivery, session, *rest)

    wrap(Delivery, "fell_behind", fell_behind)


def on_admitted(act: Callable[[Session, str], object]) -> None:
    """When a session becomes an account's."""

    def admit(original: Any, sessions: Sessions, session: Session, username: str) -> Any:
        act(session, username)
        return original(sessions, session, username)

    wrap(Sessions, "admit", admit)


_Command = TypeVar("_Command", bound=messages.Command)


def change_commands(kind: type[_Command], change: Callable[[_Command], _Command]) -> None:
    """Have the rules see other commands of a kind than the client's."""

    def handle(original: Any, world: Any, session: Any, command: Any, now: int) -> Any:
        if isinstance(command, kind):
            command = change(command)
        return original(world, session, command, now)

    wrap(batch, "handle_command", handle)


# What is done to people


def around_ending(around: Callable[..., Any]) -> None:
    """Around what has sessions ended: which, with which words, and why."""

    def end(original: Any, world: World, *rest: object) -> Any:
        return around(partial(original, world), *rest)

    wrap(World, "end", end)


def after_failed_batch(
    more: Callable[[], Sequence[effects.Effect]], before: Callable[[], object]
) -> None:
    """What else follows from a batch that could not be stored; `before` each batch."""

    def commit(original: Any, batches: Any, items: Any) -> list[batch.Applied]:
        before()
        applied: list[batch.Applied] = original(batches, items)
        if batches._failure is not None:
            applied.append(batch.Applied([*more()]))
        return applied

    wrap(batch.Batches, "commit", commit)


def all_moderators() -> None:
    """Everybody who is signed in has that role."""

    def role_of(original: Any, world: Any, session: Session) -> Role:
        role: Role = original(world, session)
        return Role.MODERATOR if role is Role.MEMBER else role

    wrap(commands, "role_of", role_of)
    wrap(permissions, "role_of", role_of)


def keep_invite() -> None:
    """The secret of the invite stays, whatever is asked for."""
    wrap(invites, "renew_invite", lambda *_: [])


def around_page(around: Callable[..., list[Event]]) -> None:
    """Around what chooses, of events in a row, those that go into a page of history."""
    wrap(queries, "_fitting", around)
