"""One end of a connection's protocol: bytes in, messages out, and which are allowed in each phase.

Sans-I/O: both ends can be linked in a test without a socket. An error of the peer becomes a
`Violation` or a `RemoteProtocolError`; one of our own program raises `LocalProtocolError` and
changes nothing.

The phases, as both ends know them (the table `_STEPS` is the source):

    GREETING --hello--> WELCOMING --welcome--> IDENTIFYING
    IDENTIFYING --join, sign_in--> ADMITTING --signed_in--> READY
    WELCOMING, ADMITTING --error that answers the step--> the phase before
    any --goodbye--> CLOSED

The exceptions:

    ProtocolError
      LocalProtocolError     we tried to send what this phase does not allow
      RemoteProtocolError    the server sent what no server may send (clients only)
"""

import json
import logging
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from math import isfinite
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ValidationError

from common import limits
from common.protocol.debug_summaries import brief
from common.protocol.events import Event, PartOfBody, UnknownBody
from common.protocol.frames import FrameDecoder, FrameError, encode_frame
from common.protocol.messages import (
    KINDS,
    CodeProof,
    CodeShare,
    CodeStart,
    Done,
    Error,
    ErrorCode,
    EventMessage,
    Goodbye,
    Hello,
    Invited,
    Join,
    Knock,
    KnockAnswered,
    KnockCommitted,
    KnockOpen,
    KnockShown,
    Ping,
    Pong,
    Recognize,
    Recognized,
    SignedIn,
    SignIn,
    ToClient,
    ToServer,
    Welcome,
    Withdraw,
    check_body,
    refusal,
    to_client,
    to_server,
)

log = logging.getLogger(__name__)

Arrival: TypeAlias = ToClient | Event
"""What a client receives: messages, with events in their light form."""


class ProtocolError(Exception):
    """One end violated the protocol."""


class LocalProtocolError(ProtocolError):
    """Our own program tried something that this phase does not allow. Nothing was changed."""


class RemoteProtocolError(ProtocolError):
    """The server violated the protocol; the connection must be closed."""


class Phase(Enum):
    """The phase of the protocol on this connection."""

    GREETING = auto()
    WELCOMING = auto()
    IDENTIFYING = auto()
    ADMITTING = auto()
    READY = auto()
    CLOSED = auto()


_STEPS: Final[dict[tuple[Phase, type[BaseModel]], Phase]] = {
    (Phase.GREETING, Hello): Phase.WELCOMING,
    (Phase.WELCOMING, Welcome): Phase.IDENTIFYING,
    (Phase.IDENTIFYING, Join): Phase.ADMITTING,
    (Phase.IDENTIFYING, SignIn): Phase.ADMITTING,
    (Phase.ADMITTING, SignedIn): Phase.READY,
}
_BACK: Final = {Phase.WELCOMING: Phase.GREETING, Phase.ADMITTING: Phase.IDENTIFYING}
_BEFORE_JOINING: Final = (Recognize, CodeStart, CodeProof, Knock, KnockOpen, Withdraw)
_OPENING: Final = frozenset({Hello, Join, SignIn, *_BEFORE_JOINING})
"""By exact type, as `isinstance` with models asks their metaclass: 0.3 µs for each message."""
_WHILE_IDENTIFYING: Final = (Ping, *_BEFORE_JOINING)
"""Commands that are no step: their answers may come while a step waits for its own."""
_TOLD_WHILE_IDENTIFYING: Final = (
    Pong,
    Recognized,
    CodeShare,
    Invited,
    KnockCommitted,
    KnockShown,
    KnockAnswered,
    Done,
)
"""The answers to them, and what is told of a request to join."""


class _Conversation:
    """The phase both ends agree on, and the step that waits for its answer."""

    def __init__(self) -> None:
        self.phase = Phase.GREETING
        self._pending: int | None = None

    def to_server(self, message: ToServer) -> bool:
        """Advance by a command; False when this phase does not allow it."""
        if self.phase is Phase.READY:
            return type(message) not in _OPENING
        after = _STEPS.get((self.phase, type(message)))
        if after is not None:
            self.phase = after
            self._pending = message.id
            return True
        return self.phase is Phase.IDENTIFYING and isinstance(message, _WHILE_IDENTIFYING)

    def to_client(self, message: ToClient) -> bool:
        """Advance by a message of the server; False when this phase does not allow it."""
        if self.phase is Phase.CLOSED:
            return False
        if isinstance(message, Goodbye):
            self.phase = Phase.CLOSED
        elif isinstance(message, Error):
            if self._pending is not None and message.re == self._pending:
                self.phase = _BACK[self.phase]
                self._pending = None
        elif isinstance(message, Welcome | SignedIn):
            after = _STEPS.get((self.phase, type(message)))
            if after is None or message.re != self._pending:
                return False
            self.phase = after
            self._pending = None
        elif self.phase is not Phase.READY:
            # They may have been asked for just before the step that waits for its answer now.
            return isinstance(message, _TOLD_WHILE_IDENTIFYING) and self.phase in {
                Phase.IDENTIFYING,
                Phase.ADMITTING,
            }
        return True


@dataclass(frozen=True, slots=True)
class Violation:
    """The client broke a rule: the error for it, and whether the connection can go on."""

    error: Error
    fatal: bool


class ServerEnd:
    """The server's end of one conversation."""

    def __init__(self) -> None:
        self._conversation = _Conversation()
        self._decoder = FrameDecoder(limits.FRAME_BEFORE_SIGN_IN)

    @property
    def phase(self) -> Phase:
        """The phase of the protocol on this connection."""
        return self._conversation.phase

    def receive(self, data: bytes) -> Generator[ToServer | Violation, None, None]:
        """The commands that `data` completes, in order, or what is invalid about them.

        When the generator is closed early, the rest comes with the next call, also with b"".
        """
        frames = self._decoder.frames(data)
        try:
            for body in frames:
                yield self._decode(body)
        except FrameError:
            yield Violation(refusal("malformed", params={"why": "frame"}), fatal=True)
        finally:
            frames.close()

    def send(self, message: ToClient) -> bytes:
        """The frame of `message`. Raises LocalProtocolError when it is not its time."""
        if not self._conversation.to_client(message):
            raise LocalProtocolError(f"{message.type} in phase {self.phase.name}")
        if self.phase is Phase.READY:
            self._decoder.limit = limits.FRAME_JSON
        return encode(message)

    def _decode(self, body: bytes) -> ToServer | Violation:
        try:
            message: ToServer = to_server().validator.validate_json(body)
        except ValidationError as error:
            return Violation(explain(error, body), fatal=False)
        if not self._conversation.to_server(message):
            params = {"phase": self.phase.name.lower()}
            return Violation(refusal("out_of_order", re=message.id, params=params), fatal=False)
        return message


class ClientEnd:
    """The client's end of one conversation."""

    def __init__(self) -> None:
        self._conversation = _Conversation()
        self._decoder = FrameDecoder(limits.FRAME_JSON)

    @property
    def phase(self) -> Phase:
        """The phase of the protocol on this connection."""
        return self._conversation.phase

    def receive(self, data: bytes) -> Iterator[Arrival]:
        """The messages `data` completed; events as Event. Raises RemoteProtocolError.

        A push of an unknown type is skipped (forward compatibility): a newer server must not send
        one that older clients can't do without.
        """
        traced = log.isEnabledFor(logging.DEBUG)
        try:
            for body in self._decoder.frames(data):
                message = self._decode(body)
                if traced:
                    log.debug("received %s", "unknown" if message is None else brief(message))
                if message is None:
                    continue
                if not self._conversation.to_client(message):
                    raise RemoteProtocolError(f"{message.type} in phase {self.phase.name}")
                yield _event(message) if isinstance(message, EventMessage) else message
        except FrameError as error:
            raise RemoteProtocolError(str(error)) from error

    def send(self, message: ToServer) -> bytes:
        """The frame of `message`. Raises LocalProtocolError when it is not its time."""
        if not self._conversation.to_server(message):
            raise LocalProtocolError(f"{message.type} in phase {self.phase.name}")
        if log.isEnabledFor(logging.DEBUG):
            log.debug("sending %s", brief(message))
        return encode(message)

    def _decode(self, body: bytes) -> ToClient | None:
        try:
            message: ToClient = to_client().validator.validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            if first["type"] == "union_tag_invalid" and _is_news(body):
                return None
            where = ".".join(str(part) for part in first["loc"])
            raise RemoteProtocolError(f"a message this program does not know ({where})") from error
        return message


def encode(message: BaseModel) -> bytes:
    """The frame of any message, without asking whether it is its time."""
    return encode_frame(message.__pydantic_serializer__.to_json(message))


def _event(message: EventMessage) -> Event:
    return known_event(
        Event(
            message.room,
            message.seq,
            message.kind,
            message.sender,
            message.sent_at,
            message.cid,
            message.body,
        )
    )


def known_event(event: Event) -> Event:
    """An event with its body decoded; unknown kinds and fields are kept as they came."""
    known = decode_body(event.kind, event.body)
    if known is None:
        return event._replace(body=UnknownBody(_finite(event.body)))
    if known == event.body:
        return event
    return event._replace(body=PartOfBody(known, _finite(event.body)))


def _finite(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body without NaN and infinities, which RFC 8259 has no form for: null in their place.

    A server must not send `NaN`; but `1e999` is valid JSON, and is read as infinity.
    """
    return {name: _finite_value(value) for name, value in body.items()}


def _finite_value(value: Any) -> Any:
    match value:
        case float():
            return value if isfinite(value) else None
        case dict():
            return _finite(value)
        case list():
            return [_finite_value(each) for each in value]
    return value


def decode_body(kind: str, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The known fields of an event's body; None for an unknown kind or an invalid body.

    Unknown fields are left out at any depth.
    """
    model = KINDS.get(kind)
    if model is None:
        return None
    known = {name: body[name] for name in model.model_fields if name in body}
    try:
        checked = check_body(model, known, extra="ignore")
    except ValueError:  # ValidationError is one, and so is what can't be written as JSON
        return None
    if any(isinstance(value, dict | list) for value in known.values()):
        return checked.model_dump(mode="json", exclude_unset=True)
    return known


def _is_news(body: bytes) -> bool:
    fields = json.loads(body)
    return isinstance(fields["type"], str) and "re" not in fields


_CODES: Final[dict[str, ErrorCode]] = {
    "too_long": "too_long",
    "union_tag_invalid": "unknown_type",
    "unknown_kind": "unknown_kind",
}


def explain(error: ValidationError, body: bytes) -> Error:
    """Which field of a command is wrong and why, without a word of what was in it."""
    first = error.errors(include_url=False, include_input=False)[0]
    # The first part of a place inside a union is its tag, which the client knows itself.
    # A field the models don't know is the client's own text: no control of it comes back.
    # "[key]" is pydantic's own word for a name that is wrong itself, behind that name.
    parts = (str(part) for part in first["loc"][1:] if part != "[key]")
    place = ".".join(parts)[:100]
    field = "".join(c if c.isprintable() else "?" for c in place) or None
    code = _CODES.get(first["type"], "malformed")
    params: dict[str, str | int] = {"why": first["type"]}
    most = first.get("ctx", {}).get("max_length")
    if isinstance(most, int):
        params["most"] = most
    return refusal(code, re=_request_id(body), field=field, params=params)


def _request_id(body: bytes) -> int | None:
    """The `id` of a command that is wrong elsewhere, so that its sender can place the error."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return None
    number = fields.get("id") if isinstance(fields, dict) else None
    if type(number) is int and 1 <= number <= limits.MAX_INTEGER:
        return number
    return None
