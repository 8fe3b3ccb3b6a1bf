"""What reaches the rules besides clients' commands."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection finished its handshake."""

    connection: int
    address: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A connection ended; `why` is for the host's eyes."""

    connection: int
    why: str


@dataclass(frozen=True, slots=True)
class FellBehind:
    """A live connection's outbox was full: it has the room up to `after` and is not live now."""

    connection: int
    room: str
    after: int


@dataclass(frozen=True, slots=True)
class Drained:
    """A connection has room in its outbox for the next page."""

    connection: int


@dataclass(frozen=True, slots=True)
class PageRead:
    """A reader's answer: the next frames of some rooms, and the place of the last of each.

    It may leave out some of the rooms that it was asked for. Where nothing follows, the place is
    the one that was asked with.
    """

    connection: int
    frames: bytes
    lasts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PageFailed:
    """A reader could not read the page this connection waits for."""

    connection: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes received and sent so far, of the connections where that changed."""

    totals: Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Terminate:
    """The host ends one connection."""

    connection: int
    reason: str


@dataclass(frozen=True, slots=True)
class Rename:
    """The host gives the chat another name, which `clean_chat_name` has passed. It is written."""

    name: str


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
    | Terminate
    | Rename
    | CloseEverything
)
