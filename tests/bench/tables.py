"""Tables in Markdown, for benchmarks of all kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

NONE: Final = "–"
"""What stands where nothing was measured."""


def figure(values: Sequence[float], form: str) -> str:
    """The median, with the least and the greatest of several."""
    if not values:
        return NONE
    show: Callable[[float], str] = form.format
    if len(values) == 1:
        return show(values[0])
    return f"{show(median(values))} ({show(min(values))}–{show(max(values))})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown that is also one for the eye; all but its first column stand right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        text = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(text)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(head), line(rule), *map(line, rows)])
