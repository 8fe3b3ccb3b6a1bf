"""The lane of one room in the outbox: what of it is in flight, and what holds up the rest."""

from __future__ import annotations

from dataclasses import dataclass, field

from chat_client.state.backoff import Backoff
from common.domain.reasons import Reason


@dataclass(slots=True)
class Lane:
    """The messages of one room on their way to the server. Times are on the monotonic clock."""

    room: str
    retry: Backoff
    """The backoff before refused messages are sent again."""
    most: int
    """Maximum number in flight, when all goes well."""
    window: int
    """Maximum number in flight now. A rate limit takes it to 1, and each acknowledgement adds one:
    what is sent behind a message that is refused is sent in vain."""
    in_flight: dict[str, int] = field(default_factory=dict)
    """In-flight messages, oldest first: `cid` → bytes of the body."""
    sent_up_to: int = 0
    """The number of the outbox entry that was sent last."""
    draining: bool = False
    """Whether to send nothing until all in-flight messages have replies: the oldest waiting one
    was refused or may be lost, and must be sent before those written after it."""
    hold_until: float = 0.0
    """When messages that were refused are to be sent again; 0 for no hold."""
    not_before: float = 0.0
    """The same as far as the server demanded it, which another connection does not change."""
    refused: Reason | None = None
    """Why the room is held."""
    refused_often: tuple[str, int] = ("", 0)
    """The oldest waiting message if it was refused for its own fault, and how often."""
    acknowledged: int = 0
    """The number of the newest message that was ever acknowledged: each counts once, so that
    no server shortens the pauses with one message again and again."""

    @property
    def may_send(self) -> bool:
        """Whether one more message may be sent now."""
        if self.hold_until or len(self.in_flight) >= self.window:
            return False
        return not (self.draining and self.in_flight)

    @property
    def last_in_flight(self) -> str | None:
        """The `cid` of the message that was sent last, if that is in flight."""
        return next(reversed(self.in_flight), None)

    def hold(self, reason: Reason, now: float, wait: float) -> None:
        """Hold the room for at least `wait` seconds; one pause for all that were in flight."""
        if not self.hold_until:
            self.hold_until = now + max(self.retry.next(), wait)
            self.not_before = now + wait if wait else 0.0
            self.refused = reason

    def release(self) -> None:
        """The room is not held any more."""
        self.hold_until = self.not_before = 0.0
        self.refused = None

    def begin_again(self) -> None:
        """Nothing is in flight: start again from the room's oldest waiting message."""
        self.draining = False
        self.sent_up_to = 0

    def connection_lost(self) -> None:
        """Nothing is in flight any more; what the server demanded stays."""
        self.in_flight.clear()
        self.begin_again()
        self.hold_until = self.not_before

    def acknowledge(self, number: int) -> bool:
        """An outbox entry was acknowledged; whether it is the first time."""
        self.window = min(self.most, self.window + 1)
        if number <= self.acknowledged:
            return False
        self.acknowledged = number
        self.retry.reset()
        return True
