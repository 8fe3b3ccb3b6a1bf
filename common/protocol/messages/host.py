"""Commands of the host alone: the chat's name, its invite, its status, and its connections."""

from typing import Annotated, Literal

from pydantic import (
    Field,
)

from common import limits
from common.protocol.messages.base import (
    Code,
    Command,
    ConnectionId,
    FromServer,
    Position,
    Program,
    Reply,
    RoomId,
    ServerName,
    Time,
    ToldUsername,
)
from common.protocol.messages.rooms import Slow


class RenameChat(Command):
    """Gives the chat another name."""

    type: Literal["rename_chat"] = "rename_chat"
    name: ServerName


class ShowInvite(Command):
    """Asks for the invite's link."""

    type: Literal["show_invite"] = "show_invite"


class NewInvite(Command):
    """Makes a new invite; the old link becomes invalid."""

    type: Literal["new_invite"] = "new_invite"


class AskStatus(Command):
    """Asks how the server is."""

    type: Literal["status"] = "status"


class ListClients(Command):
    """Asks for the connections that are signed in, in the order of their numbers."""

    type: Literal["list_clients"] = "list_clients"
    after: Position = 0


class InviteLink(Reply):
    """Answers `show_invite` and `new_invite`."""

    type: Literal["invite"] = "invite"
    link: Annotated[str, Field(max_length=limits.INVITE_LENGTH)]


class SlowRoom(FromServer):
    """A room in slow mode, and the seconds between two messages of one member."""

    room: RoomId
    slow: Slow


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
    slow_rooms: Annotated[tuple[SlowRoom, ...], Field(max_length=limits.PAGE_ROOMS)] = ()


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
