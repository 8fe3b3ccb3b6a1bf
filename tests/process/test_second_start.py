"""A program started a second time, as a process with a window on a screen of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from common.domain.invite import Invite
from common.system.open_windows import FOLDER
from tests.process.desk import Desk, environment_of
from tests.process.harness import Child, House, Server, holds_within, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs X11 and /proc")
CLIENT: Final = "ChatClient$"
HOST: Final = "ChatServer$"
OTHER: Final = "^Another program$"


class Person:
    """Somebody at that screen, who starts programs; their data is in the usual folders."""

    def __init__(self, house: House, desk: Desk, home: Path) -> None:
        self.house, self.desk, self.home = house, desk, home
        self.data = home / ".local/share"
        self._has_other = False

    def start(self, program: str, *arguments: str, stdin: str = "", **more: str) -> Child:
        """Start one of the programs."""
        environment = {**self.desk.environment, **more}
        return self.house.child(
            f"{program} {' '.join(arguments)}", [program, *arguments], stdin=stdin,
            environment=environment,
        )  # fmt: skip

    def windows(self, title: str) -> list[str]:
        """The windows with a title like this that are on the screen."""
        return self.desk.ask("xdotool", "search", "--onlyvisible", "--name", title).split()

    def window(self, title: str) -> str:
        """The only one, once it is there."""
        found: list[str] = []

        def looked() -> bool:
            found[:] = self.windows(title)
            return bool(found)

        wait_until(looked, f"a window {title!r}")
        [window] = found
        return window

    def several(self, title: str, count: int) -> list[str]:
        """All of them, once there are so many."""
        found: list[str] = []

        def looked() -> bool:
            # One that is looked for again may be missed: xdotool fails when some window goes
            # meanwhile, and a window that gets its frame is off the screen.
            found[:] = self.windows(title)
            return len(found) == count

        wait_until(looked, f"{count} windows {title!r}")
        return found

    @property
    def active(self) -> str:
        """The window that has the keyboard."""
        return self.desk.ask("xdotool", "getactivewindow").strip()

    def is_in_front(self, window: str) -> None:
        """Wait until a window has the keyboard."""
        wait_until(lambda: self.active == window, "the window in front")

    def work(self) -> None:
        """Do something else, in the window of another program."""
        if not self._has_other:
            self._has_other = True
            self.house.child(
                "other program", ["tests.process.other"], environment=self.desk.environment
            )
        other = self.window(OTHER)

        def in_front() -> bool:
            # Asked again: a window manager that is still at another request may leave this one.
            self.desk.ask("xdotool", "windowactivate", other)
            return holds_within(lambda: self.active == other, 1)

        wait_until(in_front, "the other program in front")

    def type(self, *keys: str, text: str = "") -> None:
        """Type a text into the window in front, and press keys."""
        if text:
            self.desk.ask("xdotool", "type", "--delay", "12", text)
        for key in keys:
            self.desk.ask("xdotool", "key", key)

    def close(self, window: str, program: Child) -> None:
        """Close a window by its close button; the program ends well."""
        self.desk.ask("xdotool", "windowactivate", "--sync", window)
        self.type("alt+F4")
        assert program.status() == 0, program.transcript()

    def entries(self, program: str) -> list[Path]:
        """The entries of the open windows of a program."""
        return [*(self.data / program / FOLDER).glob("*")]


@pytest.fixture
def person(display: str, house: House) -> Iterator[Person]:
    """Somebody with an empty home."""
    for tool in ("xdotool", "xwininfo"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    home = house.folder / "home"
    home.mkdir()
    desk = Desk(environment_of(display, f"unix:path={home}/nobody", home))
    yield Person(house, desk, home)
    desk.end()


def join_as_ada(person: Person, listener: Child) -> None:
    """Type a name into the join screen in front, whose other fields are filled, and join."""

    def joined() -> bool:
        # Keys that come before the window has taken the keyboard go nowhere: again, then.
        person.type("ctrl+a")
        person.type("Return", text="Ada")
        return holds_within(lambda: len(listener.out) > 1, 2)

    wait_until(joined, "the joining")
    # The first keys may have come too early, and the others not.
    assert "ada".endswith(json.loads(listener.out[1])["sender"])


def processes_that_show(secret: str, but: int = 0) -> list[str]:
    """The processes of which lists show a secret, among arguments or in the environment.

    All of them `but` one, such as a desktop's own.
    """
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                shown = (folder / name).read_bytes()
            except OSError:
                continue
            if secret.encode() in shown and int(folder.name) not in {os.getpid(), but}:
                found.append(f"{name} of {folder.name}: {shown[:200]!r}")
    return found


def test_a_second_host_raises_the_first(person: Person) -> None:
    """Nothing is refused: the window that has the data folder comes to the front."""
    flags = ("--host", "127.0.0.1", "--port", "0", "--name", "Harbour Team")
    first = person.start("chat_server", *flags)
    window = person.window(f"^Harbour Team.*{HOST}")
    wait_until(lambda: len(person.entries("ChatServer")) == 1, "its entry")
    for shown in ("behind another one", "iconified"):
        person.work()
        if shown == "iconified":
            person.desk.ask("xdotool", "windowminimize", "--sync", window)
        second = person.start("chat_server", *flags)
        assert second.status() == 0, second.transcript()
        assert second.out == ["ChatServer is open already: its window comes to the front"]
        assert second.err == []
        person.is_in_front(window)
    assert person.window(HOST) == window
    person.close(window, first)
    assert person.entries("ChatServer") == []


def test_a_host_without_a_window_is_in_nobodys_way(person: Person, server: Server) -> None:
    """It has no window to raise: a second one is refused, as ever."""
    folder = str(server.data_dir)
    second = person.start("chat_server", "--headless", "--data-dir", folder, "--port", "0")
    assert second.status() == 2
    assert "another ChatServer uses" in second.err[0]


def stays(children: list[Child]) -> Child:
    """The one that goes on, once all others have ended."""
    wait_until(lambda: sum(child.running for child in children) == 1, "one of them to stay")
    [running] = [child for child in children if child.running]
    return running


def test_two_starts_at_once_are_one_window(person: Person) -> None:
    """Of both programs; whichever comes first, the other one waits for it."""
    for program, title in (("chat_server", HOST), ("chat_client", "^ChatClient$")):
        flags = ("--host", "127.0.0.1", "--port", "0") if program == "chat_server" else ()
        children = [person.start(program, *flags) for _ in range(3)]
        running = stays(children)
        for child in children:
            assert child is running or child.status() == 0, child.transcript()
        person.close(person.window(title), running)


def test_a_link_fills_the_window_that_is_open(person: Person, server: Server) -> None:
    """It comes to the front with the link in it; only the name is missing."""
    listener = person.house.client(server, "Bruno").listen()
    listener.printed(1)
    first = person.start("chat_client")
    window = person.window("^ChatClient$")
    wait_until(lambda: len(person.entries("ChatClient")) == 1, "its entry")
    person.work()
    second = person.start("chat_client", "--open-link", server.invite)
    assert second.status() == 0, second.transcript()
    person.is_in_front(window)
    assert person.window(CLIENT) == window
    join_as_ada(person, listener)
    wait_until(lambda: person.windows("general.*ChatClient$") == [window], "the conversation")
    # From now on the link is that of a chat that is open.
    person.work()
    for arguments in (["--open-link", server.invite], []):
        person.work()
        again = person.start("chat_client", *arguments)
        assert again.status() == 0, again.transcript()
        person.is_in_front(window)
    assert processes_that_show(server.join.secret) == []
    assert person.window(CLIENT) == window
    person.close(window, first)


@pytest.mark.parametrize("link", ["chat://10.0.0.1/join?secret=lost", "chat:", "not a link"])
def test_a_damaged_link_opens_a_window(person: Person, link: str) -> None:
    """Nobody sees what is printed: the window is there and says it, and goes on to be used."""
    program = person.start("chat_client", "--open-link", link)
    window = person.window("^ChatClient$")
    again = person.start("chat_client", "--open-link", link)
    assert again.status() == 0, again.transcript()
    assert program.running
    assert person.window("^ChatClient$") == window
    person.close(window, program)
    assert program.err == []


def test_another_account_gets_a_window_of_its_own(person: Person, server: Server) -> None:
    """By its name, by --new-window, and by a plain start where it is not open yet."""
    join = ("--join", server.invite)
    ada = person.start("chat_client", *join, "--name", "Ada")
    first = person.window("general.*ChatClient$")
    bruno = person.start("chat_client", *join, "--name", "Bruno")
    [second] = {*person.several("general.*ChatClient$", 2)} - {first}
    third = person.start("chat_client", "--new-window")
    person.close(person.window("^ChatClient$"), third)
    # Both are open: a plain start raises the one that was used last.
    for name, window in (("Bruno", second), ("Ada", first)):
        person.work()
        again = person.start("chat_client", "--name", name)
        assert again.status() == 0, again.transcript()
        person.is_in_front(window)
    person.close(first, ada)
    # One is not, and the one that was opened last is: then the other one is offered.
    further = person.start("chat_client")
    offered = person.window("^ChatClient$")
    person.close(offered, further)
    person.close(second, bruno)


def test_a_window_that_was_killed_is_no_window(person: Person, server: Server) -> None:
    """What it left leads nowhere, and goes."""
    first = person.start("chat_client")
    person.window("^ChatClient$")
    wait_until(lambda: len(person.entries("ChatClient")) == 1, "its entry")
    first.kill()
    assert len(person.entries("ChatClient")) == 1
    second = person.start("chat_client", "--open-link", server.invite)
    window = person.window("^ChatClient$")
    assert len(person.entries("ChatClient")) == 1
    person.close(window, second)


def test_a_window_that_hangs_is_not_relied_upon(person: Person, server: Server) -> None:
    """After some seconds, there is a window that works."""
    first = person.start("chat_client")
    window = person.window("^ChatClient$")
    wait_until(lambda: _is_reachable(person), "its port")
    first.process.send_signal(signal.SIGSTOP)
    second = person.start("chat_client", "--open-link", server.invite)
    [works] = {*person.several("^ChatClient$", 2)} - {window}
    person.close(works, second)
    first.process.send_signal(signal.SIGCONT)
    person.close(window, first)


def _is_reachable(person: Person) -> bool:
    found = [path.read_bytes() for path in person.entries("ChatClient")]
    return any(b'"port": ' in each and b'"port": 0' not in each for each in found)


@pytest.mark.parametrize("way", ["--join", "--join=", "--open-link", "environment", "verb"])
def test_an_invite_is_in_no_list_of_processes(person: Person, server: Server, way: str) -> None:
    """Not for the time that it takes to show a window, nor while it runs."""
    more: dict[str, str] = {}
    arguments = ["--join", server.invite, "--name", "Ada"]
    if way == "--join=":
        arguments = [f"--join={server.invite}", "--name", "Ada"]
    elif way == "--open-link":
        arguments = ["--open-link", server.invite]
    elif way == "environment":
        arguments, more = ["--name", "Ada"], {"CHAT_INVITE": server.invite}
    elif way == "verb":
        arguments = ["listen", *arguments]
    program = person.start("chat_client", *arguments, **more)
    if way == "verb":
        program.printed(1)
    else:
        person.window("ChatClient$")
    assert processes_that_show(server.join.secret) == []
    command = Path(f"/proc/{program.process.pid}/cmdline").read_bytes().split(b"\0")
    assert (b"*" * len(server.invite) in b"".join(command)) is (way != "environment")
    program.process.send_signal(signal.SIGTERM)
    assert program.status() == 0, program.transcript()


def test_the_invite_does_not_go_to_who_took_the_port(person: Person, server: Server) -> None:
    """Another program listens at the port of an entry: it gets a nonce, and nothing of the link."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        first = person.start("chat_client")
        person.window("^ChatClient$")
        wait_until(lambda: _is_reachable(person), "its port")
        [entry] = person.entries("ChatClient")
        port = listening.getsockname()[1]
        changed = re.sub(rb'"port": \d+', b'"port": %d' % port, entry.read_bytes())
        entry.write_bytes(changed)
        second = person.start("chat_client", "--open-link", server.invite)
        listening.settimeout(20)
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(20)
            connection.sendall(b'{"nonce": "00", "proof": "' + b"0" * 64 + b'"}\n')
            heard = b""
            while came := connection.recv(4096):
                heard += came
    assert heard.startswith(b'{"nonce"')
    assert b"chat" not in heard
    assert server.join.secret.encode() not in heard
    person.several("^ChatClient$", 2)
    for program in (first, second):
        program.process.send_signal(signal.SIGTERM)
        assert program.status() == 0, program.transcript()


def test_a_second_start_loads_no_window(person: Person, server: Server) -> None:
    """It is over in a part of the processor time that a first one takes."""
    first = person.start("chat_client")
    window = person.window("^ChatClient$")
    wait_until(lambda: _is_reachable(person), "its port")
    code = (
        "import sys; from chat_client.__main__ import main; status = main();"
        "sys.stderr.write(' '.join(sys.modules)); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--open-link", server.invite],
        cwd=Path(__file__).parents[2],
        env=person.desk.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stderr.split())
    assert "common.system.second_start" in loaded
    assert not loaded & {"tkinter", "common.ui", "pydantic", "ssl", "sqlite3", "PIL"}
    person.close(window, first)


def test_links_of_two_chats(person: Person, house: House) -> None:
    """Each goes to the window that has its chat, whichever was used last."""
    servers = [house.server("--name", name, name=name) for name in ("Harbour", "Market")]
    programs: list[Child] = []
    windows: list[str] = []
    for server in servers:
        programs.append(person.start("chat_client", "--join", server.invite, "--name", "Ada"))
        windows += {*person.several("general.*ChatClient$", len(programs))} - {*windows}
    for server, window in [*zip(servers, windows, strict=True)] * 2:
        link: Invite = server.join
        person.work()
        assert person.start("chat_client", "--open-link", link.link()).status() == 0
        person.is_in_front(window)
    person.several(CLIENT, 2)
    for window, program in zip(windows, programs, strict=True):
        person.close(window, program)


_REGISTER: Final = (
    "from chat_client.options import Options\n"
    "from chat_client.scheme_handler import scheme_handler\n"
    "scheme_handler(Options()).register()"
)


@pytest.mark.parametrize("opener", [("xdg-open",), ("gio", "open")], ids=["xdg-open", "gio"])
def test_the_desktop_opens_a_link(person: Person, server: Server, opener: tuple[str, ...]) -> None:
    """With the program closed, and open: it comes in whole, into one window."""
    if shutil.which(opener[0]) is None:
        pytest.skip(f"{opener[0]} is not installed")
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", _REGISTER], cwd=root, env=person.desk.environment, check=True
    )
    listener = person.house.client(server, "Bruno").listen()
    listener.printed(1)
    # With letters that have to be escaped, and more than one address.
    link = f"{server.invite}&also=10.0.0.7&name=Caf%C3%A9+%26+%22Bar%22"
    opened = subprocess.Popen([*opener, link], cwd="/", env=person.desk.environment)
    try:
        window = person.window("^ChatClient$")
        wait_until(lambda: _is_reachable(person), "its port")
        assert processes_that_show(server.join.secret, but=opened.pid) == []
        person.desk.ask("xdotool", "windowactivate", "--sync", window)
        person.is_in_front(window)
        join_as_ada(person, listener)
        wait_until(lambda: person.windows("general.*ChatClient$") == [window], "the conversation")
        person.work()
        subprocess.run([*opener, link], cwd="/", env=person.desk.environment, check=True)
        person.is_in_front(window)
        assert person.window(CLIENT) == window
        person.type("alt+F4")
        wait_until(lambda: person.entries("ChatClient") == [], "the end of the program")
    finally:
        opened.kill()
        opened.wait()
        for pid in processes_of(person):
            os.kill(pid, signal.SIGKILL)


def processes_of(person: Person) -> list[int]:
    """The programs of ours that a desktop has started for somebody."""
    mine = f"HOME={person.home}\0".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mine in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    started = {child.process.pid for child in person.house.children}
    return [pid for pid in found if pid not in started]
