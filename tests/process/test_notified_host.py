"""The host's real window on a desktop with a notification server: refused, clicked, in front."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from common.domain.invite import Invite, parse_invite
from tests.process.desk import DUNST, Desk, environment_of
from tests.process.harness import Child, House, wait_until
from tests.process.session_bus import session_bus
from tests.process.wire import Session
from tests.window_manager import window_manager
from tests.x_server import x_server

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="notification servers are of Linux desktops"
)

REASON: Final = "At 127.0.0.1, as @eve: invalid invite link."


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A screen with a window manager."""
    for tool in ("xdotool", "xwininfo", "dunst"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    with pytest.MonkeyPatch.context() as patch, x_server() as display:
        patch.setenv("DISPLAY", display)
        with window_manager():
            yield display


class HostsDesk:
    """A desk with the host's window, whose server runs."""

    def __init__(self, house: House, display: str, address: str) -> None:
        home = house.folder / "home"
        home.mkdir()
        self.desk = Desk(environment_of(display, address, home))
        ready = house.folder / "ready.json"
        flags = ["--host", "127.0.0.1", "--port", "0", "--name", "Harbour Team", "--theme", "light"]
        folders = ["--data-dir", str(house.folder / "data"), "--ready-file", str(ready)]
        self.program: Child = house.child(
            "host", ["chat_server", *flags, *folders], environment=self.desk.environment
        )
        wait_until(ready.exists, "the server")
        self.invite: Invite = parse_invite(json.loads(ready.read_bytes())["invite"])
        self.window = ""

        def found() -> bool:
            search = self.desk.ask("xdotool", "search", "--onlyvisible", "--name", "^Harbour Team")
            self.window = (search.split() or [""])[-1]
            return bool(self.window)

        wait_until(found, "the window")

    @property
    def in_front(self) -> bool:
        """Whether the window has the keyboard."""
        return self.desk.ask("xdotool", "getactivewindow").strip() == self.window

    def refuse(self) -> None:
        """Somebody tries a wrong secret."""
        with pytest.raises(AssertionError, match="bad_secret"):
            Session(replace(self.invite, secret="x" * 22), "eve", display_name="<b>Eve</b>")

    def close(self) -> None:
        """Close the window by its close button; it ends, with all its threads."""
        self.desk.ask("xdotool", "windowactivate", "--sync", self.window)
        self.desk.ask("xdotool", "key", "alt+F4")
        assert self.program.status() == 0, self.program.transcript()


def test_who_is_refused_is_shown_and_clicked(house: House, display: str, tmp_path: Path) -> None:
    """With a real mouse, from iconified: the window is in front, and the notification gone."""
    (tmp_path / "bus").mkdir()
    with session_bus(tmp_path / "bus") as address:
        host = HostsDesk(house, display, address)
        desk = host.desk
        try:
            desk.start(DUNST)
            desk.ask("xdotool", "windowminimize", "--sync", host.window)
            wait_until(lambda: not host.in_front, "the icon")
            host.refuse()
            wait_until(lambda: desk.displayed() == 1, "the notification")
            host.refuse()
            host.refuse()
            desk.click(DUNST.open)
            wait_until(lambda: host.in_front, "the window in front")
            wait_until(
                lambda: desk.displayed() == 0 and bool(desk.history()), "the notification to go"
            )
            (shown,) = desk.history()
            assert shown["message"].split("\n") == ["<b>Somebody was refused</b>", REASON]
            assert (shown["appname"], shown["category"]) == ("ChatServer", "network")
            host.close()
        finally:
            desk.end()


def test_without_a_bus_nothing_is_different(house: House, display: str, tmp_path: Path) -> None:
    """The window runs and closes; nothing is complained of."""
    host = HostsDesk(house, display, f"unix:path={tmp_path}/nobody")
    host.desk.ask("xdotool", "windowminimize", "--sync", host.window)
    wait_until(lambda: not host.in_front, "the icon")
    host.refuse()
    with Session(host.invite, "ada", display_name="Ada") as ada:
        ada.settle()
    host.close()
