"""What the server's tests share: a house of rules, and no error in the log that nobody expects."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.engines import MemoryEngine
from tests.unit.chat_server.house import House
from tests.unit.chat_server.hub_bench import HubBench


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Rules over a database of their own."""
    made = House(tmp_path / "chat.db")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_errors_logged(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """A test that logs an error fails, unless it asks for `errors_logged`."""
    yield
    errors = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    if "errors_logged" not in request.fixturenames:
        assert [record.getMessage() for record in errors] == []


@pytest.fixture
def errors_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """For tests that make something fail on purpose."""
    return caplog


@pytest.fixture
def bench() -> Iterator[HubBench]:
    """A hub over a store in memory."""
    made = HubBench(MemoryEngine())
    yield made
    made.close()
