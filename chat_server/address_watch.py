"""Polls this computer's addresses, which may change while the server runs."""

import logging
import threading
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

LOOK: Final = 1.0
"""Seconds between two looks, each a fraction of a millisecond. No system tells of changes in the
same way as another; a look does, and also after the computer was asleep."""


class AddressWatch:
    """A thread that reads the addresses periodically and passes them on, changed or not.

    `ask` and `tell` are called on that thread; `tell` must be idempotent.
    """

    def __init__(
        self, ask: Callable[[], tuple[str, ...]], tell: Callable[[tuple[str, ...]], object]
    ) -> None:
        self._ask = ask
        self._tell = tell
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="addresses")

    def start(self) -> None:
        """Start polling."""
        self._thread.start()

    def stop(self) -> None:
        """Stop polling: no call of `tell` after this returns. Idempotent, also before `start`."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        failed = False
        while not self._stopping.wait(LOOK):
            try:
                self._tell(self._ask())
            except Exception as error:
                # The next look may do better; the server runs without it. Said once, and with the
                # way there only where it is a mistake of ours.
                if not failed:
                    log.warning(
                        "the addresses can't be looked at: %s",
                        error,
                        exc_info=not isinstance(error, OSError),
                    )
                failed = True
            else:
                failed = False
