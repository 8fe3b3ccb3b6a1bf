"""How fast messages may come into a room: a token bucket for each sender, and slow mode.

Both are by account and not by connection: nobody gets more by connecting again, or from a second
device. `now` is `World.moment`.
"""

from typing import Final

from common.limits import MAX_SLOW, MESSAGE_BURST

_LIMIT: Final = 1024
"""Number of entries above which those that have become void are evicted."""

LEAST_RATE_WAIT: Final = 1.0
"""Seconds that whoever sends too much is told to wait at least: then several messages go at once,
where each would have to be refused first if the next one went with the next token."""
_LEAST: Final = 0.001
"""Seconds: a shorter wait is none. It can't be told (`retry_after`), and rounding may make one."""

Key = tuple[str, str]
"""Room and username."""


class MessageLimits:
    """When who may send the next message to a room.

    A bucket is one number, the time at which it will be full again (the generic cell rate
    algorithm): it is looked at for every message. It may go into debt by one message, as long texts
    cost more than one token; see `rate_limit.cost`. `now` is in seconds on a monotonic clock.
    """

    def __init__(self, rate: float = 0.0) -> None:
        """`rate` is in tokens per second; 0 for no limit."""
        self.interval: Final = 1 / rate if rate else 0.0
        """Seconds in which a token comes; 0 for no limit."""
        self.most: Final = max(0.0, MESSAGE_BURST - self.interval) + _LEAST
        """Seconds to being full from which on a bucket has no whole token."""
        self.full_at: Final[dict[Key, float]] = {}
        """When each bucket will be full; one that is full has a time in the past, or none.

        `conversation.send` adds to it, as a call for each message would show. What a batch that
        fails has added stays: its messages come again a few times at most.
        """
        self._sent_at: dict[Key, float] = {}
        """The time of the last message in a room with slow mode."""
        self._tidy_at = _LIMIT
        self._tidy_sent_at = _LIMIT

    def wait(self, room: str, username: str, now: float) -> float:
        """The seconds until a message may be sent, 0 for now. Takes no token."""
        wait = self.full_at.get((room, username), 0.0) - now - self.most
        return wait + _LEAST if wait > 0 else 0.0

    def begin(self, key: Key, full_at: float, now: float) -> None:
        """A message was accepted that begins to empty a bucket. It will be full at `full_at`."""
        if len(self.full_at) >= self._tidy_at:
            self._tidy(now)
        self.full_at[key] = full_at

    def slow_wait(self, room: str, username: str, interval: int, now: float) -> float:
        """The seconds until a message may be sent in a room with slow mode, 0 for now."""
        sent_at = self._sent_at.get((room, username))
        if sent_at is None:
            return 0.0
        wait = sent_at + interval - now
        return wait if wait > _LEAST else 0.0

    def slow_sent(self, room: str, username: str, now: float) -> float | None:
        """A message was accepted in a room with slow mode; returns the time of the one before."""
        key = room, username
        before = self._sent_at.get(key)
        if before is None and len(self._sent_at) >= self._tidy_sent_at:
            self._sent_at = {each: at for each, at in self._sent_at.items() if at + MAX_SLOW > now}
            self._tidy_sent_at = max(_LIMIT, 2 * len(self._sent_at))
        self._sent_at[key] = now
        return before

    def undo_slow_sent(self, room: str, username: str, before: float | None) -> None:
        """The message of `slow_sent`, which returned `before`, was rolled back."""
        if before is None:
            self._sent_at.pop((room, username), None)
        else:
            self._sent_at[room, username] = before

    def __len__(self) -> int:
        """Number of entries."""
        return len(self.full_at) + len(self._sent_at)

    def _tidy(self, now: float) -> None:
        """Evict full buckets: a new one would be the same."""
        for key in [key for key, full_at in self.full_at.items() if full_at <= now]:
            del self.full_at[key]
        self._tidy_at = max(_LIMIT, 2 * len(self.full_at))
