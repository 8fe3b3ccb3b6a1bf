"""Memory that a crowd leaves behind goes back to the system, seldom and only after a crowd."""

from __future__ import annotations

import subprocess
import sys

import pytest

from chat_server.net import heap
from chat_server.net.heap import PAUSE, TRIM_AFTER_CLOSED, Heap


def test_only_a_crowd_is_worth_it_and_not_at_every_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast they come and go: once in a while."""
    trims: list[None] = []

    def trim() -> bool:
        trims.append(None)
        return True

    monkeypatch.setattr(heap, "_trim", trim)
    kept, now = Heap(), 100.0
    for _ in range(TRIM_AFTER_CLOSED - 1):
        kept.ended()
    assert not kept.trim_if_due(now)
    for _ in range(100):
        for _ in range(TRIM_AFTER_CLOSED):
            kept.ended()
        now += PAUSE / 10
        kept.trim_if_due(now)
    assert 10 <= len(trims) <= 11
    now += PAUSE
    kept.trim_if_due(now)
    assert not kept.trim_if_due(now + PAUSE), "nobody has gone since"


@pytest.mark.skipif(sys.platform != "linux", reason="malloc_trim is glibc's")
def test_what_was_freed_between_the_living_goes_back() -> None:
    """Ten thousand TLS objects, every hundredth of which stays."""
    script = """
import ssl
from chat_server.net.heap import _trim
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
made = [context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True) for _ in range(10000)]
before = resident()
del made[1::2], made[1::2], made[1::2], made[1::2], made[1::2], made[1::2]
if _trim():
    assert resident() < before - 20_000_000, (before, resident())
"""
    subprocess.run([sys.executable, "-c", script], check=True)
