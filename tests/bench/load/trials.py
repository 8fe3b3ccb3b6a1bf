"""What is measured, of whom, and in which turns."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Final

from tests.bench.load.commit import CommitProbe
from tests.bench.load.generator import Figures, Generator, Load, TrialError
from tests.bench.load.servers import Server
from tests.bench.screen import BenchError

PUBLISHERS: Final = 10
UNDER_WAY: Final = 100
"""Messages under way at most at saturation, of all publishers together."""


class Kind(Enum):
    """What the figures of a measure are about, and so how they are shown."""

    DELIVERIES = auto()
    MESSAGES = auto()
    TIMES = auto()
    CROWD = auto()
    MEMORY = auto()


@dataclass(frozen=True, slots=True)
class Measure:
    """One load on every server that it is for."""

    key: str
    title: str
    kind: Kind
    load: Load
    only_ours: bool = False
    only_peers: bool = False

    def is_for(self, server: Server) -> bool:
        """Whether this server can be measured so: the naive one knows of no rooms."""
        if self.load.rooms > 1 and server.dialect == "line":
            return False
        return server.ours or not self.only_ours if not self.only_peers else server.peer


def measures(*, quick: bool) -> list[Measure]:
    """All of them; `quick` ones only show that everything works."""
    few, many = (20, 50) if quick else (100, 1000)
    rooms = 10 if quick else 100
    return [
        *(_saturation(receivers) for receivers in (few, many)),
        Measure(
            "rooms-2", f"{rooms} rooms of 2, one publisher in each", Kind.MESSAGES,
            Load(2 * rooms, rooms, rooms, window=rooms, direct=True, quick_ack=True),
        ),
        Measure(
            "rooms-10", f"{rooms} rooms of 10, one publisher in each", Kind.MESSAGES,
            Load(10 * rooms, rooms, rooms, window=rooms, quick_ack=True), only_peers=True,
        ),
        Measure(
            "one", f"one message under way, {PUBLISHERS} publishers in turn, {few} receivers",
            Kind.MESSAGES,
            Load(few + PUBLISHERS, PUBLISHERS, window=1),
        ),
        *(_rate(few, rate) for rate in ((2_000,) if quick else (10_000, 50_000, 100_000))),
        Measure(
            "acks", f"{few} senders, one receiver: durable acknowledged messages", Kind.MESSAGES,
            Load(few + 1, few, window=10 * few, deaf=True), only_ours=True,
        ),
        Measure(
            "crowd", f"{many} come at once, while 20 talk at 2,000 deliveries/s", Kind.CROWD,
            Load(20, PUBLISHERS, rate=2_000 / 19, crowd=many),
        ),
        Measure("idle", f"memory with {many} idle members", Kind.MEMORY, Load(many)),
    ]  # fmt: skip


def _saturation(receivers: int) -> Measure:
    return Measure(
        f"saturation-{receivers}",
        f"saturation, {PUBLISHERS} publishers, {receivers} receivers",
        Kind.DELIVERIES,
        Load(receivers + PUBLISHERS, PUBLISHERS, window=UNDER_WAY, quick_ack=True),
    )


def _rate(receivers: int, deliveries: int) -> Measure:
    members = receivers + PUBLISHERS
    return Measure(
        f"rate-{deliveries}",
        f"{deliveries:,} deliveries/s, {receivers} receivers",
        Kind.TIMES,
        Load(members, PUBLISHERS, rate=deliveries / (members - 1)),
    )


@dataclass
class Bench:
    """The rounds. In each, every measure is taken of every server, one after the other.

    `results` has, for each measure's key and server's title, the figures of each round, None for
    a trial that failed; why it did is in `failures`.
    """

    servers: Sequence[Server]
    measures: Sequence[Measure]
    generator: Generator
    probe: CommitProbe
    certificate: Path
    folder: Path
    warmup: float
    seconds: float
    say: Callable[[str], None]
    results: dict[tuple[str, str], list[Figures | None]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def run(self, rounds: int) -> None:
        """All rounds. Raises BenchError when not a single trial of ours worked."""
        places = itertools.count()
        for number in range(1, rounds + 1):
            self.probe.run()
            for measure in self.measures:
                for server in filter(measure.is_for, self.servers):
                    self.say(f"round {number} of {rounds}: {measure.title}: {server.title}")
                    place = self.folder / f"server-{next(places)}"
                    figures = self._trial(measure, server, place)
                    self.results.setdefault((measure.key, server.title), []).append(figures)
        if not any(any(figures) for figures in self.results.values()):
            raise BenchError("no trial worked:\n" + "\n".join(self.failures))

    def _trial(self, measure: Measure, server: Server, place: Path) -> Figures | None:
        """A fresh server, with nothing in its log."""
        try:
            with server.start(place, self.certificate) as running:
                return self.generator.run(server, running, measure.load, self.warmup, self.seconds)
        except BenchError as error:
            what = error if isinstance(error, TrialError) else f"{server.title}: {error}"
            self.failures.append(f"{measure.title}: {what}")
            self.say(self.failures[-1])
            return None
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def of(self, key: str, server: Server) -> list[Figures | None]:
        """What was measured, round by round."""
        return self.results.get((key, server.title), [])
