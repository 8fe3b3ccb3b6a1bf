"""The ids of events: never the same, and those of one time beside each other."""

from __future__ import annotations

import re
import time
from base64 import urlsafe_b64decode

import pytest

from common.protocol.ids import new_cid


def test_ids_differ_and_begin_with_the_time() -> None:
    """96 bits in base64url: the time in milliseconds, and chance."""
    before = time.time_ns() // 1_000_000
    made = [new_cid() for _ in range(1000)]
    after = time.time_ns() // 1_000_000
    assert len(set(made)) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{16}", cid) for cid in made)
    assert all(before <= int.from_bytes(urlsafe_b64decode(cid)[:6]) <= after for cid in made)


def test_ids_of_one_moment_have_the_same_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """So they stand beside each other in an index."""
    monkeypatch.setattr(time, "time_ns", lambda: 1_767_225_600_000_000_000)
    assert len({new_cid()[:8] for _ in range(100)}) == 1
    assert len({new_cid()[8:] for _ in range(100)}) == 100
