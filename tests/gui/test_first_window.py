"""The first window: what is loaded before it is on the screen, and what happens to early keys."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chat_client.options import Options
from chat_client.window.app import make
from chat_client.window.main_screen import MainScreen
from chat_client.window.screens import Screens
from common.ui.program.program import Program
from tests.gui.harness import Host, Town, settle, wait

ROOT = Path(__file__).resolve().parents[2]
# Prints which modules a program has loaded when its window is on the screen, beyond those of an
# empty Tk window.
_COUNT = """
import json, sys, tkinter
root = tkinter.Tk()
root.destroy()
bare = set(sys.modules)
sys.path.insert(0, sys.argv.pop())
package = sys.argv.pop()
from importlib import import_module
from common.ui.program import program
def mapped(self, load):
    print(json.dumps(sorted(set(sys.modules) - bare)), flush=True)
    sys.exit(0)
program.Loading.__init__ = mapped
main = import_module(package + ".__main__").main
main()
"""
HEAVY = {
    *("pydantic", "pydantic_core", "PIL", "ssl", "sqlite3", "cryptography", "precis_i18n"),
    *("logging", "inspect", "socket", "subprocess", "importlib.metadata", "email"),
    *("dataclasses", "asyncio", "selectors", "datetime", "unicodedata", "multiprocessing"),
}
MOST = 84
"""Modules of the standard library, of platformdirs and of ours. Each one is a part of a
millisecond, and they add up. ctypes and what it needs are for the scale
(common/ui/look/dpi.py): 2 ms; three are for the entries of open windows, so that two starts at once
make one window (common/system/open_windows.py): 1 ms."""


@pytest.mark.parametrize("package", ["chat_client", "chat_server"])
def test_little_is_loaded_before_the_window_is_there(package: str, tmp_path: Path) -> None:
    """Nothing heavy, and no more modules than were thought about."""
    done = subprocess.run(
        [sys.executable, "-c", _COUNT, "--data-dir", str(tmp_path), package, str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[0]))
    assert "common.ui.program.program" in loaded
    assert not loaded & HEAVY
    assert len(loaded) <= MOST, sorted(loaded)


def test_what_was_kept_is_shown_before_the_models_of_the_wire_are_loaded() -> None:
    """They take longer than all else that the main screen needs."""
    code = "import sys; from chat_client.window import main_screen; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "chat_client.cache.pages" in loaded
    assert not loaded & {"pydantic", "pydantic_core", "common.protocol.messages"}


def test_the_join_screen_is_drawn_before_anything_of_the_network_is_loaded() -> None:
    """The finder is small and comes next; the models of the wire take longer than the screen."""
    code = "import sys; from chat_client.window import screens; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "chat_client.window.join.screen" in loaded
    assert not loaded & {
        *("pydantic", "pydantic_core", "ssl", "common.protocol.messages", "chat_client.core"),
        *("chat_client.net.finder", "chat_client.net.joining", "chat_client.net.connector"),
        *("chat_client.net.presence_probe", "chat_client.net.diagnosis", "common.domain.dns_sd"),
    }


@pytest.mark.usefixtures("town")
def test_a_host_is_there_before_anything_about_firewalls_is_loaded() -> None:
    """What asks the programs of the system is loaded by the thread that does."""
    code = "import sys; from chat_server import headless; from chat_server.window import host; "
    done = subprocess.run(
        [sys.executable, "-c", code + "print(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = set(done.stdout.split())
    assert "chat_server.firewall_watch" in loaded
    assert "chat_server.reachability" not in loaded


def test_what_is_typed_early_is_not_lost(
    town: Town, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys pressed while the window is still empty come into the composer."""
    joined = town.member(host, "Ada")
    folder = joined.program.data_dir
    joined.close()
    held: list[Callable[[], None]] = []
    fill = Program._fill
    monkeypatch.setattr(Program, "_fill", lambda self: held.append(lambda: fill(self)))
    window = make(Options(), folder)
    root = window.root
    wait(root, lambda: held, "everything to be loaded", 15)
    root.focus_force()
    wait(root, lambda: root.focus_get() is root, "the keyboard", 15)
    for key in ("o", "n", "e", "space", "x", "BackSpace"):
        root.event_generate(f"<{key}>" if len(key) > 1 else f"<Key-{key}>")
    settle(root)
    held.pop()()
    screen = window.filled.screen
    assert isinstance(screen, MainScreen)
    wait(root, lambda: root.focus_get() is screen.composer.text, "the composer", 15)
    settle(root)
    assert screen.composer.draft == "one "
    window.close()


def test_a_window_that_cannot_be_filled(tmp_path: Path) -> None:
    """What hinders loading ends the program with that error, not with an empty window."""

    def load() -> Callable[[Program[Screens]], Screens]:
        raise ImportError("half of it is missing")

    program = Program("ChatClient", "chat-client", tmp_path, (640, 480), "light", load)
    with pytest.raises(ImportError, match="half of it"):
        program.run()
    program.root.destroy()
