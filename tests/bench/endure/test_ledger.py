"""The judge of deliveries sees what is wrong with them; so do the figures made of samples."""

import re

import pytest

from common.protocol.events import Event
from common.protocol.messages import Ack
from tests.bench.endure.course import Course
from tests.bench.endure.ledger import Ledger
from tests.events import joined, said

SIZE = 60


def _said(seq: int, who: str, cid: str, text: str) -> Event:
    return said(seq, who, text, cid=cid)


@pytest.fixture
def ledger() -> Ledger:
    """Ada has joined; Ben has seen it."""
    ledger = Ledger()
    ledger.delivered("ben", joined(1, "ada"), None)
    return ledger


def test_what_is_as_it_should_be(ledger: Ledger) -> None:
    """Told by an acknowledgement in its place, by events, and to somebody who comes later."""
    cid, text = ledger.message("ada", 1, 5_000_000_000, SIZE)
    assert ledger.outstanding == 1
    ack = Ack(re=1, room="general", seq=2, cid=cid, sent_at=1)
    ledger.acknowledged("ada", ack, text, 5_250_000_000, in_turn=True)
    ledger.delivered("ben", _said(2, "ada", cid, text), 5_500_000_000)
    ledger.delivered("cleo", _said(2, "ada", cid, text), None)
    assert (ledger.head, ledger.outstanding, ledger.deliveries) == (2, 0, 2)
    assert (list(ledger.acks), list(ledger.times)) == ([0.25], [0.5])
    assert ledger.faults == []
    assert ledger.agrees(_said(2, "ada", cid, text))
    assert not ledger.agrees(_said(2, "ada", cid, text + "!"))
    assert not ledger.agrees(_said(3, "ada", cid, text))


def test_what_was_never_said(ledger: Ledger) -> None:
    """A message from nowhere, one that was changed on its way, one under another's name."""
    ledger.delivered("ben", _said(2, "ada", "0" * 16, f"{'ada':12} {1:010} {0:020} "), None)
    cid, text = ledger.message("ada", 2, 0, SIZE)
    ledger.delivered("ben", _said(3, "ada", cid, text + "!"), None)
    cid, text = ledger.message("ada", 3, 0, SIZE)
    ledger.delivered("ben", _said(4, "ben", cid, text), None)
    assert [fault.split(",")[0] for fault in ledger.faults] == [
        f"event {seq} was never said so" for seq in (2, 3, 4)
    ]


def test_what_is_there_twice_or_in_the_wrong_order(ledger: Ledger) -> None:
    """The same message in two places; a sender's second one before the first."""
    first, second = (ledger.message("ada", count, 0, SIZE) for count in (1, 2))
    ledger.delivered("ben", _said(2, "ada", *second), None)
    ledger.delivered("ben", _said(3, "ada", *first), None)
    ledger.delivered("ben", _said(4, "ada", *first), None)
    assert ledger.fault_count == len(ledger.faults) == 3
    assert "not in the order" in ledger.faults[0]
    assert "there twice" in ledger.faults[1]


def test_what_others_see_otherwise(ledger: Ledger) -> None:
    """Two members with different events in one place; a place before which one is missing."""
    ledger.delivered("cleo", joined(1, "ben"), None)
    ledger.delivered("cleo", joined(3, "ben"), None)
    assert re.search("another event 1", ledger.faults[0])
    assert re.search("event 3, and nobody event 2", ledger.faults[1])


def test_a_course() -> None:
    """Where it began and ended, and what it rises by, whatever single samples say."""
    rising = Course("x", [*range(20)], 1800)
    assert (rising.start, rising.end, rising.growth) == (0.5, 18.5, 18)
    assert rising.slope == pytest.approx(38)
    flat = Course("x", [5, 5, 5, 9, 5, 5, 5, 1, 5, 5, 5], 1800)
    assert flat.growth == 0
    assert Course("x", [7], 0).slope == 0
