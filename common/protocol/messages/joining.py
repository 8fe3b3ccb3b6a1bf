"""Joining without a link: by a spoken code, or by asking the host (a knock).

See common/protocol/joining_proofs.py for what the two ends prove to each other, and why in this
order.
"""

from typing import Annotated, Literal

from pydantic import (
    Field,
    StringConstraints,
)

from common import limits
from common.protocol.messages.base import (
    Code,
    Command,
    DisplayName,
    FromServer,
    Installation,
    Nonce,
    Number,
    Program,
    Reply,
    Secret,
    Time,
    ToldUsername,
    Username,
)
from common.protocol.messages.moderation import AccountRole

Share = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A public share of CPace: a point of Curve25519."""
Tag = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
"""A key confirmation of CPace."""
LongNonce = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""256 random bits, of which a commitment tells nothing."""
Commitment = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
SpokenCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{8}$")]


class CodeStart(Command):
    """Begins an exchange about the spoken code. `sid` is random, for this one."""

    type: Literal["code_start"] = "code_start"
    sid: Nonce
    share: Share


class CodeProof(Command):
    """Shows that the guest knows the code, before the server shows that it does."""

    type: Literal["code_proof"] = "code_proof"
    tag: Tag


class Knock(Command):
    """Asks the host to be let in; it is shown to them after `knock_open`."""

    type: Literal["knock"] = "knock"
    username: Username
    display_name: DisplayName
    device: Program
    installation: Installation


class KnockOpen(Command):
    """The guest's nonce, once the server is bound to its own."""

    type: Literal["knock_open"] = "knock_open"
    nonce: LongNonce


class Withdraw(Command):
    """Takes the request back."""

    type: Literal["withdraw"] = "withdraw"


class ListRequests(Command):
    """Asks for the requests to join that wait for an answer, the oldest first."""

    type: Literal["list_requests"] = "list_requests"


class Admit(Command):
    """Lets in who made a request."""

    type: Literal["admit"] = "admit"
    request: Number
    role: AccountRole = "member"


class Deny(Command):
    """Refuses a request; with `block` that device is banned, and its address may not ask again."""

    type: Literal["deny"] = "deny"
    request: Number
    block: bool = False


class ShowCode(Command):
    """Asks for the spoken code, and makes one if there is none.

    With a username it is for one more device of that account, and ends with its use.
    """

    type: Literal["show_code"] = "show_code"
    username: Username | None = None


class EndCode(Command):
    """Ends the spoken code."""

    type: Literal["end_code"] = "end_code"


class CodeShare(Reply):
    """Answers `code_start`."""

    type: Literal["code_share"] = "code_share"
    share: Share


class Invited(Reply):
    """Answers `code_proof`: the code was right, and this secret is good for one `join`.

    `tag` shows that the server knows the code, too. With `username` the secret is for one more
    device of that account.
    """

    type: Literal["invited"] = "invited"
    tag: Tag
    secret: Secret
    username: ToldUsername | None


class KnockCommitted(Reply):
    """Answers `knock`: the commitment to the server's nonce."""

    type: Literal["knock_committed"] = "knock_committed"
    commitment: Commitment


class KnockShown(Reply):
    """Answers `knock_open`: the server's nonce. The request is shown to the host."""

    type: Literal["knock_shown"] = "knock_shown"
    nonce: LongNonce


class KnockAnswered(FromServer):
    """What came of a request to join.

    It is `admitted`, `refused`, `blocked`, `expired`, `displaced` (by another one, as too many
    people ask) or `taken` (its name, by somebody who had an invite). When it was admitted, `secret`
    is good for one `join`.
    """

    type: Literal["knock_answered"] = "knock_answered"
    code: Code
    secret: Secret | None = None


class JoinRequest(FromServer):
    """A request to join. The host compares `digits` with those that the guest tells.

    `members_alike` are members whose name is the same or looks like it, and `requests_alike` the
    numbers of other requests with such a name.
    """

    request: Number
    username: ToldUsername
    display_name: DisplayName
    device: Program
    address: Annotated[str, Field(max_length=100)]
    digits: Digits
    since: Time
    members_alike: Annotated[tuple[ToldUsername, ...], Field(max_length=limits.LOOKALIKES)] = ()
    requests_alike: Annotated[tuple[Number, ...], Field(max_length=limits.REQUESTS)] = ()


class Requests(Reply):
    """Answers `list_requests`."""

    type: Literal["requests"] = "requests"
    requests: Annotated[tuple[JoinRequest, ...], Field(max_length=limits.REQUESTS)]


class ShownCode(Reply):
    """Answers `show_code`: the code without its hyphen, and when it ends."""

    type: Literal["code"] = "code"
    code: SpokenCode
    expires: Time
