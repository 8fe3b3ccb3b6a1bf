"""What a person sees when a frozen program is broken, and what the log has of it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from common.ui.look.palette import LIGHT
from tests.frozen.conftest import Bundle
from tests.frozen.person import Person, wait_for
from tests.frozen.screen import Screen, Window
from tests.frozen.test_conversation import host_a_chat, join

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tried on Linux only")


@pytest.fixture
def broken(bundle: Bundle, person: Person) -> Path:
    """A copy of the bundle to break something in."""
    copy = person.home / "Chat"
    shutil.copytree(bundle.folder, copy, symlinks=True)
    return copy


def test_a_part_that_fails(bundle: Bundle, person: Person, screen: Screen, broken: Path) -> None:
    """It is said in a dialog, with details to copy; the program goes on, and the log has it."""
    shutil.rmtree(broken / "_internal/common/ui/assets/emoji")
    person.own(broken)
    server, invite = host_a_chat(bundle, person, screen, "folder")
    half = Bundle(bundle.dist, broken, bundle.files)
    client, window = join(half, person, screen, "folder", invite, "Ada")
    screen.copy("a secret of mine \N{SMILING FACE WITH SUNGLASSES}")
    window.key("ctrl+v")
    dialog = screen.window("^ChatClient$", new=True)
    assert dialog.number != window.number
    screen.forget_clipboard()
    dialog.key("Tab", "space")  # from "Go on" round to "Copy details"
    wait_for(lambda: "Traceback" in screen.clipboard(), "the details")
    details = screen.clipboard()
    assert details.startswith("ChatClient ")
    assert "commit" in details
    assert "index.txt" in details
    dialog.key("Escape")
    log = person.home / ".local/share/ChatClient/profiles/ada/log.txt"
    wait_for(lambda: "FileNotFoundError" in log.read_text(), "the log")
    for text in (details, log.read_text()):
        assert "a secret of mine" not in text
        assert str(person.home) not in details
    assert log.stat().st_mode & 0o077 == 0
    window.quit()
    assert client.ended() == 0
    screen.window("^Harbour.*ChatServer$").quit()
    assert server.ended() == 0


@pytest.mark.parametrize("name", ["ChatServer", "ChatClient"])
def test_a_program_that_cannot_begin(
    person: Person, screen: Screen, broken: Path, name: str
) -> None:
    """Without what fills the window it says so, and ends with a status that is not 0."""
    module = broken / "_internal/PIL"
    shutil.rmtree(module)
    person.own(broken)
    program = person.start(broken / name, "--theme", "light")
    found: list[Window] = []

    def shown() -> bool:
        windows = [Window(screen, number) for number in screen.windows(f"^{name}$")]
        found[:] = [window for window in windows if window.find(LIGHT.primary)]
        return bool(found)

    wait_for(shown, "the dialog")
    found[0].key("Return")
    assert program.ended() == 1
    assert "Traceback" in (person.home / f".local/share/{name}/log.txt").read_text()
    wait_for(lambda: not person.processes(), "the end of its processes")


def test_a_server_that_cannot_begin(person: Person, screen: Screen, broken: Path) -> None:
    """Its window stands, and a dialog says that it can't start and where the reason is."""
    shutil.rmtree(broken / "_internal/pydantic_core")
    person.own(broken)
    program = person.start(broken / "ChatServer", "--port", "0")
    dialog = screen.window("The server can")
    dialog.key("Escape")
    assert program.ended() == 2
    log = person.home / ".local/share/ChatServer/log.txt"
    assert "pydantic_core" in log.read_text()
