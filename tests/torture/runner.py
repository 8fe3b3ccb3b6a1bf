"""Runs the programs while everything goes wrong, heals, and has the checker judge.

The plan is drawn from the seed: which fault, on whom, when, for how long. What the computer's
scheduling makes of it differs from run to run; the seed gives the same plan, not the same bytes.
"""

import heapq
import itertools
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.torture.checker import check
from tests.torture.crew import START_WITHIN, Crew, Person, TortureError, wait_until
from tests.torture.gather import complaints, gather, hush, settled, silent
from tests.torture.history import Kind, Violation
from tests.torture.proxy import Way
from tests.torture.report import Report, summarise

NAMES: Final = ("ada", "ben", "cleo", "dan", "eva", "fay")
BEHIND_PROXIES: Final = ("dan", "eva", "fay")
POINTS: Final = ("before-commit", "after-commit", "after-ack")
SETTLE_WITHIN: Final = 40.0
_PACE: Final = 0.15
"""Seconds between two things one person says, on average."""
_BETWEEN: Final = 0.5
"""Seconds between two faults, on average."""


class Torture:
    """One run on one crew, which has started nothing yet."""

    def __init__(self, crew: Crew, seed: int) -> None:
        self.crew = crew
        self.faults: Counter[str] = Counter()
        self.restarts: list[int] = []
        self._chance = random.Random(seed)  # noqa: S311 (a plan, not a secret)
        self._pace = _PACE
        self._numbers = itertools.count()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._table: Sequence[tuple[int, Callable[[], None]]] = [
            (3, self._kill_server),
            (6, self._kill_server_at_a_point),
            (4, self._kill_client),
            (4, self._kill_client_at_its_point),
            (1, self._stop_server),
            (3, self._stop_client),
            (3, self._cut),
            (2, self._half_open),
            (2, self._slow_link),
            (1, self._trickle),
            (2, self._jump),
            (2, self._fill_disk),
            (2, self._terminate),
        ]

    def begin(self) -> None:
        """Start everyone; they talk from now on."""
        self.crew.server.start()
        for name in BEHIND_PROXIES:
            self.crew.put_behind_proxy(name)
        for person in self.crew.people.values():
            person.start(self.crew.server)
        # A message to somebody who has not joined yet would rightly be refused.
        if not wait_until(lambda: settled(self.crew), START_WITHIN):
            raise TortureError("not everyone could join")
        for person in self.crew.people.values():
            person.order(f"talk {_PACE}")

    def suffer(self, seconds: float) -> None:
        """One fault after the other, some of them at once."""
        end = time.monotonic() + seconds
        weights = [weight for weight, _ in self._table]
        while (now := time.monotonic()) < end:
            pause = min(self._chance.expovariate(1 / _BETWEEN), 2.0)
            self._undo_until(min(now + pause, end))
            (fault,) = self._chance.choices([fault for _, fault in self._table], weights)
            fault()
            self._revive()

    def heal(self) -> bool:
        """End all faults and all talk; whether everything is delivered within SETTLE_WITHIN."""
        while self._later:
            heapq.heappop(self._later)[2]()
        for proxy in self.crew.proxies:
            proxy.heal()
        self._pace = 0.0
        self._revive()
        since = hush(self.crew)

        def over() -> bool:
            self._revive()  # A point that was armed may be reached only now.
            return silent(self.crew, since) and settled(self.crew)

        return wait_until(over, SETTLE_WITHIN)

    def end(self) -> list[Violation]:
        """Everyone leaves in good order; what did not."""
        statuses = {person.name: person.end() for person in self.crew.people.values()}
        statuses["server"] = self.crew.server.end(signal.SIGTERM)
        return [
            Violation(Kind.PROGRAM_ERROR, who, detail=f"ended with status {status}")
            for who, status in statuses.items()
            if status
        ]

    # Time

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), action))

    def _undo_until(self, end: float) -> None:
        """Let time pass, and end the faults that are over."""
        while True:
            due = min(self._later[0][0], end) if self._later else end
            time.sleep(max(0.0, due - time.monotonic()))
            if not self._later or self._later[0][0] > end:
                return
            heapq.heappop(self._later)[2]()

    def _revive(self) -> None:
        """Whoever died at a point, or was killed, lives again."""
        if not self.crew.server.running:
            time.sleep(self._chance.uniform(0, 0.3))
            self.restarts.append(time.monotonic_ns())
            self.crew.server.start()
        for person in self.crew.people.values():
            if not person.running:
                person.start(self.crew.server, self._pace)

    def _somebody(self) -> Person:
        return self.crew.people[self._chance.choice(NAMES)]

    # The faults

    def _kill_server(self) -> None:
        self.crew.server.kill()
        self.faults["kill server"] += 1

    def _kill_server_at_a_point(self) -> None:
        point = self._chance.choice(POINTS)
        self.crew.server.go_on()
        self.crew.server.order(f"die {point} {self._chance.randint(1, 4)}")
        if wait_until(lambda: not self.crew.server.running, 2.0):
            self.faults[f"kill server {point}"] += 1

    def _kill_client(self) -> None:
        self._somebody().kill()
        self.faults["kill client"] += 1

    def _kill_client_at_its_point(self) -> None:
        person = self._somebody()
        person.go_on()
        person.order(f"die {self._chance.randint(1, 4)}")
        if wait_until(lambda: not person.running, 2.0):
            self.faults["kill client applying"] += 1

    def _stop_server(self) -> None:
        self.crew.server.stop()
        self._after(self._chance.uniform(0.1, 1.0), self.crew.server.go_on)
        self.faults["stop server"] += 1

    def _stop_client(self) -> None:
        person = self._somebody()
        person.stop()
        self._after(self._chance.uniform(0.1, 3.0), person.go_on)
        self.faults["stop client"] += 1

    def _cut(self) -> None:
        self._chance.choice(self.crew.proxies).cut()
        self.faults["link cut"] += 1

    def _half_open(self) -> None:
        proxy = self._chance.choice(self.crew.proxies)
        proxy.mute(self._chance.choice(list(Way)))
        self._after(self._chance.uniform(0.5, 5.0), proxy.heal)
        self.faults["link half open"] += 1

    def _slow_link(self) -> None:
        proxy = self._chance.choice(self.crew.proxies)
        proxy.delay(self._chance.uniform(0.05, 0.5))
        self._after(self._chance.uniform(0.5, 3.0), proxy.heal)
        self.faults["link slow"] += 1

    def _trickle(self) -> None:
        proxy = self._chance.choice(self.crew.proxies)
        proxy.trickle()
        self._after(self._chance.uniform(0.5, 3.0), proxy.heal)
        self.faults["link by the byte"] += 1

    def _jump(self) -> None:
        seconds = self._chance.choice((-86400, -3600, -1, 1, 3600, 86400))
        self.crew.server.order(f"jump {seconds}")
        self._somebody().order(f"jump {-seconds}")
        self.faults["clock jump"] += 1

    def _fill_disk(self) -> None:
        self.crew.server.order(f"full {self._chance.choice(('pages', 'files'))}")
        self._after(self._chance.uniform(0.3, 1.5), lambda: self.crew.server.order("free"))
        self.faults["disk full"] += 1

    def _terminate(self) -> None:
        self.crew.server.order(f"terminate {self._somebody().name}")
        self.faults["terminate"] += 1


def run(seconds: float, seed: int, bug: str | None = None) -> Report:
    """One torture in a folder of its own, which is kept only if something was wrong."""
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    with Crew(folder, NAMES, seed, bug) as crew:
        torture = Torture(crew, seed)
        torture.begin()
        torture.suffer(seconds)
        torture.heal()  # What is not delivered in time, the checker finds in the stores.
        wrong = torture.end()
    history = gather(crew)
    wrong += [*complaints(crew), *check(history)]
    report = summarise(history, wrong, torture.restarts, torture.faults, seed=seed, seconds=seconds)
    if wrong:
        report.kept = folder
        (folder / "report.txt").write_text("\n".join(report.lines()) + "\n")
    else:
        shutil.rmtree(folder)
    return report
