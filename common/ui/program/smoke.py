"""The part of the smoke test that needs a window: pictures, and driving the real program."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable
from typing import Any

from common.ui.look import emoji
from common.ui.look.theme import Theme
from common.ui.program.program import Program

PATIENCE = 30.0
"""Timeout in seconds for each step, any of which should take an instant."""


def wait(root: tk.Misc, condition: Callable[[], object], what: str) -> None:
    """Handle the window's events until `condition()` holds. Raises TimeoutError."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {PATIENCE:.0f} s for {what}")
        # Wakes the loop to check the condition again when no other event does.
        timer = root.after(10, lambda: None)
        root.tk.dooneevent(0)
        root.after_cancel(timer)


def fill(program: Program[Any]) -> None:
    """Wait until the window is on the screen and has its contents."""
    root = program.root
    wait(root, lambda: program.contents is not None, "the contents")
    wait(root, root.winfo_viewable, "the window")


def close(program: Program[Any]) -> None:
    """Close the window and run to the end. Raises RuntimeError unless the exit status is 0."""
    program.root.after(0, program.close)
    status = program.run()
    if status:
        raise RuntimeError(f"it ended with status {status}")


def look_at_pictures(theme: Theme) -> str:
    """Draw an emoji of the sheet and an avatar, and describe the result.

    Raises RuntimeError if one of them has too few colours to be more than a blank.
    """
    cell = next(cell for _, cell in emoji.split("\N{SMILING FACE WITH SUNGLASSES}") if cell)
    smile = theme.images.get("smoke", lambda: emoji.draw(cell, 32))
    avatar = theme.avatar("Ada", "ada", 32)
    colours = [_colours(picture) for picture in (smile, avatar)]
    if min(colours) < 8:
        raise RuntimeError(f"an emoji of {colours[0]} colours, an avatar of {colours[1]}")
    return f"an emoji of {colours[0]} colours, text in {theme.fonts['body'].actual('family')}"


def _colours(picture: tk.PhotoImage) -> int:
    places = [(x, y) for x in range(picture.width()) for y in range(picture.height())]
    return len({picture.get(x, y) for x, y in places})
