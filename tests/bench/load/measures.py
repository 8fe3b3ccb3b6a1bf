"""What is measured: which loads, on which servers, and what their figures are about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from tests.bench.load.generator import Load
from tests.bench.load.servers import Server

PUBLISHERS: Final = 10
UNDER_WAY: Final = 100
"""Messages under way at most at saturation, of all publishers together."""
RATES: Final = (20_000, 100_000)
"""Deliveries/s at which the times of deliveries are looked at."""
DEMANDED: Final = 267_000
"""Deliveries/s while some members read nothing."""
RECEIVERS: Final = (10, 30, 100, 300, 1000, 3000, 5000)
HISTORY: Final = (1_000, 10_000, 100_000, 1_000_000)
TEXTS: Final = (10, 100, 1024, 4096, 16_384)
PAGE: Final = 100
MISSED: Final = 900
"""Messages that somebody catches up with; some start a little earlier."""
_BYTES_UNDER_WAY: Final = 256 * 1024
"""Of long texts fewer are under way: outboxes have bounds that are not what is measured here."""


class Kind(Enum):
    """What the figures of a measure are about, and so how they are shown."""

    DELIVERIES = auto()
    MESSAGES = auto()
    TIMES = auto()
    STOPPED = auto()
    CROWD = auto()
    MEMORY = auto()
    SPREAD = auto()
    ACKS = auto()
    PAGE = auto()
    CATCH_UP = auto()


@dataclass(frozen=True, slots=True)
class Measure:
    """One load on every server that it is for, for `lasts` times as long as is usual.

    `once`: it is measured in the first round only, as it takes long; `peers_once`: that of others
    than ours. Several with the same `curve` show how something grows, of ours with TLS alone;
    `point` is how far.
    """

    key: str
    title: str
    kind: Kind
    load: Load
    only_ours: bool = False
    lasts: float = 1.0
    once: bool = False
    peers_once: bool = False
    curve: str = ""
    point: int = 0

    def is_for(self, server: Server) -> bool:
        """Whether this server can be measured so: the naive one knows of no rooms."""
        if self.load.rooms > 1 and server.dialect == "line":
            return False
        if self.curve:
            return server.ours and server.tls
        return server.ours or not self.only_ours

    def is_due(self, server: Server, number: int) -> bool:
        """Whether it is measured in the round of this number, the first one being 1."""
        once = self.once or (self.peers_once and not server.ours)
        return self.is_for(server) and (number == 1 or not once)

    def is_called(self, name: str) -> bool:
        """Whether it is meant by this name: its key, or the first words of it."""
        return f"{self.key}-".startswith(f"{name}-")


def measures(*, quick: bool) -> list[Measure]:
    """All of them; `quick` ones have the same keys and only show that everything works."""
    scale = 10 if quick else 1
    few, many = 100 // (5 if quick else 1), 1000 // scale
    rooms = 100 // scale
    return [
        _saturation("saturation-100", few),
        _saturation("saturation-1000", many),
        Measure(
            "rooms", f"{rooms} rooms of 10, one publisher in each", Kind.MESSAGES,
            Load(10 * rooms, rooms, rooms, window=rooms, quick_ack=True),
        ),
        Measure(
            "one", f"one message under way, {PUBLISHERS} publishers in turn, {few} receivers",
            Kind.MESSAGES,
            Load(few + PUBLISHERS, PUBLISHERS, window=1),
        ),
        *(_rate(f"rate-{rate}", few, rate // scale) for rate in RATES),
        *(_rate(f"rate-{rate}-1000", many, rate // scale) for rate in RATES),
        *(_rate_in_rooms(rate, rooms, rate // scale) for rate in RATES),
        _stopped(few, DEMANDED // scale),
        Measure(
            "acks", f"{few} senders, one receiver: durable acknowledged messages", Kind.ACKS,
            Load(few + 1, few, window=10 * few, deaf=True), only_ours=True,
        ),
        Measure(
            "crowd", f"{many:,} come at once, while 20 talk at 2,000 deliveries/s", Kind.CROWD,
            Load(20, PUBLISHERS, rate=2_000 / 19, crowd=many), peers_once=True,
        ),
        *(_idle(members, members // scale) for members in (1000, 5000)),
        *_growth(scale),
    ]  # fmt: skip


def _saturation(key: str, receivers: int) -> Measure:
    return Measure(
        key,
        f"saturation, {PUBLISHERS} publishers, {receivers:,} receivers",
        Kind.DELIVERIES,
        Load(receivers + PUBLISHERS, PUBLISHERS, window=UNDER_WAY, quick_ack=True),
    )


def _rate(key: str, receivers: int, deliveries: int) -> Measure:
    members = receivers + PUBLISHERS
    return Measure(
        key,
        f"{deliveries:,} deliveries/s, {receivers:,} receivers",
        Kind.TIMES,
        Load(members, PUBLISHERS, rate=deliveries / (members - 1)),
    )


def _rate_in_rooms(rate: int, rooms: int, deliveries: int) -> Measure:
    return Measure(
        f"rate-{rate}-rooms",
        f"{deliveries:,} deliveries/s, {rooms} rooms of 10",
        Kind.TIMES,
        Load(10 * rooms, rooms, rooms, rate=deliveries / 9),
    )


def _stopped(receivers: int, deliveries: int) -> Measure:
    """It lasts longer, so that what the system keeps for who does not read is used up."""
    members, stopped = receivers + PUBLISHERS, receivers // 5
    return Measure(
        "stopped",
        f"{stopped} of {receivers} receivers stop reading, {deliveries:,} deliveries/s demanded",
        Kind.STOPPED,
        Load(members, PUBLISHERS, rate=deliveries / (members - 1), stopped=stopped),
        lasts=2.5,
        peers_once=True,
    )


def _idle(key: int, members: int) -> Measure:
    """In rooms of 10: that everyone is told of everyone's coming is not what is measured here."""
    return Measure(
        f"idle-{key}",
        f"memory with {members:,} idle members, in rooms of 10",
        Kind.MEMORY,
        Load(members, rooms=members // 10),
        once=True,
    )


def _growth(scale: int) -> Iterator[Measure]:
    for receivers in RECEIVERS:
        load = Load(receivers // scale + PUBLISHERS, PUBLISHERS, window=UNDER_WAY, known=True)
        yield _point(f"receivers-{receivers}", Kind.SPREAD, load, "receivers", receivers // scale)
    for text in TEXTS:
        window = min(UNDER_WAY, max(_BYTES_UNDER_WAY // text // PUBLISHERS, 1) * PUBLISHERS)
        load = Load(100 // scale + PUBLISHERS, PUBLISHERS, window=window, text=text, known=True)
        yield _point(f"text-{text}", Kind.SPREAD, load, "bytes of text", text)
    for history in HISTORY:
        there = history // scale
        sends = Load(101, 100, window=1000, deaf=True, known=True, history=there)
        yield _point(f"history-acks-{history}", Kind.ACKS, sends, "messages there", there)
        for key, kind, behind in (
            ("page", Kind.PAGE, PAGE),
            ("catch-up", Kind.CATCH_UP, min(MISSED, there)),
        ):
            load = Load(101, known=True, history=there, behind=behind)
            yield _point(f"history-{key}-{history}", kind, load, "messages there", there)


def _point(key: str, kind: Kind, load: Load, what: str, point: int) -> Measure:
    name, _, _ = key.rpartition("-")
    return Measure(
        f"growth-{key}",
        f"growth, {point:,} {what} ({name})",
        kind,
        load,
        lasts=0.5,
        once=True,
        curve=what,
        point=point,
    )
