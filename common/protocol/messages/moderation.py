"""Moderation, by moderators and the host: bans, mutes, roles; and the audit log."""

from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    Field,
    JsonValue,
    model_validator,
)
from pydantic_core import PydanticCustomError

from common import limits
from common.protocol.messages.base import (
    Code,
    Command,
    ConnectionId,
    FromServer,
    GivenReason,
    Number,
    Position,
    Program,
    Reason,
    Reply,
    Time,
    ToldUsername,
    Username,
)

AccountRole = Literal["member", "moderator"]
_C = TypeVar("_C", bound=Command)


def _one_of(command: _C, *given: object) -> _C:
    """The command, if one of these is there and no other."""
    if sum(each is not None for each in given) != 1:
        raise PydanticCustomError("one_of", "one of the two has to be given")
    return command


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


class Mute(FromServer):
    """This account may read and not write, until a time or until it is lifted."""

    until: Time | None
    reason: Reason


class MuteChanged(FromServer):
    """This account may not write from now on, or may again (`mute` is null)."""

    type: Literal["muted"] = "muted"
    mute: Mute | None


class ListSanctions(Command):
    """Asks for the bans and mutes that hold now, in the order of their numbers."""

    type: Literal["list_sanctions"] = "list_sanctions"
    after: Position = 0


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


class ListAudit(Command):
    """Asks for what was done to people and to the chat, the newest first, before a number."""

    type: Literal["list_audit"] = "list_audit"
    before: Number | None = None


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
