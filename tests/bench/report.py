"""The figures as tables in Markdown, beside the targets, and the same for programs in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from tests.bench.tables import NONE, figure, table
from tests.bench.trials import Alone, Together

_NO_CPU: Final = 0.1
"""Percent of a processor up to which idling takes none: one clock tick in 10 seconds."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was aimed at, in which unit, and what came out; both are at most."""

    what: str
    unit: str
    limit: float
    value: float

    @property
    def met(self) -> bool:
        """Whether it was reached, by the figure as it is and not as it is rounded."""
        return self.value <= self.limit


@dataclass(frozen=True)
class Report:
    """All that was measured. The first of `alone` is the bare frozen window.

    `sizes` has bytes by what they are of.
    """

    alone: Sequence[Alone]
    together: Sequence[Together]
    sizes: dict[str, int]

    def markdown(self, about: str) -> str:
        """The tables, under a sentence on how it was measured."""
        tables = [self._starts(), self._talks(), self._sizes(), self._verdicts()]
        return "\n\n".join(["## Starting", about, *tables]) + "\n"

    def json(self) -> dict[str, Any]:
        """Every single figure: seconds, MiB, percent, bytes."""
        return {
            "starts": {
                each.title: {
                    "idle_cpu_percent": each.idle,
                    "rounds": [asdict(start) for start in each.starts],
                }
                for each in self.alone
            },
            "talks": {each.title: [asdict(talk) for talk in each.talks] for each in self.together},
            "bytes": self.sizes,
            "targets": [{**asdict(target), "met": target.met} for target in self.targets()],
        }

    def targets(self) -> list[Target]:
        """What is promised, program by program."""
        found: list[Target] = []
        for each in self.alone:
            if each.kind == "bare" or "source" in each.title:
                continue
            if "folder" in each.title:
                found += self._speeds(each)
            memory = median(start.memory for start in each.starts)
            found.append(Target(f"{each.title}: memory", "MiB", 65, memory))
            if each.idle is not None:
                found.append(Target(f"{each.title}: idle CPU (none)", "%", _NO_CPU, each.idle))
        found += [
            Target(f"{each.title}: message seen", "s", 1.5, median(t.seen for t in each.talks))
            for each in self.together
            if each.build.frozen
        ]
        for what, size in self.sizes.items():
            if "bare" not in what and "unpacked" not in what:
                limit = 25 if "single file" in what else 30
                found.append(Target(f"{what}: size", "MB", limit, size / 1e6))
        return found

    def ratios(self, times: Iterable[float | None]) -> list[float]:
        """Times of each round in relation to the bare frozen window's of the same round."""
        bare = (start.mapped for start in self.alone[0].starts)
        return [time / base for time, base in zip(times, bare, strict=True) if time is not None]

    def _speeds(self, each: Alone) -> list[Target]:
        mapped = median(self.ratios(start.mapped for start in each.starts))
        ready = [start.ready for start in each.starts if start.ready is not None]
        return [
            Target(f"{each.title}: mapped", "× bare", 1.5, mapped),
            Target(f"{each.title}: ready", "× bare", 4, median(self.ratios(ready))),
            Target(f"{each.title}: ready", "ms", 400, median(ready) * 1000),
        ]

    def _starts(self) -> str:
        rows = []
        for each in self.alone:
            mapped = [start.mapped for start in each.starts]
            ready = [start.ready for start in each.starts if start.ready is not None]
            rows.append(
                [
                    each.title,
                    figure([time * 1000 for time in mapped], "{:.0f}"),
                    figure(self.ratios(mapped), "{:.2f}"),
                    figure([time * 1000 for time in ready], "{:.0f}"),
                    figure(self.ratios(ready) if ready else [], "{:.2f}"),
                    figure([start.memory for start in each.starts], "{:.1f}"),
                    NONE if each.idle is None else f"{each.idle:.2f}",
                ]
            )
        head = ["started alone", "mapped, ms", "× bare", "ready, ms", "× bare"]
        return table([*head, "memory, MiB", "idle, % CPU"], rows)

    def _talks(self) -> str:
        rows = [
            [
                each.title,
                figure([talk.typed * 1000 for talk in each.talks], "{:.0f}"),
                figure([talk.seen * 1000 for talk in each.talks], "{:.0f}"),
            ]
            for each in self.together
        ]
        return table(["started at once", "letter typed, ms", "message seen, ms"], rows)

    def _sizes(self) -> str:
        rows = [[what, f"{size / 1e6:.1f}"] for what, size in self.sizes.items()]
        return table(["on the disk", "MB"], rows)

    def _verdicts(self) -> str:
        rows = [
            [
                target.what,
                f"≤ {target.limit:g} {target.unit}",
                f"{target.value:.2f}" if target.limit < 10 else f"{target.value:.1f}",
                "met" if target.met else "missed",
            ]
            for target in self.targets()
        ]
        return table(["target", "at most", "is", ""], rows)
