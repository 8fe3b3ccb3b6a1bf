"""A play on a small disk, in a process that may mount one: run by test_disk.py.

The server is killed while there is not one byte left, and has to start again all the same.
"""

import signal
import sys
from pathlib import Path
from typing import Final

from tests.torture.backups import Backups
from tests.torture.checker import check
from tests.torture.crew import Crew, Way
from tests.torture.disk import SmallDisk
from tests.torture.gather import complaints, gather, hush, settled, silent
from tests.torture.history import Violation
from tests.torture.record import Acked, Transmitted
from tests.torture.stage import WITHIN, Stage

_SIZE: Final = 64 * 1024 * 1024


def killed_on_a_full_disk(stage: Stage, disk: SmallDisk) -> None:
    """Ada's messages wait while the disk is full, also for the server that was killed on it."""
    disk.fill()
    stage.ada.order("flood 400 12000")
    stage.expect(lambda: stage.server.complained("the log could not be written", 0), "it is felt")
    stage.server.kill()
    disk.fill()  # With what the reserve had kept back, too.
    stage.server.start()
    tried = stage.count(stage.ada, Transmitted)
    stage.expect(lambda: stage.count(stage.ada, Transmitted) > tried + 3, "Ada tries again")
    disk.free()
    stage.expect(lambda: stage.count(stage.ada, Acked) >= 400, "there is room again", 3 * WITHIN)


def main(folder: Path) -> list[Violation]:
    """What is wrong after the play."""
    crew = Crew(folder, ("ada", "ben"), Way(silence=60.0))
    backups = Backups(crew.server.database, folder)
    with SmallDisk(crew.server.database.parent, _SIZE) as disk, crew:
        stage = Stage(crew, backups, "ada")
        killed_on_a_full_disk(stage, disk)
        since = hush(crew)
        stage.expect(lambda: silent(crew, since) and settled(crew), "all is delivered")
        for person in crew.people.values():
            person.end()
        crew.server.end(signal.SIGTERM)
    found = check(gather(crew, backups))
    return [*complaints(crew), *found]


if __name__ == "__main__":
    wrong = main(Path(sys.argv[1]))
    sys.stdout.write("\n".join(map(str, wrong)))
    sys.exit(1 if wrong else 0)
