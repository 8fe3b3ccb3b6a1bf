"""What the rules ask for: each effect is carried out by one thread, after the commit.

`connection` is the number of a connection. Numbers are never used twice, so an effect that
arrives after its connection ended finds nothing and is dropped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from chat_server.rules.inputs import Input
from chat_server.rules.view import ViewEvent
from common.messages import Goodbye, ToClient


@dataclass(frozen=True, slots=True)
class Tell:
    """Say something to one connection."""

    connection: int
    message: ToClient


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to the command `re`, made once it is known what of the batch is stored.

    Whatever names heads, rooms or accounts is told so: a later failure of the commit takes back
    what a reply made at once would have named.
    """

    connection: int
    re: int
    make: Callable[[], ToClient]


@dataclass(frozen=True, slots=True)
class Show:
    """Tell the host something that names bans, mutes or roles: made as `Answer` is, and when."""

    make: Callable[[], ViewEvent]


@dataclass(frozen=True, slots=True)
class TellEveryone:
    """Say something to every connection that is signed in, but one.

    With a `capability`, only to those whose clients named it.
    """

    message: ToClient
    but: int | None = None
    capability: str = ""


@dataclass(frozen=True, slots=True)
class Admit:
    """A connection is signed in, with what its client can do: it is told what everyone is."""

    connection: int
    capabilities: frozenset[str]


class Publish(NamedTuple):
    """A new event of a room: `frame` for every live member, `ack` for its sender."""

    room: str
    seq: int
    frame: bytes
    sender: int | None
    ack: bytes


@dataclass(frozen=True, slots=True)
class Fanout:
    """What a batch adds to one room: consecutive frames from `first` on, each encoded once.

    `acks` has, for each connection that sent some of them, its acknowledgements by place in
    `frames`: they stand in that connection's stream instead of those frames.
    """

    room: str
    first: int
    frames: tuple[bytes, ...]
    acks: Mapping[int, Mapping[int, bytes]]


@dataclass(frozen=True, slots=True)
class GoLive:
    """From here on this connection gets the room's new events as they are published."""

    connection: int
    room: str


@dataclass(frozen=True, slots=True)
class WritePage:
    """Bring a page of a room's log, and report when the connection can take the next one."""

    connection: int
    frames: bytes


@dataclass(frozen=True, slots=True)
class HangUp:
    """Say goodbye and end the connection once that is written."""

    connection: int
    goodbye: Goodbye


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Have a reader bring the next events of some rooms: each with the place they follow."""

    connection: int
    rooms: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ReadAudit:
    """A query: the newest entries of the audit log before a number."""

    before: int | None
    count: int


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """A query: events of a room, of which `head` is the newest: see messages.History."""

    room: str
    head: int
    before: int | None
    around: int | None
    at: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Query:
    """Have a worker read the answer to the command `re`, of what is stored then."""

    connection: int
    re: int
    query: ReadAudit | ReadHistory


@dataclass(frozen=True, slots=True)
class After:
    """An input that follows once everything of this batch is stored."""

    happening: Input


ToOne = Admit | Tell | GoLive | WritePage | HangUp
"""What one connection gets."""
IoEffect = TellEveryone | Fanout | ToOne
Effect = (
    Admit | Tell | TellEveryone | Publish | GoLive | WritePage | HangUp | ReadPage | Query | After
)
