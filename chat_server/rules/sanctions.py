"""Bans and mutes in memory, as they are stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class SanctionKind(StrEnum):
    """The kind of a sanction."""

    BAN = "ban"
    """No sign-in and no join."""
    MUTE = "mute"
    """No writing."""


@dataclass(frozen=True, slots=True)
class Sanction:
    """`number` is the store's key. It is about an account, about installations, or about both.

    Times are in milliseconds since 1970-01-01 UTC; without `until` it lasts until it is lifted.
    """

    number: int
    kind: SanctionKind
    username: str | None
    installations: frozenset[str]
    device: str | None
    until: int | None
    reason: str
    by: str
    at: int

    def holds(self, now: int) -> bool:
        """Whether it has not expired at `now`."""
        return self.until is None or now < self.until


_About = dict[str, dict[int, Sanction]]
"""By a username or an installation, which has no form of a username, and by number.

One for each kind: the hash of an Enum's member is computed in Python, for every message.
"""


class SanctionList:
    """All sanctions, by number, by account and by installation."""

    def __init__(self) -> None:
        self._all: dict[int, Sanction] = {}
        self._bans: _About = {}
        self._mutes: _About = {}

    def add(self, sanction: Sanction) -> None:
        """Add a sanction."""
        self._all[sanction.number] = sanction
        kept = self._of_kind(sanction.kind)
        for key in _keys(sanction):
            kept.setdefault(key, {})[sanction.number] = sanction

    def remove(self, sanction: Sanction) -> None:
        """Remove a sanction."""
        del self._all[sanction.number]
        kept = self._of_kind(sanction.kind)
        for key in _keys(sanction):
            about = kept[key]
            del about[sanction.number]
            if not about:
                del kept[key]

    def get(self, number: int) -> Sanction | None:
        """One by its number."""
        return self._all.get(number)

    def about(self, kind: SanctionKind, username: str) -> list[Sanction]:
        """All sanctions of a kind on an account, expired ones included."""
        return list(self._of_kind(kind).get(username, {}).values())

    def ban_of(self, now: int, username: str, installation: str) -> Sanction | None:
        """The ban of this account or this installation; the longest of several, None for none."""
        found = self.about(SanctionKind.BAN, username)
        found += self.about(SanctionKind.BAN, _key(installation))
        return _longest(found, now)

    def mute_of(self, now: int, username: str) -> Sanction | None:
        """The mute of this account; the longest of several, None for none."""
        # Called for every message, and nearly always without a result.
        about = self._mutes.get(username)
        return None if about is None else _longest(list(about.values()), now)

    def after(self, number: int, now: int) -> Iterator[Sanction]:
        """Sanctions in force with greater numbers, in ascending order."""
        for each in sorted(self._all):
            if each > number and self._all[each].holds(now):
                yield self._all[each]

    def ended(self, now: int) -> list[Sanction]:
        """Expired sanctions."""
        return [each for each in self._all.values() if not each.holds(now)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SanctionList) and self._all == other._all

    __hash__ = None  # type: ignore[assignment]  # it changes

    def _of_kind(self, kind: SanctionKind) -> _About:
        return self._bans if kind is SanctionKind.BAN else self._mutes


def _keys(sanction: Sanction) -> Iterator[str]:
    if sanction.username is not None:
        yield sanction.username
    yield from map(_key, sanction.installations)


def _key(installation: str) -> str:
    return f"/{installation}"


def _longest(sanctions: list[Sanction], now: int) -> Sanction | None:
    holding = [each for each in sanctions if each.holds(now)]
    return max(holding, key=lambda each: (each.until is None, each.until or 0), default=None)


def sanction_params(sanction: Sanction) -> dict[str, str | int]:
    """The parameters of a sanction for the error or goodbye to the person."""
    told: dict[str, str | int] = {"reason": sanction.reason}
    if sanction.until is not None:
        told["until"] = sanction.until
    return told
