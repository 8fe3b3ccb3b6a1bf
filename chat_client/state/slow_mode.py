"""Slow mode: which rooms have it, and when the next message of this account may be sent there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_client.state import news

if TYPE_CHECKING:
    from common.protocol.events import Event
    from common.protocol.messages import Command, Room


@dataclass(frozen=True, slots=True)
class SlowModeOrder:
    """A moderator's order to put a room into slow mode; 0 seconds end it."""

    room: str
    seconds: int

    def command(self, *, id: int) -> Command:  # noqa: A002  # as the models call it
        """The same as a message."""
        # Imported here: the window, which makes these, starts without the models.
        from common.protocol import messages

        return messages.SetSlowMode(id=id, room=self.room, seconds=self.seconds)


class SlowMode:
    """Tells of each change. Times are by the server's clock, in ms since 1970-01-01 UTC.

    So a message that was sent from another device of the account counts just as well.
    """

    def __init__(self, tell: Callable[[news.News], object]) -> None:
        self._tell = tell
        self._seconds: dict[str, int] = {}
        """By room; only those in slow mode."""
        self._next: dict[str, int] = {}
        """By room, when the next message may be sent."""
        self._behind = 0.0
        """How far the monotonic clock is behind the server's, in ms."""

    def welcome(self, time: int, now: float) -> None:
        """The server told its time; `now` is on the monotonic clock."""
        self._behind = time - 1000 * now

    def see(self, room: Room) -> bool:
        """The server told of a room. True if its slow mode is another one now."""
        before = self._seconds.get(room.room, 0)
        if room.slow == before:
            return False
        if room.slow:
            # What was sent last counts, by the interval of now.
            sent = self._next.get(room.room, 0) - 1000 * before
            self._next[room.room] = max(0, sent + 1000 * room.slow if before else 0)
            self._seconds[room.room] = room.slow
        else:
            del self._seconds[room.room]
            self._next.pop(room.room, None)
        self._say(room.room)
        return True

    def sent(self, room: str, sent_at: int) -> None:
        """A message of this account was stored in a room, from whatever device."""
        seconds = self._seconds.get(room)
        if seconds:
            self._put(room, sent_at + 1000 * seconds)

    def heard(self, events: Sequence[Event], me: str) -> None:
        """Events arrived, perhaps of this account's other devices."""
        if self._seconds:
            for event in events:
                if event.sender == me and event.is_message:
                    self.sent(event.room, event.sent_at)

    def refused(self, room: str, wait: float, now: float) -> None:
        """A message came too early for slow mode, by `wait` seconds."""
        if room in self._seconds:
            self._put(room, round(1000 * (now + wait) + self._behind))

    def _put(self, room: str, at: int) -> None:
        if at > self._next.get(room, 0):
            self._next[room] = at
            self._say(room)

    def _say(self, room: str) -> None:
        seconds, at = self._seconds.get(room, 0), self._next.get(room, 0)
        self._tell(news.SlowModeSeen(room, seconds, at))
