"""Asks the hub for what is due from time to time: to write what it holds back, and to tidy up."""

import threading
from collections.abc import Callable
from typing import Final

from chat_server.rules.inputs import Input, PurgeSanctions, SaveSeen

SAVE_SEEN: Final = 60.0
"""Seconds between two times at which it is written when devices were seen last."""
PURGE: Final = 60
"""Number of these after which what has ended is deleted."""


class Housekeeping:
    """A thread that posts inputs to the hub, the first time after SAVE_SEEN seconds."""

    def __init__(self, post: Callable[[Input], object], pause: float = SAVE_SEEN) -> None:
        self._post = post
        self._pause = pause
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping")

    def start(self) -> None:
        """Start posting."""
        self._thread.start()

    def stop(self) -> None:
        """Stop posting: nothing is posted after this returns. Idempotent, also before `start`."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        turns = 0
        while not self._stopping.wait(self._pause):
            turns += 1
            self._post(SaveSeen())
            if turns % PURGE == 0:
                self._post(PurgeSanctions())
