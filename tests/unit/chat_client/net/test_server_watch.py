"""When a server is watched, and when it is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import pytest

from chat_client.net import finder
from chat_client.net.server_watch import SETTLED, Places, ServerWatch
from chat_client.state.discovery import FoundChat
from chat_client.state.status import Link, Status
from common.domain.invite import Invite
from common.domain.reasons import Reason

PIN = b"p" * 32
INVITE = Invite(("10.0.0.5", "127.0.0.1"), 12345, PIN, "s" * 22, "Home")
PAUSED = Status(Link.PAUSED, Reason("unreachable"), retry_at=9.0)
WRONG = Status(Link.REFUSED, Reason("wrong_server"))


class FakeFinder:
    """Stands for the finder."""

    made: list[FakeFinder]

    def __init__(
        self,
        tell: Callable[[Sequence[FoundChat]], object],
        known: Sequence[bytes],
        *,
        interval: float,
        asks: bool,
        changed: Callable[[], object],
    ) -> None:
        assert known == [PIN]
        assert interval > 5.0
        self.tell, self.changed = tell, changed
        self.asks = asks
        self.running = False
        self.made.append(self)

    def start(self) -> None:
        """See Finder."""
        self.running = True

    def ask(self, asks: bool) -> None:
        """See Finder."""
        self.asks = asks

    def stop(self) -> None:
        """See Finder."""
        self.running = False


@pytest.fixture
def found() -> list[Places]:
    """What was told."""
    return []


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch, found: list[Places]) -> Iterator[ServerWatch]:
    """A watch over a finder that does nothing."""
    FakeFinder.made = []
    monkeypatch.setattr(finder, "Finder", FakeFinder)
    made = ServerWatch(found.append, lambda: found.append(()))
    yield made
    made.stop()


def running() -> list[FakeFinder]:
    """The finders that run."""
    return [each for each in FakeFinder.made if each.running]


def test_it_begins_when_no_connection_can_be_made(watch: ServerWatch) -> None:
    """And asks until there is one, then it only listens."""
    watch.follow(INVITE, Status(Link.CONNECTING), 0.0)
    assert running() == []
    watch.follow(INVITE, PAUSED, 1.0)
    (one,) = running()
    asked = [one.asks]
    for status in (Status(Link.CONNECTING), Status(Link.ONLINE), PAUSED):
        watch.follow(INVITE, status, 2.0)
        assert running() == [one]
        asked.append(one.asks)
    assert asked == [True, True, False, True]


def test_a_command_that_is_soon_over_watches_nothing(watch: ServerWatch) -> None:
    """A connection that lasts is watched, without a question."""
    watch.follow(INVITE, Status(Link.CONNECTING), 0.0)
    watch.follow(INVITE, Status(Link.ONLINE), 1.0)
    watch.follow(INVITE, Status(Link.ONLINE), 1.0 + SETTLED / 2)
    assert running() == []
    assert watch.deadline() == 1.0 + SETTLED
    watch.follow(INVITE, Status(Link.ONLINE), 1.0 + SETTLED)
    (one,) = running()
    assert not one.asks
    assert watch.deadline() == math.inf


def test_an_attempt_that_takes_long_is_reason_enough(watch: ServerWatch) -> None:
    """An address that does not answer is given up after seconds only."""
    watch.follow(INVITE, Status(Link.CONNECTING), 7.0)
    assert watch.deadline() == 7.0 + SETTLED
    watch.follow(INVITE, Status(Link.CONNECTING), 7.0 + SETTLED)
    (one,) = running()
    assert one.asks


def test_another_server_in_its_place_is_a_reason_to_look(watch: ServerWatch) -> None:
    """Any other end is none."""
    watch.follow(INVITE, WRONG, 0.0)
    assert len(running()) == 1
    for link, code in (
        (Link.REFUSED, "banned"),
        (Link.SIGNED_OUT, "terminated"),
        (Link.STOPPED, "given_up"),
    ):
        watch.follow(INVITE, PAUSED, 1.0)
        assert len(running()) == 1
        watch.follow(INVITE, Status(link, Reason(code)), 2.0)
        assert running() == []


@pytest.mark.parametrize(
    "invite",
    [
        Invite(("127.0.0.1", "::1"), 12345, PIN, "s" * 22, "Home"),
        Invite(("127.0.0.1",), 12345, None, "s" * 22, "Home"),
    ],
)
def test_a_server_for_this_computer_alone_is_not_looked_for(
    watch: ServerWatch, invite: Invite
) -> None:
    """It can't be elsewhere."""
    for status in (PAUSED, Status(Link.ONLINE), WRONG):
        for now in (0.0, 100.0):
            watch.follow(invite, status, now)
    assert running() == []


def test_only_its_own_server_is_told_of(watch: ServerWatch, found: list[Places]) -> None:
    """With all places at once, and only when they change."""
    watch.follow(INVITE, PAUSED, 0.0)
    (one,) = running()
    place = ("10.0.0.9", 12345)
    other = FoundChat(b"o" * 32, "Home", ("10.0.0.8",), 1, 0.0, (("10.0.0.8", 1),))
    own = FoundChat(PIN, "Home", ("10.0.0.9",), 12345, 0.0, (place,))
    one.tell([other])
    one.tell([other, own])
    one.tell([own, other])
    one.tell([other])
    assert found == [(place,), ()]
