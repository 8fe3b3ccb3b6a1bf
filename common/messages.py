"""Every message of the protocol, and the two unions that say who may send which.

The models are the contract: docs/protocol.md explains them and docs/protocol.schema.json is
generated from them. They are strict and closed: an unknown field, a number in a string, a
value out of bounds is an error, never a guess. Times are milliseconds since 1970-01-01 UTC,
for display only; the order of a room is `seq`.
"""

from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
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
RequestId = Annotated[int, Field(ge=1, le=limits.MAX_INTEGER)]
Seq = Annotated[int, Field(ge=1, le=limits.MAX_INTEGER)]
Position = Annotated[int, Field(ge=0, le=limits.MAX_INTEGER)]
"""The last `seq` somebody has of a room; 0 for nothing yet."""
Username = Annotated[str, StringConstraints(pattern=USERNAME_PATTERN)]
RoomId = Annotated[str, StringConstraints(max_length=80, pattern=ROOM_PATTERN)]
Cid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""The sender's own random id of a message: 128 bits in hexadecimal."""
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
    "version",
    "bad_secret",
    "name_taken",
    "name_refused",
    "not_recognized",
    "no_such_room",
    "no_such_person",
    "position_ahead",
    "too_long",
    "cid_reused",
    "too_early",
    "busy",
    "disk_full",
    "internal",
]
RETRYABLE: Final[frozenset[str]] = frozenset({"too_early", "busy", "disk_full", "internal"})
"""Codes after which the same command may succeed later; all others are final."""

EventKind = Literal["message", "join"]
GoodbyeCode = Literal[
    "server_closing", "terminated", "replaced", "too_slow", "timeout", "violation", "internal"
]
NewerCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,32}$")]
"""A code of a server that is newer than this program: `retryable` says what to do about an error,
and a goodbye is final."""


class Message(BaseModel):
    """What every message has in common: frozen, closed, strict."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Command(Message):
    """A message to the server. Its reply carries the same number as `re`."""

    id: RequestId


class Hello(Command):
    """Opens the conversation: what the client speaks and is."""

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

    `last` tells by `sent_at` which event the client has in the place of a position that is not
    0: it may be of another time of this server, with the same epoch.
    """

    type: Literal["sync"] = "sync"
    positions: Annotated[dict[RoomId, Position], Field(min_length=1, max_length=limits.POSITIONS)]
    last: Annotated[dict[RoomId, Time], Field(max_length=limits.POSITIONS)] = {}

    @field_validator("last")
    @classmethod
    def _at_a_position(cls, last: dict[str, int], info: ValidationInfo) -> dict[str, int]:
        positions = info.data.get("positions")  # Not there when they are wrong themselves.
        if positions is not None and not all(positions.get(room) for room in last):
            why = "a room of last needs a position of at least 1"
            raise PydanticCustomError("no_position", why)
        return last


class Send(Command):
    """Says something in a room. The same `cid` and content again gets the first answer.

    With `after` it is stored only if the account's message of that `cid` is: so several may be
    under way at once, and none can overtake one that was refused.
    """

    type: Literal["send"] = "send"
    room: RoomId
    cid: Cid
    text: Text
    after: Cid | None = None


class ListPeople(Command):
    """Asks for the accounts in order of username, from after the one named."""

    type: Literal["list_people"] = "list_people"
    after: Username | None = None


class ListRooms(Command):
    """Asks for the rooms this account is a member of in order of id, after the one named."""

    type: Literal["list_rooms"] = "list_rooms"
    after: RoomId | None = None


class Ping(Command):
    """Shows that this end is alive and asks the same of the other."""

    type: Literal["ping"] = "ping"


class Reply(Message):
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
    """Answers `sync`: where each named room stands now; its events follow."""

    type: Literal["synced"] = "synced"
    heads: Annotated[dict[RoomId, Position], Field(min_length=1, max_length=limits.POSITIONS)]


class Ack(Reply):
    """Answers `send`: the message is on the server's disk with this place in the room.

    It stands in the stream where the sender's own event would: with the same `seq`.
    """

    type: Literal["ack"] = "ack"
    room: RoomId
    seq: Seq
    cid: Cid
    sent_at: Time


class Person(Message):
    """An account as everyone sees it."""

    username: Username
    display_name: DisplayName
    online: bool


class People(Reply):
    """A page of accounts; `more` says that another one follows the last."""

    type: Literal["people"] = "people"
    people: Annotated[tuple[Person, ...], Field(max_length=limits.PAGE_PEOPLE)]
    more: bool


class Room(Message):
    """A room and its head: the `seq` of its newest event, 0 for none."""

    room: RoomId
    head: Position


class Rooms(Reply):
    """A page of rooms; `more` says that another one follows the last."""

    type: Literal["rooms"] = "rooms"
    rooms: Annotated[tuple[Room, ...], Field(max_length=limits.PAGE_ROOMS)]
    more: bool


class Pong(Reply):
    """Answers `ping`."""

    type: Literal["pong"] = "pong"


class Event(Message):
    """One place in a room's log. A `join` has an empty text and no `cid`."""

    type: Literal["event"] = "event"
    room: RoomId
    seq: Seq
    kind: EventKind
    sender: Username
    text: Annotated[str, Field(max_length=limits.TEXT_BYTES)]
    sent_at: Time
    cid: Cid | None


class PersonChanged(Message):
    """Somebody is new, came, went or changed; replaces what was known of them."""

    type: Literal["person"] = "person"
    person: Person


class RoomAdded(Message):
    """This account is now a member of a room; `sync` it to get its events."""

    type: Literal["room"] = "room"
    room: Room


class ServerChanged(Message):
    """The chat is called otherwise from now on; replaces the name that `welcome` told."""

    type: Literal["server"] = "server"
    server_name: ServerName


class Error(Message):
    """A command was refused (`re`), or something not understood was received (no `re`).

    `field` names the place in the command; `retryable` says that trying later may help;
    `suggestion` is a free username in place of a taken one.
    """

    type: Literal["error"] = "error"
    re: RequestId | None = None
    code: ErrorCode | NewerCode
    message: Reason
    field: Annotated[str, Field(max_length=100)] | None = None
    retryable: bool
    suggestion: Username | None = None


class Goodbye(Message):
    """The server's last words on this connection."""

    type: Literal["goodbye"] = "goodbye"
    code: GoodbyeCode | NewerCode
    reason: Reason


ToServer = Hello | Recognize | Join | SignIn | Sync | Send | ListPeople | ListRooms | Ping
ToClient = (
    Welcome
    | Recognized
    | SignedIn
    | Synced
    | Ack
    | People
    | Rooms
    | Pong
    | Event
    | PersonChanged
    | RoomAdded
    | ServerChanged
    | Error
    | Goodbye
)

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
    suggestion: str | None = None,
) -> Error:
    """An Error whose `retryable` follows from its code."""
    return Error(
        re=re,
        code=code,
        message=message[: limits.REASON_LENGTH],
        field=field,
        retryable=code in RETRYABLE,
        suggestion=suggestion,
    )
