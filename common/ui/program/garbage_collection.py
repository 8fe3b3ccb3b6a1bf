"""Cyclic garbage collection on Tk's thread only, while the window is idle.

Python collects whenever enough objects were allocated, on the thread that allocated them. A program
with a window can't have that: on another thread a collected widget or image would call Tk from
there, and with everything loaded a full collection blocks the window for tens of milliseconds.
"""

from __future__ import annotations

import gc
import tkinter as tk
from typing import Final

EVERY: Final = 1000
"""Milliseconds between two checks whether a collection is due."""
ENOUGH: Final = 20_000
"""Number of objects allocated and not freed since the last collection that makes one due."""


def collect_here(root: tk.Misc) -> None:
    """Disable automatic collection, and collect on Tk's thread until `root` is destroyed."""
    gc.disable()

    timer = ""

    def look() -> None:
        nonlocal timer
        # Allocations minus deallocations of container objects; counted whether enabled or not.
        if gc.get_count()[0] >= ENOUGH:
            gc.collect()
        timer = root.after(EVERY, look)

    def stop(event: tk.Event[tk.Misc]) -> None:
        if event.widget is root:
            root.after_cancel(timer)

    timer = root.after(EVERY, look)
    root.bind("<Destroy>", stop, add="+")
