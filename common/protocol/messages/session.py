"""The greeting, joining, signing in, and keepalive."""

from typing import Annotated, Literal

from pydantic import (
    ConfigDict,
    Field,
)

from common import limits
from common.protocol.messages.base import (
    Capabilities,
    Code,
    Command,
    DisplayName,
    Epoch,
    FromServer,
    Installation,
    Nonce,
    Program,
    Proof,
    Reply,
    Secret,
    ServerName,
    SessionId,
    Time,
    Token,
    ToldUsername,
    Username,
)
from common.protocol.messages.invites import DEFAULT_RULE
from common.protocol.messages.moderation import Mute


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
    """Claims a username with an invite's secret, or adds a device to the account it is bound to.

    Without a secret only where everyone on the network may join. The same token again gets the same
    answer.
    """

    type: Literal["join"] = "join"
    secret: Secret | None = None
    username: Username
    display_name: DisplayName
    token: Token
    device: Program
    installation: Installation


class Recognize(Command):
    """Asks the server to show that it knows a device of this account, before it gets the token."""

    type: Literal["recognize"] = "recognize"
    secret: Secret | None = None
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


class Ping(Command):
    """Shows that this end is alive and asks the same of the other."""

    type: Literal["ping"] = "ping"


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
    joining: Code = DEFAULT_RULE
    """Who may join (JoinRule); not there either."""


class Recognized(Reply):
    """Answers `recognize`: a MAC of the nonce for each device of the account, in any order."""

    type: Literal["recognized"] = "recognized"
    proofs: Annotated[tuple[Proof, ...], Field(max_length=limits.PROOFS)]


class SignedIn(Reply):
    """Answers `join` and `sign_in`: the account, its role, and the name of this session."""

    type: Literal["signed_in"] = "signed_in"
    username: ToldUsername
    display_name: DisplayName
    session: SessionId
    role: Code
    mute: Mute | None


class Pong(Reply):
    """Answers `ping`."""

    type: Literal["pong"] = "pong"


class ServerChanged(FromServer):
    """The chat is called otherwise from now on; replaces the name that `welcome` told."""

    type: Literal["server"] = "server"
    server_name: ServerName
