"""Batches: commands and inputs are applied in one transaction; and the policy when that fails.

When the log can't be written, commands that write get a retryable error, and all else goes on: what
those commands changed in memory is rolled back without asking the disk, which may be gone. Writing
is retried with exponential backoff, and the database reopened, so the server recovers by itself.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, NamedTuple

from chat_server.hub.queue import HubItem, Received, StopHub
from chat_server.hub.repeated import Repeated
from chat_server.hub.retry import Retry
from chat_server.rules import effects
from chat_server.rules.commands import COMMANDS, handle_command, handle_input, is_refusal
from chat_server.rules.directory import Account
from chat_server.rules.inputs import HOUSEKEEPING, Input
from chat_server.rules.roles import Role
from chat_server.rules.sessions import Session
from chat_server.rules.view import ClientDisconnected, StoreFailed, StoreRecovered
from chat_server.rules.world import Outcome, World, refuse
from chat_server.store.store import (
    Store,
    StoreBusyError,
    StoreFailedError,
    StoreFaultError,
    StoreFullError,
    StoreUnreadableError,
)
from common.domain.reasons import Reason
from common.protocol import messages

log = logging.getLogger(__name__)
log.addFilter(Repeated())

SPACE_CHECK_INTERVAL: Final = 1.0
"""Seconds between two checks whether a full disk has space again."""


class Refusal(NamedTuple):
    """The retryable error that commands which write get."""

    code: messages.ErrorCode
    retry_after: int | None = None
    """Milliseconds until the next retry; None if that is unknown."""


class _Told(NamedTuple):
    """Why nothing can be stored, in a form that can be compared."""

    code: str
    cause: str


_INTERNAL: Final = Refusal("internal")
Again = Callable[[World, Session, Any], Outcome | None]


@dataclass(slots=True)
class Applied:
    """The outcome of one command or input, and its outcome instead if the commit fails."""

    outcome: Outcome
    refusable: tuple[Session, messages.ToServer] | None = None
    """The command, if it writes or was decided by changes of this batch."""
    asked: tuple[int, messages.ToServer | Input] | None = None
    """The command or input and its connection, if the log has level DEBUG."""


class _InternalError(Exception):
    """A command raised after some of it was in the transaction: a bug of ours."""


class Batches:
    """Applies batches to the world and its store. `reopened` is called after that is reopened.

    `clock` gives seconds and is monotonic.
    """

    def __init__(
        self,
        world: World,
        reopened: Callable[[], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._world = world
        self._store: Store = world.store
        self._reopened = reopened
        self._failure: Exception | None = None
        """What made the present batch's transaction fail."""
        self._reserved = False
        """Whether the disk is full, and this batch writes only what is audited."""
        self._blind = False
        """Whether the store can't even be read: then no `cid` is looked up."""
        self._last_failure: Exception | None = None
        """The error of the last transaction that failed."""
        self._retry = Retry(clock)
        self._full: Exception | None = None
        """The error that reported a full disk, as long as it is full."""
        self._next_space_check = 0.0
        self._doubt = False
        """Whether memory may differ from the store: they are compared before the next commit."""
        self._told: set[_Told] = set()
        """The causes that were reported to the host since the failure began: each only once."""
        self._postponed: dict[Input, None] = {}
        """Inputs of HOUSEKEEPING whose transaction failed, or was not tried."""
        self.traced = False
        """Whether `Applied.asked` is wanted."""
        self.commit_time = 0.0
        """Seconds that the last commit took, or the failed try."""

    def commit(self, items: Sequence[HubItem]) -> list[Applied]:
        """Apply everything in order; when this returns, what writes is committed or refused."""
        now = time.time_ns() // 1_000_000
        self._world.moment = self._clock()
        others = [item for item in items if not isinstance(item, HOUSEKEEPING)]
        applied = self._commit(others, now)
        if len(others) < len(items):
            # Each once, however often it was asked for.
            for item in dict.fromkeys(each for each in items if isinstance(each, HOUSEKEEPING)):
                applied = [*applied, Applied(self._keep_house(item, now))]
        return applied

    def _commit(self, items: Sequence[HubItem], now: int) -> list[Applied]:
        if not any(map(_writes, items)):
            return self._apply(items, now)
        before = self._ready(items, now)
        if self._failure is not None:
            return [Applied(before), *self._refused(self._apply(items, now), now)]
        applied, stored = self._transact(items, now)
        if applied is None:
            # Commands that only read need no store; those that write are refused.
            applied = self._apply(items, now)
        if stored:
            self._world.directory.commit()
            self._retry.worked()
            if self._full is None:
                before = [*before, *self._recovered(now)]
            applied = [*applied, *self._resumed()] if self._postponed else applied
            return [Applied(before), *applied] if before else applied
        self._world.directory.roll_back()
        refused = self._refused(applied, now)
        return [Applied(before), *refused, Applied(self._close_rolled_back(now))]

    def _ready(self, items: Sequence[HubItem], now: int) -> Outcome:
        """Make the store ready for a transaction; if it is not, set this batch's failure.

        Returns the outcome of reopening it.
        """
        self._failure = None
        self._blind = False
        self._reserved = self._full is not None and not self._has_space_again()
        if self._reserved and not any(map(_is_audited, items)):
            # The freed reserve is for the checkpoint and for hosts and moderators, who must be able
            # to stop whoever fills the disk: not for messages.
            self._failure = self._full
        elif not self._retry.due:
            self._failure = self._last_failure
            # Each attempt on a disconnected disk may block for seconds.
            self._blind = isinstance(self._last_failure, StoreUnreadableError)
        elif self._retry.failures > 1 or self._doubt:
            return self._recover(now)
        return []

    def _recovered(self, now: int) -> Outcome:
        """The store can be written again. Tells the host, if the failure was reported."""
        self._world.trouble = ""
        if not self._told:
            return []
        self._told.clear()
        return [StoreRecovered(now)]

    def _keep_house(self, item: Input, now: int) -> Outcome:
        """Handle one input of HOUSEKEEPING in a transaction of its own: it refuses nobody.

        If it fails, it is tried again after the next batch that is stored.
        """
        if self._full is not None or self._retry.failures or self._doubt:
            self._postponed[item] = None
            return []
        try:
            with self._store.transaction():
                outcome = handle_input(self._world, item, now)
        except Exception:
            log.exception("a %s could not be carried out", type(item).__name__)
            self._world.directory.roll_back()
            self._postponed[item] = None
            return []
        self._world.directory.commit()
        return outcome

    def _resumed(self) -> list[Applied]:
        """What was postponed is due: the store works."""
        items, self._postponed = self._postponed, {}
        return [Applied([effects.After(item) for item in items])] if items else []

    def _transact(self, items: Sequence[HubItem], now: int) -> tuple[list[Applied] | None, bool]:
        """Apply everything in one transaction: the outcomes, and whether they are committed.

        If the transaction fails, this batch's failure is set; if it could not begin, nothing was
        applied and the outcomes are None.
        """
        applied: list[Applied] | None = None
        done = time.perf_counter()
        try:
            with self._store.transaction():
                self._store.recall(self._cids(items))
                applied = self._apply(items, now)
                self._go_on()
                done = time.perf_counter()
        except (StoreFailedError, _InternalError) as error:
            self._failed(error)
        except Exception:
            log.exception("a batch of %d could not be applied", len(items))
            self._failed(_InternalError())
        else:
            return applied, True
        finally:
            self.commit_time = time.perf_counter() - done
        return applied, False

    def _go_on(self) -> None:
        """Raise this batch's failure, so that the transaction is rolled back."""
        if self._failure is not None:
            raise self._failure

    def thread_failed(self) -> None:
        """A batch raised halfway, by a bug of ours: nothing of it is stored."""
        self._world.directory.roll_back()

    def _failed(self, error: Exception) -> None:
        """Note what made a transaction fail, and what that means for the next one."""
        self._failure = error
        if isinstance(error, _InternalError):
            return
        if isinstance(error, StoreFaultError):
            log.error("a batch could not be stored", exc_info=error)
            self._doubt = True
            return
        if self._retry.failures:
            log.error("the log could not be written again: %s", error)
        else:
            log.error("the log could not be written", exc_info=error)
        if isinstance(error, StoreFullError):
            self._full = error
            self._store.release_reserve()
            return
        self._last_failure = error
        self._retry.failed()

    def _recover(self, now: int) -> Outcome:
        """After a fault or more than one failure: reopen the database before the retry.

        If that fails, it is this batch's failure. If the database is not as acknowledged (a disk
        that lied about fsync), everyone is disconnected, to resume and compare positions.
        """
        if not self._doubt and isinstance(self._last_failure, StoreBusyError | StoreFullError):
            return []  # Reopening changes nothing about a lock or a full disk.
        try:
            self._store.reopen(self._world.facts.epoch)
            directory = self._store.load()
        except StoreFailedError as error:
            self._failed(error)
            return []
        self._doubt = False
        self._reopened()
        if directory == self._world.directory:
            return []
        log.error("the database differs from what was acknowledged; all clients have to reconnect")
        self._world.directory = directory
        self._world.delivery.forget_tails()
        return self._end([each for each in self._world.sessions if each.username is not None], now)

    def _close_rolled_back(self, now: int) -> Outcome:
        """Disconnect sessions whose sign-in was rolled back with this batch.

        They signed in to a new account, or after a ban was lifted, which was not stored.
        """
        world = self._world
        banned = world.directory.sanctions.ban_of
        return self._end(
            [
                each
                for each in world.sessions
                if each.username
                and (not world.account_of(each) or banned(now, each.username, each.installation))
            ],
            now,
        )

    def _end(self, sessions: Sequence[Session], now: int) -> Outcome:
        """Disconnect sessions with a goodbye after which clients reconnect."""
        params: dict[str, str | int] = {"why": "busy"}
        goodbye = messages.Goodbye(code="internal", params=params, retry_after=self._wait())
        outcome: Outcome = []
        for session in sessions:
            self._world.sessions.close(session.connection)
            self._world.seen(session, now)
            outcome.append(effects.Disconnect(session.connection, goodbye))
            outcome.append(ClientDisconnected(session.connection, "busy", now))
        return outcome

    def _cids(self, items: Sequence[HubItem]) -> list[tuple[Account, str]]:
        """The (account, cid) pairs to look up for deduplication.

        One query for the batch: one for each message would dominate the cost under load.
        """
        world = self._world
        asked: list[tuple[Account, str]] = []
        for item in items:
            if isinstance(item, Received):
                session = world.sessions.get(item.connection)
                account = None if session is None else world.account_of(session)
                if account is None:
                    continue
                for command in item.commands:
                    cids = COMMANDS[type(command)].cids
                    if cids is not None:
                        for cid in cids(command):
                            asked.append((account, cid))  # noqa: PERF401 - few: a list costs more
        return asked

    def _has_space_again(self) -> bool:
        """Whether the disk has space again; checked once in SPACE_CHECK_INTERVAL."""
        now = self._clock()
        if now >= self._next_space_check:
            self._next_space_check = now + SPACE_CHECK_INTERVAL
            if self._store.has_space():
                self._full = None
                log.info("the disk has space again")
        return self._full is None

    def _apply(self, items: Sequence[HubItem], now: int) -> list[Applied]:
        applied: list[Applied] = []
        for item in items:
            if isinstance(item, Received):
                for command in item.commands:
                    # Asked each time: an earlier command may have ended the session.
                    session = self._world.sessions.get(item.connection)
                    if session is not None:
                        applied.append(self._command(session, command, now))
                        if self.traced:
                            applied[-1].asked = item.connection, command
            elif not isinstance(item, StopHub):
                applied.append(self._input(item, now))
                if self.traced:
                    applied[-1].asked = getattr(item, "connection", 0), item
        return applied

    def _input(self, item: Input, now: int) -> Applied:
        try:
            return Applied(handle_input(self._world, item, now))
        except Exception:
            # A bug of ours: it may cost the one connection, but not the rest of the batch.
            log.exception("a %s could not be handled", type(item).__name__)
            connection = getattr(item, "connection", None)
            if connection is None:
                return Applied([])
            goodbye = messages.Goodbye(code="internal", params={})
            left = self._world.leave(connection, "internal", now)
            return Applied([effects.Disconnect(connection, goodbye), *left])

    def _command(self, session: Session, command: messages.ToServer, now: int) -> Applied:
        row = COMMANDS[type(command)]
        if row.writes:
            return self._write(session, command, now)
        unsure = self._world.directory.undo.mark() > 0
        outcome = self._handle(session, command, now)
        # A ban, a role or an invite of this batch may have decided this, and be rolled back.
        decided = is_refusal(outcome) or (row.role > Role.MEMBER and not session.is_host)
        return Applied(outcome, (session, command) if unsure and decided else None)

    def _refuse(self, session: Session, command: messages.ToServer, refusal: Refusal) -> Outcome:
        """The outcome of a command whose batch has failed."""
        look_up = COMMANDS[type(command)].again
        again = None if look_up is None else self._again(look_up, session, command)
        return again or refuse(session, command, refusal.code, retry_after=refusal.retry_after)

    def _again(self, again: Again, session: Session, command: messages.ToServer) -> Outcome | None:
        """The first reply to a command that was stored before (deduplicated), or None.

        Looked up after the rollback, so that what this batch wrote is not found.
        """
        if self._blind:
            return None
        try:
            return again(self._world, session, command)
        except StoreFailedError:
            self._blind = True
        except Exception:
            log.exception("a %s could not be looked up", command.type)
        return None

    def _write(self, session: Session, command: messages.ToServer, now: int) -> Applied:
        """Carry out a command that writes, unless this batch has failed already."""
        refusable = (session, command)
        if self._failure is not None:
            return Applied([], refusable)
        if self._reserved and not COMMANDS[type(command)].audited:
            full = Refusal("disk_full", self._wait())
            return Applied(self._refuse(session, command, full), refusable)
        undo = self._world.directory.undo
        mark = undo.mark()
        self._store.begin_command()
        try:
            return Applied(handle_command(self._world, session, command, now), refusable)
        except StoreFailedError as error:
            if not isinstance(error, StoreFaultError):
                self._failure = error
                return Applied([], refusable)
            log.exception("a %s could not be stored", command.type)
        except Exception:
            log.exception("a %s could not be handled", command.type)
        undo.roll_back(mark)
        if self._store.undo_command():
            return Applied(refuse(session, command, _INTERNAL.code))
        self._failure = _InternalError()
        return Applied([], refusable)

    def _handle(self, session: Session, command: messages.ToServer, now: int) -> Outcome:
        """A command that writes nothing."""
        try:
            return handle_command(self._world, session, command, now)
        except Exception:
            log.exception("a %s command failed", command.type)
            return refuse(session, command, "internal")

    def _refused(self, applied: Sequence[Applied], now: int) -> list[Applied]:
        """Replace the outcomes of commands that write by a retryable error."""
        refusal = self._refusal()
        code = refusal.code
        self._world.trouble = code
        refused = [
            each
            if each.refusable is None
            else Applied(self._refuse(*each.refusable, refusal), asked=each.asked)
            for each in applied
        ]
        # The host may know what to do about the cause.
        here = code if code == "internal" else f"{code}_here"
        reason = _Told(here, str(self._failure))
        if reason in self._told:
            return refused
        self._told.add(reason)
        return [*refused, Applied([StoreFailed(Reason(here, {"cause": reason.cause}), now)])]

    def _refusal(self) -> Refusal:
        """The error for those who wanted to write, by the present failure."""
        if isinstance(self._failure, _InternalError | StoreFaultError):
            return _INTERNAL
        if isinstance(self._failure, StoreFullError):
            return Refusal("disk_full", self._wait())
        return Refusal("busy", self._wait())

    def _wait(self) -> int:
        """Milliseconds until the store is retried; 0 if the next batch does."""
        if self._full is not None:
            return ceil(1000 * max(0.0, self._next_space_check - self._clock()))
        return ceil(1000 * self._retry.wait)


def _is_audited(item: HubItem) -> bool:
    return isinstance(item, Received) and any(
        COMMANDS[type(command)].audited for command in item.commands
    )


def _writes(item: HubItem) -> bool:
    return isinstance(item, Received) and any(
        COMMANDS[type(command)].writes for command in item.commands
    )
