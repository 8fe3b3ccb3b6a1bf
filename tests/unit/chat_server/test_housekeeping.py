"""What is due from time to time is asked for, until the server stops."""

from __future__ import annotations

import queue
import threading

from chat_server.housekeeping import PURGE, Housekeeping
from chat_server.rules.inputs import HOUSEKEEPING, Input, PurgeSanctions, SaveSeen


def test_what_is_due_is_asked_for_again_and_again() -> None:
    """Writing each time, tidying up now and then, and nothing after the end."""
    posted: queue.SimpleQueue[Input] = queue.SimpleQueue()
    housekeeping = Housekeeping(posted.put, pause=0.0)
    housekeeping.start()
    got = [posted.get(timeout=30) for _ in range(2 * PURGE + 2)]
    housekeeping.stop()
    assert got == 2 * [*PURGE * [SaveSeen()], PurgeSanctions()]
    assert "housekeeping" not in {thread.name for thread in threading.enumerate()}
    while not posted.empty():
        posted.get()
    housekeeping.stop()
    assert posted.empty()


def test_nothing_is_due_at_the_start() -> None:
    """The server has just read what is stored; and what never began can be stopped."""
    posted: list[Input] = []
    housekeeping = Housekeeping(posted.append)
    housekeeping.stop()
    housekeeping.start()
    housekeeping.stop()
    assert posted == []


def test_what_is_asked_for_refuses_nobody() -> None:
    """Each has a transaction of its own (Batches)."""
    assert {SaveSeen, PurgeSanctions} <= set(HOUSEKEEPING)
