"""The figures as tables in Markdown, with ratios and targets, and all of them in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from tests.bench.load.columns import COLUMNS, COMPARED, Column
from tests.bench.load.generator import Figures
from tests.bench.load.measures import Measure
from tests.bench.load.servers import Server
from tests.bench.load.targets import Target, ratios, targets
from tests.bench.load.trials import Bench
from tests.bench.tables import NONE, figure, table

_FAILED = "failed"


@dataclass(frozen=True)
class Report:
    """All that was measured. `judged`: whether targets are compared with what came out."""

    bench: Bench
    judged: bool

    def markdown(self, about: str) -> str:
        """The tables, under a sentence on how it was measured."""
        parts = ["## The server under load", about]
        for measure in self.bench.measures:
            if not measure.curve:
                parts += [f"### {_capital(measure.title)}", self._table(measure)]
        curves = [measure for measure in self.bench.measures if measure.curve]
        for server in self.bench.servers:
            for curve in dict.fromkeys(each.curve for each in curves if each.is_for(server)):
                parts += [f"### As it grows: {curve} ({server.title})"]
                parts += [self._curve(curve, server)]
        if self.judged:
            parts += ["### Targets", "Ours always with TLS and the commit before fan-out."]
            parts.append(self._verdicts())
        if self.bench.failures:
            parts += ["### What failed", "\n".join(f"- {why}" for why in self.bench.failures)]
        return "\n\n".join(parts) + "\n"

    def json(self) -> dict[str, Any]:
        """Every single figure of every round."""
        return {
            "commit_ms": self.bench.probe.commits,
            "fdatasync_ms": self.bench.probe.syncs,
            "measures": {
                measure.key: {
                    "title": measure.title,
                    "curve": measure.curve,
                    "point": measure.point,
                    "load": asdict(measure.load),
                    "servers": {
                        server.title: [
                            figures and asdict(figures)
                            for figures in self.bench.of(measure.key, server)
                        ]
                        for server in filter(measure.is_for, self.bench.servers)
                    },
                }
                for measure in self.bench.measures
            },
            "targets": [
                {
                    "what": each.what,
                    "aimed_at": each.limit_text,
                    "is": each.value_text,
                    "met": each.met,
                }
                for each in self._targets()
            ],
            "failures": self.bench.failures,
        }

    def _targets(self) -> list[Target]:
        return targets(self.bench) if self.judged else []

    def _table(self, measure: Measure) -> str:
        columns = COLUMNS[measure.kind]
        compared = measure.kind in COMPARED and not measure.only_ours
        head = ["median (least–greatest)", *(title for title, _, _ in columns)]
        head += ["× best peer, plaintext", "× best peer, TLS"] * compared
        rows = []
        for server in filter(measure.is_for, self.bench.servers):
            rounds = self.bench.of(measure.key, server)
            row = [server.title + _how_many_failed(rounds), *_cells(columns, rounds)]
            if compared:
                row += [self._ratio(measure, server, tls=tls) for tls in (False, True)]
            rows.append(row)
        return table(head, rows)

    def _curve(self, curve: str, server: Server) -> str:
        """A row for each point, with the columns of all that was measured there."""
        there = [measure for measure in self.bench.measures if measure.curve == curve]
        kinds = dict.fromkeys(measure.kind for measure in there)
        head = [curve, *(title for kind in kinds for title, _, _ in COLUMNS[kind])]
        rows = []
        for point in dict.fromkeys(measure.point for measure in there):
            row = [f"{point:,}"]
            for kind in kinds:
                rounds = [
                    figures
                    for measure in there
                    if (measure.point, measure.kind) == (point, kind)
                    for figures in self.bench.of(measure.key, server)
                ]
                row += _cells(COLUMNS[kind], rounds)
            rows.append(row)
        return table(head, rows)

    def _ratio(self, measure: Measure, server: Server, *, tls: bool) -> str:
        value = COMPARED[measure.kind]
        found = ratios(self.bench, measure.key, server, value, lambda s: s.peer and s.tls == tls)
        return f"{median(found):.2f}" if found else NONE

    def _verdicts(self) -> str:
        rows = [
            [each.what, each.limit_text, each.value_text, "met" if each.met else "missed"]
            for each in self._targets()
        ]
        return table(["target", "aimed at", "is", ""], rows) if rows else "Nothing to judge."


def _cells(columns: Iterable[Column], rounds: Sequence[Figures | None]) -> Iterator[str]:
    """A cell for each column; a failure is not left blank."""
    worked = [figures for figures in rounds if figures is not None]
    for _, value, form in columns:
        if rounds and not worked:
            yield _FAILED
        else:
            yield figure([found for f in worked if (found := value(f)) is not None], form)


def _how_many_failed(rounds: Sequence[Figures | None]) -> str:
    failed = sum(figures is None for figures in rounds)
    return f" ({failed} of {len(rounds)} failed)" if failed else ""


def _capital(title: str) -> str:
    return f"{title[0].upper()}{title[1:]}"
