"""What was aimed at, beside what came out. Ours is always with TLS and the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, isinf
from statistics import median
from typing import Final

from tests.bench.load.generator import Figures
from tests.bench.load.measures import HISTORY
from tests.bench.load.servers import Server
from tests.bench.load.trials import Bench

Value = Callable[[Figures], float]
_MOST: Final = 100_000
"""Deliveries/s at which the slowest hundredth is judged."""
_ALL: Final = 99.0
"""Percent: what is under way when measuring ends has not been delivered yet."""
_SAME: Final = 0.8
"""What is no slower but for the noise of measuring, which is as large as this."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was aimed at, in which unit, and what came out; `least`: it has to be that much."""

    what: str
    unit: str
    limit: float
    value: float
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether it was reached, by the figure as it is and not as it is rounded."""
        return self.value >= self.limit if self.least else self.value <= self.limit

    @property
    def limit_text(self) -> str:
        """For the table."""
        limit = f"{self.limit:,.0f}" if self.limit >= 1000 else f"{self.limit:.3g}"
        return f"{'≥' if self.least else '≤'} {limit} {self.unit}"

    @property
    def value_text(self) -> str:
        """For the table."""
        if isinf(self.value):
            return "failed"
        return f"{self.value:,.0f}" if self.value >= 1000 else f"{self.value:.2f}"


def ratios(
    bench: Bench, key: str, server: Server, value: Value, other: Callable[[Server], bool]
) -> list[float]:
    """A server's figure in relation to the greatest of the others', of each round.

    0 for a round in which its trial failed.
    """
    found = []
    others = [bench.of(key, each) for each in bench.servers if other(each)]
    for number, figures in enumerate(bench.of(key, server)):
        there = [
            value(each)
            for rounds in others
            if number < len(rounds) and (each := rounds[number]) is not None
        ]
        if there and max(there) > 0:
            found.append(0.0 if figures is None else value(figures) / max(there))
    return found


def targets(bench: Bench) -> list[Target]:
    """Those for which everything was measured."""
    ours = [server for server in bench.servers if server.ours and server.tls]
    return list(_judged(bench, ours[0])) if ours else []


def _judged(bench: Bench, ours: Server) -> Iterator[Target]:
    for receivers in (100, 1000):
        key, where = f"saturation-{receivers}", f"{receivers} receivers"
        yield from _against(
            bench,
            ours,
            key,
            f"{where}: deliveries/s",
            "× best plaintext peer",
            1,
            _deliveries,
            _plaintext,
        )
        yield from _against(
            bench, ours, key, f"{where}: deliveries/s", "× best TLS peer", 3, _deliveries, _over_tls
        )
        yield from _no_dearer(bench, ours, key, where)
    yield from _against(
        bench,
        ours,
        "rooms",
        "100 rooms of 10: messages/s",
        "× best TLS peer",
        1,
        _messages,
        _over_tls,
    )
    yield from _against(
        bench, ours, "one", "one under way: messages/s", "× best IRC server", 20, _messages, _irc
    )
    yield from _slowest(bench, ours)
    acks = _middle(bench, "acks", ours, lambda f: f.ack_rate, 0.0)
    yield from _at_least("100 senders: durable acknowledged", "messages/s", 15_000, acks)
    for members in (1000, 5000):
        memory = _middle(bench, f"idle-{members}", ours, lambda f: f.idle_bytes / 1024, inf)
        yield from _at_most(f"{members:,} idle: memory for each", "KiB", 50, memory)
    came = _middle(bench, "crowd", ours, lambda f: f.crowd_s, inf)
    yield from _at_most("1,000 come at once: all in", "s", 2, came)
    live = _middle(bench, "crowd", ours, _p99, inf)
    yield from _at_most("1,000 come at once: p99 of the others", "ms", 20, live)
    yield from _unmoved(bench, ours)
    yield from _flat(bench, ours)


def _slowest(bench: Bench, ours: Server) -> Iterator[Target]:
    key, what = f"rate-{_MOST}", f"{_MOST:,} deliveries/s: p99"
    p99 = _middle(bench, key, ours, _p99, inf)
    yield from _at_most(what, "ms (3, and a commit)", 3 + median(bench.probe.commits), p99)
    irc = [_middle(bench, key, server, _p99) for server in bench.servers if _irc(server)]
    there = [value for value in irc if value is not None]
    if there:
        yield from _at_most(what, "ms (best IRC server)", min(there), p99)


def _unmoved(bench: Bench, ours: Server) -> Iterator[Target]:
    """That some don't read is nothing to the others."""
    got = _middle(bench, "stopped", ours, lambda f: f.kept_up if not f.faults else 0, 0.0)
    yield from _at_least("20 of 100 stopped: the others get", "% of 267,000/s", _ALL, got)
    grown = _middle(bench, "stopped", ours, lambda f: f.grown_bytes / 1024**2, inf)
    yield from _at_most("20 of 100 stopped: memory more", "MiB", 16, grown)


def _flat(bench: Bench, ours: Server) -> Iterator[Target]:
    """With the longest history things go as with the shortest, but for what measuring adds."""
    least, most = HISTORY[0], HISTORY[-1]
    values: dict[str, Value] = {
        "acks": lambda f: f.ack_rate,
        "page": _caught_up,
        "catch-up": _caught_up,
    }
    for what, value in values.items():
        short = _middle(bench, f"growth-history-{what}-{least}", ours, value)
        long = _middle(bench, f"growth-history-{what}-{most}", ours, value, 0.0)
        if short and long is not None:
            yield Target(
                f"{most:,} messages there: speed of {what}", f"× with {least:,}", _SAME,
                long / short, least=True,
            )  # fmt: skip


def _no_dearer(bench: Bench, ours: Server, key: str, where: str) -> Iterator[Target]:
    for server in bench.servers:
        if server.program == "inspircd" and server.tls:
            theirs = _middle(bench, key, server, lambda f: f.cost)
            cost = _middle(bench, key, ours, lambda f: f.cost, inf)
            if theirs is not None:
                yield from _at_most(f"{where}: CPU a delivery", "µs (InspIRCd, TLS)", theirs, cost)


def _against(
    bench: Bench,
    ours: Server,
    key: str,
    what: str,
    unit: str,
    limit: float,
    value: Value,
    other: Callable[[Server], bool],
) -> Iterator[Target]:
    found = ratios(bench, key, ours, value, other)
    yield from _at_least(what, unit, limit, median(found) if found else None)


def _at_least(what: str, unit: str, limit: float, value: float | None) -> Iterator[Target]:
    if value is not None:
        yield Target(what, unit, limit, value, least=True)


def _at_most(what: str, unit: str, limit: float, value: float | None) -> Iterator[Target]:
    if value is not None:
        yield Target(what, unit, limit, value)


def _middle(
    bench: Bench, key: str, server: Server, value: Value, failed: float | None = None
) -> float | None:
    """The median, in which trials that failed count as `failed` unless that is None.

    None for no trials at all.
    """
    rounds = bench.of(key, server)
    values = [failed if figures is None else value(figures) for figures in rounds]
    found = [each for each in values if each is not None]
    return median(found) if found else None


def _plaintext(server: Server) -> bool:
    return server.peer and not server.tls


def _over_tls(server: Server) -> bool:
    return server.peer and server.tls


def _irc(server: Server) -> bool:
    return server.dialect == "irc"


def _p99(figures: Figures) -> float:
    return figures.delivery.p99 if figures.delivery is not None else inf


def _caught_up(figures: Figures) -> float:
    """Messages/ms of one that catches up."""
    times = figures.catch_up
    return figures.missed / times.p50 if times is not None and times.p50 else 0.0


def _deliveries(figures: Figures) -> float:
    return figures.delivery_rate


def _messages(figures: Figures) -> float:
    return figures.message_rate
