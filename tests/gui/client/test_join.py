"""The join screen: how somebody gets in, and what they are told when they can't."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_client.accounts import Accounts
from chat_client.options import Options, name_of
from chat_client.state.status import Link
from common.invite import parse_invite
from tests.gui.harness import Host, Town, Window


def fill(window: Window, link: str, name: str) -> None:
    """Paste the link, type the name and press Return."""
    window.join.link.value = ""
    window.paste(link, window.join.link.entry)
    window.join.name.value = ""
    window.type(name, window.join.name.entry)
    window.key("<Return>")


def test_a_pasted_link_and_a_typed_name_are_enough(town: Town, host: Host) -> None:
    """Ctrl+V, the name and Return: then the conversation is there."""
    window = town.window()
    assert window.root.focus_displayof() is not None
    fill(window, f"  {host.link}\n", "Ada Lindqvist")
    window.online()
    assert window.title == "general — Harbour Team — ChatClient"
    assert window.state == "1 member · Connected"
    assert window.main.overview.me == "ada.lindqvist"


def test_the_link_shows_where_it_leads(town: Town, host: Host) -> None:
    """The chat's name and address are there before anything is sent."""
    window = town.window()
    assert str(window.join._server.cget("text")) == "Join with an invite"
    window.paste(host.link, window.join.link.entry)
    assert str(window.join._server.cget("text")) == "Harbour Team"
    assert str(window.join._where.cget("text")) == f"at 127.0.0.1, port {host.port}"


def test_a_damaged_link_is_told_beside_it_and_can_be_mended(town: Town, host: Host) -> None:
    """Half a link: the field is marked and has the keyboard; the whole one then works."""
    window = town.window()
    fill(window, host.link[:60], "Ada")
    assert window.problem.endswith("copy the whole link again.")
    assert window.join.link.instate(["invalid"])
    assert window.root.focus_displayof() is window.join.link.entry
    window.type("x")
    assert not window.problem
    fill(window, host.link, "Ada")
    window.online()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Paste the invite link from the host: it starts with chat://."),
        ("hello", "An invite link starts with chat://."),
        (
            "https://example.org/",
            "That is a link to a web page; an invite link starts with chat://.",
        ),
    ],
)
def test_what_is_no_link_is_told_at_once(town: Town, text: str, said: str) -> None:
    """No thread starts for something that can't be an invite."""
    window = town.window()
    fill(window, text, "Ada")
    assert window.problem == said
    assert window.screens.session is None


def test_a_wrong_secret_is_told_at_the_link(town: Town, host: Host) -> None:
    """The server refuses it; the right link gets in with the same window."""
    window = town.window()
    secret = host.invite.secret
    fill(window, host.link.replace(secret, "A" * 22), "Ada")
    window.wait(lambda: window.problem, "the refusal")
    assert window.join.link.instate(["invalid"])
    assert window.join.button.enabled
    assert not Accounts(window.program.data_dir).all()
    fill(window, host.link, "Ada")
    window.online()


def test_another_servers_certificate_is_a_hard_stop(town: Town, host: Host) -> None:
    """A link to the right port with another fingerprint sends nothing and says so."""
    other = town.host("Another")
    window = town.window()
    fill(window, host.link.replace(str(host.port), str(other.port)), "Ada")
    window.wait(lambda: "not the server" in window.problem, "the warning")
    assert "ada" not in other.connections


def test_a_taken_name_asks_for_a_username(town: Town, host: Host) -> None:
    """The username field comes, filled with the taken one; another one gets in."""
    town.peer(host, "Ada")
    window = town.window()
    fill(window, host.link, "Ada")
    window.wait(lambda: window.problem, "the refusal")
    assert window.join.username.instate(["invalid"])
    assert window.join.username.value == "ada"
    window.type("2", window.join.username.entry)
    window.key("<Return>")
    window.online()
    assert window.main.overview.me == "ada2"


def test_an_empty_name_is_asked_for(town: Town, host: Host) -> None:
    """Blank counts as empty."""
    window = town.window()
    fill(window, host.link, "  ")
    assert window.problem == "Say what others shall call you."
    assert window.join.name.instate(["invalid"])
    assert window.root.focus_displayof() is window.join.name.entry


def test_a_name_without_letters_asks_for_a_username(town: Town, host: Host) -> None:
    """No username can be made of it, so the person chooses one; others see the name."""
    window = town.window()
    window.paste(host.link, window.join.link.entry)
    window.paste("♚♛", window.join.name.entry)
    window.click(window.join.button)
    assert window.join.username.entry.winfo_viewable()
    assert "username" in window.problem
    window.type("dimitris", window.join.username.entry)
    window.key("<Return>")
    window.online()
    assert window.main.overview.name("dimitris") == "♚♛"


@pytest.mark.parametrize("name", ["a" * 65, "Ada\u202eevil", "Ada\x07"])
def test_a_name_that_none_may_have_is_told_at_the_name(town: Town, host: Host, name: str) -> None:
    """Too long, a bidi override, a control character: the rules are shown where the name is."""
    window = town.window()
    window.paste(host.link, window.join.link.entry)
    window.paste(name, window.join.name.entry)
    window.key("<Return>")
    assert window.problem.startswith("A name ")
    assert window.join.name.instate(["invalid"])
    assert window.screens.session is None
    window.join.name.value = "Ada"
    window.key("<Return>", window.join.name.entry)
    window.online()


def test_known_chats_are_listed_and_open_with_a_click(town: Town, host: Host) -> None:
    """Leaving goes back to the list; a click on a chat opens it again, signed in."""
    second = town.host("Studio North")
    window = town.member(host, "Ada")
    folder = window.program.data_dir
    window.main._on_leave()
    assert window.title == "ChatClient"
    fill(window, second.link, "Ada")
    window.online()
    window.main._on_leave()
    keys = [account.key for account in Accounts(folder).all()]
    assert window.join.chats.order() == keys
    window.click_row(window.join.chats, keys[1])
    window.online()
    assert window.title == "general — Harbour Team — ChatClient"


def test_known_chats_open_with_the_keyboard(town: Town, host: Host) -> None:
    """The arrow keys go through the list, and Return opens."""
    window = town.member(host, "Ada")
    window.main._on_leave()
    window.key("<Down>", window.join.chats.canvas)
    assert window.screens.session is None
    window.key("<Return>")
    window.online()


def test_the_chat_used_last_opens_by_itself(town: Town, host: Host, tmp_path: Path) -> None:
    """A second start needs neither link nor name, and shows what was said."""
    folder = tmp_path / "ada"
    first = town.window(
        data_dir=folder, options=Options(join=host.invite, name=name_of("Ada"), theme="light")
    ).online()
    first.say("remember this")
    first.wait(lambda: "remember this" in first.lines, "the message")
    first.close()
    second = town.window(data_dir=folder)
    second.wait(lambda: second.is_main, "the main screen")
    assert "remember this" in second.lines
    second.online()


def test_an_account_opens_in_one_window_only(town: Town, host: Host) -> None:
    """The second window says where the account is, and takes another name."""
    first = town.member(host, "Ada")
    second = town.window(data_dir=first.program.data_dir)
    assert "is open in another ChatClient window" in second.problem
    fill(second, host.link, "Bruno")
    second.online()
    assert first.link is Link.ONLINE


def test_the_server_of_this_computer_is_offered(
    town: Town, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A click on it fills in the link; only the name is missing."""
    folder = tmp_path / "here"
    folder.mkdir()
    running = {"invite": host.link, "pid": os.getpid()}
    (folder / "running.json").write_text(json.dumps(running))
    monkeypatch.setattr("chat_client.nearby.data_folder", lambda _: folder)
    window = town.window()
    assert window.join.chats.order() == ["here"]
    window.click_row(window.join.chats, "here")
    assert parse_invite(window.join.link.value) == host.invite
    assert window.root.focus_get() is window.join.name.entry
    window.type("Ada", window.join.name.entry)
    window.key("<Return>")
    window.online()


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where nobody answers: it listens, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_joining_can_be_cancelled(town: Town, host: Host, silent: int) -> None:
    """While nobody answers, Cancel gives the screen back, and the window can be closed."""
    window = town.window()
    fill(window, host.link.replace(str(host.port), str(silent)), "Ada")
    assert window.join.cancel.winfo_viewable()
    assert not window.join.button.enabled
    window.click(window.join.cancel)
    window.wait(lambda: window.join.button.enabled, "the button")
    assert not window.join.cancel.winfo_viewable()
    assert window.screens.session is None
    fill(window, host.link, "Ada")
    window.online()


def test_an_unreachable_server_is_tried_again(town: Town, host: Host) -> None:
    """The screen says so and goes on; when the server is there, the window is in."""
    link = host.link
    host.stop()
    window = town.window()
    fill(window, link, "Ada")
    progress = window.join._progress_text
    window.wait(lambda: "can't be reached" in str(progress.cget("text")), "the news")
    assert window.join._spinner.running
    host.start()
    window.online()


def test_closing_while_joining_ends_every_thread(town: Town, silent: int, host: Host) -> None:
    """The connector may still wait for its answer; nothing else stays."""
    before = {thread for thread in threading.enumerate() if thread.name == "core"}
    window = town.window()
    fill(window, host.link.replace(str(host.port), str(silent)), "Ada")
    window.close()
    assert window.ended
    assert {thread for thread in threading.enumerate() if thread.name == "core"} == before
