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
    """
    for tool in ("openbox", "xdotool"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    end = time.monotonic() + DEADLINE
    manager = _openbox()
    # Only while there is one, the X server knows desktops.
    while not _knows_desktops():
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


def _knows_desktops() -> bool:
    asked = subprocess.run(["xdotool", "get_desktop"], capture_output=True, check=False)
    return asked.returncode == 0 and bool(asked.stdout.strip())
