"""A real one in the middle, with its own certificate, against link, code and request to join.

All of it over TLS and real sockets, by the client's own connections and a whole server.
"""

from __future__ import annotations

import queue
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, Self

import pytest

from chat_client.net import joining as net_joining
from chat_client.net.connector import ConnectError, connect
from chat_client.net.joining import JoinConnection
from chat_client.options import Name
from chat_client.state.attempts import Failure
from chat_client.state.joining import (
    Connected,
    Digits,
    Invited,
    JoiningNews,
    Refused,
    RefusedCodes,
    Waiting,
)
from chat_server.rules import spoken_codes
from chat_server.rules.view import ClientRefused, CodeChanged, KnockArrived, KnockEnded
from common.domain.invite import Place
from common.protocol import messages
from tests.process.hosted import Hosted, hosting
from tests.process.relay import DEADLINE, Relay

RUNS: Final = 100
SECRET: Final = re.compile(rb'"secret"\s*:\s*"')


class Guest:
    """A client that joins, and the news it gets."""

    def __init__(self, place: Place, number: int = 0) -> None:
        self.news: queue.SimpleQueue[JoiningNews] = queue.SimpleQueue()
        self.joining = JoinConnection(place, lambda _: f"{number:032x}", self.news.put)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.joining.close()
        self.joining._thread.join(DEADLINE)
        assert not self.joining._thread.is_alive()

    def next(self, kind: type[JoiningNews]) -> JoiningNews:
        """The next news, which is of this kind."""
        news = self.news.get(timeout=DEADLINE)
        assert isinstance(news, kind), news
        return news

    def digits(self) -> str:
        """What the guest sees, once it waits."""
        digits = self.next(Digits)
        assert isinstance(digits, Digits)
        self.next(Waiting)
        return digits.digits


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    """A running server."""
    with hosting(tmp_path / "host", monkeypatch) as made:
        yield made


@pytest.fixture
def relay(hosted: Hosted, tmp_path: Path) -> Iterator[Relay]:
    """Somebody between the guests and that server."""
    with closing(Relay(tmp_path / "relay", hosted.running.port)) as made:
        assert made.fingerprint != hosted.invite.fingerprint
        yield made


def test_without_anybody_in_between_all_three_ways_lead_in(hosted: Hosted) -> None:
    """A link, a code, and asking: what the tests below say is nothing if these fail."""
    outcome = connect(hosted.invite)
    assert not isinstance(outcome, ConnectError)
    outcome.close()
    with Guest(hosted.place()) as guest:
        connected = guest.next(Connected)
        assert isinstance(connected, Connected)
        assert connected.fingerprint == hosted.invite.fingerprint
        guest.joining.code(hosted.code())
        invited = guest.next(Invited)
        assert isinstance(invited, Invited)
        assert invited.invite.fingerprint == hosted.invite.fingerprint
    with Guest(hosted.place(), 7) as guest:
        guest.next(Connected)
        guest.joining.knock(Name("ada", "Ada"))
        arrived = hosted.next(KnockArrived)
        assert isinstance(arrived, KnockArrived)
        assert guest.digits() == arrived.digits
        hosted.ask(lambda number: messages.Admit(id=number, request=arrived.request))
        invited = guest.next(Invited)
        assert isinstance(invited, Invited)
        assert invited.invite.server_name == connected.server_name
    assert sorted(hosted.issued()) == ["code", "knock"]


def test_a_link_leads_to_no_one_in_the_middle(hosted: Hosted, relay: Relay) -> None:
    """Its certificate is not the pinned one: not a byte is said to it."""
    place = hosted.invite.place
    through = Place(place.hosts, relay.port, place.fingerprint, place.server_name)
    for _ in range(RUNS):
        outcome = connect(through.invite(hosted.invite.secret))
        assert isinstance(outcome, ConnectError)
        assert [each.failure for each in outcome.attempts] == [Failure.WRONG_SERVER]
    assert relay.taken == RUNS
    assert (bytes(relay.up), bytes(relay.down)) == (b"", b"")


def test_the_right_code_costs_one_in_the_middle_a_guess(
    hosted: Hosted, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time: no secret passes, nobody is let in, and the hundredth renews the code."""
    code = hosted.code()
    for run in range(RUNS):
        monkeypatch.setattr(net_joining, "REFUSED_CODES", RefusedCodes())
        with Guest(hosted.place(relay.port), run) as guest:
            connected = guest.next(Connected)
            assert isinstance(connected, Connected)
            assert connected.fingerprint == relay.fingerprint
            guest.joining.code(code)
            refused = guest.next(Refused)
            assert isinstance(refused, Refused)
            assert refused.reason.code == "bad_code"
            event = hosted.next(ClientRefused)
            assert isinstance(event, ClientRefused)
            assert event.code == "bad_code"
    assert RUNS == spoken_codes.MOST_WRONG
    changed = hosted.next(CodeChanged)
    assert isinstance(changed, CodeChanged)
    assert changed.why == "guessed"
    assert hosted.code() != code
    seen = bytes(relay.up + relay.down)
    assert seen.count(b'"code_proof"') == RUNS, "it did see all that was said"
    assert not SECRET.search(seen)
    assert code.encode() not in seen
    assert hosted.issued() == []


def test_who_asks_by_way_of_one_in_the_middle_is_found_out(hosted: Hosted, relay: Relay) -> None:
    """A host who lets in those whose digits are the same lets nobody in, and no secret passes."""
    equal = 0
    for run in range(RUNS):
        with Guest(hosted.place(relay.port), run) as guest:
            guest.next(Connected)
            guest.joining.knock(Name("ada", "Ada"))
            arrived = hosted.next(KnockArrived)
            assert isinstance(arrived, KnockArrived)
            if guest.digits() == arrived.digits:
                equal += 1  # once in 10,000: what a host would do then is not what is tested
                continue
            hosted.deny(arrived.request)
            refused = guest.next(Refused)
            assert isinstance(refused, Refused)
            assert refused.reason.code == "knock_refused"
            hosted.next(KnockEnded)
    assert equal <= 3, "more than that happens once in a billion"
    seen = bytes(relay.up + relay.down)
    assert seen.count(b'"knock_shown"') == RUNS
    assert not SECRET.search(seen)
    assert hosted.issued() == []
