"""Devices of an account, and deleting one, in the host's window."""

from __future__ import annotations

from typing import Any

import pytest

from chat_server.window import questions
from chat_server.window.joining_questions import DevicesDialog, LinkDialog
from chat_server.window.model import Page
from chat_server.window.pages import accounts
from common.domain.invite import parse_invite
from common.domain.spoken_code import written_code
from common.protocol import messages
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.menus import MenuItem
from tests.gui.host.conftest import Host
from tests.gui.host.joining import choose, guest, menu_of, run, see_link
from tests.gui.host.test_moderation import activity
from tests.gui.layout import faults
from tests.process.newcomer import Newcomer


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
