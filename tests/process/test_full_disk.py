"""A disk that is really full: a small one, mounted where nobody else sees it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SIZE = "48m"
_STORY = "tests.process.full_disk"


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """Messages are refused and not lost, reading goes on, and with room again all is well."""
    unshare = shutil.which("unshare")
    if sys.platform != "linux" or os.geteuid() or unshare is None:
        pytest.skip("mounting a disk needs root, and unshare")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f'mount -t tmpfs -o size={_SIZE} none "$2" && exec "$1" -m {_STORY} "$2"'
    done = subprocess.run(
        [unshare, "--mount", "/bin/sh", "-c", script, "sh", sys.executable, str(disk)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in done.stderr and "denied" in done.stderr:
        pytest.skip(f"no disk can be mounted here: {done.stderr}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "messages were acknowledged until the disk was full",
        "then they are refused, to be tried again",
        "all that was acknowledged can be read",
        "the host can ban who fills it, in the space that was kept back",
        "with room again they are taken, and the reserve is back",
        "nothing of the reserve is left after the end",
    ]
