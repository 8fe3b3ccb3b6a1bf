"""The frozen programs and the desktop: a notification server, and a player for sounds."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.frozen.conftest import Bundle
from tests.frozen.person import Person, wait_for
from tests.frozen.screen import Screen
from tests.process.session_bus import write_configuration

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="these are Linux's notification servers"
)


@pytest.mark.parametrize("form", ["folder", "file"])
@pytest.mark.parametrize("name", ["ChatServer", "ChatClient"])
def test_it_finds_what_is_there(bundle: Bundle, person: Person, name: str, form: str) -> None:
    """By the bundle's own library, on a real bus."""
    person.write(person.tools / "paplay", "#!/bin/sh\n", executable=True)
    known = with_dunst(person)
    said: list[str] = []

    def finds_it() -> bool:
        look = person.start(bundle.program(name, form), "--smoke-test", environment=known)
        assert look.ended() == 0, look.said
        said.append(look.said)
        return "notifications: by dunst" in look.said

    wait_for(finds_it, "the notification server")
    assert "4 sounds by paplay" in said[-1]


def test_it_is_told_and_clicked(bundle: Bundle, person: Person, screen: Screen) -> None:
    """A message that comes to an iconified window is heard and shown; a click leads to it."""
    played = person.home / "played.txt"
    person.write(person.tools / "paplay", f'#!/bin/sh\necho "$*" >>{played}\n', executable=True)
    known = with_dunst(person)
    ready = person.home / "ready.json"
    person.start(
        bundle.program("ChatServer", "folder"),
        *("--headless", "--host", "127.0.0.1", "--port", "0", "--ready-file", ready),
    )
    wait_for(ready.exists, "the server")
    join = ("--join", json.loads(ready.read_bytes())["invite"], "--theme", "light")
    program = bundle.program("ChatClient", "folder")
    ada = person.start(program, *join, "--name", "Ada", "--profile", "ada", environment=known)
    window = screen.window("ChatClient$").titled("general")
    screen.ask("windowminimize", "--sync", window.number)
    said = person.start(
        *(program, "send", "--room", "@ada", *join[:2], "--name", "Bruno", "--profile", "bruno"),
        "hello Ada",
    )
    assert said.ended() == 0, said.said
    wait_for(lambda: notifications(screen), "a notification")
    (shown,) = notifications(screen)
    # Where dunst's mouse opens.
    screen.ask("mousemove", "--window", shown, "40", "20", "click", "2")
    window.titled("Bruno")
    wait_for(lambda: screen.ask("getactivewindow") == window.number, "the window in front")
    wait_for(lambda: not notifications(screen), "the notification to go")
    wait_for(lambda: played.exists() and "message.wav" in played.read_text(), "the sound")
    window.quit()
    assert ada.ended() == 0
    assert "ERROR" not in ada.said, ada.said


def with_dunst(person: Person) -> dict[str, str]:
    """What a program of somebody's knows who has a session bus with dunst on it."""
    for tool in ("dbus-daemon", "dunst"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    configuration = write_configuration(person.home)
    person.own(person.home)
    bus = person.start(
        _found("dbus-daemon"), f"--config-file={configuration}", "--nofork", "--print-address"
    )
    wait_for(lambda: "unix:" in bus.said, "the bus")
    address = next(line for line in bus.said.splitlines() if line.startswith("unix:"))
    known = {**person.environment, "DBUS_SESSION_BUS_ADDRESS": address}
    person.start(_found("dunst"), environment=known)
    return known


def notifications(screen: Screen) -> list[str]:
    """The windows in which dunst shows them."""
    return screen.ask("search", "--onlyvisible", "--class", "^[Dd]unst$").split()


def _found(tool: str) -> Path:
    return Path(shutil.which(tool) or tool)
