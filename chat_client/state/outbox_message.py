"""An entry of the outbox: an event to send, until it is in its room."""

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
    """The state of an entry of the outbox."""

    WAITING = "waiting"
    SENT = "sent"
    """Acknowledged: the server has it on its disk."""
    FAILED = "failed"
    """Refused for good; the person drops it, has it sent again, or changes what was written."""
    DROPPED = "dropped"
    """Discarded by the person."""


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """An event to send; `kind` and `body` are those of the event.

    `written_at` is in milliseconds since 1970-01-01 UTC. `number` increases with each entry.
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
        """The text of a message; "" for other kinds."""
        text = self.body.get("text") if self.kind == MESSAGE else None
        return text if isinstance(text, str) else ""
