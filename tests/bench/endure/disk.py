"""What else the disk is busy with: a witness that writes to it beside the server."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PAUSE: Final = 0.01
"""Seconds between two writes: a stall of a tenth of a second is met several times over."""


class DiskWitness:
    """Writes a page and calls fdatasync, again and again, on a thread of its own."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._took: list[float] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="disk-witness")
        self._thread.start()

    def take(self) -> list[float]:
        """Seconds that each fdatasync took since the last time."""
        took, self._took = self._took, []
        return took

    def close(self) -> None:
        """End the thread."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(_PAUSE):
            os.pwrite(self._file, bytes(4096), 0)
            began = time.perf_counter()
            os.fdatasync(self._file)
            self._took.append(time.perf_counter() - began)


@contextmanager
def a_witness(folder: Path) -> Iterator[DiskWitness]:
    """On the disk that this folder is on."""
    file = os.open(folder / "witness", os.O_RDWR | os.O_CREAT, 0o600)
    witness = DiskWitness(file)
    try:
        yield witness
    finally:
        witness.close()
        os.close(file)
