"""Accounts, devices and rooms in memory: a picture of the store, made again from it if in doubt."""

import secrets
from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Final, TypeVar

from chat_server.rules.undo import Undo
from common.names import spelling

CHANGE_STEP: Final = 2**20
"""Random numbers for each step; 8 billion changes fit into the integers that JSON has."""
_Item = TypeVar("_Item", str, tuple[int, str])


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with a claimed username. `number` is the store's key."""

    number: int
    username: str
    display_name: str
    change: int
    """The number of its last change; see `Directory.next_change`."""


@dataclass(slots=True)
class RoomLog:
    """A room: its head (the newest `seq`, 0 for none) and its members' usernames."""

    number: int
    room: str
    head: int
    members: set[str]


@dataclass(slots=True)
class Directory:
    """All durable facts that the rules look up, but for the events themselves."""

    accounts: dict[str, Account] = field(default_factory=dict)
    devices: dict[bytes, str] = field(default_factory=dict)
    """The SHA-256 of a device's token → its account's username."""
    rooms: dict[str, RoomLog] = field(default_factory=dict)
    rooms_of: dict[str, list[str]] = field(default_factory=dict)
    """The ids of an account's rooms, in their order: a page of rooms is a piece of it."""
    changes: list[tuple[int, str]] = field(default_factory=list)
    """The last change of each account, in their order: a page of people is a piece of it."""

    spellings: Counter[str] = field(default_factory=Counter)
    """How many usernames are read as what: nobody shall have one that is taken for another's."""

    undo: Undo = field(default_factory=Undo, compare=False, repr=False)
    """What takes back what was changed since the last commit."""

    def add_account(self, account: Account) -> None:
        """Note a new account."""
        self.accounts[account.username] = account
        insort(self.changes, (account.change, account.username))
        self.spellings[spelling(account.username)] += 1
        self.undo.note(partial(self._remove_account, account.username))

    def next_change(self) -> int:
        """A number for the next change of an account, greater than all before it.

        By a random step: two histories that part, as after a backup was restored, have no number
        in common from there on, and `was_change` tells whether a client knows this one.
        """
        last = self.changes[-1][0] if self.changes else 0
        return last + 1 + secrets.randbelow(CHANGE_STEP)

    def was_change(self, change: int) -> bool:
        """Whether this number was given out in this history; 0 was in every one."""
        if not change:
            return True
        at = bisect_left(self.changes, change, key=itemgetter(0))
        return at < len(self.changes) and self.changes[at][0] == change

    def is_taken(self, username: str) -> bool:
        """Whether somebody has this username, or one that looks the same."""
        return self.spellings[spelling(username)] > 0

    def add_device(self, key: bytes, username: str) -> None:
        """Note a device that may sign in to an account."""
        self.devices[key] = username
        self.undo.note(partial(self.devices.pop, key))

    def add_room(self, room: RoomLog) -> None:
        """Note a new room."""
        self.rooms[room.room] = room
        self.undo.note(partial(self.rooms.pop, room.room))

    def enter(self, room: RoomLog, username: str) -> None:
        """Note that an account is a member of a room."""
        if username in room.members:
            return
        room.members.add(username)
        insort(self.rooms_of.setdefault(username, []), room.room)
        self.undo.note(partial(self._leave, room, username))

    def advance(self, room: RoomLog, head: int) -> None:
        """Note a room's new head."""
        self.undo.note(partial(setattr, room, "head", room.head))
        room.head = head

    def _remove_account(self, username: str) -> None:
        account = self.accounts.pop(username)
        _remove(self.changes, (account.change, username))
        self.spellings[spelling(username)] -= 1

    def _leave(self, room: RoomLog, username: str) -> None:
        room.members.discard(username)
        mine = self.rooms_of[username]
        _remove(mine, room.room)
        if not mine:
            del self.rooms_of[username]


def _remove(ordered: list[_Item], item: _Item) -> None:
    del ordered[bisect_left(ordered, item)]
