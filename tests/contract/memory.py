"""A store in memory: the smallest engine that keeps what the store's face promises.

It shows that the face needs nothing of SQLite, and can be made to fail where a disk would have to
be pulled out.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from chat_server.rules.directory import Account, Device, Directory, RoomLog
from chat_server.rules.issued_invites import STANDING, InviteKind, IssuedInvite, secret_hash
from chat_server.rules.roles import Role
from chat_server.rules.sanctions import Sanction
from chat_server.store.store import (
    AuditRow,
    StoreFailedError,
    StoreFaultError,
    StoreFullError,
    StoreUnreadableError,
)
from common.protocol.events import Event
from common.protocol.fast_encode import body_json


@dataclass
class State:
    """Everything that is stored, by numbers as keys."""

    meta: dict[str, str] = field(default_factory=dict)
    accounts: dict[int, Account] = field(default_factory=dict)
    erasing: frozenset[int] = frozenset()
    former_changes: frozenset[int] = frozenset()
    devices: dict[bytes, Device] = field(default_factory=dict)
    invites: dict[int, IssuedInvite] = field(default_factory=dict)
    issued: int = 0
    """The number of the last invite, which may be gone."""
    sanctions: dict[int, Sanction] = field(default_factory=dict)
    given: int = 0
    """The number of the last ban or mute, which may be gone."""
    audit: tuple[AuditRow, ...] = ()
    rooms: dict[int, str] = field(default_factory=dict)
    slow: dict[int, int] = field(default_factory=dict)
    members: frozenset[tuple[int, int]] = frozenset()
    events: dict[tuple[int, int], Event] = field(default_factory=dict)
    """By room and place."""
    said: dict[tuple[int, str], Event] = field(default_factory=dict)
    """By sender and `cid`."""

    def copy(self) -> State:
        """What is changed in one is not changed in the other."""
        return State(
            dict(self.meta),
            dict(self.accounts),
            self.erasing,
            self.former_changes,
            {key: replace(device) for key, device in self.devices.items()},
            dict(self.invites),
            self.issued,
            dict(self.sanctions),
            self.given,
            self.audit,
            dict(self.rooms),
            dict(self.slow),
            self.members,
            dict(self.events),
            dict(self.said),
        )


@dataclass
class Medium:
    """What a store writes on. It is there after the store is closed, and may fail."""

    state: State = field(default_factory=State)
    away: StoreFailedError | None = None
    """Since it can't be used: what every use of it fails with."""
    unwritable: StoreFailedError | None = None
    """Since nothing can be added: what a transaction that tries fails with at its end."""
    begins: Callable[[], None] = lambda: None
    """Called when a transaction begins; may raise."""
    room: bool = True

    def use(self) -> None:
        """It is read or written. Raises StoreFailedError."""
        if self.away is not None:
            raise self.away


class MemoryStore:
    """A Store."""

    def __init__(self, medium: Medium) -> None:
        self.medium = medium
        self._work: State | None = None
        """What a transaction has made of the state so far."""
        self._before_command = State()

    def close(self) -> None:
        """Nothing to let go of."""

    def reopen(self, epoch: str) -> None:
        """The medium as it is now."""
        self.medium.use()
        if self.medium.state.meta.get("epoch") != epoch:
            raise StoreUnreadableError("another store is in its place")

    def release_reserve(self) -> None:
        """Nothing is kept back."""

    def has_space(self) -> bool:
        """As the medium says."""
        return self.medium.room

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """On a copy, which takes the place of the state at the end."""
        self.medium.use()
        self.medium.begins()
        self._work = self._before_command = self.medium.state.copy()
        try:
            yield
            self.medium.use()
            if self.medium.unwritable is not None and self._work != self.medium.state:
                raise self.medium.unwritable
            self.medium.state = self._work
        finally:
            self._work = None

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Back to a copy if it fails."""
        before = self._now().copy()
        try:
            yield
        except BaseException:
            self._work = before
            raise

    def begin_command(self) -> None:
        """From here on a copy is kept."""
        self._before_command = self._now().copy()

    def undo_command(self) -> bool:
        """Whatever it did: back to the copy."""
        self._work = self._before_command.copy()
        return True

    def meta(self, key: str, default: str) -> str:
        """A durable setting."""
        return self._now().meta.setdefault(key, default)

    def set_meta(self, key: str, value: str) -> None:
        """Change it."""
        self._now().meta[key] = value

    def epoch(self) -> str:
        """Random, and stays."""
        return self.meta("epoch", secrets.token_hex(16))

    def invite_secret(self, now: int) -> str:
        """Random, and stays."""
        secret = self.meta("invite_secret", secrets.token_urlsafe(16))
        standing = IssuedInvite(STANDING, secret_hash(secret), InviteKind.LINK, now)
        self._now().invites.setdefault(STANDING, standing)
        return secret

    def load(self) -> Directory:
        """Everything durable but the events."""
        state = self._now()
        directory = Directory()
        for account in sorted(state.accounts.values(), key=lambda each: each.change):
            directory.add_account(account)
            if account.number in state.erasing:
                directory.move_erasing(account.username, 0)
        directory.former_changes = set(state.former_changes)
        for key, device in state.devices.items():
            directory.add_device(key, replace(device))
        for invite in state.invites.values():
            directory.put_invite(invite)
        for sanction in state.sanctions.values():
            directory.add_sanction(sanction)
        heads: dict[int, int] = {}
        for number, seq in state.events:
            heads[number] = max(seq, heads.get(number, 0))
        for number, room in state.rooms.items():
            head = heads.get(number, 0)
            slow = state.slow.get(number, 0)
            directory.add_room(RoomLog(number, room, head, set(), head, slow))
        for number, member in state.members:
            log = directory.rooms[state.rooms[number]]
            directory.enter(log, state.accounts[member].username)
        directory.commit()
        return directory

    def add_account(
        self, username: str, display_name: str, change: int, _now: int, role: Role = Role.MEMBER
    ) -> Account:
        """A new account."""
        accounts = self._now().accounts
        if any(each.username == username for each in accounts.values()):
            raise StoreFaultError(f"there is a {username} already")
        account = Account(len(accounts) + 1, username, display_name, change, role)
        accounts[account.number] = account
        return account

    def change_account(self, account: Account) -> None:
        """An account is otherwise now."""
        state = self._now()
        state.former_changes |= {state.accounts[account.number].change}
        state.accounts[account.number] = account

    def delete_account(self, account: Account, _now: int) -> None:
        """It is to be erased from now on, or not."""
        self.change_account(account)
        if account.erased:
            self._now().erasing |= {account.number}

    def erase(self, account: Account, after: int) -> int | None:
        """One event at a time: `after` is how many were looked at."""
        state = self._now()
        places = list(state.events)[after : after + 1]
        for place in places:
            event = state.events[place]
            if event.sender == account.username:
                left = state.events[place] = event.without_text()
                state.said[account.number, event.cid] = left
        if places:
            return after + 1
        state.erasing -= {account.number}
        return None

    def add_device(self, account: Account, token_hash: bytes, device: Device) -> None:
        """A device that may sign in to an account."""
        devices = self._now().devices
        if token_hash in devices:
            raise StoreFaultError("there is this device already")
        devices[token_hash] = replace(device, username=account.username)

    def remove_device(self, token_hash: bytes) -> None:
        """It may not sign in any more."""
        self._now().devices.pop(token_hash, None)

    def save_seen(self, devices: Mapping[bytes, Device]) -> None:
        """Of those that are there."""
        stored = self._now().devices
        for key, device in devices.items():
            if key in stored:
                stored[key] = replace(stored[key], last_seen=device.last_seen, name=device.name)

    def add_invite(self, invite: IssuedInvite) -> IssuedInvite:
        """With the next number."""
        state = self._now()
        if any(each.secret_hash == invite.secret_hash for each in state.invites.values()):
            raise StoreFaultError("there is this secret already")
        state.issued += 1
        numbered = replace(invite, number=state.issued)
        state.invites[numbered.number] = numbered
        return numbered

    def change_invite(self, invite: IssuedInvite) -> None:
        """It is otherwise now."""
        self._now().invites[invite.number] = invite

    def remove_invite(self, invite: IssuedInvite) -> None:
        """Its number is not given again."""
        self._now().invites.pop(invite.number, None)

    def add_sanction(self, sanction: Sanction) -> Sanction:
        """With the next number."""
        state = self._now()
        state.given += 1
        numbered = replace(sanction, number=state.given)
        state.sanctions[numbered.number] = numbered
        return numbered

    def remove_sanction(self, sanction: Sanction) -> None:
        """Its number is not given again."""
        self._now().sanctions.pop(sanction.number, None)

    def add_audit(self, at: int, by: str, action: str, fields: Mapping[str, Any]) -> None:
        """At the end."""
        state = self._now()
        row = AuditRow(len(state.audit) + 1, at, by, action, _own(fields))
        state.audit = (*state.audit, row)

    def add_room(self, room: str, _now: int) -> RoomLog:
        """A new, empty room."""
        rooms = self._now().rooms
        if room in rooms.values():
            raise StoreFaultError(f"there is a {room} already")
        number = len(rooms) + 1
        rooms[number] = room
        return RoomLog(number, room, 0, set())

    def set_slow(self, room: RoomLog, seconds: int) -> None:
        """By room."""
        self._now().slow[room.number] = seconds

    def add_member(self, room: RoomLog, account: Account) -> None:
        """Let an account into a room."""
        state = self._now()
        state.members |= {(room.number, account.number)}

    def recall(self, ids: Collection[tuple[Account, str]]) -> None:
        """They are at hand."""
        del ids
        self.medium.use()

    def append(self, room: RoomLog, event: Event, sender: Account) -> Event | None:
        """Add an event, unless its `cid` was used."""
        state = self._now()
        said = state.said.get((sender.number, event.cid))
        if said is not None:
            return said
        if (room.number, event.seq) in state.events:
            raise StoreFaultError("there is an event in this place")
        # Nothing of the caller's is kept: whoever changes it changes no log.
        stored = event._replace(room=room.room, sender=sender.username, body=_own(event.body))
        state.events[room.number, event.seq] = stored
        state.said[sender.number, event.cid] = stored
        return None

    def find(self, sender: Account, cid: str) -> Event | None:
        """By sender and `cid`."""
        self.medium.use()
        state = self.medium.state if self._work is None else self._work
        return state.said.get((sender.number, cid))

    def cids(self, places: Collection[tuple[RoomLog, int]]) -> dict[str, str]:
        """Of what is committed."""
        self.medium.use()
        events = self.medium.state.events
        found = {room.room: events.get((room.number, seq)) for room, seq in places}
        return {room: event.cid for room, event in found.items() if event is not None}

    def _now(self) -> State:
        """What the transaction sees; outside of one, what is stored."""
        self.medium.use()
        return self.medium.state if self._work is None else self._work


class MemoryReader:
    """A Reader."""

    def __init__(self, medium: Medium) -> None:
        self._medium = medium

    def after(self, room: str, seq: int, count: int) -> list[Event]:
        """Those that are committed, in order."""
        self._medium.use()
        state = self._medium.state
        erased = {each.username for each in state.accounts.values() if each.erased}
        found = [
            event.without_text() if event.sender in erased else event
            for (number, place), event in state.events.items()
            if state.rooms[number] == room and place > seq
        ]
        return sorted(found, key=lambda event: event.seq)[:count]

    def place_at(self, room: str, at: int) -> int:
        """By looking at each: times are taken to rise with places."""
        events = self.after(room, 0, len(self._medium.state.events))
        return next((event.seq for event in events if event.sent_at >= at), len(events) + 1)

    def audit(self, before: int | None, count: int) -> list[AuditRow]:
        """The newest first."""
        self._medium.use()
        rows = [row for row in self._medium.state.audit if before is None or row.number < before]
        return rows[::-1][:count]

    def close(self) -> None:
        """Nothing to let go of."""


def full() -> StoreFullError:
    """What a store says that has no room."""
    return StoreFullError("no room")


def _own(body: Mapping[str, object]) -> dict[str, object]:
    copied: dict[str, object] = json.loads(body_json(body))
    return copied
