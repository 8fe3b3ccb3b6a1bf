"""Messages, inputs and news for the log at the level debug: types, numbers and codes, no content.

What people wrote, what they or their rooms are called, tokens, secrets and keys are text or bytes,
and neither is ever told; of a list or a mapping it is told how long it is. So nobody has to decide
for each new field whether it may be in a log.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from typing import Any, Final

from common.domain.reasons import Reason

_CODES: Final = frozenset({"type", "code", "why", "kind"})
"""Fields whose text is one of a few words of the program's own."""
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FIRST: Final = 8
"""Maximum number of a mapping's numbers in a brief."""


def brief(item: object) -> str:
    """The name of what it is, and its fields that are numbers, codes or of a certain length.

    `item` is a model, a dataclass or a named tuple. It costs some microseconds: ask the logger
    first whether anybody reads it.
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
    """How a field is shown in a brief; "" leaves it out."""
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
    numbers = [value for value in values.values() if isinstance(value, int)]
    return f"{numbers[:_FIRST]}" if numbers and len(numbers) == len(values) else ""
