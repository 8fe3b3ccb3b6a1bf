"""Folders and files for their owner alone, replaced whole, locked against a second program."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from common.system import file_lock
from common.system.private_files import (
    FolderInUseError,
    FolderLock,
    UnsafeFolderError,
    make_private_folder,
    write_private,
)

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
        "import sys, pathlib; from common.system.private_files import FolderLock;"
        "FolderLock(pathlib.Path(sys.argv[1])).acquire(); print('have it', flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"have it"
        with pytest.raises(FolderInUseError):
            FolderLock(tmp_path).acquire()
        other.kill()
    mine = FolderLock(tmp_path)
    mine.acquire()
    mine.release()


@posix
def test_what_was_open_to_others_is_told(tmp_path: Path) -> None:
    """Once: it is closed then. A new folder never was."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o775)
    assert make_private_folder(tmp_path / "open")
    assert not make_private_folder(tmp_path / "open")
    assert not make_private_folder(tmp_path / "new")


@posix
@pytest.mark.parametrize(
    "name", ["lock", "log.txt", "log.txt.1", "reserve", "chat.db-wal", "server.pem", "accounts"]
)
@pytest.mark.parametrize("dangling", [True, False])
def test_a_planted_link_is_refused(tmp_path: Path, name: str, *, dangling: bool) -> None:
    """In the place of any file or folder of ours; what it leads to is as it was."""
    folder, foreign = tmp_path / "data", tmp_path / "foreign"
    folder.mkdir()
    if not dangling:
        foreign.write_bytes(b"precious")
    (folder / name).symlink_to(foreign)
    (folder / "holidays").symlink_to(foreign)  # no name of ours: none of our business
    for attempt in (make_private_folder, lambda path: FolderLock(path).acquire()):
        with pytest.raises(UnsafeFolderError, match=f"its {name} is a link"):
            attempt(folder)
    assert dangling is not foreign.exists()
    assert dangling or foreign.read_bytes() == b"precious"
    (folder / name).unlink()
    make_private_folder(folder)


@posix
def test_a_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever owns it could do anything in it, at any time."""
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(UnsafeFolderError, match="somebody else"):
        make_private_folder(tmp_path)


@posix
def test_a_folder_that_can_not_be_closed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system without modes, mounted for everybody to write."""
    tmp_path.chmod(0o777)
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    with pytest.raises(UnsafeFolderError, match="others may write"):
        make_private_folder(tmp_path)


@posix
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_without_locks_is_no_other_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """The truth is told, with the system's own word for it; nothing is held."""

    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(file_lock, "_lock", fail)
    with pytest.raises(OSError, match="can't lock files") as caught:
        FolderLock(tmp_path).acquire()
    assert caught.value.errno == code
    assert os.strerror(code) in str(caught.value)
    monkeypatch.undo()
    FolderLock(tmp_path).acquire()
