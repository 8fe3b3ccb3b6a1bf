"""How something went over a long time: where it began, where it ended, whether it rose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from tests.bench.endure.vitals import MIB, Vitals
from tests.bench.tables import table

_ENDS: Final = 0.1
"""The part of the samples that stands for the beginning, and for the end."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment. `online`: members connected; `sizes`: bytes of the server's files.

    `live` deliveries were made since the last sample, half of them within `p50` seconds, and all
    but a hundredth within `p99`; `slowest` is the greatest.
    """

    vitals: Vitals
    online: int
    sizes: dict[str, int]
    live: int
    p50: float
    p99: float
    slowest: float


@dataclass(frozen=True)
class Course:
    """A figure over time, in units for people."""

    title: str
    values: Sequence[float]
    seconds: float
    form: str = "{:.1f}"

    @property
    def start(self) -> float:
        """The median of the first tenth."""
        return median(self.values[: self._ends])

    @property
    def end(self) -> float:
        """The median of the last tenth."""
        return median(self.values[-self._ends :])

    @property
    def growth(self) -> float:
        """From start to end."""
        return self.end - self.start

    @property
    def slope(self) -> float:
        """What it rises by in an hour: the line with the least squares."""
        count = len(self.values)
        middle, mean = (count - 1) / 2, sum(self.values) / count
        square = sum((place - middle) ** 2 for place in range(count))
        if not square:
            return 0.0
        rise = sum((place - middle) * (value - mean) for place, value in enumerate(self.values))
        return rise / square * (count - 1) / self.seconds * 3600

    def row(self) -> list[str]:
        """For the table."""
        figures = (self.start, self.end, min(self.values), max(self.values), self.slope)
        return [self.title, *(self.form.format(figure) for figure in figures)]

    @property
    def _ends(self) -> int:
        return max(1, round(len(self.values) * _ENDS))


@dataclass
class Record:
    """All samples, the first one taken after the warm-up."""

    samples: list[Sample] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """From the first to the last sample."""
        return self.samples[-1].vitals.at - self.samples[0].vitals.at

    def course(self, title: str, value: Callable[[Sample], float], form: str = "{:.1f}") -> Course:
        """One figure of each sample."""
        return Course(title, [value(sample) for sample in self.samples], self.seconds, form)

    @property
    def memory(self) -> Course:
        """MiB."""
        return self.course("memory, MiB", lambda s: s.vitals.memory / MIB, "{:.2f}")

    @property
    def threads(self) -> Course:
        """Threads of the server."""
        return self.course("threads", lambda s: s.vitals.threads, "{:.0f}")

    @property
    def files(self) -> Course:
        """Open files, without a socket for each member."""
        return self.course(
            "open files, but for the members'", lambda s: s.vitals.files - s.online, "{:.0f}"
        )

    def vitals_table(self) -> str:
        """The server's course."""
        courses = [
            self.memory,
            self.course("its own, MiB", lambda s: s.vitals.own / MIB, "{:.2f}"),
            self.threads,
            self.files,
            self.course("members", lambda s: s.online, "{:.0f}"),
            self._times("p50 of a delivery, ms", lambda s: s.p50),
            self._times("p99, ms", lambda s: s.p99),
            self._times("slowest, ms", lambda s: s.slowest),
        ]
        head = ["the server", "at the start", "at the end", "least", "most", "slope, an hour"]
        return table(head, [course.row() for course in courses])

    def _times(self, title: str, value: Callable[[Sample], float]) -> Course:
        """How long deliveries took, in ms; before the first sample none were timed."""
        return Course(title, [value(s) * 1e3 for s in self.samples if s.live], self.seconds)

    def sizes_table(self) -> str:
        """The files' course, in KiB."""
        names = sorted({name for sample in self.samples for name in sample.sizes})
        courses = [
            Course(
                name, [s.sizes.get(name, 0) / 1024 for s in self.samples], self.seconds, "{:,.0f}"
            )
            for name in names
        ]
        head = ["files, KiB", "at the start", "at the end", "least", "most", "slope, an hour"]
        return table(head, [course.row() for course in courses])

    def grown(self, store: Sequence[str]) -> list[str]:
        """Files that are larger or new at the end, but for those of the store."""
        first, last = self.samples[0].sizes, self.samples[-1].sizes
        return [
            f"{name}: {first.get(name, 0):,} to {size:,} bytes"
            for name, size in last.items()
            if name not in store and size > first.get(name, 0)
        ]
