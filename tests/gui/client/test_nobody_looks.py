"""A window that has the room open and that nobody can see: it reads nothing, and tells.

The screen is locked, or another virtual desktop is shown. Programs that went by "open" or
"mapped" alone marked such messages as read.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from tests.gui.harness import Peer, Window
from tests.window_manager import is_managed, window_manager

_LOCK: Final = """
import ctypes, sys
x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
display = ctypes.c_void_p(x.XOpenDisplay(None))
x.XDefaultRootWindow.restype = ctypes.c_ulong
root = ctypes.c_ulong(x.XDefaultRootWindow(display))
print(x.XGrabKeyboard(display, root, 1, 1, 1, ctypes.c_ulong(0)), flush=True)
sys.stdin.read()
"""
"""What all lockers of X11 do: they take the keyboard, and leave the focus where it was."""


def told(ada: Window, bruno: Peer) -> None:
    """A message is unread and told, although its room is open."""
    bruno.say("@ada.lindqvist, are you there?")
    ada.wait(lambda: ada.desktop.titles == ["Bruno Okafor mentioned you in #general"], "it")
    ada.settle()
    assert ada.main.overview.unread["general"] == 1
    assert ada.main.transcript.at_bottom


def read(ada: Window) -> None:
    """Somebody looks again."""
    ada.wait(lambda: ada.main.overview.unread["general"] == 0, "it to be read")
    ada.wait(lambda: ada.desktop.titles == [], "the notification to go")


@pytest.mark.skipif(sys.platform != "linux", reason="locks a screen of X11")
def test_the_screen_is_locked(ada: Window, bruno: Peer) -> None:
    """Until it is unlocked."""
    ada.focus(ada.composer)
    with subprocess.Popen(
        [sys.executable, "-c", _LOCK], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as locker:
        assert locker.stdout is not None
        if locker.stdout.readline() != b"0\n":
            pytest.skip("there is no libX11 to lock the screen with")
        ada.wait(lambda: not ada.main.focus_watch.has_focus, "the keyboard to go")
        told(ada, bruno)
        locker.communicate(timeout=30)
    read(ada)


def has_active_window() -> bool:
    """Whether the window manager has given a window the keyboard."""
    asked = subprocess.run(["xdotool", "getactivewindow"], capture_output=True, check=False)
    return asked.returncode == 0 and int(asked.stdout or 0) > 0


def show_desktop(number: int) -> None:
    """Ask for a virtual desktop; the window manager shows it a moment later."""
    subprocess.run(["xdotool", "set_desktop", str(number)], check=True, timeout=30)


@pytest.mark.skipif(sys.platform != "linux", reason="has virtual desktops of X11")
def test_another_virtual_desktop_is_shown(ada: Window, bruno: Peer) -> None:
    """Until one comes back."""
    with window_manager():
        try:
            # When it begins to manage the window, that is off the screen for a moment, and shown
            # on the desktop that is the current one then.
            ada.wait(lambda: is_managed(ada.root), "the window to be managed")
            # It takes the keyboard away at that, and gives it back.
            ada.wait(has_active_window, "the keyboard to come back")
            ada.focus(ada.composer)
            ada.root.winfo_pointerxy()  # the display answers: it has done all that was asked
            show_desktop(1)
            # Not when the keyboard goes: the manager may still be at taking it and giving it back.
            ada.wait(lambda: not ada.root.winfo_viewable(), "the other desktop")
            ada.wait(lambda: not ada.main.focus_watch.has_focus, "the keyboard to go")
            told(ada, bruno)
            show_desktop(0)
            read(ada)
        finally:
            show_desktop(0)  # the display keeps it for the next window manager
            ada.close()  # before the display begins anew
