"""The page of everybody who has joined: what is done there to who is not connected."""

from __future__ import annotations

import pytest

from chat_server.rules.view import HOST, Audited, ClientDisconnected, ClientSignedIn
from chat_server.window import questions
from chat_server.window.model import AccountRow, Page
from chat_server.window.pages import accounts
from chat_server.window.presenter import Presenter
from common import limits
from common.protocol import messages
from common.ui.lists.table import PillCell
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.expiry_options import FOR_EVER
from common.ui.widgets.menus import MenuItem
from tests.gui.host.conftest import Client, Host, Open
from tests.gui.host.test_moderation import RUNNING, yes
from tests.gui.layout import faults


def go(host: Host) -> accounts.Accounts:
    """Show the page."""
    host.app.controller.actions.go(Page.PEOPLE)
    page = host.app.frame.accounts
    host.wait(page.winfo_viewable, "the page")
    return page


def states(host: Host) -> dict[str, str]:
    """What the page shows as the state of each person."""
    shown: dict[str, str] = {}
    for item in host.app.frame.accounts.table.items():
        cell = item.cells[-1]
        assert isinstance(cell, PillCell)
        shown[item.key] = cell.text
    return shown


def choose(host: Host, username: str) -> None:
    """Select somebody's row."""
    page = host.app.frame.accounts
    host.settle()
    top, bottom = page.table.bounds(username)
    host.click(page.table.canvas, 60, (top + bottom) // 2)
    host.settle()


def away(host: Host, *usernames: str) -> None:
    """Have these people joined and left."""
    for client in [host.connect(username) for username in usernames]:
        client.close()
    host.wait(lambda: not host.app.presenter.people, "everybody to leave")


def test_who_is_away_is_muted_and_banned_and_let_in_again(host: Host) -> None:
    """With nobody connected; each shows in the row, and holds when they come back."""
    away(host, "ada", "ben")
    page = go(host)
    host.wait(lambda: states(host) == {"ada": "Offline", "ben": "Offline"}, "both")
    assert not page.mute.enabled
    choose(host, "ada")
    host.answer(yes("Hush", "10"))
    host.click(page.mute)
    host.wait(lambda: states(host)["ada"] == "Muted", "the mute")
    host.wait(lambda: page.mute.cget("text") == "Unmute", "the button")
    host.click(page.mute)
    host.wait(lambda: states(host)["ada"] == "Offline", "the end of it")

    def act(dialog: Dialog) -> None:
        # Nobody's connection is there: so there is no device to choose.
        assert list(dialog.options[0].buttons) == [questions.PERSON]
        yes("Enough", questions.PERSON, FOR_EVER)(dialog)

    host.answer(act)
    host.click(page.ban)
    host.wait(lambda: states(host) == {"ada": "Banned", "ben": "Offline"}, "the ban")
    host.wait(lambda: page.ban.cget("text") == "Unban", "the button")
    host.click(page.ban)
    host.wait(lambda: states(host)["ada"] == "Offline", "the end of it")
    running = host.app.server_thread.running
    assert running is not None
    host.clients.append(Client(running.invite, "ada", "Ada", "Laptop"))
    host.wait(lambda: states(host)["ada"] == "Online", "who came back")


def test_a_role_is_given_to_who_is_away(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the menu, which offers what can be done now and nothing else."""
    away(host, "ada", "ben")
    page = go(host)
    host.wait(lambda: len(states(host)) == 2, "both")

    def menu(username: str) -> dict[str, MenuItem]:
        shown: list[MenuItem] = []
        monkeypatch.setattr(accounts, "popup", lambda _p, _t, items, _x, _y: shown.extend(items))
        host.settle()
        top, bottom = page.table.bounds(username)
        page.table.canvas.event_generate("<ButtonPress-3>", x=60, y=(top + bottom) // 2)
        return {item.label: item for item in shown if item.label}

    items = menu("ada")
    assert list(items) == [
        *(
            "Copy username",
            "Add a device…",
            "Devices…",
            "Mute…",
            "Make moderator",
            "Ban…",
            "Delete account…",
        )
    ]
    command = items["Make moderator"].command
    assert command is not None
    command()
    host.wait(lambda: page._rows["ada"].is_moderator, "the role")
    assert list(menu("ada")) == [
        *(
            "Copy username",
            "Add a device…",
            "Devices…",
            "Mute…",
            "Make member",
            "Ban…",
            "Delete account…",
        )
    ]
    assert list(menu("ben")) == [
        *(
            "Copy username",
            "Add a device…",
            "Devices…",
            "Mute…",
            "Make moderator",
            "Ban…",
            "Delete account…",
        )
    ]
    running = host.app.server_thread.running
    assert running is not None
    ada = Client(running.invite, "ada", "Ada", "Laptop")
    ada.command(messages.ListPeople, since=0)
    roles = {each.username: each.role for each in ada.expect(messages.People).people}
    assert roles == {"ada": "moderator", "ben": "member"}
    ada.close()


def test_everybody_is_there_after_a_start(open_host: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pages they are on; the search finds them by name and username."""
    monkeypatch.setattr(limits, "PAGE_PEOPLE", 2)
    first = open_host("--name", "Harbour Team").up()
    away(first, "ada", "ben", "cleo", "dora", "emil")
    first.close()
    second = open_host("--name", "Harbour Team").up()
    page = go(second)
    second.wait(lambda: set(states(second).values()) == {"Offline"}, "the rows")
    second.wait(lambda: len(states(second)) == 5, "all five")
    second.write(page.search.entry, "CLE")
    second.wait(lambda: list(states(second)) == ["cleo"], "one")
    second.write(page.search.entry, "zz")
    second.sees("Nobody matches")
    second.key(page.search.entry, "<Escape>")
    second.wait(lambda: len(states(second)) == 5, "all again")


@pytest.mark.parametrize("width", [1180, 760, 560])
def test_the_page_fits(host: Host, width: int) -> None:
    """Nothing is cut off or lies over something else."""
    away(host, "ada")
    go(host)
    host.root.geometry(f"{width}x600")
    host.wait(lambda: host.root.winfo_width() <= max(width, host.root.minsize()[0]), "the width")
    host.settle()
    assert faults(host.root) == []


def test_rows_are_made_only_while_they_are_shown() -> None:
    """Five thousand people cost nothing on another page; bans and mutes end by themselves."""
    presenter = Presenter("Harbour Team")
    presenter.started(RUNNING, 0)
    people = [
        messages.Person(username=f"p{number}", display_name="P", role="member", change=number)
        for number in range(5000)
    ]
    mia = messages.Person(username="mia", display_name="Mia", role="moderator", change=9999)
    presenter.joined([*people, mia])
    assert (presenter.view(0).accounts, presenter.view(0).joined) == ((), 5001)
    presenter.go(Page.PEOPLE)
    shown = {row.username: row for row in presenter.view(0).accounts}
    assert len(shown) == 5001
    assert shown["mia"] == AccountRow("mia", "Mia", False, True, "", "")
    presenter.sanctioned(
        [
            messages.Sanction(
                number=number, kind=kind, username="mia", device=None, until=9000, reason="",
                by=HOST, at=0,
            )
            for number, kind in ((1, "mute"), (2, "ban"))
        ]
    )  # fmt: skip
    (row,) = [each for each in presenter.view(8999).accounts if each.username == "mia"]
    assert row.muted.startswith("until ")
    assert row.banned.startswith("until ")
    assert presenter.next_change(8999) == 9000
    (row,) = [each for each in presenter.view(9000).accounts if each.username == "mia"]
    assert (row.muted, row.banned) == ("", "")
    presenter.apply(
        [
            ClientSignedIn(7, "new", "New", "::1", "Linux", 0, new_account=True),
            Audited(HOST, "set_role", {"username": "new", "role": "moderator"}, 1),
        ],
        9000,
    )
    (row,) = [each for each in presenter.view(9000).accounts if each.username == "new"]
    assert (row.online, row.is_moderator) == (True, True)
    presenter.apply([ClientDisconnected(7, "left", 2)], 9000)
    (row,) = [each for each in presenter.view(9000).accounts if each.username == "new"]
    assert (row.online, row.is_moderator) == (False, True)
    presenter.stopped(9001)
    assert presenter.view(9001).joined == 0
