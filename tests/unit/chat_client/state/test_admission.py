"""Joining with an invite that is bound to an account, anew after this device was signed out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat_client.cache.cache import Cache
from chat_client.state import news
from chat_client.state.admission import device_name
from chat_client.state.status import Link
from common.domain.invite import Invite
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.messages import ToServer
from tests.unit.chat_client.desk import EPOCH, INVITE, Desk, only

BOUND = replace(INVITE, username="ada")
OLD = "1" * 64
"""The token of a desk's account."""


def greeted(desk: Desk) -> list[ToServer]:
    """Connect and be greeted: what the client says then."""
    hello = only(desk.connect(), messages.Hello)
    return list(
        desk.hear(
            messages.Welcome(re=hello.id, protocol=2, program="S", server_name="Home", epoch=EPOCH)
        )
    )


def refused(asked: messages.Command, code: str) -> messages.Error:
    """The refusal of a command, for good."""
    return messages.Error(re=asked.id, code=code, params={}, retryable=False)


def signed_in(asked: messages.Join | messages.SignIn) -> messages.SignedIn:
    """The server's answer to one who is let in."""
    return messages.SignedIn(
        re=asked.id,
        username="ada",
        display_name="Ada L.",
        session="5" * 32,
        role="member",
        mute=None,
    )


def anew(desk: Desk) -> messages.Join:
    """This device is not known, and joins anew."""
    sign_in = only(greeted(desk), messages.SignIn)
    assert sign_in.token == OLD
    return only(desk.hear(refused(sign_in, "not_recognized")), messages.Join)


def test_a_device_that_was_signed_out_joins_anew() -> None:
    """Under a new token: somebody else may have the old one, who shall not come back with it."""
    desk = Desk(invite=BOUND)
    join = anew(desk)
    assert (join.secret, join.username) == (BOUND.secret, "ada")
    assert join.token != OLD
    assert desk.told(news.AccountChanged) == []
    desk.hear(signed_in(join))
    (told,) = desk.told(news.AccountChanged)
    account = told.account
    assert (account.token, account.joined, account.display_name) == (join.token, True, "Ada L.")
    desk.lose()
    desk.wait(30)
    assert only(greeted(desk), messages.SignIn).token == join.token


def test_a_join_anew_whose_answer_was_lost_is_repeated() -> None:
    """With the same token, in the next run of the program, too: only it is let in again."""
    cache = Cache(None)
    desk = Desk(invite=BOUND, cache=cache)
    first = anew(desk)
    desk.lose()
    desk.wait(30)
    second = anew(desk)
    third = anew(Desk(invite=BOUND, cache=cache))
    assert first.token == second.token == third.token != OLD


def test_each_invite_is_for_one_more_token() -> None:
    """A token of a former invite may be known to somebody by now."""
    cache = Cache(None)
    first = anew(Desk(invite=BOUND, cache=cache))
    other = replace(BOUND, secret="t" * 22)
    assert anew(Desk(invite=other, cache=cache)).token not in {first.token, OLD}


def test_what_the_cache_lost_is_made_anew() -> None:
    """Whatever stands there, a token is a token."""
    cache = Cache(None)
    anew(Desk(invite=BOUND, cache=cache))
    mark = (cache.meta("joined_anew") or "").partition(" ")[0]
    for damaged in (mark, f"{mark} ", f"{mark} {'x' * 64}", f"{mark} {'1' * 63}", "\0", " "):
        cache.set_meta("joined_anew", damaged)
        assert len(bytes.fromhex(anew(Desk(invite=BOUND, cache=cache)).token)) == 32


def test_a_join_anew_that_is_refused_is_not_tried_again() -> None:
    """The account stays as it was: its copies, its token and its outbox."""
    desk = Desk(invite=BOUND)
    join = anew(desk)
    assert desk.hear(refused(join, "invite_used")) == []
    status = desk.controller.status
    assert (status.link, status.code) == (Link.REFUSED, "invite_used")
    assert (desk.controller.account.token, desk.controller.account.joined) == (OLD, True)


def test_a_device_that_is_signed_out_again_needs_another_invite() -> None:
    """Its invite was used, by itself: the reason shown is that the device is not known."""
    desk = Desk(invite=BOUND)
    join = anew(desk)
    desk.hear(signed_in(join))
    desk.hear(messages.Goodbye(code="device_removed", params={}))
    assert desk.controller.status.code == "device_removed"
    desk.step(desk.controller.connect_now)
    sign_in = only(greeted(desk), messages.SignIn)
    assert desk.hear(refused(sign_in, "not_recognized")) == []
    assert desk.controller.status.code == "not_recognized"


@pytest.mark.parametrize("username", ["", "bob"])
def test_an_invite_for_others_adds_no_device(username: str) -> None:
    """One for newcomers is not used up in vain, and one for somebody else not at all."""
    desk = Desk(invite=replace(INVITE, username=username))
    sign_in = only(greeted(desk), messages.SignIn)
    assert desk.hear(refused(sign_in, "not_recognized")) == []
    status = desk.controller.status
    assert (status.link, status.code) == (Link.REFUSED, "not_recognized")


def signed_out(invite: Invite = INVITE) -> Cache:
    """The cache of a device that was in with an invite."""
    cache = Cache(None)
    desk = Desk(invite=invite, cache=cache)
    desk.hear(signed_in(only(greeted(desk), messages.SignIn)))
    return cache


def test_another_invite_for_newcomers_brings_back_whom_the_server_forgot() -> None:
    """Its database may have been lost: the account is made anew, under the same name."""
    other = replace(INVITE, secret="t" * 22)
    desk = Desk(invite=other, cache=signed_out())
    join = anew(desk)
    assert (join.secret, join.username) == (other.secret, "ada")
    desk.hear(signed_in(join))
    (told,) = desk.told(news.AccountChanged)
    assert told.account.token == join.token != OLD


@pytest.mark.parametrize("code", ["name_taken", "name_alike"])
def test_an_invite_for_newcomers_does_not_bring_back_who_was_signed_out(code: str) -> None:
    """It says which one does; and it is tried once."""
    cache = signed_out()
    for _ in range(2):
        desk = Desk(invite=replace(INVITE, secret="t" * 22), cache=cache)
        desk.hear(refused(anew(desk), code))
        status = desk.controller.status
        assert (status.link, status.reason) == (
            Link.REFUSED, Reason("for_newcomers", {"username": "ada"})
        )  # fmt: skip
        again = Desk(invite=replace(INVITE, secret="t" * 22), cache=cache)
        assert again.hear(refused(only(greeted(again), messages.SignIn), "not_recognized")) == []
        assert again.controller.status.code == "not_recognized"
        cache = signed_out()


@pytest.mark.parametrize("code", ["banned", "client_too_old"])
def test_no_device_is_added_for_another_reason(code: str) -> None:
    """Only where the server does not know this one."""
    desk = Desk(invite=BOUND)
    sign_in = only(greeted(desk), messages.SignIn)
    assert desk.hear(refused(sign_in, code)) == []
    assert desk.controller.status.code == code


def test_a_new_device_joins_at_once() -> None:
    """It has no token that could be known."""
    desk = Desk(invite=BOUND, joined=False)
    join = only(greeted(desk), messages.Join)
    assert (join.token, join.secret) == (OLD, BOUND.secret)
    desk.hear(signed_in(join))
    (told,) = desk.told(news.AccountChanged)
    assert (told.account.token, told.account.joined) == (OLD, True)


def test_where_everyone_may_join_no_secret_is_sent() -> None:
    """Null, not an empty one."""
    desk = Desk(invite=replace(INVITE, secret=""), joined=False)
    assert only(greeted(desk), messages.Join).secret is None


@pytest.mark.parametrize(
    ("computer", "name"),
    [
        ("ada-laptop", "ada-laptop (Linux)"),
        ("ada-laptop.home.example", "ada-laptop (Linux)"),
        ("", "Linux"),
        (" \x1b[2J\n", "[2J (Linux)"),
        ("x" * 300, f"{'x' * 40} (Linux)"),
        ("\u202eada", "ada (Linux)"),
    ],
)
def test_a_device_is_called_like_its_computer(
    computer: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that its owner can tell it from others; any name can be sent, whatever is in it."""
    monkeypatch.setattr("sys.platform", "linux")
    assert device_name(computer) == name
    messages.SignIn(id=1, username="ada", token="1" * 64, device=name, installation="2" * 32)
