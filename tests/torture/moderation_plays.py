"""Short plays about bans, mutes, roles, the invite and history: see `scenarios`."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.torture.crew import wait_until
from tests.torture.record import Acked, Admitted, Filled, Parted, Refused, TurnedAway
from tests.torture.stage import WITHIN, Stage

_A_MOMENT: Final = 1.0
"""Seconds in which a wrong server does what a right one never does."""


def banned_and_killed(stage: Stage) -> None:
    """Ben is banned, and the server dies: he is still banned when it comes back."""
    stage.host("ban ben")
    stage.expect(lambda: stage.count(stage.ben, Parted), "Ben is sent away")
    stage.server.kill()
    was_in = stage.count(stage.ben, Admitted)
    turned_away = stage.count(stage.ben, TurnedAway)
    stage.server.start()
    stage.expect(
        lambda: (
            stage.count(stage.ben, TurnedAway) > turned_away
            or stage.count(stage.ben, Admitted) > was_in
        ),
        "Ben knocks",
    )


def said_after_a_ban(stage: Stage) -> None:
    """Ben is banned; what is said afterwards is none of his."""
    stage.host("ban ben")
    for number in range(3):
        stage.says(stage.ada, f"without Ben {number}")
    stage.expect(lambda: stage.count(stage.ada, Acked) >= 3, "it is said")
    wait_until(lambda: stage.count(stage.ben, TurnedAway) > 1, _A_MOMENT)


def banned_device(stage: Stage) -> None:
    """The device that Ben uses is banned by its connection, for a while; a guest uses it, too."""
    stage.host("device ben 1500")
    stage.expect(lambda: stage.count(stage.ben, TurnedAway), "Ben is turned away")
    was_in = stage.count(stage.ben, Admitted)
    stage.host("guest ben")
    stage.expect(lambda: stage.count(stage.ben, Admitted) > was_in, "it ends by itself")


def a_ban_that_can_not_be_stored(stage: Stage) -> None:
    """The host asks for it while the disk takes nothing: Ben stays."""
    for number in range(40):  # More than what the test's own files may grow by.
        stage.says(stage.ada, f"{number} " + "x" * 12000)
    stage.expect(lambda: stage.count(stage.ada, Acked) >= 40, "the log has grown")
    stage.orders("full files")
    stage.host("ban ben")
    stage.orders("free")
    wait_until(lambda: stage.count(stage.ben, Parted), _A_MOMENT)


def muted(stage: Stage) -> None:
    """Ben is muted by the moderator Ada, tries to speak, and speaks again when he may."""
    stage.host("role ada moderator")
    stage.ada.order("moderate mute ben")
    stage.expect(stage.answered(stage.ada), "Ben is muted")
    stage.says(stage.ben, "unheard")
    stage.expect(
        lambda: stage.count(stage.ben, Refused) or stage.logged("unheard"), "Ben is answered"
    )
    stage.host("look")
    stage.host("unmute ben")
    stage.says(stage.ben, "heard")
    stage.expect(lambda: stage.logged("heard"), "Ben speaks")


def muted_before_the_answer(stage: Stage) -> None:
    """What Ada said is stored, and she is muted before she knows: she asks again, and is told."""
    stage.orders("die after-commit 1")
    stage.says(stage.ada, "one")
    stage.expect(lambda: not stage.server.running, "the server dies")
    stage.ada.stop()
    stage.server.start()
    stage.host("mute ada")
    stage.ada.go_on()
    stage.expect(
        lambda: stage.count(stage.ada, Acked) or stage.count(stage.ada, Refused), "she is answered"
    )


def a_moderator_and_not(stage: Stage) -> None:
    """Ben may do nothing to Ada; then he is a moderator, the server dies, and he still is."""
    stage.ben.order("moderate mute ada")
    stage.expect(stage.answered(stage.ben), "Ben is answered")
    stage.host("role ben moderator")
    was_in = stage.count(stage.ben, Admitted)
    stage.server.kill()
    stage.server.start()
    stage.expect(lambda: stage.count(stage.ben, Admitted) > was_in, "Ben is back")
    stage.host("look")
    stage.ben.order("moderate terminate ada")
    stage.expect(stage.answered(stage.ben, 2), "Ben is answered again")


def invited_anew(stage: Stage) -> None:
    """A guest comes by the link, another one by the old link after there is a new one."""
    stage.host("guest")
    stage.host("invite")
    stage.host("late")
    stage.host("guest")


def a_long_absence(stage: Stage) -> None:
    """Ben misses much: he has the newest page at once, and looks back page by page."""
    stage.ben.end()
    stage.ada.order("flood 140 20")
    stage.expect(lambda: stage.count(stage.ada, Acked) == 140, "Ada has said it all")
    stage.ben.start(stage.server)
    wait_until(lambda: stage.count(stage.ben, Filled) or not stage.ben.running, WITHIN)
    for pages in range(1, 5):
        stage.ben.order("page")
        wait_until(
            lambda: stage.count(stage.ben, Filled) > pages or not stage.ben.running,  # noqa: B023 (called now)
            _A_MOMENT,
        )


MODERATION_PLAYS: Final[Mapping[str, Callable[[Stage], None]]] = {
    "ban-not-stored": banned_and_killed,
    "banned-stay": said_after_a_ban,
    "sent-away-too-early": a_ban_that_can_not_be_stored,
    "audit-row-missing": muted,
    "audit-row-twice": muted,
    "muted-are-heard": muted,
    "role-not-stored": a_moderator_and_not,
    "everybody-moderates": a_moderator_and_not,
    "old-link-works": invited_anew,
    "page-with-a-hole": a_long_absence,
    "lose-one-of-a-page": a_long_absence,
}
"""For each wrong program, the play that shows it."""
