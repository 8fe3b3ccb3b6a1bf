"""How people join, in the host's window, with a real server and guests that connect to it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from chat_server import ctl
from chat_server.firewall_watch import FirewallWatch
from chat_server.reachability import Finding
from chat_server.rules import view
from chat_server.window import host as host_module
from chat_server.window import questions
from chat_server.window.hero import how_to_join
from chat_server.window.joining_questions import DevicesDialog, LinkDialog
from chat_server.window.joining_settings import JoiningPage
from chat_server.window.model import Page
from chat_server.window.pages import accounts, invites, people
from chat_server.window.presenter import Presenter
from chat_server.window.requests import GUARD, RequestStrip
from common.domain.invite import parse_invite
from common.domain.reasons import Reason
from common.domain.spoken_code import written_code
from common.limits import INVITE_NOTE_LENGTH
from common.protocol import messages
from common.ui.lists.table import PillCell
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.menus import MenuItem
from tests.gui.host.conftest import Client, Host, Open
from tests.gui.host.test_moderation import RUNNING, activity
from tests.gui.layout import faults
from tests.process.newcomer import Newcomer

D = TypeVar("D", bound=Dialog)


def strip_of(host: Host) -> RequestStrip:
    """The strip of requests."""
    return host.app.frame.requests


def guest(host: Host, username: str, name: str = "") -> Newcomer:
    """Somebody who has connected, and not joined."""
    newcomer = Newcomer(parse_invite(host.link()), username, name=name)
    host.clients.append(newcomer)  # type: ignore[arg-type]  # it is closed with the others
    return newcomer


def asks(host: Host, username: str, name: str = "") -> tuple[Newcomer, str]:
    """Somebody who asks to join, and the digits that they see."""
    newcomer = guest(host, username, name)
    digits = newcomer.knock()
    host.wait(
        lambda: username in [each.username for each in strip_of(host)._requests], "the request"
    )
    return newcomer, digits


def ready(host: Host) -> RequestStrip:
    """The strip, once what it shows can be answered."""
    strip = strip_of(host)
    host.wait(lambda: strip.winfo_viewable() and strip.admit.enabled, "the answers")
    host.settle()
    return strip


def go(host: Host) -> invites.Invites:
    """Show the page of invites."""
    host.app.controller.actions.go(Page.INVITES)
    page = host.app.frame.invites
    host.wait(page.winfo_viewable, "the page")
    host.settle()
    return page


def shown(page: invites.Invites) -> dict[str, str]:
    """What the page shows as the state of each invite, by its number."""
    found: dict[str, str] = {}
    for item in page.table.items():
        cell = item.cells[-1]
        assert isinstance(cell, PillCell)
        found[item.key] = cell.text
    return found


def dialog_of(host: Host, kind: type[D]) -> D:
    """Wait for a dialog of a kind."""

    def there() -> bool:
        dialog = host.app.controller.dialog
        return isinstance(dialog, kind) and bool(dialog.window.winfo_viewable())

    host.wait(there, kind.__name__)
    dialog = host.app.controller.dialog
    assert isinstance(dialog, kind)
    return dialog


def choose(*options: str, text: str = "") -> Callable[[Dialog], None]:
    """Choose in the rows of options, type, and confirm."""

    def act(dialog: Dialog) -> None:
        for row, option in zip(dialog.options, options, strict=True):
            row.buttons[option].invoke()
        if dialog.field is not None:
            dialog.field.value = text
        dialog.buttons[questions.YES].invoke()

    return act


def see_link(host: Host, seen: list[str], press: str = questions.CANCEL) -> None:
    """Keep the link that the next dialog shows, and close it."""

    def act(dialog: Dialog) -> None:
        assert isinstance(dialog, LinkDialog), type(dialog)
        assert not faults(dialog.window)
        seen.append(dialog.link.link)
        dialog.buttons[press].invoke()

    host.answer(act)


def make_invite(host: Host, *options: str, text: str = "") -> str:
    """Make an invite on its page; the link."""
    page, links = go(host), list[str]()

    def made(dialog: Dialog) -> None:
        choose(*options, text=text)(dialog)
        see_link(host, links)

    host.answer(made)
    host.click(page.create)
    host.wait(lambda: links, "the link")
    return links[0]


def menu_of(host: Host, username: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, MenuItem]:
    """The items of a connected person's menu, by their labels."""
    items: list[MenuItem] = []
    monkeypatch.setattr(people, "popup", lambda _p, _t, shown, _x, _y: items.extend(shown))
    host.app.controller.actions.go(Page.CONNECTIONS)
    host.wait(host.table.canvas.winfo_viewable, "the table")
    host.settle()
    top, bottom = host.table.bounds(host.key_of(username))
    host.table.canvas.event_generate("<ButtonPress-3>", x=60, y=(top + bottom) // 2)
    return {item.label: item for item in items if item.label}


def run(item: MenuItem) -> None:
    """Choose an item of a menu."""
    assert item.command is not None
    item.command()


def command_line(host: Host, *arguments: str) -> None:
    """What somebody does at a terminal of the host's computer."""
    data_dir = str(host.program.data_dir)
    assert ctl.main([arguments[0], "--data-dir", data_dir, *arguments[1:]]) == 0


# Requests


def test_a_request_is_let_in_after_the_digits_were_compared(host: Host) -> None:
    """Both see the same; a click, and the guest joins."""
    newcomer, digits = asks(host, "ada", "Ada Lindqvist")
    strip = ready(host)
    assert strip.digits.cget("text").replace(" ", "") == digits
    assert strip.name.cget("text") == "Ada Lindqvist"
    assert "127.0.0.1" in strip.about.cget("text")
    assert not faults(host.root)
    host.click(strip.admit)
    answer = newcomer.answer()
    assert answer.code == "admitted"
    assert isinstance(newcomer.join(answer.secret), messages.SignedIn)
    host.wait(lambda: "ada" in host.names(), "the row")
    host.wait(lambda: not strip.winfo_ismapped(), "the strip to go")
    host.wait(lambda: "You let Ada Lindqvist in" in activity(host), "the line")


def test_a_request_is_refused(host: Host) -> None:
    """They are told, and may not ask again at once."""
    newcomer, _ = asks(host, "eve")
    host.click(ready(host).refuse)
    assert newcomer.answer().code == "refused"
    host.wait(lambda: not strip_of(host).winfo_ismapped(), "the strip to go")
    host.wait(lambda: "You refused Eve" in activity(host), "the line")


def test_whoever_is_blocked_is_in_the_list_of_bans(host: Host) -> None:
    """After a question, which changes nothing when it is cancelled."""
    newcomer, _ = asks(host, "eve", "Eve")
    strip = ready(host)
    asked: list[str] = []

    def cancel(dialog: Dialog) -> None:
        asked.append(dialog.window.title())
        host.click(dialog.buttons[questions.CANCEL])

    host.answer(cancel)
    host.click(strip.block)
    host.wait(lambda: asked, "the question")
    assert "Eve" in asked[0]
    assert strip.shown is not None
    host.answer(lambda dialog: host.click(dialog.buttons[questions.YES]))
    host.click(strip.block)
    assert newcomer.answer().code == "blocked"
    host.wait(lambda: len(host.app.presenter.view(0).sanctions) == 1, "the ban")
    host.wait(lambda: "You blocked Eve from asking to join" in activity(host), "the line")


def test_several_requests_wait_in_a_queue(host: Host) -> None:
    """The oldest first; one can look at the others, and answer each."""
    newcomers = {name: asks(host, name) for name in ("ada", "ben", "cleo")}
    strip = ready(host)
    host.wait(lambda: strip.count.cget("text") == "1 of 3", "the count")
    assert host.root.title() == "(3) Harbour Team — ChatServer"
    host.settle()
    assert not faults(host.root)
    assert not strip.former.enabled
    host.click(strip.following)
    assert strip.shown is not None
    assert (strip.shown.username, strip.count.cget("text")) == ("ben", "2 of 3")
    assert strip.digits.cget("text").replace(" ", "") == newcomers["ben"][1]
    host.click(strip.admit)  # what the host chose to see can be answered at once
    assert newcomers["ben"][0].answer().code == "admitted"
    host.wait(lambda: strip.count.cget("text") == "1 of 2", "the others")
    for username in ("ada", "cleo"):
        host.wait(lambda: strip.shown and strip.shown.username == username, username)  # noqa: B023
        host.click(ready(host).refuse)
        assert newcomers[username][0].answer().code == "refused"


def test_a_click_never_answers_a_request_that_has_just_come_up(host: Host) -> None:
    """The one before was withdrawn as the host was about to click."""
    first, _ = asks(host, "ada")
    asks(host, "eve")
    strip = ready(host)
    first.withdraw()
    host.wait(lambda: strip.shown is not None and strip.shown.username == "eve", "the other one")
    assert not any(button.enabled for button in (strip.admit, strip.refuse, strip.block))
    host.click(strip.admit)
    assert GUARD >= 500
    ready(host)
    assert strip.shown is not None
    assert strip.shown.username == "eve"


def test_a_request_is_on_every_page_and_stays_when_the_text_grows(host: Host) -> None:
    """The host may be anywhere when somebody asks."""
    newcomer, digits = asks(host, "ada")
    for page in Page:
        host.app.controller.actions.go(page)
        host.settle()
        assert strip_of(host).winfo_viewable()
    host.app.settings.set("looks", "text_size", value=125)
    host.wait(lambda: strip_of(host).winfo_viewable(), "the strip")
    strip = ready(host)
    assert strip.digits.cget("text").replace(" ", "") == digits
    newcomer.withdraw()
    host.wait(lambda: not strip.winfo_ismapped(), "the strip to go")


def test_a_request_can_be_answered_by_keys(host: Host) -> None:
    """Tab reaches the answers, in the order in which they stand."""
    newcomer, _ = asks(host, "ada")
    strip = ready(host)
    after = strip.admit.tk_focusNext()
    assert after is strip.refuse
    assert strip.refuse.tk_focusNext() is strip.block
    host.key(strip.admit, "<Return>")
    assert newcomer.answer().code == "admitted"


def test_a_command_line_answers_as_well(host: Host) -> None:
    """What it did is shown in the window."""
    newcomer, _ = asks(host, "ada")
    ready(host)
    (request,) = host.app.presenter.view(0).joining.requests
    command_line(host, "admit", str(request.number))
    assert newcomer.answer().code == "admitted"
    host.wait(lambda: not strip_of(host).winfo_ismapped(), "the strip to go")


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


# The code


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


# Invites


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


# Devices


def test_a_device_is_added_and_signed_out(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a link that signs in as the same person; then by a click it is gone."""
    host.connect("ada", "Ada", device="Laptop, Linux")
    links: list[str] = []
    see_link(host, links)
    run(menu_of(host, "ada", monkeypatch)["Add a device…"])
    host.wait(lambda: links, "the link")
    second = Newcomer(parse_invite(links[0]), "ada", device="Desktop, Linux")
    host.clients.append(second)  # type: ignore[arg-type]  # it is closed with the others
    assert isinstance(second.join(parse_invite(links[0]).secret), messages.SignedIn)
    host.wait(lambda: host.names() == ["ada", "ada"], "both devices")
    asked: list[Any] = []

    def sign_out(dialog: Dialog) -> None:
        if len(asked) == 1:
            asked.append(dialog.window.title())
            host.click(dialog.buttons[questions.YES])
            return
        assert isinstance(dialog, DevicesDialog)
        assert not faults(dialog.window)
        names = {each.name: key for key, each in dialog._devices.items()}
        asked.append(names)
        if len(asked) > 2:
            host.click(dialog.buttons[questions.CANCEL])
            return
        assert not dialog.buttons[questions.YES].enabled
        top, bottom = dialog.table.bounds(names["Desktop, Linux"])
        host.click(dialog.table.canvas, 40, (top + bottom) // 2)
        assert dialog.buttons[questions.YES].enabled
        host.click(dialog.buttons[questions.YES])

    host.answer(sign_out, dialogs=3)
    run(menu_of(host, "ada", monkeypatch)["Devices…"])
    host.wait(lambda: len(asked) == 3, "the list after it")
    assert list(asked[0]) == ["Laptop, Linux", "Desktop, Linux"] or len(asked[0]) == 2
    assert "Desktop, Linux" in asked[1]
    assert list(asked[2]) == ["Laptop, Linux"]
    said = second.to_the_end()[-1]
    assert isinstance(said, messages.Goodbye)
    assert said.code == "device_removed"
    host.wait(lambda: host.names() == ["ada"], "one device")


def test_a_device_can_be_added_by_a_code(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """For who has lost every device, and is on the phone."""
    host.connect("ada", "Ada")
    codes: list[str] = []

    def act(dialog: Dialog) -> None:
        assert isinstance(dialog, LinkDialog)
        host.click(dialog._code_button)
        assert dialog.code is not None
        host.wait(dialog.code.winfo_viewable, "the code")
        host.wait(lambda: not faults(dialog.window), lambda: str(faults(dialog.window)))
        codes.append(str(dialog.code.cget("text")).replace("-", ""))
        host.click(dialog.buttons[questions.CANCEL])

    host.answer(act)
    run(menu_of(host, "ada", monkeypatch)["Add a device…"])
    host.wait(lambda: codes, "the code")
    second = guest(host, "ada")
    invited = second.code(codes[0])
    assert isinstance(invited, messages.Invited)
    assert invited.username == "ada"
    assert isinstance(second.join(invited.secret), messages.SignedIn)
    assert len(written_code(codes[0])) == 9


# The rule


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


# Accounts


def test_an_account_is_deleted_after_its_name_was_typed(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another text asks again; cancelled, nothing happens."""
    ada = host.connect("ada", "Ada")
    host.app.controller.actions.go(Page.PEOPLE)
    page = host.app.frame.accounts
    host.wait(page.winfo_viewable, "the page")
    host.wait(lambda: "ada" in page._rows, "her row")
    items: list[MenuItem] = []
    monkeypatch.setattr(accounts, "popup", lambda _p, _t, shown, _x, _y: items.extend(shown))
    host.settle()
    page.table.canvas.event_generate("<ButtonPress-3>", x=60, y=sum(page.table.bounds("ada")) // 2)
    delete = {item.label: item for item in items}["Delete account…"]

    host.answer(lambda dialog: dialog.buttons[questions.CANCEL].invoke())
    run(delete)
    texts: list[list[str]] = []

    def act(dialog: Dialog) -> None:
        texts.append(host.texts_of(dialog.window))
        assert not faults(dialog.window)
        choose("remove", text="adam" if len(texts) == 1 else "@ada")(dialog)

    host.answer(act, dialogs=2)
    run(delete)
    assert not any("That is not ada" in text for text in texts[0])
    assert any("That is not ada" in text for text in texts[1])
    said = ada.to_the_end()[-1]
    assert isinstance(said, messages.Goodbye)
    assert said.code == "account_deleted"
    host.wait(lambda: "ada" not in page._rows, "her row to go")
    host.wait(lambda: "You deleted Ada’s account, with all messages" in activity(host), "the line")


# Notifications


def test_a_click_on_the_notification_leaves_the_page_as_it_is(host: Host) -> None:
    """The request is above every page; the window comes to the front."""
    other = tk.Tk()
    try:
        go(host)
        other.update()
        other.focus_force()
        host.wait(lambda: not host.app.notifications.attention.has_keyboard, "the keyboard to go")
        newcomer, digits = asks(host, "ada", "Ada")
        host.wait(lambda: "requests" in host.desktop.shown, "the notification")
        assert digits in host.desktop.shown["requests"].body
        host.desktop.click("Ada asks to join")
        host.wait(lambda: host.app.notifications.attention.has_keyboard, "the window to come")
        assert host.app.frame.invites.winfo_viewable()
        assert ready(host).digits.cget("text").replace(" ", "") == digits
        newcomer.withdraw()
    finally:
        other.destroy()


# The firewall


def test_what_a_firewall_says_is_shown_and_asked_again(
    open_host: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its command; again when the host comes back from the terminal."""
    closed = Reason("firewall_closed", {"firewall": "firewalld", "port": 1})
    says = [Finding(closed, "closed", "sudo open-it")]
    monkeypatch.setattr(host_module, "is_loopback", lambda _: False)  # this one does have a network
    monkeypatch.setattr(host_module, "FIREWALL_PAUSE", 0)
    monkeypatch.setattr(
        host_module, "FirewallWatch", lambda tell: FirewallWatch(tell, lambda _: tuple(says))
    )
    host = open_host("--name", "Harbour Team").up()
    page = go(host)
    host.wait(lambda: page.facts.copies, "the command")
    host.sees("has no opening")
    host.click(page.facts.copies[0])
    assert host.root.clipboard_get() == "sudo open-it"
    says[:] = [Finding(Reason("firewall_open", {"firewall": "firewalld", "port": 1}), "open")]
    terminal = tk.Tk()
    try:
        terminal.update()
        terminal.focus_force()
        host.wait(lambda: not host.app.notifications.attention.has_keyboard, "the keyboard to go")
        host.root.focus_force()
        host.sees("lets others connect")
        assert not page.facts.copies
    finally:
        terminal.destroy()
