"""Invites in memory, as they are stored: who issued them, for whom, and whether they are valid."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from chat_server.rules.roles import Role

STANDING: Final = 0
"""The number of the standing invite, whose link can be shown again."""
KEPT_FOR: Final = 30 * 24 * 3600 * 1000
"""Milliseconds for which an invite that has ended is still listed."""


class InviteKind(StrEnum):
    """How an invite is handed over."""

    LINK = "link"
    CODE = "code"
    """To whoever proved to know the spoken code."""
    KNOCK = "knock"
    """To whoever asked to join and was let in."""
    DEVICE = "device"
    """As a link that adds a device to an account."""


_FOR_ONE_JOIN: Final = frozenset({InviteKind.CODE, InviteKind.KNOCK})
"""Kinds of invites that are used at once, or never."""
NEEDS_NO_ASKING: Final = frozenset({InviteKind.KNOCK})
"""Kinds of invites by which newcomers join where all of them have to ask: they did."""


@dataclass(frozen=True, slots=True)
class IssuedInvite:
    """`number` is the store's key. Times are in milliseconds since 1970-01-01 UTC.

    `by` is the username of who issued it; None is the host. With a `username` it only adds a device
    to that account; else `role` is that of the account that is made with it.
    """

    number: int
    secret_hash: bytes
    kind: InviteKind
    created: int
    by: str | None = None
    role: Role = Role.MEMBER
    username: str | None = None
    note: str = ""
    expires: int | None = None
    most_uses: int | None = None
    uses: int = 0
    ended_at: int | None = None
    """When it was revoked or used for the last time; None as long as neither was done."""

    def used(self, now: int) -> "IssuedInvite":
        """The same after one more use."""
        uses = self.uses + 1
        last = self.most_uses is not None and uses >= self.most_uses
        return replace(self, uses=uses, ended_at=now if last else self.ended_at)

    def revoked(self, now: int) -> "IssuedInvite":
        """The same after it was revoked."""
        return replace(self, ended_at=now)

    def ended(self, now: int) -> str | None:
        """Why it is not valid: "used", "revoked" or "expired"; None if it is."""
        if self.most_uses is not None and self.uses >= self.most_uses:
            return "used"
        if self.ended_at is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else None

    def is_forgotten(self, now: int) -> bool:
        """Whether it ended so long ago that it is no longer listed.

        One that expired before its only use is not: there may be thousands of a code.
        """
        if self.kind in _FOR_ONE_JOIN and self.uses == 0 and self.ended(now) == "expired":
            return True
        ends = [each for each in (self.ended_at, self.expires) if each is not None]
        return bool(ends) and min(ends) <= now - KEPT_FOR


class IssuedInvites:
    """All invites, by number and by the hash of their secret."""

    def __init__(self) -> None:
        self._all: dict[int, IssuedInvite] = {}
        self._by_hash: dict[bytes, int] = {}

    def put(self, invite: IssuedInvite) -> None:
        """Add an invite, or replace the one of the same number."""
        before = self._all.get(invite.number)
        if before is not None:
            del self._by_hash[before.secret_hash]
        self._all[invite.number] = invite
        self._by_hash[invite.secret_hash] = invite.number

    def remove(self, number: int) -> None:
        """Remove an invite."""
        del self._by_hash[self._all.pop(number).secret_hash]

    def get(self, number: int) -> IssuedInvite | None:
        """One by its number."""
        return self._all.get(number)

    def of_secret(self, secret: str) -> IssuedInvite | None:
        """The invite with this secret, valid or not; None if there never was one, or long ago.

        It is found by a hash: how long that takes tells nothing about any secret.
        """
        number = self._by_hash.get(secret_hash(secret))
        return None if number is None else self._all[number]

    def before(self, number: int | None) -> Iterator[IssuedInvite]:
        """Those with smaller numbers, or all; the newest first."""
        for each in sorted(self._all, reverse=True):
            if number is None or each < number:
                yield self._all[each]

    def __iter__(self) -> Iterator[IssuedInvite]:
        return iter(tuple(self._all.values()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IssuedInvites) and self._all == other._all

    __hash__ = None  # type: ignore[assignment]  # it changes


def secret_hash(secret: str) -> bytes:
    """What is stored of a secret: 128 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode("ascii")).digest()
