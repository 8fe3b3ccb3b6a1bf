"""A button in the host's window opens ChatClient, which is in the chat without a question."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_server.window.client_program import find_client
from common.domain.invite import parse_invite
from common.system.other_program import Launch
from tests.gui.host.conftest import Host as HostWindow
from tests.gui.host.conftest import Open

_PROGRAM = """
import json, os, sys, time
told = sys.argv[1]
facts = {"pid": os.getpid(), "session": os.getsid(0), "arguments": sys.argv[2:],
         "invite": os.environ.get("CHAT_INVITE")}
with open(told + ".part", "w") as file:
    json.dump(facts, file)
os.rename(told + ".part", told)
if sys.argv[2] == "fails":
    sys.exit(3)
while not os.path.exists(told + ".end"):
    time.sleep(0.01)
"""
"""Stands in for ChatClient: says what it was given, and ends when it is told to."""


class Stub:
    """What stands in for ChatClient, as the host's window starts it."""

    def __init__(self, folder: Path) -> None:
        self.told = folder / "told.json"

    def launch(self, how: str = "runs") -> Launch:
        """The command for it."""
        return Launch((sys.executable, "-c", _PROGRAM, str(self.told), how))

    @property
    def facts(self) -> dict[str, object]:
        """What it was given."""
        facts = json.loads(self.told.read_bytes())
        assert isinstance(facts, dict)
        return facts

    def end(self) -> None:
        """Have it end."""
        self.told.with_name(f"{self.told.name}.end").touch()


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """It is what `find_client` finds."""
    stub = Stub(tmp_path)
    monkeypatch.setattr("chat_server.window.controller.find_client", stub.launch)
    yield stub
    stub.end()


def toast(host: HostWindow) -> str:
    """What the window says in passing."""
    return host.app.frame.toasts.text


def test_it_is_given_the_invite_where_nobody_else_sees_it(stub: Stub, open_host: Open) -> None:
    """In the environment, and not among the arguments; in a session of its own."""
    host = open_host().up()
    host.click(host.app.frame.sidebar.client)
    host.wait(stub.told.exists, "its start")
    assert toast(host) == "Opening ChatClient…"
    assert stub.facts["arguments"] == ["runs", "--login-name"]
    assert parse_invite(str(stub.facts["invite"])) == parse_invite(host.link())
    assert stub.facts["session"] == stub.facts["pid"] != os.getsid(0)


@pytest.mark.usefixtures("stub")
def test_what_is_said_in_passing_hides_no_activity(open_host: Open) -> None:
    """It stands over the page, in the middle of that, also when another page comes up."""
    host = open_host().up()
    frame = host.app.frame
    host.click(host.app.frame.sidebar.client)
    host.connect("ada")
    host.wait(frame.connections.winfo_viewable, "the other page")
    label = frame.toasts._label
    assert label is not None
    bottom = label.winfo_rooty() + label.winfo_height()
    assert bottom <= frame.activity.winfo_rooty()
    middle = label.winfo_rootx() + label.winfo_width() // 2
    page = frame.connections
    assert abs(middle - page.winfo_rootx() - page.winfo_width() // 2) <= 1
    at = label.winfo_containing(middle, bottom - label.winfo_height() // 2)
    assert at is label


def test_a_second_click_starts_it_again(stub: Stub, open_host: Open) -> None:
    """Its window comes to the front by that; none of the processes is left as a zombie."""
    host = open_host().up()
    button = host.app.frame.sidebar.client
    pids = []
    for _ in range(2):
        host.click(button)
        host.wait(stub.told.exists, "its start")
        pids.append(stub.facts["pid"])
        stub.told.unlink()
    assert pids[0] != pids[1]
    assert host.app.controller.client.running
    assert host.app.controller.client.status is None
    stub.end()
    host.wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "their end")
    assert host.app.controller.client.status == 0


def test_it_outlives_the_hosts_window(stub: Stub, open_host: Open) -> None:
    """Closing the host's window leaves it open: it says that the server is gone."""
    host = open_host().up()
    host.click(host.app.frame.sidebar.client)
    host.wait(stub.told.exists, "its start")
    host.close()
    assert host.app.controller.client.running
    assert Path(f"/proc/{stub.facts['pid']}").exists()


def test_a_client_that_fails_is_told(
    tmp_path: Path, open_host: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it can't be started at all or ends at once."""
    missing = Launch((str(tmp_path / "nothing"),))
    monkeypatch.setattr("chat_server.window.controller.find_client", lambda: missing)
    host = open_host().up()
    host.click(host.app.frame.sidebar.client)
    assert toast(host) == "ChatClient can’t be started: No such file or directory"
    host.app.controller.client._launch = Stub(tmp_path).launch("fails")
    host.click(host.app.frame.sidebar.client)
    host.wait(lambda: toast(host) == "ChatClient ended with an error (status 3)", "the news")


def test_without_a_client_there_is_no_button(
    open_host: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ChatServer may have been sent to somebody as a single file."""
    monkeypatch.setattr("chat_server.window.controller.find_client", lambda: None)
    host = open_host().up()
    host.settle()
    assert not host.app.frame.sidebar.client.winfo_manager()


def test_the_client_is_found_beside_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From source as a module, frozen as the sibling, installed as the command on the PATH."""
    launch = find_client()
    assert launch is not None
    assert launch.command == (sys.executable, "-m", "chat_client")
    asked = subprocess.run(
        [*launch.command, "--version"], cwd=launch.folder, capture_output=True, check=True
    )
    assert b"ChatClient" in asked.stdout
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "ChatServer"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_client() is None
    (tmp_path / "bin").mkdir()
    for path in (tmp_path / "bin" / "chat-client", tmp_path / "ChatClient"):
        path.touch(mode=0o755)
        assert find_client() == Launch((str(path),))


def test_the_real_one_is_in_the_chat_at_once(
    open_host: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One click, and the host's window lists the person by the name of the login."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "ada")
    host = open_host().up()
    for _ in range(2):  # joins, and then signs in
        _opened_and_closed(host)


def _opened_and_closed(host: HostWindow) -> None:
    host.click(host.app.frame.sidebar.client)
    host.wait(lambda: len(host.names()) == 1, "somebody in the list")
    [process] = host.app.controller.client._processes
    # A second click raises that one: nobody else comes, and the second process ends.
    host.click(host.app.frame.sidebar.client)
    again = host.app.controller.client._processes[-1]
    assert again is not process
    host.wait(lambda: again.poll() == 0, "the end of the second one")
    assert len(host.names()) == 1
    process.send_signal(signal.SIGTERM)
    host.wait(lambda: process.poll() == 0, "its end")
    host.wait(lambda: not host.names(), "an empty list")
