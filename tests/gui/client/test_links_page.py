"""The page "Links" of the settings: what opens invite links, changed by clicks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chat_client.window.settings.links import LinksPage
from tests.gui.harness import Host, Town, Window

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these are files of Linux desktops")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of somebody whose desktop opens such links with nothing."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CURRENT_DESKTOP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "share"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "xdg"))
    return home


def opened(window: Window) -> LinksPage:
    """The page, opened by the keyboard."""
    window.key("<Control-comma>", window.composer)
    settings = window.screens.settings_window
    assert settings is not None
    window.click(settings.buttons["Links"])
    page = settings.page
    assert isinstance(page, LinksPage)
    return page


def says(page: LinksPage) -> str:
    """What it says about links now."""
    return str(page.state.cget("text"))


def test_a_click_chooses_this_copy(town: Town, host: Host, home: Path) -> None:
    """Nothing is written before; a second click undoes it."""
    window = town.member(host, "Ada")
    page = opened(window)
    assert says(page) == "A click on one opens nothing yet."
    assert not home.exists()
    window.click(page.change)
    assert says(page) == "A click on one opens this ChatClient."
    entry = home / ".local/share/applications/lan.chat.ChatClient.desktop"
    script = home / ".local/share/ChatClient/start.sh"
    assert f"Exec=sh {script} --open-link %u" in entry.read_text()
    assert f"exec {sys.executable} -m chat_client" in script.read_text()
    window.click(page.change)
    assert says(page) == "A click on one opens nothing yet."
    assert not entry.exists()
    assert not script.exists()


def test_another_program_is_named(town: Town, host: Host, home: Path) -> None:
    """Also one that was chosen while the page is open."""
    page = opened(window := town.member(host, "Ada"))
    applications = home / ".local/share/applications"
    applications.mkdir(parents=True)
    (applications / "talk.desktop").write_text("[Desktop Entry]\nName=Talk\nExec=true\n")
    (home / ".config").mkdir()
    chosen = "[Default Applications]\nx-scheme-handler/chat=talk.desktop;\n"
    (home / ".config/mimeapps.list").write_text(chosen)
    page.refresh()
    assert says(page) == "A click on one opens another program: Talk."
    window.click(page.change)
    assert says(page) == "A click on one opens this ChatClient."


def test_what_is_refused_is_said(town: Town, host: Host, home: Path) -> None:
    """Below the button, until it works."""
    page = opened(window := town.member(host, "Ada"))
    home.mkdir()
    (home / ".local").write_text("a file in its place")
    window.click(page.change)
    assert "It can’t be written." in str(page.problem.cget("text"))
    assert page.problem.winfo_manager()
    (home / ".local").unlink()
    window.click(page.change)
    assert not page.problem.winfo_manager()
    assert says(page) == "A click on one opens this ChatClient."


def test_a_system_that_chooses_by_itself(
    town: Town, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to press then."""
    monkeypatch.setattr("chat_client.scheme_handler.scheme_handler", lambda _: None)
    page = opened(town.member(host, "Ada"))
    assert "This system opens them" in says(page)
    assert not page.change.winfo_manager()
