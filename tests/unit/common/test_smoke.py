"""The smoke test's own frame: it tells, it counts, and it ends in time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from common.system.smoke import every_module, run_checks

ROOT = Path(__file__).parents[3]


def run(program: str) -> tuple[int, str]:
    """Run a piece of Python; its exit status and all it said."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_each_check_has_an_empty_folder(capfd: pytest.CaptureFixture[str]) -> None:
    """And what it left there is gone afterwards."""
    seen: list[Path] = []

    def look(folder: Path) -> str:
        assert not list(folder.iterdir())
        (folder / "file").write_text("x")
        seen.append(folder)
        return "seen"

    assert run_checks("ChatClient", [("one", look), ("two", look)]) == 0
    assert "ok      one: seen\nok      two: seen\nall is well\n" in capfd.readouterr().out
    assert len(set(seen)) == 2
    assert not any(folder.exists() for folder in seen)


def test_a_check_that_fails() -> None:
    """It is named with its reason, the others are made all the same, and the status is 1.

    A thread that waits for ever does not hinder that.
    """
    status, said = run(
        "import threading, sys; from common.system.smoke import run_checks\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        "def fail(_): raise OSError('no such thing')\n"
        "sys.exit(run_checks('ChatClient', [('one', fail), ('two', lambda _: 'fine')]))"
    )
    assert status == 1
    assert "FAILED  one: OSError: no such thing\nok      two: fine\n1 of 2 checks failed" in said


def test_a_check_that_hangs() -> None:
    """The deadline ends it, and says where it hangs."""
    status, said = run(
        "import sys, time; from common.system import smoke; smoke.DEADLINE = 1\n"
        "def hang(_):\n    while True: time.sleep(0.01)\n"
        "sys.exit(smoke.run_checks('ChatClient', [('one', hang)]))"
    )
    assert status == 1
    assert "in hang" in said


def test_every_module_is_imported() -> None:
    """Those that are imported late, too; a package that is not there is found out."""
    _, look = every_module("common")
    count, _, rest = look(Path()).partition(" ")
    files = list((ROOT / "common").rglob("*.py"))
    assert (int(count), rest) == (len(files), "imported")
    with pytest.raises(ImportError):
        every_module("no_such_package")[1](Path())
