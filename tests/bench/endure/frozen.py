"""One of fifty members freezes: what it costs the server and the others, and what it gets after.

Twice: a client that stops reading, with the small receive buffer of a poor link, and the real
ChatClient as a process that is stopped, as on a computer that sleeps.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, Protocol

from common.protocol.events import Event
from tests.bench.endure.crew import Crew
from tests.bench.endure.disk import DiskWitness, a_witness
from tests.bench.endure.findings import Findings, milliseconds, quantile
from tests.bench.endure.hosted import Hosted, a_server
from tests.bench.endure.ledger import Ledger
from tests.bench.endure.member import Account
from tests.bench.endure.vitals import MIB, Vitals
from tests.bench.programs import ROOT, Order, Program, clean_environment
from tests.bench.screen import BenchError

OTHERS: Final = 49
TEXT: Final = 1000
"""Bytes of a text: what a frozen client misses has to be more than buffers on the way hold."""
RATE: Final = 10_000.0
"""Deliveries/s of all."""
MEMORY: Final = 64
"""MiB that the server's memory may grow by."""
SLOWER: Final = 2.0
"""How many times the others' slowest hundredth may take, as before."""
_PATIENCE: Final = 30.0
_HEAD: Final = (
    "phase",
    "deliveries/s",
    "p50, ms",
    "p99, ms",
    "p99 of a second, ms",
    "max, ms",
    "ack p99, ms",
    "disk p99 (max), ms",
)
_SHARES: Final = ("server, MiB", "server, % CPU", "members, % CPU")


class Sleeper(Protocol):
    """The one that freezes."""

    @property
    def position(self) -> int:
        """How far it has come."""

    @property
    def given_up(self) -> int:
        """How often the server ended its connection."""

    def freeze(self) -> None:
        """Take nothing more."""

    def thaw(self) -> None:
        """Go on."""

    def close(self) -> None:
        """Leave nothing behind."""


class DeafMember:
    """A member of the crew that reads no more."""

    def __init__(self, _hosted: Hosted, crew: Crew, _ledger: Ledger, _place: Path) -> None:
        self._crew = crew
        self._account = Account("sleeper")
        self._member = crew.come(self._account, receive_buffer=64 * 1024)

    @property
    def position(self) -> int:
        """How far it has come."""
        return self._account.position

    @property
    def given_up(self) -> int:
        """How often the server ended its connection."""
        return self._crew.given_up

    def freeze(self) -> None:
        """Stop reading."""
        self._crew.freeze(self._member)

    def thaw(self) -> None:
        """Go on."""
        self._crew.thaw(self._member)

    def close(self) -> None:
        """Nothing: the crew hangs up."""


class StoppedClient:
    """The real ChatClient, listening; what it prints is judged as what members get."""

    given_up = 0

    def __init__(self, hosted: Hosted, _crew: Crew, ledger: Ledger, place: Path) -> None:
        self._ledger = ledger
        self._said = place / "sleeper.txt"
        command = (
            *(sys.executable, "-m", "chat_client", "listen", "--json", "--name", "sleeper"),
            *("--data-dir", place / "sleeper", "--join", hosted.link),
        )
        order = Order("ChatClient", command, ROOT)
        self._program = Program(order, clean_environment(place / "home"), self._said)
        self._read = 0
        self._position = 0

    @property
    def position(self) -> int:
        """How far it has come: what it printed since the last time is looked at now."""
        with self._said.open("rb") as said:
            said.seek(self._read)
            for line in said:
                if not line.endswith(b"\n"):
                    break  # It is just being written.
                event = Event(**json.loads(line)) if line.startswith(b"{") else None
                if event is not None and event.seq > self._ledger.head:
                    break  # It was quicker than all members: there is nothing yet to compare with.
                self._read += len(line)
                if event is not None:
                    self._judge(event)
        return self._position

    def freeze(self) -> None:
        """Stop the process."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it."""
        self._program.close()

    def _judge(self, event: Event) -> None:
        if event.seq != self._position + 1:
            self._ledger.fault(f"the client printed event {event.seq} after {self._position}")
        if not self._ledger.agrees(event):
            self._ledger.fault(f"the client printed another event {event.seq}")
        self._position = event.seq

    def _signal(self, what: signal.Signals) -> None:
        pids = self._program.pids()
        if not pids:
            raise self._program.failure("ended by itself")
        for pid in pids:
            os.kill(pid, what)


@dataclass(frozen=True, slots=True)
class Phase:
    """What was measured between two moments. Times in seconds.

    `typical` is the median of the p99 of each second: what it is without the worst seconds, which
    on a computer that is shared may be somebody else's. `disk`: of a witness on the same disk.
    """

    title: str
    rate: float
    times: Sequence[float]
    typical: float
    ack: float
    disk: Sequence[float]
    before: Vitals
    after: Vitals
    most: int
    own_cpu: float

    @property
    def p99(self) -> float:
        """Seconds that all but the slowest hundredth of deliveries took at most."""
        return quantile(self.times, 0.99)

    def row(self) -> list[str]:
        """For the table."""
        took = self.after.at - self.before.at
        load = (self.after.cpu - self.before.cpu) / took
        return [
            *(self.title, f"{self.rate:,.0f}", milliseconds(quantile(self.times, 0.5))),
            *map(milliseconds, (self.p99, self.typical, max(self.times), self.ack)),
            f"{milliseconds(quantile(self.disk, 0.99))} ({milliseconds(max(self.disk))})",
            f"{self.most / MIB:.1f}",
            f"{load * 100:.0f}",
            f"{self.own_cpu / took * 100:.0f}",
        ]


@dataclass
class Trial:
    """A server, the others, and the one that freezes."""

    hosted: Hosted
    crew: Crew
    ledger: Ledger
    sleeper: Sleeper
    disk: DiskWitness

    def phase(self, title: str, seconds: float) -> Phase:
        """Talk for so long, and measure, second by second."""
        self.ledger.forget_times()
        self.disk.take()
        before, own, count = self.hosted.vitals(), time.process_time(), self.ledger.deliveries
        most, typical = before.memory, []
        while time.monotonic() < before.at + seconds:
            timed = len(self.ledger.times)
            self.crew.run(min(before.at + seconds, time.monotonic() + 1))
            typical.append(quantile(self.ledger.times[timed:], 0.99))
            most = max(most, self.hosted.vitals().memory)
        after = self.hosted.vitals()
        return Phase(
            title,
            (self.ledger.deliveries - count) / (after.at - before.at),
            self.ledger.times,
            median(typical),
            quantile(self.ledger.acks, 0.99),
            self.disk.take(),
            before,
            after,
            most,
            time.process_time() - own,
        )

    def caught_up(self) -> bool:
        """Whether the one that slept has all that the others have."""
        return self.sleeper.position >= self.ledger.head

    def need(self, condition: Callable[[], bool], what: str) -> None:
        """Go on until it holds. Raises BenchError when it takes too long."""
        if not self.crew.run(time.monotonic() + _PATIENCE, condition):
            raise BenchError(f"waited {_PATIENCE:g} s for {what}; {self.ledger.faults}")


Falls = Callable[[Hosted, Crew, Ledger, Path], Sleeper]


def frozen(place: Path, *, title: str, falls: Falls, before: float, asleep: float) -> Findings:
    """Measure `before` seconds with everyone awake, then `asleep` seconds. Raises BenchError."""
    place.mkdir()
    with a_server(place / "server") as hosted, a_witness(place) as disk:
        ledger = Ledger()
        crew = Crew(hosted.invite, ledger, TEXT)
        try:
            for number in range(OTHERS):
                crew.come(Account(f"m{number:02}"))
            trial = Trial(hosted, crew, ledger, falls(hosted, crew, ledger, place), disk)
            try:
                return _measure(trial, title, before, asleep)
            finally:
                trial.sleeper.close()
        finally:
            crew.close()


def _measure(trial: Trial, title: str, before: float, asleep: float) -> Findings:
    crew, ledger, sleeper = trial.crew, trial.ledger, trial.sleeper
    trial.need(lambda: crew.all_live() and sleeper.position > 0, "everyone to be in")
    crew.rate = RATE
    crew.run(time.monotonic() + min(3.0, before))  # Warm-up.
    phases = [trial.phase("all awake", before)]
    sleeper.freeze()
    had = sleeper.position
    phases.append(trial.phase("one frozen", asleep))
    missed = ledger.head - had
    woken = time.monotonic()
    sleeper.thaw()
    trial.need(trial.caught_up, "the frozen one to catch up")
    there = time.monotonic() - woken
    phases.append(trial.phase("awake again", before / 2))
    crew.rate = 0
    trial.need(lambda: crew.all_there() and trial.caught_up(), "everyone to have everything")
    return _findings(trial, title, phases, missed, there)


def _findings(trial: Trial, title: str, phases: list[Phase], missed: int, there: float) -> Findings:
    first, second, _ = phases
    seconds = second.after.at - second.before.at
    found = Findings(
        title,
        f"{OTHERS + 1} members of one room, {RATE:,.0f} deliveries/s of {TEXT}-byte texts; one of "
        f"them takes nothing for {seconds:.0f} s. Times are those of the others.",
    )
    found.add_table([*_HEAD, *_SHARES], [phase.row() for phase in phases])
    ended = f"was cut off {trial.sleeper.given_up} times" if trial.sleeper.given_up else "stayed"
    found.notes.append(
        f"Awake again it had {missed:,} events to get, {ended}, and had reached the head "
        f"{there:.2f} s later, while the others talked on."
    )
    found.notes += trial.ledger.faults
    growth = (second.most - second.before.memory) / MIB
    found.at_most("memory grows by", "MiB", MEMORY, growth)
    found.at_most("the others' p99", "× before", SLOWER, second.p99 / first.p99)
    found.at_most("holes, repetitions, disorder", "faults", 0, trial.ledger.fault_count)
    return found
