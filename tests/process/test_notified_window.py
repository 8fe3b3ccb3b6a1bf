"""The real window on a desktop with a notification server and sounds; the others write by scripts.

What is shown is clicked with the mouse; what is heard is recorded.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from common.desktop.sound import Sound
from common.domain.invite import parse_invite
from tests.process.desk import DUNST, OF_XFCE, XFCE, Desk, Kind, environment_of
from tests.process.harness import Child, Client, House, Listener, Server, wait_until
from tests.process.session_bus import SERVICES, session_bus
from tests.process.sound_server import SoundServer, original

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="notification servers are of Linux desktops"
)

DIRECT: Final = "@ada.lindqvist"


@dataclass
class Office:
    """A desk at which Ada's window is open. Bruno writes to her, and hears what she says."""

    desk: Desk
    house: House
    server: Server
    ada: Client
    bruno: Client
    listener: Listener
    program: Child
    window: str
    other: str
    """The window of another program."""

    @property
    def title(self) -> str:
        """Of Ada's window: which room is open, and how much is unread."""
        return self.desk.ask("xdotool", "getwindowname", self.window).strip()

    @property
    def in_front(self) -> bool:
        """Whether Ada's window has the keyboard."""
        return self.desk.ask("xdotool", "getactivewindow").strip() == self.window

    def titled(self, pattern: str) -> None:
        """Wait for a title."""
        wait_until(lambda: re.search(pattern, self.title) is not None, f"{pattern!r} in the title")

    def come(self) -> None:
        """Bring Ada's window to the front."""
        self.desk.ask("xdotool", "windowactivate", "--sync", self.window)
        wait_until(lambda: self.in_front, "Ada's window in front")

    def go(self) -> None:
        """Work with the other program."""
        self.desk.ask("xdotool", "windowactivate", "--sync", self.other)
        wait_until(lambda: not self.in_front, "the other program in front")

    def echoes(self, text: str, listener: Listener | None = None) -> None:
        """Type a message into Ada's window: Bruno hears it, so the window is alive."""
        listener = listener or self.listener
        self.come()
        self.desk.ask("xdotool", "type", "--delay", "12", text)

        def is_sent() -> bool:
            """Until the composer is on the screen, letters get there, and Return does not."""
            self.desk.ask("xdotool", "key", "Return")
            return any(json.loads(line)["body"].get("text") == text for line in listener.out)

        wait_until(is_sent, f"{text!r} to be heard")
        while listener.message().text != text:
            pass

    def close(self) -> None:
        """Close the window by its close button; it ends, with all its threads."""
        self.desk.ask("xdotool", "windowclose", self.other)
        self.come()
        self.desk.ask("xdotool", "key", "alt+F4")
        assert self.program.status() == 0, self.program.transcript()


Furnish = Callable[..., Office]


@pytest.fixture
def desks() -> Iterator[list[Desk]]:
    """Those that a test has furnished: whatever is started there is ended."""
    desks: list[Desk] = []
    yield desks
    for desk in desks:
        desk.end()


@pytest.fixture
def furnish(display: str, house: House, desks: list[Desk]) -> Furnish:
    """Makes an office on a bus at an address; skips the test where a tool is missing."""
    for tool in ("xdotool", "xwininfo", "dunst"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")

    def furnish(address: str, settings: dict[str, Any] | None = None, **more: str) -> Office:
        home = house.folder / "home"
        home.mkdir()
        desk = Desk({**environment_of(display, address, home), **more})
        desks.append(desk)
        server = house.server("--name", "Harbour Team")
        ada, bruno = house.client(server, "Ada Lindqvist"), house.client(server, "Bruno Okafor")
        ada.ask("people")
        if settings is not None:
            write_settings(ada.data_dir, settings)
        listener = bruno.listen()
        flags = ["--data-dir", str(ada.data_dir), "--theme", "light", "--log-level", "info"]
        program = house.child("window", ["chat_client", *flags], environment=desk.environment)
        house.child("other program", ["tests.process.other"], environment=desk.environment)
        windows = [
            window_of(desk, "Harbour Team.*ChatClient$"),
            window_of(desk, "^Another program$"),
        ]
        office = Office(desk, house, server, ada, bruno, listener, program, *windows)
        office.echoes("hello")
        return office

    return furnish


def window_of(desk: Desk, title: str) -> str:
    """The window with a title like this regular expression in ASCII, once it is there."""
    found: list[str] = []

    def looked() -> bool:
        found[:] = desk.ask("xdotool", "search", "--onlyvisible", "--name", title).split()
        return bool(found)

    wait_until(looked, f"a window {title!r}")
    return found[-1]


def write_settings(data_dir: Path, notifications: dict[str, Any]) -> None:
    """Change the settings in their file, as a person may."""
    content = {"format": 1, "notifications": notifications}
    (data_dir / "settings.json").write_text(json.dumps(content), "utf-8")


@pytest.fixture(params=[DUNST, XFCE], ids=["dunst", "xfce"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Two notification servers: one that the bus knows, one that it starts."""
    kind: Kind = request.param
    if kind is XFCE and not (SERVICES / OF_XFCE[0]).exists():
        pytest.skip(f"{kind.command} is not installed")
    return kind


def test_it_is_shown_and_clicked(
    furnish: Furnish, kind: Kind, tmp_path: Path, display: str
) -> None:
    """With a real mouse, from iconified: the window is in front, in the right room."""
    services = OF_XFCE if kind is XFCE else ()
    (tmp_path / "bus").mkdir()
    with session_bus(tmp_path / "bus", *services, DISPLAY=display) as address:
        office = furnish(address)
        desk = office.desk
        if kind is DUNST:
            desk.start(DUNST)
        desk.ask("xdotool", "windowminimize", "--sync", office.window)
        office.bruno.send("first", "--room", DIRECT)
        wait_until(lambda: len(desk.notifications()) == 1, "a notification")
        office.bruno.send("second", "--room", DIRECT)
        office.titled(r"^\(2\) general")
        desk.click(kind.open, in_corner=kind.in_corner)
        office.titled("^Bruno Okafor")
        wait_until(lambda: office.in_front, "the window in front")
        wait_until(lambda: not desk.notifications(), "the notification to go")
        # Read in front, the next one is not told; and it is seen.
        office.bruno.send("third", "--room", DIRECT)
        office.echoes("fourth", office.bruno.listen("--room", DIRECT, "--after", "0"))
        assert not desk.notifications()
        office.close()


def test_what_is_read_is_taken_away(furnish: Furnish, tmp_path: Path) -> None:
    """By coming to the window; a text is on the screen as it was typed, however long."""
    text = "<b>@Ada Lindqvist</b> &amp; <a href='x'>you</a>\nand\r\nyou " + 15000 * "x"
    (tmp_path / "bus").mkdir()
    with session_bus(tmp_path / "bus") as address:
        office = furnish(address)
        desk = office.desk
        desk.start(DUNST)
        office.go()
        office.bruno.ask("send", stdin=text)
        wait_until(lambda: desk.displayed() == 1, "the notification")
        office.titled(r"^\(1\) general")
        office.come()
        wait_until(lambda: desk.displayed() == 0, "it to go")
        office.titled("^general")
        wait_until(lambda: bool(desk.history()), "it to be put away")
        (put_away,) = desk.history()
        title, body = put_away["message"].strip("\n").split("\n")
        drawn = [html.unescape(re.sub(r"</?[a-z]+>", "", part)) for part in (title, body)]
        assert drawn[0].endswith("Bruno Okafor mentioned you in #general")
        begin = "<b>@Ada Lindqvist</b> &amp; <a href='x'>you</a> and you "
        assert drawn[1] == f"{begin}{(199 - len(begin)) * 'x'}…"
        office.close()


def test_a_server_that_hangs_dies_and_comes_again(furnish: Furnish, tmp_path: Path) -> None:
    """Nobody waits for it: the window takes keys, and closes. What was read is never shown."""
    (tmp_path / "bus").mkdir()
    with session_bus(tmp_path / "bus") as address:
        office = furnish(address)
        desk = office.desk
        server = desk.start(DUNST)
        wait_until(
            lambda: desk.displayed() == 0 and "dunst" in desk.ask("dunstctl", "debug"), "dunst"
        )
        office.go()
        office.bruno.send("@Ada Lindqvist one")
        wait_until(lambda: desk.displayed() == 1, "the notification")
        server.send_signal(signal.SIGSTOP)
        office.bruno.send("two", "--room", DIRECT)
        office.titled(r"^\(2\) general")
        office.echoes("while it hangs")  # and reads what is in the room that is open
        server.send_signal(signal.SIGCONT)
        wait_until(lambda: desk.displayed() == 1, "the other room's alone")
        server.kill()
        server.wait()
        office.echoes("while there is none")
        office.go()
        office.bruno.send("@Ada Lindqvist three")
        office.titled(r"^\(2\) general")
        server = desk.start(DUNST)
        wait_until(lambda: desk.displayed() == 1, "the notification on the next one")
        desk.click(DUNST.open)
        office.titled(r"^\(1\) general")
        wait_until(lambda: office.in_front, "the window in front")
        server.send_signal(signal.SIGSTOP)
        office.go()
        office.bruno.send("@Ada Lindqvist four")
        office.titled(r"^\(2\) general")
        office.close()


@pytest.fixture
def sounds(tmp_path: Path) -> Iterator[SoundServer]:
    """A sound server that records."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    sounds = SoundServer(folder)
    yield sounds
    sounds.stop()


def test_each_sound_is_heard_once(furnish: Furnish, sounds: SoundServer, tmp_path: Path) -> None:
    """Without a bus, too. None for what is read, none while nothing may disturb."""
    nobody = f"unix:path={tmp_path}/nobody"
    home = str(tmp_path / "sounds")
    office = furnish(nobody, {"volume": 100}, PULSE_SERVER=sounds.address, HOME=home)
    pause = 1.2  # more than two sounds have to be apart
    office.bruno.send("@Ada Lindqvist, you read this")
    office.echoes("yes")
    office.go()
    office.bruno.send("@Ada Lindqvist, you do not")
    sounds.until_heard(1, pause)
    office.bruno.ask("send", "--room", DIRECT, "--lines", stdin="a burst of\nsome\nmessages\n")
    sounds.until_heard(2, pause)
    office.titled(r"^\(4\) general")
    write_settings(
        office.ada.data_dir, {"volume": 100, "do_not_disturb": {"until": "until turned off"}}
    )
    office.come()  # takes the settings over
    office.go()
    office.bruno.send("@Ada Lindqvist, not now")
    office.titled(r"^\(4\) general")
    write_settings(office.ada.data_dir, {"volume": 100})
    office.come()
    fail(office)
    played = sounds.until_heard(3, pause)
    expected = [original(sound) for sound in (Sound.MENTION, Sound.MESSAGE, Sound.FAILED)]
    assert [each.length for each in played] == pytest.approx(
        [each.length for each in expected], abs=0.03
    )
    assert [each.peak for each in played] == pytest.approx(
        [each.peak for each in expected], rel=0.1
    )
    office.close()
    assert any("notifications: no_bus" in line for line in office.program.err)


def fail(office: Office) -> None:
    """Have a message of Ada's refused: she writes it while she is not connected, and is muted."""
    server = office.server
    port = server.port
    server.kill()
    office.desk.ask("xdotool", "type", "--delay", "12", "too late")
    office.desk.ask("xdotool", "key", "Return")
    # Where she does not look for it.
    server.port = 0
    server.start()
    folder = str(server.data_dir)
    mute = ["chat_server", "ctl", "mute", "ada.lindqvist", "--data-dir", folder]
    assert office.house.child("mute", mute).status() == 0
    server.stop()
    server.port = port
    server.start()


def test_the_host_hears_of_who_is_refused(
    display: str, house: House, desks: list[Desk], sounds: SoundServer, tmp_path: Path
) -> None:
    """In ChatServer's window behind another one; a click brings it to the front."""
    for tool in ("xdotool", "xwininfo", "dunst"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    (tmp_path / "bus").mkdir()
    with session_bus(tmp_path / "bus") as address:
        home, ready = tmp_path / "sounds", tmp_path / "ready.json"
        known = {**environment_of(display, address, home), "PULSE_SERVER": sounds.address}
        desk = Desk(known)
        desks.append(desk)
        flags = ["--host", "127.0.0.1", "--port", "0", "--name", "Harbour Team"]
        flags += ["--data-dir", str(tmp_path / "host"), "--ready-file", str(ready)]
        (tmp_path / "host").mkdir(mode=0o700)
        write_settings(tmp_path / "host", {"volume": 100})
        desk.start(DUNST)
        program = house.child("host", ["chat_server", *flags], environment=known)
        wait_until(ready.exists, "the server")
        host = window_of(desk, "^Harbour Team.*ChatServer$")
        house.child("other program", ["tests.process.other"], environment=known)
        other = window_of(desk, "^Another program$")
        desk.ask("xdotool", "windowactivate", "--sync", other)
        invite = parse_invite(json.loads(ready.read_bytes())["invite"])
        wrong = replace(invite, secret=invite.secret[::-1]).link()
        mallory = Client(house, tmp_path / "mallory", "Mallory", wrong)
        assert mallory.run("send", "let me in").status() == 1
        (heard,) = sounds.until_heard(1, 0)
        assert heard.length == pytest.approx(original(Sound.KNOCK).length, abs=0.03)
        wait_until(lambda: desk.displayed() == 1, "the notification")
        desk.click(DUNST.open)
        wait_until(
            lambda: desk.ask("xdotool", "getactivewindow").strip() == host, "the window in front"
        )
        desk.ask("xdotool", "key", "alt+F4")
        assert program.status() == 0, program.transcript()
