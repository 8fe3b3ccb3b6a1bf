"""A short torture with fixed seeds, for every day; `dev.py torture` is for the long ones."""

import pytest

from tests.torture.runner import run

SECONDS = 15.0


@pytest.mark.timeout(180)  # the torture, and what it may need to heal and to end
@pytest.mark.parametrize("seed", [1, 2])
def test_every_promise_is_kept_while_everything_goes_wrong(seed: int) -> None:
    """Killed, stopped, cut off and out of disk: nothing lost, nothing twice, one order."""
    report = run(SECONDS, seed)
    said = "\n".join(report.lines())
    assert not report.violations, said
    assert report.acknowledged > 100, said
    assert any(fault.startswith("kill") for fault in report.faults), said
