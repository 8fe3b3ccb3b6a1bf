"""The status of the connection."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from chat_client.state.attempts import Attempt
from common.domain.reasons import Reason

STORAGE: Final = frozenset({"storage", "storage_full"})
"""Codes of a status: this computer can't store anything now, so nothing is sent or received."""
WRONG_SERVER: Final = frozenset({"wrong_server", "not_the_invites"})
"""Codes of a status: another server answered than the account's, or than the invite's."""
NONE: Final = Reason("")


class Link(Enum):
    """The state of the connection."""

    CONNECTING = auto()
    ONLINE = auto()
    PAUSED = auto()
    """Lost; it is retried automatically."""
    SIGNED_OUT = auto()
    """Ended by the server, with a reason; only the person can reconnect."""
    REFUSED = auto()
    """The server refused this account; it is not retried."""
    STOPPED = auto()
    """Given up after repeated faults; only the person can reconnect."""


@dataclass(frozen=True, slots=True)
class Status:
    """`retry_at` is on the monotonic clock, for PAUSED; `field` names what was REFUSED.

    `attempts` has the outcome of each address of the invite, in its order, when no connection could
    be made: PAUSED, or REFUSED because of a wrong server. Else it is empty.
    """

    link: Link
    reason: Reason = NONE
    retry_at: float = 0.0
    field: str = ""
    attempts: tuple[Attempt, ...] = ()

    @property
    def code(self) -> str:
        """The code of the reason."""
        return self.reason.code
