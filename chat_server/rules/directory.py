"""Accounts, devices and rooms in memory: a copy of the store, compared with it when in doubt."""

import secrets
from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Final, TypeVar

from chat_server.rules.issued_invites import IssuedInvite, IssuedInvites
from chat_server.rules.roles import Role
from chat_server.rules.sanctions import Sanction, SanctionList
from chat_server.rules.undo import Undo
from common.domain.names import spelling

CHANGE_STEP: Final = 2**20
"""Range of the random step; 8 billion changes fit into the integers that JSON can carry."""
_Item = TypeVar("_Item", str, tuple[int, str])


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with a claimed username. `number` is the store's key."""

    number: int
    username: str
    display_name: str
    change: int
    """The number of its last change; see `Directory.next_change`."""
    role: Role
    former: bool = False
    """Whether it was deleted: its username stays taken, and its devices can't sign in."""
    erased: bool = False
    """Whether its messages were removed when it was deleted, or are being removed."""


@dataclass(slots=True)
class Device:
    """A device that may sign in to an account. Times are in milliseconds since 1970-01-01 UTC.

    What is not compared changes with each sign-in and is written a while later.
    """

    username: str
    installation: str | None
    """The installation that it joined from."""
    name: str = field(compare=False)
    created: int
    invite: int | None = None
    """The number of the invite that it joined with, if that was noted."""
    last_seen: int | None = field(default=None, compare=False)


@dataclass(slots=True)
class RoomLog:
    """A room: its head (the newest `seq`, 0 for none) and its members' usernames.

    `stored` is the committed head, without uncommitted events of this batch.
    """

    number: int
    room: str
    head: int
    members: set[str]
    stored: int = field(default=0, compare=False)
    slow: int = 0
    """Seconds between two messages of one member (slow mode); 0 without it."""

    def step_back(self) -> None:
        """Undo `Directory.advance`."""
        self.head -= 1


@dataclass(slots=True)
class Directory:
    """All stored state that the rules look up, except for the events themselves."""

    accounts: dict[str, Account] = field(default_factory=dict)
    devices: dict[bytes, Device] = field(default_factory=dict)
    """By the SHA-256 of its token."""
    devices_of: dict[str, set[bytes]] = field(default_factory=dict)
    """The keys of an account's devices."""
    installations: dict[str, set[str]] = field(default_factory=dict)
    """By username, the installations from which its devices joined."""
    sanctions: SanctionList = field(default_factory=SanctionList)
    invites: IssuedInvites = field(default_factory=IssuedInvites)
    rooms: dict[str, RoomLog] = field(default_factory=dict)
    rooms_of: dict[str, list[str]] = field(default_factory=dict)
    """The ids of an account's rooms, sorted: a page of rooms is a slice."""
    changes: list[tuple[int, str]] = field(default_factory=list)
    """The last change of each account, sorted: a page of people is a slice."""
    former_changes: set[int] = field(default_factory=set)
    """Numbers of changes that a later change of the same account has replaced."""

    erasing: dict[str, int] = field(default_factory=dict, compare=False)
    """Accounts whose messages are still being removed → the cursor of `Store.erase`."""

    spellings: Counter[str] = field(default_factory=Counter)
    """By skeleton of confusable letters, how many usernames have it: none may look like another."""

    undo: Undo = field(default_factory=Undo, compare=False, repr=False)
    """Undoes what was changed since the last commit."""
    _advanced: dict[str, RoomLog] = field(default_factory=dict, compare=False, repr=False)
    """Rooms whose head was moved since."""

    def add_account(self, account: Account) -> None:
        """Add a new account."""
        self.accounts[account.username] = account
        insort(self.changes, (account.change, account.username))
        self.spellings[spelling(account.username)] += 1
        self.undo.note(partial(self._remove_account, account.username))

    def next_change(self) -> int:
        """A number for the next change of an account, greater than all before it.

        Steps are random: histories that diverge when a backup is restored have no number in common
        from there on, so `was_change` tells whether a client knows this one. With a counter, it
        would take another history's numbers for its own and miss changes.
        """
        last = self.changes[-1][0] if self.changes else 0
        return last + 1 + secrets.randbelow(CHANGE_STEP)

    def was_change(self, change: int) -> bool:
        """Whether this number was issued in this history; 0 is valid in every one."""
        if not change or change in self.former_changes:
            return True
        at = bisect_left(self.changes, change, key=itemgetter(0))
        return at < len(self.changes) and self.changes[at][0] == change

    def is_taken(self, username: str) -> bool:
        """Whether this username is taken, or one with the same skeleton (UTS #39)."""
        return self.spellings[spelling(username)] > 0

    def living(self, username: str) -> Account | None:
        """An account that was not deleted, by its username; None if there is none."""
        account = self.accounts.get(username)
        return None if account is None or account.former else account

    def change_account(self, account: Account) -> None:
        """Replace an account by its new state, with the number of the change."""
        before = self.accounts[account.username]
        self._put_account(before, account)
        self.former_changes.add(before.change)
        self.undo.note(partial(self._change_back, account, before))

    def move_erasing(self, username: str, after: int | None) -> None:
        """The messages of an account are removed up to this cursor; None ends it."""
        before = self.erasing.get(username)
        self._put_erasing(username, after)
        self.undo.note(partial(self._put_erasing, username, before))

    def _put_erasing(self, username: str, after: int | None) -> None:
        if after is None:
            self.erasing.pop(username, None)
        else:
            self.erasing[username] = after

    def add_device(self, key: bytes, device: Device) -> None:
        """Add a device that may sign in to an account."""
        self._put_device(key, device)
        self.undo.note(partial(self._drop_device, key))

    def remove_device(self, key: bytes) -> None:
        """A device may not sign in any more."""
        device = self.devices[key]
        self._drop_device(key)
        self.undo.note(partial(self._put_device, key, device))

    def put_invite(self, invite: IssuedInvite) -> None:
        """Add an invite, or replace the one of the same number."""
        before = self.invites.get(invite.number)
        self.invites.put(invite)
        self.undo.note(
            partial(self.invites.remove, invite.number)
            if before is None
            else partial(self.invites.put, before)
        )

    def remove_invite(self, invite: IssuedInvite) -> None:
        """Forget an invite that ended long ago."""
        self.invites.remove(invite.number)
        self.undo.note(partial(self.invites.put, invite))

    def add_sanction(self, sanction: Sanction) -> None:
        """Add a ban or a mute."""
        self.sanctions.add(sanction)
        self.undo.note(partial(self.sanctions.remove, sanction))

    def remove_sanction(self, sanction: Sanction) -> None:
        """Remove a ban or a mute that was lifted or has expired."""
        self.sanctions.remove(sanction)
        self.undo.note(partial(self.sanctions.add, sanction))

    def add_room(self, room: RoomLog) -> None:
        """Add a new room."""
        self.rooms[room.room] = room
        self.undo.note(partial(self.rooms.pop, room.room))

    def enter(self, room: RoomLog, username: str) -> None:
        """Make an account a member of a room."""
        if username in room.members:
            return
        room.members.add(username)
        insort(self.rooms_of.setdefault(username, []), room.room)
        self.undo.note(partial(self._leave, room, username))

    def set_slow(self, room: RoomLog, seconds: int) -> None:
        """Change a room's slow mode."""
        self.undo.note(partial(setattr, room, "slow", room.slow))
        room.slow = seconds

    def advance(self, room: RoomLog) -> None:
        """Advance a room's head by one event."""
        room.head += 1
        self.undo.note(room.step_back)
        self._advanced[room.room] = room

    def commit(self) -> None:
        """Accept all changes since the last commit: they are stored."""
        self.undo.commit()
        for room in self._advanced.values():
            room.stored = room.head
        self._advanced.clear()

    def roll_back(self) -> None:
        """Undo all changes since the last commit: they are not stored."""
        self.undo.roll_back()
        self._advanced.clear()

    def _put_account(self, before: Account, account: Account) -> None:
        self.accounts[account.username] = account
        _remove(self.changes, (before.change, account.username))
        insort(self.changes, (account.change, account.username))

    def _change_back(self, account: Account, before: Account) -> None:
        self._put_account(account, before)
        self.former_changes.discard(before.change)

    def _remove_account(self, username: str) -> None:
        account = self.accounts.pop(username)
        _remove(self.changes, (account.change, username))
        self.spellings[spelling(username)] -= 1

    def _put_device(self, key: bytes, device: Device) -> None:
        self.devices[key] = device
        self.devices_of.setdefault(device.username, set()).add(key)
        if device.installation is not None:
            self.installations.setdefault(device.username, set()).add(device.installation)

    def _drop_device(self, key: bytes) -> None:
        username = self.devices.pop(key).username
        keys = self.devices_of[username]
        keys.discard(key)
        if not keys:
            del self.devices_of[username]
        left = {self.devices[each].installation for each in keys} - {None}
        if left:
            self.installations[username] = left  # type: ignore[assignment]  # None is none of them
        else:
            self.installations.pop(username, None)

    def _leave(self, room: RoomLog, username: str) -> None:
        room.members.discard(username)
        mine = self.rooms_of[username]
        _remove(mine, room.room)
        if not mine:
            del self.rooms_of[username]


def _remove(ordered: list[_Item], item: _Item) -> None:
    del ordered[bisect_left(ordered, item)]
