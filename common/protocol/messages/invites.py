"""Invites: making, listing and revoking them; and the rule of who may join a chat."""

from typing import Annotated, Final, Literal

from pydantic import Field

from common import limits
from common.protocol.messages.base import (
    Code,
    Command,
    FromServer,
    Number,
    Position,
    Reply,
    Time,
    ToldUsername,
    Username,
    line,
)
from common.protocol.messages.moderation import AccountRole

JoinRule = Literal["invite_or_ask", "invite", "ask", "open"]
"""Who may join: with an invite or by asking; with an invite only; by asking only; or everyone on
this network. An invite that is bound to an account lets its device in under each of them."""
DEFAULT_RULE: Final[JoinRule] = "invite_or_ask"
InviteNote = Annotated[str, line(limits.INVITE_NOTE_LENGTH, empty=True)]
"""What an invite is for, in its maker's words: one line, which may be empty."""
Uses = Annotated[int, Field(ge=1, le=limits.INVITE_USES)]
Life = Annotated[int, Field(ge=limits.SHORTEST_INVITE_LIFE, le=limits.LONGEST_INVITE_LIFE)]
"""Milliseconds."""
Link = Annotated[str, Field(max_length=limits.INVITE_LENGTH)]


class CreateInvite(Command):
    """Makes an invite for newcomers, for a number of uses or any, and for a time or for ever."""

    type: Literal["create_invite"] = "create_invite"
    role: AccountRole = "member"
    uses: Uses | None = None
    expires_in: Life | None = limits.INVITE_LIFE
    note: InviteNote = ""


class AddDevice(Command):
    """Makes an invite for one more device of an account: one's own if none is named.

    It can be used once, within a day. A former one for that account is revoked.
    """

    type: Literal["add_device"] = "add_device"
    username: Username | None = None


class InviteCreated(Reply):
    """Answers `create_invite` and `add_device`: the link, which is not told again."""

    type: Literal["invite_created"] = "invite_created"
    number: Number
    link: Link
    expires: Time | None


class ListInvites(Command):
    """Asks for the invites, the newest first, before a number.

    The host gets all of them; others get those that they made or that are for their account.
    """

    type: Literal["list_invites"] = "list_invites"
    before: Number | None = None


class InviteFacts(FromServer):
    """An invite, without its secret.

    Number 0 is that of `show_invite`. `kind` is `link`, `device`, `code` or `knock`, `role` that of
    who joins with it; `username` is whose devices it is for, `by` who made it: null is the host.
    `ended` is `revoked`, `expired` or `used`, or null while it is valid.
    """

    number: Position
    kind: Code
    by: ToldUsername | None
    role: Code
    username: ToldUsername | None
    note: InviteNote
    created: Time
    expires: Time | None
    uses: Position
    most_uses: Position | None
    ended: Code | None


class Invites(Reply):
    """A page of invites, the newest first; `more` says that older ones follow."""

    type: Literal["invites"] = "invites"
    invites: Annotated[tuple[InviteFacts, ...], Field(max_length=limits.PAGE_INVITES)]
    more: bool


class RevokeInvite(Command):
    """Ends an invite: nobody joins with it any more, and who did stays."""

    type: Literal["revoke_invite"] = "revoke_invite"
    number: Number


class SetJoining(Command):
    """Changes who may join, and whether moderators may make invites."""

    type: Literal["set_joining"] = "set_joining"
    rule: JoinRule
    moderators_invite: bool


class AskJoining(Command):
    """Asks who may join, and whether moderators may make invites."""

    type: Literal["ask_joining"] = "ask_joining"


class Joining(Reply):
    """Answers `ask_joining`."""

    type: Literal["joining"] = "joining"
    rule: Code
    moderators_invite: bool
