"""Accounts, devices and rooms in memory: a picture of the store, made again from it if in doubt."""

import secrets
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Final, Protocol, TypeVar

from common.events import Event
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
    """All durable facts that the rules look up, but for the events themselves.

    What a batch changes can be taken back until `keep` is called, without asking the store: a disk
    that can be neither written nor read must not leave anything here that was never stored.
    """

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

    _undo: list[Callable[[], object]] = field(default_factory=list, compare=False, repr=False)
    """What takes back each change since `keep`, the newest last."""

    def add_account(self, account: Account) -> None:
        """Note a new account."""
        self.accounts[account.username] = account
        insort(self.changes, (account.change, account.username))
        self.spellings[spelling(account.username)] += 1
        self._undo.append(partial(self._remove_account, account.username))

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
        self._undo.append(partial(self.devices.pop, key))

    def add_room(self, room: RoomLog) -> None:
        """Note a new room."""
        self.rooms[room.room] = room
        self._undo.append(partial(self.rooms.pop, room.room))

    def enter(self, room: RoomLog, username: str) -> None:
        """Note that an account is a member of a room."""
        if username in room.members:
            return
        room.members.add(username)
        insort(self.rooms_of.setdefault(username, []), room.room)
        self._undo.append(partial(self._leave, room, username))

    def advance(self, room: RoomLog, head: int) -> None:
        """Note a room's new head."""
        self._undo.append(partial(setattr, room, "head", room.head))
        room.head = head

    def keep(self) -> None:
        """What was noted is stored: it is not taken back any more."""
        self._undo.clear()

    def mark(self) -> int:
        """A place in what was noted, for `take_back`."""
        return len(self._undo)

    def take_back(self, mark: int = 0) -> None:
        """Forget what was noted since the mark, or since the last `keep`."""
        while len(self._undo) > mark:
            self._undo.pop()()

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


class LogUnreadableError(Exception):
    """The log can't be read now."""


class Log(Protocol):
    """The part of the store that the rules write to, within the hub's transaction."""

    def load(self) -> Directory:
        """Everything durable but the events. Raises sqlite3.Error."""

    def set_meta(self, key: str, value: str) -> None:
        """Change a durable setting. Raises sqlite3.Error."""

    def begin_command(self) -> None:
        """What is noted from here on is the next command's."""

    def undo_command(self) -> bool:
        """Forget what the command noted; False when some of it is in the transaction already."""

    def atomic(self) -> AbstractContextManager[None]:
        """Several writes of one command: all of them or none, within the batch's transaction."""

    def add_account(self, username: str, display_name: str, change: int, now: int) -> Account:
        """A new account."""

    def add_device(self, account: Account, token_hash: bytes, name: str, now: int) -> None:
        """A device that may sign in to an account."""

    def add_room(self, room: str, now: int) -> RoomLog:
        """A new, empty room."""

    def add_member(self, room: RoomLog, account: Account) -> None:
        """Let an account into a room."""

    def append(self, room: RoomLog, event: Event, sender: Account) -> Event | None:
        """Write the room's next event; or nothing, and give what its `cid` was said with before."""

    def find(self, sender: Account, cid: str) -> Event | None:
        """The event a sender already added under this id."""

    def cids(self, places: Collection[tuple[RoomLog, int]]) -> dict[str, str]:
        """By room, the `cid` of what is written in these places, at most one of each room.

        Raises LogUnreadableError. A place that is empty, or not written yet, is left out.
        """
