"""Each executable by itself: it says what it is, works here, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.frozen.conftest import ROOT, Bundle
from tests.frozen.person import Person, wait_for
from tests.frozen.screen import Screen

ALL = pytest.mark.parametrize(
    ("name", "form"),
    [(name, form) for name in ("ChatServer", "ChatClient") for form in ("folder", "file")],
)
BOTH = pytest.mark.parametrize("name", ["ChatServer", "ChatClient"])
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tried on Linux only")


@ALL
def test_it_says_which_build_it_is(bundle: Bundle, person: Person, name: str, form: str) -> None:
    """The version, the commit, the day of the commit, the system: what a report needs."""
    status, said = person.run(bundle.program(name, form), "--version")
    head = subprocess.run(
        ["git", "log", "-1", "--format=%h"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert status == 0
    assert said.startswith(f"{name} ")
    assert f"commit {head}" in said
    assert "linux" in said
    assert said.count("\n") == 1


@ALL
def test_all_of_it_works(bundle: Bundle, person: Person, name: str, form: str) -> None:
    """The smoke test passes, and neither a process nor a temporary file stays."""
    status, said = person.run(bundle.program(name, form), "--smoke-test")
    assert (status, said.splitlines()[-1]) == (0, "all is well"), said
    assert "window:" in said
    assert "TLSv1.3" in said
    wait_for(lambda: not person.processes(), "the end of its processes")
    assert not list(person.temporary.iterdir())
    assert not list(person.home.rglob("*.db"))  # the person's own data was not touched


def test_a_broken_bundle_is_found_out(bundle: Bundle, person: Person) -> None:
    """Without one of its libraries the smoke test fails and says why."""
    copy = person.home / "Chat"
    shutil.copytree(bundle.folder, copy, symlinks=True)
    shutil.rmtree(copy / "_internal" / "common" / "ui" / "assets" / "emoji")
    person.own(copy)
    status, said = person.run(copy / "ChatClient", "--smoke-test")
    assert status == 1
    assert "FAILED  window" in said


@BOTH
def test_a_wrong_command_line(bundle: Bundle, person: Person, name: str) -> None:
    """It is explained in one line, as from source."""
    status, said = person.run(bundle.program(name, "folder"), "--frobnicate")
    assert (status, said.count("\n")) == (2, 1)
    assert "--frobnicate" in said


@ALL
def test_without_a_display(bundle: Bundle, person: Person, name: str, form: str) -> None:
    """It says so in one line, and how to do without."""
    environment = {**person.environment, "DISPLAY": ""}
    program = person.start(bundle.program(name, form), environment=environment)
    assert program.ended() == (2 if name == "ChatServer" else 1)
    assert "can't open a window" in program.said


@ALL
def test_without_a_console(
    bundle: Bundle, person: Person, screen: Screen, name: str, form: str
) -> None:
    """With its three streams closed it runs, and ends with status 0."""
    extra = ["--port", "0"] if name == "ChatServer" else []
    program = person.start(bundle.program(name, form), *extra, console=False)
    window = screen.window(f"{name}$")
    if name == "ChatServer":
        running = person.home / ".local/share/ChatServer/running.json"
        wait_for(running.exists, "the server")
    window.quit()
    assert program.ended() == 0
    wait_for(lambda: not person.processes(), "the end of its processes")
    assert not list(person.temporary.iterdir())


@ALL
def test_a_signal_ends_it_orderly(
    bundle: Bundle, person: Person, screen: Screen, name: str, form: str
) -> None:
    """SIGTERM, as a system that shuts down sends it, closes the window."""
    extra = ["--port", "0"] if name == "ChatServer" else []
    program = person.start(bundle.program(name, form), *extra)
    screen.window(f"{name}$")
    program.signal(signal.SIGTERM)
    assert program.ended() == 0, program.said
    wait_for(lambda: not person.processes(), "the end of its processes")
    assert not list(person.temporary.iterdir())


def test_the_verbs_for_scripts(bundle: Bundle, person: Person) -> None:
    """A server without a window, and a message that a script sends and another one reads."""
    server = bundle.program("ChatServer", "file")
    client = bundle.program("ChatClient", "file")
    ready = person.home / "ready.json"
    loud = ("--log-level", "debug")
    program = person.start(
        *(server, "--headless", "--host", "127.0.0.1", "--port", "0", "--ready-file", ready, *loud)
    )
    wait_for(ready.exists, "the server")
    invite = json.loads(ready.read_text())["invite"]
    status, told = person.run(
        client, "send", "--join", invite, "--name", "robot", "It is done", *loud
    )
    assert status == 0, told
    status, said = person.run(client, "listen", "--after", "0", "--count", "1", "--json")
    assert status == 0, said
    bodies = [json.loads(line)["body"] for line in said.splitlines()]
    assert {"text": "It is done"} in bodies
    program.signal(signal.SIGTERM)
    assert program.ended() == 0
    # Even the most talkative log has neither texts nor names nor what lets one in.
    log = (person.home / ".local/share/ChatServer/log.txt").read_text()
    assert re.search(r"connection \d+ signed in from 127\.0\.0\.1", log)
    assert "robot" not in log
    [account] = person.home.rglob("account.json")
    secret = re.search(r"secret=([\w-]+)", invite)
    assert secret
    for hidden in ("It is done", secret[1], json.loads(account.read_text())["token"]):
        assert hidden not in log + program.said + told


def test_portable(bundle: Bundle, person: Person, screen: Screen) -> None:
    """With a folder "data" beside it, a program keeps everything in there."""
    copy = person.home / "stick"
    shutil.copytree(bundle.folder, copy, symlinks=True)
    (copy / "data").mkdir()
    person.own(copy)
    server = person.start(copy / "ChatServer", "--port", "0")
    wait_for((copy / "data/ChatServer/running.json").exists, "the server")
    client = person.start(copy / "ChatClient")
    screen.window("^ChatClient$").quit()
    screen.window("ChatServer$").quit()
    assert (server.ended(), client.ended()) == (0, 0)
    assert (copy / "data/ChatServer/chat.db").exists()
    assert (copy / "data/ChatClient/window.json").exists()
    assert not (person.home / ".local").exists()


def test_a_folder_that_is_in_use(bundle: Bundle, person: Person, screen: Screen) -> None:
    """A second ChatServer refuses to share the database until it is free, and says so."""
    first = person.start(bundle.program("ChatServer", "folder"), "--headless", "--port", "0")
    running = person.home / ".local/share/ChatServer/running.json"
    wait_for(running.exists, "the server")
    before = running.read_bytes()
    second = person.start(bundle.program("ChatServer", "file"), "--port", "0")
    dialog = screen.window("The server can")
    dialog.key("Return")  # "Try again"
    dialog = screen.window("The server can", new=True)
    assert "another ChatServer uses" in second.said
    assert running.read_bytes() == before
    first.signal(signal.SIGTERM)
    assert first.ended() == 0
    dialog.key("Return")
    wait_for(running.exists, "the second server")
    screen.window("^.+ ChatServer$").quit()
    assert second.ended() == 0


def test_it_is_no_larger_than_it_was_meant_to_be(bundle: Bundle) -> None:
    """Packed: 30 MB for the folder, 25 MB for a single file."""
    for path in bundle.files.iterdir():
        assert path.stat().st_size < 25e6, path.name
    [packed] = bundle.dist.glob("Chat-*.tar.xz")
    assert packed.stat().st_size < 30e6


def test_the_sums_are_right(bundle: Bundle) -> None:
    """Everything to be downloaded is in SHA256SUMS."""
    lines = (bundle.dist / "SHA256SUMS").read_text().splitlines()
    told = {name: digest for digest, name in (line.split("  ") for line in lines)}
    there = {path.name for path in bundle.dist.iterdir() if path.is_file()} - {"SHA256SUMS"}
    assert set(told) == there
    for name, digest in told.items():
        assert hashlib.sha256((bundle.dist / name).read_bytes()).hexdigest() == digest


def test_it_is_built_twice_the_same(bundle: Bundle, tmp_path: Path) -> None:
    """Another build of the same source has the same files, bit by bit."""
    again = tmp_path / "dist"
    command = [sys.executable, "-m", "build_specs.build", "--only-folder", "--dist", str(again)]
    # Whatever differs here from the first build must not be in what is built.
    other = {**os.environ, "TMPDIR": str(tmp_path), "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    subprocess.run(command, cwd=ROOT, env=other, check=True, capture_output=True)
    assert contents(again / "Chat") == contents(bundle.dist / "Chat")


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder, with its hash and whether it can be run."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(folder))] = f"{digest} {os.access(path, os.X_OK)}"
    return found
