"""An attempt to join that is loaded late, on its thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from chat_client.options import Name
from chat_client.window.join.network import Connection, LazyConnection

DEADLINE = 15.0


class Recorded:
    """An attempt that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed = threading.Event()

    def knock(self, name: Name) -> None:
        """Note it."""
        self.asked.append(f"knock {name.username}")

    def code(self, code: str) -> None:
        """Note it."""
        self.asked.append(f"code {code}")

    def close(self) -> None:
        """Note it."""
        self.closed.set()


@pytest.fixture
def gate() -> threading.Event:
    """What the loading waits for."""
    return threading.Event()


def late(attempt: Recorded, gate: threading.Event) -> tuple[LazyConnection, threading.Event]:
    """An attempt that is loaded when the gate opens, and whether that has happened."""
    loaded = threading.Event()

    def make() -> Connection:
        assert gate.wait(DEADLINE)
        return attempt

    def order(_: Connection) -> None:
        loaded.set()

    made = LazyConnection(make)
    made.ask(order)
    return made, loaded


def test_what_is_asked_meanwhile_follows_in_its_order(gate: threading.Event) -> None:
    """And what is asked later comes after it."""
    attempt = Recorded()
    made, loaded = late(attempt, gate)
    asks: list[Callable[[Connection], object]] = [
        lambda each: each.knock(Name("ada", "Ada")),
        lambda each: each.code("K7Q29FXM"),
    ]
    made.ask(asks[0])
    assert not attempt.asked
    gate.set()
    assert loaded.wait(DEADLINE)
    made.ask(asks[1])
    end = threading.Event()
    made.ask(lambda _: end.set())
    assert end.wait(DEADLINE)
    assert attempt.asked == ["knock ada", "code K7Q29FXM"]


def test_closed_before_it_is_loaded_it_does_nothing(gate: threading.Event) -> None:
    """It is closed as soon as it is there, and asked nothing."""
    attempt = Recorded()
    made, loaded = late(attempt, gate)
    made.ask(lambda each: each.code("K7Q29FXM"))
    made.close()
    gate.set()
    assert attempt.closed.wait(DEADLINE)
    assert not attempt.asked
    assert not loaded.is_set()


def test_closed_later_it_is_closed_at_once(gate: threading.Event) -> None:
    """By whoever closes it."""
    attempt = Recorded()
    made, loaded = late(attempt, gate)
    gate.set()
    assert loaded.wait(DEADLINE)
    made.close()
    made.close()
    assert attempt.closed.is_set()
