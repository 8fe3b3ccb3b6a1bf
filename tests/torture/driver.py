"""A client under torture: the real core, and somebody who talks: `python -m tests.torture.driver`.

Everything that happens is recorded (see `record`). Orders come on standard input, one a line;
its end is an orderly one for the client, too:

    say ROOM TEXT     write a message; spaces of the text are kept
    flood COUNT SIZE  say so many long ones to everyone, each of so many characters
    drop              give up the oldest message that waits
    talk PACE         from now on say something every PACE seconds on average; 0 for silence
    moderate DOES WHO do something to a person: mute, unmute, ban, terminate
    page              look at older messages, where some are missing
    connect           the person wants a connection now
    die COUNT         die as of kill -9 between applying the COUNT-th event and keeping it
    jump SECONDS      the wall clock jumps
"""

import argparse
import itertools
import os
import random
import selectors
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from chat_client.accounts import Accounts
from chat_client.core import Core
from chat_client.net import connector
from chat_client.state import backoff, history, news, sync
from chat_client.state.moderation import Action, Moderation
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Link
from common import limits
from common.domain.invite import parse_invite
from common.domain.names import GENERAL, direct_room
from common.system.logs import start_logging
from common.system.private_files import FolderLock
from tests.events import message
from tests.torture import record
from tests.torture.hooks import Orders, Points, wrap
from tests.torture.record import Recorder, kept
from tests.torture.witness import WatchedCache, listen_on_the_wire

_BACKLOG: Final = 40
"""Messages that wait for a connection, after which somebody says no more."""
KNOCK_AGAIN: Final = 0.3
"""Seconds after which somebody who was turned away, being banned, tries again."""
_MODERATES: Final = 0.03
"""How often somebody does something to a person instead of talking. Few of them may."""
_PAGES: Final = 0.06
"""How often somebody looks at older messages instead."""
_SCROLLS, _JUMPS = 0.6, 0.9
"""How often they scroll there, or scroll or jump to a place; else to a date."""
_AGO: Final = 120_000
"""Milliseconds that lie between now and such a date at most."""
_ACTIONS: Final[Sequence[Action]] = ("mute", "mute", "unmute", "unmute", "ban", "terminate")


def hurry(silence: float) -> None:
    """Short deadlines and pauses, as the launcher's: no rule is changed by that."""
    settings: list[tuple[Any, str, float]] = [
        (backoff, "FIRST", 0.05),
        (backoff, "LONGEST", 0.4),
        (connector, "HANDSHAKE_DEADLINE", 2.0),
        (sync, "CATCH_UP_LIMIT", 60),
        (history, "PAGE", 20),
        (limits, "PING_INTERVAL", silence / 3),
        (limits, "SILENCE_DEADLINE", silence),
    ]
    for module, name, value in settings:
        assert hasattr(module, name)
        setattr(module, name, value)


def _chance(options: argparse.Namespace) -> random.Random:
    """A life's own numbers: what was said before a kill is not said again."""
    return random.Random(f"{options.seed} {options.device} {options.life}")  # noqa: S311 (no secret)


class Driver:
    """One life of one person's client."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._chance = _chance(options)
        self._recorder = Recorder(options.record)
        self._points = Points()
        self._seen: deque[tuple[str, str]] = deque(maxlen=20)
        self._waiting: deque[str] = deque()
        self._numbers = itertools.count(1)
        self._pace = options.pace
        self._accounts = Accounts(options.data_dir)
        invite = parse_invite(options.invite)
        found = [each for each in self._accounts.all() if each.username == options.name]
        account = found[0].with_invite(invite) if found else None
        self._account = account or self._accounts.new(invite, options.name, options.name.title())
        self._accounts.save(self._account)
        folder = self._accounts.folder(self._account)
        self._lock = FolderLock(folder)
        self._lock.acquire()
        self._cache = WatchedCache(folder / "cache.db", self._recorder, self._points)
        now = time.monotonic_ns()
        self._recorder.add(
            record.Began(now, options.life, self._cache.positions, self._cache.epoch)
        )
        listen_on_the_wire(self._recorder)
        self._silenced = False
        wrap(Core, "_write", self._written)
        self._core = Core(self._account, self._cache, self._tell)

    def run(self) -> None:
        """Talk and obey until standard input ends."""
        self._core.start()
        orders = Orders()
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ)
            while True:
                pause = self._chance.expovariate(1 / self._pace) if self._pace else None
                if not selector.select(pause):
                    self._talk()
                    continue
                lines = orders.read()
                if lines is None:
                    break
                for line in lines:
                    self._obey(line)
        self._core.stop()
        self._lock.release()

    def _obey(self, order: list[str]) -> None:
        match order:
            case ["die", count]:
                self._points.arm("apply", int(count))
            case ["jump", seconds]:
                clock, offset = time.time_ns, int(float(seconds) * 1e9)
                time.time_ns = lambda: clock() + offset
            case ["connect"]:
                self._core.connect_now()
            case _:
                self._do_as_a_person(order)

    def _do_as_a_person(self, order: list[str]) -> None:
        match order:
            case ["say", room, *words]:
                self._core.send(room, *message(" ".join(words)))
            case ["flood", count, size]:
                for _ in range(int(count)):
                    text = f"{self._options.device} {self._options.life}.{next(self._numbers)} "
                    self._core.send(GENERAL, *message(text.ljust(int(size), "x")))
            case ["drop"]:
                self._drop()
            case ["talk", pace]:
                self._pace = float(pace)
                if not self._pace:
                    self._core._do(self._silence)
            case ["page"]:
                self._page()
            case ["moderate", action, name] if action in _ACTIONS:
                self._moderate(cast("Action", action), name)
            case _:
                raise ValueError(f"no such order: {order}")

    def _talk(self) -> None:
        """Say something, answer somebody, say much at once, give something up, or moderate."""
        what = self._chance.random()
        if what < 0.03:
            self._drop()
        elif self._cache.outbox.waiting > _BACKLOG:
            pass  # On a busy computer more would be said than can be delivered.
        elif 0.5 < what < 0.5 + _PAGES:
            self._page()
        elif what > 1 - _MODERATES and self._options.device == self._options.name:
            # On one device of each alone: so their actions have an order.
            self._moderate(self._chance.choice(_ACTIONS), self._chance.choice(self._options.others))
        elif what < 0.35 and self._seen:
            room, cid = self._chance.choice(list(self._seen))
            self._say(room, f" re {cid}")
        elif what < 0.45:
            room = self._room()
            for _ in range(self._chance.randint(2, 6)):
                self._say(room)
        else:
            self._say(self._room())

    def _room(self) -> str:
        if self._chance.random() < 0.7:
            return GENERAL
        return direct_room(self._options.name, self._chance.choice(self._options.others))

    def _say(self, room: str, end: str = "") -> None:
        # Now and then a long one, so that outboxes fill and frames are cut anywhere.
        long = self._chance.randrange(20) == 0
        padding = " …" + "x" * self._chance.randint(1000, 6000) if long else ""
        number = f"{self._options.life}.{next(self._numbers)}"
        self._core.send(room, *message(f"{self._options.device} {number}{padding}{end}"))

    def _moderate(self, action: Action, name: str) -> None:
        number = f"{self._options.life}.{next(self._numbers)}"
        self._core.moderate(
            Moderation(action, name, words=f"{name} by {self._options.name} {number}")
        )

    def _drop(self) -> None:
        if self._waiting:
            self._core.drop(self._waiting.popleft())

    def _page(self) -> None:
        how = self._chance.random()
        place = self._chance.random()
        self._core._do(lambda: self._look_back(how, place))

    # On the core's thread

    def _look_back(self, how: float, place: float) -> None:
        """Into a gap: right before what is here, as who scrolls, or to some place or time."""
        gaps: list[tuple[str, int, int]] = []
        for room in self._cache.rooms():
            end = 0
            for span in self._cache._spans.of(room):
                if span.first > end + 1:
                    gaps.append((room, end + 1, span.first))
                end = span.last
        if not gaps:
            return
        room, first, after = gaps[int(place * len(gaps))]
        if how < _SCROLLS:
            wanted = news.Wanted(room, before=after)
        elif how < _JUMPS:
            wanted = news.Wanted(room, around=first + int(place * (after - first)))
        else:
            wanted = news.Wanted(room, at=time.time_ns() // 1_000_000 - int(place * _AGO))
        self._core._controller.load_history(wanted)

    def _silence(self) -> None:
        self._silenced = True

    def _written(self, original: Any, core: Core, frames: bytes) -> None:
        """Behind each turn's commit."""
        if self._silenced:
            self._silenced = False
            self._recorder.add(record.Silenced(time.monotonic_ns()))
        original(core, frames)

    def _tell(self, told: Sequence[news.News]) -> None:
        at = time.monotonic_ns()
        for item in told:
            match item:
                case news.EventsAdded():
                    for event in item.events:
                        self._recorder.add(record.Applied(at, kept(event)))
                        if event.is_message and event.sender != self._options.name:
                            self._seen.append((event.room, event.cid))
                case news.HistoryAdded(places=(first, last)):
                    self._recorder.add(record.Filled(at, item.room, first, last))
                case news.OutboxChanged():
                    self._outbox(item, at)
                case news.CacheReset():
                    self._recorder.add(record.CacheReset(at))
                    self._seen.clear()
                case news.AccountChanged():
                    self._accounts.save(item.account)
                case news.StatusChanged():
                    self._status(item)
                case _:
                    pass

    def _outbox(self, item: news.OutboxChanged, at: int) -> None:
        match item.state:
            case OutboxState.WAITING if item.reason:
                pass  # Refused, to be tried again: it was kept before.
            case OutboxState.WAITING:
                self._recorder.add(record.Kept(at, item.cid))
                self._waiting.append(item.cid)
            case OutboxState.FAILED:
                code = item.reason.code if item.reason else ""
                self._recorder.add(record.Refused(at, item.cid, code))
                if code == "muted":
                    self._core.drop(item.cid)
            case _:
                if item.cid in self._waiting:
                    self._waiting.remove(item.cid)

    def _status(self, item: news.StatusChanged) -> None:
        if item.status.link in {Link.PAUSED, Link.SIGNED_OUT}:
            self._recorder.add(record.Disconnected(time.monotonic_ns()))
        if item.status.link is Link.SIGNED_OUT:
            self._core.connect_now()  # The person comes back at once.
        elif item.status.link is Link.REFUSED and item.status.code == "banned":
            self._recorder.add(record.Disconnected(time.monotonic_ns()))
            self._recorder.add(record.TurnedAway(time.monotonic_ns(), item.status.code))
            again = threading.Timer(KNOCK_AGAIN, self._core.connect_now)
            again.daemon = True
            again.start()
        elif item.status.link in {Link.REFUSED, Link.STOPPED}:
            sys.stderr.write(f"ERROR refused: {item.status.reason}\n")
            os._exit(3)


def main() -> None:
    """One life."""
    parser = argparse.ArgumentParser()
    add = parser.add_argument
    add("--data-dir", type=Path, required=True)
    add("--record", type=Path, required=True)
    add("--invite", required=True)
    add("--name", required=True)
    add("--device", required=True)
    add("--others", type=lambda names: names.split(","), default=[])
    add("--life", type=int, default=1)
    add("--seed", type=int, default=0)
    add("--pace", type=float, default=0.0)
    add("--silence", type=float, default=3.0)
    add("--bug")
    options = parser.parse_args()
    start_logging("warning", None)
    hurry(options.silence)
    if options.bug is not None:
        from tests.torture.bugs import CLIENT_BUGS  # which needs the server, too

        if options.bug in CLIENT_BUGS:
            CLIENT_BUGS[options.bug]()
    Driver(options).run()


if __name__ == "__main__":
    main()
