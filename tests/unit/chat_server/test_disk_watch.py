"""When the disk counts as nearly full, and the thread that looks."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

import pytest

from chat_server import disk_watch
from chat_server.disk_watch import LOW, DiskLevel, DiskWatch

MIB = 1 << 20
BIG = 1 << 40


class Usage(NamedTuple):
    """What the system says of a disk."""

    total: int
    used: int
    free: int


def changes(*free: int, total: int = BIG) -> list[bool]:
    """What is told, look by look: low (True) or not."""
    level = DiskLevel()
    return [level.low for each in free if level.changed(each, total)]


def test_a_disk_is_told_once_for_each_crossing() -> None:
    """What goes up and down around the bound is no news."""
    assert changes(LOW, LOW - 1, LOW + 1, LOW - 1, LOW // 2, LOW + 5 * MIB) == [True]


def test_it_has_room_again_only_well_beyond_the_bound() -> None:
    """And then the next crossing is told anew."""
    assert changes(LOW - 1, 2 * LOW - 1, 2 * LOW, LOW, LOW - 1) == [True, False, True]


@pytest.mark.parametrize(
    ("total", "bound"),
    [(BIG, LOW), (1 << 30, (1 << 30) // 20), (100 * MIB, 48 * MIB), (0, 48 * MIB)],
)
def test_the_bound_follows_the_size_of_the_disk(total: int, bound: int) -> None:
    """Of a small disk, a quarter of a gigabyte would be half; a reserve has to fit in any case."""
    assert changes(bound, total=total) == []
    assert changes(bound - 1, total=total) == [True]


def test_the_watch_tells_each_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On its thread; a disk that can't be looked at is no change; after `stop` nothing is told."""
    monkeypatch.setattr(disk_watch, "LOOK", 0.001)
    free: list[int | None] = [5 * LOW, None, LOW - 1, LOW - 1, None, 5 * LOW, LOW - 1]
    told: SimpleQueue[tuple[bool, int]] = SimpleQueue()
    done = threading.Event()

    def usage(folder: Path) -> Usage:
        assert folder == tmp_path
        if len(free) == 1:
            done.set()
        found = free.pop(0) if len(free) > 1 else free[0]
        if found is None:
            raise OSError(5, "Input/output error")
        return Usage(BIG, BIG - found, found)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    watch = DiskWatch(tmp_path, lambda low, left: told.put((low, left)))
    watch.start()
    assert done.wait(10)
    got = [told.get(timeout=10) for _ in range(3)]
    watch.stop()
    watch.stop()
    assert got == [(True, LOW - 1), (False, 5 * LOW), (True, LOW - 1)]
    assert told.empty()
    assert "disk" not in {thread.name for thread in threading.enumerate()}


def test_a_disk_that_hangs_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the server waits a moment for it, and what it says later is not told."""
    monkeypatch.setattr(disk_watch, "_PATIENCE", 0.01)
    hangs, goes_on = threading.Event(), threading.Event()
    told: list[bool] = []

    def usage(_: Path) -> Usage:
        hangs.set()
        assert goes_on.wait(10)
        return Usage(BIG, BIG, 0)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    watch = DiskWatch(tmp_path, lambda low, _: told.append(low))
    watch.start()
    assert hangs.wait(10)
    watch.stop()
    goes_on.set()
    watch._thread.join(10)
    assert told == []
