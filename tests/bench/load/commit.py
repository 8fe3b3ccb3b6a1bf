"""What a commit costs on the disk that the servers' data is on."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Final

_TIMES: Final = 200
_TEXT: Final = "x" * 100


def commit_times(folder: Path, times: int = _TIMES) -> list[float]:
    """Milliseconds of so many commits of one small row each: WAL, synchronous FULL."""
    with closing(sqlite3.connect(folder / "commit.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE said (text TEXT)")
        took = []
        for _ in range(times):
            began = time.perf_counter()
            database.execute("INSERT INTO said VALUES (?)", (_TEXT,))
            took.append((time.perf_counter() - began) * 1000)
        return took


def sync_times(folder: Path, times: int = _TIMES) -> list[float]:
    """Milliseconds of so many calls of fdatasync, each after a write of one page."""
    file = os.open(folder / "sync", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        took = []
        for _ in range(times):
            os.write(file, bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file)
            took.append((time.perf_counter() - began) * 1000)
        return took
    finally:
        os.close(file)


class CommitProbe:
    """Asked once in each round, so that a noisy moment hits it as it hits the servers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.commits: list[float] = []
        self.syncs: list[float] = []

    def run(self) -> None:
        """One round's figures: medians, in ms."""
        place = self._folder / f"probe-{len(self.commits)}"
        place.mkdir()
        self.commits.append(median(commit_times(place)))
        self.syncs.append(median(sync_times(place)))
