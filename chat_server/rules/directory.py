"""Accounts, devices and rooms in memory: a picture of the store, made again from it if in doubt."""

from bisect import insort
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from common.messages import EventKind


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with a claimed username. `number` is the store's key."""

    number: int
    username: str
    display_name: str


@dataclass(slots=True)
class RoomLog:
    """A room: its head (the newest `seq`, 0 for none) and its members' usernames."""

    number: int
    room: str
    head: int
    members: set[str]


class StoredEvent(NamedTuple):
    """An event as it stands in the log."""

    room: str
    seq: int
    kind: EventKind
    sender: str
    text: str
    sent_at: int
    cid: str | None


@dataclass(slots=True)
class Directory:
    """All durable facts that the rules look up, but for the events themselves."""

    accounts: dict[str, Account] = field(default_factory=dict)
    devices: dict[bytes, str] = field(default_factory=dict)
    """The SHA-256 of a device's token → its account's username."""
    rooms: dict[str, RoomLog] = field(default_factory=dict)
    rooms_of: dict[str, set[str]] = field(default_factory=dict)
    usernames: list[str] = field(default_factory=list)
    """Of all accounts, in their order: a page of people is a piece of it."""

    def add_account(self, account: Account) -> None:
        """Note a new account."""
        self.accounts[account.username] = account
        insort(self.usernames, account.username)

    def enter(self, room: RoomLog, username: str) -> None:
        """Note that an account is a member of a room."""
        room.members.add(username)
        self.rooms_of.setdefault(username, set()).add(room.room)


class LogUnreadableError(Exception):
    """The log can't be read now."""


class Log(Protocol):
    """The part of the store that the rules write to, within the hub's transaction."""

    def load(self) -> Directory:
        """Everything durable but the events."""

    def atomic(self) -> AbstractContextManager[None]:
        """Several writes of one command: all of them or none, within the batch's transaction."""

    def add_account(self, username: str, display_name: str, now: int) -> Account:
        """A new account."""

    def add_device(self, account: Account, token_hash: bytes, name: str, now: int) -> None:
        """A device that may sign in to an account."""

    def add_room(self, room: str, now: int) -> RoomLog:
        """A new, empty room."""

    def add_member(self, room: RoomLog, account: Account) -> None:
        """Let an account into a room."""

    def append(self, room: RoomLog, event: StoredEvent, sender: Account) -> StoredEvent | None:
        """Write the room's next event; or nothing, and give what its `cid` was said with before."""

    def find(self, sender: Account, cid: str) -> StoredEvent | None:
        """The message a sender already said under this id."""

    def times(self, places: Collection[tuple[RoomLog, int]]) -> dict[str, int]:
        """By room, the `sent_at` of what is written in these places, at most one of each room.

        Raises LogUnreadableError. A place that is empty, or not written yet, is left out.
        """
