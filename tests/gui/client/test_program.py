"""The program as it is started: `python -m chat_client`, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chat_client.window.join.ways import Way
from tests.gui.harness import DEADLINE, Host, Peer, Town, release_clipboard
from tests.window_manager import window_manager

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="X and signals")


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Look again and again: the X server tells no one here what other programs do."""
    end = time.monotonic() + DEADLINE
    pause = threading.Event()
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited for {what}")
        pause.wait(0.05)


def ask_x(*arguments: str) -> str:
    """Ask or tell the X server something; what it answers, or "" when it can't."""
    tool = shutil.which("xdotool")
    if tool is None:
        pytest.skip("xdotool is not installed")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode else done.stdout.strip()


class Program:
    """The client as a process."""

    def __init__(self, data_dir: Path, *arguments: str) -> None:
        release_clipboard()
        self.data_dir = data_dir
        self._title = "^general.*ChatClient" if arguments else "^ChatClient$"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chat_client", "--data-dir", str(data_dir), *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def window(self) -> str:
        """Its visible window's id, once it shows the conversations or the join screen."""
        found: list[str] = []

        def looked() -> bool:
            found[:] = ask_x("search", "--onlyvisible", "--name", self._title).split()
            return bool(found)

        wait_for(looked, "the window")
        return found[-1]

    def quit(self) -> None:
        """Press Alt+F4 until the window closes."""
        window = self.window

        def closed() -> bool:
            ask_x("windowfocus", window, "key", "alt+F4")
            return self._process.poll() is not None

        wait_for(closed, "the end")

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def ended(self) -> tuple[int, str]:
        """Its exit status and all it said."""
        said, _ = self._process.communicate(timeout=DEADLINE)
        return self._process.returncode, said

    def close(self) -> None:
        """Leave nothing behind."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def bruno(town: Town, host: Host) -> Peer:
    """Somebody who sees others come and go."""
    return town.peer(host, "Bruno")


@pytest.fixture
def program(tmp_path: Path, host: Host, bruno: Peer) -> Iterator[Program]:
    """A client that has joined."""
    program = Program(tmp_path / "ada", "--join", host.link, "--name", "Ada")
    try:
        bruno.until(lambda: any(e.sender == "ada" for e in tuple(bruno.events)), "Ada")
        yield program
    finally:
        program.close()


@pytest.fixture
def manager() -> Iterator[None]:
    """A desktop's part: it tells a window that it shall close."""
    with window_manager():
        yield


@pytest.mark.usefixtures("manager")
def test_closing_the_window_ends_the_program(program: Program) -> None:
    """As the window manager tells it: status 0, not a word, and the place is remembered."""
    program.quit()
    assert program.ended() == (0, "")
    kept = json.loads((program.data_dir / "window.json").read_text())
    assert "geometry" in kept


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_program(program: Program, number: signal.Signals) -> None:
    """As the close button does."""
    assert program.window
    program.send(number)
    assert program.ended() == (0, "")


@pytest.mark.usefixtures("manager")
def test_what_is_typed_is_sent_and_read_again(program: Program, bruno: Peer) -> None:
    """Real keys from the X server reach the composer."""
    ask_x("windowactivate", "--sync", program.window)

    def heard() -> bool:
        ask_x("type", "x")
        ask_x("key", "Return")
        return bool(bruno.texts())

    # Keys are lost while the window manager moves the keyboard; once one is heard, all are.
    wait_for(heard, "the keyboard")
    ask_x("type", "hello there")
    ask_x("key", "Return")
    bruno.until(lambda: bruno.texts()[-1] == "hello there", "the message")
    program.send(signal.SIGTERM)
    assert program.ended() == (0, "")


def test_closing_before_joining_leaves_no_complaint(tmp_path: Path) -> None:
    """A first start that comes to nothing."""
    program = Program(tmp_path / "new" / "folder")
    try:
        assert program.window
        program.send(signal.SIGTERM)
        assert program.ended() == (0, "")
    finally:
        program.close()


def test_without_a_display_it_says_so(tmp_path: Path) -> None:
    """One line that names the verbs which need none."""
    result = subprocess.run(
        [sys.executable, "-m", "chat_client", "--data-dir", str(tmp_path)],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "DISPLAY"},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("ChatClient: can't open a window")
    assert result.stderr.count("\n") == 1


def test_the_window_is_small_until_somebody_joins(town: Town, host: Host) -> None:
    """A form and a list need less than a conversation; the next start has that size at once."""
    window = town.window()
    window.settle()
    assert window.root.winfo_width() == 760
    window.turn(Way.LINK)
    window.join.column.link.link.value, window.join.column.names.name.value = host.link, "Ada"
    window.click(window.join.column.actions.button)
    window.online()
    window.wait(lambda: window.root.winfo_width() > 1000, "the usual size")
    folder = window.program.data_dir
    window.close()
    again = town.window(data_dir=folder).online()
    assert again.root.winfo_width() > 1000
