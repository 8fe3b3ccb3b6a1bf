"""Events for the host's window: typed, and in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from common.domain.reasons import Reason

HOST: Final = "(host)"
"""Stands for the host as the author of an action: no valid username."""


@dataclass(frozen=True, slots=True)
class ClientSignedIn:
    """Somebody signed in. `since` is in milliseconds since 1970-01-01 UTC."""

    connection: int
    username: str
    display_name: str
    address: str
    device: str
    since: int
    new_account: bool
    is_moderator: bool = False
    is_muted: bool = False
    muted_until: int | None = None
    """End of the mute, if the person is muted; None until it is lifted."""


@dataclass(frozen=True, slots=True)
class ClientDisconnected:
    """A signed-in connection ended; `why` is a code: see chat_server/window/feed.py."""

    connection: int
    why: str
    at: int


@dataclass(frozen=True, slots=True)
class ClientRefused:
    """Somebody was not let in; `code` is that of the error they got.

    `username` is who they claim to be or want to be, "" if they did not say; nothing proves it.
    `count` is how often that happened since the event before, the last time `at`; an `address`
    that is "" stands for several.
    """

    address: str
    username: str
    code: str
    at: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class TrafficChanged:
    """Total bytes received from and sent to connections so far."""

    totals: Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class ClientSlow:
    """A connection reads more slowly than its events arrive, or has caught up again."""

    connection: int
    slow: bool


@dataclass(frozen=True, slots=True)
class MessagesStored:
    """`count` messages were committed; `at` is in milliseconds since 1970-01-01 UTC."""

    count: int
    at: int


@dataclass(frozen=True, slots=True)
class Renamed:
    """The chat has a new name: it is stored, and pushed to everyone."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class PersonRenamed:
    """Somebody has another display name; `before` is the former one."""

    username: str
    display_name: str
    before: str
    at: int


@dataclass(frozen=True, slots=True)
class AccountDeleted:
    """An account was deleted, `by` its owner or the host; `display_name` is what it was called."""

    username: str
    display_name: str
    by: str
    erased: bool
    at: int


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """The store can't be written; each reason is reported once until `StoreRecovered`."""

    reason: Reason
    at: int


@dataclass(frozen=True, slots=True)
class StoreRecovered:
    """The store can be written again."""

    at: int


@dataclass(frozen=True, slots=True)
class DiskLow:
    """The disk of the data folder is nearly full; `free` is in bytes. Not repeated while it is."""

    free: int
    at: int


@dataclass(frozen=True, slots=True)
class DiskRoomy:
    """The disk has room again, well beyond what `DiskLow` begins at."""

    at: int


@dataclass(frozen=True, slots=True)
class ServerFailed:
    """A thread of the server failed, and it can't go on."""

    reason: Reason
    at: int


@dataclass(frozen=True, slots=True)
class NoMoreConnections:
    """No more connections can be accepted for now."""

    reason: Reason
    at: int


@dataclass(frozen=True, slots=True)
class InviteRenewed:
    """There is a new invite; the old link is invalid."""


@dataclass(frozen=True, slots=True)
class InvitesChanged:
    """An invite was made, used, or has ended."""


@dataclass(frozen=True, slots=True)
class DevicesChanged:
    """An account has one device more, or less."""

    username: str


@dataclass(frozen=True, slots=True)
class JoiningChanged:
    """The rule of who may join was changed; it is a JoinRule."""

    rule: str
    moderators_invite: bool
    at: int


@dataclass(frozen=True, slots=True)
class KnockArrived:
    """Somebody asks to join, and waits. `digits` are those that they see, if nobody is in between.

    `since` is in milliseconds since 1970-01-01 UTC. `members_alike` and `also_asks` say whose name
    looks the same: those of members, and whether that of somebody else who asks does.
    """

    request: int
    username: str
    display_name: str
    device: str
    address: str
    digits: str
    since: int
    members_alike: tuple[str, ...] = ()
    also_asks: bool = False


@dataclass(frozen=True, slots=True)
class KnockEnded:
    """A request to join waits no longer.

    `why` is `admitted`, `refused`, `blocked`, `withdrawn`, `expired`, `displaced` (as too many
    people ask), `replaced` (by one of the same device), `joined` (otherwise), `taken` (its name, by
    somebody with an invite), or why the connection ended.
    """

    request: int
    why: str
    at: int


@dataclass(frozen=True, slots=True)
class CodeChanged:
    """The spoken code is another one, or there is none: `show_code` tells.

    `why` is `shown` (a new one was made), `used` (by the one device it was for), `guessed` (renewed
    after too many wrong ones) or `ended`. `username` is whose devices the new one is for, None for
    newcomers.
    """

    why: str
    at: int
    username: str | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """An entry was added to the audit log; `fields` are those of the command."""

    by: str
    action: str
    fields: Mapping[str, object]
    at: int


ViewEvent = (
    ClientSignedIn
    | ClientRefused
    | ClientDisconnected
    | TrafficChanged
    | ClientSlow
    | MessagesStored
    | Renamed
    | PersonRenamed
    | AccountDeleted
    | InviteRenewed
    | InvitesChanged
    | DevicesChanged
    | JoiningChanged
    | KnockArrived
    | KnockEnded
    | CodeChanged
    | Audited
    | StoreFailed
    | StoreRecovered
    | DiskLow
    | DiskRoomy
    | ServerFailed
    | NoMoreConnections
)
