"""The hub's one queue: what every other thread tells it."""

import queue
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.rules.inputs import Input
from common.messages import ToServer

BATCH: Final = 2048
"""About how many items the hub takes at once at most: what one commit has to carry."""


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
    """Any thread posts, the hub takes everything that is there."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Sequence[HubItem]] = queue.SimpleQueue()

    def post(self, *items: HubItem) -> None:
        """Add to the queue; never blocks. Several are taken together."""
        self._queue.put(items)

    def take(self) -> list[HubItem]:
        """Wait for something, then everything that has gathered, in order."""
        items = list(self._queue.get())
        try:
            while len(items) < BATCH:
                items += self._queue.get_nowait()
        except queue.Empty:
            pass
        return items


class Report:
    """What one thread has for the hub: gathered, and posted at once.

    To wake the hub for each of many clients would have it commit for each of them.
    """

    def __init__(self, hub: HubQueue) -> None:
        self._hub = hub
        self._items: list[HubItem] = []

    def add(self, item: HubItem) -> None:
        """Have it posted with the next ones."""
        self._items.append(item)

    def post(self) -> None:
        """Post what was gathered, in its order."""
        if self._items:
            items, self._items = self._items, []
            self._hub.post(*items)
