"""A device that its chat does not know any more comes back into it, as the same person."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat_client.state.news import StatusChanged
from chat_client.state.status import Link, Status
from chat_client.window.join.screen import JoinScreen
from chat_client.window.join.ways import Way
from common.domain.invite import parse_invite
from common.domain.reasons import Reason
from common.domain.sign import sign_of
from common.protocol import messages
from tests.gui.client.guest import code_of, way
from tests.gui.harness import Host, Town, Window

ADA = "ada.lindqvist"


def sign_out(host: Host) -> None:
    """The host signs out all devices of Ada."""
    listed = host.ask(lambda re: messages.ListDevices(id=re, username=ADA))
    assert isinstance(listed, messages.Devices)
    for each in listed.devices:
        device = each.device
        host.ask(lambda re, d=device: messages.RemoveDevice(id=re, username=ADA, device=d))  # type: ignore[misc]  # mypy can't infer the lambda


def link_for(host: Host) -> str:
    """A link for one more device of Ada's."""
    made = host.ask(lambda re: messages.AddDevice(id=re, username=ADA))
    assert isinstance(made, messages.InviteCreated)
    return made.link


def head(window: Window) -> tuple[str, str]:
    """The heading of the join screen."""
    heading = window.join.column.heading
    return str(heading.title.cget("text")), str(heading.under.cget("text"))


def signed_out(window: Window, host: Host) -> None:
    """Ada is in her chat, and then this device is not any more: she sees why, and where."""
    window.say("before")
    window.wait(lambda: window.main.connection.waiting == 0, "the message")
    sign_out(host)
    window.wait(lambda: not window.is_main, "the join screen")
    assert_at_its_chat(window, host)
    assert window.problem.startswith("This device was signed out; come back with a link")


def assert_at_its_chat(window: Window, host: Host) -> None:
    """What is shown is the way back into this very chat, and not a list of all."""
    assert way(window) is Way.LINK
    title, under = head(window)
    sign = sign_of(host.invite.fingerprint or b"")
    assert title == "Harbour Team"
    assert under == f"{sign.words} · to come back as @{ADA}"
    others = window.join.column.actions.others
    assert [*others] == [Way.CODE], "asking would make somebody new"
    assert window.join.column.link.link.winfo_manager()
    assert not window.join.column.names.name.winfo_manager(), "who one is, is known"


def press_offer(window: Window) -> None:
    """Press what the banner offers, which is gone with the screen then."""
    window.key("<Return>", window.main.banner._action)


def by_banner(window: Window) -> None:
    """Open the chat from the list, and press what its banner offers."""
    (account,) = window.screens._accounts.all()
    window.click_row(window.join.list.rows, account.key)
    window.wait(lambda: window.is_main and window.banner, "the banner")
    assert "not known here as ada.lindqvist; come back with a link" in window.banner
    assert str(window.main.banner._action.cget("text")) == "Join again"
    press_offer(window)
    window.wait(lambda: not window.is_main, "the join screen")


def by_link(window: Window, host: Host) -> None:
    """Paste the link that was made for it."""
    window.paste(link_for(host), window.join.column.link.link.entry)
    assert head(window)[1].endswith(f"for one more device of @{ADA}")
    window.key("<Return>", window.join.column.link.link.entry)


def by_code(window: Window, host: Host) -> None:
    """Type the code that the host reads out."""
    code = code_of(host, ADA).replace("-", "")
    window.turn(Way.CODE)
    assert head(window)[1].endswith(f"to come back as @{ADA}")
    window.type(code.lower(), window.join.column.code.slots)
    window.key("<Return>")


@pytest.mark.parametrize("come_back", [by_link, by_code])
@pytest.mark.parametrize("restarted", [False, True])
def test_whoever_was_signed_out_comes_back(
    ada: Window, host: Host, come_back: Callable[[Window, Host], None], restarted: bool
) -> None:
    """At once, or after the chat was opened to read what is there; all of it stays."""
    signed_out(ada, host)
    if restarted:
        by_banner(ada)
        assert_at_its_chat(ada, host)
        assert "not known here as ada.lindqvist" in ada.problem
    come_back(ada, host)
    ada.online()
    assert ada.main.overview.me == ADA
    assert "before" in ada.lines
    assert len(ada.screens._accounts.all()) == 1


def test_a_link_for_newcomers_says_which_one_it_takes(ada: Window, host: Host) -> None:
    """The screen stays where it is; the account too. Under another name one is somebody new."""
    signed_out(ada, host)
    made = host.ask(lambda re: messages.CreateInvite(id=re))
    assert isinstance(made, messages.InviteCreated)
    ada.paste(made.link, ada.join.column.link.link.entry)
    assert ada.join.column.names.name.value == "Ada Lindqvist"
    screen = ada.join
    ada.key("<Return>", ada.join.column.names.name.entry)
    ada.wait(lambda: "is for newcomers" in ada.problem, "why not")
    assert ada.screens.screen is screen
    assert f"{ADA} is somebody here already" in ada.problem
    assert [each.joined for each in ada.screens._accounts.all()] == [True]
    ada.join.column.names.username.value = "ada2"
    ada.key("<Return>", ada.join.column.names.username.entry)
    ada.online()
    assert ada.main.overview.me == "ada2"
    assert len(ada.screens._accounts.all()) == 2


def test_the_way_back_survives_another_size_of_text(ada: Window, host: Host) -> None:
    """And ends when somebody turns to something else."""
    signed_out(ada, host)
    ada.screens.settings.set("looks", "text_size", value=125)
    ada.settle()
    assert isinstance(ada.screens.screen, JoinScreen)
    assert_at_its_chat(ada, host)
    assert "was signed out" in ada.problem
    ada.turn(Way.CODE)
    ada.key("<Escape>")
    assert way(ada) is Way.SEARCH
    ada.click(ada.join.column.actions.others[Way.LINK])
    assert head(ada)[0] == "Join with an invite"


def test_another_server_is_come_back_to_by_a_link_only(ada: Window) -> None:
    """Its code would be another one's; what is known of the chat is shown all the same."""
    ada.main.apply([StatusChanged(Status(Link.REFUSED, Reason("wrong_server")), 0)])
    press_offer(ada)
    ada.wait(lambda: not ada.is_main, "the join screen")
    assert head(ada)[0] == "Harbour Team"
    assert "ask for the new invite" in ada.problem
    assert [*ada.join.column.actions.others] == [Way.SEARCH]


def test_an_account_whose_core_has_ended_is_opened_anew(ada: Window) -> None:
    """There is nothing to join: it is started again where it was."""
    core = ada.main._session.core
    ada.main.apply(
        [StatusChanged(Status(Link.REFUSED, Reason("internal_error", {"cause": "x"})), 0)]
    )
    assert str(ada.main.banner._action.cget("text")) == "Open it again"
    press_offer(ada)
    ada.online()
    assert ada.main._session.core is not core


def test_a_second_device_knows_nothing_of_that(town: Town, ada: Window, host: Host) -> None:
    """A link for a device that is in the chat joins as before, from a screen of its own."""
    window = town.window()
    window.join.take(parse_invite(link_for(host)))
    window.join.join()
    window.online()
    assert window.main.overview.me == ADA
    assert ada.link is Link.ONLINE
