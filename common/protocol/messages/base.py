"""What all messages share: the types of their fields, and the models they are made of."""

from contextlib import suppress
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from common import limits
from common.domain.names import ROOM_PATTERN, TOLD_USERNAME_PATTERN, USERNAME_PATTERN
from common.domain.text import TextRefusedError, check_text


def _text(text: str) -> str:
    try:
        return check_text(text)
    except TextRefusedError as error:
        raise PydanticCustomError(error.code, str(error)) from error


def line(maximum: int, *, empty: bool = False) -> StringConstraints:
    """One line of plain text of at most `maximum` characters, which may be `empty` or not."""
    pattern = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]"
    if empty:
        return StringConstraints(max_length=maximum, pattern=f"{pattern}*$")
    return StringConstraints(min_length=1, max_length=maximum, pattern=f"{pattern}+$")


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
DisplayName = Annotated[str, line(limits.DISPLAY_NAME_LENGTH)]
ServerName = Annotated[str, line(limits.SERVER_NAME_LENGTH)]
Program = Annotated[str, line(limits.PROGRAM_LENGTH)]
Reason = Annotated[str, line(limits.REASON_LENGTH, empty=True)]
"""In a person's words: one line, which may be empty."""
GivenReason = Annotated[
    Reason, BeforeValidator(_empty_if_none, json_schema_input_type=Reason | None)
]
"""A reason in a command, where `null` is as good as none."""
Capabilities = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,32}$")], ...],
    Field(max_length=limits.CAPABILITIES),
]
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


class Message(BaseModel):
    """What every message has in common: frozen, closed, strict."""

    # A model's own validator is made when the first of its messages is: most are only parsed, by
    # the union they belong to, and making all of them is a fifth of a program's start.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )


class FromServer(Message):
    """A message to the client, or a part of one: a newer server may put more into it."""

    model_config = ConfigDict(extra="ignore")


class Command(Message):
    """A message to the server. Its reply carries the same number as `re`."""

    id: RequestId


class Reply(FromServer):
    """An answer to the command whose `id` is `re`."""

    re: RequestId


class Done(Reply):
    """Answers what has nothing to tell: it is done, and stored. `note` is what of it was left out.

    That is `shared_device`: of a ban, the devices that moderators or the host use as well.
    """

    type: Literal["done"] = "done"
    note: Code | None = None
