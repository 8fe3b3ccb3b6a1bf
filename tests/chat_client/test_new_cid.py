"""The ids of messages: never the same, and those of one time beside each other."""

from __future__ import annotations

import time

from chat_client.core import new_cid


def test_ids_differ_and_begin_with_the_time() -> None:
    """128 bits in hexadecimal: the time in milliseconds, and chance."""
    before = time.time_ns() // 1_000_000
    made = [new_cid() for _ in range(1000)]
    after = time.time_ns() // 1_000_000
    assert len(set(made)) == 1000
    assert {len(cid) for cid in made} == {32}
    assert all(before <= int(cid[:12], 16) <= after for cid in made)
