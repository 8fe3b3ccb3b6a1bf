"""Every message of the protocol, and the two unions that say who may send which.

The models are the contract: docs/protocol.md explains them and docs/protocol.schema.json is
generated from them. They are strict: a number in a string, a value out of bounds is an error,
never a guess. To the server they are closed, too: an unknown field is refused. To the client they
are open, so that a server may know more than its clients: what they don't know they leave out.
Times are milliseconds since 1970-01-01 UTC, for display only; the order of a room is `seq`.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from common import limits
from common.names import ROOM_PATTERN, USERNAME_PATTERN
from common.text import TextRefusedError, check_text


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


Time = Annotated[int, Field(ge=0, le=limits.MAX_TIME)]
"""Milliseconds since 1970-01-01 UTC. Bounded, or one could be sent that no calendar can show."""
Wait = Annotated[int, Field(ge=0, le=limits.MAX_WAIT)]
"""Milliseconds."""
RequestId = Annotated[int, Field(ge=1, le=limits.MAX_INTEGER)]
Seq = Annotated[int, Field(ge=1, le=limits.MAX_INTEGER)]
Position = Annotated[int, Field(ge=0, le=limits.MAX_INTEGER)]
"""The last `seq` somebody has of a room; 0 for nothing yet."""
Username = Annotated[str, StringConstraints(pattern=USERNAME_PATTERN)]
RoomId = Annotated[str, StringConstraints(max_length=80, pattern=ROOM_PATTERN)]
Cid = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16}$")]
"""The sender's own id of an event: 96 bits in base64url, so that no two of them have the same."""
Token = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A device's secret, made by the client: 256 random bits in hexadecimal."""
Nonce = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Proof = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A message authentication code (see common/recognition.py)."""
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
Reason = Annotated[str, Field(max_length=limits.REASON_LENGTH)]
Capabilities = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,32}$")], ...],
    Field(max_length=limits.CAPABILITIES),
]

ErrorCode = Literal[
    "malformed",
    "unknown_type",
    "out_of_order",
    "not_allowed",
    "version",
    "bad_secret",
    "name_taken",
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
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""The name of a kind of events. A client may get one that it does not know."""
GoodbyeCode = Literal[
    "server_closing", "terminated", "replaced", "too_slow", "timeout", "violation", "internal"
]


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
    resume: SessionId | None = None


class Sync(Command):
    """Starts delivery in the named rooms, after the given positions.

    `last` tells by `cid` which event the client has in the place of a position that is not 0: it
    may be of another time of this server, with the same epoch.
    """

    type: Literal["sync"] = "sync"
    positions: Annotated[dict[RoomId, Position], Field(min_length=1, max_length=limits.POSITIONS)]
    last: Annotated[dict[RoomId, Cid], Field(max_length=limits.POSITIONS)] = {}

    @field_validator("last")
    @classmethod
    def _at_a_position(cls, last: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        positions = info.data.get("positions")  # Not there when they are wrong themselves.
        if positions is not None and not all(positions.get(room) for room in last):
            why = "a room of last needs a position of at least 1"
            raise PydanticCustomError("no_position", why)
        return last


class Send(Command):
    """Adds an event to a room. The same `cid` and content again gets the first answer.

    With `after` it is stored only if the account's message of that `cid` is: so several may be
    under way at once, and none can overtake one that was refused.
    """

    type: Literal["send"] = "send"
    room: RoomId
    cid: Cid
    kind: Literal["message"]
    body: MessageBody
    after: Cid | None = None


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


class Reply(FromServer):
    """An answer to the command whose `id` is `re`."""

    re: RequestId


class Welcome(Reply):
    """Answers `hello`: who the server is and what it speaks."""

    type: Literal["welcome"] = "welcome"
    protocol: Annotated[int, Field(ge=1, le=65535)]
    capabilities: Capabilities = ()
    program: Program
    server_name: ServerName
    epoch: Epoch


class Recognized(Reply):
    """Answers `recognize`: a MAC of the nonce for each device of the account, in any order."""

    type: Literal["recognized"] = "recognized"
    proofs: Annotated[tuple[Proof, ...], Field(max_length=limits.PROOFS)]


class SignedIn(Reply):
    """Answers `join` and `sign_in`: the account and the name of this session."""

    type: Literal["signed_in"] = "signed_in"
    username: Username
    display_name: DisplayName
    session: SessionId


class Synced(Reply):
    """Answers `sync`: where each named room stands now, whose events follow; or why they don't."""

    type: Literal["synced"] = "synced"
    heads: Annotated[dict[RoomId, Position], Field(max_length=limits.POSITIONS)]
    refused: Annotated[dict[RoomId, Code], Field(max_length=limits.POSITIONS)]


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
    """An account as everyone sees it, and its last change."""

    username: Username
    display_name: DisplayName
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
    online: Annotated[tuple[Username, ...], Field(max_length=limits.PAGE_ONLINE)]
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
    sender: Username
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
    username: Username
    online: bool


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

    `field` names the place in the command; `retryable` says that trying later may help, after
    `retry_after` milliseconds at the earliest if that is known; `suggestion` is a free username in
    place of a taken one.
    """

    type: Literal["error"] = "error"
    re: RequestId | None = None
    code: ErrorCode | Code
    message: Reason
    field: Annotated[str, Field(max_length=100)] | None = None
    retryable: bool
    retry_after: Wait | None = None
    suggestion: Username | None = None


class Goodbye(FromServer):
    """The server's last words on this connection; `retry_after` as in `error`."""

    type: Literal["goodbye"] = "goodbye"
    code: GoodbyeCode | Code
    reason: Reason
    retry_after: Wait | None = None


ToServer = (
    Hello | Recognize | Join | SignIn | Sync | Send | ListPeople | ListOnline | ListRooms | Ping
)
ToClient = (
    Welcome
    | Recognized
    | SignedIn
    | Synced
    | Ack
    | People
    | Online
    | Rooms
    | Pong
    | EventMessage
    | PersonChanged
    | PresenceChanged
    | RoomAdded
    | ServerChanged
    | Error
    | Goodbye
)

KINDS: Final[Mapping[str, type[Message]]] = {"message": MessageBody, "join": JoinBody}
"""The registry of event kinds: the model of each one's body.

What else a kind needs stands where it is used, under the same name: who may send it in
chat_server/rules/events.py, how it is drawn in chat_client/window/drawing.py.
"""

TO_SERVER: Final[TypeAdapter[ToServer]] = TypeAdapter(
    Annotated[ToServer, Field(discriminator="type")]
)
TO_CLIENT: Final[TypeAdapter[ToClient]] = TypeAdapter(
    Annotated[ToClient, Field(discriminator="type")]
)


def refusal(
    code: ErrorCode,
    message: str,
    *,
    re: int | None = None,
    field: str | None = None,
    retry_after: int | None = None,
    suggestion: str | None = None,
) -> Error:
    """An Error whose `retryable` follows from its code."""
    return Error(
        re=re,
        code=code,
        message=message[: limits.REASON_LENGTH],
        field=field,
        retryable=code in RETRYABLE,
        retry_after=retry_after,
        suggestion=suggestion,
    )
