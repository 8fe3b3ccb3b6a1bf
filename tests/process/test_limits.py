"""What a server takes of one person and of one invite, with real programs."""

from __future__ import annotations

import itertools
import sys
from contextlib import suppress
from typing import Final

import pytest

from tests.process.harness import House
from tests.process.wire import Session

_TOO_SOON: Final = "many people are joining with this invite now"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a program there")


def test_many_lines_are_all_sent_in_their_order_and_not_too_fast(house: House) -> None:
    """What goes at once does, the rest at the chat's rate; the script is told why it takes long."""
    server = house.server("--message-rate", "20")
    liz, max_ = house.client(server, "liz"), house.client(server, "max")
    liz.send("hello")
    lines = [str(number) for number in range(430)]
    child = liz.run("send", "--lines", stdin="\n".join(lines))
    # Meanwhile others are heard as ever.
    max_.send("in between")
    assert child.status(within=60) == 0, child.transcript()
    told = "ChatClient: slow down: too many messages at once; trying again"
    assert child.transcript().count(told) == 1
    with Session(server.join, "reader") as reader:
        events = [event for event in reader.everything() if event.kind == "message"]
    assert [event.text for event in events if event.sender == "liz"] == ["hello", *lines]
    times = [event.sent_at for event in events if event.sender == "liz"]
    # 400 go at once; thirty more take a second and a half at 20 a second.
    assert times[-1] - times[1] >= 1000


def test_who_comes_too_soon_joins_a_while_later(house: House) -> None:
    """By itself: the client waits as it is told."""
    server = house.server("--joins-per-minute", "30")
    for number in range(30):
        with Session(server.join, f"guest{number}"):
            pass
    others = itertools.count(30)
    for number in range(5):
        child = house.client(server, f"late{number}").run("people")
        # Others take each turn that becomes free, however long a program starts. Only if it comes
        # just then it isn't refused, and the next one is looked at.
        while child.running and _TOO_SOON not in child.transcript():
            with suppress(AssertionError), Session(server.join, f"guest{next(others)}"):
                pass
        assert child.status(within=30) == 0, child.transcript()
        if _TOO_SOON in child.transcript():
            return
    raise AssertionError
