#!/usr/bin/env python3
"""The one door to the project: makes .venv on first use, then runs, tests, lints or locks.

    python3 dev.py run             the host's window, and a client that has already joined
    python3 dev.py run client      one more client, under another name
    python3 dev.py test [ARGS]     all tests; ARGS go to pytest
                                   --tier unit: those of one (process, gui, frozen, soak)
    python3 dev.py coverage        how much of the code the quick tests run
    python3 dev.py build           everything that users download, in dist/
    python3 dev.py bench startup   how quickly what was built starts, beside a bare window
    python3 dev.py bench server    how much the server delivers, beside its peers
    python3 dev.py bench client    how quickly the client's window answers
    python3 dev.py bench strain    frozen clients, hostile crowds; soak: half an hour of everything
    python3 dev.py torture         everything goes wrong, and a checker looks for what was lost
    python3 dev.py lint | format | lock | screenshots

Standard library only. It and build_specs/setup_env.py keep to syntax that Python 3.8 parses, so
that a Python too old for the project gets a sentence instead of a SyntaxError.

Exit codes: that of the command it ran; 1 when what was asked for failed; 2 when the set-up or the
command line is at fault; 130 after Ctrl+C.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from build_specs.setup_env import (
    LOCK,
    NAMES,
    OLDEST,
    ROOT,
    DevError,
    environment,
    has_display,
    hold,
    other_versions,
    say,
    writable_checkout,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

RUNTIME_LOCK = ROOT / "build_specs" / "requirements.txt"
DEV = ROOT / ".dev"  # the dev server's and clients' data, kept from run to run
READY = DEV / "server" / "ready.json"

ENDING = [signal.SIGINT, signal.SIGTERM]
if sys.platform != "win32":  # where there is none
    ENDING.append(signal.SIGHUP)

READY_WITHIN = 60.0  # seconds; a first start makes a key and a database
HEARD_WITHIN = 30.0
ENDED_WITHIN = 10.0

TIERS = ["unit", "process", "gui", "frozen", "soak"]  # tests/tiers.py says what they are
# Of pytest; a test waits more than it works. A worker that crashed is not replaced: the run has
# failed, and pytest-xdist 3.8, which then hands out finished groups again, may wait for ever.
WORKERS = ["-n", "2", "--max-worker-restart=0"]
COVERAGE = ["--cov", "--cov-report=term"]
# Tests start hundreds of programs. Where the environment says that no bytecode is to be left beside
# the sources, as containers' often do, each of them would compile all it imports.
BYTECODE = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(DEV / "bytecode")}
# What is tested with the other Pythons: with the newest what may differ on it, with those between
# the units alone: what works with the oldest and the newest hardly breaks between them. The rest,
# and what is slow and alike on all, is with one.
NEWEST = ["-m", "unit or process", "--ignore=tests/torture"]
BETWEEN = ["-m", "unit"]

CONVERSATION = [
    ("ada", "Hello Bruno, can you read this?"),
    ("bruno", "Every word. And you read mine?"),
    ("ada", "Yes. One server, two clients, and no window anywhere."),
    ("bruno", "Encrypted, too: the invite carries the server's fingerprint."),
    ("ada", "Then that is all there was to show."),
    ("bruno", "Until soon, Ada."),
]


# --- running the programs ---------------------------------------------------------------------


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Let signals that end this program take effect only when the block is left.

    Otherwise one may come between a child's start and the line that notes it, and nobody would
    end that child.
    """
    came: list[int] = []
    former = {
        number: signal.signal(number, lambda number, _: came.append(number)) for number in ENDING
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for one in came:
            signal.raise_signal(one)


class Children:
    """The programs started here. Leaving the block ends those that still run, newest first."""

    def __init__(self, python: Path) -> None:
        self._python = python
        self._started: list[subprocess.Popen[str]] = []

    def start(
        self, module: str, *arguments: object, out: int | None = None
    ) -> subprocess.Popen[str]:
        command = [str(self._python), "-m", module, *map(str, arguments)]
        # In a session of its own: Ctrl+C reaches dev.py alone, which then ends them in order. One
        # that got it, too, in the middle of its imports would answer with a traceback.
        with signals_held():
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                encoding="utf-8",
                start_new_session=True,
            )
            self._started.append(child)
        return child

    def __enter__(self) -> Children:  # noqa: PYI034 - Self is newer than Python 3.8
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self._started):
            stop(child)


def stop(child: subprocess.Popen[str]) -> int:
    """End a program that still runs, asking first; return its exit code."""
    if child.poll() is None:
        child.terminate()
    try:
        return child.wait(ENDED_WITHIN)
    except subprocess.TimeoutExpired:
        say(f"process {child.pid} does not end by itself; killing it")
        child.kill()
        return child.wait()


def read_ready(path: Path) -> dict[str, Any]:
    """Read what a server writes once it listens; empty while there is nothing whole to read."""
    with contextlib.suppress(OSError, ValueError):
        ready: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return ready
    return {}


def await_ready(server: subprocess.Popen[str], path: Path) -> dict[str, Any]:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        ready = read_ready(path)
        if ready:
            say(f"the server listens on port {ready['port']}")
            return ready
        if server.poll() is not None:
            raise DevError(f"the server ended with code {server.returncode} at its start", 1)
        time.sleep(0.02)
    raise DevError(f"the server was not ready within {READY_WITHIN:.0f} seconds", 1)


def running_server() -> dict[str, Any]:
    """Read what the dev server wrote, if it still listens; else empty."""
    ready = read_ready(READY)
    with contextlib.suppress(OSError, KeyError):
        socket.create_connection(("127.0.0.1", ready["port"]), timeout=2).close()
        return ready
    return {}


def login_name() -> str:
    """Make this person's login into a username of the chat."""
    try:
        login = getpass.getuser()
    except (ImportError, KeyError, OSError):  # not in the user database, and no LOGNAME either
        login = ""
    # With an ending: a login such as "admin" alone is not for people in a chat.
    return (re.sub(r"[^A-Za-z0-9_-]+", "-", login)[:20].strip("-_") + "-dev").lstrip("-")


def run_host(python: Path) -> int:
    """Open the host's window and a client's; ends when the host's window is closed."""
    if running_server():
        raise DevError("a dev server already runs; add a client with: dev.py run client", 1)
    with writable_checkout():
        DEV.mkdir(exist_ok=True)
    READY.unlink(missing_ok=True)
    options = ["--data-dir", READY.parent, "--name", "Chat (dev)", "--port", 0]
    with Children(python) as children:
        server = children.start("chat_server", *options, "--ready-file", READY)
        invite = await_ready(server, READY)["invite"]
        say("closing the host's window ends everything")
        options = ["--join", invite, "--name", login_name(), "--data-dir", DEV / "client1"]
        client = children.start("chat_client", *options)
        while server.poll() is None:
            if client.poll():
                raise DevError(f"the client ended with code {client.returncode}", 1)
            time.sleep(0.1)
        return server.returncode


def run_client(python: Path, name: str | None) -> int:
    """Open one more client's window, in the first data folder that no other client uses."""
    invite = running_server().get("invite")
    if invite is None:
        raise DevError("no dev server runs; start one with: dev.py run", 1)
    number = 2
    held = hold(DEV / f"client{number}.lock")
    while held is None:
        number += 1
        held = hold(DEV / f"client{number}.lock")
    options = ["--join", invite, "--name", name or f"{login_name()}-{number}"]
    with held, Children(python) as children:
        return children.start("chat_client", *options, "--data-dir", DEV / f"client{number}").wait()


# --- the same without windows -----------------------------------------------------------------


class Listeners:
    """What the headless clients print, shown as it comes and kept by client."""

    def __init__(self) -> None:
        self.seen: dict[str, list[tuple[str, str]]] = {}
        self._lines: queue.Queue[tuple[str, str]] = queue.Queue()

    def add(self, name: str, listener: subprocess.Popen[str]) -> None:
        def pump() -> None:
            for line in listener.stdout or ():
                self._lines.put((name, line))

        self.seen[name] = []
        threading.Thread(target=pump, daemon=True).start()

    def take(self) -> str:
        """Wait for one event, show it if it is a message, and return who saw it."""
        try:
            name, line = self._lines.get(timeout=HEARD_WITHIN)
        except queue.Empty:
            raise DevError(f"nothing more was seen for {HEARD_WITHIN:.0f} seconds", 1) from None
        event = json.loads(line)
        if event["kind"] == "message":
            text = event["body"]["text"]
            print(f"[{name} sees]  {event['sender']}: {text}", flush=True)
            self.seen[name].append((event["sender"], text))
        return name


def run_headless(python: Path) -> int:
    """Run a server and two clients that talk, and show each line as each of them sees it."""
    with tempfile.TemporaryDirectory(prefix="chat-") as folder, Children(python) as children:
        data = Path(folder)
        ready_file = data / "ready.json"
        options = ["--headless", "--host", "127.0.0.1", "--log-level", "warning", "--port", 0]
        options += ["--data-dir", data / "server", "--ready-file", ready_file]
        server = children.start("chat_server", *options)
        invite = await_ready(server, ready_file)["invite"]
        listeners = Listeners()
        listening = []
        room = ["--room", "general"]
        for name in ("ada", "bruno"):
            options = ["--json", "--join", invite, "--name", name, "--data-dir", data / name]
            listener = children.start("chat_client", "listen", *room, *options, out=subprocess.PIPE)
            listeners.add(name, listener)
            listening.append(listener)
        joined: set[str] = set()
        while joined != set(listeners.seen):
            joined.add(listeners.take())
        for name, text in CONVERSATION:
            options = [*room, "--data-dir", data / name, text]
            sending = children.start("chat_client", "send", *options, out=subprocess.DEVNULL)
            if sending.wait(HEARD_WITHIN):
                raise DevError(f"{name}'s client ended with code {sending.returncode}", 1)
        while min(map(len, listeners.seen.values())) < len(CONVERSATION):
            listeners.take()
        # Before the server, or their last words would be that they have lost it.
        for listener in listening:
            stop(listener)
        code = stop(server)
    if any(messages != CONVERSATION for messages in listeners.seen.values()):
        raise DevError("what they saw is not what was sent, once each and in order", 1)
    # Windows has no SIGTERM: there, it is terminate() that sets the exit code.
    if code and sys.platform != "win32":
        raise DevError(f"the server ended with code {code}", 1)
    say(f"it works: both saw all {len(CONVERSATION)} messages, once each and in order")
    return 0


# --- subcommands ------------------------------------------------------------------------------


def call(python: Path, *arguments: str, **variables: str) -> int:
    """Run a Python command in the repository, on this terminal; return its exit code."""
    return subprocess.call([str(python), *arguments], cwd=ROOT, env={**os.environ, **variables})


def run(options: argparse.Namespace) -> int:
    if has_display() and not options.headless:
        python = environment(tk=True)
        return run_client(python, options.name) if options.what else run_host(python)
    if options.what:
        raise DevError("there is no display for a client's window")
    if not options.headless:
        say("there is no display, so here is the same conversation without windows")
    return run_headless(environment())


def test(options: argparse.Namespace) -> int:
    code = pytest(environment(tk=True, screen=True, freeze=True), options)
    others = other_versions() if options.all_pythons else []
    # Stops at the first failure, so that the last line is pytest's own and tells how it went.
    for other in others if not code else ():
        say("and now with Python {}.{}.{}".format(*other.version))
        chosen = [*NEWEST, *COVERAGE] if other is others[-1] else BETWEEN
        python = environment(tk=True, other=other)
        code = pytest(python, options, *chosen)
        if code:
            break
    return code


def coverage(options: argparse.Namespace) -> int:
    options.tier = options.tier or "unit"
    return pytest(environment(tk=True, screen=True), options, "--cov", "--cov-report=term-missing")


def pytest(python: Path, options: argparse.Namespace, *arguments: str) -> int:
    """Run tests: several at a time, but for those that are named or looked into."""
    rest = options.rest
    named = any((ROOT / one.partition("::")[0]).exists() for one in rest if one[:1] != "-")
    alone = named or {"-n", "-s", "--pdb", "--capture=no"}.intersection(rest)
    tier = ["-m", options.tier] if options.tier else []
    return call(
        python, "-m", "pytest", *[] if alone else WORKERS, *arguments, *tier, *rest, **BYTECODE
    )


def build(options: argparse.Namespace) -> int:
    python = environment(tk=True, freeze=True)
    return call(python, "-m", "build_specs.build", *["--only-folder"] * options.only_folder)


def bench(options: argparse.Namespace) -> int:
    python = environment(tk=True, screen=True, freeze=True)
    return call(python, "-m", f"tests.bench.{options.what}", *options.rest)


def torture(options: argparse.Namespace) -> int:
    return call(environment(), "-m", "tests.torture", *options.rest)


def screenshots(_: argparse.Namespace) -> int:
    folder = str(ROOT / "docs" / "images")
    python = environment(tk=True, screen=True)
    return call(python, "-m", "pytest", "tests/gui/test_screenshots.py", CHAT_SCREENSHOTS=folder)


def lint(_: argparse.Namespace) -> int:
    python = environment()
    tools = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"])
    codes = [call(python, "-m", *tool) for tool in tools]  # all three, whatever the first says
    return max(codes)


def mend(_: argparse.Namespace) -> int:
    python = environment()
    return call(python, "-m", "ruff", "check", "--fix") | call(python, "-m", "ruff", "format")


def lock(options: argparse.Namespace) -> int:
    """Pin every package for every system, by hash, with nothing of this machine's indexes."""
    compile_ = "-m uv pip compile pyproject.toml --quiet --universal --python-version 3.11"
    compile_ += " --generate-hashes --no-header --no-emit-index-url --no-emit-find-links"
    command = compile_.split() + ["--upgrade"] * options.upgrade + ["--output-file"]
    python = environment()
    code = call(python, *command, LOCK.name, "--group", "dev")
    # Users get the versions that were tested.
    return code or call(python, *command, RUNTIME_LOCK.name, "--constraint", LOCK.name)


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Tell our options from pytest's, wherever they stand."""
    ours, rest = arguments[:1], arguments[1:]
    for option in ("--all-pythons", "-h", "--help"):
        if option in rest:
            rest.remove(option)
            ours.append(option)
    for at, option in enumerate(rest):
        if option.split("=")[0] == "--tier":
            size = 1 if "=" in option else 2
            return ours + rest[at : at + size], rest[:at] + rest[at + size :]
    return ours, rest


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dev.py", description="Run, test and check Chat. The first use sets it up in .venv."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(
        name: str, action: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        one.set_defaults(action=action)
        return one

    one = command("run", run, "open the host's window and a client that has joined")
    one.add_argument("what", nargs="?", choices=["client"], help="only one more client")
    one.add_argument("--name", help="the added client's username")
    one.add_argument("--headless", action="store_true", help="show a conversation without windows")
    one = command("test", test, "run all tests; other arguments go to pytest")
    one.add_argument("--all-pythons", action="store_true", help="with every other CPython, too")
    one.add_argument("--tier", choices=TIERS, help="only these tests")
    one = command("coverage", coverage, "tell how much of the code tests run; likewise")
    one.add_argument("--tier", choices=TIERS, help="which tests (unit)")
    one.set_defaults(all_pythons=False)
    one = command("build", build, "make the programs that users download, in dist/")
    one.add_argument("--only-folder", action="store_true", help="no archives and packages")
    one = command("bench", bench, "measure; other arguments go to the benchmark")
    one.add_argument("what", choices=["client", "server", "soak", "startup", "strain"])
    command("torture", torture, "try the promises under faults; other arguments go to that")
    command("lint", lint, "check with ruff and mypy")
    command("format", mend, "mend and format with ruff")
    one = command("lock", lock, "pin all packages in build_specs/requirements*.txt")
    one.add_argument("--upgrade", action="store_true", help="move to the newest versions")
    command("screenshots", screenshots, "draw the pictures in docs/images anew")

    # argparse would reorder or take what is meant for others, so it doesn't get to see that.
    rest: list[str] = []
    if arguments[:1] in (["test"], ["coverage"]):
        arguments, rest = split(arguments)
    elif arguments[:1] == ["bench"]:
        arguments, rest = arguments[:2], arguments[2:]
    elif arguments[:1] == ["torture"]:
        arguments, rest = arguments[:1], arguments[1:]
    options = parser.parse_args(arguments)
    options.rest = rest
    return options


def end_on_signal(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)  # unwinds, which ends the children


def main() -> int:
    version = sys.version_info[:2]
    if version < OLDEST:
        newer = [name for name in NAMES[1:] if shutil.which(name)]
        say("this needs Python {}.{} or newer, and this is {}.{}".format(*OLDEST, *version))
        if newer:
            say("this machine may have it: try " + " or ".join(newer))
        return 2
    options = parse(sys.argv[1:])
    for number in ENDING:
        if number != signal.SIGINT:  # which is KeyboardInterrupt already
            signal.signal(number, end_on_signal)
    try:
        code: int = options.action(options)
    except DevError as error:
        say(f"error: {error}")
        return error.code
    except KeyboardInterrupt:
        say("stopped")
        return 128 + signal.SIGINT
    return code


if __name__ == "__main__":
    sys.exit(main())
