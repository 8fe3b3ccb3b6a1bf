"""What a run leaves behind, and what can be wrong with it: the checker's input and output."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from common.protocol.events import Event
from tests.torture.clock import ServerClock
from tests.torture.epochs import Epoch
from tests.torture.record import Record


class Kind(Enum):
    """The promises, each named by how it is broken. docs/protocol.md has the contract."""

    GAP_IN_LOG = "a room's log has a gap"
    DUPLICATE = "a message is in the log twice"
    NOT_SENT = "the log has what nobody sent, or sent otherwise"
    ACK_LOST = "an acknowledged message is not in the log"
    ACK_MOVED = "a message is not where its acknowledgement said"
    LOST = "a kept message never came into the log"
    NOT_DELIVERED = "a message is still in an outbox, or was refused"
    DEVICE_ORDER = "a device's messages are not in the order they were written"
    EFFECT_BEFORE_CAUSE = "an answer stands before what it answers"
    HOLE_IN_VIEW = "a client was shown or kept events with a gap or a repetition"
    WENT_BACK = "a client's position went back"
    BEHIND = "a client never reached the head"
    DISAGREES = "a client saw something else than the log has"
    HOLE_ON_WIRE = "an event arrived although one before it had not"
    REPEATED_ON_WIRE = "an event arrived twice on one connection, or after a later one"
    ECHOED = "a sender was sent its own message"
    AFTER_GOODBYE = "something arrived after the server's last words"
    MIXED = "a client went on with a copy of another history"
    OUTSIDER = "an event reached someone who is no member of its room"
    AUDIT_MISSING = "the audit log lacks something acknowledged, or has it in another order"
    AUDIT_EXTRA = "the audit log has what nobody asked for, or twice"
    RIGHTS_DIFFER = "bans, mutes or roles are not what was done"
    SHOWN_TO_BANNED = "somebody banned was sent what was said after the ban"
    BANNED_LET_IN = "somebody banned was let in"
    HEARD_THOUGH_BANNED = "something that somebody banned said was taken"
    HEARD_THOUGH_MUTED = "something that somebody muted said was taken"
    UNJUST = "somebody was refused or sent away for what did not hold"
    NOT_ALLOWED = "somebody did what their role does not allow"
    OLD_LINK = "somebody joined by a link that had been replaced"
    JOIN_LOST = "an acknowledged join is not in the log"
    PROGRAM_ERROR = "a program met an error it did not expect"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise: whose, where, and what exactly."""

    kind: Kind
    who: str = ""
    room: str = ""
    seq: int = 0
    detail: str = ""

    def __str__(self) -> str:
        """One line for people."""
        where = f" {self.room}/{self.seq}" if self.room else ""
        who = f" [{self.who}]" if self.who else ""
        return f"{self.kind.name}{who}{where}: {self.kind.value}. {self.detail}".rstrip()


@dataclass(frozen=True, slots=True)
class Store:
    """A client's cache at the end: what it has and what still waits in the outbox."""

    events: Iterable[Event] = ()
    positions: Mapping[str, int] = field(default_factory=dict)
    epoch: str | None = None
    """The history it is a copy of."""
    waiting: Collection[str] = ()
    """The cids of messages that were not acknowledged."""
    spans: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    """By room, the first and the last place of each stretch that it says it has."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """The cids of messages that will never be sent, and why: who was killed could not note it."""


@dataclass(frozen=True, slots=True)
class Client:
    """One device of a person, through all of its lives. Its records may be read many times."""

    person: str
    device: str
    records: Iterable[Record]
    store: Store


@dataclass(frozen=True, slots=True)
class History:
    """Everything that was recorded, and the logs, which are the truth.

    The last of `epochs` is what the server had in the end; a backup that was restored ended the
    one before. `fell_behind` names the sessions whose outbox on the server was ever full: they
    are caught up with pages, which hold their own messages too.
    """

    epochs: Sequence[Epoch]
    clients: Sequence[Client]
    fell_behind: Collection[str] = ()
    host: Iterable[Record] = ()
    """What the host and guests wrote down."""
    clock: ServerClock = field(default_factory=ServerClock)

    @property
    def last(self) -> Epoch:
        """What the server has in the end."""
        return self.epochs[-1]

    def epoch(self, name: str | None) -> Epoch | None:
        """The history of that name, if the server ever had it."""
        return next((epoch for epoch in self.epochs if epoch.name == name), None)
