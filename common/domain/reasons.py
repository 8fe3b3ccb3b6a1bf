"""Reasons as data: a code, and the parameters for a sentence.

common/domain/sentences.py makes the sentences where people read them: so rules, wire and store are
independent of language, and no code has to compare or cut sentences.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

Params = Mapping[str, str | int]


class Reason(NamedTuple):
    """A reason. `params` are names, numbers, and times in milliseconds since 1970-01-01 UTC."""

    code: str
    params: Params = MappingProxyType({})
