"""What the plays are given on: two people, a server, and ways to wait for what happens."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from common.domain.names import GENERAL
from tests.torture.backups import Backups, reading
from tests.torture.crew import START_WITHIN, Crew, Person, TortureError, wait_until
from tests.torture.gather import settled
from tests.torture.proxy import Proxy
from tests.torture.record import Answered, KeptOut, LetIn, Listed, Record, Records

WITHIN: Final = 8.0
"""Seconds in which what a play waits for happens, however slow the computer is."""


class Stage:
    """Ada, Ben and a server; everyone has joined and is silent. `proxy` is behind one of them."""

    def __init__(self, crew: Crew, backups: Backups, behind_proxy: str) -> None:
        self.crew = crew
        self.backups = backups
        self.server = crew.server
        self.ada = crew.people["ada"]
        self.ben = crew.people["ben"]
        self.server.start()
        self.proxy: Proxy = crew.put_behind_proxy(behind_proxy)
        for person in crew.people.values():
            person.start(self.server)
        self.expect(lambda: settled(crew), "everyone has joined", START_WITHIN)

    def expect(self, condition: Callable[[], object], what: str, within: float = WITHIN) -> None:
        """Go on when it came true. Raises TortureError."""
        if not wait_until(condition, within):
            raise TortureError(f"waited {within:.0f} s for this: {what}")

    def orders(self, line: str) -> None:
        """Have the server obey an order, before what follows can reach it another way."""
        before = self.server.obeyed()
        self.server.order(line)
        self.expect(lambda: self.server.obeyed() > before, f"the server obeys: {line}")

    def host(self, line: str) -> None:
        """Have the host do something, and wait for what comes of it."""
        if not self.crew.host.running:
            self.crew.host.start()
        before = self._told(self.crew.host.record)
        self.crew.host.order(line)
        self.expect(lambda: self._told(self.crew.host.record) > before, f"the host: {line}")

    def answered(self, person: Person, times: int = 1) -> Callable[[], bool]:
        """Whether somebody was answered so often what they asked to have done to a person."""
        return lambda: self.count(person, Answered) >= times

    @staticmethod
    def _told(path: Path) -> int:
        kinds = Answered | LetIn | KeptOut | Listed
        return sum(isinstance(record, kinds) for record in Records(path))

    def says(self, person: Person, text: str) -> None:
        """In the room everyone is in."""
        person.order(f"say {GENERAL} {text}")

    def count(self, person: Person, kind: type[Record]) -> int:
        """How many records of a kind somebody has."""
        return sum(isinstance(record, kind) for record in Records(person.record))

    def everyone_has_everything(self) -> None:
        """Wait for that."""
        self.expect(lambda: settled(self.crew), "everyone has everything")

    def second_device(self) -> Person:
        """Ada's second device, with the server away meanwhile. Everyone has joined again."""
        self.server.end(signal.SIGTERM)
        second = self.crew.add_device("ada")
        self.server.start()
        second.start(self.server)
        self.everyone_has_everything()
        return second

    def dies(self) -> None:
        """The server dies at a point that was armed, and comes back."""
        self.expect(lambda: not self.server.running, "the server dies")
        self.server.start()

    def logged(self, text: str) -> bool:
        """Whether a message is in the log."""
        with reading(self.server.database) as database:
            found = "SELECT 1 FROM events WHERE body ->> 'text' = ?"
            return database.execute(found, (text,)).fetchone() is not None
