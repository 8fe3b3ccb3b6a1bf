"""Asking to be looked at, coming to the front and the count on the icon, under a window manager."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tkinter as tk
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from common.ui.program import attention as module
from common.ui.program.attention import Attention
from common.ui.program.icon_count import MOST, icons_with, label_of
from common.ui.program.root import ICON_SIZES
from common.ui.program.x11 import X11
from tests.bench.xwire import SUBSTRUCTURE_NOTIFY, Connection, Event
from tests.gui.kit.conftest import Pump
from tests.window_manager import window_manager
from tests.x_server import x_server

_CLIENT_MESSAGE = 33
_PROPERTY_CHANGE = 1 << 22
_URGENCY = 1 << 8
_OTHER = """
import sys, tkinter as tk
root = tk.Tk()
root.title("Other program")
root.geometry("500x400+20+20")
entry = tk.Entry(root)
entry.pack()
def take():
    if root.focus_displayof() is entry:
        print("taken", flush=True)
    else:
        root.lift()
        entry.focus_force()
        root.after(20, take)
def asked(*_):
    take() if sys.stdin.readline() else root.destroy()
root.tk.createfilehandler(sys.stdin, tk.READABLE, asked)
root.mainloop()
"""


@pytest.fixture(scope="module")
def _manager() -> Iterator[None]:
    with window_manager():
        yield


@pytest.fixture
def screen() -> Iterator[Connection]:
    """Another client of the same X server, which sees what the window manager sees."""
    connection = Connection(int(os.environ["DISPLAY"].lstrip(":").split(".")[0]))
    yield connection
    connection.close()


class Other:
    """A window of another program, which takes the keyboard."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        command = [sys.executable, "-c", _OTHER]
        self._program = subprocess.Popen(command, stdin=-1, stdout=-1, bufsize=0)

    def take_keyboard(self) -> None:
        """Come to the front, as when somebody clicks on it."""
        assert self._program.stdin is not None
        self._program.stdin.write(b"\n")
        out = self._program.stdout
        assert out is not None
        self._pump(lambda: select.select([out], [], [], 0)[0], "the other program")
        assert out.read(100)

    def close(self) -> None:
        """End the program."""
        self._program.communicate()


@pytest.fixture
def other(_manager: None, wait_until: Pump) -> Iterator[Other]:
    """Another program with the keyboard."""
    made = Other(wait_until)
    yield made
    made.close()


class Shown:
    """The window as the window manager and its tools see it."""

    def __init__(self, root: tk.Tk, screen: Connection) -> None:
        self._root, self._screen = root, screen
        self.attention = Attention(root, "chat-client")

    @property
    def window(self) -> int:
        """The one that the window manager knows."""
        (found,) = (
            each
            for each in self._screen.numbers(self._screen.root, "_NET_CLIENT_LIST")
            if self._screen.process(each) == os.getpid()
        )
        return found

    @property
    def demands(self) -> tuple[bool, bool]:
        """Whether it demands attention, and whether it is urgent."""
        states = self._screen.numbers(self.window, "_NET_WM_STATE")
        hints = self._screen.numbers(self.window, "WM_HINTS")
        demanding = self._screen.atom("_NET_WM_STATE_DEMANDS_ATTENTION") in states
        return demanding, bool(hints[0] & _URGENCY)

    @property
    def is_active(self) -> bool:
        """Whether it has the keyboard, as tools are told."""
        return self._screen.numbers(self._screen.root, "_NET_ACTIVE_WINDOW") == (self.window,)

    @property
    def is_in_front(self) -> bool:
        """Whether no window is above it."""
        order = self._screen.numbers(self._screen.root, "_NET_CLIENT_LIST_STACKING")
        return bool(order) and order[-1] == self.window


@pytest.fixture
def shown(root: tk.Tk, _manager: None, screen: Connection, wait_until: Pump, other: Other) -> Shown:
    """A window that another program's is in front of, with the keyboard."""
    made = Shown(root, screen)
    root.geometry("400x300+40+40")
    wait_until(root.winfo_viewable, "the window")
    other.take_keyboard()
    wait_until(lambda: not made.attention.has_keyboard, "the keyboard elsewhere")
    return made


def test_attention_is_demanded_until_the_window_is_looked_at(
    shown: Shown, other: Other, root: tk.Tk, wait_until: Pump
) -> None:
    """By the state of EWMH and the hint of ICCCM; another count or title takes neither away."""
    shown.attention.demand()
    wait_until(lambda: shown.demands == (True, True), "both")
    shown.attention.show_count(3)
    root.title("(3) Chat")
    root.update()
    assert shown.demands == (True, True)
    root.focus_force()
    wait_until(lambda: shown.demands == (False, False), "neither")
    assert not shown.attention.demanding
    other.take_keyboard()
    wait_until(lambda: not shown.attention.has_keyboard, "the keyboard elsewhere")
    shown.attention.demand()
    wait_until(lambda: shown.demands == (True, True), "both again")


def test_a_dialog_of_the_program_is_looked_at_as_well(
    shown: Shown, root: tk.Tk, wait_until: Pump
) -> None:
    """Whoever has the keyboard in its settings needs no urgency."""
    dialog = tk.Toplevel(root)
    wait_until(dialog.winfo_viewable, "a dialog")
    shown.attention.demand()
    dialog.focus_force()
    wait_until(lambda: shown.attention.has_keyboard, "the keyboard")
    wait_until(lambda: not shown.attention.demanding, "no demand")
    dialog.destroy()


def test_no_attention_is_demanded_by_a_window_that_has_the_keyboard(
    shown: Shown, root: tk.Tk, wait_until: Pump
) -> None:
    """Nobody needs to be told of what is in front of them."""
    root.focus_force()
    wait_until(lambda: shown.attention.has_keyboard and shown.is_active, "the keyboard")
    shown.attention.demand()
    root.update()
    assert not shown.attention.demanding
    assert shown.demands == (False, False)


@pytest.mark.parametrize("place", ["behind", "iconified", "another desktop"])
def test_a_window_is_raised(
    shown: Shown, root: tk.Tk, screen: Connection, wait_until: Pump, place: str
) -> None:
    """From wherever it is, and gets the keyboard."""
    if place == "iconified":
        root.iconify()
        wait_until(lambda: root.state() == "iconic", "the icon")
    elif place == "another desktop":
        screen.tell_manager(screen.root, "_NET_NUMBER_OF_DESKTOPS", 2)
        wait_until(lambda: screen.numbers(screen.root, "_NET_NUMBER_OF_DESKTOPS") == (2,))
        screen.tell_manager(screen.root, "_NET_CURRENT_DESKTOP", 0)
        wait_until(lambda: screen.numbers(screen.root, "_NET_CURRENT_DESKTOP") == (0,), "the first")
        screen.tell_manager(shown.window, "_NET_WM_DESKTOP", 1, 1)
        wait_until(lambda: screen.numbers(shown.window, "_NET_WM_DESKTOP") == (1,), place)
        assert screen.numbers(screen.root, "_NET_CURRENT_DESKTOP") == (0,)
    assert not shown.is_active
    shown.attention.raise_window()
    wait_until(lambda: shown.is_active and shown.is_in_front, "the front")
    wait_until(lambda: root.winfo_viewable() and shown.attention.has_keyboard, "the keyboard")
    here = screen.numbers(screen.root, "_NET_CURRENT_DESKTOP")
    assert screen.numbers(shown.window, "_NET_WM_DESKTOP") == here
    wait_until(lambda: not shown.attention._raise_timer, "the look whether it was raised")
    assert not shown.attention.demanding
    if place == "another desktop":
        screen.tell_manager(screen.root, "_NET_CURRENT_DESKTOP", 0)
        wait_until(lambda: screen.numbers(screen.root, "_NET_CURRENT_DESKTOP") == (0,))


@pytest.mark.parametrize(
    ("token", "time"),
    [
        ("dunst-0-desktop-ChatClient-17_TIME4294967295", 4294967295),
        ("dunst/1_TIME12345", 12345),
        ("1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", 0),
        ("x_TIME9999999999", 0),
        ("_TIME77_TIME", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_the_time_in_a_startup_id_is_passed_on(
    shown: Shown, screen: Connection, wait_until: Pump, token: str | None, time: int
) -> None:
    """Window managers that guard the keyboard ask for when the person clicked."""
    kind = screen.atom("_NET_ACTIVE_WINDOW")
    told: list[Event] = []
    screen.listen(screen.root, SUBSTRUCTURE_NOTIFY)
    shown.attention.raise_window(token)

    def heard() -> bool:
        told.extend(each for each in screen.events(0) if each.kind == _CLIENT_MESSAGE)
        return any(each.number(8) == kind for each in told)

    wait_until(heard, "the message")
    (message,) = (each for each in told if each.number(8) == kind)
    application = 1
    assert (message.number(4), message.number(12)) == (shown.window, application)
    # Without one it is that of the server now: no time would be nobody's request.
    assert message.number(16) == time if time else message.number(16) > 0


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("launcher-1_TIME5", 'remove: ID="launcher-1_TIME5"'),
        ('a "quoted" \\ ü', 'remove: ID="a \\"quoted\\" \\\\ ü"'),
        ("x" * 18, f'remove: ID="{"x" * 18}"'),
        ("", ""),
        ("x" * 2000, ""),
    ],
)
def test_the_desktop_hears_that_the_program_is_there(
    shown: Shown, screen: Connection, token: str, said: str
) -> None:
    """So that no pointer goes on to say that something starts."""
    screen.listen(screen.root, _PROPERTY_CHANGE)
    shown.attention.end_startup(token)
    begin, more = screen.atom("_NET_STARTUP_INFO_BEGIN"), screen.atom("_NET_STARTUP_INFO")
    messages = [each for each in screen.events(0) if each.kind == _CLIENT_MESSAGE]
    kinds = [each.number(8) for each in messages]
    assert kinds == ([begin] + [more] * (len(kinds) - 1) if said else [])
    text = b"".join(each.packet[12:] for each in messages)
    assert text.partition(b"\0")[0].decode() == said


def test_urgency_follows_when_the_keyboard_stays_elsewhere(
    shown: Shown, wait_until: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window manager may refuse; the keyboard isn't taken from what is typed into then."""
    monkeypatch.setattr(X11, "activate", lambda *_: True)  # and nothing follows
    shown.attention.raise_window()
    wait_until(lambda: shown.demands == (True, True), "attention")
    assert not shown.is_active
    assert not shown.is_in_front


def test_without_a_window_manager_the_window_takes_the_keyboard(
    root: tk.Tk, wait_until: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else would give it."""
    monkeypatch.setattr(X11, "_is_managed", lambda *_: False)
    wait_until(root.winfo_viewable, "the window")
    Attention(root, "chat-client").raise_window()
    wait_until(lambda: root.focus_displayof() is root, "the keyboard")


# The connection to the X server


@pytest.mark.usefixtures("_manager")
def test_a_window_that_has_gone_is_passed_over() -> None:
    """Xlib would end the program; and the other half of a call is done all the same."""
    gone, none = 0x00FFFFF0, 0
    for window in (gone, none):
        with X11(os.environ["DISPLAY"]) as x11:
            x11.demand_attention(window, on=True)
            x11.demand_attention(window, on=False)
            assert not x11.activate(window, 1, "token_TIME1")
            assert not x11.show_desktop(window)
            assert not x11._now(window)


def test_a_window_that_is_destroyed_in_between(
    root: tk.Tk, wait_until: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two requests of one call."""
    wait_until(root.winfo_viewable, "the window")
    window = root.winfo_id()
    with X11(os.environ["DISPLAY"]) as x11:
        client = x11._client(window)
        monkeypatch.setattr(x11, "_client", lambda _: client)  # as it was a moment ago
        root.destroy()
        x11.demand_attention(window, on=True)
        x11.activate(window)


def test_a_display_that_is_not_there() -> None:
    """Neither a name that is none."""
    for name in (":9973", "nonsense"):
        with pytest.raises(OSError, match="no connection to the display"):
            X11(name)


def test_a_display_that_goes_away() -> None:
    """The program goes on; what is asked from then on is asked in vain."""
    with x_server() as display:
        x11 = X11(display)
        assert not x11.activate(1)
    x11.demand_attention(1, on=True)
    assert not x11.activate(1)
    assert not x11.show_desktop(1)
    assert not x11._now(1)
    x11.close()
    x11.close()


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_connection_is_left_open(shown: Shown) -> None:
    """However often attention is demanded, and whatever fails."""
    descriptors = _descriptors()
    for number in range(500):
        shown.attention._tell(on=bool(number % 2))
        shown.attention._activate()
        shown.attention._switch_desktop()
    with X11(os.environ["DISPLAY"]) as x11:
        del x11
    for _ in range(20):
        with pytest.raises(OSError, match="no connection"):
            X11(":9973")
    assert _descriptors() == descriptors


def test_a_program_without_xcb(root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not asked for attention, and the window takes the keyboard itself."""

    def missing(*_: object) -> None:
        raise OSError("libxcb.so.1: cannot open shared object file")

    monkeypatch.setattr(X11, "__init__", missing)
    attention = Attention(root, "chat-client")
    attention._tell(on=True)
    assert not attention._activate()


def test_a_window_that_ends_leaves_no_timer(root: tk.Tk, wait_until: Pump) -> None:
    """Tk would complain about a command that is no more."""
    wait_until(root.winfo_viewable, "the window")
    attention = Attention(root, "chat-client")
    attention.show_count(1)
    attention.raise_window()
    timers = {str(attention._count_timer), str(attention._raise_timer)}
    tk_calls = root.tk
    assert timers <= set(tk_calls.splitlist(tk_calls.call("after", "info")))
    root.destroy()
    assert not timers & set(tk_calls.splitlist(tk_calls.call("after", "info")))


# The count on the icon


def test_a_flood_of_counts_draws_few_icons(root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first at once, then the last one after a pause; above the greatest none at all."""
    drawn: list[str] = []

    def draw(_: str, label: str) -> list[Image.Image]:
        drawn.append(label)
        return [Image.new("RGBA", (16, 16))]

    monkeypatch.setattr("common.ui.program.icon_count.icons_with", draw)
    monkeypatch.setattr(module, "COUNT_PAUSE", 10_000_000)
    attention = Attention(root, "chat-client")
    for count in range(1, 2000):
        attention.show_count(count)
    assert drawn == ["1"]
    attention._draw_count()  # the pause is over
    assert drawn == ["1", "99+"]
    attention.show_count(5000)
    attention._draw_count()
    attention.show_count(5001)
    assert drawn == ["1", "99+"]
    assert attention._count_timer is None  # nothing is to be done, so nothing wakes it
    attention.show_count(0)
    assert drawn == ["1", "99+", ""]


def test_the_icon_is_the_plain_one_again_when_all_is_read(
    root: tk.Tk, wait_until: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the window manager gets it."""
    monkeypatch.setattr(module, "COUNT_PAUSE", 1)
    monkeypatch.setattr("common.ui.program.x11._MOST_NUMBERS", 100_000)
    root.update()
    attention = Attention(root, "chat-client")
    with X11(os.environ["DISPLAY"]) as x11:
        window, _ = x11._client(root.winfo_id())
        icon = x11._atom("_NET_WM_ICON")

        def look() -> list[int]:
            return x11._numbers(window, icon)

        attention.show_count(2)
        root.update()
        two = look()
        wait_until(lambda: attention._count_timer is None, "the pause")
        attention.show_count(0)
        root.update()
        none = look()
        assert two[:2] == none[:2] == [128, 128]
        assert two != none
        wait_until(lambda: attention._count_timer is None, "the pause")
        attention.show_count(2)
        root.update()
        assert look() == two


@pytest.mark.parametrize("icon", ["chat-client", "chat-server"])
def test_counts_look_different(icon: str) -> None:
    """Each on every icon that has room for it, and on the small ones there is a dot."""
    labels = [label_of(count) for count in (0, 1, 7, 10, 42, MOST, MOST + 1)]
    assert labels == ["", "1", "7", "10", "42", "99", "99+"]
    drawn = [icons_with(icon, label) for label in labels]
    for place, size in enumerate(ICON_SIZES):
        pictures = [each[place].tobytes() for each in drawn]
        assert all(each[place].size == (size, size) for each in drawn)
        assert len(set(pictures)) == (len(labels) if size >= 32 else 2)


def test_signs_are_whole() -> None:
    """Each sign that is needed is in the picture, and stays within its cell."""
    from common.ui.program.icon_count import _SIGNS, _sign

    widths = [_sign(sign, 64).width for sign in _SIGNS]
    assert all(16 < width < 64 for width in widths)
    assert widths[1] == min(widths)
