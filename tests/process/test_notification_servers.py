"""Notifications on a real bus, by the notification servers that people have."""

from __future__ import annotations

import contextlib
import html
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

import pytest

from common.desktop.dbus import DBusNotifier
from common.desktop.notification import Notification
from common.desktop.notifier import Activated, App, Code, Dismissed, Event, Found
from tests.process import desk as desks
from tests.process.desk import (
    DUNST,
    GNOME,
    NO_SCREEN_READER,
    OF_XFCE,
    THAT_CLOSE,
    XFCE,
    Kind,
    environment_of,
)
from tests.process.harness import DEADLINE, wait_until
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


@dataclass
class Desk(desks.Desk):
    """With a notifier, and what it tells."""

    told: SimpleQueue[Event] = field(default_factory=SimpleQueue)
    late: float = 0.0

    def __post_init__(self) -> None:
        self.notifier = DBusNotifier(APP, self.told.put, lambda: time.monotonic() + self.late)

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
    return Desk(environment_of(display, address, home))


def leave(desk: Desk) -> None:
    """End all that was started."""
    desk.notifier.stop()
    wait_until(lambda: not _threads(), "the notifier's thread to end")
    desk.end()


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
        (SERVICES / OF_XFCE[0]).exists() if kind is XFCE else shutil.which(kind.command) is not None
    )
    if not there:
        pytest.skip(f"{kind.command} is not installed")
    return kind


@pytest.fixture
def served(
    kind: Kind, display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """With that server, or a bus that starts it when it is needed."""
    services = OF_XFCE if kind is XFCE else ()
    with session_bus(tmp_path, *services, DISPLAY=display, **NO_SCREEN_READER) as address:
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
    wait_until(lambda: not served.notifications(), "it to be gone")


@pytest.mark.parametrize("kind", THAT_CLOSE, indirect=True, ids=_name)
def test_one_is_replaced_and_taken_away(served: Desk) -> None:
    """There never are two, and none when it was read."""
    for number in range(5):
        served.notifier.show(Notification("general", "Ada in #general", f"{number} messages"))
    wait_until(lambda: len(served.notifications()) == 1, "one notification")
    served.notifier.show(Notification("other", "Bob", "Hello"))
    served.notifier.close("general")
    served.notifier.close("other")
    wait_until(lambda: not served.notifications(), "all to be gone")


@pytest.mark.parametrize("kind", THAT_CLOSE, indirect=True, ids=_name)
def test_nothing_stays_when_the_program_ends(served: Desk) -> None:
    """A click would lead to nobody."""
    served.notifier.show(Notification("general", "Ada", "Hello"))
    served.notifier.show(Notification("other", "Bob", "Hello"))
    wait_until(lambda: bool(served.notifications()), "a notification")
    served.notifier.stop()
    wait_until(lambda: not served.notifications(), "all to be gone")


def test_what_somebody_took_away_is_told(dunst: Desk) -> None:
    """And it is shown anew with the next message."""
    dunst.notifier.show(Notification("general", "Ada", "Hello"))
    dunst.click(DUNST.dismiss)
    dunst.until(Dismissed("general"))
    dunst.notifier.show(Notification("general", "Ada", "2 messages"))
    wait_until(lambda: dunst.displayed() == 1, "the next one")
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
    wait_until(lambda: dunst.displayed() == 1, "the notification")
    dunst.ask("dunstctl", "close-all")
    wait_until(lambda: bool(dunst.history()), "it to be put away")
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
    wait_until(lambda: dunst.displayed() == 2, "one for each room")
    dunst.ask("dunstctl", "close-all")
    wait_until(lambda: len(dunst.history()) == 2, "them to be put away")
    assert {each["body"] for each in dunst.history()} == {"the newest", "Hello"}


def test_a_server_that_dies_and_comes_again(dunst: Desk) -> None:
    """It is noticed; what is to be shown then is shown by the new one, as something new."""
    dunst.notifier.show(Notification("general", "Ada", "Hello"))
    wait_until(lambda: dunst.displayed() == 1, "the notification")
    (server,) = dunst.servers
    server.kill()
    server.wait()
    dunst.until(Code.NO_SERVER)
    dunst.notifier.show(Notification("general", "Ada", "2 messages"))
    dunst.start(DUNST)
    dunst.until(Code.AVAILABLE)
    wait_until(lambda: dunst.displayed() == 1, "it on the new one")
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
