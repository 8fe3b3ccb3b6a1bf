"""Summaries of messages, inputs and news for debug logs: types, numbers and codes, no content.

Texts of people, names of people and rooms, tokens, secrets and keys are text or bytes, and neither
is ever included; a list or a mapping is shown by its length. So a new field is private by default.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from typing import Any, Final

from common.domain.reasons import Reason

_CODES: Final = frozenset({"type", "code", "why", "kind"})
"""Fields whose text is one of the program's own codes."""
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FIRST: Final = 8
"""Maximum number of a mapping's entries in a summary."""


def brief(item: object) -> str:
    """The type of an item, with its fields that are numbers, codes or have a length.

    `item` is a model, a dataclass or a named tuple. It costs some microseconds: check the logger's
    level first.
    """
    name = getattr(item, "type", None)
    parts = [name if isinstance(name, str) and _CODE.fullmatch(name) else type(item).__name__]
    for field, value in _fields(item):
        told = _told(field, value)
        if told and field != "type":
            parts.append(f"{field}={told}")
    return " ".join(parts)


def _fields(item: Any) -> Iterator[tuple[str, object]]:
    kind = type(item)
    for named in ("model_fields", "__dataclass_fields__", "_fields"):
        fields = getattr(kind, named, None)
        if fields is not None:
            for field in fields:
                yield field, getattr(item, field)
            return


def _told(field: str, value: object) -> str:
    """A field in a summary; "" leaves it out."""
    told = ""
    match value:
        case Enum():
            told = value.name.lower()
        case str():
            told = value if field in _CODES and _CODE.fullmatch(value) else ""
        case bytes() | None:
            pass
        case Reason():
            told = _told("code", value.code)
        case int() | float():
            told = f"{value:.3f}" if isinstance(value, float) else str(value)
        case Mapping():
            told = f"{len(value)}{_numbers(value)}"
        case _ if any(True for _ in _fields(value)):
            told = f"({brief(value)})"
        case Collection():
            told = str(len(value))
    return told


def _numbers(values: Mapping[Any, object]) -> str:
    # By exact type: a bool is an int, too, and none of these numbers.
    numbers = [value for value in values.values() if type(value) is int]
    return f"{numbers[:_FIRST]}" if numbers and len(numbers) == len(values) else ""
