"""Pages that only the server has: how often they are asked for, and what is said about them."""

from __future__ import annotations

import pytest

from chat_client.state.news import Wanted
from chat_client.window.transcript.missing import PATIENCE, RETRY, Missing
from common.domain.reasons import Reason

ROOM = "general"
OLDER = Wanted(ROOM, before=50)
NEWER = Wanted(ROOM, around=91)
FIRST = Wanted(ROOM, around=1)
DAY = Wanted(ROOM, at=1_772_323_200_000)


class Asked(Missing):
    """Remembers what was asked for; a list from 50 to 90 is in view from end to end."""

    def __init__(self) -> None:
        self.asked: list[Wanted] = []
        super().__init__(self.asked.append)

    def says(self, now: float, target: Wanted | None = None) -> tuple[str, bool]:
        """What is said then."""
        return self.notice(ROOM, target, 50, 90, now)


def test_a_page_is_asked_for_once() -> None:
    """Until it came, or until it may be tried again."""
    missing = Asked()
    missing.want(OLDER, 0.0)
    missing.want(OLDER, 9.0)
    assert missing.asked == [OLDER]
    missing.came(OLDER)
    assert not missing.waits
    missing.want(OLDER, 10.0)
    missing.failed(OLDER, None, 11.0)
    missing.want(OLDER, 11.0 + RETRY / 2)
    assert missing.asked == [OLDER] * 2
    missing.want(OLDER, 11.0 + RETRY)
    assert missing.asked == [OLDER] * 3


def test_another_connection_is_asked_at_once() -> None:
    """What the last one could not give is forgotten."""
    missing = Asked()
    missing.want(OLDER, 0.0)
    missing.lost(0.1)
    assert not missing.waits
    missing.forget()
    missing.want(OLDER, 0.2)
    assert missing.asked == [OLDER] * 2


def test_nothing_is_said_of_what_comes_quickly() -> None:
    """A line that is there for a moment only would flicker."""
    missing = Asked()
    missing.want(OLDER, 0.0)
    assert missing.says(PATIENCE / 2)[0] == ""
    assert missing.says(PATIENCE) == ("Loading older messages…", True)
    missing.came(OLDER)
    assert missing.says(9.0)[0] == ""


@pytest.mark.parametrize(
    ("why", "line"),
    [
        (None, "Older messages can’t be loaded. Scroll to try again"),
        (
            Reason("internal"),
            (
                "Older messages can’t be loaded: the server had an internal error; trying again "
                "later may help. Scroll to try again"
            ),
        ),
        (Reason("lost"), "Older messages are on the server, not connected"),
    ],
)
def test_why_a_page_did_not_come(why: Reason | None, line: str) -> None:
    """With what one can do about it: without a connection scrolling does not help."""
    missing = Asked()
    missing.want(OLDER, 0.0)
    missing.failed(OLDER, why, 0.1)
    assert missing.says(0.1) == (line, True)


def test_it_is_said_where_the_page_belongs() -> None:
    """Above first, as both ends may be in view; at an end that is not in view, nothing."""
    missing = Asked()
    missing.want(NEWER, 0.0)
    assert missing.says(1.0) == ("Loading newer messages…", False)
    missing.want(OLDER, 0.0)
    assert missing.says(1.0) == ("Loading older messages…", True)
    assert missing.notice(ROOM, None, None, 90, 1.0) == ("Loading newer messages…", False)
    assert missing.notice(ROOM, None, None, None, 1.0)[0] == ""
    assert missing.notice(None, None, 50, 90, 1.0)[0] == ""


@pytest.mark.parametrize(
    ("target", "line"),
    [(FIRST, "Loading the first messages…"), (DAY, "Loading that day’s messages…")],
)
def test_the_page_that_somebody_goes_to_comes_first(target: Wanted, line: str) -> None:
    """Whatever else is missing: it is what somebody waits for."""
    missing = Asked()
    missing.want(OLDER, 0.0)
    missing.want(target, 0.0)
    assert missing.says(1.0, target) == (line, True)
    missing.came(target)
    assert missing.says(1.0, target)[0] == ""
