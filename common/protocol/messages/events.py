"""Events: the registry of their kinds, how one is sent, acknowledged and delivered."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, Literal, Self

from pydantic import (
    JsonValue,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, to_json

from common import __version__
from common.domain.text import is_plain
from common.protocol.messages.base import (
    Cid,
    Command,
    FromServer,
    Kind,
    Message,
    Reply,
    RoomId,
    Seq,
    Text,
    Time,
    ToldUsername,
)


class MessageBody(Message):
    """The body of an event of kind `message`: what was said."""

    text: Text


class JoinBody(Message):
    """The body of an event of kind `join`: nothing; the sender is who joined."""


class AccountDeletedBody(Message):
    """The body of an event of kind `account_deleted`: what became of the account's messages."""

    messages: Literal["kept", "removed"]


class RemovedBody(Message):
    """The body of an event of kind `removed`: nothing; its sender's messages were removed."""


KINDS: Final[Mapping[str, type[Message]]] = {
    "message": MessageBody,
    "join": JoinBody,
    "account_deleted": AccountDeletedBody,
    "removed": RemovedBody,
}
"""The registry of event kinds: the model of each one's body.

A body is JSON: its model has bounds for every number, text and list.

What else a kind needs stands where it is used, under the same name: how it is drawn in
chat_client/window/transcript/drawing.py, how `listen` prints it in chat_client/listening.py.
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


def _located(errors: Iterable[InitErrorDetails]) -> ValidationError:
    """Errors in the fields of a model, from a validator of the whole."""
    return ValidationError.from_exception_data("body", list(errors))


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
        body = self.body
        if self.kind == "message" and len(body) == 1:
            # Nearly every message: told without its model, which would take a third of all that
            # is done to validate it.
            text = body.get("text")
            if type(text) is str and is_plain(text):
                return self
        if self.kind not in SENDABLE:
            unknown = PydanticCustomError("unknown_kind", "no kind of event that can be sent")
            raise _located([InitErrorDetails(type=unknown, loc=("kind",), input=self.kind)])
        try:
            check_body(KINDS[self.kind], body)
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


class Ack(Reply):
    """Answers `send`: the event is on the server's disk with this place in the room.

    It stands in the stream where the sender's own event would: with the same `seq`.
    """

    type: Literal["ack"] = "ack"
    room: RoomId
    seq: Seq
    cid: Cid
    sent_at: Time


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


class PastEvent(FromServer):
    """An event of a page of history."""

    seq: Seq
    kind: Kind
    sender: ToldUsername
    sent_at: Time
    cid: Cid
    body: dict[str, JsonValue]
