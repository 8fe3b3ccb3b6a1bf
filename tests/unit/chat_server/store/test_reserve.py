"""The space kept back on the host's disk."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from chat_server.store import reserve
from chat_server.store.reserve import FLOOR, SIZE, Reserve


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where it is kept."""
    return tmp_path / "reserve"


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Have the system say that so many bytes are free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=size))


def test_it_takes_up_its_space(path: Path) -> None:
    """On the disk and not only in its length, private, and once."""
    kept = Reserve(path)
    assert kept.hold()
    assert path.stat().st_size == SIZE
    assert path.stat().st_blocks * 512 >= SIZE
    assert path.stat().st_mode & 0o777 == 0o600
    assert kept.hold()
    kept.release()
    kept.release()
    assert not path.exists()


def test_it_leaves_room_for_the_rest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where there is more than it takes; what is there already stays in any case."""
    free(monkeypatch, SIZE + FLOOR - 1)
    assert not Reserve(path).hold()
    assert not path.exists()
    free(monkeypatch, SIZE + FLOOR)
    assert Reserve(path).hold()
    free(monkeypatch, 0)
    assert Reserve(path).hold()


def test_half_a_reserve_is_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an end in its making left is made again; what can't be made is taken away."""
    path.write_bytes(b"x")
    assert Reserve(path).hold()
    assert path.stat().st_size == SIZE
    path.write_bytes(b"x")

    def fail(_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(reserve.Reserve, "_make", fail)
    assert not Reserve(path).hold()
    assert not path.exists()


@pytest.mark.parametrize("linked", ["soft", "hard", "dangling"])
def test_nothing_foreign_is_overwritten(path: Path, linked: str) -> None:
    """A link in its place is taken away; what it leads to keeps its content and its size."""
    foreign = path.with_name("foreign")
    if linked != "dangling":
        foreign.write_bytes(b"precious" * (SIZE // 8))
    if linked == "hard":
        path.hardlink_to(foreign)
    else:
        path.symlink_to(foreign)
    kept = Reserve(path)
    assert kept.hold()
    assert not path.is_symlink()
    assert path.stat().st_nlink == 1
    assert (linked == "dangling") is not foreign.exists()
    assert linked == "dangling" or foreign.read_bytes()[:8] == b"precious"
    kept.release()
