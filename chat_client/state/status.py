"""The truth about the connection."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from chat_client.state.attempts import Attempt
from common.domain.reasons import Reason

STORAGE: Final = frozenset({"storage", "storage_full"})
"""Codes of a status: this computer can't store anything now, so nothing is sent or taken."""
WRONG_SERVER: Final = frozenset({"wrong_server", "not_the_invites"})
"""Another server answered than the one that was joined, or than that of the invite."""
NONE: Final = Reason("")


class Link(Enum):
    """What the connection is doing."""

    CONNECTING = auto()
    ONLINE = auto()
    PAUSED = auto()
    """Lost; the next try comes by itself."""
    SIGNED_OUT = auto()
    """Ended by the server, with a reason; only the person starts it again."""
    REFUSED = auto()
    """The server would not let this account in; nothing changes by trying again."""
    STOPPED = auto()
    """Given up after faults that came again and again; only the person starts it again."""


@dataclass(frozen=True, slots=True)
class Status:
    """`retry_at` is on the monotonic clock, for PAUSED; `field` tells what was REFUSED.

    `attempts` tells what came of each address of the invite, in its order, when no connection could
    be made: PAUSED, or REFUSED because of a wrong server. Else it is empty.
    """

    link: Link
    reason: Reason = NONE
    retry_at: float = 0.0
    field: str = ""
    attempts: tuple[Attempt, ...] = ()

    @property
    def code(self) -> str:
        """Of the reason."""
        return self.reason.code
