"""The figures as tables in Markdown, with ratios and targets, and all of them in JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from tests.bench.load.generator import Figures, Times
from tests.bench.load.servers import Server
from tests.bench.load.targets import Target, ratios, targets
from tests.bench.load.trials import Bench, Kind, Measure
from tests.bench.report import _NONE, _figure, _table

Column = tuple[str, Callable[[Figures], float | None], str]

_SHARES: Final[tuple[Column, ...]] = (
    ("server, % CPU", lambda f: f.server_load, "{:.0f}"),
    ("generator, % CPU", lambda f: f.own_load, "{:.0f}"),
    ("faults", lambda f: f.faults, "{:.0f}"),
)


def _times(which: Callable[[Figures], Times | None], what: str) -> tuple[Column, ...]:
    def of(name: str) -> Callable[[Figures], float | None]:
        def value(figures: Figures) -> float | None:
            times = which(figures)
            return getattr(times, name) if times is not None and times.count else None

        return value

    names = ("p50", "p99", "p999", "max")
    return tuple((f"{what}{name}, ms", of(name), "{:.2f}") for name in names)


_DELIVERY: Final = _times(lambda f: f.delivery, "")
_ACK: Final = _times(lambda f: f.ack, "ack ")
_COLUMNS: Final[dict[Kind, tuple[Column, ...]]] = {
    Kind.DELIVERIES: (
        ("deliveries/s", lambda f: f.delivery_rate, "{:,.0f}"),
        ("µs CPU each", lambda f: f.cost, "{:.2f}"),
        *_DELIVERY[:2],
        *_SHARES,
    ),
    Kind.MESSAGES: (
        ("messages/s", lambda f: f.message_rate, "{:,.0f}"),
        *_DELIVERY[:2],
        *_SHARES,
    ),
    Kind.TIMES: (
        ("deliveries/s", lambda f: f.delivery_rate, "{:,.0f}"),
        *_DELIVERY,
        *_ACK[:2],
        *_SHARES,
    ),
    Kind.CROWD: (("all in, s", lambda f: f.crowd_s, "{:.2f}"), *_DELIVERY, *_SHARES),
    Kind.MEMORY: (
        ("KiB a member", lambda f: f.idle_bytes / 1024, "{:.1f}"),
        ("server, MiB", lambda f: f.server_bytes / 1024**2, "{:.1f}"),
    ),
}
_COMPARED: Final[dict[Kind, Callable[[Figures], float]]] = {
    Kind.DELIVERIES: lambda f: f.delivery_rate,
    Kind.MESSAGES: lambda f: f.message_rate,
}


@dataclass(frozen=True)
class Report:
    """All that was measured. `judged`: whether targets are compared with what came out."""

    bench: Bench
    judged: bool

    def markdown(self, about: str) -> str:
        """The tables, under a sentence on how it was measured."""
        parts = ["## The server under load", about]
        for measure in self.bench.measures:
            parts += [f"### {measure.title[0].upper()}{measure.title[1:]}", self._table(measure)]
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
                    "load": asdict(measure.load),
                    "servers": {
                        server.title: [
                            figures and asdict(figures)
                            for figures in self.bench.of(measure.key, server)
                        ]
                        for server in self.bench.servers
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
        columns = _COLUMNS[measure.kind]
        compared = measure.kind in _COMPARED and not measure.only_ours
        head = ["median (least–greatest)", *(title for title, _, _ in columns)]
        head += ["× best peer, plaintext", "× best peer, TLS"] * compared
        rows = []
        for server in filter(measure.is_for, self.bench.servers):
            worked = [figures for figures in self.bench.of(measure.key, server) if figures]
            row = [server.title]
            row += [
                _figure([found for f in worked if (found := value(f)) is not None], form)
                for _, value, form in columns
            ]
            if compared:
                row += [self._ratio(measure, server, tls=tls) for tls in (False, True)]
            rows.append(row)
        return _table(head, rows)

    def _ratio(self, measure: Measure, server: Server, *, tls: bool) -> str:
        value = _COMPARED[measure.kind]
        found = ratios(self.bench, measure.key, server, value, lambda s: s.peer and s.tls == tls)
        return f"{median(found):.2f}" if found else _NONE

    def _verdicts(self) -> str:
        rows = [
            [each.what, each.limit_text, each.value_text, "met" if each.met else "missed"]
            for each in self._targets()
        ]
        return _table(["target", "aimed at", "is", ""], rows) if rows else "Nothing to judge."
