"""What the window says about the connection, and when that ends by itself."""

from __future__ import annotations

import pytest

from chat_client.state.news import OnlineListed
from chat_client.state.status import Link, Status
from chat_client.window.overview import Overview
from chat_client.window.status_banner import (
    Offer,
    holds,
    next_end,
    notice_of,
    notice_of_delay,
    status_line,
)
from common.domain.reasons import Reason

NOW = 1_772_323_200_000
HOUR = 3_600_000


def banned(until: int) -> Reason:
    """A ban with an end."""
    return Reason("banned", {"until": until})


@pytest.mark.parametrize("link", [Link.ONLINE, Link.CONNECTING])
def test_nothing_is_said_of_a_connection(link: Link) -> None:
    """Nor while one is made: the line beside the room's name is enough."""
    assert notice_of(Status(link), NOW) is None


@pytest.mark.parametrize(
    ("status", "tone", "offer", "words"),
    [
        (Status(Link.PAUSED, Reason("lost")), "away", Offer("Try now"), "sent later"),
        (Status(Link.PAUSED, Reason("storage_full")), "slow", Offer("Try now"), "in its field"),
        (
            Status(Link.SIGNED_OUT, Reason("slow")),
            "slow",
            Offer("Sign in again"),
            "You were signed out",
        ),
        (Status(Link.SIGNED_OUT, Reason("terminated")), "slow", Offer("Sign in again"), ""),
        (Status(Link.STOPPED, Reason("internal")), "slow", Offer("Try again"), ""),
        *(
            (Status(Link.REFUSED, Reason(code)), "slow", Offer("Join again", "come_back"), "")
            for code in ("not_recognized", "wrong_server", "bad_secret", "for_newcomers")
        ),
        *(
            (Status(Link.REFUSED, Reason(code)), "slow", Offer("Try again"), "")
            for code in ("malformed", "too_many_devices", "of a later version")
        ),
        (
            Status(Link.REFUSED, Reason("internal_error", {"cause": "x"})),
            "slow",
            Offer("Open it again", "reopen"),
            "",
        ),
        (
            Status(Link.REFUSED, Reason("account_deleted")),
            "slow",
            Offer("Go to another chat", "leave"),
            "",
        ),
        (Status(Link.REFUSED, Reason("client_too_old")), "slow", Offer("Try again"), ""),
        (Status(Link.REFUSED, banned(NOW + HOUR)), "slow", None, "banned"),
        (Status(Link.SIGNED_OUT, banned(NOW)), "slow", Offer("Sign in again"), "banned"),
        (Status(Link.SIGNED_OUT, Reason("banned")), "slow", None, "banned"),
    ],
)
def test_what_is_said_and_offered(
    status: Status, tone: str, offer: Offer | None, words: str
) -> None:
    """Only what can help is offered."""
    notice = notice_of(status, NOW)
    assert notice is not None
    assert (notice.tone, notice.offer) == (tone, offer)
    assert words in notice.text


def test_a_hosts_words_are_harmless() -> None:
    """A reason may hold anything."""
    reason = Reason("banned", {"reason": "a\u202eb"})
    for notice in (notice_of(Status(Link.REFUSED, reason), NOW), notice_of_delay(reason)):
        assert notice is not None
        assert "\u202e" not in notice.text


def test_what_ends_by_itself() -> None:
    """At its end it does not hold any more; what has none always does."""
    assert holds(banned(NOW + 1), NOW)
    assert not holds(banned(NOW), NOW)
    assert holds(Reason("banned"), NOW)
    assert next_end([banned(NOW + 9), banned(NOW + 5), banned(NOW), Reason("lost")], NOW) == 5
    assert next_end([banned(NOW), Reason("lost")], NOW) is None


def test_the_line_beside_a_rooms_name() -> None:
    """Of a room how many there are, of a direct conversation whether the other one is there."""
    overview = Overview("ada")
    overview.load([], {"ada": "Ada", "bob": "Bob"})
    online = Status(Link.ONLINE)
    assert status_line(online, 0, overview, "general", now=0.0) == "2 members · Connected"
    direct = "dm:ada:bob"
    line = status_line(online, 1, overview, direct, now=0.0)
    assert line == "Presence not known · you are connected · 1 message waiting"
    overview.hear_of_people(OnlineListed(frozenset({"bob"})))
    assert status_line(online, 0, overview, direct, now=0.0) == "Online · you are connected"
    connecting = Status(Link.CONNECTING)
    assert status_line(connecting, 0, overview, direct, now=0.0) == "Connecting…"
