"""Files of groups and keys: desktop entries, and lists of which program opens what.

Their form is that of the Desktop Entry Specification 1.5.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path


def read_lines(path: Path) -> list[str]:
    """The lines of a file; none where there is no file. What is no UTF-8 stays as it is."""
    try:
        return path.read_text("utf-8", "surrogateescape").splitlines()
    except FileNotFoundError:
        return []


def read_groups(path: Path) -> dict[str, dict[str, str]]:
    """The groups of a file, as its values are written; {} if it can't be read."""
    groups: dict[str, dict[str, str]] = {}
    values: dict[str, str] = {}
    try:
        lines = read_lines(path)
    except OSError:
        return {}
    for line in lines:
        group = group_of(line)
        key, equals, value = line.partition("=")
        if group is not None:
            values = groups.setdefault(group, {})
        elif equals and not line.startswith("#"):
            values.setdefault(key.strip(), value.strip())
    return groups


def group_of(line: str) -> str | None:
    """The name of the group that begins with this line; None if none does."""
    stripped = line.strip()
    return stripped[1:-1] if stripped[:1] == "[" and stripped[-1:] == "]" else None


def items_of(value: str) -> list[str]:
    """The items of a value that is a list."""
    return [item.strip() for item in value.split(";") if item.strip()]


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Replace a file, or what a link of that name leads to. Raises OSError."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        text = "".join(f"{line}\n" for line in lines)
        made.write_bytes(text.encode("utf-8", "surrogateescape"))
        if path.exists():
            shutil.copymode(path, made)
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
