"""The data source of the message list."""

from typing import Protocol

from chat_client.state.outbox_message import OutboxMessage
from common.protocol.events import Event


class Source(Protocol):
    """The cache, for one room at a time."""

    def before(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events before `seq`, in order."""

    def after(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events after `seq`, in order."""

    def latest(self, room: str, count: int) -> list[Event]:
        """The newest events, in order."""

    def missing_after(self, room: str, seq: int) -> bool:
        """Whether newer events are cached, but not those right after `seq`."""

    def place_at(self, room: str, at: int) -> tuple[int, bool]:
        """`seq` of the first cached event from a time on, and if it is the first in the room."""

    def outbox(self, room: str) -> list[OutboxMessage]:
        """The outbox messages of a room."""
