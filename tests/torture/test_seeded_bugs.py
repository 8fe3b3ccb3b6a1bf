"""Each wrong server is caught, and for the right reason; the right one passes the same play."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.torture.bugs import BUGS
from tests.torture.history import Kind
from tests.torture.scenarios import (
    PLAYS,
    Stage,
    failing_disk,
    full_database,
    killed_before_keeping,
    killed_before_telling_others,
    play,
    terminated,
)

CAUGHT_AS = {
    "acknowledge-before-commit": Kind.ACK_LOST,
    "no-unique-index": Kind.DUPLICATE,
    "drop-on-overflow": Kind.HOLE_ON_WIRE,
    "unordered-fan-out": Kind.HOLE_ON_WIRE,
    "no-fencing": Kind.DEVICE_ORDER,
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_wrong_server_is_caught(bug: str, tmp_path: Path) -> None:
    """The promise that it breaks is among those found broken."""
    found = play(tmp_path, PLAYS[bug], bug)
    assert CAUGHT_AS[bug] in {violation.kind for violation in found}, found


@pytest.mark.parametrize(
    "scene",
    [
        *PLAYS.values(),
        killed_before_telling_others,
        killed_before_keeping,
        terminated,
        full_database,
        failing_disk,
    ],
    ids=lambda scene: scene.__name__,
)
def test_the_right_server_passes(scene: Callable[[Stage], None], tmp_path: Path) -> None:
    """The same plays, and some more, without a bug: nothing is found."""
    assert play(tmp_path, scene, None) == []
