"""The finder's limits, and what it does when it can't work."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from chat_client.net import finder as module
from chat_client.net.finder import Finder, ReadLimit
from chat_client.state.discovery import FoundChat
from common.system.multicast import Links


def nothing_to_tell(chats: Sequence[FoundChat]) -> None:
    """Nothing is found in these tests."""
    pytest.fail(str(chats))


def test_reading_is_limited() -> None:
    """A burst at first, and then so many a second: a flood costs no more than that."""
    limit = ReadLimit()
    hosts = [f"10.0.{number >> 8}.{number & 255}" for number in range(10_000)]
    assert sum(limit.allows(host, 10.0) for host in hosts) == 128
    times = [10.0 + number / 10_000 for number in range(20_000)]
    allowed = sum(
        limit.allows(f"10.1.{place & 255}.{place >> 8}", at) for place, at in enumerate(times)
    )
    assert allowed in {99, 100}
    assert sum(limit.allows(host, 1000.0) for host in hosts) == 128
    assert len(limit._senders) == ReadLimit._SENDERS


def test_one_sender_does_not_hide_the_others() -> None:
    """Of each fewer are read than of all, however many it sends."""
    limit = ReadLimit()
    assert sum(limit.allows("10.0.0.66", 10.0) for _ in range(10_000)) == 32
    for second in range(10, 20):
        flood = [limit.allows("10.0.0.66", second + part / 1000) for part in range(1000)]
        assert sum(flood) in {9, 10, 11}
        assert all(limit.allows(f"10.0.0.{number}", second + 0.9999) for number in range(30))


def test_a_failure_is_logged_and_ends_the_search_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A chat can be joined by its link all the same."""
    asked = threading.Event()

    def fail(_: object) -> bool:
        asked.set()
        raise RuntimeError("a mistake")

    monkeypatch.setattr(Links, "refresh", fail)
    finder = Finder(nothing_to_tell)
    finder.start()
    assert asked.wait(20)
    finder.stop()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    caplog.clear()


def test_without_any_file_descriptor_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The next look may do better."""
    looks = threading.Semaphore(0)

    def fail(_: object) -> bool:
        looks.release()
        raise OSError("too many open files")

    monkeypatch.setattr(Links, "refresh", fail)
    monkeypatch.setattr(module, "LOOK", 0.001)
    finder = Finder(nothing_to_tell)
    finder.start()
    for _ in range(3):
        assert looks.acquire(timeout=20)
    finder.stop()
    assert caplog.records == []


def test_it_may_be_stopped_before_it_starts_and_more_than_once() -> None:
    """As a window that is closed at once does."""
    finder = Finder(nothing_to_tell)
    finder.stop()
    finder.stop()
