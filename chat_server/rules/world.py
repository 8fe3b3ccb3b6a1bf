"""The live state that the rules work on, and the replies they share."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from chat_server.rate_limit import TokenBuckets
from chat_server.rules import inputs
from chat_server.rules.delivery import Delivery
from chat_server.rules.directory import Account, Directory, RoomLog
from chat_server.rules.effects import After, Answer, Effect, MayWait, Show, Tell, TellEveryone
from chat_server.rules.join_requests import JoinRequest, JoinRequests
from chat_server.rules.message_limits import MessageLimits
from chat_server.rules.sessions import Session, Sessions
from chat_server.rules.spoken_codes import SpokenCodes
from chat_server.rules.view import ClientDisconnected, KnockEnded, ViewEvent
from chat_server.store.store import Store
from common import limits
from common.domain.names import NameRefusedError, direct_members
from common.domain.reasons import Params
from common.protocol import messages
from common.protocol.cpace import Multiply
from common.protocol.x25519 import x25519

DIRECT_ROOM_BURST: Final = 200.0
"""Rate limit: direct rooms that an account may open at once. Each appears in another's list."""
DIRECT_ROOM_RATE: Final = 0.2
"""And per second after that."""
INVITE_BURST: Final = 50.0
"""Rate limit: invites for newcomers that a moderator may make at once."""
INVITE_RATE: Final = 1 / 60
"""And per second after that."""
JOINS_OF_AN_ADDRESS: Final = 10.0
"""Rate limit: new accounts of one address at once where nobody needs an invite."""
DEVICE_INVITE_BURST: Final = 10.0
"""Rate limit: invites for one's own devices that an account may make at once."""
DEVICE_INVITE_RATE: Final = 1 / 60
"""And per second after that."""

Outcome = list[Effect | Answer | Show | ViewEvent]


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Facts about the server. While it runs, those may change that the host can change."""

    name: str
    program: str
    epoch: str
    secret: str
    fingerprint: bytes = b""
    """Of the certificate; empty without TLS."""
    joining: messages.JoinRule = messages.DEFAULT_RULE
    """Who may join."""
    moderators_invite: bool = False
    """Whether moderators may make invites."""


@dataclass(slots=True)
class World:
    """All live state of the server. One thread owns it: the hub."""

    facts: ServerFacts
    store: Store
    directory: Directory
    sessions: Sessions = field(default_factory=Sessions)
    delivery: Delivery = field(init=False)
    since: int = 0
    """When the server started, in milliseconds since 1970-01-01 UTC."""
    trouble: str = ""
    """The code of the reason why nothing can be stored at present, or ""."""
    link: Callable[[ServerFacts, str], str] = lambda _facts, _username: ""
    """Makes an invite's link, with the current addresses; for a device of an account if named."""
    own_installations: Callable[[], Collection[str]] = lambda: ()
    """The installations of the host's own ChatClient on this computer."""
    direct_room_limit: TokenBuckets = field(
        default_factory=lambda: TokenBuckets(DIRECT_ROOM_BURST, DIRECT_ROOM_RATE)
    )
    """Token buckets by account, for opening direct rooms."""
    invite_limit: TokenBuckets = field(
        default_factory=lambda: TokenBuckets(INVITE_BURST, INVITE_RATE)
    )
    """Token buckets by account, for a moderator's invites for newcomers: those that ended stay
    listed for a while, so that they could fill memory and disk."""
    device_invite_limit: TokenBuckets = field(
        default_factory=lambda: TokenBuckets(DEVICE_INVITE_BURST, DEVICE_INVITE_RATE)
    )
    """Token buckets by account, for invites for one's own devices."""
    unsaved_seen: set[bytes] = field(default_factory=set)
    """The devices whose `last_seen` is yet to be written."""
    join_limit: TokenBuckets | None = None
    """Token buckets by invite, for new accounts; None for no limit."""
    open_join_limit: TokenBuckets = field(
        default_factory=lambda: TokenBuckets(JOINS_OF_AN_ADDRESS, JOINS_OF_AN_ADDRESS / 3600)
    )
    """Token buckets by address, for new accounts without an invite."""
    message_limits: MessageLimits = field(default_factory=MessageLimits)
    """How fast messages may come into each room."""
    moment: float = 0.0
    """When the present batch began, in seconds on a monotonic clock."""
    codes: SpokenCodes = field(default_factory=SpokenCodes)
    requests: JoinRequests = field(default_factory=JoinRequests)
    multiply: Multiply = x25519
    """X25519, for the spoken code; by a library it is twenty times as fast."""

    rename_limit: TokenBuckets = field(
        default_factory=lambda: TokenBuckets(limits.RENAMES, limits.RENAMES / 3600)
    )
    """Token buckets by account, for changing the display name, which is pushed to everyone."""

    def __post_init__(self) -> None:
        self.delivery = Delivery(self.head)

    def head(self, room: str) -> int:
        """The `seq` of a room's newest event; 0 for none, or for an unknown room.

        A session may follow a room whose creation was rolled back afterwards.
        """
        log = self.directory.rooms.get(room)
        return 0 if log is None else log.head

    def account_of(self, session: Session) -> Account | None:
        """The account of a session, if it has one that is neither rolled back nor deleted."""
        return self.directory.living(session.username or "")

    def account(self, session: Session) -> Account:
        """The account of a session. The protocol lets only admitted ones get this far."""
        return self.directory.accounts[session.username or ""]

    def room_of(self, session: Session, room: str) -> RoomLog | None:
        """A room by its id, if the session's account is a member of it."""
        log = self.directory.rooms.get(room)
        return log if log is not None and session.username in log.members else None

    def installations_of(self, username: str) -> set[str]:
        """The installations of an account: those it joined from, and those of its sessions."""
        now = {session.installation for session in self.sessions.of(username)}
        return now.union(self.directory.installations.get(username, ()))

    def is_of_host(self, username: str) -> bool:
        """Whether an account joined from the host's own ChatClient on this computer."""
        joined = self.directory.installations.get(username, set())
        return bool(joined) and not joined.isdisjoint(self.own_installations())

    def person(self, username: str) -> messages.Person:
        """An account as everyone sees it now."""
        account = self.directory.accounts[username]
        return messages.Person(
            username=username,
            display_name=account.display_name,
            role=account.role.name.lower(),
            change=account.change,
            former=account.former,
            erased=account.erased,
        )

    def room(self, room: str) -> messages.Room:
        """A room as its members see it now."""
        kind = "public" if direct_members(room) is None else "direct"
        log = self.directory.rooms.get(room)
        slow = 0 if log is None else log.slow
        return messages.Room(room=room, kind=kind, title=None, head=self.head(room), slow=slow)

    def seen(self, session: Session, now: int) -> None:
        """A session's device is there, or was until now: it is written with others, later.

        A write for each sign-in would cost a commit of its own.
        """
        device = self.directory.devices.get(session.device_key)
        if device is not None:
            device.last_seen = now
            device.name = session.device
            self.unsaved_seen.add(session.device_key)

    def no_longer_asks(self, connection: int, why: str, now: int) -> Outcome:
        """A connection has no request to join any more, if it had one."""
        request = self.requests.left(connection, now)
        if request is None:
            return []
        return [MayWait(connection, None), KnockEnded(request.number, why, now)]

    def asks_again(self, request: JoinRequest) -> None:
        """What ended a request could not be stored: it waits on, if its connection is there."""
        if self.sessions.get(request.connection) is not None:
            self.requests.wait_again(request)

    def end(self, sessions: Collection[Session], goodbye: messages.Goodbye, why: str) -> After:
        """End sessions after the commit: before that nobody may be disconnected for it.

        They may ask for nothing more from now on, unless the commit fails.
        """
        for each in sessions:
            each.ending = True
        self.directory.undo.note(partial(_go_on, tuple(sessions)))
        connections = tuple(each.connection for each in sessions)
        return After(inputs.EndSessions(connections, goodbye, why))

    def leave(self, connection: int, why: str, now: int) -> Outcome:
        """A connection ended: remove its session, and push presence if its account went offline."""
        session, went_offline = self.sessions.close(connection)
        self.codes.take(connection)
        asked = self.no_longer_asks(connection, why, now)
        if session is None or session.username is None:
            return asked
        self.seen(session, now)
        outcome: Outcome = [*asked, ClientDisconnected(connection, why, now)]
        if went_offline:
            outcome.append(presence(session.username, online=False))
        return outcome


def _go_on(sessions: Iterable[Session]) -> None:
    """What was to end sessions could not be stored."""
    for each in sessions:
        each.ending = False


def presence(username: str, *, online: bool, but: int | None = None) -> TellEveryone:
    """The push about an account's presence, to clients with the capability, except `but`."""
    changed = messages.PresenceChanged(username=username, online=online)
    return TellEveryone(changed, but=but, capability=limits.PRESENCE)


def done(session: Session, command: messages.Command, note: str | None = None) -> Tell:
    """The reply to a command without a result; `note` is a code for what was left out, or None."""
    return Tell(session.connection, messages.Done(re=command.id, note=note))


def refuse(
    session: Session,
    command: messages.Command,
    code: messages.ErrorCode,
    field: str | None = None,
    *,
    retry_after: int | None = None,
    params: Params | None = None,
) -> Outcome:
    """The error in reply to a command. `retry_after` is in milliseconds."""
    error = messages.refusal(
        code, re=command.id, field=field, retry_after=retry_after, params=params
    )
    return [Tell(session.connection, error)]


def no_such_person(
    session: Session, command: messages.Command, username: str, field: str = "username"
) -> Outcome:
    """The refusal of a command about somebody who has no account."""
    return refuse(session, command, "no_such_person", field, params={"username": username})


def refuse_name(
    session: Session, command: messages.Command, field: str, error: NameRefusedError
) -> Outcome:
    """The refusal of a name for its form."""
    why: Params = {"why": error.reason.code, **error.reason.params}
    return refuse(session, command, "name_refused", field, params=why)
