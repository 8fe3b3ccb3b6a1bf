"""The rounds: every measure of every server in turn, each with a fresh server."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.endure.disk import a_witness
from tests.bench.load.commit import CommitProbe
from tests.bench.load.generator import Figures, Generator, TrialError
from tests.bench.load.measures import Kind, Measure
from tests.bench.load.seed import Seeds
from tests.bench.load.servers import Server
from tests.bench.screen import BenchError

_WITNESSED: Final = {Kind.TIMES, Kind.CROWD}
"""What a disk that is busy with other things spoils."""


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
    seeds: Seeds
    certificate: Path
    folder: Path
    warmup: float
    seconds: float
    say: Callable[[str], None]
    results: dict[tuple[str, str], list[Figures | None]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def run(self, rounds: int) -> None:
        """All rounds. Raises BenchError when not a single trial worked."""
        places = itertools.count()
        for number in range(1, rounds + 1):
            self.probe.run()
            for measure in self.measures:
                for server in self.servers:
                    if not measure.is_due(server, number):
                        continue
                    self.say(f"round {number} of {rounds}: {measure.title}: {server.title}")
                    place = self.folder / f"server-{next(places)}"
                    figures = self._trial(measure, server, place)
                    self.results.setdefault((measure.key, server.title), []).append(figures)
        if not any(any(figures) for figures in self.results.values()):
            raise BenchError("no trial worked:\n" + "\n".join(self.failures))

    def _trial(self, measure: Measure, server: Server, place: Path) -> Figures | None:
        """A fresh server, with nothing in its log but what the load wants there."""
        load = measure.load
        seed = load.seed if server.ours else None
        prepare = partial(self.seeds.put, seed) if seed is not None else None
        seconds = self.seconds * measure.lasts
        try:
            with server.start(place, self.certificate, prepare) as running:
                run = partial(self.generator.run, server, running, load, self.warmup, seconds)
                if measure.kind not in _WITNESSED:
                    return run()
                with a_witness(place) as disk:
                    figures = run()
                    return replace(figures, disk_ms=max(disk.take()) * 1000)
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
