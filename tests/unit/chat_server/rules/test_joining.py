"""Who may join: by every rule, with everything that somebody may bring along."""

from __future__ import annotations

import ipaddress
from itertools import product
from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.rules.invites import issue
from chat_server.rules.issued_invites import InviteKind
from chat_server.rules.joining import is_on_this_network, known_rule
from chat_server.rules.view import JoiningChanged
from common.protocol import messages
from tests.unit.chat_server.house import NOW, SECRET, House, all_of, refused, token, told
from tests.unit.chat_server.rules.invitations import add_device, create, reply, result

RULES: Final = get_args(messages.JoinRule)
NEAR: Final = "192.168.1.31"
FAR: Final = "192.0.2.1"
WAYS: Final = ("standing", "link", "code", "knock", "device", "nothing, near", "nothing, far")
RESULTS: Final = {
    "invite_or_ask": "in in in in in invite_needed invite_needed",
    "invite": "in in in in in invite_needed invite_needed",
    "ask": "ask_first ask_first ask_first in in invite_needed invite_needed",
    "open": "in in in in in in invite_needed",
}
"""What comes of each of WAYS."""


def test_the_table_has_every_rule() -> None:
    """And every kind of invite."""
    assert set(RESULTS) == set(RULES)
    assert set(InviteKind) <= set(WAYS)


@pytest.mark.parametrize(("rule", "way"), [*product(RULES, WAYS)])
def test_who_may_join(house: House, rule: messages.JoinRule, way: str) -> None:
    """Whatever they bring, and wherever they come from."""
    host = house.host()
    house.join("bob")
    secret: str | None = SECRET
    name = "ada"
    if way == "link":
        secret = create(house, host)[1].secret
    elif way == "device":
        name, secret = "bob", add_device(house, host, "bob")[1].secret
    elif way in {"code", "knock"}:
        with house.log.transaction():
            _, secret = issue(house.world, InviteKind(way), NOW, most_uses=1)
        house.world.directory.commit()
    elif way.startswith("nothing"):
        secret = None
    house.do(host, messages.SetJoining(id=1, rule=rule, moderators_invite=False))
    code = dict(zip(WAYS, RESULTS[rule].split(), strict=True))[way]
    address = FAR if way.endswith("far") else NEAR
    assert result(house, name, secret, token=token("new"), address=address) == code


@pytest.mark.parametrize("rule", RULES)
def test_who_is_in_stays_in(house: House, rule: messages.JoinRule) -> None:
    """By signing in, or a join that is repeated."""
    house.join("bob")
    house.do(house.host(), messages.SetJoining(id=1, rule=rule, moderators_invite=False))
    session, _ = house.sign_in("bob")
    assert session.username == "bob"
    assert result(house, "bob", None) == "in"


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_told_and_stays(house: House, rule: messages.JoinRule) -> None:
    """In each welcome from then on, to the host, and after a restart."""
    host = house.host()
    outcome = house.do(host, messages.SetJoining(id=1, rule=rule, moderators_invite=True))
    assert messages.Done(re=1) in told(outcome, host)
    assert all_of(outcome, JoiningChanged) == [JoiningChanged(rule, moderators_invite=True, at=NOW)]
    hello = messages.Hello(id=1, protocol=2, program="P")
    welcome = reply(house, house.connect(), hello, messages.Welcome)
    joining = reply(house, host, messages.AskJoining(id=2), messages.Joining)
    assert (welcome.joining, joining.rule, joining.moderators_invite) == (rule, rule, True)
    with house.log.transaction():
        assert known_rule(house.log.meta("join_rule", "")) == rule
        assert house.log.meta("moderators_invite", "") == "yes"


def test_a_chat_is_not_open_by_itself(house: House) -> None:
    """Somebody has to want that."""
    welcome = reply(
        house, house.connect(), messages.Hello(id=1, protocol=2, program="P"), messages.Welcome
    )
    assert welcome.joining == "invite_or_ask"
    assert not house.world.facts.moderators_invite


def test_an_unknown_rule_is_the_strictest() -> None:
    """A newer version of the program may have written one that is stricter still."""
    assert known_rule("by_moonlight") == "ask"
    assert [known_rule(rule) for rule in RULES] == list(RULES)


def test_moderators_may_ask_for_the_rule(house: House) -> None:
    """Their ChatClient shows whether they may invite; they can't change it."""
    house.join("mia")
    house.do(house.host(), messages.SetRole(id=1, username="mia", role="moderator"))
    mia, _ = house.sign_in("mia")
    joining = reply(house, mia, messages.AskJoining(id=2), messages.Joining)
    assert joining == messages.Joining(re=2, rule="invite_or_ask", moderators_invite=False)
    command = messages.SetJoining(id=3, rule="open", moderators_invite=True)
    assert refused(house.do(mia, command), mia).code == "not_allowed"


@pytest.mark.parametrize(
    ("address", "near"),
    [
        *((each, True) for each in ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1")),
        *((each, True) for each in ("169.254.7.7", "127.0.0.1", "::1", "fe80::1", "fd00::7")),
        ("fe80::1%eth0", True),
        ("febf::1", True),
        *((each, False) for each in ("172.15.0.1", "172.32.0.1", "192.169.0.1", "11.0.0.1")),
        *((each, False) for each in ("8.8.8.8", "192.0.2.1", "100.64.0.1", "0.0.0.0", "::")),  # noqa: S104 (not bound)
        *((each, False) for each in ("2001:db8::1", "2a00::1", "fec0::1", "ff02::1")),
        *((each, False) for each in ("", "this computer", "localhost", "10.0.0.1.example")),
    ],
)
def test_what_is_of_this_network(address: str, near: bool) -> None:
    """Private, link-local and loopback addresses, and no others."""
    assert is_on_this_network(address) is near


@given(st.ip_addresses() | st.text(max_size=40))
def test_any_address_is_near_or_not(address: ipaddress.IPv4Address | str) -> None:
    """Whatever it is: and nothing that the internet routes is near."""
    near = is_on_this_network(str(address))
    if near:
        assert not ipaddress.ip_address(str(address)).is_global
