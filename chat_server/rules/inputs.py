"""Inputs of the rules other than clients' commands."""

from collections.abc import Mapping
from dataclasses import dataclass

from common.protocol.messages import Goodbye, ToClient


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection finished its handshake; or the host's own session begins."""

    connection: int
    address: str
    is_host: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """A connection ended; `why` is a code."""

    connection: int
    why: str


@dataclass(frozen=True, slots=True)
class WaitEnded:
    """A connection has waited for the host as long as it may (`MayWait`)."""

    connection: int


@dataclass(frozen=True, slots=True)
class FellBehind:
    """A connection's send queue was full: it has the room up to `after`, and is no longer live."""

    connection: int
    room: str
    after: int


@dataclass(frozen=True, slots=True)
class Drained:
    """A connection's send queue has space for a page, after the first `brought` pages."""

    connection: int
    brought: int = 0


@dataclass(frozen=True, slots=True)
class PageRead:
    """A worker has read a page for a connection: the last `seq` in it by room.

    It may omit some of the requested rooms. For a room without later events it is the requested
    position; if no room has any, there is no page.
    """

    connection: int
    page: int | None
    """Its number, by which it is written."""
    lasts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PageFailed:
    """A worker could not read the page this connection waits for."""

    connection: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """Total bytes received and sent by the connections where they changed."""

    totals: Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class EndSessions:
    """Disconnect those of these connections that are still open: the reason is committed."""

    connections: tuple[int, ...]
    goodbye: Goodbye
    why: str


@dataclass(frozen=True, slots=True)
class PurgeSanctions:
    """Delete expired bans and mutes, and invites that ended long ago; the audit log keeps them."""


@dataclass(frozen=True, slots=True)
class SaveSeen:
    """Write when devices were seen last."""


@dataclass(frozen=True, slots=True)
class EraseMessages:
    """Remove the next messages of an account that was deleted with them; then there are more."""


@dataclass(frozen=True, slots=True)
class QueryDone:
    """A worker's reply to the command `re` of a connection; None if it could not be read."""

    connection: int
    re: int
    answer: ToClient | None


@dataclass(frozen=True, slots=True)
class CloseEverything:
    """The server shuts down: send everyone a goodbye."""


Input = (
    Opened
    | Closed
    | WaitEnded
    | FellBehind
    | Drained
    | PageRead
    | PageFailed
    | Traffic
    | EndSessions
    | PurgeSanctions
    | SaveSeen
    | EraseMessages
    | QueryDone
    | CloseEverything
)

HOUSEKEEPING = (PurgeSanctions, SaveSeen, EraseMessages)
"""Inputs that write, each in a transaction of its own: if it fails, no command does."""
