"""Reasons as data: a code, and the parameters for a sentence.

common/domain/sentences.py makes the sentences where people read them: so rules, wire and store are
independent of language, and no code has to compare or cut sentences.
"""

from collections.abc import Mapping
from math import ceil
from types import MappingProxyType
from typing import Final, NamedTuple

Params = Mapping[str, str | int]


class Reason(NamedTuple):
    """A reason. `params` are names, numbers, and times in milliseconds since 1970-01-01 UTC."""

    code: str
    params: Params = MappingProxyType({})


AGAIN: Final = "again"
"""The parameter with the seconds after which a person may try again what nothing else will."""
_TELLS_WHEN: Final = frozenset({"minutes", "seconds", AGAIN})
"""Parameters of reasons that say themselves when."""


def refused_by_hand(reason: Reason, retry_after: int | None) -> Reason:
    """Why a person did not get what they asked for, with when it may be tried again.

    `retry_after` is in milliseconds, as in the protocol.
    """
    if not retry_after or not _TELLS_WHEN.isdisjoint(reason.params):
        return reason
    return Reason(reason.code, {**reason.params, AGAIN: ceil(retry_after / 1000)})
