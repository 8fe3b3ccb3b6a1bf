"""The hub's one queue, with fairness between connections."""

import queue
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from chat_server.rate_limit import cost
from chat_server.rules.inputs import (
    CloseEverything,
    EndSessions,
    EraseMessages,
    Input,
    PurgeSanctions,
    SaveSeen,
    Traffic,
)
from common.protocol.messages import ToServer

BATCH: Final = 512
"""Largest batch, about, in the unit of `rate_limit`: what one commit (group commit) carries."""
SHARE: Final = 64
"""Quantum of the round robin: approximate share of a batch for one connection before the others."""
UNAUTHENTICATED_SHARE: Final = 8
"""Maximum number of commands and inputs per batch from unauthenticated connections.

Few, as signing in is the dearest command.
"""


@dataclass(frozen=True, slots=True)
class Received:
    """Valid commands of one connection, in their order, and what they cost together."""

    connection: int
    commands: tuple[ToServer, ...]
    cost: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class StopHub:
    """Finish what came before and end the thread."""


HubItem = Received | Input | StopHub


class HubQueue:
    """Any thread posts; the hub takes batches of at most BATCH.

    Connections are served by deficit round robin, so that no command waits behind another
    connection's thousand. The order within a connection is kept.

    Unauthenticated connections have a lane of their own, of which each batch takes a little: a
    crowd that signs in must not delay messages. A connection leaves that lane when it is told that
    it is signed in, and not before, so its commands stay in their order.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Sequence[HubItem]] = queue.SimpleQueue()
        self._unauthenticated: deque[HubItem] = deque()
        self._waiting: dict[int, deque[HubItem]] = {}
        """By connection, in the order in which they are served. The hub's alone."""
        self._barrier: list[HubItem] = []
        """A barrier (shutdown), taken when nothing else waits, and what was posted behind it."""

    def post(self, *items: HubItem) -> None:
        """Add to the queue; never blocks. Items of one call are taken together."""
        self._queue.put(items)

    def post_unauthenticated(self, items: Sequence[HubItem]) -> None:
        """Add to the lane of unauthenticated connections; never blocks."""
        self._unauthenticated.extend(items)
        self._queue.put(())  # which wakes the hub

    def take(self) -> list[HubItem]:
        """Block until there is something, then return what has gathered, at most a batch.

        It may be empty: what woke the hub may have been taken with the batch before.
        """
        some_wait = bool(self._waiting or self._barrier)
        items = [] if self._unauthenticated or some_wait else list(self._queue.get())
        try:
            while True:
                items += self._queue.get_nowait()
        except queue.Empty:
            pass
        if not some_wait and sum(map(_weight, items)) <= BATCH:
            return items + self._take_unauthenticated()  # the usual case: all of it fits
        taken: list[HubItem] = []
        self._sort(items, taken)
        left = BATCH - float(len(taken))
        while left > 0 and self._waiting:
            left -= self._serve(next(iter(self._waiting)), taken)
        if self._barrier and not self._waiting:
            behind, self._barrier = self._barrier, []
            taken.append(behind[0])
            self._sort(behind[1:], taken)
        return taken + self._take_unauthenticated()

    def _sort(self, items: Sequence[HubItem], taken: list[HubItem]) -> None:
        """Queue arrivals by connection; inputs that may not wait go into `taken` at once."""
        for item in items:
            if self._barrier:
                self._barrier.append(item)
                continue
            match item:
                case Traffic() | EndSessions() | PurgeSanctions() | SaveSeen() | EraseMessages():
                    taken.append(item)
                case Received(connection=connection) if connection < 0:
                    # First the host's command, which may end a connection, then that one's own.
                    taken.append(item)
                case CloseEverything() | StopHub():
                    self._barrier.append(item)
                case _:
                    waiting = self._waiting.get(item.connection)
                    if waiting is None:
                        self._waiting[item.connection] = deque((item,))
                    else:
                        waiting.append(item)

    def _serve(self, connection: int, taken: list[HubItem]) -> float:
        """Take a connection's share, and put it last of those that wait. Returns the cost."""
        items = self._waiting.pop(connection)
        spent = 0.0
        while items and spent < SHARE:
            item = items.popleft()
            if not isinstance(item, Received) or item.cost <= SHARE - spent:
                spent += _weight(item)
            else:
                item, rest, costs = _split(item, SHARE - spent)
                spent += costs
                if rest is not None:
                    items.appendleft(rest)
            taken.append(item)
        if items:
            self._waiting[connection] = items
        return spent

    def _take_unauthenticated(self) -> list[HubItem]:
        some: list[HubItem] = []
        count = 0
        while self._unauthenticated and count < UNAUTHENTICATED_SHARE:
            item = self._unauthenticated.popleft()
            count += len(item.commands) if isinstance(item, Received) else 1
            some.append(item)
        return some


def _weight(item: HubItem) -> float:
    """The cost of an item, about, in the unit of `rate_limit`."""
    return item.cost or len(item.commands) if isinstance(item, Received) else 1


def _split(received: Received, share: float) -> tuple[Received, Received | None, float]:
    """The commands within the share (at least one), the others if any, and the first ones' cost."""
    spent = 0.0
    for count, command in enumerate(received.commands, 1):
        spent += cost(command)
        if spent >= share and count < len(received.commands):
            connection, commands = received.connection, received.commands
            first = Received(connection, commands[:count], spent)
            return first, Received(connection, commands[count:], received.cost - spent), spent
    return received, None, spent


class Report:
    """What one thread has for the hub: gathered during a turn and posted together.

    Waking the hub for each of many clients would cost a commit for each of them.
    """

    def __init__(self, hub: HubQueue) -> None:
        self._hub = hub
        self._items: list[HubItem] = []
        self._unauthenticated: list[HubItem] = []

    def add(self, item: HubItem, *, unauthenticated: bool = False) -> None:
        """Add an item, to be posted with the others of this turn."""
        (self._unauthenticated if unauthenticated else self._items).append(item)

    def post(self) -> None:
        """Post the gathered items in order."""
        if self._items:
            items, self._items = self._items, []
            self._hub.post(*items)
        if self._unauthenticated:
            unauthenticated, self._unauthenticated = self._unauthenticated, []
            self._hub.post_unauthenticated(unauthenticated)
