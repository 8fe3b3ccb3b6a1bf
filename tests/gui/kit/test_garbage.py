"""Garbage is looked for on Tk's thread, and nowhere else."""

from __future__ import annotations

import gc
import threading
import tkinter as tk
import weakref

from common.ui.program.garbage_collection import ENOUGH, collect_here
from tests.gui.kit.conftest import Pump


class _Cycle:
    """Refers to itself: only a look for garbage ends it."""

    def __init__(self) -> None:
        self.itself = self


def test_the_window_looks_and_no_other_thread_does(root: tk.Tk, wait_until: Pump) -> None:
    """However much another thread makes; the window finds it a little later."""
    collect_here(root)
    seen: list[str] = []

    def noted(phase: str, _: object) -> None:
        if phase == "start":
            seen.append(threading.current_thread().name)

    gone = weakref.ref(_Cycle())
    gc.callbacks.append(noted)
    try:
        kept: list[list[int]] = []
        other = threading.Thread(target=lambda: kept.extend([n] for n in range(2 * ENOUGH)))
        other.start()
        other.join()
        assert seen == []
        assert gone() is not None
        wait_until(lambda: gone() is None, "a look")
        assert set(seen) == {threading.main_thread().name}
    finally:
        gc.callbacks.remove(noted)
