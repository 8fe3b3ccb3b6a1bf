"""Events for the client's front ends: typed, in order, each after its commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_client.state.account import Account
from chat_client.state.moderation import Moderation
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Status
from common.domain.reasons import Reason

if TYPE_CHECKING:
    from common.protocol.events import Event
    from common.protocol.messages import Person


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The connection changed; `waiting` messages are in the outbox."""

    status: Status
    waiting: int


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """The server confirmed the account, or the server is called otherwise now."""

    account: Account


@dataclass(frozen=True, slots=True)
class Welcomed:
    """A server greeted; `time` was its own then, in milliseconds since 1970-01-01 UTC.

    `at` was the time here, in seconds of the clock that never goes back.
    """

    time: int
    at: float


@dataclass(frozen=True, slots=True)
class RoleTold:
    """This account's own role, with which it was let in."""

    role: str


@dataclass(frozen=True, slots=True)
class MuteChanged:
    """This account may not write from now on, and why; or it may (None)."""

    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Moderated:
    """What came of something that was to be done to a person: `why` not, or None if it was."""

    what: Moderation
    why: Reason | None
    note: Reason | None = None
    """What of it was left out."""


@dataclass(frozen=True, slots=True)
class MutesListed:
    """Who is muted now, as a moderator was told; None where that could not be learned."""

    usernames: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class PersonSeen:
    """Somebody is there, new or changed."""

    person: Person


@dataclass(frozen=True, slots=True)
class PeopleForgotten:
    """The known people are of another history of the server: they are listed again."""


@dataclass(frozen=True, slots=True)
class OnlineListed:
    """Who is online now; nobody else is."""

    usernames: frozenset[str]


@dataclass(frozen=True, slots=True)
class PresenceSeen:
    """Somebody is online now, or is not."""

    username: str
    online: bool


@dataclass(frozen=True, slots=True)
class RoomSeen:
    """A room this account is in."""

    room: str


@dataclass(frozen=True, slots=True)
class EventsAdded:
    """Consecutive new events of one room, now in the cache.

    Those up to `read` have been read already, before they were fetched again.
    """

    room: str
    events: tuple[Event, ...]
    read: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page of a room: before a place, around one, around a time, or with neither the newest."""

    room: str
    before: int | None = None
    around: int | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryAdded:
    """A page of history is in the cache: its first and last place.

    Or it has nothing that is not brought otherwise; or it can't be had now, and `why`. Then it may
    be had in `again` seconds at the earliest; None if asking the server again is in vain.
    """

    room: str
    wanted: Wanted
    places: tuple[int, ...] = ()
    why: Reason | None = None
    again: float | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """The events of a room after one place and up to another are on the server and not here.

    The newest of them are on their way, the others are fetched as wanted.
    """

    room: str
    after: int
    head: int


@dataclass(frozen=True, slots=True)
class RoomRefused:
    """A room is not brought up to date on this connection, and why: what is here of it stays."""

    room: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Listed:
    """The lists of people and rooms are complete on this connection."""


@dataclass(frozen=True, slots=True)
class OutboxChanged:
    """A message was written, acknowledged (with its `seq`), refused (with a reason) or dropped.

    `waiting` counts the unacknowledged messages of all rooms.
    """

    room: str
    cid: str
    state: OutboxState
    waiting: int
    reason: Reason | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class MessageNotStored:
    """A message could not be stored on this computer: its text goes back to where it was written.

    Nothing of it is in the outbox.
    """

    room: str
    text: str
    why: Reason


@dataclass(frozen=True, slots=True)
class CacheReset:
    """The server has another history now (a restored backup): the cached events were dropped.

    Or only those of these rooms, if they are given.
    """

    rooms: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EventsUpgraded:
    """These rooms have events of kinds unknown when they were stored, which are known now."""

    rooms: tuple[str, ...]


News = (
    StatusChanged
    | AccountChanged
    | Welcomed
    | RoleTold
    | MuteChanged
    | Moderated
    | MutesListed
    | PersonSeen
    | PeopleForgotten
    | OnlineListed
    | PresenceSeen
    | RoomSeen
    | EventsAdded
    | HistoryAdded
    | Skipped
    | RoomRefused
    | Listed
    | OutboxChanged
    | MessageNotStored
    | CacheReset
    | EventsUpgraded
)
