"""What the window goes through while it is measured: many messages at once, and a long history.

Each scenario is a generator for `Probe.run`; what it found stands in `result`, in seconds, pixels
or counts.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from chat_client.net import connector
from chat_client.state import news
from chat_client.window.transcript.reading import PAGE
from common.domain.names import GENERAL
from tests.bench.programs import ROOT
from tests.bench.screen import BenchError
from tests.bench.window_client.history import ONCE
from tests.bench.window_client.probe import Probe

DIRECT_ROOM_BURST: Final = 5
APPENDS: Final = 30
SCROLLS: Final = 400
JUMPS: Final = 20
QUERIES: Final = 200
FINDS: Final = 5
STEPS: Final = 100
FAR: Final = 1_000
"""Messages through which somebody scrolls up that come from the server."""
_QUIET: Final = 0.5
"""Seconds that a window has to itself before something begins."""
_BETWEEN: Final = 0.1
"""Seconds between two messages: so far apart that none waits for the one before it."""
Result = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Given:
    """Where the chat is; how many messages come, or where its newest one stands."""

    invite: str
    count: int


class OtherPerson:
    """Somebody who has joined by another process, and says things when told."""

    def __init__(self, given: Given) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.window_client.crowd", given.invite],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._orders, self._answers = self._process.stdin, self._process.stdout
        os.set_blocking(self._answers.fileno(), False)

    def ready(self) -> bool:
        """Whether there is an answer: that they are there, or have said it all."""
        with suppress(BlockingIOError):
            if not os.read(self._answers.fileno(), 1):
                raise BenchError("who should say things has ended")
            return True
        return False

    def say(self, count: int) -> None:
        """Say so many things at once."""
        self._orders.write(f"{count}\n".encode())
        self._orders.flush()

    def close(self) -> None:
        """Let them go."""
        self._orders.close()
        self._process.wait()
        self._answers.close()


def burst(probe: Probe, *, given: Given, result: Result) -> Iterator[Callable[[], object]]:
    """`given.count` messages arrive while somebody looks."""
    yield probe.online
    other = OtherPerson(given)
    yield other.ready
    yield pause()
    transcript = probe.main.transcript
    last = transcript._reading.events.last + given.count
    began = time.perf_counter()
    other.say(given.count)
    yield lambda: probe.shows(last)
    probe.drawn()
    result["seconds"] = [time.perf_counter() - began]
    # They are all there, but what they left to do may still come.
    yield pause()
    _keep_blocks(probe, began, result)
    other.close()


def behind(probe: Probe, *, given: Given, result: Result) -> Iterator[Callable[[], object]]:
    """The window has not been there for long: what it missed comes as soon as it connects."""
    connecting = _note_connecting()
    yield probe.online
    yield lambda: probe.shows(given.count)
    probe.drawn()
    result["seconds"] = [time.perf_counter() - connecting[0]]
    yield pause()
    _keep_blocks(probe, connecting[0], result)
    reader = probe.session.reader
    latest = [event.seq for event in reader.latest(GENERAL, 10_000)]
    complete = latest == [*range(given.count - len(latest) + 1, given.count + 1)]
    result["in_order"] = [len(latest) if complete else 0]


def far(probe: Probe, *, given: Given, result: Result) -> Iterator[Callable[[], object]]:
    """Of a long conversation nothing or little is here: its newest page, an own message, pages."""
    connecting = _note_connecting()
    yield probe.online
    yield lambda: probe.shows(given.count)
    probe.drawn()
    result["seconds"] = [time.perf_counter() - connecting[0]]
    began = time.perf_counter()
    probe.main.view._send("hello")
    transcript = probe.main.transcript
    yield lambda: transcript._reading.events[-1].text == "hello"  # in its place: acknowledged
    result["acknowledged"] = [time.perf_counter() - began]
    folder = probe.session._path.parent
    result["bytes"] = [float(sum(file.stat().st_size for file in folder.glob("cache.db*")))]
    yield pause()
    began = time.perf_counter()
    first = transcript._reading.events.first - FAR
    while transcript._reading.events.first > first:
        transcript.text.event_generate("<Button-4>", x=5, y=5)
        yield lambda: True  # a turn of the loop
    result["scrolling"] = [time.perf_counter() - began]
    _keep_blocks(probe, began, result)


def _note_connecting() -> list[float]:
    """When the program begins to connect, each time; to be called before it loads its core."""
    connecting: list[float] = []
    connect: Callable[..., object] = connector.connect_in_background

    def noted(*arguments: object) -> object:
        connecting.append(time.perf_counter())
        return connect(*arguments)

    setattr(connector, "connect_in_background", noted)  # noqa: B010  # it is another's
    return connecting


def _keep_blocks(probe: Probe, since: float, result: Result) -> None:
    """How long the window answered nobody, each time, and what of that its own thread computed."""
    result["gaps"], result["work"] = probe.gaps(since), probe.work(since)


def long_history(probe: Probe, *, given: Given, result: Result) -> Iterator[Callable[[], object]]:
    """The cache holds `given.count` messages."""
    yield probe.online
    result["opening"] = []
    for _ in range(DIRECT_ROOM_BURST):
        account = probe.session.account
        probe.screens._close_session()
        result["opening"].append(probe.timed(lambda account=account: probe.screens.open(account)))  # type: ignore[misc]
        yield probe.online
        yield pause()
    yield from _appending(probe, given, result)
    yield from _scrolling(probe, result)
    _jumping(probe, given, result)
    yield from _finding(probe, result)


def _appending(probe: Probe, given: Given, result: Result) -> Iterator[Callable[[], object]]:
    """One message after the other arrives and is drawn."""
    took = result["append"] = []
    main = probe.main
    apply = main.apply

    def timed(told: Sequence[news.News]) -> None:
        seconds = probe.timed(lambda: apply(told))
        if any(isinstance(item, news.EventsAdded) for item in told):
            took.append(seconds)

    main.apply = timed  # type: ignore[method-assign]
    other = OtherPerson(given)
    yield other.ready
    yield pause()
    took.clear()
    for _ in range(APPENDS):
        count = len(took)
        other.say(1)
        yield other.ready
        yield lambda count=count: len(took) > count  # type: ignore[misc]
        yield pause(_BETWEEN)
    other.close()
    main.apply = apply  # type: ignore[method-assign]


def _scrolling(probe: Probe, result: Result) -> Iterator[Callable[[], object]]:
    """Somebody turns the wheel upwards, notch by notch, through page after page."""
    transcript = probe.main.transcript
    text = transcript.text
    result.update({"scroll": [], "page": [], "moved": []})
    for _ in range(SCROLLS):
        first = transcript._reading.events[0].seq
        began = time.perf_counter()
        text.event_generate("<Button-4>", x=5, y=5)
        scrolled = time.perf_counter() - began
        seq, place = _in_view(probe)
        seconds = scrolled + probe.timed(lambda: None)
        paged = transcript._reading.events[0].seq != first
        result["page" if paged else "scroll"].append(seconds)
        if paged:
            after = text.dlineinfo(f"e{seq}")
            result["moved"].append(abs(after[1] - place) if after else 1e4)
        yield lambda: True  # a turn of the loop


def _in_view(probe: Probe) -> tuple[int, int]:
    """The first event whose beginning is in view, and where, in pixels."""
    transcript = probe.main.transcript
    for event in transcript._reading.events:
        line = transcript.text.dlineinfo(f"e{event.seq}")
        if line is not None:
            return event.seq, line[1]
    return 0, 0


def _jumping(probe: Probe, given: Given, result: Result) -> None:
    """To the newest message from far above; and what any other place would ask of the cache."""
    transcript = probe.main.transcript
    result["jump"] = []
    for _ in range(JUMPS):
        for _ in range(30):
            transcript.text.yview_scroll(-1, "pages")
            probe.drawn()
        result["jump"].append(probe.timed(transcript.go_to_latest))
    chance = random.Random(1)  # noqa: S311  # any places will do
    reader = probe.session.reader
    result["query"] = []
    for _ in range(QUERIES):
        place = chance.randrange(1, given.count)
        began = time.perf_counter()
        reader.before(GENERAL, place, PAGE)
        reader.after(GENERAL, place, PAGE)
        result["query"].append(time.perf_counter() - began)


def _finding(probe: Probe, result: Result) -> Iterator[Callable[[], object]]:
    """A word that is far away and nowhere else, and from one to the next that is everywhere."""
    main = probe.main
    find, transcript = main.find, main.transcript
    result.update({"find": [], "find_gaps": [], "next": []})
    for _ in range(FINDS):
        find.show()
        yield pause()
        began = time.perf_counter()
        find.field.value = ONCE
        yield lambda: transcript._highlights.here
        probe.drawn()
        result["find"].append(time.perf_counter() - began)
        yield lambda: find._ended
        result["find_gaps"].append(max(probe.gaps(since=began)))
        find.field.value = ""
        find.hide()
        transcript.show_latest()
    find.show()
    find.field.value = "harbour"
    yield lambda: transcript._highlights.here
    for _ in range(STEPS):
        result["next"].append(probe.timed(find.older))
        yield lambda: True  # a turn of the loop
    find.hide()


def pause(seconds: float = _QUIET) -> Callable[[], bool]:
    """A condition that comes true after a while."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


SCENARIOS: Final = {
    "burst": burst,
    "behind": behind,
    "long": long_history,
    "new": far,
    "away": far,
    "far": far,
}
