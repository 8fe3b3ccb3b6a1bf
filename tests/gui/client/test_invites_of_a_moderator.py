"""A moderator's invites in ChatClient, with a real server: making, listing and revoking them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat_client.state.news import JoiningTold
from chat_client.window.invites_dialog import InvitesDialog
from common.domain.invite import parse_invite
from common.protocol import messages
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.invite_question import MAKE
from tests.gui.client.guest import set_rule
from tests.gui.client.test_own_account import ADA, answer, ask, has_grab, labels
from tests.gui.harness import Host, Town, Window, texts
from tests.gui.layout import faults


@pytest.fixture
def moderator(town: Town, host: Host) -> Window:
    """The window of a moderator, whom the host lets make invites."""
    set_rule(host, "invite_or_ask")
    ada = town.member(host, "Ada Lindqvist")
    ask(host, lambda n: messages.SetRole(id=n, username=ADA, role="moderator"))
    ada.wait(lambda: "Invite people…" in labels(ada), "the role")
    return ada


def in_invites(window: Window, act: Callable[[InvitesDialog], None]) -> None:
    """Open one's invites, do something there, and close them."""

    def begin(dialog: Dialog) -> None:
        assert isinstance(dialog, InvitesDialog)
        try:
            act(dialog)
        finally:
            dialog.choose("close")

    answer(window, begin)
    window.main.own_menu.show_invites()


def then(window: Window, dialog: InvitesDialog, act: Callable[[Dialog], object]) -> None:
    """Answer the next question over the dialog."""
    before = dialog.question

    def look() -> None:
        question = dialog.question
        if question is None or question is before or not has_grab(window, question):
            window.root.after(10, look)
        else:
            assert not faults(question.window)
            act(question)

    window.root.after(1, look)


def make(note: str, *options: str) -> Callable[[Dialog], None]:
    """Answer what a new invite is to be."""

    def act(question: Dialog) -> None:
        assert question.field is not None
        question.field.value = note
        for row, option in zip(question.options, options, strict=True):
            row.choose(option)
        question.choose(MAKE)

    return act


def test_a_moderator_invites_and_revokes(moderator: Window, host: Host, town: Town) -> None:
    """The link is shown once, with the keyboard on its button; somebody joins with it."""

    def act(dialog: InvitesDialog) -> None:
        moderator.wait(lambda: "no invite" in " ".join(texts(dialog.window)), "the list")
        then(moderator, dialog, make("For the choir", "86400000", "10"))
        dialog.add.invoke()
        moderator.wait(lambda: dialog.link.link, "a link")
        assert dialog.window.focus_lastfor() is dialog.copy_link
        moderator.wait(lambda: "For the choir" in texts(dialog.window), "it in the list")
        assert any("Not used yet" in text and "tomorrow" in text for text in texts(dialog.window))
        assert not faults(dialog.window)
        invite = parse_invite(dialog.link.link)
        town.peer_of(invite, "Bruno Okafor")
        (button,) = dialog.revoke.values()
        then(moderator, dialog, lambda question: question.choose("revoke"))
        button.invoke()
        moderator.wait(lambda: not dialog.revoke, "its end")
        assert not dialog.link.link
        assert has_grab(moderator, dialog)

    in_invites(moderator, act)
    listed = ask(host, lambda n: messages.ListInvites(id=n))
    assert isinstance(listed, messages.Invites)
    mine = [each for each in listed.invites if each.by == ADA]
    assert [(each.note, each.most_uses, each.ended) for each in mine] == [
        ("For the choir", 10, "revoked")
    ]
    people = ask(host, lambda n: messages.ListPeople(id=n))
    assert isinstance(people, messages.People)
    assert "bruno.okafor" in {each.username for each in people.people}


def test_a_question_that_is_cancelled_makes_nothing(moderator: Window) -> None:
    """And the dialog has the keyboard again."""

    def act(dialog: InvitesDialog) -> None:
        then(moderator, dialog, lambda question: question.choose("cancel"))
        dialog.add.invoke()
        assert has_grab(moderator, dialog)
        assert dialog.add.enabled
        assert not dialog.link.link

    in_invites(moderator, act)


def test_where_the_host_does_not_allow_it_that_is_said(moderator: Window, host: Host) -> None:
    """Before anything is asked; and by the server, if it was changed meanwhile."""

    def say(dialog: InvitesDialog) -> str:
        return str(dialog.note.cget("text"))

    def refused(dialog: InvitesDialog) -> None:
        moderator.wait(lambda: "no invite" in say(dialog), "the list")
        forbid(host)
        then(moderator, dialog, make("", "", ""))
        dialog.add.invoke()
        moderator.wait(lambda: "may not" in say(dialog), "the refusal")

    in_invites(moderator, refused)

    def told(dialog: InvitesDialog) -> None:
        moderator.wait(lambda: not dialog.add.enabled, "the answer")
        moderator.wait(lambda: "does not let moderators" in say(dialog), "the reason")
        dialog.allow(JoiningTold("invite", moderators_invite=True))
        moderator.settle()
        assert "does not let moderators" in say(dialog)

    in_invites(moderator, told)


def forbid(host: Host) -> None:
    """The host lets no moderator make invites any more."""
    ask(host, lambda n: messages.SetJoining(id=n, rule="invite_or_ask", moderators_invite=False))


def test_members_have_no_such_item(town: Town, host: Host) -> None:
    """Nor has a moderator who is one no longer."""
    ada = town.member(host, "Ada Lindqvist")
    assert "Invite people…" not in labels(ada)
    for role in ("moderator", "member"):
        fields = {"id": 1, "username": ADA, "role": role}
        ask(host, lambda n, f=fields: messages.SetRole.model_validate({**f, "id": n}))  # type: ignore[misc]
        ada.wait(
            lambda is_one=role == "moderator": ("Invite people…" in labels(ada)) is is_one,  # type: ignore[misc]
            "the role",
        )


def test_a_lost_connection_is_said(moderator: Window, host: Host) -> None:
    """The list can't be had then, and no link made."""

    def act(dialog: InvitesDialog) -> None:
        moderator.wait(lambda: "no invite" in str(dialog.note.cget("text")), "the list")
        host.stop()
        moderator.wait(lambda: not moderator.main.connection.online, "the end")
        then(moderator, dialog, make("", "", ""))
        dialog.add.invoke()
        moderator.wait(lambda: "lost" in str(dialog.note.cget("text")), "the reason")

    in_invites(moderator, act)
