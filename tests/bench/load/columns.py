"""What is shown of each kind of measure: a title, a figure, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.bench.load.generator import Figures, Times
from tests.bench.load.measures import Kind

Column = tuple[str, Callable[[Figures], float | None], str]

_SHARES: Final[tuple[Column, ...]] = (
    ("server, % CPU", lambda f: f.server_load, "{:.0f}"),
    ("generator, % CPU", lambda f: f.own_load, "{:.0f}"),
    ("faults", lambda f: f.faults, "{:.0f}"),
)
_DISK: Final[Column] = ("disk's max, ms", lambda f: f.disk_ms, "{:.1f}")
_DELIVERED: Final[Column] = ("deliveries/s", lambda f: f.delivery_rate, "{:,.0f}")
_SAID: Final[Column] = ("messages/s", lambda f: f.message_rate, "{:,.0f}")
_COST: Final[Column] = ("µs CPU each", lambda f: f.cost, "{:.2f}")


def _times(which: Callable[[Figures], Times | None], what: str) -> tuple[Column, ...]:
    def of(name: str) -> Callable[[Figures], float | None]:
        def value(figures: Figures) -> float | None:
            times = which(figures)
            return getattr(times, name) if times is not None and times.count else None

        return value

    names = {"p50": "p50", "p99": "p99", "p999": "p99.9", "max": "max"}
    return tuple((f"{what}{title}, ms", of(name), "{:.2f}") for name, title in names.items())


_DELIVERY: Final = _times(lambda f: f.delivery, "")
_ACK: Final = _times(lambda f: f.ack, "ack ")


def _catch_up_rate(figures: Figures) -> float | None:
    times = figures.catch_up
    return figures.missed / times.p50 * 1000 if times is not None and times.p50 else None


COLUMNS: Final[dict[Kind, tuple[Column, ...]]] = {
    Kind.DELIVERIES: (_DELIVERED, _COST, *_DELIVERY[:2], *_SHARES),
    Kind.MESSAGES: (_SAID, _DELIVERED, _COST, *_DELIVERY[:2], *_SHARES),
    Kind.TIMES: (_DELIVERED, *_DELIVERY, *_ACK[:2], _DISK, *_SHARES),
    Kind.STOPPED: (
        ("of demanded, %", lambda f: f.kept_up, "{:.1f}"),
        _DELIVERED,
        *_DELIVERY[:2],
        ("memory more, MiB", lambda f: f.grown_bytes / 1024**2, "{:.1f}"),
        *_SHARES,
    ),
    Kind.CROWD: (("all in, s", lambda f: f.crowd_s, "{:.2f}"), *_DELIVERY, _DISK, *_SHARES),
    Kind.MEMORY: (
        ("KiB a member", lambda f: f.idle_bytes / 1024, "{:.1f}"),
        ("server, MiB", lambda f: f.server_bytes / 1024**2, "{:.1f}"),
        ("all in, s", lambda f: f.in_s, "{:.2f}"),
    ),
    Kind.SPREAD: (
        _DELIVERED,
        ("MB of text/s", lambda f: f.delivery_rate * f.text / 1e6, "{:,.0f}"),
        _COST,
        *_SHARES,
    ),
    Kind.ACKS: (
        ("acknowledged/s", lambda f: f.ack_rate, "{:,.0f}"),
        *_ACK[:2],
        ("server, % CPU", lambda f: f.server_load, "{:.0f}"),
        ("faults", lambda f: f.faults, "{:.0f}"),
        ("server's start, s", lambda f: f.started_s, "{:.2f}"),
    ),
    Kind.PAGE: _times(lambda f: f.catch_up, "a page: ")[:2],
    Kind.CATCH_UP: (("catching up, messages/s", _catch_up_rate, "{:,.0f}"),),
}
COMPARED: Final[dict[Kind, Callable[[Figures], float]]] = {
    Kind.DELIVERIES: lambda f: f.delivery_rate,
    Kind.MESSAGES: lambda f: f.message_rate,
}
"""The figure by which servers are compared with the best peer."""
