"""The hub: the one thread that owns every rule, all live state and the writing of the log.

It takes whatever has gathered in its queue, applies all of it in one transaction, commits
once (group commit), and only then releases what follows from it: an acknowledgement that
leaves this thread is on the disk.

A log that can't be written costs the commands that write a refusal, to be tried again, and nobody
anything else: what they noted in memory is taken back without asking the disk, which may be gone.
It is tried again with growing pauses, and opened anew, so that the hub goes on by itself.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.hub_queue import HubItem, HubQueue, Received, StopHub
from chat_server.net.io_thread import IoThread
from chat_server.net.readers import Readers
from chat_server.retry import Retry
from chat_server.rules import effects, inputs
from chat_server.rules.directory import Account
from chat_server.rules.inputs import Input
from chat_server.rules.sessions import Session
from chat_server.rules.table import WRITING, handle_command, handle_input
from chat_server.rules.view import (
    ClientGone,
    MessagesStored,
    RenameFailed,
    StoreFailed,
    ViewEvent,
)
from chat_server.rules.world import Outcome, World, refuse
from chat_server.store.log import SqliteLog
from chat_server.watch import Ended, ignore, watched
from common import messages

log = logging.getLogger(__name__)

LOOK_PAUSE: Final = 1.0
"""Seconds between two looks whether a full disk has room again."""

_PASSING: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL}
"""What a database that is opened anew would say just as well."""

_MISTAKE: Final = "the server made a mistake; trying again later may help"

ShowView = Callable[[Sequence[ViewEvent]], None]


@dataclass(slots=True)
class _Applied:
    """What one input led to, and whose command it was if it wrote to the log."""

    outcome: Outcome
    writer: tuple[Session, messages.Command] | None = None
    renames: bool = False
    """It is the host's, and gives the chat another name, which is written, too."""


class _MistakeError(Exception):
    """A command broke off after some of it was in the transaction: our mistake."""


class Hub:
    """Applies inputs in their order. `show` gets what the host's window should know."""

    def __init__(
        self,
        queue: HubQueue,
        world: World,
        store: SqliteLog,
        show: ShowView,
        ended: Ended = ignore,
    ) -> None:
        self._queue = queue
        self._world = world
        self._store = store
        self._show = show
        self._io: Sequence[IoThread] = ()
        self._readers: Readers | None = None
        self._stopping = False
        self._failure: Exception | None = None
        """What made the present batch's transaction fail."""
        self._last_failure: Exception | None = None
        """What made a transaction fail when one was tried last."""
        self._retry = Retry()
        self._full: Exception | None = None
        """Since the disk is full: what told so."""
        self._look_again = 0.0
        self._thread = watched(self._run, "hub", ended)

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
                self._world.directory.take_back()

    def _commit(self, items: Sequence[HubItem]) -> list[_Applied]:
        now = time.time_ns() // 1_000_000
        self._failure = None
        if not any(map(_writes, items)):
            return self._apply(items, now)
        applied: list[_Applied] | None = None
        before: Outcome = []
        if self._full is not None and not self._room_again():
            # What little room there is now is for the way out, and not for messages.
            self._failure = self._full
        elif not self._retry.due:
            self._failure = self._last_failure
        elif self._retry.failures > 1:
            before = self._recover(now)
        if self._failure is not None:
            return [_Applied(before), *self._refused(self._apply(items, now), now)]
        facts = self._world.facts
        try:
            with self._store.transaction():
                self._store.recall(self._ids(items))
                applied = self._apply(items, now)
                if self._failure is not None:
                    raise self._failure
        except (sqlite3.Error, _MistakeError) as error:
            self._failed(error)
            if applied is None:
                # Not even begun. The rest of the batch needs no store; the writers are refused.
                applied = self._apply(items, now)
            self._world.directory.take_back()
            self._world.facts = facts
            refused = self._refused(applied, now)
            return [_Applied(before), *refused, _Applied(self._orphans(now))]
        self._world.directory.keep()
        self._retry.worked()
        return [_Applied(before), *applied] if before else applied

    def _failed(self, error: Exception) -> None:
        """Note what made a transaction fail, and what that means for the next one."""
        self._failure = error
        if isinstance(error, _MistakeError):
            return
        if self._retry.failures:
            log.error("the log could not be written again: %s", error)
        else:
            log.error("the log could not be written", exc_info=error)
        if _code(error) == sqlite3.SQLITE_FULL:
            self._full = error
            self._store.give_way()
            return
        self._last_failure = error
        self._retry.failed()

    def _recover(self, now: int) -> Outcome:
        """After more than one failure: open the database anew, before it is tried again.

        If that fails, it is this batch's failure. If something else is stored now than was
        acknowledged, which only a disk does that lies, everyone has to come again and compare.
        """
        if _code(self._last_failure) in _PASSING:
            return []
        try:
            self._store.reopen(self._world.facts.epoch)
            directory = self._store.load()
        except sqlite3.Error as error:
            self._failed(error)
            return []
        if self._readers is not None:
            self._readers.renew()
        if directory == self._world.directory:
            return []
        log.error("the database is not as it was; everybody is sent to compare their copies")
        self._world.directory = directory
        self._world.delivery.forget_tails()
        return self._end([each for each in self._world.sessions if each.username is not None], now)

    def _orphans(self, now: int) -> Outcome:
        """The end of sessions that signed in to an account which this batch could not keep."""
        world = self._world
        return self._end(
            [each for each in world.sessions if each.username and not world.account_of(each)], now
        )

    def _end(self, sessions: Sequence[Session], now: int) -> Outcome:
        """Send sessions away, to come again."""
        why = "The host's computer can't store messages now."
        goodbye = messages.Goodbye(code="internal", reason=why)
        outcome: Outcome = []
        for session in sessions:
            self._world.sessions.close(session.connection)
            outcome.append(effects.HangUp(session.connection, goodbye))
            outcome.append(ClientGone(session.connection, "the log could not be written", now))
        return outcome

    def _ids(self, items: Sequence[HubItem]) -> list[tuple[Account, str]]:
        """Whose messages there are, by their ids."""
        world = self._world
        ids: list[tuple[Account, str]] = []
        before: list[tuple[Account, str]] = []
        for item in items:
            if isinstance(item, Received):
                session = world.sessions.get(item.connection)
                account = None if session is None else world.account_of(session)
                if account is not None:
                    sends = [each for each in item.commands if isinstance(each, messages.Send)]
                    ids += [(account, send.cid) for send in sends]
                    before += [(account, send.after) for send in sends if send.after is not None]
        if before:
            # Mostly of the same batch: once is enough.
            ids = list(dict.fromkeys([*ids, *before]))
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
        if isinstance(happening, inputs.Rename):
            return self._rename(happening, now)
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

    def _rename(self, happening: inputs.Rename, now: int) -> _Applied:
        if self._failure is not None:
            return _Applied([], renames=True)
        try:
            return _Applied(handle_input(self._world, happening, now), renames=True)
        except sqlite3.Error as error:
            self._failure = error
            return _Applied([], renames=True)

    def _command(self, session: Session, command: messages.ToServer, now: int) -> _Applied:
        if not isinstance(command, WRITING):
            return _Applied(self._handle(session, command, now))
        writer = (session, command)
        if self._failure is not None:
            return _Applied([], writer)
        mark = self._world.directory.mark()
        self._store.begin_command()
        try:
            return _Applied(handle_command(self._world, session, command, now), writer)
        except sqlite3.Error as error:
            self._failure = error
            return _Applied([], writer)
        except Exception:
            log.exception("a %s command failed", command.type)
            self._world.directory.take_back(mark)
            self._undo_admission(session, command)
            if self._store.undo_command():
                return _Applied(refuse(session, command, "internal", _MISTAKE))
            self._failure = _MistakeError()
            return _Applied([], writer)

    def _handle(self, session: Session, command: messages.ToServer, now: int) -> Outcome:
        """A command that writes nothing."""
        try:
            return handle_command(self._world, session, command, now)
        except Exception:
            log.exception("a %s command failed", command.type)
            return refuse(session, command, "internal", _MISTAKE)

    def _refused(self, applied: Sequence[_Applied], now: int) -> list[_Applied]:
        """Replace the effects of the commands that write by a refusal, to be tried again."""
        code: messages.ErrorCode = "busy"
        why = "the host's computer can't store messages now"
        # Told to the host: it is their computer, and they may know what to do about the cause.
        here = str(self._failure)
        if isinstance(self._failure, _MistakeError):
            code, why, here = "internal", _MISTAKE, _MISTAKE
        elif _code(self._failure) == sqlite3.SQLITE_FULL:
            code, why, here = "disk_full", "the host's disk is full", "this computer's disk is full"
        refused: list[_Applied] = []
        for entry in applied:
            if entry.renames:
                refused.append(_Applied([RenameFailed(here)]))
                continue
            if entry.writer is None:
                refused.append(entry)
                continue
            session, command = entry.writer
            self._undo_admission(session, command)
            refused.append(_Applied(refuse(session, command, code, why)))
        refused.append(_Applied([StoreFailed(here, now)]))
        return refused

    def _undo_admission(self, session: Session, command: messages.Command) -> None:
        if isinstance(command, messages.Join) and session.username is not None:
            self._world.sessions.expel(session)

    def _release(self, applied: Sequence[_Applied]) -> None:
        """Hand everything out, in order; a room's new events as one fan-out at the end.

        Nothing is lost by that: a session goes live in a room only with its cursor at a head
        that is committed, so no GoLive of this batch can follow a Publish that it needs.
        """
        batches: list[list[effects.IoEffect]] = [[] for _ in self._io]
        published: dict[str, list[effects.Publish]] = {}
        shown: list[ViewEvent] = []
        for effect in _effects(applied):
            match effect:
                case effects.Publish():
                    published.setdefault(effect.room, []).append(effect)
                case effects.ReadPage():
                    self._read(effect)
                case effects.TellEveryone():
                    _add_to_all(batches, effect)
                case (
                    effects.Admit()
                    | effects.Tell()
                    | effects.GoLive()
                    | effects.WritePage()
                    | effects.HangUp()
                ):
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


def _effects(applied: Sequence[_Applied]) -> Iterator[effects.Effect | ViewEvent]:
    """Everything in its order, with the answers that had to wait until now."""
    for entry in applied:
        for effect in entry.outcome:
            yield _answer(effect) if isinstance(effect, effects.Answer) else effect


def _answer(effect: effects.Answer) -> effects.Tell:
    """What is told now that the batch is committed, or has failed."""
    try:
        return effects.Tell(effect.connection, effect.make())
    except Exception:
        # It must not take along what the rest of the batch, which is stored, leads to.
        log.exception("an answer could not be made")
        error = messages.refusal("internal", _MISTAKE, re=effect.re)
        return effects.Tell(effect.connection, error)


def _add_to_all(batches: Sequence[list[effects.IoEffect]], effect: effects.IoEffect) -> None:
    for batch in batches:
        batch.append(effect)


def _code(error: Exception | None) -> int | None:
    """SQLite's code of an error, without its extension; None for an error of another kind."""
    # The module's own errors, such as that of a closed connection, have none.
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _writes(item: HubItem) -> bool:
    if isinstance(item, Received):
        return any(isinstance(command, WRITING) for command in item.commands)
    return isinstance(item, inputs.Rename)


def _fanout(room: str, events: Sequence[effects.Publish]) -> effects.Fanout:
    acks: dict[int, dict[int, bytes]] = {}
    for place, event in enumerate(events):
        if event.sender is not None:
            acks.setdefault(event.sender, {})[place] = event.ack
    return effects.Fanout(room, events[0].seq, tuple(event.frame for event in events), acks)
