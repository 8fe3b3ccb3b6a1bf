"""Importing late, when a part of the program is needed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """No garbage is looked for within the block, for a thread that imports.

    What is loaded stays; looking through it would take a tenth of the time, and on that
    thread it could end a Tk object, which only Tk's own thread may do.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
