"""The truth about the connection, as the state line tells it."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from chat_client.state.attempts import Attempt

STORAGE: Final = "storage"
"""The code of a status: this computer can't store anything now, so nothing is sent or taken."""


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
    """`retry_at` is on the monotonic clock, for PAUSED. `code` and `field` tell why REFUSED.

    `suggestion` is a free username when the one asked for is taken. `attempts` tells what came of
    each address of the invite, in its order, when no connection could be made: PAUSED, or REFUSED
    with the code `wrong_server`. Else it is empty. See `attempts.describe_attempt` for sentences,
    and `worth_telling` for which of them.
    """

    link: Link
    why: str = ""
    retry_at: float = 0.0
    code: str = ""
    field: str = ""
    suggestion: str = ""
    attempts: tuple[Attempt, ...] = ()


def describe(status: Status, waiting: int, now: float) -> str:
    """One line for people: what is going on, and how many messages wait to be sent.

    It stands beside a banner with the whole reason, where the connection has ended for good: the
    reason may be of any length, and its beginning alone would not say it.
    """
    line = _describe(status, now)
    if waiting:
        line += f" · {waiting} message{'s' if waiting > 1 else ''} waiting"
    return line


def _describe(status: Status, now: float) -> str:
    match status.link:
        case Link.CONNECTING:
            return "Connecting…"
        case Link.ONLINE:
            return "Connected"
        case Link.PAUSED:
            seconds = max(1, round(status.retry_at - now))
            what = "trying again" if status.code == STORAGE else "reconnecting"
            return f"{status.why} · {what} in {seconds} s"
        case Link.SIGNED_OUT:
            return "Signed out"
        case Link.REFUSED | Link.STOPPED:
            return "Not connected"
