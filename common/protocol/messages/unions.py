"""The unions of all messages to the server and to the client, and their validators."""

from functools import cache
from typing import Annotated

from pydantic import (
    Field,
    TypeAdapter,
)

from common.protocol.messages.base import Done
from common.protocol.messages.devices import DeviceAdded, Devices, ListDevices, RemoveDevice
from common.protocol.messages.errors import Error, Goodbye
from common.protocol.messages.events import Ack, EventMessage, Send
from common.protocol.messages.host import (
    AskStatus,
    Clients,
    InviteLink,
    ListClients,
    NewInvite,
    RenameChat,
    ServerStatus,
    ShowInvite,
)
from common.protocol.messages.invites import (
    AddDevice,
    AskJoining,
    CreateInvite,
    InviteCreated,
    Invites,
    Joining,
    ListInvites,
    RevokeInvite,
    SetJoining,
)
from common.protocol.messages.joining import (
    Admit,
    CodeProof,
    CodeShare,
    CodeStart,
    Deny,
    EndCode,
    Invited,
    Knock,
    KnockAnswered,
    KnockCommitted,
    KnockOpen,
    KnockShown,
    ListRequests,
    Requests,
    ShowCode,
    ShownCode,
    Withdraw,
)
from common.protocol.messages.moderation import (
    Audit,
    Ban,
    ListAudit,
    ListSanctions,
    MuteChanged,
    MutePerson,
    Sanctions,
    SetRole,
    Terminate,
    Unban,
    Unmute,
)
from common.protocol.messages.people import (
    DeleteAccount,
    DeleteMe,
    ListOnline,
    ListPeople,
    Online,
    People,
    PersonChanged,
    PresenceChanged,
    RenameMe,
)
from common.protocol.messages.rooms import (
    History,
    HistoryPage,
    ListRooms,
    RoomAdded,
    RoomChanged,
    Rooms,
    SetSlowMode,
    Sync,
    Synced,
)
from common.protocol.messages.session import (
    Hello,
    Join,
    Ping,
    Pong,
    Recognize,
    Recognized,
    ServerChanged,
    SignedIn,
    SignIn,
    Welcome,
)

ToServer = (
    Hello
    | Recognize
    | Join
    | SignIn
    | Sync
    | History
    | Send
    | ListPeople
    | ListOnline
    | ListRooms
    | Ping
    | RenameMe
    | DeleteMe
    | Terminate
    | Ban
    | Unban
    | MutePerson
    | Unmute
    | SetRole
    | DeleteAccount
    | SetSlowMode
    | RenameChat
    | ShowInvite
    | NewInvite
    | AskStatus
    | ListClients
    | ListSanctions
    | ListAudit
    | CreateInvite
    | AddDevice
    | ListInvites
    | RevokeInvite
    | SetJoining
    | AskJoining
    | ListDevices
    | RemoveDevice
    | CodeStart
    | CodeProof
    | Knock
    | KnockOpen
    | Withdraw
    | ListRequests
    | Admit
    | Deny
    | ShowCode
    | EndCode
)
ToClient = (
    Welcome
    | Recognized
    | SignedIn
    | Synced
    | HistoryPage
    | Ack
    | People
    | Online
    | Rooms
    | Pong
    | Done
    | InviteLink
    | ServerStatus
    | Clients
    | Sanctions
    | Audit
    | InviteCreated
    | Invites
    | Joining
    | Devices
    | CodeShare
    | Invited
    | KnockCommitted
    | KnockShown
    | Requests
    | ShownCode
    | EventMessage
    | PersonChanged
    | PresenceChanged
    | MuteChanged
    | DeviceAdded
    | RoomAdded
    | RoomChanged
    | ServerChanged
    | KnockAnswered
    | Error
    | Goodbye
)


@cache
def to_server() -> TypeAdapter[ToServer]:
    """The validator of what a client sends; made at the first call, as only a server needs it."""
    return TypeAdapter(Annotated[ToServer, Field(discriminator="type")])


@cache
def to_client() -> TypeAdapter[ToClient]:
    """The validator of what a server sends; made at the first call, as only a client needs it."""
    return TypeAdapter(Annotated[ToClient, Field(discriminator="type")])
