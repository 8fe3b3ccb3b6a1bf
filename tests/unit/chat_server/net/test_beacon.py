"""What the beacon does when too much is asked, and when it can't work at all."""

from __future__ import annotations

import logging
import threading

import pytest

from chat_server.net import beacon as module
from chat_server.net.beacon import MOST_REPLIES, MOST_REPLIES_EACH, Beacon, ReplyLimit
from common.domain.dns_sd import Advert

HOME = Advert(b"f" * 32, "Home", 12345)


def test_replies_are_limited_for_each_and_for_all() -> None:
    """So that nobody makes this computer flood another one; each second anew."""
    limit = ReplyLimit()
    assert sum(limit.allows("10.0.0.5", 10.5) for _ in range(100)) == MOST_REPLIES_EACH
    others = [f"10.0.1.{number}" for number in range(MOST_REPLIES)]
    assert sum(limit.allows(host, 10.9) for host in others) == MOST_REPLIES - MOST_REPLIES_EACH
    assert not limit.allows("10.0.2.1", 11.4)
    assert limit.allows("10.0.0.5", 11.5)
    assert limit.allows("10.0.2.1", 11.5)


@pytest.mark.parametrize(
    ("error", "has_trace"), [(OSError("no more sockets"), False), (RuntimeError("oh"), True)]
)
def test_a_failure_is_logged_once_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    has_trace: bool,
) -> None:
    """It is tried again, until the server is stopped; a mistake of ours is logged with its way."""
    tried = threading.Semaphore(0)

    def fail(**_: object) -> None:
        tried.release()
        raise error

    monkeypatch.setattr(module, "Links", fail)
    monkeypatch.setattr(module, "_FAILED_PAUSE", 0.001)
    beacon = Beacon(HOME)
    with caplog.at_level(logging.DEBUG, "chat_server.net.beacon"):
        beacon.start()
        for _ in range(3):
            assert tried.acquire(timeout=20)
        beacon.rename("Garden")
        beacon.stop()
    beacon.stop()
    (record,) = caplog.records
    assert str(error) in record.message
    assert bool(record.exc_info) is has_trace
    assert beacon.asked_at is None


def test_it_may_be_stopped_before_it_starts() -> None:
    """As a server that could not start does."""
    beacon = Beacon(HOME)
    beacon.stop()
    beacon.stop()
