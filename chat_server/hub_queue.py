"""The hub's one queue: what every other thread tells it."""

import queue
from dataclasses import dataclass
from typing import Final

from chat_server.rules.inputs import Input
from common.messages import ToServer

BATCH: Final = 2048
"""Items the hub takes at once at most: what one commit has to carry."""


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
        self._queue: queue.SimpleQueue[HubItem] = queue.SimpleQueue()

    def post(self, item: HubItem) -> None:
        """Add to the queue; never blocks."""
        self._queue.put(item)

    def take(self) -> list[HubItem]:
        """Wait for something, then everything that has gathered, in order."""
        items = [self._queue.get()]
        try:
            while len(items) < BATCH:
                items.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return items
