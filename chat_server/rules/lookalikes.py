"""Whose names look like that of somebody who asks to join: the host must not take them for one.

Display names may be the same, so whoever asks can have a member's. Signs and spaces make no
difference here: "Ada-Lindqvist" is read as "Ada Lindqvist".
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from chat_server.rules.directory import Account
from chat_server.rules.join_requests import JoinRequest
from common import limits
from common.domain.confusables import skeletons

_KEPT: Final = 16384
"""Names whose readings are kept: a few milliseconds would be spent on thousands of accounts."""


class Lookalikes(NamedTuple):
    """Usernames of members with such a name, and numbers of other requests with one."""

    members: tuple[str, ...]
    requests: tuple[int, ...]


def lookalikes(
    asking: Sequence[JoinRequest], among: Iterable[JoinRequest], accounts: Mapping[str, Account]
) -> list[Lookalikes]:
    """For each of those who ask; other requests are looked for `among` these."""
    names = [_read(each.display_name) | _read(each.username) for each in asking]
    wanted = frozenset[str]().union(*names)
    members: list[tuple[str, frozenset[str]]] = []
    for username, account in accounts.items():
        shown = _read(account.display_name)
        called = _read(username)
        if not account.former and not (wanted.isdisjoint(shown) and wanted.isdisjoint(called)):
            members.append((username, shown | called))
    members.sort(key=lambda each: each[0])
    others = [(each.number, _read(each.display_name)) for each in among]
    return [
        Lookalikes(
            tuple(whose for whose, read in members if not read.isdisjoint(name))[
                : limits.LOOKALIKES
            ],
            tuple(
                number
                for number, read in others
                if number != request.number and not read.isdisjoint(_read(request.display_name))
            )[: limits.REQUESTS],
        )
        for request, name in zip(asking, names, strict=True)
    ]


@lru_cache(_KEPT)
def _read(name: str) -> frozenset[str]:
    """What a name is read as, without signs and spaces unless there is nothing else."""
    return frozenset(
        "".join(filter(str.isalnum, skeleton)) or skeleton for skeleton in skeletons(name)
    )
