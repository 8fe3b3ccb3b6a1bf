"""Every test has its tier, and its worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path, PurePath

import pytest

from tests.tiers import FOLDERS, TIERS, group_of, rank_of, tier_of

HERE = Path(__file__).parent
_BOTH = """
import pytest

@pytest.mark.soak
def test_long():
    print("ran the long one")

def test_short():
    print("ran the short one")
"""


def test_what_is_named_is_there() -> None:
    """A file that was moved or renamed would be of another tier without anybody's notice."""
    assert [place for place in FOLDERS if not (HERE / place).exists()] == []
    assert set(FOLDERS.values()) <= set(TIERS)


@pytest.mark.parametrize(
    ("path", "tier"),
    [
        ("common/test_names.py", "unit"),
        ("chat_server/net/test_turns.py", "unit"),
        ("test_architecture.py", "unit"),
        ("test_dev.py", "process"),
        ("process/test_kills.py", "process"),
        ("torture/test_torture.py", "process"),
        ("torture/test_checker.py", "unit"),
        ("gui/kit/test_text.py", "gui"),
        ("gui/host/test_people.py", "gui"),
        ("frozen/test_deb.py", "frozen"),
    ],
)
def test_a_file_is_in_the_tier_of_its_folder(path: str, tier: str) -> None:
    """Or in one of its own."""
    assert tier_of(PurePath(path)) == tier


def test_what_has_something_in_common_stays_together() -> None:
    """Else each worker would build the programs, and start what a file's tests share."""
    assert group_of("frozen/test_deb.py::test_a") == group_of("frozen/test_programs.py::test_b[x]")
    assert group_of("gui/kit/test_text.py::test_a") == group_of(
        "gui/kit/test_text.py::test_b[a::b]"
    )
    assert group_of("gui/kit/test_text.py::test_a") != group_of("gui/kit/test_keys.py::test_a")
    assert group_of("torture/test_disk.py::test_a") != group_of("torture/test_disk.py::test_b")


def test_what_is_longest_begins_first() -> None:
    """The group of all frozen programs' tests is by far the longest."""
    ranks = [rank_of(path.relative_to(HERE)) for path in sorted(HERE.rglob("test_*.py"))]
    assert set(ranks) == set(range(len(TIERS) - 1))  # nothing is of the last by its folder
    assert rank_of(PurePath("frozen/test_deb.py")) == 0


@pytest.mark.parametrize("tier", ["", "soak", "unit"])
def test_what_takes_long_is_run_when_it_is_asked_for(tmp_path: Path, tier: str) -> None:
    """And only then; whatever else is chosen."""
    tests = tmp_path / "tests"
    tests.mkdir()
    for name in ("conftest.py", "tiers.py"):
        shutil.copy(HERE / name, tests)
    (tests / "test_both.py").write_text(_BOTH, "utf-8")
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", "-p", "no:xvfb"]
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), "--import-mode=importlib", "-m", tier, "tests"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed, 1 deselected" in done.stdout, done.stdout + done.stderr
    assert ("ran the long one" in done.stdout) == (tier == "soak")
    assert ("ran the short one" in done.stdout) == (tier != "soak")
