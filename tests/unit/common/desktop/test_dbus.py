"""The thread that shows notifications, on a bus that a test plays."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from common.desktop import dbus
from common.desktop.dbus import DBusNotifier, session_bus
from common.desktop.notification import Notification
from common.desktop.notifier import (
    Activated,
    App,
    Code,
    Dismissed,
    Event,
    Found,
    NotifierState,
    Replied,
    make_notifier,
)
from tests.unit.common.desktop.fake_bus import OWNER, FakeBus, a_bus

ROOT = Path(__file__).parents[4]


class Told:
    """What the notifier told, on its thread; and the clock that it believes."""

    def __init__(self) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.threads: set[str] = set()
        self.late = 0.0

    def __call__(self, event: Event) -> None:
        """To be handed to the notifier."""
        self.threads.add(threading.current_thread().name)
        self.events.put(event)

    def clock(self) -> float:
        """Monotonic time, `late` seconds ahead."""
        return time.monotonic() + self.late

    def next(self) -> Event:
        """What is told next."""
        return self.events.get(timeout=10)

    def code(self) -> Code:
        """What is found next."""
        event = self.next()
        assert isinstance(event, Found)
        return event.state.code


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[FakeBus]:
    """A bus with a notification server."""
    with a_bus(tmp_path) as bus:
        yield bus


@pytest.fixture
def told() -> Told:
    """What is told."""
    return Told()


@pytest.fixture
def notifier(told: Told) -> Iterator[DBusNotifier]:
    """Stopped at the end, with nothing left."""
    notifier = DBusNotifier(App("Chat", "lan.chat.ChatClient"), told, told.clock)
    yield notifier
    notifier.stop()
    ended(lambda: not threads())


def threads() -> list[threading.Thread]:
    """The notifiers' threads."""
    return [thread for thread in threading.enumerate() if thread.name == "notifications"]


def ended(condition: Callable[[], bool]) -> None:
    """Wait for something that can only be looked at."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.usefixtures("bus")
def test_what_is_found_is_told(notifier: DBusNotifier, told: Told) -> None:
    """Once for each look, on the notifier's thread."""
    notifier.look()
    state = NotifierState(Code.AVAILABLE, "Fake server", "1.2", actions=True, replies=True)
    assert told.next() == Found(state)
    notifier.look()
    assert told.next() == Found(state)
    assert told.threads == {"notifications"}


def test_one_is_shown_replaced_clicked_and_taken_away(
    bus: FakeBus, notifier: DBusNotifier, told: Told
) -> None:
    """The whole way, over the wire."""
    notifier.show(Notification("general", "Ada", "1 < 2\n& 16 KB: " + 16384 * "x"))
    member, body = bus.next()
    assert (member, body[:4]) == ("Notify", ("Chat", 0, "", "Ada"))
    assert body[4].startswith("1 &lt; 2 &amp; 16 KB: xxx")
    assert len(body[4]) < 300
    assert body[6]["desktop-entry"] == ("s", "lan.chat.ChatClient")
    notifier.show(Notification("general", "Ada", "again"))
    member, body = bus.next()
    assert (member, body[1], body[4]) == ("Notify", 1, "again")
    notifier.close("general")
    assert bus.next() == ("CloseNotification", (1,))
    notifier.show(Notification("other", "Bob", can_reply=True))
    assert bus.next()[1][5] == ["default", "Open", "inline-reply", "Reply"]
    assert told.code() is Code.AVAILABLE
    bus.signal("ActivationToken", "us", 2, "token")
    bus.signal("ActionInvoked", "us", 2, "default")
    assert told.next() == Activated("other", "token")
    assert bus.next() == ("CloseNotification", (2,))
    notifier.show(Notification("other", "Bob", can_reply=True))
    bus.next()
    bus.signal("NotificationReplied", "us", 3, "yes <b>")
    assert told.next() == Replied("other", "yes <b>")
    notifier.show(Notification("third", "Bob"))
    assert bus.next() == ("CloseNotification", (3,))
    bus.next()
    bus.signal("NotificationClosed", "uu", 4, 2)
    assert told.next() == Dismissed("third")


@pytest.mark.parametrize("mood", ["well", "hangs", "refuses", "absent"])
def test_nobody_waits_and_nothing_is_an_error(
    bus: FakeBus,
    notifier: DBusNotifier,
    told: Told,
    mood: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever the server does; and no text is in the log."""
    caplog.set_level(logging.DEBUG)
    bus.mood = mood
    begin = time.thread_time()
    for number in range(100):
        notifier.show(Notification(f"room {number}", "SECRET", "SECRET"))
    notifier.close("room 5")
    notifier.look()
    spent = time.thread_time() - begin
    if mood == "hangs":
        ended(lambda: bool(bus.held))
        told.late += 6
        notifier.show(Notification("wakes it", "SECRET"))
    codes = {"well": Code.AVAILABLE, "refuses": Code.REFUSED, "absent": Code.NO_SERVER}
    assert told.code() is codes.get(mood, Code.NO_ANSWER)
    notifier.stop()
    ended(lambda: not threads())
    assert spent < 1  # of processor time, for 102 calls: they only pass it on
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
    assert "SECRET" not in caplog.text


def test_a_server_that_hung_shows_only_what_is_new(
    bus: FakeBus, notifier: DBusNotifier, told: Told
) -> None:
    """Once, when it answers again."""
    notifier.show(Notification("a", "one"))
    assert bus.next()[1][3] == "one"
    assert told.code() is Code.AVAILABLE
    bus.mood = "hangs"
    notifier.show(Notification("a", "two"))
    assert bus.next()[1][3] == "two"
    notifier.show(Notification("a", "three"))
    told.late += 6
    notifier.show(Notification("a", "four"))
    assert told.code() is Code.NO_ANSWER
    told.late += 2
    notifier.show(Notification("a", "five"))
    ended(lambda: bus.greeted == 2)
    assert bus.heard.empty()
    bus.recover()
    member, body = bus.next()
    assert (member, body[1], body[3]) == ("Notify", 1, "five")
    assert told.code() is Code.AVAILABLE


def test_a_server_that_restarts_is_noticed(
    bus: FakeBus, notifier: DBusNotifier, told: Told
) -> None:
    """Numbers of the former one mean nothing to the new one."""
    notifier.show(Notification("a", "one"))
    assert bus.next()[1][1] == 0
    assert told.code() is Code.AVAILABLE
    bus.change_owner(OWNER, "")
    assert told.code() is Code.NO_SERVER
    bus.change_owner("", ":1.20")
    assert told.code() is Code.AVAILABLE
    bus.signal("ActionInvoked", "us", 1, "default")
    notifier.close("a")
    notifier.show(Notification("a", "two"))
    member, body = bus.next()
    assert (member, body[1]) == ("Notify", 0)
    bus.signal("ActionInvoked", "us", 2, "default")
    assert told.next() == Activated("a")


def test_a_bus_that_goes_is_found_again(bus: FakeBus, notifier: DBusNotifier, told: Told) -> None:
    """When there is something to show; what waited meanwhile is shown, too."""
    notifier.show(Notification("a", "one"))
    bus.next()
    assert told.code() is Code.AVAILABLE
    bus.stop()
    assert told.code() is Code.NO_BUS
    notifier.show(Notification("a", "two"))
    again = FakeBus(bus.path)
    try:
        told.late += 2
        notifier.show(Notification("b", "three"))
        assert {again.next()[1][3], again.next()[1][3]} == {"two", "three"}
        assert told.code() is Code.AVAILABLE
        notifier.stop()
        ended(lambda: not threads())
    finally:
        again.stop()


def test_nonsense_on_the_bus_is_the_end_of_the_connection(
    bus: FakeBus, notifier: DBusNotifier, told: Told
) -> None:
    """And of nothing else."""
    notifier.look()
    assert told.code() is Code.AVAILABLE
    bus.raw(b"l\x09\0\x01" + 200 * b"\xff")
    bus.cut()
    assert told.code() is Code.NO_BUS
    notifier.look()
    assert told.code() is Code.AVAILABLE


def test_there_is_no_bus(
    notifier: DBusNotifier, told: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """None is stated, its socket is gone, or its address is of another kind."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    notifier.look()
    assert told.code() is Code.NO_BUS
    for address in (f"unix:path={tmp_path}/none", "tcp:host=localhost", "nonsense", "unix:"):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        notifier.look()
        assert told.code() is Code.NO_BUS
    notifier.show(Notification("a", "one"))
    notifier.close("a")


def test_a_bus_in_the_runtime_folder(
    bus: FakeBus,
    notifier: DBusNotifier,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Where systemd has it, and nothing else is stated."""
    with monkeypatch.context() as patch:
        patch.delenv("DBUS_SESSION_BUS_ADDRESS")
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        assert session_bus() == str(bus.path)
        notifier.look()
        assert told.code() is Code.AVAILABLE


@pytest.mark.usefixtures("bus")
def test_without_the_library_it_is_unsupported(
    notifier: DBusNotifier, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on systems it is not installed on."""
    monkeypatch.setitem(sys.modules, "jeepney.io.blocking", None)
    notifier.look()
    assert told.code() is Code.UNSUPPORTED


@pytest.mark.parametrize("mood", ["well", "hangs"])
def test_stopping_takes_everything_away(
    bus: FakeBus, notifier: DBusNotifier, told: Told, mood: str
) -> None:
    """At once for who stops it; what is on its way is taken away, too, if the server answers."""
    notifier.show(Notification("a", "one"))
    bus.next()
    assert told.code() is Code.AVAILABLE
    bus.mood = mood
    notifier.show(Notification("b", "two"))
    notifier.stop()
    notifier.stop()
    notifier.show(Notification("c", "never"))
    notifier.close("a")
    notifier.look()
    ended(lambda: not threads())
    heard = [bus.heard.get() for _ in range(bus.heard.qsize())]
    closed = [body[0] for member, body in heard if member == "CloseNotification"]
    assert closed[:1] == [1]
    notified = [body[3] for member, body in heard if member == "Notify"]
    assert notified in ([], ["two"])
    if mood == "well":
        assert len(closed) == 1 + len(notified)


@pytest.mark.usefixtures("bus")
def test_what_was_never_used_has_no_thread(notifier: DBusNotifier) -> None:
    """And closing something that was never shown is no use."""
    notifier.close("a")
    assert threads() == []
    notifier.stop()
    notifier.show(Notification("a", "one"))
    assert threads() == []


def test_a_bus_that_hangs_does_not_hold_up_the_end(
    bus: FakeBus, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it lets nobody in or takes nothing: the thread gives up after a while."""
    monkeypatch.setattr(dbus, "_CONNECTING", 0.05)
    monkeypatch.setattr(bus, "_authenticate", lambda connection: connection.recv(10_000_000))
    monkeypatch.setattr(bus, "_converse", lambda connection: connection.recv(10_000_000))
    notifier = DBusNotifier(App("Chat", "x"), told, told.clock)
    notifier.look()
    assert told.code() is Code.NO_BUS
    notifier.stop()
    ended(lambda: not threads())


def test_nothing_is_loaded_before_it_is_needed() -> None:
    """Start-up pays for every import: neither the library nor what it needs."""
    code = (
        "import sys; from common.desktop.notifier import App, make_notifier;"
        "make_notifier(App('Chat', 'x'), print).stop(); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "common.desktop.notifier" in loaded
    assert "common.desktop.dbus" not in loaded
    assert not {"jeepney", "asyncio", "subprocess", "tkinter"} & set(loaded)


def test_a_notifier_is_made_by_the_first_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, whatever is asked; one that was stopped before makes none."""
    made: list[str] = []

    class Made:
        """Notes what it is asked."""

        def look(self) -> None:
            """See `Notifier.look`."""
            made.append("look")

        def show(self, notification: Notification) -> None:
            """See `Notifier.show`."""
            made.append(notification.key)

        def close(self, key: str) -> None:
            """See `Notifier.close`."""
            made.append(f"close {key}")

        def stop(self) -> None:
            """See `Notifier.stop`."""
            made.append("stop")

    def load(*_: object) -> Made:
        made.append("made")
        return Made()

    monkeypatch.setattr("common.desktop.late.load", load)
    notifier = make_notifier(App("Chat", "x"), print)
    notifier.close("a")
    assert made == []
    notifier.show(Notification("a", "title", "body"))
    notifier.look()
    notifier.close("a")
    notifier.stop()
    assert made == ["made", "a", "look", "close a", "stop"]
    never = make_notifier(App("Chat", "x"), print)
    never.stop()
    never.show(Notification("a", "title", "body"))
    never.look()
    assert made[5:] == []
