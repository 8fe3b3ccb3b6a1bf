"""What reaches the rules besides clients' commands."""

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
class FellBehind:
    """A connection's send queue was full: it has the room up to `after`, and is not live now."""

    connection: int
    room: str
    after: int


@dataclass(frozen=True, slots=True)
class Drained:
    """A connection's send queue has space for a page, after the `brought` ones that it got."""

    connection: int
    brought: int = 0


@dataclass(frozen=True, slots=True)
class PageRead:
    """A worker's answer: how far in some rooms the page reaches that it left for a connection.

    It may leave out some of the rooms that it was asked for. Where nothing follows, the place is
    the one that was asked with; where nothing follows in any of them, there is no page.
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
    """Bytes received and sent so far, of the connections where that changed."""

    totals: Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class EndSessions:
    """Disconnect those of these that are still open, now that the reason is committed."""

    connections: tuple[int, ...]
    goodbye: Goodbye
    why: str


@dataclass(frozen=True, slots=True)
class PurgeSanctions:
    """Bans and mutes that have ended by themselves are to be deleted; the audit log keeps them."""


@dataclass(frozen=True, slots=True)
class QueryDone:
    """A worker's answer to the command `re` of a connection; None if it could not be read."""

    connection: int
    re: int
    answer: ToClient | None


@dataclass(frozen=True, slots=True)
class CloseEverything:
    """The server shuts down: tell everyone."""


Input = (
    Opened
    | Closed
    | FellBehind
    | Drained
    | PageRead
    | PageFailed
    | Traffic
    | EndSessions
    | PurgeSanctions
    | QueryDone
    | CloseEverything
)
