"""Everything that goes wrong, and when: drawn from a seed.

A fault that ends by itself at once, as a kill does, is over when the victim is started again;
the others are ended by the schedule. The moment at which one is over is noted, for the report.
"""

import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tests.torture.backups import Backups
from tests.torture.crew import Crew, Person, wait_until
from tests.torture.disk import SmallDisk
from tests.torture.proxy import Proxy, Way
from tests.torture.schedule import Schedule

POINTS: Final = ("before-commit", "after-commit", "after-ack")
_REACHED_WITHIN: Final = 2.0
_FLOOD: Final = (80, 6000)
"""Messages, and characters in each: several times what may wait for a client."""
_FLOODED_WITHIN: Final = 8.0
SET_BACK: Final = ("backup restored", "backup copied back")
"""Faults that begin another history: with a new epoch, and with that of the backup."""
_FULL: Final = "the log could not be written"


@dataclass(frozen=True, slots=True)
class Over:
    """A fault that happened, and when it was over: nanoseconds on the monotonic clock."""

    kind: str
    at: int
    server: bool = False
    """Whether the server was away, and is started now."""


class Faults:
    """The faults on one crew. `over` has those that happened, in the order of their ends."""

    def __init__(
        self, crew: Crew, backups: Backups, disk: SmallDisk | None, chance: random.Random
    ) -> None:
        self.over: list[Over] = []
        self.schedule = Schedule()
        self._crew = crew
        self._server = crew.server
        self._backups = backups
        self._disk = disk
        self._chance = chance
        self._server_died_of = ""
        self._died_of: dict[str, str] = {}
        self._table: Sequence[tuple[int, Callable[[], None]]] = [
            (3, self._kill_server),
            (6, self._kill_server_at_a_point),
            (4, self._kill_client),
            (4, self._kill_client_at_its_point),
            (1, self._stop_server),
            (3, self._stop_client),
            (1, self._too_much_for_one),
            (3, self._cut),
            (2, self._half_open),
            (2, self._slow_link),
            (1, self._trickle),
            (2, self._jump),
            (2, self._limit_disk),
            (1 if disk is not None else 0, self._fill_disk),
            (2, self._do_something_and_kill),
            (3, self._back_up),
            (1, self._restore),
            (1, self._copy_back),
        ]

    def next(self) -> None:
        """One more."""
        weights = [weight for weight, _ in self._table]
        (fault,) = self._chance.choices([fault for _, fault in self._table], weights)
        fault()

    def heal(self) -> None:
        """End all that have not ended."""
        self.schedule.run_all()
        for proxy in self._crew.proxies:
            proxy.heal()

    def revive(self, pace: float) -> None:
        """Whoever died at a point, or was killed, lives again and talks at this pace."""
        if not self._server.running:
            time.sleep(self._chance.uniform(0, 0.3))
            # One that was armed may have been reached later than it was waited for.
            self._is_over(self._server_died_of or "kill server late", server=True)
            self._server_died_of = ""
            self._server.start()
            self._crew.host.order("look")  # Whether all bans, mutes and roles are still there.
        for person in self._crew.people.values():
            if not person.running:
                self._is_over(self._died_of.pop(person.device, "kill client late"))
                person.start(self._server, pace)

    def _is_over(self, kind: str, *, server: bool = False) -> None:
        self.over.append(Over(kind, time.monotonic_ns(), server))

    def _until(self, seconds: tuple[float, float], kind: str, end: Callable[[], None]) -> None:
        """Have the fault end so many seconds from now."""

        def act() -> None:
            end()
            self._is_over(kind)

        self.schedule.after(self._chance.uniform(*seconds), act)

    def _somebody(self) -> Person:
        return self._crew.people[self._chance.choice(sorted(self._crew.people))]

    def _some_link(self) -> Proxy:
        return self._chance.choice(self._crew.proxies)

    # Killed

    def _kill_server(self) -> None:
        self._server.kill()
        self._server_died_of = "kill server"

    def _kill_server_at_a_point(self) -> None:
        point = self._chance.choice(POINTS)
        self._server.go_on()
        self._server.order(f"die {point} {self._chance.randint(1, 4)}")
        if wait_until(lambda: not self._server.running, _REACHED_WITHIN):
            self._server_died_of = f"kill server {point}"

    def _kill_client(self) -> None:
        person = self._somebody()
        person.kill()
        self._died_of[person.device] = "kill client"

    def _kill_client_at_its_point(self) -> None:
        person = self._somebody()
        person.go_on()
        person.order(f"die {self._chance.randint(1, 4)}")
        if wait_until(lambda: not person.running, _REACHED_WITHIN):
            self._died_of[person.device] = "kill client applying"

    # Stopped

    def _stop_server(self) -> None:
        self._server.stop()
        self._until((0.1, 1.0), "stop server", self._server.go_on)

    def _stop_client(self) -> None:
        person = self._somebody()
        person.stop()
        self._until((0.1, 3.0), "stop client", person.go_on)

    def _too_much_for_one(self) -> None:
        """Stopped for so long that its outbox is full, and more than that is said."""
        slow, quick = self._chance.sample(sorted(self._crew.people), 2)
        before = self._server.fallen_behind()
        self._crew.people[slow].stop()
        self._crew.people[quick].go_on()
        self._crew.people[quick].order("flood {} {}".format(*_FLOOD))
        overflow = wait_until(lambda: self._server.fallen_behind() > before, _FLOODED_WITHIN)
        self._crew.people[slow].go_on()
        if overflow:
            self._is_over("slow consumer")

    # The network

    def _cut(self) -> None:
        self._some_link().cut()
        self._is_over("link cut")

    def _half_open(self) -> None:
        proxy = self._some_link()
        proxy.mute(self._chance.choice(list(Way)))
        self._until((0.5, 5.0), "link half open", proxy.heal)

    def _slow_link(self) -> None:
        proxy = self._some_link()
        proxy.delay(self._chance.uniform(0.05, 0.5))
        self._until((0.5, 3.0), "link slow", proxy.heal)

    def _trickle(self) -> None:
        proxy = self._some_link()
        proxy.trickle(self._chance.choice((0.001, 1.0)))
        self._until((0.5, 3.0), "link by the byte", proxy.heal)

    # The computer

    def _jump(self) -> None:
        seconds = self._chance.choice((-86400, -3600, -1, 1, 3600, 86400))
        self._server.order(f"jump {seconds}")
        self._somebody().order(f"jump {-seconds}")
        self._is_over("clock jump")

    def _limit_disk(self) -> None:
        """No more pages for the database, or bytes for any file."""
        self._server.order(f"full {self._chance.choice(('pages', 'files'))}")
        self._until((0.3, 1.5), "disk limited", lambda: self._server.order("free"))

    def _fill_disk(self) -> None:
        """To the last byte, until that is felt, and then for a while."""
        if self._disk is None:
            return
        said = self._server.errors.stat().st_size
        self._disk.fill()
        self._crew.people[self._chance.choice(sorted(self._crew.people))].order("flood 20 12000")
        if wait_until(lambda: self._server.complained(_FULL, said), _FLOODED_WITHIN):
            self._until((0.3, 2.0), "disk full", self._disk.free)
        else:
            self._disk.free()

    # The administrator

    def _do_something_and_kill(self) -> None:
        """The server dies a moment after the host asked for something: it may be done, or not."""
        name = self._somebody().name
        what = self._chance.choice(("ban {}", "mute {}", "role {} moderator", "unban {}", "look"))
        self._crew.host.order(what.format(name))
        time.sleep(self._chance.uniform(0, 0.05))
        self._server.kill()
        self._server_died_of = "kill server moderating"

    def _back_up(self) -> None:
        with suppress(sqlite3.Error):  # A server that is just starting holds it for itself.
            self._backups.make()

    def _restore(self) -> None:
        self._put_back(SET_BACK[0], new_epoch=True)

    def _copy_back(self) -> None:
        """Nothing tells the clients but what the server has in the places that they are at."""
        self._put_back(SET_BACK[1], new_epoch=False)

    def _put_back(self, kind: str, *, new_epoch: bool) -> None:
        if self._disk is not None:
            self._disk.free()  # Or there is no room for the backup.
        if self._backups.affordable():
            self._server.kill()
            self._backups.restore(new_epoch=new_epoch)
            self._server_died_of = kind
