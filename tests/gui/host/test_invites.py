"""The page of invites, in the host's window, with guests that join."""

from __future__ import annotations

import pytest

from chat_server.rules import view
from chat_server.window import questions
from common.domain.invite import parse_invite
from common.limits import INVITE_NOTE_LENGTH
from common.protocol import messages
from tests.gui.host.conftest import Client, Host
from tests.gui.host.joining import go, make_invite, shown
from tests.gui.host.test_moderation import activity
from tests.gui.layout import faults
from tests.process.newcomer import Newcomer


def test_an_invite_is_made_used_up_and_listed_as_such(host: Host) -> None:
    """With its note and its bounds; the link is shown once."""
    link = make_invite(host, "3600000", "1", "moderator", text="  For   Ada ")
    page = host.app.frame.invites
    host.wait(lambda: len(shown(page)) == 2, "both invites")
    (row,) = [each for each in page._rows.values() if not each.standing]
    assert (row.note, row.role, row.uses_text, row.by) == ("For Ada", "Moderator", "0 of 1", "You")
    assert not faults(host.root)
    assert link not in [*host.texts(), host.app.frame.invite.field.link]
    ada = Client(link, "ada", "Ada", "Laptop")
    host.clients.append(ada)
    host.wait(lambda: list(shown(page).values()) == ["Valid"], "the used one to go")
    host.wait(lambda: page.ended.enabled, "the button")
    host.click(page.ended)
    assert sorted(shown(page).values()) == ["Used up", "Valid"]
    host.wait(lambda: "ada" in host.app.presenter._run.moderators, "the role")
    refused = Newcomer(parse_invite(link), "ben")
    host.clients.append(refused)  # type: ignore[arg-type]  # it is closed with the others
    said = refused.join(parse_invite(link).secret)
    assert isinstance(said, messages.Error)
    assert said.code == "invite_used"
    host.wait(lambda: "You made an invite" in activity(host), "the line")


@pytest.mark.parametrize("letter", ["x", "\U0001f469\u200d\U0001f4bb"], ids=["letters", "emoji"])
def test_a_note_that_is_too_long_is_cut_before_it_is_sent(host: Host, letter: str) -> None:
    """At what the protocol takes, counted as the server counts."""
    make_invite(host, "", "", "member", text=letter * 100)
    page = host.app.frame.invites
    host.wait(lambda: len(shown(page)) == 2, "both invites")
    server = host.app.server_thread._server
    assert server is not None
    (note,) = {each.note for each in server._world.directory.invites} - {""}
    assert note == letter * (INVITE_NOTE_LENGTH // len(letter))


def test_an_invite_is_revoked(host: Host) -> None:
    """After a question; nobody joins with it any more."""
    link = make_invite(host, "", "", "member")
    page = host.app.frame.invites
    host.wait(lambda: len(shown(page)) == 2, "both invites")
    (key,) = [key for key, row in page._rows.items() if not row.standing]
    host.click(page.table.canvas, 60, sum(page.table.bounds(key)) // 2)
    host.answer(lambda dialog: host.click(dialog.buttons[questions.YES]))
    host.click(page.revoke)
    host.wait(lambda: list(shown(page).values()) == ["Valid"], "it to go")
    newcomer = Newcomer(parse_invite(link), "ada")
    host.clients.append(newcomer)  # type: ignore[arg-type]  # it is closed with the others
    said = newcomer.join(parse_invite(link).secret)
    assert isinstance(said, messages.Error)
    assert said.code == "bad_secret"


def test_the_standing_link_is_renewed_and_copied_on_that_page(host: Host) -> None:
    """It can be shown again, so it is not revoked but replaced."""
    page, before = go(host), host.link()
    host.click(page.copy)
    assert host.root.clipboard_get() == before
    host.click(page.table.canvas, 60, sum(page.table.bounds("0")) // 2)
    assert page.revoke.cget("text") == "New invite link…"
    host.settle()
    assert page.revoke.winfo_width() >= page.revoke.winfo_reqwidth()
    assert not faults(host.root)
    host.answer(lambda dialog: host.click(dialog.buttons[questions.YES]))
    host.click(page.revoke)
    host.wait(lambda: page.copy.content != before, "another link")
    host.wait(lambda: shown(page).get("0") == "Valid", "it in the list")


def test_a_cancelled_invite_is_not_made(host: Host) -> None:
    """Nothing is in the list."""
    page = go(host)
    host.wait(lambda: shown(page), "the list")
    host.answer(lambda dialog: host.click(dialog.buttons[questions.CANCEL]))
    host.click(page.create)
    assert list(shown(page)) == ["0"]


def test_a_crowd_that_joins_has_the_list_fetched_a_few_times(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the last change is in it."""
    page = go(host)
    host.wait(lambda: shown(page), "the list")
    asked: list[int] = []
    list_invites = messages.ListInvites

    def counted(*, id: int, before: int | None) -> messages.ListInvites:  # noqa: A002
        asked.append(id)
        return list_invites(id=id, before=before)

    monkeypatch.setattr(messages, "ListInvites", counted)
    for _ in range(200):
        host.app.controller.joining.happened([view.InvitesChanged()])
    host.app.server_thread.ask(
        lambda number: messages.CreateInvite(id=number, note="the last"), lambda _: None
    )
    host.wait(lambda: "the last" in [row.note for row in page._rows.values()], "the last one")
    assert len(asked) <= 4
