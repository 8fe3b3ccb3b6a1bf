"""Importing modules on a thread while the window is on the screen already."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from common.system.gc_pause import gc_paused

Loaded = TypeVar("Loaded")


class Loading(Generic[Loaded]):
    """The thread that calls `load`.

    It must hold no reference to a Tk object: one that it released last would call Tk from there.
    """

    def __init__(self, load: Callable[[], Loaded]) -> None:
        self.done = False
        self._load = load
        self._loaded: list[Loaded] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="loading")

    def start(self) -> None:
        """Start the thread; call it once."""
        self._thread.start()

    def join(self) -> None:
        """Wait for its end, if it was started."""
        if self._thread.ident is not None:
            self._thread.join()

    def result(self) -> Loaded:
        """What `load` returned, once; waits for it, and raises what it raised."""
        self.join()
        # The traceback refers to whoever asks, and with that to the window.
        error, self._error = self._error, None
        if error is not None:
            raise error
        return self._loaded[0]

    def _run(self) -> None:
        try:
            with gc_paused():
                # Wanted next, on the other thread.
                import common.ui.crash.crash
                import common.ui.look.theme  # noqa: F401

                self._loaded.append(self._load())
        except BaseException as error:  # noqa: BLE001  # raised again by `result`
            self._error = error
        finally:
            self.done = True
