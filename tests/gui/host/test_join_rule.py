"""Who may join, and how the host's window tells them to."""

from __future__ import annotations

import pytest

from chat_server.window.hero import how_to_join
from chat_server.window.joining_settings import JoiningPage
from chat_server.window.presenter import Presenter
from common.protocol import messages
from tests.gui.host.conftest import Host
from tests.gui.host.joining import go, guest
from tests.gui.host.test_moderation import RUNNING
from tests.gui.layout import faults


@pytest.mark.parametrize(
    ("rule", "listed", "said"),
    [
        ("", True, "choose “Harbour” and press “Ask to join”. Or paste this link."),
        ("ask", True, "choose “Harbour” and press “Ask to join”."),
        ("open", True, "choose “Harbour” and press “Join”. Or paste this link."),
        ("invite", True, "choose “Harbour” and type a code. Or paste this link."),
        ("ask", False, "type that below and press “Ask to join”."),
    ],
)
def test_the_page_says_how_people_join(rule: str, listed: bool, said: str) -> None:
    """By the rule, and by whether the chat is found on the network."""
    presenter = Presenter("Harbour", listed=listed)
    presenter.started(RUNNING, 0)
    presenter.joining.rule_is(rule, moderators_invite=False)
    assert how_to_join(presenter.view(0)).endswith(said.replace("Harbour", RUNNING.name))


def settings_page(host: Host) -> JoiningPage:
    """The page "Joining" of the settings."""
    host.app.show_settings()
    settings = host.app.settings_window
    assert settings is not None
    settings.show("Joining")
    host.wait(settings.page.winfo_viewable, "the page")
    assert isinstance(settings.page, JoiningPage)
    return settings.page


def test_the_rule_is_chosen_in_the_settings(host: Host) -> None:
    """It holds for who comes from then on; the page of nobody being there says how."""
    page = settings_page(host)
    host.wait(lambda: page.rules.value == "invite_or_ask", "the rule")
    for rule in ("open", "ask", "invite"):
        host.click(page.rules.buttons[rule])
        host.wait(lambda rule=rule: host.app.presenter.joining.who_may_join[0] == rule, rule)  # type: ignore[misc]
        assert guest(host, "ada").rule == rule
        assert page.rules.value == rule
    host.key(page.rules.buttons["invite"], "<Up>")
    host.wait(lambda: host.app.presenter.joining.who_may_join[0] == "invite_or_ask", "the key")
    host.click(page.moderators.switch)
    host.wait(lambda: host.app.presenter.joining.who_may_join[1], "moderators")


def test_a_rule_that_is_set_elsewhere_is_shown(host: Host) -> None:
    """By another session of the host."""
    page = settings_page(host)
    host.wait(lambda: page.rules.value == "invite_or_ask", "the rule")
    host.app.server_thread.ask(
        lambda number: messages.SetJoining(id=number, rule="ask", moderators_invite=False),
        lambda _: None,
    )
    host.wait(lambda: page.rules.value == "ask", "the other rule")
    invite = host.app.frame.invite
    host.wait(lambda: not invite.show_code.winfo_manager(), "the button of the code to go")
    assert "lets nobody in now" in invite._care.cget("text")
    host.app.controller.joining.actions.set_rule("invite", False)
    host.wait(lambda: "Anyone who has this link" in invite._care.cget("text"), "the usual words")


def test_invites_that_let_nobody_in_are_marked_as_such(host: Host) -> None:
    """Where everybody new has to ask, a link that is valid is of no use to them."""
    page = go(host)
    assert not page.paused.winfo_manager()
    for rule, marked in (("ask", True), ("invite", False)):
        host.app.controller.joining.actions.set_rule(rule, False)
        host.wait(lambda marked=marked: page.paused.winfo_ismapped() == marked, rule)  # type: ignore[misc]
        host.wait(lambda: not faults(host.root), lambda: str(faults(host.root)))


def test_without_a_server_nothing_can_be_chosen(host: Host) -> None:
    """The rule is stored with the messages."""
    page = settings_page(host)
    host.wait(lambda: page.rules.enabled, "the rule")
    host.app.controller.actions.switch(False)
    host.wait(lambda: not page.rules.enabled, "the stop")
    assert not page.moderators.switch.enabled
    assert page.rules.value == ""


def test_the_sign_of_the_chat_is_beside_its_name(host: Host) -> None:
    """Two words, which guests see as well."""
    sign = host.app.frame.sidebar.name.sign
    host.wait(sign.winfo_viewable, "the sign")
    assert str(sign.cget("text")) == host.app.presenter.view(0).joining.sign_words
