"""Members that come and go for a long time, while they talk."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from tests.bench.endure.course import Sample
from tests.bench.endure.crew import Crew
from tests.bench.endure.findings import quantile
from tests.bench.endure.hosted import Hosted
from tests.bench.endure.ledger import Ledger
from tests.bench.endure.member import Account
from tests.bench.endure.vitals import sizes
from tests.bench.screen import BenchError

TEXT: Final = 100
"""Bytes of a text."""
TURN: Final = 1.0
"""Seconds between two changes: somebody goes, somebody comes."""
NEWCOMER: Final = 120.0
"""Seconds between two new accounts; each reads the whole log."""
_AT_ONCE: Final = 500
_PATIENCE: Final = 60.0


class Town:
    """Twice as many accounts as members are online; each in its turn goes and comes back.

    Who comes back gets what was missed. Half of those who go break off without an end.
    """

    def __init__(self, hosted: Hosted, online: int) -> None:
        self.ledger = Ledger()
        self.crew = Crew(hosted.invite, self.ledger, TEXT)
        self.comings = 0
        self.newcomers = 0
        self._hosted = hosted
        self._online = online
        self._away: deque[Account] = deque()
        self._accounts = [Account(f"m{number:03}") for number in range(2 * online)]
        self._chance = random.Random(2)  # noqa: S311 (who comes and goes is no secret)

    def settle(self, history: int) -> None:
        """Everyone joins; then so many messages are said, for the store to be no small one.

        Nobody but their sender is there for those; the others begin behind them.
        """
        for account in self._accounts:
            self._join_and_go(account)
        filler = self.crew.come(Account("filler"))
        self._need(lambda: filler.live, "the filler to be in")
        for _ in range(0, history, _AT_ONCE):
            for _ in range(_AT_ONCE):
                filler.say(time.monotonic_ns(), TEXT)
            self._need(lambda: not self.ledger.outstanding, "the history to be stored")
        self.crew.go(filler)
        for account in self._accounts:
            account.position = self.ledger.head
        for account in self._accounts[: self._online]:
            self.crew.come(account)
        self._away.extend(self._accounts[self._online :])
        self._need(self.crew.all_live, "everyone to be in")

    def live(self, rate: float) -> None:
        """From now on they talk, come and go, whenever the crew runs."""
        self.crew.rate = rate
        now = time.monotonic()
        self.crew.at(now + TURN, self._turn)
        self.crew.at(now + NEWCOMER, self._newcomer)

    def sample(self) -> Sample:
        """This moment, and the deliveries since the last one."""
        times = self.ledger.times
        found = Sample(
            vitals=self._hosted.vitals(),
            online=len(self.crew.members),
            sizes=sizes(self._hosted.data),
            live=len(times),
            p50=quantile(times, 0.5),
            p99=quantile(times, 0.99),
            slowest=max(times, default=0.0),
        )
        self.ledger.forget_times()
        return found

    def finish(self) -> None:
        """Nobody says anything more, everyone comes back and gets everything."""
        self.crew.rate = 0
        while self._away:
            self.crew.come(self._away.popleft())
            self.crew.run(time.monotonic() + _PATIENCE, self.crew.all_live)
        self._need(self.crew.all_there, "everyone to have everything")

    def cost_of_an_account(self, count: int) -> float:
        """Bytes of memory that the server keeps of each of so many more, who are away."""
        before = self._hosted.vitals().memory
        for number in range(count):
            self._join_and_go(Account(f"x{number:04}", position=self.ledger.head))
        return (self._hosted.vitals().memory - before) / count

    def _join_and_go(self, account: Account) -> None:
        member = self.crew.come(account)
        self._need(lambda: account.joined, f"{account.username} to be let in")
        self.crew.go(member)

    def _turn(self) -> None:
        """Somebody goes, and whoever was away longest comes."""
        self.crew.at(time.monotonic() + TURN, self._turn)
        if not self._away or len(self.crew.members) < 2:
            return
        leaving = self._chance.choice(self.crew.members)
        self.crew.go(leaving, abruptly=self._chance.random() < 0.5)
        self._away.append(leaving.account)
        self.crew.come(self._away.popleft())
        self.comings += 1

    def _newcomer(self) -> None:
        """Somebody who was never there comes, and is one of them from then on."""
        self.crew.at(time.monotonic() + NEWCOMER, self._newcomer)
        self.newcomers += 1
        self.crew.come(Account(f"n{self.newcomers:03}"))
        leaving = self.crew.members[0]
        self.crew.go(leaving)
        self._away.append(leaving.account)

    def _need(self, condition: Callable[[], bool], what: str) -> None:
        if not self.crew.run(time.monotonic() + _PATIENCE, condition):
            raise BenchError(f"waited {_PATIENCE:g} s for {what}; {self.ledger.faults}")
