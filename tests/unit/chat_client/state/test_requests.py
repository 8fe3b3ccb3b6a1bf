"""Devices and invites as a client asks for them: now or not at all, and told what came of it."""

from __future__ import annotations

import pytest

from chat_client.state import news
from chat_client.state.request import (
    AddDevice,
    CreateInvite,
    DeleteMe,
    RemoveDevice,
    RenameMe,
    Request,
    RevokeInvite,
)
from chat_client.state.requester import MOST_PAGES
from chat_client.state.status import Link
from common.domain.reasons import Reason
from common.protocol import messages
from tests.unit.chat_client.desk import Desk, only

DEVICE = "0123456789abcdef"
WEEK = 7 * 24 * 3600 * 1000
COMMANDS: dict[Request, messages.Command] = {
    CreateInvite(): messages.CreateInvite(id=1, expires_in=WEEK),
    CreateInvite("moderator", 3, None, "Cousins"): messages.CreateInvite(
        id=1, role="moderator", uses=3, expires_in=None, note="Cousins"
    ),
    AddDevice(): messages.AddDevice(id=1),
    RevokeInvite(4): messages.RevokeInvite(id=1, number=4),
    RenameMe("Ada L."): messages.RenameMe(id=1, display_name="Ada L."),
    DeleteMe("remove"): messages.DeleteMe(id=1, messages="remove"),
    RemoveDevice(DEVICE): messages.RemoveDevice(id=1, device=DEVICE),
}
LISTS: dict[str, tuple[type[messages.Command], news.News]] = {
    "devices": (messages.ListDevices, news.DevicesListed(None, Reason("x"))),
    "invites": (messages.ListInvites, news.InvitesListed(None, Reason("x"))),
    "joining": (
        messages.AskJoining,
        news.JoiningTold("", moderators_invite=False, why=Reason("x")),
    ),
}


@pytest.fixture
def desk() -> Desk:
    """A client that is online."""
    desk = Desk()
    desk.go_online(general=0)
    return desk


def ask(desk: Desk, what: str) -> list[messages.ToServer]:
    """Ask for one of the lists."""
    controller = desk.controller
    asks = {
        "devices": controller.list_devices,
        "invites": controller.list_invites,
        "joining": controller.ask_joining,
    }
    return list(desk.step(asks[what]))


def listed(desk: Desk) -> list[news.News]:
    """What the front end was told of lists."""
    kinds = news.DevicesListed | news.InvitesListed | news.JoiningTold
    return [each for each in desk.news if isinstance(each, kinds)]


def invite(number: int) -> messages.InviteFacts:
    """An invite as the server lists it."""
    return messages.InviteFacts(
        number=number, kind="link", by="ada", role="member", username=None, note="",
        created=5, expires=None, uses=0, most_uses=None, ended=None,
    )  # fmt: skip


def page(asked: messages.ListInvites, *numbers: int, more: bool) -> messages.Invites:
    """A page of invites."""
    return messages.Invites(re=asked.id, invites=tuple(map(invite, numbers)), more=more)


@pytest.mark.parametrize("what", COMMANDS, ids=repr)
def test_each_request_is_sent_and_told_when_it_is_done(desk: Desk, what: Request) -> None:
    """With everything that belongs to it; where an invite was made, with its link."""
    (sent,) = desk.step(lambda: desk.controller.request(what))
    assert sent.model_copy(update={"id": 1}) == COMMANDS[what]
    assert desk.told(news.Requested) == []
    if isinstance(what, CreateInvite | AddDevice):
        desk.hear(messages.InviteCreated(re=sent.id, number=4, link="chat://x", expires=9))
        assert desk.told(news.Requested) == [news.Requested(what, None, "chat://x", 9, 4)]
    else:
        desk.hear(messages.Done(re=sent.id))
        assert desk.told(news.Requested) == [news.Requested(what, None)]


@pytest.mark.parametrize("what", COMMANDS, ids=repr)
@pytest.mark.parametrize("retryable", [True, False])
def test_a_refused_request_is_told_and_changes_nothing_else(
    desk: Desk, what: Request, retryable: bool
) -> None:
    """With when it may be tried again, which is the person's to do."""
    (sent,) = desk.step(lambda: desk.controller.request(what))
    refusal = messages.Error(
        re=sent.id, code="moon_phase", params={"a": "b"}, retryable=retryable, retry_after=4200
    )
    assert desk.hear(refusal) == []
    again = {"again": 5} if retryable else {}
    reason = Reason("moon_phase", {"a": "b", **again})
    assert desk.told(news.Requested) == [news.Requested(what, reason)]
    assert desk.controller.status.link is Link.ONLINE


def test_without_a_connection_no_request_is_kept_for_later(desk: Desk) -> None:
    """What was under way when it broke off, and what is asked for after that."""
    desk.step(lambda: desk.controller.request(AddDevice()))
    desk.lose()
    desk.step(lambda: desk.controller.request(AddDevice()))
    assert desk.told(news.Requested) == [
        news.Requested(AddDevice(), Reason("unanswered")),
        news.Requested(AddDevice(), Reason("lost")),
    ]
    desk.wait(30)
    asked = desk.go_online(general=0)
    assert not [each for each in asked if isinstance(each, messages.AddDevice)]


def test_an_invite_that_nobody_asked_for_is_a_fault(desk: Desk) -> None:
    """Whatever it claims to answer."""
    (sent,) = desk.step(lambda: desk.controller.request(RevokeInvite(1)))
    desk.hear(messages.InviteCreated(re=sent.id, number=4, link="chat://x", expires=9))
    assert desk.controller.status.code == "unasked_answer"


@pytest.mark.parametrize("what", LISTS)
def test_a_list_is_refused_or_lost_with_a_reason(desk: Desk, what: str) -> None:
    """The connection stays; and without one the answer comes at once."""
    kind, told = LISTS[what]
    (sent,) = ask(desk, what)
    assert isinstance(sent, kind)
    desk.hear(messages.Error(re=sent.id, code="x", params={}, retryable=False))
    assert listed(desk) == [told]
    assert desk.controller.status.link is Link.ONLINE
    ask(desk, what)
    desk.lose()
    assert ask(desk, what) == []
    why = [getattr(each, "why", None) for each in listed(desk)]
    assert why == [Reason("x"), Reason("lost"), Reason("lost")]


def test_the_devices_are_told(desk: Desk) -> None:
    """Of the last request alone, as the former one's answer may be older."""
    first = only(ask(desk, "devices"), messages.ListDevices)
    second = only(ask(desk, "devices"), messages.ListDevices)
    device = messages.DeviceFacts(
        device=DEVICE, name="Linux", created=1, last_seen=None, current=True, online=True
    )
    desk.hear(messages.Devices(re=first.id, devices=()))
    assert listed(desk) == []
    desk.hear(messages.Devices(re=second.id, devices=(device,)))
    assert listed(desk) == [news.DevicesListed((device,))]


def test_a_device_that_was_added_is_told(desk: Desk) -> None:
    """By its name, as it comes."""
    device = messages.DeviceFacts(
        device=DEVICE, name="Phone", created=1, last_seen=1, current=False, online=True
    )
    assert desk.hear(messages.DeviceAdded(device=device)) == []
    assert desk.told(news.DeviceAdded) == [news.DeviceAdded("Phone")]


def test_who_may_join_is_told(desk: Desk) -> None:
    """Also a rule that this version does not know."""
    asked = only(ask(desk, "joining"), messages.AskJoining)
    desk.hear(messages.Joining(re=asked.id, rule="by_moonlight", moderators_invite=True))
    assert listed(desk) == [news.JoiningTold("by_moonlight", moderators_invite=True)]


def test_the_invites_come_page_by_page(desk: Desk) -> None:
    """Told once, when all are there; a second request starts over."""
    ask(desk, "invites")
    first = only(ask(desk, "invites"), messages.ListInvites)
    second = only(desk.hear(page(first, 9, 8, more=True)), messages.ListInvites)
    assert (first.before, second.before) == (None, 8)
    assert listed(desk) == []
    assert desk.hear(page(second, 7, 0, more=False)) == []
    assert listed(desk) == [news.InvitesListed(tuple(map(invite, (9, 8, 7, 0))))]


@pytest.mark.parametrize("numbers", [(8,), (9,), (0,), ()])
def test_a_list_of_invites_that_does_not_go_down_ends(desk: Desk, numbers: tuple[int, ...]) -> None:
    """A server that always has more is not asked for ever."""
    asked = only(ask(desk, "invites"), messages.ListInvites)
    asked = only(desk.hear(page(asked, 8, more=True)), messages.ListInvites)
    assert desk.hear(page(asked, *numbers, more=True)) == []
    assert len(listed(desk)) == 1


def test_a_list_of_invites_has_a_bound(desk: Desk) -> None:
    """Also where each page goes down."""
    (sent,) = ask(desk, "invites")
    for number in range(10_000, 0, -1):
        assert isinstance(sent, messages.ListInvites)
        sents = desk.hear(page(sent, number, more=True))
        if not sents:
            break
        (sent,) = sents
    assert number == 10_000 - MOST_PAGES + 1
    assert len(listed(desk)) == 1
