"""Effects: what the rules request, carried out by one thread each, after the commit.

Only plain data leaves the hub, which could as well go to another process: events and messages,
never bytes of a protocol. It is for one of four audiences: a connection, an account, the members
that follow a room, or everyone. Endpoints (net/endpoints) encode it for the wire.

`connection` is the number of a connection. Numbers are never reused, so an effect that arrives
after its connection has ended is dropped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from chat_server.rules.inputs import Input
from chat_server.rules.view import ViewEvent
from common.protocol.events import Event
from common.protocol.messages import Goodbye, ToClient


@dataclass(frozen=True, slots=True)
class Tell:
    """Send a message to one connection."""

    connection: int
    message: ToClient


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to the command `re`, made after the commit or its failure.

    For replies that name heads, rooms or accounts: made immediately, they could name what is
    rolled back when the commit fails.
    """

    connection: int
    re: int
    make: Callable[[], ToClient]


@dataclass(frozen=True, slots=True)
class Show:
    """An event for the host's window that names bans, mutes or roles; made as `Answer` is."""

    make: Callable[[], ViewEvent]


@dataclass(frozen=True, slots=True)
class TellAccount:
    """Send a message to all connections of an account, by its username."""

    username: str
    message: ToClient


@dataclass(frozen=True, slots=True)
class TellEveryone:
    """Send a message to every signed-in connection except `but`.

    With a `capability`, only to those whose clients named it.
    """

    message: ToClient
    but: int | None = None
    capability: str = ""


@dataclass(frozen=True, slots=True)
class Admit:
    """A connection is authenticated, with these capabilities: it gets pushes from now on."""

    connection: int
    username: str
    capabilities: frozenset[str]


class Publish(NamedTuple):
    """A new event of a room, for all sessions that follow it.

    The connection `sender`, if one sent it, gets the acknowledgement of its command `re` instead.
    """

    event: Event
    sender: int | None = None
    re: int = 0


class Fanout(NamedTuple):
    """The events that a batch adds to one room: consecutive, at least one.

    `acks` maps each connection that sent some of them to the ids of those commands, by index in
    `events`: in that connection's stream acknowledgements take the place of these events.
    """

    room: str
    events: tuple[Event, ...]
    acks: Mapping[int, Mapping[int, int]]

    @property
    def first(self) -> int:
        """The `seq` of the first event."""
        return self.events[0].seq


@dataclass(frozen=True, slots=True)
class GoLive:
    """From now on this connection gets the room's new events as they are published."""

    connection: int
    room: str


@dataclass(frozen=True, slots=True)
class WritePage:
    """Write the page of this number, which a worker has handed to the connection's I/O thread.

    As for WriteEvents, `Drained` reports when the connection can take the next one.
    """

    connection: int
    page: int


@dataclass(frozen=True, slots=True)
class WriteEvents:
    """Write a page of earlier events; `Drained` reports when the connection can take the next."""

    connection: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Send a goodbye, and close the connection once that is written."""

    connection: int
    goodbye: Goodbye


@dataclass(frozen=True, slots=True)
class MayWait:
    """An unauthenticated connection may stay open for so many seconds, as it waits for the host.

    `WaitEnded` reports their end. With None it waits no longer: it has to sign in by the usual
    deadline, which begins now.
    """

    connection: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Have a worker read a page of these rooms, each after its position."""

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
    after: int | None
    around: int | None
    at: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Query:
    """Have a worker read the reply to the command `re` from what is committed by then."""

    connection: int
    re: int
    query: ReadAudit | ReadHistory


@dataclass(frozen=True, slots=True)
class ForgetPages:
    """Have workers drop their cached pages: events that were committed before are changed now."""


@dataclass(frozen=True, slots=True)
class After:
    """An input to post once this batch is committed."""

    item: Input


ToOne = Admit | Tell | MayWait | GoLive | WritePage | WriteEvents | Disconnect
"""Effects for one connection."""
IoEffect = TellAccount | TellEveryone | Fanout | ToOne
Effect = TellAccount | TellEveryone | Publish | ToOne | ReadPage | Query | ForgetPages | After
