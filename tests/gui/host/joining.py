"""What tests of joining do in the host's window, and beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from chat_server import ctl
from chat_server.window import questions
from chat_server.window.joining_questions import LinkDialog
from chat_server.window.model import Page
from chat_server.window.pages import invites, people
from chat_server.window.requests import RequestStrip
from common.domain.invite import parse_invite
from common.ui.lists.table import PillCell
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.menus import MenuItem
from tests.gui.host.conftest import Host
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
        # A Return too many copies it: it would be lost for good by closing.
        assert dialog.window.focus_lastfor() is dialog.copy
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
