"""Looking for garbage on Tk's thread only, at moments that the window can spare.

Python looks whenever enough was made, on whatever thread that was. A window's program does not
want that: on another thread the last trace of a widget or a picture would call Tk from there,
and with everything loaded a whole look takes tens of milliseconds, in which nobody is answered.
"""

from __future__ import annotations

import gc
import tkinter as tk
from typing import Final

EVERY: Final = 1000
"""Milliseconds between two moments at which there may be something to do."""
ENOUGH: Final = 20_000
"""Objects made and still there since the last look, from which on it is worth another."""


def collect_here(root: tk.Misc) -> None:
    """From now on look for garbage here and nowhere else, as long as the window lives."""
    gc.disable()

    timer = ""

    def look() -> None:
        nonlocal timer
        # Made minus gone, of what could be part of a cycle; counted whether enabled or not.
        if gc.get_count()[0] >= ENOUGH:
            gc.collect()
        timer = root.after(EVERY, look)

    def stop(event: tk.Event[tk.Misc]) -> None:
        if event.widget is root:
            root.after_cancel(timer)

    timer = root.after(EVERY, look)
    root.bind("<Destroy>", stop, add="+")
