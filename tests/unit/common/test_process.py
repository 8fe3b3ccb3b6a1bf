"""What a process needs before anything else, and where it keeps its data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from common.system import build, data_folder, process

ROOT = Path(__file__).parents[3]


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As in a bundle, whose folder this is."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path / "_internal"), raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "ChatClient"))
    (tmp_path / "_internal").mkdir()
    return tmp_path


def test_a_bundle_gives_the_environment_back(frozen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the bundle's start put in for itself goes; what was there before is there again."""
    del frozen
    for name, value in {
        "LD_LIBRARY_PATH": "/bundle",
        "LD_LIBRARY_PATH_ORIG": "/before",
        "DYLD_LIBRARY_PATH": "/bundle",
        "_PYI_ARCHIVE_FILE": "x",
        "_MEIPASS2": "x",
        "KEPT": "x",
    }.items():
        monkeypatch.setenv(name, value)
    process.prepare()
    assert os.environ["LD_LIBRARY_PATH"] == "/before"
    assert os.environ["KEPT"] == "x"
    assert not {
        "LD_LIBRARY_PATH_ORIG",
        "DYLD_LIBRARY_PATH",
        "_PYI_ARCHIVE_FILE",
        "_MEIPASS2",
    } & set(os.environ)


def test_from_source_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the person's own, whatever is in it."""
    monkeypatch.setenv("LD_LIBRARY_PATH", "/mine")
    process.prepare()
    assert os.environ["LD_LIBRARY_PATH"] == "/mine"


@pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors as a shell does")
def test_without_streams_printing_goes_nowhere(tmp_path: Path) -> None:
    """With the three streams closed one can print and read, and no file gets their numbers."""
    told = tmp_path / "told"
    program = (
        "import os, sys; from common.system.process import prepare; prepare()\n"
        "print('x'); print('y', file=sys.stderr); sys.stdin.read()\n"
        f"number = os.open({str(told)!r}, os.O_CREAT | os.O_WRONLY)\n"
        "os.write(number, str(number).encode())\n"
    )
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', sys.executable, "-c", program],
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0
    assert int(told.read_text()) > 2


def test_a_folder_beside_the_program_makes_it_portable(frozen: Path) -> None:
    """Only where it exists; otherwise the system's place is used."""
    usual = data_folder.data_folder("ChatClient")
    assert frozen not in usual.parents
    (frozen / "data").mkdir()
    assert data_folder.data_folder("ChatClient") == frozen / "data" / "ChatClient"
    assert data_folder.data_folder("ChatServer") == frozen / "data" / "ChatServer"


def test_from_source_no_folder_makes_it_portable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `data` beside Python is none of ours."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "data").mkdir()
    assert tmp_path not in data_folder.data_folder("ChatClient").parents


def test_an_application_is_carried_about_as_a_whole(
    frozen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On macOS the folder is beside the application, not within it."""
    within = frozen / "ChatClient.app" / "Contents" / "MacOS"
    within.mkdir(parents=True)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(sys, "executable", str(within / "ChatClient"))
    assert process.program_folder() == frozen.resolve()


def test_a_profile_is_a_folder_within(tmp_path: Path) -> None:
    """Without one, the folder itself."""
    assert data_folder.profile_folder(tmp_path, None) == tmp_path
    assert data_folder.profile_folder(tmp_path, "work").parent.parent == tmp_path


def test_a_bundle_says_its_commit(frozen: Path) -> None:
    """It was told when it was built; a damaged note is no reason to fail."""
    note = frozen / "_internal" / build.FILE
    note.write_text('{"commit": "1a2b3c4", "date": "2026-01-02"}')
    assert "(commit 1a2b3c4, 2026-01-02, " in build.version_line("ChatClient")
    note.write_text("[]")
    assert "unknown commit" in build.version_line("ChatClient")


def test_without_git_the_source_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the source on a computer that has no git."""
    monkeypatch.setenv("PATH", "")
    assert "of an unknown commit, from source" in build.version_line("ChatServer")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGHUP")
@pytest.mark.parametrize("ignored", [False, True])
def test_a_hang_up_ends_a_program_unless_it_is_ignored(*, ignored: bool) -> None:
    """As nohup(1) has it ignored in what it starts."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        assert (signal.SIGHUP in process.stop_signals()) is not ignored
        assert {signal.SIGTERM, signal.SIGINT} <= set(process.stop_signals())
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("ignored", [True, False])
def test_an_interrupt_while_the_program_is_loaded(ignored: bool) -> None:
    """It ends at once without a traceback; what is ignored in the background stays so."""
    program = (
        "import os, signal; from common.system.process import end_on_interrupt\n"
        "end_on_interrupt()\n"
        "os.kill(os.getpid(), signal.SIGINT); print('went on')"
    )

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.SIG_DFL)

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=ignore,  # no threads here
    )
    assert done.stderr == ""
    assert (done.returncode, done.stdout) == ((0, "went on\n") if ignored else (-2, ""))
