"""A message on its way out, from the moment it is written to the moment it is in its room."""

from dataclasses import dataclass
from enum import StrEnum

from common.reasons import Reason


class Delivery(StrEnum):
    """Where a message of the outbox stands."""

    WAITING = "waiting"
    SENT = "sent"
    """Acknowledged: the server has it on its disk."""
    FAILED = "failed"
    """Refused for good; the person edits or drops it."""
    DROPPED = "dropped"
    """Given up by the person."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message in the outbox. `written_at` is in milliseconds since 1970-01-01 UTC.

    `number` grows from each message written to the next.
    """

    room: str
    cid: str
    text: str
    written_at: int
    state: Delivery
    reason: Reason | None
    number: int = 0
