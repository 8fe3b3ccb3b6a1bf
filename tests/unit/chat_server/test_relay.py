"""Somebody in the middle, with a certificate of their own, by the two ends' real protocol.

Without a network, so that there can be many of them; with one it is tests/process/test_relay.py.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from chat_client.state.joining import Connected, Digits, JoinProtocol, Refused, RefusedCodes
from chat_server.rules.sessions import Session
from chat_server.rules.view import ClientRefused, KnockArrived
from chat_server.rules.world import Outcome
from chat_server.x25519 import x25519
from common.protocol import messages
from common.protocol.codec import ServerEnd, Violation
from common.protocol.joining_proofs import NONCE_BYTES, commitment, knock_digits
from tests.unit.chat_server.house import FINGERPRINT, House, all_of, told
from tests.unit.joining_wire import ADA, PLACE, PROGRAM, Wire

RELAY: Final = bytes(reversed(range(32)))
"""The fingerprint of the one in the middle."""
KNOCKS: Final = 1000
MOST_EQUAL: Final = 6
"""Of 1,000 pairs of four digits, 0.1 are equal on average; more than 6 of them once in 10^12."""


@pytest.fixture
def visits(house: House) -> Iterator[tuple[str, str]]:
    """Addresses and installations, each once: no limit is in the way; and a minute for each."""

    def all_visits() -> Iterator[tuple[str, str]]:
        for number in itertools.count():
            house.now += 60_000
            yield f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", f"{number:032x}"

    return all_visits()


class Active:
    """One in the middle who speaks for itself on both sides, and sees what both say.

    It wants the same digits on both screens; `host` is its own conversation with the server.
    """

    def __init__(self, house: House, address: str, installation: str) -> None:
        self.house = house
        self.session: Session = house.connect(address)
        self.installation = installation
        self.arrived: list[KnockArrived] = []

    def knock(self) -> str:
        """Ask the server under the guest's name: the digits that the host sees."""
        knock = messages.Knock(
            id=1,
            username="ada",
            display_name="Ada",
            device="Linux",
            installation=self.installation,
        )
        assert isinstance(self._told(self.house.do(self.session, knock)), messages.KnockCommitted)
        nonce = secrets.token_bytes(NONCE_BYTES)
        outcome = self.house.do(self.session, messages.KnockOpen(id=2, nonce=nonce.hex()))
        shown = self._told(outcome)
        assert isinstance(shown, messages.KnockShown)
        self.arrived += all_of(outcome, KnockArrived)
        return knock_digits(FINGERPRINT, nonce, bytes.fromhex(shown.nonce))

    def withdraw(self) -> None:
        """The digits were not the right ones."""
        self.house.do(self.session, messages.Withdraw(id=3))

    def _told(self, outcome: Outcome) -> object:
        return told(outcome, self.session)[0]


class Pretended:
    """The guest's side of one in the middle: it plays the server."""

    def __init__(self) -> None:
        self.news: list[object] = []
        self.end = ServerEnd()
        self.joining = _joining(self.news)
        self.joining.connected(RELAY, 0)
        self._say(
            messages.Welcome(
                re=self._heard().id, protocol=2, program="P", server_name="Home", epoch="0" * 32
            )
        )
        self.joining.knock(ADA)
        self.number = self._heard().id
        self.nonce = secrets.token_bytes(NONCE_BYTES)

    def commit(self) -> bytes:
        """Be bound to a nonce, which is how one learns the guest's."""
        self._say(messages.KnockCommitted(re=self.number, commitment=commitment(self.nonce).hex()))
        opened = self._heard()
        assert isinstance(opened, messages.KnockOpen)
        self.number = opened.id
        return bytes.fromhex(opened.nonce)

    def show(self) -> str:
        """Tell one's own: the digits that the guest sees."""
        self._say(messages.KnockShown(re=self.number, nonce=self.nonce.hex()))
        (digits,) = [each.digits for each in self.news if isinstance(each, Digits)]
        return digits

    def _say(self, message: messages.ToClient) -> None:
        self.joining.received(self.end.send(message), 0)

    def _heard(self) -> messages.ToServer:
        (command,) = self.end.receive(self.joining.take_frames())
        assert not isinstance(command, Violation)
        return command


def _joining(news: list[object]) -> JoinProtocol:
    return JoinProtocol(PLACE, PROGRAM, lambda _: "7" * 32, RefusedCodes(), news.append)


def relayed(house: House, address: str, installation: str) -> tuple[str, str]:
    """All bytes go through as they are: what the guest sees, and what the host."""
    wire = Wire(house, sees=RELAY, address=address, installation=installation)
    wire.knock()
    (arrived,) = wire.arrived
    wire.withdraw()
    return wire.digits, arrived.digits


def host_first(house: House, address: str, installation: str) -> tuple[str, str]:
    """The host's digits are known before the guest's are chosen."""
    active = Active(house, address, installation)
    hosts = active.knock()
    guest = Pretended()
    guest.commit()
    active.withdraw()
    return guest.show(), hosts


def guest_first(house: House, address: str, installation: str) -> tuple[str, str]:
    """The guest's nonce is known before the server is told one."""
    guest = Pretended()
    nonce = guest.commit()
    mine = knock_digits(RELAY, nonce, guest.nonce)
    active = Active(house, address, installation)
    hosts = active.knock()
    active.withdraw()
    assert guest.show() == mine
    return mine, hosts


@pytest.mark.parametrize("strategy", [relayed, host_first, guest_first])
def test_digits_are_equal_no_more_often_than_chance_has_it(
    house: House,
    visits: Iterator[tuple[str, str]],
    strategy: Callable[[House, str, str], tuple[str, str]],
) -> None:
    """In whatever order it goes about it: a person who compares finds the one in the middle."""
    pairs = [
        strategy(house, address, installation)
        for (address, installation), _ in zip(visits, range(KNOCKS), strict=False)
    ]
    assert sum(guests == hosts for guests, hosts in pairs) <= MOST_EQUAL
    # And both are digits that anybody may get: of 1,000 of 10,000 some 48 come twice.
    for side in zip(*pairs, strict=True):
        assert len(set(side)) > KNOCKS - 120


def test_without_anybody_in_the_middle_digits_are_equal(
    house: House, visits: Iterator[tuple[str, str]]
) -> None:
    """Always: the test above would pass with any digits."""
    for (address, installation), _ in zip(visits, range(100), strict=False):
        wire = Wire(house, address=address, installation=installation)
        wire.knock()
        (arrived,) = wire.arrived
        assert wire.digits == arrived.digits
        wire.withdraw()


def test_every_chance_of_a_relay_is_one_that_the_host_sees(
    house: House, visits: Iterator[tuple[str, str]]
) -> None:
    """It can't ask for nonces until the digits are equal, and show only these."""
    guest = Pretended()
    wanted = knock_digits(RELAY, guest.commit(), guest.nonce)
    tries = 0
    seen: list[KnockArrived] = []
    for (address, installation), _ in zip(visits, range(300), strict=False):
        active = Active(house, address, installation)
        equal = active.knock() == wanted
        tries += 1
        seen += active.arrived
        if equal:
            break
        active.withdraw()
    assert len(seen) == tries


def test_before_the_host_sees_it_nothing_is_told_of_the_digits(house: House) -> None:
    """A commitment is all that whoever gives up then has: another one each time."""
    commitments = set()
    for number in range(50):
        session = house.connect(f"10.0.0.{number + 1}")
        knock = messages.Knock(
            id=1, username="ada", display_name="Ada", device="Linux", installation=f"{number:032x}"
        )
        outcome = house.do(session, knock)
        (committed,) = told(outcome, session)
        assert isinstance(committed, messages.KnockCommitted)
        assert all_of(outcome, KnockArrived) == []
        commitments.add(committed.commitment)
    assert len(commitments) == 50


def test_the_right_code_by_way_of_a_relay_costs_it_one_guess(
    house: House, visits: Iterator[tuple[str, str]]
) -> None:
    """Over 90 runs nobody is invited, no secret passes it, and each is one wrong code."""
    house.world.multiply = x25519
    host = house.host()
    (shown,) = told(house.do(host, messages.ShowCode(id=house.request())), host)
    assert isinstance(shown, messages.ShownCode)
    live = house.world.codes.live(house.now)
    assert live is not None
    for (address, _), run in zip(visits, range(90), strict=False):
        wire = Wire(house, sees=RELAY, address=address)
        wire.code(shown.code)
        refused = wire.news[-1]
        assert isinstance(wire.news[0], Connected)
        assert isinstance(refused, Refused)
        assert refused.reason.code == "bad_code"
        assert live.wrong == run + 1
        passed = wire.up + wire.down
        assert b'"secret"' not in passed
        assert shown.code.encode() not in passed
    assert not list(house.world.directory.invites)[1:], "no invite but the standing one"


def test_the_host_is_told_of_each(house: House) -> None:
    """Somebody at that address had a wrong code."""
    wire = Wire(house, sees=RELAY)
    host = house.host()
    (shown,) = told(house.do(host, messages.ShowCode(id=house.request())), host)
    assert isinstance(shown, messages.ShownCode)
    told_host: list[ClientRefused] = []
    follow = wire.follow

    def noted(outcome: Outcome) -> None:
        told_host.extend(all_of(outcome, ClientRefused))
        follow(outcome)

    wire.follow = noted  # type: ignore[method-assign]  # what the window would get
    wire.code(shown.code)
    assert [(each.address, each.code) for each in told_host] == [("192.0.2.1", "bad_code")]
