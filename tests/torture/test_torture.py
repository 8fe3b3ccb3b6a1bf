"""Ten seconds of torture with a fixed seed, for every day; `dev.py torture` is for the long ones.

As a program of its own, since only such a one may have a small disk to fill.
"""

import re
import subprocess
import sys

import pytest

from tests.torture.crew import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs can't be stopped there")


@pytest.mark.timeout(180)  # the torture, and what it may need to heal and to end
@pytest.mark.parametrize(
    ("seconds", "seed"),
    [(10, 1), *(pytest.param(30, seed, marks=pytest.mark.soak) for seed in range(1, 9))],
)
def test_every_promise_is_kept_while_everything_goes_wrong(seconds: int, seed: int) -> None:
    """Killed, stopped, cut off, out of disk, set back: nothing lost, nothing twice, one order."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture", "--seconds", str(seconds), "--seed", str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    for counted in ("messages acknowledged", "kills"):
        found = re.search(rf"^{counted} +(\d+)$", said, re.MULTILINE)
        assert found is not None, said
        assert int(found[1]) > (100 if counted.startswith("messages") else 0), said
