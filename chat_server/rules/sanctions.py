"""Bans and mutes: what holds now, in memory as it is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class SanctionKind(StrEnum):
    """What somebody may not do."""

    BAN = "ban"
    """Sign in, or join."""
    MUTE = "mute"
    """Write."""


@dataclass(frozen=True, slots=True)
class Sanction:
    """`number` is the store's key. It is about an account, about installations, or about both.

    Times are in milliseconds since 1970-01-01 UTC; without `until` it holds until it is lifted.
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
        """Whether it has not ended by itself."""
        return self.until is None or now < self.until


class SanctionList:
    """All of them, by number, and by whom they are about."""

    def __init__(self) -> None:
        self._all: dict[int, Sanction] = {}
        self._about: dict[tuple[SanctionKind, str], dict[int, Sanction]] = {}
        """By kind, and by a username or an installation, which has no form of a username."""

    def add(self, sanction: Sanction) -> None:
        """Note one."""
        self._all[sanction.number] = sanction
        for key in self._keys(sanction):
            self._about.setdefault(key, {})[sanction.number] = sanction

    def remove(self, sanction: Sanction) -> None:
        """Forget one."""
        del self._all[sanction.number]
        for key in self._keys(sanction):
            about = self._about[key]
            del about[sanction.number]
            if not about:
                del self._about[key]

    def get(self, number: int) -> Sanction | None:
        """One by its number."""
        return self._all.get(number)

    def about(self, kind: SanctionKind, username: str) -> list[Sanction]:
        """All of a kind that are about an account, also those that have ended by themselves."""
        return list(self._about.get((kind, username), {}).values())

    def ban_of(self, now: int, username: str, installation: str) -> Sanction | None:
        """What keeps this account, or this installation, away; the longest of several."""
        found = self.about(SanctionKind.BAN, username)
        found += self.about(SanctionKind.BAN, _key(installation))
        return _longest(found, now)

    def mute_of(self, now: int, username: str) -> Sanction | None:
        """What keeps this account from writing."""
        # Asked for every message, and nearly always answered by nothing.
        about = self._about.get((SanctionKind.MUTE, username))
        return None if about is None else _longest(list(about.values()), now)

    def after(self, number: int, now: int) -> Iterator[Sanction]:
        """Those with greater numbers that hold now, in their order."""
        for each in sorted(self._all):
            if each > number and self._all[each].holds(now):
                yield self._all[each]

    def ended(self, now: int) -> list[Sanction]:
        """Those that have ended by themselves."""
        return [each for each in self._all.values() if not each.holds(now)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SanctionList) and self._all == other._all

    __hash__ = None  # type: ignore[assignment]  # it changes

    @staticmethod
    def _keys(sanction: Sanction) -> Iterator[tuple[SanctionKind, str]]:
        if sanction.username is not None:
            yield sanction.kind, sanction.username
        for installation in sanction.installations:
            yield sanction.kind, _key(installation)


def _key(installation: str) -> str:
    return f"/{installation}"


def _longest(sanctions: list[Sanction], now: int) -> Sanction | None:
    holding = [each for each in sanctions if each.holds(now)]
    return max(holding, key=lambda each: (each.until is None, each.until or 0), default=None)


def told_of(sanction: Sanction) -> dict[str, str | int]:
    """What the person it is about is told of it."""
    told: dict[str, str | int] = {"reason": sanction.reason}
    if sanction.until is not None:
        told["until"] = sanction.until
    return told
