"""The entries of open windows in a data folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.system.open_windows import FOLDER, WindowEntry, announce, is_older, other_windows

ROOT = Path(__file__).parents[3]
KEY = bytes(range(16))
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs owners and modes of files")
_PROGRAM = """
import sys
from pathlib import Path
from common.system.open_windows import announce
entry = announce(Path(sys.argv[1]))
entry.publish(4711, b"0123456789abcdef")
print(entry.path.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def entry(folder: Path) -> Iterator[WindowEntry]:
    """The entry of a window that is open."""
    entry = announce(folder)
    assert entry is not None
    yield entry
    entry.remove()


def test_an_entry_says_where_a_window_is(folder: Path, entry: WindowEntry) -> None:
    """First only that it opens; then where it is, and with which account."""
    [opening] = other_windows(folder, None)
    assert not opening.is_reachable
    entry.publish(4711, KEY)
    entry.show("ada@x")
    [open_] = other_windows(folder, None)
    assert (open_.port, open_.key, open_.account) == (4711, KEY, "ada@x")
    assert open_.is_reachable
    entry.show("")  # shorter than before
    assert other_windows(folder, None)[0].account == ""
    assert other_windows(folder, entry) == []  # it is no other
    entry.remove()
    entry.remove()
    entry.publish(1, KEY)
    assert other_windows(folder, None) == []
    assert list((folder / FOLDER).iterdir()) == []


def _start_at_once(folder: Path, count: int) -> int:
    """How many of several programs take themselves for the first, as they start at once."""
    barrier = threading.Barrier(count)
    firsts: list[int] = []
    entries: list[WindowEntry] = []

    def start() -> None:
        barrier.wait()
        own = announce(folder)
        assert own is not None
        entries.append(own)
        while any(is_older(each, own) and not each.port for each in other_windows(folder, own)):
            pass
        if not any(each.port for each in other_windows(folder, own)):
            firsts.append(threading.get_ident())
        own.publish(1, KEY)

    threads = [threading.Thread(target=start) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for entry in entries:
        entry.remove()
    return len(firsts)


def test_of_many_at_once_one_is_the_first(folder: Path) -> None:
    """Each announces itself and then waits for those before it."""
    folder.mkdir(mode=0o700)
    assert [_start_at_once(folder, 6) for _ in range(20)] == [1] * 20


def test_who_is_seen_later_comes_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else two programs could both be the first: one that looked before the other one was there."""
    looked: list[WindowEntry] = []
    open_ = os.open

    def open_late(path: str | Path, flags: int, mode: int = 0o777) -> int:
        """Before the first file is there, another program does all that it does."""
        if not looked:
            monkeypatch.undo()
            other = announce(folder)
            assert other is not None
            assert other_windows(folder, other) == []
            looked.append(other)
        return open_(path, flags, mode)

    monkeypatch.setattr(os, "open", open_late)
    entry = announce(folder)
    assert entry is not None
    [found] = other_windows(folder, entry)
    assert is_older(found, entry)
    for each in (*looked, entry):
        each.remove()


@posix
def test_an_entry_that_is_being_made_comes_first(folder: Path, entry: WindowEntry) -> None:
    """Its program may have been started before; one that was left behind is deleted some day."""
    hidden = entry.path.with_name(".1-x.json")
    hidden.touch()
    [found] = other_windows(folder, entry)
    assert is_older(found, entry)
    assert not found.is_reachable
    os.utime(hidden, (1, 1))
    assert other_windows(folder, entry) == []
    assert not hidden.exists()


@posix
def test_only_the_owner_can_read_it(entry: WindowEntry) -> None:
    """Whoever reads it can have the window do things."""
    assert entry.path.stat().st_mode & 0o777 == 0o600
    assert entry.path.parent.stat().st_mode & 0o777 == 0o700
    assert entry.path.parent.parent.stat().st_mode & 0o777 == 0o700


def test_the_window_used_last_comes_first(folder: Path) -> None:
    """Used is what had the keyboard; of two that open, one was first."""
    entries = [announce(folder) for _ in range(3)]
    one, two, three = (entry for entry in entries if entry is not None)
    for entry, used in ((one, 5_000), (two, 9_000), (three, 7_000)):
        os.utime(entry.path, ns=(used, used))
    found = other_windows(folder, None)
    assert [each.name for each in found] == [two.path.name, three.path.name, one.path.name]
    assert [is_older(each, two) for each in found] == [False, False, True]
    one.touch()
    assert other_windows(folder, None)[0].name == one.path.name
    for entry in (one, two, three):
        entry.remove()


def test_an_entry_of_a_killed_program_is_deleted(folder: Path) -> None:
    """Its lock went with it, whoever has its number now."""
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        name = program.stdout.readline().strip()
        [window] = other_windows(folder, None)
        assert (window.name, window.port) == (name, 4711)
        program.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        program.wait()
        assert other_windows(folder, None) == []
    assert list((folder / FOLDER).iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"1", b'{"port": 1}', b'{"port": "x", "key": "", "account": ""}',
     b'{"port": 1, "key": "xyz", "account": ""}', b"[" * 4000],
)  # fmt: skip
def test_a_damaged_entry_leads_nowhere(folder: Path, entry: WindowEntry, content: bytes) -> None:
    """It counts as a window that opens, as long as its program runs."""
    entry.path.write_bytes(content)
    [found] = other_windows(folder, None)
    assert not found.is_reachable


@posix
@pytest.mark.parametrize("which", ["", FOLDER])
def test_a_folder_that_others_may_write_in_is_not_used(folder: Path, which: str) -> None:
    """Somebody could put an entry of theirs in there, and be handed an invite."""
    (folder / FOLDER).mkdir(parents=True, mode=0o700)
    (folder / which).chmod(0o770)
    assert announce(folder) is None
    assert other_windows(folder, None) == []


@posix
def test_no_link_is_followed(folder: Path, tmp_path: Path, entry: WindowEntry) -> None:
    """Neither as an entry nor as the folder of them."""
    entry.publish(4711, KEY)
    real = entry.path.parent
    (real / "link.json").symlink_to(entry.path)
    assert len(other_windows(folder, None)) == 1
    (tmp_path / "other").mkdir(mode=0o700)
    (tmp_path / "other" / FOLDER).symlink_to(real)
    assert other_windows(tmp_path / "other", None) == []
    assert announce(tmp_path / "other") is None


def test_a_file_system_without_locks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There every window is on its own, and nothing is left behind."""

    def lock(_: int) -> bool:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("common.system.open_windows.lock_file", lock)
    assert announce(folder) is None
    assert list((folder / FOLDER).iterdir()) == []
