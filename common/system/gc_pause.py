"""Garbage collection during imports on other threads than Tk's."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disables garbage collection within the block, for a thread that imports.

    Modules are never freed, so collecting finds nothing and takes a tenth of the time; and on that
    thread it could finalize a Tk object, which only Tk's own thread may do.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
