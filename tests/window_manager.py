"""A window manager on the display of $DISPLAY."""

from __future__ import annotations

import shutil
import subprocess
import time
import tkinter as tk
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

DEADLINE = 30.0


def start_window_manager() -> subprocess.Popen[bytes]:
    """openbox, once it manages the windows. Skips the test where it or xdotool isn't installed.

    When its last client has gone, Xvfb begins anew and turns away whoever comes in that moment:
    who was turned away is started again.

    A window that asks to be shown while openbox starts may wait for ever: openbox has read the
    request together with the answer to something else, and goes to sleep until something more
    comes. So it is ready only when it does as it is told: it goes to the second desktop and back.
    """
    for tool in ("openbox", "xdotool"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    end = time.monotonic() + DEADLINE
    manager = _openbox()
    for desktop in ("1", "0"):
        # Asked again and again: the first may come before it listens. Only while there is one, the
        # X server knows desktops, and one that was there before left them at "0".
        while not _is_at(desktop):
            if time.monotonic() > end:
                manager.kill()
                manager.wait()
                pytest.fail(f"waited {DEADLINE:.0f} s for the window manager")
            if manager.poll() is not None:
                manager = _openbox()
            time.sleep(0.02)
    return manager


@contextmanager
def window_manager() -> Iterator[None]:
    """One that ends with the block."""
    manager = start_window_manager()
    try:
        yield
    finally:
        manager.terminate()
        manager.wait()


def is_managed(window: tk.Tk | tk.Toplevel) -> bool:
    """Whether the window manager has put a frame around a window, and shows both.

    A window is off the screen while it gets its frame. Properties such as the active window may be
    those that a former window manager has left.
    """
    framed = int(window.wm_frame(), 16) != window.winfo_id()
    return framed and bool(window.winfo_viewable())


def _openbox() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["openbox", "--sm-disable"], stderr=subprocess.DEVNULL)


def _is_at(desktop: str) -> bool:
    """Whether a desktop is shown; otherwise the window manager, if there is one, is told to."""
    asked = subprocess.run(["xdotool", "get_desktop"], capture_output=True, check=False, text=True)
    if asked.returncode or not asked.stdout.strip():
        return False
    if asked.stdout.strip() == desktop:
        return True
    subprocess.run(["xdotool", "set_desktop", desktop], capture_output=True, check=False)
    return False
