"""The hub: the one thread that owns every rule, all live state and the writing of the log.

It takes whatever has gathered in its queue, applies all of it in one transaction, commits
once (group commit), and only then releases what follows from it: an acknowledgement that
leaves this thread is on the disk.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chat_server.hub_queue import HubItem, HubQueue, Received, StopHub
from chat_server.net.io_thread import IoThread
from chat_server.net.readers import Readers
from chat_server.rules import effects
from chat_server.rules.directory import Account
from chat_server.rules.inputs import Input
from chat_server.rules.sessions import Session
from chat_server.rules.table import WRITING, handle_command, handle_input
from chat_server.rules.view import ClientGone, MessagesStored, StoreFailed, ViewEvent
from chat_server.rules.world import Outcome, World, refuse
from chat_server.store.log import SqliteLog
from common import messages

log = logging.getLogger(__name__)

LOOK_PAUSE = 1.0
"""Seconds between two looks whether a full disk has room again."""

ShowView = Callable[[Sequence[ViewEvent]], None]


@dataclass(slots=True)
class _Applied:
    """What one input led to, and whose command it was if it wrote to the log."""

    outcome: Outcome
    writer: tuple[Session, messages.Command] | None = None


class Hub:
    """Applies inputs in their order. `show` gets what the host's window should know."""

    def __init__(self, queue: HubQueue, world: World, store: SqliteLog, show: ShowView) -> None:
        self._queue = queue
        self._world = world
        self._store = store
        self._show = show
        self._io: Sequence[IoThread] = ()
        self._readers: Readers | None = None
        self._stopping = False
        self._failure: sqlite3.Error | None = None
        """What made the present batch's transaction fail."""
        self._full: sqlite3.Error | None = None
        """Since the disk is full: what told so."""
        self._look_again = 0.0
        self._thread = threading.Thread(target=self._run, name="hub")

    def start(self, io: Sequence[IoThread], readers: Readers) -> None:
        """Start serving these I/O threads with the help of these readers."""
        self._io = io
        self._readers = readers
        self._thread.start()

    def stop(self) -> None:
        """Apply everything posted before this, commit it, and return."""
        if self._thread.is_alive():
            self._queue.post(StopHub())
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            items = self._queue.take()
            try:
                self._release(self._commit(items))
            except Exception:
                # Nothing that a client sends may end this thread.
                log.exception("the hub could not apply a batch of %d", len(items))
                self._world.reload()

    def _commit(self, items: Sequence[HubItem]) -> list[_Applied]:
        now = time.time_ns() // 1_000_000
        self._failure = None
        if not any(isinstance(item, Received) and _writes(item) for item in items):
            return self._apply(items, now)
        if self._full is not None and not self._room_again():
            # What little room there is now is for the way out, and not for messages.
            full = self._failure = self._full
            return [self._refused(entry, full, now) for entry in self._apply(items, now)]
        applied: list[_Applied] | None = None
        try:
            with self._store.transaction():
                self._store.recall(self._ids(items))
                applied = self._apply(items, now)
                if self._failure is not None:
                    raise self._failure
        except sqlite3.Error as error:
            log.exception("the log could not be written")
            self._failure = error
            if applied is None:
                # Not even begun. The rest of the batch needs no store; the writers are refused.
                applied = self._apply(items, now)
            self._world.reload()
            if _is_full(error):
                self._full = error
                self._store.give_way()
            refused = [self._refused(entry, error, now) for entry in applied]
            return [*refused, _Applied(self._orphans(now))]
        return applied

    def _orphans(self, now: int) -> Outcome:
        """The end of sessions that signed in to an account which this batch could not keep."""
        outcome: Outcome = []
        for session in self._world.sessions:
            if session.username is not None and self._world.account_of(session) is None:
                why = "The host's computer can't store messages now."
                goodbye = messages.Goodbye(code="internal", reason=why)
                self._world.sessions.close(session.connection)
                outcome.append(effects.HangUp(session.connection, goodbye))
                outcome.append(ClientGone(session.connection, "its account was taken back", now))
        return outcome

    def _ids(self, items: Sequence[HubItem]) -> list[tuple[Account, str]]:
        """Whose messages there are, by their ids."""
        world = self._world
        ids: list[tuple[Account, str]] = []
        for item in items:
            if isinstance(item, Received):
                session = world.sessions.get(item.connection)
                account = None if session is None else world.account_of(session)
                if account is not None:
                    ids += [
                        (account, command.cid)
                        for command in item.commands
                        if isinstance(command, messages.Send)
                    ]
        return ids

    def _room_again(self) -> bool:
        """Whether the disk has room again; asked of the system at most once a second."""
        now = time.monotonic()
        if now >= self._look_again:
            self._look_again = now + LOOK_PAUSE
            if self._store.has_room():
                self._full = None
                log.info("the disk has room again")
        return self._full is None

    def _apply(self, items: Sequence[HubItem], now: int) -> list[_Applied]:
        applied: list[_Applied] = []
        for item in items:
            if isinstance(item, StopHub):
                self._stopping = True
            elif isinstance(item, Received):
                for command in item.commands:
                    # Asked each time: an earlier command may have ended the session.
                    session = self._world.sessions.get(item.connection)
                    if session is not None:
                        applied.append(self._command(session, command, now))
            else:
                applied.append(self._happening(item, now))
        return applied

    def _happening(self, happening: Input, now: int) -> _Applied:
        try:
            return _Applied(handle_input(self._world, happening, now))
        except Exception:
            # Our mistake; it may cost the one connection, but not the rest of the batch.
            log.exception("a %s could not be handled", type(happening).__name__)
            connection = getattr(happening, "connection", None)
            if connection is None:
                return _Applied([])
            goodbye = messages.Goodbye(code="internal", reason="The server made a mistake.")
            left = self._world.leave(connection, "an internal error", now)
            return _Applied([effects.HangUp(connection, goodbye), *left])

    def _command(self, session: Session, command: messages.ToServer, now: int) -> _Applied:
        writer = (session, command) if isinstance(command, WRITING) else None
        if writer is not None and self._failure is not None:
            return _Applied([], writer)
        try:
            return _Applied(handle_command(self._world, session, command, now), writer)
        except sqlite3.Error as error:
            self._failure = error
            return _Applied([], writer)
        except Exception:
            log.exception("a %s command failed", command.type)
            try:
                self._world.reload()
            except sqlite3.Error as error:
                self._failure = error
            why = "the server made a mistake; trying again later may help"
            return _Applied(refuse(session, command, "internal", why))

    def _refused(self, entry: _Applied, error: sqlite3.Error, now: int) -> _Applied:
        """What is left of a command after its transaction failed: a refusal to try again."""
        if entry.writer is None:
            return entry
        session, command = entry.writer
        if isinstance(command, messages.Join) and session.username is not None:
            self._world.sessions.expel(session)
        full = _is_full(error)
        why = "the host's disk is full" if full else "the host's computer can't store messages now"
        refusal = refuse(session, command, "disk_full" if full else "busy", why)
        return _Applied([*refusal, StoreFailed(why, now)])

    def _release(self, applied: Sequence[_Applied]) -> None:
        """Hand everything out, in order; a room's new events as one fan-out at the end.

        Nothing is lost by that: a session goes live in a room only with its cursor at a head
        that is committed, so no GoLive of this batch can follow a Publish that it needs.
        """
        batches: list[list[effects.IoEffect]] = [[] for _ in self._io]
        published: dict[str, list[effects.Publish]] = {}
        shown: list[ViewEvent] = []
        for effect in (effect for entry in applied for effect in entry.outcome):
            match effect:
                case effects.Publish():
                    published.setdefault(effect.room, []).append(effect)
                case effects.ReadPage():
                    self._read(effect)
                case effects.TellEveryone():
                    _add_to_all(batches, effect)
                case effects.Tell() | effects.GoLive() | effects.WritePage() | effects.HangUp():
                    batches[effect.connection % len(batches)].append(effect)
                case _:
                    shown.append(effect)
        said = 0
        for room, events in published.items():
            fanout = _fanout(room, events)
            self._world.delivery.tails.add(room, fanout.first, fanout.frames)
            _add_to_all(batches, fanout)
            said += sum(event.sender is not None for event in events)
        for io, batch in zip(self._io, batches, strict=True):
            io.post(batch)
        if said:
            shown.append(MessagesStored(said, time.time_ns() // 1_000_000))
        if shown:
            self._show(shown)

    def _read(self, effect: effects.ReadPage) -> None:
        if self._readers is not None:
            self._readers.post(effect)


def _add_to_all(batches: Sequence[list[effects.IoEffect]], effect: effects.IoEffect) -> None:
    for batch in batches:
        batch.append(effect)


def _is_full(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode == sqlite3.SQLITE_FULL


def _writes(received: Received) -> bool:
    return any(isinstance(command, WRITING) for command in received.commands)


def _fanout(room: str, events: Sequence[effects.Publish]) -> effects.Fanout:
    acks: dict[int, dict[int, bytes]] = {}
    for place, event in enumerate(events):
        if event.sender is not None:
            acks.setdefault(event.sender, {})[place] = event.ack
    return effects.Fanout(room, events[0].seq, tuple(event.frame for event in events), acks)
