"""Short plays, each of which a right server survives and one wrong server does not.

Where a torture waits for luck, a play uses the named points and the proxy to bring about the
one moment that matters. It goes on when something has happened, not after some time.
"""

import signal
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from common.names import GENERAL
from tests.torture.checker import check
from tests.torture.crew import START_WITHIN, Crew, Person, TortureError, wait_until
from tests.torture.gather import complaints, gather, hush, settled, silent
from tests.torture.history import Violation
from tests.torture.proxy import Proxy, Way
from tests.torture.record import Acked, Disconnected, Dropped, Record, Transmitted, read_records

NAMES: Final = ("ada", "ben")
WITHIN: Final = 8.0
_A_MOMENT: Final = 1.0
"""Seconds in which a wrong server does what a right one never does."""


class Stage:
    """Ada, Ben and a server; everyone has joined and is silent. `proxy` is behind one of them."""

    def __init__(self, crew: Crew, behind_proxy: str) -> None:
        self.crew = crew
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

    def says(self, person: Person, text: str) -> None:
        """In the room everyone is in."""
        person.order(f"say {GENERAL} {text}")

    def count(self, person: Person, kind: type[Record]) -> int:
        """How many records of a kind somebody has."""
        return sum(isinstance(record, kind) for record in read_records(person.record))

    def dies(self) -> None:
        """The server dies at a point that was armed, and comes back."""
        self.expect(lambda: not self.server.running, "the server dies")
        self.server.start()

    def logged(self, text: str) -> bool:
        """Whether a message is in the log."""
        uri = f"{self.server.database.as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            found = "SELECT 1 FROM events WHERE text = ?"
            return database.execute(found, (text,)).fetchone() is not None


def killed_before_commit(stage: Stage) -> None:
    """What the server had not on its disk when it died, nobody may have been told."""
    stage.server.order("die before-commit 1")
    stage.says(stage.ada, "one")
    stage.dies()


def killed_before_acknowledging(stage: Stage) -> None:
    """The message is on disk and Ada does not know: she says it again."""
    stage.server.order("die after-commit 1")
    stage.says(stage.ada, "one")
    stage.dies()


def too_much_for_one(stage: Stage) -> None:
    """Ben reads nothing for a while and is told more than his outbox holds."""
    stage.proxy.hold(Way.TO_CLIENT)
    for number in range(60):
        stage.says(stage.ada, f"{number} " + "x" * 6000)
    stage.expect(lambda: stage.count(stage.ada, Acked) == 60, "Ada has said it all")
    stage.proxy.release(Way.TO_CLIENT)
    # What follows finds room in his outbox again, sooner or later.
    for number in range(60, 80):
        stage.says(stage.ada, str(number))
        stage.expect(lambda: stage.count(stage.ada, Acked) > number, "Ada goes on")  # noqa: B023 (called now)


def two_talk(stage: Stage) -> None:
    """One message of each."""
    stage.says(stage.ada, "one")
    stage.expect(lambda: stage.logged("one"), "the first is stored")
    stage.says(stage.ben, "two")


def an_old_connection_speaks(stage: Stage) -> None:
    """Ada's message hangs in a dead connection; she gives it up and comes back with another.

    When the dead connection comes to life again, it must not be hers any more.
    """
    stage.proxy.hold(Way.TO_SERVER)
    stage.says(stage.ada, "given up")
    stage.expect(lambda: stage.proxy.holding(Way.TO_SERVER), "Ada sends")
    # Nobody answers meanwhile, so that she is not back before she has given it up.
    stage.server.stop()
    stage.proxy.cut_clients()
    stage.expect(lambda: stage.count(stage.ada, Disconnected), "Ada sees that it is dead")
    stage.ada.order("drop")
    stage.expect(lambda: stage.count(stage.ada, Dropped), "Ada gives it up")
    stage.says(stage.ada, "instead")
    stage.server.go_on()
    stage.expect(lambda: stage.count(stage.ada, Acked), "Ada is back")
    stage.proxy.release(Way.TO_SERVER)
    wait_until(lambda: stage.logged("given up"), _A_MOMENT)


def killed_before_telling_others(stage: Stage) -> None:
    """Ada knows that it is stored, Ben was not told: he learns it from the log."""
    stage.server.order("die after-ack 1")
    stage.says(stage.ada, "one")
    stage.dies()


def killed_before_keeping(stage: Stage) -> None:
    """Ben's client dies with an event applied and not kept: it fetches it again."""
    stage.ben.order("die 1")
    stage.says(stage.ada, "one")
    stage.expect(lambda: not stage.ben.running, "Ben's client dies")
    stage.ben.start(stage.server)


def terminated(stage: Stage) -> None:
    """The host ends Ada's connection; she comes back by herself here."""
    stage.says(stage.ada, "one")
    stage.server.order("terminate ada")
    stage.expect(lambda: stage.count(stage.ada, Disconnected), "Ada is told")
    stage.says(stage.ada, "two")


def full_database(stage: Stage) -> None:
    """The database can't grow for a while; everything waits and keeps its order."""
    _full(stage, "pages")


def failing_disk(stage: Stage) -> None:
    """The same, with the system refusing what is written."""
    _full(stage, "files")


def _full(stage: Stage, what: str) -> None:
    stage.server.order(f"full {what}")
    for number in range(40):
        stage.says(stage.ada, f"{number} " + "x" * 12000)
    stage.expect(
        lambda: stage.count(stage.ada, Transmitted) > stage.count(stage.ada, Acked) + 3,
        "Ada tries again and again",
    )
    stage.server.order("free")


PLAYS: Final[Mapping[str, Callable[[Stage], None]]] = {
    "acknowledge-before-commit": killed_before_commit,
    "no-unique-index": killed_before_acknowledging,
    "drop-on-overflow": too_much_for_one,
    "unordered-fan-out": two_talk,
    "no-fencing": an_old_connection_speaks,
}
"""For each wrong server, the play that shows it."""


def play(folder: Path, scene: Callable[[Stage], None], bug: str | None) -> list[Violation]:
    """What is wrong after a play, given by a right server or one with a bug."""
    behind_proxy = "ben" if scene is too_much_for_one else "ada"
    # Nothing is to end in a play but what the play ends, however slow the computer is.
    with Crew(folder, NAMES, bug=bug, silence=60.0) as crew:
        stage = Stage(crew, behind_proxy)
        scene(stage)
        since = hush(crew)  # Obeyed by each when all that it was to say is said.
        within = WITHIN if bug is None else _A_MOMENT  # With some bugs it never will be.
        wait_until(lambda: silent(crew, since) and settled(crew), within)
        for person in crew.people.values():
            person.end()
        crew.server.end(signal.SIGTERM)
    return [*complaints(crew), *check(gather(crew))]
