"""Notifications on a real bus, by the notification servers that people have."""

from __future__ import annotations

import contextlib
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

import pytest

from common.desktop.dbus import DBusNotifier
from common.desktop.notification import Notification
from common.desktop.notifier import Activated, App, Code, Dismissed, Event, Found
from tests.process.session_bus import SERVICES, session_bus
from tests.x_server import x_server

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="notification servers are of Linux desktops"
)

ROOT: Final = Path(__file__).parents[2]
_LOOK: Final = """
from pathlib import Path
from common.desktop.smoke import look_at_desktop
print(look_at_desktop(Path()))
"""
APP: Final = App("Chat", "lan.chat.ChatClient")
DEADLINE: Final = 20.0


@dataclass(frozen=True)
class Kind:
    """A notification server, and what people do with it."""

    command: str
    name: str
    open: str
    """The mouse button that opens what is shown."""
    in_corner: bool = False
    """Whether that is done on a button at the bottom."""
    dismiss: str = ""
    """The mouse button that takes it away, where there is one."""


DUNST: Final = Kind("dunst", "dunst", "2", dismiss="1")
GNOME: Final = Kind("/usr/lib/notification-daemon/notification-daemon", "Notification Daemon", "1")
XFCE: Final = Kind("xfce4-notifyd", "Xfce Notify Daemon", "1", in_corner=True)
"""The bus starts it, and what it needs."""
_OF_XFCE: Final = ("org.xfce.xfce4-notifyd.Notifications.service", "org.xfce.Xfconf.service")
_THAT_CLOSE: Final = (DUNST, XFCE)
"""The other one says that it has closed a notification, and shows it until it expires."""
_NO_SCREEN_READER: Final = {"NO_AT_BRIDGE": "1", "GTK_A11Y": "none"}
"""GTK would start another bus for it."""


@dataclass
class Desk:
    """A display, a bus, and a program that shows notifications."""

    environment: dict[str, str]
    told: SimpleQueue[Event] = field(default_factory=SimpleQueue)
    late: float = 0.0
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.notifier = DBusNotifier(APP, self.told.put, lambda: time.monotonic() + self.late)

    def start(self, kind: Kind) -> subprocess.Popen[bytes]:
        """Start a notification server, and wait until it is one."""
        server = subprocess.Popen(
            [kind.command],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.servers.append(server)
        return server

    def until(self, *expected: object) -> object:
        """Wait until one of these is told, or a state with one of these codes."""
        end = time.monotonic() + DEADLINE
        while True:
            try:
                event = self.told.get(timeout=max(0.0, end - time.monotonic()))
            except Empty:
                pytest.fail(f"waited {DEADLINE:.0f} s for {expected}")
            if event in expected:
                return event
            if isinstance(event, Found) and event.state.code in expected:
                return event.state

    def available(self) -> str:
        """The name of the server, once there is one."""
        while True:
            self.notifier.look()
            if getattr(state := self.until(*Code), "code", None) is Code.AVAILABLE:
                return str(getattr(state, "name", ""))
            time.sleep(0.05)

    def ask(self, *command: str) -> str:
        """What a program says on this display and bus."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout if done.returncode == 0 else ""

    def windows(self) -> list[tuple[int, int, int, int]]:
        """Where on the screen windows are to be seen: left, top, width, height."""
        found = []
        for line in self.ask("xwininfo", "-root", "-tree").splitlines():
            place = re.search(r"(\d+)x(\d+)[+-]-?\d+[+-]-?\d+ +\+(-?\d+)\+(-?\d+)$", line)
            number = re.match(r" +(0x[0-9a-f]+) ", line)
            if place is None or number is None or min(int(place[1]), int(place[2])) < 20:
                continue
            if "IsViewable" in self.ask("xwininfo", "-id", number[1]):
                width, height, left, top = map(int, place.groups())
                found.append((left, top, width, height))
        return found

    def click(self, button: str, *, in_corner: bool = False) -> None:
        """Click, with a real mouse, into what is shown."""
        wait(lambda: bool(self.windows()), "a notification on the screen")
        left, top, width, height = self.windows()[0]
        x, y = (left + width - 60, top + height - 35) if in_corner else (left + 40, top + 20)
        self.ask("xdotool", "mousemove", str(x), str(y))
        wait(lambda: self._pointer() == (str(x), str(y)), "the pointer to be there")
        self.ask("xdotool", "click", button)

    def _pointer(self) -> tuple[str, str]:
        told = dict(
            line.split("=") for line in self.ask("xdotool", "getmouselocation", "--shell").split()
        )
        return told.get("X", ""), told.get("Y", "")

    def history(self) -> list[dict[str, Any]]:
        """What dunst has shown and put away, the newest first."""
        return [
            {key: value["data"] for key, value in each.items()}
            for each in json.loads(self.ask("dunstctl", "history") or '{"data": [[]]}')["data"][0]
        ]

    def displayed(self) -> int:
        """How many dunst shows."""
        return int(self.ask("dunstctl", "count", "displayed") or 0)


def wait(condition: Callable[[], bool], what: str) -> None:
    """Until the condition holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {DEADLINE:.0f} s for {what}")
        time.sleep(0.02)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An empty screen."""
    for tool in ("xdotool", "xwininfo"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    with x_server() as display:
        yield display


def a_desk(display: str, address: str, home: Path) -> Desk:
    """One in which nothing is configured."""
    return Desk(
        {
            "PATH": os.environ["PATH"],
            "DISPLAY": display,
            "DBUS_SESSION_BUS_ADDRESS": address,
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "LANG": "C.UTF-8",
            **_NO_SCREEN_READER,
        }
    )


def leave(desk: Desk) -> None:
    """End all that was started."""
    desk.notifier.stop()
    wait(lambda: not _threads(), "the notifier's thread to end")
    for server in desk.servers:
        server.send_signal(signal.SIGCONT)
        server.kill()
        server.wait()


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "notifications"]


@pytest.fixture
def desk(display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """With a bus that starts nothing by itself."""
    with session_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        desk = a_desk(display, address, tmp_path)
        yield desk
        leave(desk)


def _name(kind: Kind) -> str:
    return kind.name.replace(" ", "-")


@pytest.fixture(params=[DUNST, GNOME, XFCE], ids=_name)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each of the servers that are installed."""
    kind: Kind = request.param
    there = (
        (SERVICES / _OF_XFCE[0]).exists()
        if kind is XFCE
        else shutil.which(kind.command) is not None
    )
    if not there:
        pytest.skip(f"{kind.command} is not installed")
    return kind


@pytest.fixture
def served(
    kind: Kind, display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """With that server, or a bus that starts it when it is needed."""
    services = _OF_XFCE if kind is XFCE else ()
    with session_bus(tmp_path, *services, DISPLAY=display, **_NO_SCREEN_READER) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        desk = a_desk(display, address, tmp_path)
        if kind is not XFCE:
            desk.start(kind)
        desk.available()
        yield desk
        leave(desk)


@pytest.fixture
def dunst(desk: Desk) -> Desk:
    """With dunst, which tells what it shows."""
    if shutil.which("dunst") is None:
        pytest.skip("dunst is not installed")
    desk.start(DUNST)
    assert desk.available() == "dunst"
    return desk


def test_one_is_shown_and_a_click_opens_it(served: Desk, kind: Kind) -> None:
    """By a real mouse; then it is gone."""
    assert served.available() == kind.name
    served.notifier.show(Notification("general", "Ada in #general", "Hello"))
    served.click(kind.open, in_corner=kind.in_corner)
    served.until(Activated("general"))
    wait(lambda: not served.windows(), "it to be gone")


@pytest.mark.parametrize("kind", _THAT_CLOSE, indirect=True, ids=_name)
def test_one_is_replaced_and_taken_away(served: Desk) -> None:
    """There never are two, and none when it was read."""
    for number in range(5):
        served.notifier.show(Notification("general", "Ada in #general", f"{number} messages"))
    wait(lambda: len(served.windows()) == 1, "one notification")
    served.notifier.show(Notification("other", "Bob", "Hello"))
    served.notifier.close("general")
    served.notifier.close("other")
    wait(lambda: not served.windows(), "all to be gone")


@pytest.mark.parametrize("kind", _THAT_CLOSE, indirect=True, ids=_name)
def test_nothing_stays_when_the_program_ends(served: Desk) -> None:
    """A click would lead to nobody."""
    served.notifier.show(Notification("general", "Ada", "Hello"))
    served.notifier.show(Notification("other", "Bob", "Hello"))
    wait(lambda: bool(served.windows()), "a notification")
    served.notifier.stop()
    wait(lambda: not served.windows(), "all to be gone")


def test_what_somebody_took_away_is_told(dunst: Desk) -> None:
    """And it is shown anew with the next message."""
    dunst.notifier.show(Notification("general", "Ada", "Hello"))
    dunst.click(DUNST.dismiss)
    dunst.until(Dismissed("general"))
    dunst.notifier.show(Notification("general", "Ada", "2 messages"))
    wait(lambda: dunst.displayed() == 1, "the next one")
    assert [each["body"] for each in dunst.history()] == ["Hello"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>bold</b> <i>slanted</i>", "<b>bold</b> <i>slanted</i>"),
        ("&amp; &lt; &#65; & ; %s %b %n \\n", "&amp; &lt; &#65; & ; %s %b %n \\n"),
        (
            "<a href='http://a.example'>http://b.example</a>",
            "<a href='http://a.example'>http://b.example</a>",
        ),
        ("<img src='/etc/passwd' alt='x'/>", "<img src='/etc/passwd' alt='x'/>"),
        ("one\ntwo\r\nthree", "one two three"),
        ("name\u202egpj.exe \0 \x1b[1m", "namegpj.exe [1m"),
        (16384 * "x", 199 * "x" + "…"),
        ("half \ud83d \U0001f600", "half \ufffd \U0001f600"),
    ],
    ids=["markup", "escapes", "links", "pictures", "lines", "controls", "16 KiB", "surrogates"],
)
def test_a_text_is_shown_as_it_was_typed(dunst: Desk, text: str, shown: str) -> None:
    """In the title and below, one line each, as characters."""
    dunst.notifier.show(Notification("general", text, text))
    wait(lambda: dunst.displayed() == 1, "the notification")
    dunst.ask("dunstctl", "close-all")
    wait(lambda: bool(dunst.history()), "it to be put away")
    (put_away,) = dunst.history()
    # What Pango draws: without the tags that are dunst's own, and what it puts before the title.
    drawn = [html.unescape(re.sub(r"</?[a-z]+>", "", part)) for part in lines(put_away["message"])]
    assert [drawn[0].removeprefix("(A) ").removeprefix("(AU) "), *drawn[1:]] == [shown, shown]


def lines(message: str) -> list[str]:
    """The lines of what dunst draws."""
    return message.strip("\n").split("\n")


def test_a_server_that_hangs_shows_it_once(dunst: Desk) -> None:
    """When it goes on; nobody waits for it meanwhile."""
    (server,) = dunst.servers
    server.send_signal(signal.SIGSTOP)
    for number in range(20):
        dunst.notifier.show(Notification("general", "Ada", f"{number} messages"))
    found = Code.AVAILABLE
    while found is not Code.NO_ANSWER:
        # Until the first of them was sent, and more than its time has passed.
        dunst.late += 6
        dunst.notifier.show(Notification("general", "Ada", "the newest"))
        with contextlib.suppress(Empty):
            event = dunst.told.get(timeout=0.02)
            found = event.state.code if isinstance(event, Found) else found
    dunst.late += 30
    dunst.notifier.show(Notification("other", "Bob", "Hello"))
    server.send_signal(signal.SIGCONT)
    dunst.until(Code.AVAILABLE)
    wait(lambda: dunst.displayed() == 2, "one for each room")
    dunst.ask("dunstctl", "close-all")
    wait(lambda: len(dunst.history()) == 2, "them to be put away")
    assert {each["body"] for each in dunst.history()} == {"the newest", "Hello"}


def test_a_server_that_dies_and_comes_again(dunst: Desk) -> None:
    """It is noticed; what is to be shown then is shown by the new one, as something new."""
    dunst.notifier.show(Notification("general", "Ada", "Hello"))
    wait(lambda: dunst.displayed() == 1, "the notification")
    (server,) = dunst.servers
    server.kill()
    server.wait()
    dunst.until(Code.NO_SERVER)
    dunst.notifier.show(Notification("general", "Ada", "2 messages"))
    dunst.start(DUNST)
    dunst.until(Code.AVAILABLE)
    wait(lambda: dunst.displayed() == 1, "it on the new one")
    dunst.click(DUNST.open)
    dunst.until(Activated("general"))


def test_there_is_no_server(desk: Desk) -> None:
    """And none that the bus could start."""
    desk.notifier.show(Notification("general", "Ada", "Hello"))
    desk.until(Code.NO_SERVER)


def test_the_smoke_test_finds_it(dunst: Desk) -> None:
    """In a process of its own, which shows nothing."""
    done = subprocess.run(
        [sys.executable, "-c", _LOOK],
        env=dunst.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.match(r"notifications: by dunst \d.*; 4 sounds by \w", done.stdout)
    assert dunst.displayed() == 0
