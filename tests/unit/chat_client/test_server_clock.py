"""The server's time, counted here from what it told."""

from __future__ import annotations

import time

import pytest

from chat_client.window.server_clock import ServerClock
from common.system.clock import elapsed


def test_it_goes_on_from_what_was_told() -> None:
    """Also from what was told a while ago; each time anew."""
    passed = [50.0]
    clock = ServerClock(lambda: passed[0])
    clock.set(1_000_000, 2.0)
    assert clock.now() == 1_002_000
    passed[0] += 3600.5
    assert clock.now() == 4_602_500
    clock.set(7, 0.0)
    assert clock.now() == 7


def test_before_anything_was_told_it_is_this_computers_time() -> None:
    """Which is the best guess."""
    assert abs(ServerClock().now() - time.time_ns() // 1_000_000) < 60_000


def test_how_much_has_passed_is_not_told_by_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it changes when that is set."""
    before = elapsed()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert 0 <= elapsed() - before < 60
