"""A good client among thousands of bad ones: does it get in, is it heard, what is left after."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from statistics import median
from typing import Any, Final

from common.domain.invite import Invite
from common.protocol.messages import Ack
from tests.bench.endure.findings import Findings, milliseconds
from tests.bench.endure.hosted import Hosted, a_server, wait_for
from tests.bench.endure.vitals import MIB, Vitals
from tests.bench.programs import ROOT
from tests.bench.screen import BenchError
from tests.process.wire import HungUpError, Session

AT_ONCE: Final = 1.0
"""Seconds in which a good client has to be in."""
_GIVE_UP: Final = 20.0
_BACK_WITHIN: Final = 60.0
"""Seconds after which the server must have let go of all attackers."""
_SOURCES: Final = {"the attackers' address": "127.0.0.1", "another address": "127.0.0.2"}
_BETWEEN: Final = 0.1
"""Seconds between two messages of those who chat, and of the one who tries again to get in."""


@dataclass
class Good:
    """What good clients felt, in seconds; `refused`: how often they were not let in at once."""

    sign_ins: dict[str, list[float]] = field(
        default_factory=lambda: {where: [] for where in _SOURCES}
    )
    refused: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_SOURCES, 0))
    messages: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Visitors:
    """Two that chat all the time, and two, from different addresses, that come again and again."""

    def __init__(self, invite: Invite) -> None:
        self._invite = invite
        self._good = Good()
        self._tokens: dict[str, str] = {}
        self._stopping = threading.Event()
        self._pair = [Session(invite, name) for name in ("ada", "ben")]
        for each in self._pair:
            each.follow()
        self._threads = [
            threading.Thread(target=self._chat),
            *(threading.Thread(target=self._visit, args=each) for each in _SOURCES.items()),
        ]
        for thread in self._threads:
            thread.start()

    def take(self) -> Good:
        """What they felt since the last time."""
        good, self._good = self._good, Good()
        return good

    def close(self) -> None:
        """Let them go home."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _chat(self) -> None:
        """They take turns: who says nothing for a minute is hung up on."""
        with self._pair[0], self._pair[1]:
            try:
                while not self._stopping.wait(_BETWEEN):
                    self._say(*self._pair)
                    self._pair.reverse()
            except (HungUpError, OSError, AssertionError) as error:
                self._good.faults.append(f"those who chatted were thrown out: {error!r}")

    def _say(self, one: Session, other: Session) -> None:
        started = time.monotonic()
        text = f"good message at {started}"
        one.say(text)
        one.expect(Ack)
        other.hear(text)
        self._good.messages.append(time.monotonic() - started)
        one.events.clear()
        other.events.clear()

    def _visit(self, where: str, source: str) -> None:
        while not self._stopping.wait(1.0):
            started = time.monotonic()
            while not self._is_in(source):
                self._good.refused[where] += 1
                if time.monotonic() - started > _GIVE_UP:
                    self._good.faults.append(f"nobody gets in from {where}")
                    break
                time.sleep(_BETWEEN)
            self._good.sign_ins[where].append(time.monotonic() - started)

    def _is_in(self, source: str) -> bool:
        """Connect afresh, and sign in: to TLS, `hello` and `join` or `sign_in`."""
        name = f"visitor.{source}"
        try:
            with Session(self._invite, name, self._tokens.get(name), source=source) as session:
                self._tokens[name] = session.token
        except (HungUpError, OSError, AssertionError):
            return False
        return True


@dataclass
class Watch:
    """The server, looked at all the time: the most of everything, and the fewest files."""

    hosted: Hosted
    memory: int = 0
    files: int = 0
    fewest: int = sys.maxsize
    threads: int = 0

    def look(self) -> Vitals:
        """Now."""
        now = self.hosted.vitals()
        self.memory = max(self.memory, now.memory)
        self.files = max(self.files, now.files)
        self.fewest = min(self.fewest, now.files)
        self.threads = max(self.threads, now.threads)
        return now


@dataclass(frozen=True)
class Phase:
    """What good clients felt and the server had, between two moments."""

    title: str
    good: Good
    watch: Watch
    load: float

    def row(self) -> list[str]:
        """For the table."""
        return [
            self.title,
            *(_typical(self.good.sign_ins[where]) for where in _SOURCES),
            str(sum(self.good.refused.values())),
            _typical(self.good.messages),
            f"{self.watch.memory / MIB:.1f}",
            str(self.watch.files),
            str(self.watch.threads),
            f"{self.load * 100:.0f}",
        ]


_HEAD: Final = (
    "median (most)", *(f"in from {where}, ms" for where in _SOURCES), "refused", "message, ms",
    "server, MiB", "open files", "threads", "server, % CPU",
)  # fmt: skip


def hostile(place: Path, *, share: float, seconds: float) -> Findings:
    """Measure, with a share of the attackers, who hold out for so long. Raises BenchError."""
    place.mkdir()
    with a_server(place / "server") as hosted:
        idle = hosted.vitals()
        try:
            visitors = Visitors(hosted.invite)
        except (HungUpError, OSError, AssertionError) as error:
            raise BenchError(f"nobody gets in before the attack: {error!r}") from error
        try:
            phases = [_phase("before", hosted, visitors, seconds / 2)]
            told = []
            for wave in ("attack", "attack again"):
                with _siege(hosted, share, seconds) as siege:
                    phases.append(_phase(wave, hosted, visitors, seconds, siege))
                    said, _ = siege.communicate(timeout=60)
                    if siege.returncode:
                        raise BenchError("the attackers failed, which is no attack")
                    told.append(json.loads(said))
                wait_for(
                    lambda: hosted.vitals().files <= phases[0].watch.files + 1,
                    "the server to let go of the attackers",
                    _BACK_WITHIN,
                )
            phases.append(_phase("after", hosted, visitors, seconds / 2))
        finally:
            visitors.close()
        return _findings(phases, told, idle, seconds)


@contextmanager
def _siege(hosted: Hosted, share: float, seconds: float) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.bench.endure.siege", hosted.link]
    with subprocess.Popen(
        [*command, str(seconds), str(share)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _phase(
    title: str,
    hosted: Hosted,
    visitors: Visitors,
    seconds: float,
    siege: subprocess.Popen[str] | None = None,
) -> Phase:
    """For so long, or as long as the siege lasts."""
    visitors.take()
    watch = Watch(hosted)
    first = watch.look()
    while siege.poll() is None if siege is not None else time.monotonic() < first.at + seconds:
        time.sleep(0.25)
        watch.look()
        if time.monotonic() > first.at + seconds + 60:
            raise BenchError("the siege does not end")
    last = watch.look()
    return Phase(title, visitors.take(), watch, (last.cpu - first.cpu) / (last.at - first.at))


def _findings(
    phases: list[Phase], told: list[dict[str, Any]], idle: Vitals, seconds: float
) -> Findings:
    most = max(each["most"] for each in told)
    found = Findings(
        "an attack",
        f"{most:,} connections at once, from one address, for {seconds:g} s, twice; whoever is "
        "hung up on comes again a second later. A good client comes from each address each "
        "second, and two that were there before chat.",
    )
    found.add_table(_HEAD, [phase.row() for phase in phases])
    count: dict[str, int] = {}
    for each in told:
        for name, number in each["count"].items():
            count[name] = count.get(name, 0) + number
    found.add_table(["attackers", "times"], [[name, f"{n:,}"] for name, n in sorted(count.items())])
    load = sum(each["cpu"] for each in told) / len(told) / seconds
    rest = phases[-1].watch.memory
    found.notes += [
        f"The attackers took {load * 100:.0f} % of a processor.",
        f"The server's memory: {idle.memory / MIB:.1f} MiB new, {rest / MIB:.1f} at the end.",
        *(fault for phase in phases for fault in phase.good.faults),
    ]
    attacked = phases[1:3]
    for where in _SOURCES:
        times = [time for phase in attacked for time in phase.good.sign_ins[where]]
        slowest = max(times, default=inf)
        found.at_most(f"signed in from {where}", "s", AT_ONCE, slowest)
    slowest = max((time for phase in attacked for time in phase.good.messages), default=inf)
    found.at_most("a message of those who were there", "s", AT_ONCE, slowest)
    faults = sum(len(phase.good.faults) for phase in phases)
    found.at_most("thrown out or never let in", "times", 0, faults)
    wrong = sum(number for name, number in count.items() if "WRONG" in name)
    found.at_most("frames at the limits, wrongly answered", "times", 0, wrong)
    more = phases[-1].watch.fewest - phases[0].watch.fewest
    found.at_most("open files after it, more than before", "(a reader's)", 1, more)
    more = phases[-1].watch.threads - phases[0].watch.threads
    found.at_most("threads after it, more than before", "threads", 0, more)
    again = (attacked[1].watch.memory - attacked[0].watch.memory) / MIB
    found.at_most("memory that a second attack adds", "MiB", 16, again)
    return found


def _typical(seconds: list[float]) -> str:
    """The median, and the most."""
    if not seconds:
        return "never"
    return f"{milliseconds(median(seconds))} ({milliseconds(max(seconds))})"
