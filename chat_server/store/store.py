"""The interface of a storage engine: a writer, readers, and the errors they raise."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from chat_server.rules.directory import Account, Device, Directory, RoomLog
from chat_server.rules.issued_invites import IssuedInvite
from chat_server.rules.roles import Role
from chat_server.rules.sanctions import Sanction
from common.protocol.events import Event


class StoreUnusableError(Exception):
    """The store can't be opened; the text says why and what to do, for a person."""


class StoreFailedError(Exception):
    """An operation of the store failed. A failed transaction stores nothing."""


class StoreFullError(StoreFailedError):
    """The disk or the database is full."""


class StoreBusyError(StoreFailedError):
    """Another program holds a lock: a retry may succeed in a moment."""


class StoreUnreadableError(StoreFailedError):
    """An I/O error, as when its disk is away: it has to be reopened before a retry."""


class StoreFaultError(StoreFailedError):
    """A constraint is violated, or a value has no representation: a retry would not help.

    It is a bug, or another program has changed the store.
    """


class Store(Protocol):
    """One writer, for one thread. Every method may raise StoreFailedError.

    What writes is called within `transaction`.
    """

    def close(self) -> None:
        """Close it, after all readers. Raises nothing."""

    def reopen(self, epoch: str) -> None:
        """Reopen it, outside of a transaction, if it has this epoch.

        If it has not, or does not exist, that is an error, and the old connection stays open.
        """

    def release_reserve(self) -> None:
        """The disk is full: release the reserve of disk space. Raises nothing."""

    def has_space(self) -> bool:
        """Whether there is space for messages; allocates the reserve if needed. Raises nothing."""

    def transaction(self) -> AbstractContextManager[None]:
        """A transaction: all or nothing, durable (fsync) at its end."""

    def atomic(self) -> AbstractContextManager[None]:
        """A savepoint: several writes of one command, all of them or none."""

    def begin_command(self) -> None:
        """A savepoint: what is written from here on belongs to the next command."""

    def undo_command(self) -> bool:
        """Roll back what the command wrote, and nothing else; False when that is not possible.

        It is possible at least if the command only appended events. Where it is not, nothing is
        changed, and the caller has to let the whole transaction fail.
        """

    def meta(self, key: str, default: str) -> str:
        """A durable setting, written with `default` when there is none yet."""

    def set_meta(self, key: str, value: str) -> None:
        """Change a durable setting."""

    def epoch(self) -> str:
        """The store's random id, created on first use."""

    def invite_secret(self, now: int) -> str:
        """The secret of the standing invite: 128 random bits, base64url (RFC 4648).

        If there is none yet, it is made, and is the invite with the number STANDING.
        """

    def load(self) -> Directory:
        """Everything durable but the events."""

    def add_account(
        self, username: str, display_name: str, change: int, now: int, role: Role = Role.MEMBER
    ) -> Account:
        """A new account."""

    def change_account(self, account: Account) -> None:
        """An account is otherwise now, by the number of its change."""

    def delete_account(self, account: Account, now: int) -> None:
        """An account was deleted, and is this from now on.

        Its devices stay as hashes of their tokens, to be told so. If it is `erased`, the directory
        that `load` gives names it as being erased from now on, until `erase` is at the end.
        """

    def erase(self, account: Account, after: int) -> int | None:
        """Remove some of an account's texts for good, from a cursor on: 0 is the beginning.

        Returns the cursor for the next call, or None if nothing is left: then the account is not
        being erased any more. Events of kinds without texts stay as they are.
        """

    def add_device(self, account: Account, token_hash: bytes, device: Device) -> None:
        """A device that may sign in to an account."""

    def remove_device(self, token_hash: bytes) -> None:
        """A device may not sign in any more."""

    def save_seen(self, devices: Mapping[bytes, Device]) -> None:
        """When these devices were seen last, and their names; one that is not stored is skipped."""

    def add_invite(self, invite: IssuedInvite) -> IssuedInvite:
        """An invite, with the number that it has from now on, which is never given again.

        That its secret's hash is stored already is a StoreFaultError.
        """

    def change_invite(self, invite: IssuedInvite) -> None:
        """It was used or revoked, or the standing one has another secret."""

    def remove_invite(self, invite: IssuedInvite) -> None:
        """It ended long ago."""

    def add_sanction(self, sanction: Sanction) -> Sanction:
        """A ban or a mute, with the number that it has from now on."""

    def remove_sanction(self, sanction: Sanction) -> None:
        """It is lifted, or has ended."""

    def add_audit(self, at: int, by: str, action: str, fields: Mapping[str, Any]) -> None:
        """Something was done, at a time in milliseconds since 1970-01-01 UTC."""

    def add_room(self, room: str, now: int) -> RoomLog:
        """A new, empty room."""

    def set_slow(self, room: RoomLog, seconds: int) -> None:
        """Change a room's slow mode: seconds between two messages of a member, 0 for none."""

    def add_member(self, room: RoomLog, account: Account) -> None:
        """Let an account into a room."""

    def recall(self, ids: Collection[tuple[Account, str]]) -> None:
        """Prefetch by one query what `append` and `find` would look up one by one."""

    def append(self, room: RoomLog, event: Event, sender: Account) -> Event | None:
        """Write the room's next event; or, deduplicating by `cid`, return the one stored before.

        Where there is an event in that place already, this fails, or the transaction does, with
        StoreFaultError.
        """

    def find(self, sender: Account, cid: str) -> Event | None:
        """The event that a sender already added under this id, or None.

        It needs no transaction: outside of one it reads what is committed, or raises.
        """

    def cids(self, places: Collection[tuple[RoomLog, int]]) -> dict[str, str]:
        """By room, the `cid` of what is stored in these places, at most one of each room.

        It needs no transaction. A place that is empty is left out; one that is of this transaction
        may be, or not.
        """


class AuditRow(NamedTuple):
    """An entry of the audit log."""

    number: int
    at: int
    by: str
    action: str
    fields: dict[str, Any]


class Reader(Protocol):
    """A read-only connection beside the writer, for one thread. It sees what is committed.

    Of accounts that are being erased it gives no text, whether that is still stored or not.
    """

    def after(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events of a room that follow a place. Raises StoreFailedError."""

    def place_at(self, room: str, at: int) -> int:
        """The first place in a room from a time on, in milliseconds since 1970-01-01 UTC.

        If nothing is that late, the place after the last. Raises StoreFailedError.
        """

    def audit(self, before: int | None, count: int) -> list[AuditRow]:
        """The newest entries of the audit log, or those before a number, the newest first.

        Raises StoreFailedError.
        """

    def close(self) -> None:
        """Let go of it, before the writer does. Raises nothing."""
