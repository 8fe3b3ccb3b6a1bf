"""Events for the client's front ends: typed, in order, each after its commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from chat_client.state.account import Account
from chat_client.state.moderation import Moderation
from chat_client.state.outbox_message import OutboxState
from chat_client.state.request import Request
from chat_client.state.status import Status
from common.domain.reasons import Reason

if TYPE_CHECKING:
    from chat_client.state.slow_mode import SlowModeOrder
    from common.protocol.events import Event
    from common.protocol.messages import DeviceFacts, InviteFacts, Person


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The connection changed; `waiting` messages are in the outbox."""

    status: Status
    waiting: int


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """The server confirmed the account, or was renamed."""

    account: Account


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The server's greeting; `time` is its clock, in milliseconds since 1970-01-01 UTC.

    `at` is the time of arrival in seconds on the monotonic clock.
    """

    time: int
    at: float


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """This account's role, as of its sign-in."""

    role: str


@dataclass(frozen=True, slots=True)
class MuteChanged:
    """This account was muted, with the reason; or unmuted (None)."""

    reason: Reason | None


@dataclass(frozen=True, slots=True)
class SlowModeSeen:
    """A room is in slow mode: one message in so many seconds, 0 for no slow mode.

    The next one may be sent at `next_at`, in milliseconds since 1970-01-01 UTC by the server's
    clock; 0 for at once. It does not hold for moderators.
    """

    room: str
    seconds: int
    next_at: int


@dataclass(frozen=True, slots=True)
class Moderated:
    """The outcome of a moderation: `why` it was refused, or None if it was carried out."""

    what: Moderation | SlowModeOrder
    why: Reason | None
    note: Reason | None = None
    """The part of it that was left out, if any."""


@dataclass(frozen=True, slots=True)
class SanctionsListed:
    """The people who are muted or banned, for a moderator; None if they could not be fetched."""

    muted: frozenset[str] | None
    banned: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Requested:
    """The outcome of a request: `why` it was refused, or None if it was carried out.

    `link` is that of an invite that was made, `expires` its end, in milliseconds since 1970-01-01
    UTC, and `number` the one under which it is listed.
    """

    what: Request
    why: Reason | None
    link: str = ""
    expires: int | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class DevicesListed:
    """One's own devices, those that were seen last first; None, and why, if there is no list."""

    devices: tuple[DeviceFacts, ...] | None
    why: Reason | None = None


@dataclass(frozen=True, slots=True)
class DeviceAdded:
    """This account has one more device, called so: it joined a moment ago."""

    name: str


@dataclass(frozen=True, slots=True)
class InvitesListed:
    """The invites that concern this account, newest first; None, and why, if there is no list."""

    invites: tuple[InviteFacts, ...] | None
    why: Reason | None = None


@dataclass(frozen=True, slots=True)
class JoiningTold:
    """Who may join, as a rule of the protocol; "", and why, if that was refused."""

    rule: str
    moderators_invite: bool
    why: Reason | None = None


@dataclass(frozen=True, slots=True)
class PersonSeen:
    """An account of the server, new or changed."""

    person: Person


@dataclass(frozen=True, slots=True)
class MessagesErased:
    """Somebody's messages were removed with the account: no text of them may be shown any more."""

    username: str


@dataclass(frozen=True, slots=True)
class PeopleForgotten:
    """The cached people belong to another history of the server: they are listed again."""


@dataclass(frozen=True, slots=True)
class OnlineListed:
    """Everybody who is online now."""

    usernames: frozenset[str]


@dataclass(frozen=True, slots=True)
class PresenceSeen:
    """Somebody went online or offline."""

    username: str
    online: bool


@dataclass(frozen=True, slots=True)
class RoomSeen:
    """A room this account is in."""

    room: str


Came = Literal["live", "away", "before"]
"""How events came: as they were sent; or fetched, since they were sent while this device was not
connected, or before it had anything of this server."""


@dataclass(frozen=True, slots=True)
class EventsAdded:
    """Consecutive new events of one room, now in the cache.

    The room was read up to `read` before: there, or on the device that one answered from.
    """

    room: str
    events: tuple[Event, ...]
    read: int = 0
    came: Came = "live"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request for a page: before a `seq`, around a `seq` or a time, or else the newest."""

    room: str
    before: int | None = None
    around: int | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryAdded:
    """A page of history is in the cache, with its first and last `seq`.

    Or it had no events beyond those that are delivered anyway; or it was refused, and `why`. Then
    `again` is the number of seconds before a retry, or None if retrying is useless.
    """

    room: str
    wanted: Wanted
    places: tuple[int, ...] = ()
    why: Reason | None = None
    again: float | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A gap: the events of a room after one `seq` and up to another are not in the cache.

    The newest of them are being fetched, the others on demand.
    """

    room: str
    after: int
    head: int
    came: Came = "away"


@dataclass(frozen=True, slots=True)
class RoomRefused:
    """A room is not synced on this connection, and why; its cached events stay."""

    room: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Listed:
    """The lists of people and rooms are complete on this connection."""


@dataclass(frozen=True, slots=True)
class OutboxChanged:
    """A message was written, acknowledged (with its `seq`), refused (with a reason) or dropped.

    `waiting` counts the unacknowledged messages of all rooms. One that was refused for now is sent
    again in `again` seconds.
    """

    room: str
    cid: str
    state: OutboxState
    waiting: int
    reason: Reason | None = None
    seq: int = 0
    again: float | None = None


@dataclass(frozen=True, slots=True)
class MessageNotStored:
    """A message could not be stored on this computer: its text goes back to the composer.

    It is not in the outbox.
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
    | RoleChanged
    | MuteChanged
    | Moderated
    | SlowModeSeen
    | SanctionsListed
    | Requested
    | DevicesListed
    | DeviceAdded
    | InvitesListed
    | JoiningTold
    | PersonSeen
    | MessagesErased
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
