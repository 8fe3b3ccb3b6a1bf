"""The small disk: filled in earnest, freed again, and its files outlive it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture.crew import ROOT
from tests.torture.disk import NoNamespaceError, namespace

_STORY = """
import errno, sys
from pathlib import Path
from tests.torture.disk import SmallDisk

folder = Path(sys.argv[1])
with SmallDisk(folder, 1 << 20) as disk:
    (folder / "before").write_bytes(b"kept")
    disk.fill()
    try:
        (folder / "during").write_bytes(bytes(1 << 16))
    except OSError as error:
        assert error.errno == errno.ENOSPC
    else:
        raise AssertionError("there was room")
    disk.free()
    (folder / "after").write_bytes(bytes(1 << 16))
"""


def where_one_may_mount(*program: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program in a namespace of its own; skip the test if that is not allowed."""
    try:
        command = namespace()
    except NoNamespaceError as error:
        pytest.skip(f"no disk can be mounted here: {error}")
    return subprocess.run(
        [*command, sys.executable, *program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_small_disk_is_full_when_it_is_filled(tmp_path: Path) -> None:
    """Not a byte more is written; with room again all is well, and remains after it."""
    folder = tmp_path / "disk"
    done = where_one_may_mount("-c", _STORY, str(folder))
    assert done.returncode == 0, done.stderr
    assert (folder / "before").read_bytes() == b"kept"
    assert (folder / "after").stat().st_size == 1 << 16
    assert not (folder / "ballast").exists()


def test_a_server_killed_on_a_full_disk_starts_again(tmp_path: Path) -> None:
    """And loses nothing, and has everything delivered when there is room."""
    done = where_one_may_mount("-m", "tests.torture.full_disk", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
