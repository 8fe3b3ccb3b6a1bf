"""What the join screen offers where no chat was found: the causes, and hosting one."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from chat_client.options import Options, name_of
from chat_client.window.join.ways import Way
from common.domain.reasons import Reason
from common.system.other_program import Launch
from tests.gui.client.guest import answer, digits, way
from tests.gui.harness import Host, Town
from tests.gui.network import QuietNetwork, advert_of


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows say at once that nothing was found."""
    monkeypatch.setattr("chat_client.window.join.search.PATIENCE", 1)


@pytest.mark.usefixtures("impatient")
def test_why_nothing_was_found_is_told(town: Town, host: Host, network: type[QuietNetwork]) -> None:
    """Each cause with what to do; until a chat is there."""
    causes = ("one", "two")
    network.reasons = [Reason("text", {"text": text}) for text in causes]
    window = town.window()
    label = window.join.column.searching.causes
    window.wait(label.winfo_manager, "the causes")
    assert str(label.cget("text")) == "One.\n\nTwo."
    assert str(window.join.column.heading.title.cget("text")) == "No chat was found"
    network.finders[-1].tell([advert_of(host)])
    window.wait(lambda: way(window) is Way.CHAT, "the chat")
    assert not label.winfo_viewable()


_SERVER = """
import json, os, pathlib, sys, time
folder, link, how = sys.argv[1:]
if how.isdigit():
    sys.exit(int(how))
running = {"invite": link, "pid": os.getpid()}
path = pathlib.Path(folder, "running.json")
path.with_suffix(".part").write_text(json.dumps(running))
path.with_suffix(".part").rename(path)
while path.exists():
    time.sleep(0.01)
"""


def launch(folder: Path, host: Host, how: str) -> Launch:
    """A program that stands in for ChatServer."""
    return Launch((sys.executable, "-c", _SERVER, str(folder), host.link, how))


@pytest.mark.usefixtures("impatient")
def test_a_chat_is_hosted_from_here(
    town: Town, host: Host, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One click starts the server, and when its chat is there, only the name is missing."""
    command = launch(here, host, "runs")
    monkeypatch.setattr("chat_client.window.screens.find_server", lambda: command)
    window = town.window()
    searching = window.join.column.searching
    window.wait(searching.host.winfo_viewable, "the button")
    window.click(searching.host)
    window.wait(lambda: way(window) is Way.CHAT, "the chat")
    assert "this computer" in str(window.join.column.heading.under.cget("text"))
    assert not window.join.list.host.winfo_manager()
    window.type("Mira", window.join.column.names.name.entry)
    window.key("<Return>")
    window.online()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("status", "said"), [("3", "was closed before"), ("0", "is open on this computer")]
)
def test_a_server_that_does_not_start_is_told(
    town: Town,
    host: Host,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    said: str,
) -> None:
    """And can be started again. A second start ends at once, and raises the first one's window."""
    command = launch(here, host, status)
    monkeypatch.setattr("chat_client.window.screens.find_server", lambda: command)
    window = town.window()
    searching = window.join.column.searching
    window.wait(searching.host.winfo_viewable, "the button")
    window.click(searching.host)
    window.wait(lambda: said in str(searching.causes.cget("text")), "its end")
    window.wait(searching.host.winfo_viewable, "the button again")


def test_without_a_server_program_nothing_is_offered(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ChatClient that is alone in its folder can't host."""
    monkeypatch.setattr("chat_client.window.screens.find_server", lambda: None)
    window = town.window()
    window.join.turn(Way.LINK)
    assert not window.join.list.host.winfo_manager()


def test_a_server_that_starts_here_is_listed_by_itself(town: Town, host: Host, here: Path) -> None:
    """Whoever started it; and goes when it ends."""
    window = town.window()
    path = here / "running.json"
    path.write_text(json.dumps({"invite": host.link, "pid": os.getpid()}))
    window.wait(lambda: window.join.list.rows.order() == ["here"], "the chat")
    path.unlink()
    window.wait(lambda: not window.join.list.rows.order(), "its end")


def test_the_name_of_the_login_needs_one_click(
    town: Town, host: Host, network: type[QuietNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guest with a login of their own types nothing at all."""
    monkeypatch.setattr("chat_client.window.screens.login_name", lambda: "Mira Novak")
    network.chats = [advert_of(host)]
    window = town.window(options=Options(theme="light"))
    window.wait(lambda: way(window) is Way.CHAT, "the chat")
    window.click(window.join.column.actions.button)
    window.wait(lambda: digits(window), "the digits")
    answer(host, admit=True)
    window.online()
    known = name_of("Mira Novak")
    assert known is not None
    assert window.main.overview.me == known.username
