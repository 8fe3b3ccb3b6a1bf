"""Every message of the protocol, and the two unions that say who may send which.

The models are the contract: docs/protocol.md explains them and docs/protocol.schema.json is
generated from them. They are strict: a number in a string, a value out of bounds is an error,
never a guess. To the server they are closed, too: an unknown field is refused. To the client they
are open, so that a server may know more than its clients: what they don't know they leave out.
Times are milliseconds since 1970-01-01 UTC, for display only; the order of a room is `seq`.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, to_json

from common import __version__, limits
from common.domain import reasons
from common.domain.names import ROOM_PATTERN, TOLD_USERNAME_PATTERN, USERNAME_PATTERN
from common.domain.sentences import sentence
from common.domain.text import TextRefusedError, check_text


def _text(text: str) -> str:
    try:
        return check_text(text)
    except TextRefusedError as error:
        raise PydanticCustomError(error.code, str(error)) from error


def _line(maximum: int) -> StringConstraints:
    """One line of plain text of 1 to `maximum` characters."""
    return StringConstraints(
        min_length=1, max_length=maximum, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$"
    )


def _empty_if_none(value: object) -> object:
    return "" if value is None else value


Time = Annotated[int, Field(ge=0, le=limits.MAX_TIME)]
"""Milliseconds since 1970-01-01 UTC. Bounded, or one could be sent that no calendar can show."""
ConnectionId = Annotated[int, Field(ge=1, le=limits.MAX_INTEGER)]
"""The server's own number of a connection, never used twice while it runs."""
Integer = Annotated[int, Field(ge=-limits.MAX_INTEGER, le=limits.MAX_INTEGER)]
Number = Annotated[int, Field(ge=1, le=limits.MAX_INTEGER)]
Installation = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""One copy of a client on one computer, the same for all accounts that it has on a server."""
Wait = Annotated[int, Field(ge=0, le=limits.MAX_WAIT)]
"""Milliseconds."""
RequestId = Annotated[int, Field(ge=1, le=limits.MAX_INTEGER)]
Seq = Annotated[int, Field(ge=1, le=limits.MAX_INTEGER)]
Position = Annotated[int, Field(ge=0, le=limits.MAX_INTEGER)]
"""The last `seq` somebody has of a room; 0 for nothing yet."""
Username = Annotated[str, StringConstraints(pattern=USERNAME_PATTERN)]
"""As a person may write it: in capitals, too."""
ToldUsername = Annotated[str, StringConstraints(pattern=TOLD_USERNAME_PATTERN)]
"""As the server writes it: in lower case."""
RoomId = Annotated[str, StringConstraints(max_length=80, pattern=ROOM_PATTERN)]
Cid = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16}$")]
"""The sender's own id of an event: 96 bits in base64url, so that no two of them have the same."""
Token = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A device's secret, made by the client: 256 random bits in hexadecimal."""
Nonce = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Proof = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A message authentication code (see common/protocol/recognition.py)."""
SessionId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Secret = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$")]
Epoch = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Text = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(_text),
    # What the validator does, for docs/protocol.schema.json.
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": limits.TEXT_BYTES,
            "description": f"at most {limits.TEXT_BYTES} bytes of UTF-8, not blank, "
            "no control characters but tab and newline",
        }
    ),
]
Change = Annotated[int, Field(ge=0, le=limits.MAX_INTEGER)]
"""A number that grows with each change of an account, by steps that nobody can foresee: whoever
knows one knows a history in which it was given out. 0 is before all changes."""
DisplayName = Annotated[str, _line(limits.DISPLAY_NAME_LENGTH)]
ServerName = Annotated[str, _line(limits.SERVER_NAME_LENGTH)]
Program = Annotated[str, _line(limits.PROGRAM_LENGTH)]
Reason = Annotated[
    str,
    StringConstraints(
        max_length=limits.REASON_LENGTH, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
    ),
]
"""In a person's words: one line, which may be empty."""
GivenReason = Annotated[
    Reason, BeforeValidator(_empty_if_none, json_schema_input_type=Reason | None)
]
"""A reason in a command, where `null` is as good as none."""
Capabilities = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,32}$")], ...],
    Field(max_length=limits.CAPABILITIES),
]

ErrorCode = Literal[
    "malformed",
    "unknown_type",
    "out_of_order",
    "not_allowed",
    "banned",
    "muted",
    "no_such_client",
    "no_such_sanction",
    "time_past",
    "version",
    "bad_secret",
    "name_taken",
    "name_alike",
    "name_refused",
    "not_recognized",
    "no_such_room",
    "no_such_person",
    "position_ahead",
    "too_long",
    "unknown_kind",
    "cid_reused",
    "too_early",
    "rate_limited",
    "busy",
    "disk_full",
    "internal",
]
RETRYABLE: Final[frozenset[str]] = frozenset(
    {"too_early", "rate_limited", "busy", "disk_full", "internal"}
)
"""Codes after which the same command may succeed later; all others are final."""
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""A reason. A client may get one that it does not know: `retryable` says what to do about an error,
and such a goodbye is final."""
Params = Annotated[
    dict[Code, Annotated[str, Field(max_length=limits.REASON_LENGTH)] | Integer],
    Field(max_length=limits.PARAMS),
]
"""What a sentence about a reason needs: names, numbers, and times as Time."""


def _of_known_form(params: object) -> object:
    """The parameters that this program can use: a newer server may name others, of other forms."""
    if not isinstance(params, dict):
        return params
    usable: dict[str, str | int] = {}
    for name, value in params.items():
        if len(usable) < limits.PARAMS:
            with suppress(ValidationError):
                usable |= _PARAM.validate_python({name: value})
    return usable


_PARAM: Final[TypeAdapter[dict[str, str | int]]] = TypeAdapter(
    Params, config=ConfigDict(strict=True)
)
OpenParams = Annotated[Params, BeforeValidator(_of_known_form)]
"""The same where they are received: what is of another form is left out."""
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""The name of a kind of events. A client may get one that it does not know."""
GoodbyeCode = Literal[
    "server_closing",
    "terminated",
    "banned",
    "replaced",
    "too_slow",
    "timeout",
    "violation",
    "internal",
]
AccountRole = Literal["member", "moderator"]


class Message(BaseModel):
    """What every message has in common: frozen, closed, strict."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class FromServer(Message):
    """A message to the client, or a part of one: a newer server may put more into it."""

    model_config = ConfigDict(extra="ignore")


class MessageBody(Message):
    """The body of an event of kind `message`: what was said."""

    text: Text


class JoinBody(Message):
    """The body of an event of kind `join`: nothing; the sender is who joined."""


class Command(Message):
    """A message to the server. Its reply carries the same number as `re`."""

    id: RequestId


_C = TypeVar("_C", bound=Command)


def _one_of(command: _C, *given: object) -> _C:
    """The command, if one of these is there and no other."""
    if sum(each is not None for each in given) != 1:
        raise PydanticCustomError("one_of", "one of the two has to be given")
    return command


def _located(errors: Iterable[InitErrorDetails]) -> ValidationError:
    """Errors in the fields of a model, from a validator of the whole."""
    return ValidationError.from_exception_data("body", list(errors))


class Hello(Command):
    """Opens the conversation: what the client speaks and is.

    It alone may have fields that the server does not know: they may tell a newer one something.
    """

    model_config = ConfigDict(extra="ignore")

    type: Literal["hello"] = "hello"
    protocol: Annotated[int, Field(ge=1, le=65535)]
    capabilities: Capabilities = ()
    program: Program


class Join(Command):
    """Claims a username with an invite's secret; the same token again gets the same answer."""

    type: Literal["join"] = "join"
    secret: Secret
    username: Username
    display_name: DisplayName
    token: Token
    device: Program
    installation: Installation


class Recognize(Command):
    """Asks the server to show that it knows a device of this account, before it gets the token."""

    type: Literal["recognize"] = "recognize"
    secret: Secret
    username: Username
    nonce: Nonce


class SignIn(Command):
    """Comes back to an account with a device's token.

    `resume` names this device's former session, which ends before this one starts.
    """

    type: Literal["sign_in"] = "sign_in"
    username: Username
    token: Token
    device: Program
    installation: Installation
    resume: SessionId | None = None


class Sync(Command):
    """Starts delivery in the named rooms, after the given positions.

    `last` tells by `cid` which event the client has in the place of a position that is not 0: it
    may be of another time of this server, with the same epoch. Where more than `most` events are
    missing, delivery starts at the head instead: `history` brings the others, as they are wanted.
    """

    type: Literal["sync"] = "sync"
    positions: Annotated[dict[RoomId, Position], Field(min_length=1, max_length=limits.POSITIONS)]
    last: Annotated[dict[RoomId, Cid], Field(max_length=limits.POSITIONS)] = {}

    most: Position | None = None

    @field_validator("last")
    @classmethod
    def _at_a_position(cls, last: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        positions = info.data.get("positions")  # Not there when they are wrong themselves.
        if positions is not None and not all(positions.get(room) for room in last):
            why = "a room of last needs a position of at least 1"
            raise PydanticCustomError("no_position", why)
        return last


class History(Command):
    """Asks for events of a room: before or after a place, or around a place or a time.

    With none of these, for the newest.
    """

    type: Literal["history"] = "history"
    room: RoomId
    before: Seq | None = None
    after: Position | None = None
    around: Seq | None = None
    at: Time | None = None
    count: Annotated[int, Field(ge=1, le=limits.PAGE_HISTORY)]

    @model_validator(mode="after")
    def _one_at_most(self) -> Self:
        places = (self.before, self.after, self.around, self.at)
        if sum(each is not None for each in places) > 1:
            why = "only one of before, after, around and at can be given"
            raise PydanticCustomError("one_of", why)
        return self


class Send(Command):
    """Adds an event to a room. The same `cid`, room, kind and body again gets the first answer.

    With `after` it is stored only if the account's message of that `cid` is: so several may be
    under way at once, and none can overtake one that was refused.
    """

    type: Literal["send"] = "send"
    room: RoomId
    cid: Cid
    kind: str
    body: dict[str, JsonValue]
    """As it was given, once the model of its kind has accepted it."""
    after: Cid | None = None

    @model_validator(mode="after")
    def _body_of_its_kind(self) -> Self:
        # One validator for both fields, as each call out of pydantic's core is paid for with every
        # message: 0.9 µs of processor time on top of 1.8, where one for each field took 1.5.
        if self.kind not in SENDABLE:
            unknown = PydanticCustomError("unknown_kind", "no kind of event that can be sent")
            raise _located([InitErrorDetails(type=unknown, loc=("kind",), input=self.kind)])
        try:
            check_body(KINDS[self.kind], self.body)
        except ValidationError as error:
            raise _located(
                InitErrorDetails(
                    type=PydanticCustomError(each["type"], each["msg"]),
                    loc=("body", *each["loc"]),
                    input=each["input"],
                )
                for each in error.errors(include_url=False, include_context=False)
            ) from error
        return self


class ListPeople(Command):
    """Asks for the accounts that changed after `since`, in the order of their last changes."""

    type: Literal["list_people"] = "list_people"
    since: Change = 0


class ListOnline(Command):
    """Asks for the usernames of who is online, in their order, after the one named."""

    type: Literal["list_online"] = "list_online"
    after: Username | None = None


class ListRooms(Command):
    """Asks for the rooms this account is a member of in order of id, after the one named."""

    type: Literal["list_rooms"] = "list_rooms"
    after: RoomId | None = None


class Ping(Command):
    """Shows that this end is alive and asks the same of the other."""

    type: Literal["ping"] = "ping"


class Terminate(Command):
    """Ends a connection, or all of a person: they come back when the person asks for it."""

    type: Literal["terminate"] = "terminate"
    connection: ConnectionId | None = None
    username: Username | None = None
    reason: GivenReason = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        return _one_of(self, self.connection, self.username)


class Ban(Command):
    """Keeps a person away, with all their devices, or the device behind a connection.

    Until a time, which must be to come, or until `unban`. A ban of a person makes a new invite, and
    leaves out devices that moderators or the host use as well.
    """

    type: Literal["ban"] = "ban"
    username: Username | None = None
    connection: ConnectionId | None = None
    until: Time | None = None
    reason: GivenReason = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        return _one_of(self, self.connection, self.username)


class Unban(Command):
    """Lifts the ban of a person with those of their devices, or one ban by its number."""

    type: Literal["unban"] = "unban"
    username: Username | None = None
    number: Number | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        return _one_of(self, self.number, self.username)


class MutePerson(Command):
    """Lets a person read and not write, until a time or until `unmute`."""

    type: Literal["mute"] = "mute"
    username: Username
    until: Time | None = None
    reason: GivenReason = ""


class Unmute(Command):
    """Lets a person write again."""

    type: Literal["unmute"] = "unmute"
    username: Username


class SetRole(Command):
    """Makes a member a moderator, or the reverse."""

    type: Literal["set_role"] = "set_role"
    username: Username
    role: AccountRole


class RenameChat(Command):
    """Gives the chat another name."""

    type: Literal["rename_chat"] = "rename_chat"
    name: ServerName


class ShowInvite(Command):
    """Asks for the invite's link."""

    type: Literal["show_invite"] = "show_invite"


class NewInvite(Command):
    """Makes a new invite; the old link lets nobody in any more."""

    type: Literal["new_invite"] = "new_invite"


class AskStatus(Command):
    """Asks how the server is."""

    type: Literal["status"] = "status"


class ListClients(Command):
    """Asks for the connections that are signed in, in the order of their numbers."""

    type: Literal["list_clients"] = "list_clients"
    after: Position = 0


class ListSanctions(Command):
    """Asks for the bans and mutes that hold now, in the order of their numbers."""

    type: Literal["list_sanctions"] = "list_sanctions"
    after: Position = 0


class ListAudit(Command):
    """Asks for what was done to people and to the chat, the newest first, before a number."""

    type: Literal["list_audit"] = "list_audit"
    before: Number | None = None


class Reply(FromServer):
    """An answer to the command whose `id` is `re`."""

    re: RequestId


class Welcome(Reply):
    """Answers `hello`: who the server is, what it speaks, and what time it is there."""

    type: Literal["welcome"] = "welcome"
    protocol: Annotated[int, Field(ge=1, le=65535)]
    capabilities: Capabilities = ()
    program: Program
    server_name: ServerName
    epoch: Epoch
    time: Time = 0
    """Not there in what a server of version 1 says, which has to be understood as far as that."""


class Recognized(Reply):
    """Answers `recognize`: a MAC of the nonce for each device of the account, in any order."""

    type: Literal["recognized"] = "recognized"
    proofs: Annotated[tuple[Proof, ...], Field(max_length=limits.PROOFS)]


class Mute(FromServer):
    """This account may read and not write, until a time or until it is lifted."""

    until: Time | None
    reason: Reason


class SignedIn(Reply):
    """Answers `join` and `sign_in`: the account, its role, and the name of this session."""

    type: Literal["signed_in"] = "signed_in"
    username: ToldUsername
    display_name: DisplayName
    session: SessionId
    role: Code
    mute: Mute | None


class Done(Reply):
    """Answers what has nothing to tell: it is done, and stored. `note` is what of it was left out.

    That is `shared_device`: of a ban, the devices that moderators or the host use as well.
    """

    type: Literal["done"] = "done"
    note: Code | None = None


class InviteLink(Reply):
    """Answers `show_invite` and `new_invite`."""

    type: Literal["invite"] = "invite"
    link: Annotated[str, Field(max_length=limits.INVITE_LENGTH)]


class ServerStatus(Reply):
    """Answers `status`. `trouble` is the code of what keeps it from storing messages, or null."""

    type: Literal["server_status"] = "server_status"
    server_name: ServerName
    program: Program
    since: Time
    accounts: Position
    online: Position
    connections: Position
    rooms: Position
    trouble: Code | None


class ClientFacts(FromServer):
    """A connection that is signed in; bytes as counted a moment ago."""

    connection: ConnectionId
    username: ToldUsername
    device: Program
    address: Annotated[str, Field(max_length=100)]
    since: Time
    bytes_in: Position
    bytes_out: Position
    slow: bool


class Clients(Reply):
    """A page of connections; `more` says that another one follows the last."""

    type: Literal["clients"] = "clients"
    clients: Annotated[tuple[ClientFacts, ...], Field(max_length=limits.PAGE_CLIENTS)]
    more: bool


class Sanction(FromServer):
    """A ban or a mute of a person, or a ban of a device, whose name is given."""

    number: Number
    kind: Code
    username: ToldUsername | None
    device: Program | None
    until: Time | None
    reason: Reason
    by: Annotated[str, Field(max_length=limits.USERNAME_LENGTH)]
    at: Time


class Sanctions(Reply):
    """A page of bans and mutes; `more` says that another one follows the last."""

    type: Literal["sanctions"] = "sanctions"
    sanctions: Annotated[tuple[Sanction, ...], Field(max_length=limits.PAGE_SANCTIONS)]
    more: bool


class AuditEntry(FromServer):
    """Something that was done, by whom and when: the command's type, and its fields."""

    number: Number
    at: Time
    by: Annotated[str, Field(max_length=limits.USERNAME_LENGTH)]
    action: Code
    fields: dict[str, JsonValue]


class Audit(Reply):
    """A page of the audit log, the newest first; `more` says that older ones follow."""

    type: Literal["audit"] = "audit"
    entries: Annotated[tuple[AuditEntry, ...], Field(max_length=limits.PAGE_AUDIT)]
    more: bool


class Synced(Reply):
    """Answers `sync`: where each named room stands now, whose events follow; or why they don't.

    Of those in `skipped` the events that follow are those after the head.
    """

    type: Literal["synced"] = "synced"
    heads: Annotated[dict[RoomId, Position], Field(max_length=limits.POSITIONS)]
    skipped: Annotated[tuple[RoomId, ...], Field(max_length=limits.POSITIONS)]
    refused: Annotated[dict[RoomId, Code], Field(max_length=limits.POSITIONS)]


class PastEvent(FromServer):
    """An event of a page of history."""

    seq: Seq
    kind: Kind
    sender: ToldUsername
    sent_at: Time
    cid: Cid
    body: dict[str, JsonValue]


class HistoryPage(Reply):
    """Answers `history`: consecutive events, as they are once all up to `upto` are applied.

    A later event changes one of them only if its place is after `upto`. `older` tells that there
    are events before these, `newer` that there are some after them.
    """

    type: Literal["history"] = "history"
    room: RoomId
    events: Annotated[tuple[PastEvent, ...], Field(max_length=limits.PAGE_HISTORY)]
    upto: Position
    older: bool
    newer: bool


class Ack(Reply):
    """Answers `send`: the event is on the server's disk with this place in the room.

    It stands in the stream where the sender's own event would: with the same `seq`.
    """

    type: Literal["ack"] = "ack"
    room: RoomId
    seq: Seq
    cid: Cid
    sent_at: Time


class Person(FromServer):
    """An account as everyone sees it, and its last change; `role` is `member` or `moderator`."""

    username: ToldUsername
    display_name: DisplayName
    role: Code
    change: Change


class People(Reply):
    """The accounts that changed after `since`; `more` says that others follow the last.

    If the server does not know the number that was asked with, it begins with all: `since` is 0.
    """

    type: Literal["people"] = "people"
    since: Change
    people: Annotated[tuple[Person, ...], Field(max_length=limits.PAGE_PEOPLE)]
    more: bool


class Online(Reply):
    """A page of usernames; `more` says that another one follows the last."""

    type: Literal["online"] = "online"
    online: Annotated[tuple[ToldUsername, ...], Field(max_length=limits.PAGE_ONLINE)]
    more: bool


class Room(FromServer):
    """A room and its head: the `seq` of its newest event, 0 for none.

    `kind` is `public` or `direct`, which a client may find to be another; `title` is how it is
    called where that is not its id.
    """

    room: RoomId
    kind: Code
    title: Annotated[str, _line(limits.TITLE_LENGTH)] | None
    head: Position


class Rooms(Reply):
    """A page of rooms; `more` says that another one follows the last."""

    type: Literal["rooms"] = "rooms"
    rooms: Annotated[tuple[Room, ...], Field(max_length=limits.PAGE_ROOMS)]
    more: bool


class Pong(Reply):
    """Answers `ping`."""

    type: Literal["pong"] = "pong"


class EventMessage(FromServer):
    """One place in a room's log. What `body` holds is told by `kind`."""

    type: Literal["event"] = "event"
    room: RoomId
    seq: Seq
    kind: Kind
    sender: ToldUsername
    sent_at: Time
    cid: Cid
    body: dict[str, JsonValue]


class PersonChanged(FromServer):
    """Somebody is new or changed; replaces what was known of them."""

    type: Literal["person"] = "person"
    person: Person


class PresenceChanged(FromServer):
    """Somebody is online now, or is not; told to those who named the capability `presence`."""

    type: Literal["presence"] = "presence"
    username: ToldUsername
    online: bool


class MuteChanged(FromServer):
    """This account may not write from now on, or may again (`mute` is null)."""

    type: Literal["muted"] = "muted"
    mute: Mute | None


class RoomAdded(FromServer):
    """This account is now a member of a room; `sync` it to get its events."""

    type: Literal["room"] = "room"
    room: Room


class ServerChanged(FromServer):
    """The chat is called otherwise from now on; replaces the name that `welcome` told."""

    type: Literal["server"] = "server"
    server_name: ServerName


class Error(FromServer):
    """A command was refused (`re`), or something not understood was received (no `re`).

    `params` are what a sentence about it needs, such as a free username in place of a taken one;
    `field` names the place in the command; `retryable` says that trying later may help, after
    `retry_after` milliseconds at the earliest if that is known.
    """

    type: Literal["error"] = "error"
    re: RequestId | None = None
    code: ErrorCode | Code
    params: OpenParams
    field: Annotated[str, Field(max_length=100)] | None = None
    retryable: bool
    retry_after: Wait | None = None


class VersionError(Error):
    """The refusal `version` in the form of version 1, the only one whose clients get it.

    They refuse a message with a field that they do not know, and would show nothing of this one.
    """

    @model_serializer(mode="plain")
    def _as_of_version_1(self) -> dict[str, object]:
        return {
            "type": self.type,
            "re": self.re,
            "code": self.code,
            "message": sentence(reasons.Reason(self.code, self.params)),
            "field": self.field,
            "retryable": self.retryable,
            "suggestion": None,
        }


class Goodbye(FromServer):
    """The server's last words on this connection; `params` and `retry_after` as in `error`."""

    type: Literal["goodbye"] = "goodbye"
    code: GoodbyeCode | Code
    params: OpenParams
    retry_after: Wait | None = None


ToServer = (
    Hello
    | Recognize
    | Join
    | SignIn
    | Sync
    | History
    | Send
    | ListPeople
    | ListOnline
    | ListRooms
    | Ping
    | Terminate
    | Ban
    | Unban
    | MutePerson
    | Unmute
    | SetRole
    | RenameChat
    | ShowInvite
    | NewInvite
    | AskStatus
    | ListClients
    | ListSanctions
    | ListAudit
)
ToClient = (
    Welcome
    | Recognized
    | SignedIn
    | Synced
    | HistoryPage
    | Ack
    | People
    | Online
    | Rooms
    | Pong
    | Done
    | InviteLink
    | ServerStatus
    | Clients
    | Sanctions
    | Audit
    | EventMessage
    | PersonChanged
    | PresenceChanged
    | MuteChanged
    | RoomAdded
    | ServerChanged
    | Error
    | Goodbye
)

KINDS: Final[Mapping[str, type[Message]]] = {"message": MessageBody, "join": JoinBody}
"""The registry of event kinds: the model of each one's body.

A body is JSON: its model has bounds for every number, text and list.

What else a kind needs stands where it is used, under the same name: how it is drawn in
chat_client/window/transcript/drawing.py, how `listen` prints it in chat_client/headless.py.
"""
SENDABLE: Final[frozenset[str]] = frozenset({"message"})
"""The kinds that people add, by `send`; all others the server adds by itself."""


def check_body(
    model: type[Message], body: Mapping[str, Any], *, extra: Literal["forbid", "ignore"] = "forbid"
) -> Message:
    """A body that came as JSON, by the model of its kind. Raises ValidationError.

    With `extra` "ignore", fields that the model does not have are left out at any depth.
    """
    # Validated as JSON, where a list is what a model has as a tuple.
    checked: Message = model.__pydantic_validator__.validate_json(to_json(body), extra=extra)
    return checked


def kinds_digest() -> str:
    """What this program understands of events: another text after any change of the registry."""
    schemas = {kind: model.model_json_schema() for kind, model in KINDS.items()}
    written = json.dumps([__version__, schemas], sort_keys=True)
    return sha256(written.encode()).hexdigest()


TO_SERVER: Final[TypeAdapter[ToServer]] = TypeAdapter(
    Annotated[ToServer, Field(discriminator="type")]
)
TO_CLIENT: Final[TypeAdapter[ToClient]] = TypeAdapter(
    Annotated[ToClient, Field(discriminator="type")]
)


def refusal(
    code: ErrorCode,
    *,
    re: int | None = None,
    field: str | None = None,
    retry_after: int | None = None,
    params: Mapping[str, str | int] | None = None,
) -> Error:
    """An Error whose `retryable` follows from its code."""
    return Error(
        re=re,
        code=code,
        params=dict(params or {}),
        field=field,
        retryable=code in RETRYABLE,
        retry_after=retry_after,
    )
