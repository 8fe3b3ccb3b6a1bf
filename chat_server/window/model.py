"""The view model of the host's window: frozen values made by the presenter, drawn by widgets."""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal

from chat_server.window.feed import Line


class ServerState(Enum):
    """The state of the server as the window knows it."""

    STARTING = auto()
    RUNNING = auto()
    STOPPING = auto()
    STOPPED = auto()
    CLOSING = auto()


class Page(Enum):
    """The pages that can be chosen in the sidebar."""

    CONNECTIONS = "connections"
    PEOPLE = "people"
    INVITES = "invites"
    SANCTIONS = "sanctions"


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A connection as the table shows it; the fields after `slow` are sort keys.

    `muted` says until when its person is muted, and is empty if they are not.
    """

    connection: int
    name: str
    username: str
    device: str
    address: str
    since_text: str
    received_text: str
    sent_text: str
    slow: bool
    address_order: str
    since: int
    received: int
    sent: int
    is_moderator: bool = False
    muted: str = ""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account, connected or not; `muted` and `banned` say until when, or are empty."""

    username: str
    name: str
    online: bool
    is_moderator: bool
    muted: str
    banned: str


PersonRow = ClientRow | AccountRow
"""A row of a person who can be moderated."""


@dataclass(frozen=True, slots=True)
class SanctionRow:
    """A ban or a mute as its list shows it. `until` and `at` are sort keys."""

    number: int
    is_ban: bool
    username: str
    who: str
    until_text: str
    by: str
    at_text: str
    reason: str
    until: float
    at: int


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request to join. The host compares `digits` with those that the guest sees.

    `handle` is `@username`, unless that is the name itself; `about` says from where and since when,
    `alike` in a sentence whose name looks the same, if anybody's does.
    """

    number: int
    name: str
    username: str
    handle: str
    digits: str
    address: str
    about: str
    alike: str = ""


@dataclass(frozen=True, slots=True)
class CodeView:
    """The spoken code as it is read out, and until when it is valid."""

    text: str = field(repr=False)
    until: str


InviteState = Literal["valid", "used", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class InviteRow:
    """An invite as its list shows it; `created`, `expires` and `uses` are sort keys.

    `standing` is the link that can be shown again, which is not revoked but renewed.
    """

    number: int
    what: str
    note: str
    by: str
    role: str
    created_text: str
    expires_text: str
    uses_text: str
    state: InviteState
    created: int
    expires: float
    uses: int
    standing: bool


FactKind = Literal["good", "warning"]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known about whether others can connect. `command` is to be run in a terminal."""

    kind: FactKind
    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class JoiningView:
    """How people join: who asks to, by what, and what is known of the way to this computer.

    `rule` is "" until it is known. `requests` are in the order in which they came. `code` is the
    one on the screen, None while none is; `code_live` tells whether one is valid.
    """

    sign_words: str = ""
    sign_colour: str = ""
    listed: bool = True
    """Whether programs of guests find this chat on the network by themselves."""
    rule: str = ""
    moderators_invite: bool = False
    requests: tuple[RequestRow, ...] = ()
    code: CodeView | None = None
    code_live: bool = False
    invites: tuple[InviteRow, ...] = ()
    """All of them, while the page that shows them is open."""
    valid_invites: int = 0
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """The addresses at which clients reach the server.

    `text` is short and for one line, `all_text` names every address; `local` is true when
    only this computer can connect. `note` says in a sentence who can connect. `invite` is the link.
    """

    text: str
    all_text: str
    local: bool
    note: str
    invite: str


@dataclass(frozen=True, slots=True)
class HostView:
    """The state of the whole window.

    `reach` is None unless the server runs. `connections` counts all of them, `rows` has those
    that match `search`. `history` and `rate` are messages a minute. `trouble` says why
    messages can't be stored at present; mostly it is empty. `name` is safe to show, `given_name` as
    the host gave it; `name_answers` counts what came of changes of it, and `name_problem` says why
    the last one failed. `page` is where the person wants to be while the server runs.
    """

    phase: ServerState
    name: str
    given_name: str
    name_problem: str
    name_answers: int
    reach: Reach | None
    since: str
    uptime: str
    connections: int
    people: int
    somebody_came: bool
    rate: int
    history: tuple[int, ...]
    received: str
    sent: str
    search: str
    rows: tuple[ClientRow, ...]
    feed: tuple[Line, ...]
    trouble: str
    page: Page = Page.CONNECTIONS
    sanctions: tuple[SanctionRow, ...] = ()
    disk_low: bool = False
    """Whether the disk with the messages is nearly full."""
    joined: int = 0
    """Number of accounts."""
    accounts: tuple[AccountRow, ...] = ()
    """All accounts, while the page that shows them is open."""
    joining: JoiningView = JoiningView()
