"""Folders and files for their owner alone, replaced whole, locked against a second program."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from common.datafolder import FolderInUseError, FolderLock, make_private_folder, write_private

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists, no modes")


def mode(path: Path) -> int:
    """A path's permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_a_private_folder_is_its_owners(tmp_path: Path) -> None:
    """A new folder is 0700 whatever the umask, and one that was open to others is closed."""
    before = os.umask(0)
    try:
        make_private_folder(tmp_path / "a" / "b")
        (tmp_path / "open").mkdir(mode=0o777)
        make_private_folder(tmp_path / "open")
        write_private(tmp_path / "open" / "secret", b"x")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a" / "b") == mode(tmp_path / "open") == 0o700
    assert mode(tmp_path / "open" / "secret") == 0o600


@posix
def test_replacing_a_file_closes_it_to_others(tmp_path: Path) -> None:
    """A file that others could read is private once it is written again."""
    path = tmp_path / "secret"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """When the disk is full the old content stays, and nothing half-written lies beside it."""
    path = tmp_path / "secret"
    write_private(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os if failing == "fsync" else Path, failing, fail)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_keeps_others_out_until_it_is_released(tmp_path: Path) -> None:
    """Two cannot have a folder; released, the next one gets it, and releasing twice is harmless."""
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    second.release()
    first.acquire()
    with pytest.raises(FolderInUseError, match="in use"):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_a_lock_holds_across_processes_and_ends_with_its_own(tmp_path: Path) -> None:
    """Another process has the folder until it ends, however it ends."""
    code = (
        "import sys, pathlib; from common.datafolder import FolderLock;"
        "FolderLock(pathlib.Path(sys.argv[1])).acquire(); print('have it', flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"have it"
        with pytest.raises(FolderInUseError):
            FolderLock(tmp_path).acquire()
        other.kill()
    mine = FolderLock(tmp_path)
    mine.acquire()
    mine.release()
