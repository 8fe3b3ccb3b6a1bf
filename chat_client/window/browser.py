"""Opening a link in the browser, and detecting whether that worked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Callable
from threading import Thread
from typing import Final

_OPENERS: Final = (("xdg-open",), ("gio", "open"))
"""Commands that open a link as the desktop wants it, the most usual first."""
PATIENCE: Final = 10.0
"""Seconds to wait for a failure of such a command; one that still runs may be the browser."""


def open_link(url: str, failed: Callable[[str], object]) -> None:
    """Open a web link, on a thread: some systems take seconds for it. Others are not opened.

    `failed(url)` is called on that thread when no program of the system takes it.
    """
    if url.lower().startswith(("http://", "https://")):
        Thread(target=_browse, args=(url, failed), name="browser", daemon=True).start()


def _browse(url: str, failed: Callable[[str], object]) -> None:
    if not browse(url):
        failed(url)


def browse(url: str) -> bool:
    """Open `url`; whether a program took it. Blocks for at most `PATIENCE` seconds for each try.

    Python's own module starts a desktop's command and says that it worked, whatever became of it.
    """
    if sys.platform in {"win32", "darwin"} or "BROWSER" in os.environ:
        return webbrowser.open(url)
    found = [command for command in _OPENERS if shutil.which(command[0])]
    if not found:
        return webbrowser.open(url)
    return any(_took([*command, url]) for command in found)


def _took(command: list[str]) -> bool:
    try:
        opener = subprocess.Popen(  # noqa: S603  # no shell; the link is one argument
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a browser outlives the window, and Ctrl+C in its terminal
        )
    except OSError:
        return False
    try:
        return opener.wait(PATIENCE) == 0
    except subprocess.TimeoutExpired:
        Thread(target=opener.wait, name="browser", daemon=True).start()  # or it stays a zombie
        return True
