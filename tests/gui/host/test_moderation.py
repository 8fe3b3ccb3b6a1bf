"""What the host does to people in its window: real clients are told of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from chat_server.ready_file import Running
from chat_server.rules.view import HOST, Audited, ClientSignedIn, InviteRenewed
from chat_server.window import questions
from chat_server.window.commands import outcome_of
from chat_server.window.model import Page
from chat_server.window.pages import people
from chat_server.window.presenter import Presenter
from common import limits
from common.protocol.messages import (
    Done,
    Error,
    Goodbye,
    MuteChanged,
    MutePerson,
    PersonChanged,
    ToClient,
    refusal,
)
from common.ui.lists.table import PillCell
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.expiry_options import FOR_EVER
from common.ui.widgets.menus import MenuItem
from tests.gui.host.conftest import Host

MINUTE = 60_000
RUNNING = Running("Harbour Team", ("192.0.2.1",), 4000, "", "chat://invite", "e" * 32)


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def yes(reason: str = "", *options: str) -> Callable[[Dialog], None]:
    """Type a reason, choose in the rows of options, and confirm."""

    def act(dialog: Dialog) -> None:
        if dialog.field is not None:
            dialog.field.value = reason
        for row, option in zip(dialog.options, options, strict=False):
            host_click(row.buttons[option])
        host_click(dialog.buttons[questions.YES])

    def host_click(button: object) -> None:
        button.invoke()  # type: ignore[attr-defined]  # a button

    return act


def pills(host: Host) -> dict[str, str]:
    """What the table shows as the state of each person."""
    rows = host.app.frame.connections.people
    shown: dict[str, str] = {}
    for item in rows.table.items():
        cell = item.cells[-1]
        assert isinstance(cell, PillCell)
        shown[rows._rows[item.key].username] = cell.text
    return shown


def activity(host: Host) -> list[str]:
    """The lines of the feed without their times, the newest first."""
    lines = host.app.frame.activity.text.get("1.0", "end-1c").splitlines()
    return [line.split("\t")[-1] for line in lines]


def choose(host: Host, *usernames: str) -> None:
    """Have these rows selected: a click, then clicks with Control."""
    host.click_row(usernames[0])
    for username in usernames[1:]:
        host.settle()
        top, bottom = host.table.bounds(host.key_of(username))
        host.table.canvas.event_generate("<Control-ButtonPress-1>", x=60, y=(top + bottom) // 2)
    host.settle()


def menu(host: Host, username: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, MenuItem]:
    """The items of a row's menu, by their labels."""
    shown: list[MenuItem] = []
    monkeypatch.setattr(people, "popup", lambda _p, _t, items, _x, _y: shown.extend(items))
    host.settle()
    top, bottom = host.table.bounds(host.key_of(username))
    host.table.canvas.event_generate("<ButtonPress-3>", x=60, y=(top + bottom) // 2)
    return {item.label: item for item in shown if item.label}


def test_several_people_are_muted_and_write_again(host: Host) -> None:
    """Each is told why and until when; the table shows it, and the page of mutes."""
    ada, ben, cleo = (host.connect(name) for name in ("ada", "ben", "cleo"))
    choose(host, "ada", "ben")
    page = host.app.frame.connections.people
    assert page.mute.cget("text") == "Mute…"
    host.answer(yes("Too loud", "10"))
    before = now()
    host.click(page.mute)
    for client in (ada, ben):
        mute = client.expect(MuteChanged).mute
        assert mute is not None
        assert mute.until is not None
        assert (mute.reason, 0 <= mute.until - before - 10 * MINUTE < MINUTE) == ("Too loud", True)
    host.wait(lambda: pills(host) == {"ada": "Muted", "ben": "Muted", "cleo": "Active"}, "it")
    ben.say("may I?")
    assert ben.expect(Error).code == "muted"
    assert {line.partition(" until ")[0] for line in activity(host)[:2]} == {
        "You muted Ada",
        "You muted Ben",
    }
    assert all(line.endswith(": Too loud") for line in activity(host)[:2])
    host.wait(lambda: page.mute.cget("text") == "Unmute", "the button")
    host.click(page.mute)
    for client in (ada, ben):
        assert client.expect(MuteChanged).mute is None
    host.wait(lambda: set(pills(host).values()) == {"Active"}, "the end")
    assert "You let Ada write again" in activity(host)
    cleo.close()


def test_a_ban_of_a_person_makes_a_new_link(host: Host) -> None:
    """Said in the question and in passing; the page of bans lifts it."""
    before = host.link()
    ada = host.connect("ada")
    host.connect("ben")
    choose(host, "ada")

    def act(dialog: Dialog) -> None:
        assert any("a new invite link is made" in text for text in host.texts_of(dialog.window))
        yes("Enough", questions.PERSON, FOR_EVER)(dialog)

    host.answer(act)
    host.click(host.app.frame.connections.people.ban)
    goodbye = ada.expect(Goodbye)
    assert (goodbye.code, goodbye.params) == ("banned", {"reason": "Enough"})
    host.wait(lambda: host.app.frame.toasts.text == "There is a new invite link", "the toast")
    copy = host.app.frame.connections.summary.copy
    host.wait(lambda: copy.content != before, "the new link")
    assert "You banned Ada: Enough" in activity(host)
    page = host.app.frame.sanctions
    host.app.frame.sidebar.navigation.select("sanctions")
    host.app.controller.actions.go(Page.SANCTIONS)
    host.wait(page.winfo_viewable, "the page")
    host.wait(lambda: len(page._rows) == 1, "the ban")
    (key,) = page._rows
    row = page._rows[key]
    assert (row.who, row.is_ban, row.until_text, row.by, row.reason) == (
        *("Ada", True, "until lifted", "You", "Enough"),
    )
    assert not page.lift_button.enabled
    host.settle()
    top, bottom = page.table.bounds(key)
    host.click(page.table.canvas, 60, (top + bottom) // 2)
    host.click(page.lift_button)
    host.wait(lambda: not page._rows, "the end of it")
    host.sees("Nobody is banned or muted")
    assert "You lifted the ban of Ada" in activity(host)


def test_a_device_alone_can_be_banned(host: Host) -> None:
    """The link stays; so does the same person's other device."""
    ada = host.connect("ada", device="Old phone")
    link = host.app.frame.connections.summary.copy.content
    choose(host, "ada")
    host.answer(yes("", questions.DEVICE, "60"))
    host.click(host.app.frame.connections.people.ban)
    goodbye = ada.expect(Goodbye)
    assert goodbye.code == "banned"
    assert isinstance(goodbye.params["until"], int)
    host.wait(lambda: len(host.app.presenter.view(now()).sanctions) == 1, "the ban")
    (row,) = host.app.presenter.view(now()).sanctions
    assert (row.username, row.who) == ("", "A device: Old phone of @ada")
    assert host.app.frame.connections.summary.copy.content == link
    host.app.controller.actions.lift(row)
    host.wait(lambda: not host.app.presenter.view(now()).sanctions, "the end of it")


def test_moderators_are_made_and_shown(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the menu, which says the other thing then; everyone is told."""
    ada = host.connect("ada")
    host.connect("ben")
    items = menu(host, "ada", monkeypatch)
    assert list(items) == [
        "Copy username", "Copy address", "Add a device…", "Devices…", "Mute…", "Make moderator",
        "Ban…", "Terminate…", "Delete account…",
    ]  # fmt: skip
    command = items["Make moderator"].command
    assert command is not None
    command()
    host.wait(lambda: pills(host) == {"ada": "Moderator", "ben": "Active"}, "the role")
    while ada.expect(PersonChanged).person.role != "moderator":
        pass
    assert activity(host)[0] == "You made Ada a moderator"
    items = menu(host, "ada", monkeypatch)
    assert "Make moderator" not in items
    command = items["Make member"].command
    assert command is not None
    command()
    host.wait(lambda: pills(host)["ada"] == "Active", "the role to go")


def test_the_menu_is_about_all_that_are_selected(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of a row beside them, which it selects."""
    for name in ("ada", "ben", "cleo"):
        host.connect(name)
    choose(host, "ada", "ben")
    assert "Copy username" not in menu(host, "ben", monkeypatch)
    assert len(host.app.frame.connections.people.chosen) == 2
    assert "Copy username" in menu(host, "cleo", monkeypatch)
    assert [row.username for row in host.app.frame.connections.people.chosen] == ["cleo"]


def test_several_are_disconnected_at_once(host: Host) -> None:
    """With one question and one reason."""
    clients = [host.connect(name) for name in ("ada", "ben")]
    choose(host, "ada", "ben")

    def act(dialog: Dialog) -> None:
        assert "Terminate the connections of 2 people?" in host.texts_of(dialog.window)
        yes("Lunch")(dialog)

    host.answer(act)
    host.click(host.app.frame.connections.people.terminate)
    for client in clients:
        goodbye = client.expect(Goodbye)
        assert (goodbye.code, goodbye.params) == ("terminated", {"reason": "Lunch"})


def test_what_was_refused_is_said(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for all that were refused for the same, and not as if it were done."""
    host.connect("ada")
    host.connect("ben")
    choose(host, "ada", "ben")
    full = refusal("disk_full", re=1)
    monkeypatch.setattr(host.app.server_thread, "ask", lambda _, on_reply: on_reply(full))
    host.answer(yes("", questions.PERSON))
    host.click(host.app.frame.connections.people.ban)
    assert host.app.frame.toasts.text == "Not done: the host's disk is full"
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("replies", "text", "failed"),
    [
        (["done", "done"], "There is a new invite link", False),
        (["full", "full"], "Not done: the host's disk is full", True),
        (
            ["done", "full", "gone", "full"],
            (
                "Not done for 3 of 4: the host's disk is full; this connection has ended already. "
                "There is a new invite link"
            ),
            True,
        ),
        (
            ["done", "shared", "shared"],
            (
                "A device that a moderator or the host uses, too, was not banned. "
                "There is a new invite link"
            ),
            True,
        ),
    ],
)
def test_what_came_of_several_orders_is_said_in_one(
    replies: list[str], text: str, failed: bool
) -> None:
    """What was refused and for how many, what was left out, and that the invite is another one."""
    made: dict[str, ToClient] = {
        "done": Done(re=1),
        "shared": Done(re=1, note="shared_device"),
        "full": refusal("disk_full", re=1),
        "gone": refusal("no_such_client", re=1),
    }
    assert outcome_of([made[each] for each in replies], "There is a new invite link") == (
        text, failed,
    )  # fmt: skip


def test_several_new_invites_at_once_are_told_once() -> None:
    """As when people are banned together: by a moderator, too, whom the host has not seen do it."""
    presenter = Presenter("Harbour Team")
    presenter.started(RUNNING, 0)
    banned = [Audited("mia", "ban", {"username": name}, 1) for name in ("ada", "ben")]
    presenter.apply([InviteRenewed(), banned[0], InviteRenewed(), banned[1]], 1)
    told = [line.text for line in presenter.view(1).feed]
    assert told[:3] == [
        "banned @ben", "There is a new invite link; the old one no longer works", "banned @ada",
    ]  # fmt: skip


def test_a_new_link_is_made_after_a_question(host: Host) -> None:
    """On both pages; Escape leaves the old one."""
    invite = host.app.frame.invite
    before = host.link()
    host.answer(lambda dialog: host.key(dialog.window, "<Escape>"))
    host.click(invite.renew)
    assert host.link() == before
    host.answer(yes())
    host.click(invite.renew)
    host.wait(lambda: host.link() != before, "another link")
    assert activity(host)[0] == "There is a new invite link; the old one no longer works"
    host.connect("ada")
    second = host.app.frame.connections.summary.copy.content
    host.answer(yes())
    host.click(host.app.frame.connections.summary.renew)
    host.wait(lambda: host.app.frame.connections.summary.copy.content != second, "one more")


def test_what_moderators_do_is_told(host: Host) -> None:
    """By their names; a mute of theirs shows in the table."""
    ada = host.connect("ada")
    host.connect("ben")
    rows = host.app.frame.connections.people
    host.app.controller.actions.set_role(
        [row for row in rows._rows.values() if row.username == "ada"], "moderator"
    )
    host.wait(lambda: pills(host)["ada"] == "Moderator", "the role")
    ada.command(MutePerson, username="ben", reason="Shh")
    host.wait(lambda: pills(host)["ben"] == "Muted", "the mute")
    assert activity(host)[0] == "Ada muted Ben: Shh"


def test_the_list_has_all_pages(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many bans and mutes there are."""
    monkeypatch.setattr(limits, "PAGE_SANCTIONS", 2)
    for name in ("ada", "ben", "cleo", "dora", "emil"):
        host.connect(name)
    rows = list(host.app.frame.connections.people._rows.values())
    host.answer(yes())
    host.app.controller.actions.mute(rows)
    host.wait(lambda: len(host.app.presenter.view(now()).sanctions) == 5, "all five")


def test_a_mute_ends_in_the_table_by_itself() -> None:
    """The window looks at the clock when that is; a server that starts anew begins with none."""
    presenter = Presenter("Harbour Team")
    presenter.started(RUNNING, 0)
    appeared = ClientSignedIn(
        7, "ada", "Ada", "192.0.2.9", "Linux", 0, new_account=False, is_muted=True, muted_until=9000
    )
    presenter.apply([appeared], 0)
    (row,) = presenter.view(8999).rows
    assert row.muted.startswith("until ")
    assert presenter.next_change(8500) == 9000
    (row,) = presenter.view(9000).rows
    assert row.muted == ""
    presenter.apply([Audited(HOST, "mute", {"username": "ada"}, 9001)], 9001)
    (row,) = presenter.view(9001).rows
    assert row.muted == "until lifted"
    assert presenter.view(9001).feed[0].text == "muted Ada"
    presenter.stopped(9002)
    presenter.started(RUNNING, 9003)
    presenter.apply([replace(appeared, is_muted=False, muted_until=None)], 9003)
    (row,) = presenter.view(9003).rows
    assert row.muted == ""


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            Audited(HOST, "terminate", {"connection": 7}, 1),
            ("You", "terminated Ada’s connection"),
        ),
        (
            Audited("ada", "terminate", {"username": "zoe", "reason": "Go"}, 1),
            ("Ada", "terminated @zoe’s connection: Go"),
        ),
        (Audited("zoe", "ban", {"connection": 7}, 1), ("@zoe", "banned Ada’s device")),
        (Audited(HOST, "unban", {"number": 3}, 1), ("You", "lifted the ban of a device")),
        (
            Audited(HOST, "unban", {"number": 3, "device": "Linux of @zoe"}, 1),
            ("You", "lifted the ban of the device Linux of @zoe"),
        ),
        (Audited(HOST, "unmute", {"username": "ada"}, 1), ("You", "let Ada write again")),
        (
            Audited(HOST, "set_role", {"username": "ada", "role": "member"}, 1),
            ("You", "made Ada a member"),
        ),
    ],
)
def test_who_did_what_is_told(event: Audited, line: tuple[str, str]) -> None:
    """By the names of those who were here, else by their usernames."""
    presenter = Presenter("Harbour Team")
    presenter.started(RUNNING, 0)
    presenter.apply(
        [ClientSignedIn(7, "ada", "Ada", "192.0.2.9", "Linux", 0, new_account=False), event], 1
    )
    newest = presenter.view(1).feed[0]
    assert (newest.name, newest.text) == line


def test_what_is_done_to_the_chat_is_told_once() -> None:
    """A new name and a new link have lines of their own."""
    presenter = Presenter("Harbour Team")
    presenter.started(RUNNING, 0)
    before = presenter.view(1).feed
    for action in ("rename_chat", "new_invite", "something_of_later"):
        presenter.apply([Audited(HOST, action, {"name": "Garden"}, 1)], 1)
    assert presenter.view(1).feed == before
