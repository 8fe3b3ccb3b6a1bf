"""What came out of a trial, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan

from tests.bench.load.targets import Target
from tests.bench.tables import table


@dataclass
class Findings:
    """A chapter: what was done, tables, what else there is to say, and the targets."""

    title: str
    about: str
    tables: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def add_table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add a table."""
        self.tables.append(table(head, rows))

    def at_most(self, what: str, unit: str, limit: float, value: float) -> None:
        """Add a target that is a most."""
        self.targets.append(Target(f"{self.title}: {what}", unit, limit, value))

    def markdown(self) -> str:
        """The chapter, without its targets."""
        notes = ["\n".join(f"- {note}" for note in self.notes)] if self.notes else []
        return "\n\n".join([f"### {self.title[0].upper()}{self.title[1:]}", self.about]) + "".join(
            f"\n\n{part}" for part in [*self.tables, *notes]
        )


def verdicts(targets: Sequence[Target]) -> str:
    """All targets beside what came out."""
    rows = [
        [each.what, each.limit_text, each.value_text, "met" if each.met else "missed"]
        for each in targets
    ]
    return table(["target", "aimed at", "is", ""], rows)


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which a part of them is; not a number for none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else nan


def milliseconds(seconds: float) -> str:
    """For a table."""
    return f"{seconds * 1000:.1f}"
