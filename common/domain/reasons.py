"""Reasons as data: a code, and what a sentence about it needs.

Sentences are made of them where people read them, by common/domain/sentences.py: so rules,
wire and store have no language, and nothing has to compare or cut sentences.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

Params = Mapping[str, str | int]


class Reason(NamedTuple):
    """Why something is so. `params` are names, numbers, and times in ms since 1970-01-01 UTC."""

    code: str
    params: Params = MappingProxyType({})
