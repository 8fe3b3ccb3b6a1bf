"""Short plays, each of which a right server survives and one wrong server does not.

Where a torture waits for luck, a play uses the named points and the proxy to bring about the
one moment that matters. It goes on when something has happened, not after some time.
"""

import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.torture.backups import Backups
from tests.torture.checker import check
from tests.torture.crew import Crew, TortureError, Way, wait_until
from tests.torture.gather import complaints, gather, hush, pardoned, settled, silent
from tests.torture.history import Violation
from tests.torture.moderation_plays import MODERATION_PLAYS
from tests.torture.proxy import Way as Direction
from tests.torture.record import (
    Acked,
    Applied,
    CacheReset,
    Disconnected,
    Dropped,
    Kept,
    Parted,
    Records,
    Synced,
    Transmitted,
)
from tests.torture.stage import WITHIN, Stage

NAMES: Final = ("ada", "ben")
_A_MOMENT: Final = 1.0
"""Seconds in which a wrong server does what a right one never does."""


def killed_before_commit(stage: Stage) -> None:
    """What the server had not on its disk when it died, nobody may have been told."""
    stage.orders("die before-commit 1")
    stage.says(stage.ada, "one")
    stage.dies()


def killed_before_acknowledging(stage: Stage) -> None:
    """The message is on disk and Ada does not know: she says it again."""
    stage.orders("die after-commit 1")
    stage.says(stage.ada, "one")
    stage.dies()


def too_much_for_one(stage: Stage) -> None:
    """Ben reads nothing for a while and is told more than his outbox holds."""
    stage.proxy.hold(Direction.TO_CLIENT)
    for number in range(60):
        stage.says(stage.ada, f"{number} " + "x" * 6000)
    stage.expect(lambda: stage.count(stage.ada, Acked) == 60, "Ada has said it all")
    stage.proxy.release(Direction.TO_CLIENT)
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
    stage.proxy.hold(Direction.TO_SERVER)
    stage.says(stage.ada, "given up")
    stage.expect(lambda: stage.proxy.holding(Direction.TO_SERVER), "Ada sends")
    # Nobody answers meanwhile, so that she is not back before she has given it up.
    stage.server.stop()
    stage.proxy.cut_clients()
    stage.expect(lambda: stage.count(stage.ada, Disconnected), "Ada sees that it is dead")
    stage.ada.order("drop")
    stage.expect(lambda: stage.count(stage.ada, Dropped), "Ada gives it up")
    stage.says(stage.ada, "instead")
    stage.server.go_on()
    stage.expect(lambda: stage.count(stage.ada, Acked), "Ada is back")
    stage.proxy.release(Direction.TO_SERVER)
    wait_until(lambda: stage.logged("given up"), _A_MOMENT)


def killed_before_telling_others(stage: Stage) -> None:
    """Ada knows that it is stored, Ben was not told: he learns it from the log."""
    stage.orders("die after-ack 1")
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
    stage.host("terminate ada")
    stage.expect(lambda: stage.count(stage.ada, Disconnected), "Ada is told")
    stage.says(stage.ada, "two")


def full_database(stage: Stage) -> None:
    """The database can't grow for a while; everything waits and keeps its order."""
    _full(stage, "pages")


def failing_disk(stage: Stage) -> None:
    """The same, with the system refusing what is written."""
    _full(stage, "files")


def _full(stage: Stage, what: str) -> None:
    stage.orders(f"full {what}")
    for number in range(40):
        stage.says(stage.ada, f"{number} " + "x" * 12000)
    stage.expect(
        lambda: stage.count(stage.ada, Transmitted) > stage.count(stage.ada, Acked) + 3,
        "Ada tries again and again",
    )
    stage.orders("free")


def too_slow_for_everyone(stage: Stage) -> None:
    """Ben's program is stopped while more is said than the outbox of a real server holds."""
    stage.ben.stop()
    before = stage.server.fallen_behind()
    stage.ada.order("flood 300 16000")
    stage.expect(lambda: stage.count(stage.ada, Acked) == 300, "Ada has said it all", 3 * WITHIN)
    stage.expect(lambda: stage.server.fallen_behind() > before, "his outbox is full")
    stage.ben.go_on()
    stage.says(stage.ada, "and on")


def come_back_and_talk(stage: Stage) -> None:
    """Ada comes back with everything there is, so that she is live at once; then she speaks."""
    stage.ada.end()
    heard = stage.count(stage.ada, Synced)
    stage.ada.start(stage.server)
    stage.expect(lambda: stage.count(stage.ada, Synced) > heard, "Ada is live")
    stage.says(stage.ada, "one")
    stage.expect(lambda: stage.logged("one"), "it is stored")


def two_devices(stage: Stage) -> None:
    """What Ada says on one device comes to her other one too, and both keep their order."""
    second = stage.second_device()
    for number in range(3):
        stage.says(stage.ada, f"first {number}")
        stage.says(second, f"second {number}")
    stage.expect(lambda: stage.logged("first 2") and stage.logged("second 2"), "all is stored")
    stage.says(stage.ben, "to both")


def one_device_twice(stage: Stage) -> None:
    """Ada's folder is copied and used in two places: the copy ends the original's session.

    Both go on then as two sessions, for neither is the other's former one.
    """
    before = stage.count(stage.ada, Parted)
    copy = stage.crew.copy_device("ada")
    copy.start(stage.server)
    stage.expect(
        lambda: stage.count(stage.ada, Parted) > before, "Ada is told that she is replaced"
    )
    codes = [each.code for each in Records(stage.ada.record) if isinstance(each, Parted)]
    if codes[-1] != "replaced":
        raise TortureError(f"Ada was told {codes[-1]!r}")
    for number in range(3):
        stage.says(stage.ada, f"here {number}")
        stage.says(copy, f"there {number}")
    stage.expect(lambda: stage.logged("here 2") and stage.logged("there 2"), "all is stored")


def backup_restored(stage: Stage) -> None:
    """What was said after the backup is gone, and other things are said in its place.

    Ben is away until there is as much as he had before. The epoch tells him.
    """
    _set_back(stage, new_epoch=True)


def backup_copied_back(stage: Stage) -> None:
    """The same with the epoch of before: only what he has in his place tells."""
    _set_back(stage, new_epoch=False)


def _set_back(stage: Stage, *, new_epoch: bool) -> None:
    stage.says(stage.ada, "kept")
    stage.everyone_has_everything()
    stage.backups.make()
    stage.says(stage.ada, "gone")
    stage.says(stage.ben, "gone as well")
    stage.expect(lambda: stage.count(stage.ben, Applied) == 5, "Ben has all of it")
    stage.ben.end()
    stage.server.kill()
    stage.backups.restore(new_epoch=new_epoch)
    stage.server.start()
    for number in range(4):
        stage.says(stage.ada, f"instead {number}")
    stage.expect(lambda: stage.logged("instead 3"), "it is stored")
    stage.ben.start(stage.server)


def under_way_at_the_backup(stage: Stage) -> None:
    """Stored, not acknowledged, and then set back: what waits with its sender is said again."""
    stage.backups.make()
    stage.orders("die after-commit 1")
    stage.says(stage.ada, "again")
    stage.expect(lambda: not stage.server.running, "the server dies")
    stage.backups.restore()
    stage.server.start()
    stage.expect(lambda: stage.logged("again"), "it is stored")


def acknowledged_in_a_gap_and_gone(stage: Stage) -> None:
    """Ada was away for long; what she says is acknowledged, and she dies before she has seen it.

    A backup takes it, of which nothing tells her. It goes again, before what she says then.
    """
    stage.ada.end()
    stage.ben.order("flood 100 20")
    stage.expect(lambda: stage.count(stage.ben, Acked) == 100, "Ben has said it all")
    stage.backups.make()
    _come_back_and_say(stage, "gone", 1)
    stage.ada.order("die 1")
    stage.server.go_on()
    stage.expect(lambda: not stage.ada.running, "Ada's client dies")
    stage.server.kill()
    stage.backups.restore(new_epoch=False)
    stage.server.start()
    stage.expect(lambda: stage.count(stage.ben, CacheReset), "Ben knows")
    _come_back_and_say(stage, "later", 2)
    stage.server.go_on()
    stage.expect(lambda: stage.logged("later"), "it is stored")


def _come_back_and_say(stage: Stage, text: str, kept: int) -> None:
    """The server does not answer before that is in the outbox."""
    stage.server.stop()
    stage.ada.start(stage.server)
    stage.says(stage.ada, text)
    stage.expect(lambda: stage.count(stage.ada, Kept) == kept, "Ada has written it")


PLAYS: Final[Mapping[str, Callable[[Stage], None]]] = {
    "acknowledge-before-commit": killed_before_commit,
    "no-unique-index": killed_before_acknowledging,
    "drop-on-overflow": too_much_for_one,
    "unordered-fan-out": two_talk,
    "no-fencing": an_old_connection_speaks,
    "echo-to-the-sender": come_back_and_talk,
    "one-device-only": two_devices,
    "same-epoch": backup_restored,
    "believe-positions": backup_copied_back,
    "keep-old-copies": backup_restored,
    **MODERATION_PLAYS,
}
"""For each wrong program, the play that shows it."""


def play(folder: Path, scene: Callable[[Stage], None], bug: str | None) -> list[Violation]:
    """What is wrong after a play, given by right programs or with a bug."""
    behind_proxy = "ben" if scene is too_much_for_one else "ada"
    # Nothing is to end in a play but what the play ends, however slow the computer is.
    way = Way(bug=bug, silence=60.0, real_outboxes=scene is too_slow_for_everyone)
    with Crew(folder, NAMES, way) as crew:
        backups = Backups(crew.server.database, folder)
        stage = Stage(crew, backups, behind_proxy)
        scene(stage)
        since = hush(crew)  # Obeyed by each when all that it was to say is said.
        within = WITHIN if bug is None else _A_MOMENT  # With some bugs it never will be.
        if crew.host.running:
            crew.host.order("pardon")
            wait_until(lambda: pardoned(crew), within)
        wait_until(lambda: silent(crew, since) and settled(crew), within)
        for person in (*crew.people.values(), crew.host):
            person.end()
        crew.server.end(signal.SIGTERM)
    found = check(gather(crew, backups))
    return [*complaints(crew), *backups.violations, *found]
