"""Each wrong program is caught, and for the right reason; the right ones pass the same play.

That the checker sees each kind of violation in a record is shown without programs, in the tier
`unit`. Here it is shown that the record has what it takes: in every run by one wrong program for
each part of what is promised, and by all of them in the tier `soak`.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.torture.bugs import BUGS, CLIENT_BUGS
from tests.torture.history import Kind
from tests.torture.moderation_plays import banned_device, muted_before_the_answer
from tests.torture.scenarios import (
    PLAYS,
    acknowledged_in_a_gap_and_gone,
    failing_disk,
    full_database,
    killed_before_keeping,
    killed_before_telling_others,
    one_device_twice,
    play,
    terminated,
    too_slow_for_everyone,
    under_way_at_the_backup,
)
from tests.torture.stage import Stage

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs can't be stopped there")
CAUGHT_AS = {
    "acknowledge-before-commit": Kind.ACK_LOST,
    "no-unique-index": Kind.DUPLICATE,
    "drop-on-overflow": Kind.HOLE_ON_WIRE,
    "unordered-fan-out": Kind.HOLE_ON_WIRE,
    "no-fencing": Kind.DEVICE_ORDER,
    "echo-to-the-sender": Kind.ECHOED,
    "one-device-only": Kind.HOLE_ON_WIRE,
    "same-epoch": Kind.DISAGREES,
    "believe-positions": Kind.DISAGREES,
    "keep-old-copies": Kind.HOLE_IN_VIEW,
    "ban-not-stored": Kind.BANNED_LET_IN,
    "banned-stay": Kind.SHOWN_TO_BANNED,
    "sent-away-too-early": Kind.UNJUST,
    "audit-row-missing": Kind.AUDIT_MISSING,
    "audit-row-twice": Kind.AUDIT_EXTRA,
    "muted-are-heard": Kind.HEARD_THOUGH_MUTED,
    "role-not-stored": Kind.RIGHTS_DIFFER,
    "everybody-moderates": Kind.NOT_ALLOWED,
    "old-link-works": Kind.OLD_LINK,
    "page-with-a-hole": Kind.HOLE_ON_WIRE,
    "lose-one-of-a-page": Kind.HOLE_IN_VIEW,
}

IN_EVERY_RUN = {
    "durability": "acknowledge-before-commit",
    "delivery": "drop-on-overflow",
    "sessions": "no-fencing",
    "restored backups": "believe-positions",
    "bans": "banned-stay",
    "permissions": "everybody-moderates",
    "audit": "audit-row-missing",
    "history, and a client": "lose-one-of-a-page",
}
"""For each part of what is promised, the wrong program that stands for the others."""


def test_there_is_a_play_for_each() -> None:
    """And what it has to be caught as."""
    assert set(CAUGHT_AS) == set(PLAYS) == {*BUGS, *CLIENT_BUGS}
    assert set(CAUGHT_AS) > set(IN_EVERY_RUN.values())


@pytest.mark.parametrize(
    "bug",
    [
        pytest.param(bug, marks=() if bug in IN_EVERY_RUN.values() else pytest.mark.soak)
        for bug in (*BUGS, *CLIENT_BUGS)
    ],
)
def test_a_wrong_program_is_caught(bug: str, tmp_path: Path) -> None:
    """The promise that it breaks is among those found broken."""
    found = play(tmp_path, PLAYS[bug], bug)
    assert CAUGHT_AS[bug] in {violation.kind for violation in found}, found


@pytest.mark.parametrize(
    "scene",
    [
        *dict.fromkeys(PLAYS.values()),
        killed_before_telling_others,
        killed_before_keeping,
        terminated,
        full_database,
        failing_disk,
        too_slow_for_everyone,
        one_device_twice,
        under_way_at_the_backup,
        acknowledged_in_a_gap_and_gone,
        banned_device,
        muted_before_the_answer,
    ],
    ids=lambda scene: scene.__name__,
)
def test_the_right_programs_pass(scene: Callable[[Stage], None], tmp_path: Path) -> None:
    """The same plays, and some more, without a bug: nothing is found."""
    assert play(tmp_path, scene, None) == []
