"""An event on its way out, from the moment it is made to the moment it is in its room."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from common.domain.reasons import Reason
from common.protocol.events import MESSAGE

_NEVER_TAKEN: Final = frozenset(
    {"too_long", "cid_reused", "malformed", "unknown_kind", "unknown_type", "not_sendable"}
)
"""Why an entry was refused that will be refused again as it is."""


class OutboxState(StrEnum):
    """Where an entry of the outbox stands."""

    WAITING = "waiting"
    SENT = "sent"
    """Acknowledged: the server has it on its disk."""
    FAILED = "failed"
    """Refused for good; the person drops it, has it sent again, or changes what was written."""
    DROPPED = "dropped"
    """Given up by the person."""


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """What `send` is to take, in the outbox; `kind` and `body` are those of the event.

    `written_at` is in milliseconds since 1970-01-01 UTC. `number` grows from each to the next.
    """

    room: str
    cid: str
    kind: str
    body: Mapping[str, Any]
    written_at: int
    state: OutboxState
    reason: Reason | None
    number: int = 0

    @property
    def may_go_again(self) -> bool:
        """Whether it was refused for a reason that may be over, such as that one was muted."""
        refused_for = "" if self.reason is None else self.reason.code
        return self.state is OutboxState.FAILED and refused_for not in _NEVER_TAKEN

    @property
    def text(self) -> str:
        """What is to be said; "" where that is nothing."""
        text = self.body.get("text") if self.kind == MESSAGE else None
        return text if isinstance(text, str) else ""
