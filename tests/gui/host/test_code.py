"""The code that the host reads out, in the host's window."""

from __future__ import annotations

import pytest

from common.protocol import messages
from tests.gui.host.conftest import Host
from tests.gui.host.joining import command_line, guest
from tests.gui.host.test_moderation import activity
from tests.gui.layout import faults


def test_nothing_is_made_before_it_is_needed(host: Host) -> None:
    """At the start nobody asks to join, and no code is shown."""
    host.up()
    assert "requests" not in vars(host.app.frame)
    assert "code" not in vars(host.app.frame.invite)


def code_on(host: Host) -> str:
    """The code that the page of nobody being there shows, without its hyphen."""
    card = host.app.frame.invite.code
    host.wait(card.winfo_viewable, "the code")
    return str(card.code.cget("text")).replace("-", "")


def test_a_code_is_shown_used_renewed_and_ended(host: Host) -> None:
    """It lets in whoever types it; the former one doesn't any more."""
    page = host.app.frame.invite
    host.click(page.show_code)
    code = code_on(host)
    host.wait(lambda: not faults(host.root), "everything to be whole")
    invited = guest(host, "ada").code(code)
    assert isinstance(invited, messages.Invited)
    host.click(page.code.renew)
    host.wait(lambda: code_on(host) != code, "another code")
    refused = guest(host, "ben").code(code)
    assert isinstance(refused, messages.Error)
    assert refused.code == "bad_code"
    other = code_on(host)
    host.click(page.code.hide)
    host.wait(lambda: not page.code.winfo_ismapped(), "it to go")
    assert page.show_code.cget("text") == "Show the code"
    newcomer = guest(host, "ben")
    invited = newcomer.code(other)  # hidden, it is valid
    assert isinstance(invited, messages.Invited)
    host.click(page.show_code)
    assert code_on(host) == other
    host.click(page.code.end)
    host.wait(lambda: not page.code.winfo_ismapped(), "it to go")
    host.wait(lambda: page.show_code.cget("text") == "Show a code", "the end")
    refused = guest(host, "cleo").code(other)
    assert isinstance(refused, messages.Error)
    assert isinstance(newcomer.join(invited.secret), messages.SignedIn)


def test_a_code_from_a_command_line_takes_the_place_of_the_one_shown(host: Host) -> None:
    """A host must not read out a code that is dead."""
    host.connect("ada").close()
    page = host.app.frame.invite
    host.wait(page.winfo_viewable, "nobody to be there")
    host.click(page.show_code)
    code = code_on(host)
    command_line(host, "code", "show")  # the same one
    command_line(host, "code", "show", "--username", "ada")
    host.wait(lambda: not page.code.winfo_ismapped(), "it to go")
    host.click(page.show_code)
    assert code_on(host) != code


def test_a_code_that_can_not_be_renewed_is_taken_away(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has ended already: nobody must read it out."""
    page = host.app.frame.invite
    host.click(page.show_code)
    code_on(host)
    show = messages.ShowCode
    monkeypatch.setattr(messages, "ShowCode", lambda **fields: show(**fields, username="nobody"))
    host.click(page.code.renew)
    host.wait(lambda: not page.code.winfo_ismapped(), "it to go")
    assert "nobody" in host.app.frame.toasts.text
    monkeypatch.undo()
    host.click(page.show_code)
    assert len(code_on(host)) == 8


def test_too_many_wrong_codes_renew_it(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host sees the new one, and is told why."""
    monkeypatch.setattr("chat_server.rules.codes.MOST_WRONG", 2)
    page = host.app.frame.invite
    host.click(page.show_code)
    code = code_on(host)
    wrong = "0" * 8 if code != "0" * 8 else "1" * 8
    for name in ("eve", "mallory"):
        guest(host, name).code(wrong)
    host.wait(lambda: code_on(host) != code, "another code")
    host.wait(lambda: any("the code is another one" in line for line in activity(host)), "why")
    assert isinstance(guest(host, "ada").code(code_on(host)), messages.Invited)
