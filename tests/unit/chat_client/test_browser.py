"""Whether a link was opened, by what the desktop's commands say of it."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from pathlib import Path

import pytest

from chat_client.window import browser

URL = "https://example.org/?a=b&c='$(x)'"

pytestmark = pytest.mark.skipif(
    sys.platform in {"win32", "darwin"}, reason="the system opens links there"
)


@pytest.fixture(name="tools")
def _tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of commands: nothing else is found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BROWSER", raising=False)
    return tmp_path


def _command(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\" >> '{folder}/asked'\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("scripts", "worked", "asked"),
    [
        ({"xdg-open": "exit 0", "gio": "exit 0"}, True, ["xdg-open"]),
        ({"xdg-open": "exit 3", "gio": "exit 0"}, True, ["xdg-open", "gio open"]),
        ({"xdg-open": "exit 3", "gio": "exit 2"}, False, ["xdg-open", "gio open"]),
        ({"gio": "exit 2"}, False, ["gio open"]),
    ],
)
def test_what_fails_is_not_taken_for_done(
    tools: Path, scripts: dict[str, str], worked: bool, asked: list[str]
) -> None:
    """One command after the other, each with the link as one argument."""
    for name, script in scripts.items():
        _command(tools, name, script)
    assert browser.browse(URL) is worked
    lines = (tools / "asked").read_text().replace(f"{tools}/", "").splitlines()
    assert lines == [word for command in asked for word in [*command.split(), URL]]


def test_what_goes_on_is_the_browser(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some commands end only with the browser that they started; what they say then is late."""
    monkeypatch.setattr(browser, "PATIENCE", 0.0)
    os.mkfifo(tools / "end")
    _command(tools, "xdg-open", f"read -r word < '{tools}/end'; exit 1")
    try:
        assert browser.browse(URL)
    finally:
        (tools / "end").write_text("now\n")
    for thread in threading.enumerate():
        if thread.name == "browser":
            thread.join(10)
            assert not thread.is_alive()


@pytest.mark.parametrize("opened", [False, True])
def test_without_such_a_command_python_looks_for_a_browser(
    tools: Path, monkeypatch: pytest.MonkeyPatch, opened: bool
) -> None:
    """As it does where somebody names one in the environment."""
    monkeypatch.setattr(webbrowser, "open", lambda _: opened)
    assert browser.browse(URL) is opened
    _command(tools, "xdg-open", "exit 3")
    monkeypatch.setenv("BROWSER", "mine")
    assert browser.browse(URL) is opened
