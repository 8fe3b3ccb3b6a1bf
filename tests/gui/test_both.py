"""Both programs with their windows: the host's on one side, two clients' on the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_client.state.discovery import FoundChat
from chat_client.state.status import Link
from chat_client.window.join.ways import Way
from common.domain.invite import parse_invite
from tests.gui.harness import HostWindow, Town, Window, click
from tests.gui.network import QuietNetwork


@pytest.fixture
def host_window(town: Town, tmp_path: Path) -> Iterator[HostWindow]:
    """The host's window, with its server running and nobody there."""
    del town  # it goes last: it collects what the windows leave
    window = HostWindow(tmp_path / "host")
    yield window
    window.close()


def joins(town: Town, link: str, name: str) -> Window:
    """Somebody pastes the link, types their name and presses Return."""
    window = town.window()
    window.turn(Way.LINK)
    window.paste(link, window.join.column.link.link.entry)
    window.type(name, window.join.column.names.name.entry)
    window.key("<Return>")
    return window.online()


def test_an_evening(town: Town, host_window: HostWindow) -> None:
    """Two join with the link that is shown, chat, one is terminated and comes back, all close."""
    assert parse_invite(host_window.link).server_name == "Harbour Team"
    ada, bruno = (joins(town, host_window.link, name) for name in ("Ada", "Bruno"))
    host_window.wait(lambda: {"Ada", "Bruno"} <= host_window.names, "both in the list")
    ada.say("hello bruno")
    bruno.wait(lambda: "hello bruno" in bruno.lines, "the message")
    bruno.say("hello ada")
    ada.wait(lambda: "hello ada" in ada.lines, "the answer")

    host_window.terminate("Bruno")
    bruno.wait(lambda: bruno.link is Link.SIGNED_OUT, "the end")
    assert bruno.banner == "The host or a moderator ended your connection."
    ada.wait(lambda: "bruno" not in ada.main.overview.online, "Bruno to be offline")
    ada.say("where did you go?")
    bruno.click(bruno.main.banner._action)
    bruno.online()
    bruno.wait(lambda: "where did you go?" in bruno.lines, "what was missed")

    host_window.close()
    for window in (ada, bruno):
        learns_of_the_end(window)
        window.close()
        assert window.ended


def learns_of_the_end(window: Window) -> None:
    """The strip says that the server is gone, and what becomes of messages."""
    window.wait(lambda: window.link is Link.PAUSED, "the news")
    assert "kept and sent later" in window.banner


def test_closing_the_clients_empties_the_list(town: Town, host_window: HostWindow) -> None:
    """Whoever closes their window leaves the host's list, and the invite is shown again."""
    ada = joins(town, host_window.link, "Ada")
    invite = host_window.app.frame.invite
    host_window.wait(lambda: not invite.winfo_viewable(), "the list")
    ada.close()
    host_window.wait(invite.winfo_viewable, "the invite")


def test_guests_see_the_chats_new_name(town: Town, host_window: HostWindow) -> None:
    """The sidebar and the title at once, and the next start, too."""
    ada = joins(town, host_window.link, "Ada")
    folder = ada.program.data_dir
    host_window.app.controller.actions.rename("Garden Party")
    ada.wait(lambda: ada.title == "general — Garden Party — ChatClient", "the title")
    assert str(ada.main.sidebar._server.cget("text")) == "Garden Party"
    ada.close()
    host_window.close()
    again = town.window(data_dir=folder)
    again.wait(lambda: again.title == "general — Garden Party — ChatClient", "the title")


def finds(town: Town, host_window: HostWindow, name: str, mp: pytest.MonkeyPatch) -> Window:
    """Somebody whose window lists the host's chat, and who has typed their name."""
    invite = host_window.invite
    assert invite.fingerprint is not None
    chat = FoundChat(invite.fingerprint, "Harbour Team", ("127.0.0.1",), invite.port, 0.0)

    class Network(QuietNetwork):
        chats = (chat,)

    mp.setattr("chat_client.window.screens.Network", Network)
    window = town.window()
    window.wait(lambda: window.join.model.attempt.rule, "the server's word")
    window.type(name, window.join.column.names.name.entry)
    return window


def test_a_guest_asks_and_a_click_lets_them_in(
    town: Town, host_window: HostWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both windows show the same sign and the same digits; two others are refused and withdraw."""
    ada = finds(town, host_window, "Ada", monkeypatch)
    sign = str(host_window.app.frame.sidebar.name.sign.cget("text"))
    assert sign in str(ada.join.column.heading.under.cget("text"))
    strip = host_window.app.frame.requests
    ada.key("<Return>")
    ada.wait(lambda: ada.join.model.attempt.digits, "the digits")
    host_window.wait(lambda: strip.winfo_viewable() and strip.admit.enabled, "the request")
    digits = str(strip.digits.cget("text")).replace(" ", "")
    assert digits == ada.join.model.attempt.digits
    click(strip.admit)
    ada.online()
    host_window.wait(lambda: "Ada" in host_window.names, "her row")
    ada.say("Nobody had to type an address")

    eve, ben = (finds(town, host_window, name, monkeypatch) for name in ("Eve", "Ben"))
    for window in (eve, ben):
        window.key("<Return>", window.join.column.names.name.entry)
        window.wait(lambda window=window: window.join.model.attempt.digits, "the digits")  # type: ignore[misc]
    host_window.wait(lambda: strip.count.cget("text") == "1 of 2", "both")
    host_window.wait(lambda: strip.refuse.enabled, "the answers")
    assert strip.shown is not None
    assert (strip.shown.name, strip.shown.digits) == ("Eve", eve.join.model.attempt.digits)
    click(strip.refuse)
    eve.wait(lambda: eve.problem, "the refusal")
    host_window.wait(lambda: strip.shown and strip.shown.name == "Ben", "the other one")
    click(ben.join.column.actions.cancel)
    host_window.wait(lambda: not strip.winfo_ismapped(), "nobody to ask")


def test_a_code_that_is_read_out_is_typed(
    town: Town, host_window: HostWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one types it who hears it: small letters, in two groups."""
    invite = host_window.app.frame.invite
    click(invite.show_code)
    host_window.wait(invite.code.winfo_viewable, "the code")
    code = str(invite.code.code.cget("text"))
    ada = finds(town, host_window, "Ada", monkeypatch)
    ada.turn(Way.CODE)
    ada.type(code.lower().replace("-", " "), ada.join.column.code.slots)
    ada.key("<Return>")
    ada.online()
    host_window.wait(lambda: "Ada" in host_window.names, "her row")
