"""Runs the programs while everything goes wrong, heals, and has the checker judge.

The plan is drawn from the seed: which fault, on whom, when, for how long. What the computer's
scheduling makes of it differs from run to run; the seed gives the same plan, not the same bytes.
"""

import random
import shutil
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.torture.backups import Backups
from tests.torture.checker import check
from tests.torture.crew import START_WITHIN, Crew, TortureError, Way, wait_until
from tests.torture.disk import SmallDisk
from tests.torture.faults import Faults
from tests.torture.gather import complaints, gather, hush, pardoned, progress, settled, silent
from tests.torture.history import Kind, Violation
from tests.torture.report import Report, summarise

NAMES: Final = ("ada", "ben", "cleo", "dan", "eva", "fay")
TWO_DEVICES: Final = ("ada", "dan")
MODERATORS: Final = ("ada", "ben")
"""Of the beginning."""
BEHIND_PROXIES: Final = ("dan", "dan-2", "eva", "fay")
SETTLE_WITHIN: Final = 40.0
_MOST_WAITS: Final = 3
_PACE: Final = 0.15
"""Seconds between two things one device says, on average."""
_MESSAGE_RATE: Final = 8.0
"""Messages a second that the server takes of one person in one room: after an absence some floods
are refused, and wait for their turn."""
_ACT: Final = 0.15
"""Seconds between two things the host does, on average."""
_PARDON_AGAIN: Final = 3.0
"""Seconds after which the host lifts everything again: a jump of the clock may bring a ban back."""
_BETWEEN: Final = 0.5
"""Seconds between two faults, on average."""
_DISK: Final = 64 * 1024 * 1024
_DISK_PER_SECOND: Final = 128 * 1024
"""How much the log of a long run may grow, generously."""


class Torture:
    """One run on one crew, which has started nothing yet."""

    def __init__(self, crew: Crew, backups: Backups, disk: SmallDisk | None, seed: int) -> None:
        self.crew = crew
        self._chance = random.Random(seed)  # noqa: S311 (a plan, not a secret)
        self._backups = backups
        self.faults = Faults(crew, backups, disk, self._chance)

    def begin(self) -> None:
        """Start everyone; they talk from now on."""
        crew = self.crew
        crew.server.start()
        self._start()
        # With a device more for some, of which the server is told while it does not run.
        crew.server.end(signal.SIGTERM)
        for name in TWO_DEVICES:
            crew.add_device(name)
        crew.server.start()
        self._start()
        self._backups.make()
        for person in crew.people.values():
            person.order(f"talk {_PACE}")
        crew.host.start(TWO_DEVICES)
        for name in MODERATORS:
            crew.host.order(f"role {name} moderator")
        crew.host.order(f"act {_ACT}")

    def _start(self) -> None:
        for person in self.crew.people.values():
            if not person.running:
                if person.device in BEHIND_PROXIES:
                    self.crew.put_behind_proxy(person.device)
                person.start(self.crew.server)
        # A message to somebody who has not joined yet would rightly be refused.
        if not wait_until(lambda: settled(self.crew), START_WITHIN):
            raise TortureError("not everyone could join")

    def suffer(self, seconds: float) -> None:
        """One fault after the other, some of them at once."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            pause = min(self._chance.expovariate(1 / _BETWEEN), 2.0)
            self.faults.schedule.run_until(min(now + pause, end))
            self.faults.next()
            self.faults.revive(_PACE)

    def heal(self) -> bool:
        """End all faults and all talk; whether everything is delivered within SETTLE_WITHIN.

        On a busy computer that takes longer; as long as something is delivered, it is waited for.
        """
        self.faults.heal()
        self.faults.revive(0.0)
        since = hush(self.crew)
        pardons = 0
        pardon_at = 0.0

        def over() -> bool:
            nonlocal pardons, pardon_at
            self.faults.revive(0.0)  # A point that was armed may be reached only now.
            if not silent(self.crew, since):
                return False
            now = time.monotonic()
            if pardoned(self.crew) >= pardons and now >= pardon_at:
                pardons += 1
                pardon_at = now + _PARDON_AGAIN
                self.crew.host.order("pardon")
            return pardoned(self.crew) >= 1 and settled(self.crew)

        for _ in range(_MOST_WAITS):
            before = progress(self.crew)
            if wait_until(over, SETTLE_WITHIN):
                return True
            if progress(self.crew) <= before:
                return False
        return False

    def end(self) -> list[Violation]:
        """Everyone leaves in good order; what did not."""
        self.crew.host.order("look")
        statuses = {"host": self.crew.host.end()}
        statuses |= {person.device: person.end() for person in self.crew.people.values()}
        statuses["server"] = self.crew.server.end(signal.SIGTERM)
        return [
            Violation(Kind.PROGRAM_ERROR, who, detail=f"ended with status {status}")
            for who, status in statuses.items()
            if status
        ]


def run(seconds: float, seed: int, bug: str | None = None, *, small_disk: bool = False) -> Report:
    """One torture in a folder of its own, which is kept only if something was wrong.

    With a `small_disk` the process must be one that may mount.
    """
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    with ExitStack() as stack:
        crew = Crew(folder, NAMES, Way(seed, bug, message_rate=_MESSAGE_RATE))
        backups = Backups(crew.server.database, folder)
        disk = None
        if small_disk:
            size = _DISK + int(seconds * _DISK_PER_SECOND)
            disk = stack.enter_context(SmallDisk(crew.server.database.parent, size))
        stack.enter_context(crew)
        torture = Torture(crew, backups, disk, seed)
        torture.begin()
        torture.suffer(seconds)
        torture.heal()  # What is not delivered in time, the checker finds in the stores.
        wrong = torture.end()
    history = gather(crew, backups)
    wrong += [*complaints(crew), *backups.violations, *check(history)]
    report = summarise(history, wrong, torture.faults.over, seed=seed, seconds=seconds)
    if wrong:
        report.kept = folder
        (folder / "report.txt").write_text("\n".join(report.lines()) + "\n")
    else:
        shutil.rmtree(folder)
    return report
