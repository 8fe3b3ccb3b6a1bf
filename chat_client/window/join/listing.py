"""Which chats the join screen lists: found ones, the one on this computer, and known ones.

Pure: it is worked out anew whenever something has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from chat_client.state.account import Account
from common.domain.invite import Invite, Place
from common.domain.names import reads_as
from common.domain.sign import Sign, sign_of

if TYPE_CHECKING:
    from chat_client.state.discovery import FoundChat

HERE: Final = "here"
"""The key of the chat on this computer."""
_reads_as: Final = lru_cache(4096)(reads_as)
"""Cached: whoever floods the network with adverts has all of them compared at each change."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A chat as it is listed. `key` is unique in the list.

    With an `account` one is in it already; with an `invite` it is the one on this computer, which
    asks for nothing. `online` is None as long as nobody knows. `imitates` is the known chat whose
    name it has, while it is another server. With `is_twin` another one in the list has its name and
    its sign, which does not happen by chance. `copies` are addresses of several computers that all
    say they are it.
    """

    key: str
    place: Place
    account: Account | None = None
    invite: Invite | None = None
    online: bool | None = None
    imitates: str = ""
    is_twin: bool = False
    copies: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The chat's name."""
        return self.place.server_name

    @property
    def sign(self) -> Sign | None:
        """The chat's sign; None for one that has no certificate, or none that is known yet."""
        pin = self.place.fingerprint
        return None if pin is None else sign_of(pin)


@dataclass(frozen=True, slots=True)
class Listing:
    """The chats in the order they are listed."""

    found: tuple[Entry, ...] = ()
    """On this network, the one on this computer first, the others as they were found: so that none
    moves when another one comes. None that one is in already."""
    known: tuple[Entry, ...] = ()
    """The accounts, in the order they were given."""

    def entry(self, key: str | None) -> Entry | None:
        """The chat with a key."""
        return next((each for each in (*self.found, *self.known) if each.key == key), None)

    def with_pin(self, fingerprint: bytes) -> Entry | None:
        """The chat with a fingerprint; a known one before others."""
        every = (*self.known, *self.found)
        return next((each for each in every if each.place.fingerprint == fingerprint), None)


def list_chats(
    accounts: Sequence[Account],
    here: Invite | None,
    found: Iterable[FoundChat],
    seen: Mapping[str, bool],
) -> Listing:
    """The listing.

    `here` is the invite of the server on this computer, `seen` tells of which accounts, by their
    keys, the server has answered or not.
    """
    adverts = {each.fingerprint: each for each in found}
    known = tuple(_known(account, adverts, here, seen) for account in accounts)
    pins = {account.invite.fingerprint for account in accounts}
    names = _Names(accounts, here)
    rows = []
    if here is not None and not any(_is_here(account, here) for account in accounts):
        rows.append(Entry(HERE, here.place, invite=here, online=True))
        pins.add(here.fingerprint)
    for advert in adverts.values():
        if advert.fingerprint in pins:
            continue
        place = Place(advert.hosts, advert.port, advert.fingerprint, advert.name)
        key = f"found:{advert.fingerprint.hex()}"
        imitates = names.imitated_by(advert.name, advert.fingerprint)
        rows.append(Entry(key, place, online=True, imitates=imitates, copies=advert.copies))
    return Listing(tuple(_with_twins(rows)), known)


def _with_twins(rows: Sequence[Entry]) -> Iterator[Entry]:
    """The rows, with those marked that nobody can tell from another one."""
    by_sign: dict[Sign, list[Entry]] = {}
    for each in rows:
        if each.sign is not None:
            by_sign.setdefault(each.sign, []).append(each)
    for each in rows:
        alike = by_sign.get(each.sign, ()) if each.sign is not None else ()
        is_twin = any(other is not each and _reads_as(other.name, each.name) for other in alike)
        yield replace(each, is_twin=True) if is_twin and each.invite is None else each


def imitated(accounts: Sequence[Account], here: Invite | None, place: Place) -> str:
    """The known chat for which the server at `place` could be taken, and which it is not; or ""."""
    if place.fingerprint is None:
        return ""
    return _Names(accounts, here).imitated_by(place.server_name, place.fingerprint)


def _known(
    account: Account,
    adverts: Mapping[bytes, FoundChat],
    here: Invite | None,
    seen: Mapping[str, bool],
) -> Entry:
    pin = account.invite.fingerprint
    advert = None if pin is None else adverts.get(pin)
    place, online = account.invite.place, seen.get(account.key)
    if advert is not None:
        # Where it is now: it may have moved since the invite was made.
        hosts = tuple(dict.fromkeys((*advert.hosts, *place.hosts)))
        place, online = Place(hosts, advert.port, pin, place.server_name), True
    elif here is not None and _is_here(account, here):
        online = True
    copies = () if advert is None else advert.copies
    return Entry(account.key, place, account=account, online=online, copies=copies)


def _is_here(account: Account, here: Invite) -> bool:
    if here.fingerprint is None:
        return account.invite.fingerprint is None and account.invite.port == here.port
    return account.invite.fingerprint == here.fingerprint


class _Names:
    """The names of chats whose fingerprint is known."""

    def __init__(self, accounts: Sequence[Account], here: Invite | None) -> None:
        invites = [account.invite for account in accounts]
        invites += [here] if here is not None else []
        self._pins = {invite.fingerprint for invite in invites}
        self._names = [i.server_name for i in invites if i.fingerprint is not None]

    def imitated_by(self, name: str, fingerprint: bytes) -> str:
        """The known chat that a name could be mistaken for, unless it is that of one of them."""
        if fingerprint in self._pins:
            return ""
        return next((known for known in self._names if _reads_as(name, known)), "")
