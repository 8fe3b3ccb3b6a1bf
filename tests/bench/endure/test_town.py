"""Members that come, go and talk with the real server: what they are to find is found."""

import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
if sys.platform == "linux":
    from tests.bench.endure import town as town_module
    from tests.bench.endure.hosted import a_server
    from tests.bench.endure.town import Town

PATIENCE = 30.0


def test_a_town_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go and come back all the time, half of them abruptly: nothing is lost, nothing twice."""
    monkeypatch.setattr(town_module, "TURN", 0.02)
    monkeypatch.setattr(town_module, "NEWCOMER", 0.1)
    with a_server(tmp_path / "server") as hosted:
        town = Town(hosted, online=6)
        try:
            town.settle(history=1000)
            town.live(rate=1000)
            assert town.crew.run(
                time.monotonic() + PATIENCE,
                lambda: town.comings >= 50 and town.newcomers >= 3 and len(town.ledger.times) > 500,
            )
            sample = town.sample()
            assert sample.vitals.memory > sample.vitals.own > 10_000_000
            assert sample.vitals.files > sample.online
            assert sample.sizes["chat.db"] + sample.sizes["chat.db-wal"] > 100 * 1000
            town.finish()
        finally:
            town.crew.close()
    assert town.ledger.faults == []
    assert town.crew.lost == town.ledger.outstanding == 0
    assert town.ledger.head > 1000
