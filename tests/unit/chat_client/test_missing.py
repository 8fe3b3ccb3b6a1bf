"""Pages that only the server has: how often they are asked for, and what is said about them."""

from __future__ import annotations

import pytest

from chat_client.state.news import Wanted
from chat_client.window.transcript.missing import LONGEST, PATIENCE, RETRY, Missing
from common.domain.reasons import Reason

ROOM = "general"
OLDER = Wanted(ROOM, before=50)
NEWER = Wanted(ROOM, around=91)
FIRST = Wanted(ROOM, around=1)
UNREADABLE = "the host's computer can't read its messages now"
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
    missing.failed(OLDER, None, None, 11.0)
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
    ("why", "again", "line"),
    [
        (None, None, "Older messages can’t be loaded. Scroll to try again"),
        (
            Reason("internal"),
            0.0,
            "Older messages can’t be loaded yet: the server had an internal error",
        ),
        (Reason("busy"), 0.5, f"Older messages can’t be loaded yet: {UNREADABLE}"),
        (
            Reason("internal", {"why": "busy"}),
            None,
            f"Older messages can’t be loaded: {UNREADABLE}",
        ),
        (
            Reason("no_such_room", {"room": "attic"}),
            None,
            "Older messages can’t be loaded: there is no room attic that you are in",
        ),
        (
            Reason("rate_limited"),
            4.2,
            "Older messages can’t be loaded yet: too many requests at once",
        ),
        (Reason("lost"), None, "Older messages are on the server, not connected"),
    ],
)
def test_why_a_page_did_not_come(why: Reason | None, again: float | None, line: str) -> None:
    """In words about reading, and with what one can do about it: mostly nothing."""
    missing = Asked()
    missing.want(OLDER, 0.0)
    missing.failed(OLDER, why, again, 0.1)
    assert missing.says(0.1) == (line, True)


def test_a_page_that_may_be_had_later_is_asked_for_with_growing_pauses() -> None:
    """By itself, however often the ends are looked at meanwhile; and the reason stands there."""
    missing = Asked()
    now, waited = 0.0, []
    for times in range(1, 7):
        missing.want(OLDER, now)
        missing.failed(OLDER, Reason("busy"), 0.0, now)
        pause = missing.next_try(now)
        assert pause is not None
        for part in range(100):
            missing.want(OLDER, now + pause * part / 100)
        assert len(missing.asked) == times
        now += pause
        waited.append(pause)
        missing.want(OLDER, now)
        assert missing.next_try(now) is None
        assert missing.says(now)[0].startswith("Older messages can’t be loaded yet: ")
    assert waited == [RETRY, 2 * RETRY, 4 * RETRY, LONGEST, LONGEST, LONGEST]
    missing.came(OLDER)
    missing.want(OLDER, now)
    missing.failed(OLDER, Reason("busy"), 0.0, now)
    assert missing.next_try(now) == RETRY


def test_what_the_server_says_about_the_next_try_holds() -> None:
    """At least so long; and where it is in vain, there is none on this connection."""
    missing = Asked()
    missing.want(OLDER, 0.0)
    missing.want(NEWER, 0.0)
    missing.want(FIRST, 0.0)
    missing.failed(OLDER, Reason("rate_limited"), 60.0, 0.0)
    missing.failed(NEWER, Reason("busy"), 0.2, 0.0)
    missing.failed(FIRST, Reason("no_such_room"), None, 0.0)
    assert missing.next_try(0.0) == RETRY
    # Nobody wanted the newer ones then: they keep nobody else waiting.
    assert missing.next_try(RETRY) == 60.0 - RETRY
    assert missing.next_try(60.0) is None
    missing.asked.clear()
    for wanted in (OLDER, FIRST):
        missing.want(wanted, 59.9)
    assert missing.asked == []
    for wanted in (OLDER, FIRST):
        missing.want(wanted, 1e9)
    assert missing.asked == [OLDER]
    missing.forget()
    missing.want(FIRST, 1e9)
    assert missing.asked == [OLDER, FIRST]


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
