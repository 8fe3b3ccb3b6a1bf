"""Watches how much room is left on the disk of the data folder, while the server runs.

The host is told before messages are refused for the lack of it (chat_server/store/reserve.py).
"""

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

LOOK: Final = 10.0
"""Seconds between two looks, each some microseconds."""
_MIB: Final = 1 << 20
LOW: Final = 256 * _MIB
"""Bytes; the disk is nearly full with less. Of a small disk it is a twentieth of all."""
_LEAST: Final = 48 * _MIB
"""Bytes; below half of it, messages are refused once the disk was full."""
_SHARE: Final = 20
_PATIENCE: Final = 1.0
"""Seconds to wait for a look to end."""


class DiskLevel:
    """Tells when the disk becomes nearly full, and when it is no more: with hysteresis.

    Between LOW and twice as much nothing changes, or a file that grows and shrinks would have it
    told again and again.
    """

    def __init__(self) -> None:
        self.low = False

    def changed(self, free: int, total: int) -> bool:
        """Whether `low` is another now that this many bytes of a disk are free."""
        bound = max(_LEAST, min(LOW, total // _SHARE))
        low = free < (2 * bound if self.low else bound)
        changed, self.low = low != self.low, low
        return changed


class DiskWatch:
    """A thread that looks at the disk of `folder` at once and then periodically.

    `tell(low, free)` is called on it at each change; the first look counts as one if the disk is
    nearly full. A disk that can't be looked at tells nothing.
    """

    def __init__(self, folder: Path, tell: Callable[[bool, int], object]) -> None:
        self._folder, self._tell = folder, tell
        self._level = DiskLevel()
        self._stopping = threading.Event()
        self._telling = threading.Lock()
        # A daemon, and waited for only so long: a disk of the network may hang for minutes.
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)

    def start(self) -> None:
        """Start looking."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking: no call of `tell` after this returns. Idempotent, also before `start`."""
        self._stopping.set()
        with self._telling:
            pass  # what it tells now is told
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                usage = shutil.disk_usage(self._folder)
            except OSError as error:
                log.debug("the disk can't be looked at: %s", error.strerror)
            else:
                self._look(usage.free, usage.total)
            self._stopping.wait(LOOK)

    def _look(self, free: int, total: int) -> None:
        with self._telling:
            if self._stopping.is_set() or not self._level.changed(free, total):
                return
            low = self._level.low
            log.log(
                logging.WARNING if low else logging.INFO,
                "the disk %s: %d MiB are free",
                "is nearly full" if low else "has room again",
                free // _MIB,
            )
            self._tell(low, free)
