"""A client that is 10,000 messages behind: when it has the latest, and when it has all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from common.domain.invite import Invite
from common.protocol.events import Event
from tests.bench.endure.findings import Findings
from tests.bench.endure.hosted import a_server
from tests.bench.screen import BenchError
from tests.bench.tables import figure
from tests.process.wire import HungUpError, Session

MISSED: Final = 10_000
LATEST: Final = 200
SHOWN_WITHIN: Final = 0.3
"""Seconds until the latest ones are there."""
TALK: Final = 100
"""Messages/s in the room, where it is not at rest."""
_TEXT: Final = 100
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Coming:
    """One time that it came back, in seconds since it began to connect.

    `everything`: until it has all, each in its order, and so the latest ones.
    """

    signed_in: float
    everything: float


def behind(place: Path, *, rounds: int) -> Findings:
    """Measure so many times each, with the room at rest and talking. Raises BenchError."""
    place.mkdir()
    with a_server(place / "server") as hosted:
        try:
            with Session(hosted.invite, "late") as late:
                token, position = late.token, late.follow()
            with Session(hosted.invite, "talker") as talker:
                _fill(talker, MISSED - 1)  # The talker's joining is one of them.
                resting = [_come(hosted.invite, token, position) for _ in range(rounds)]
                with _talking(talker):
                    talking = [_come(hosted.invite, token, position) for _ in range(rounds)]
        except (HungUpError, OSError, AssertionError) as error:
            raise BenchError(f"a client that was behind: {error!r}") from error
    found = Findings(
        f"a client {MISSED:,} messages behind",
        "A client that validates all that comes connects, signs in and follows the room from "
        f"where it was, {rounds} times; texts of {_TEXT} bytes. Median (least–greatest), in ms, "
        "since it began to connect. Events come in their order: the latest are the last.",
    )
    head = ["the room", "signed in", f"has everything, and so the latest {LATEST}"]
    found.add_table(head, [_row("is at rest", resting), _row(f"talks, {TALK} messages/s", talking)])
    for what, comings in (("at rest", resting), ("talking", talking)):
        shown = median(each.everything for each in comings)
        found.at_most(f"has the latest {LATEST}, {what}", "ms", SHOWN_WITHIN * 1e3, shown * 1e3)
    return found


def _fill(talker: Session, count: int) -> None:
    for start in range(0, count, _AT_ONCE):
        size = min(_AT_ONCE, count - start)
        talker.say_all(*(f"missed {start + n} ".ljust(_TEXT, ".") for n in range(size)))


@contextmanager
def _talking(talker: Session) -> Iterator[None]:
    """Somebody says something all the time, until the block is left."""
    stopping = threading.Event()

    def talk() -> None:
        while not stopping.wait(1 / TALK):
            talker.say_all("live ".ljust(_TEXT, "."))

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _come(invite: Invite, token: str, position: int) -> Coming:
    """Come back once. Raises BenchError when something is missing or out of its order."""
    start = time.monotonic()
    with Session(invite, "late", token) as late:
        signed_in = time.monotonic() - start
        head = late.follow(after=position)
        if head - position < MISSED:
            raise BenchError(f"only {head - position} messages were missed")
        at = position
        while at < head:
            event = late.expect(Event)
            if event.seq != at + 1:
                raise BenchError(f"event {event.seq} came after {at}")
            at = event.seq
        return Coming(signed_in, time.monotonic() - start)


def _row(what: str, comings: list[Coming]) -> list[str]:
    parts = (
        [each.signed_in * 1e3 for each in comings],
        [each.everything * 1e3 for each in comings],
    )
    return [what, *(figure(part, "{:.0f}") for part in parts)]
