"""The hub's one queue: what every other thread tells it."""

import queue
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.rules.inputs import Input
from common.messages import ToServer

BATCH: Final = 256
"""About how many items the hub takes at once at most: what one commit has to carry."""
NEWCOMERS: Final = 8
"""Of these at most what comes from those who are not in yet: letting one in costs most."""


@dataclass(frozen=True, slots=True)
class Received:
    """Valid commands of one connection, in their order."""

    connection: int
    commands: tuple[ToServer, ...]


@dataclass(frozen=True, slots=True)
class StopHub:
    """Finish what came before and end the thread."""


HubItem = Received | Input | StopHub


class HubQueue:
    """Any thread posts, the hub takes everything that is there.

    What comes from newcomers has a lane of its own, of which the hub takes a little at a time: so
    those who talk don't wait behind a crowd that wants in. Each connection is a newcomer until it
    hears that it is signed in, so what it has to say is handled in its order.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Sequence[HubItem]] = queue.SimpleQueue()
        self._newcomers: deque[HubItem] = deque()

    def post(self, *items: HubItem) -> None:
        """Add to the queue; never blocks. Several are taken together."""
        self._queue.put(items)

    def post_newcomers(self, items: Sequence[HubItem]) -> None:
        """Add to the newcomers' lane; never blocks."""
        self._newcomers.extend(items)
        self._queue.put(())  # which wakes the hub

    def take(self) -> list[HubItem]:
        """Wait for something, then what has gathered, up to what one commit has to carry.

        Now and then nothing: a newcomer may have been taken before it woke anybody.
        """
        items = [] if self._newcomers else list(self._queue.get())
        try:
            while len(items) < BATCH:
                items += self._queue.get_nowait()
        except queue.Empty:
            pass
        items += [self._newcomers.popleft() for _ in range(min(NEWCOMERS, len(self._newcomers)))]
        return items


class Report:
    """What one thread has for the hub: gathered, and posted at once.

    To wake the hub for each of many clients would have it commit for each of them.
    """

    def __init__(self, hub: HubQueue) -> None:
        self._hub = hub
        self._items: list[HubItem] = []
        self._newcomers: list[HubItem] = []

    def add(self, item: HubItem, *, newcomer: bool = False) -> None:
        """Have it posted with the next ones."""
        (self._newcomers if newcomer else self._items).append(item)

    def post(self) -> None:
        """Post what was gathered, in its order."""
        if self._items:
            items, self._items = self._items, []
            self._hub.post(*items)
        if self._newcomers:
            newcomers, self._newcomers = self._newcomers, []
            self._hub.post_newcomers(newcomers)
