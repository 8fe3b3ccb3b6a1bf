"""What a client under torture writes down, one line for each thing, in the order it happened.

A line is in the file before the program goes on: what `kill -9` leaves is whole and complete.
Times are nanoseconds on the monotonic clock, which all processes of a computer share. Long texts
stand in records by their beginning and their SHA-256: hours of talk have to fit.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from common.protocol.events import Event

HOST: Final = "(host)"
"""As the audit log calls the host."""
_SHORT: Final = 80
"""Characters; a longer text is condensed."""


def condense(text: str) -> str:
    """A short text itself; of a longer one what tells it from all others."""
    if len(text) <= _SHORT:
        return text
    return f"{text[:_SHORT]}… sha256 {hashlib.sha256(text.encode()).hexdigest()}"


def kept(event: Event) -> Event:
    """The event as it is compared; one that was not understood is like none that was."""
    body = {"text": condense(event.text)} if event.is_message else {}
    return event._replace(body=body)


@dataclass(frozen=True, slots=True)
class Began:
    """A life of the process begins, with these positions in its store, in a server's history."""

    at: int
    life: int
    positions: Mapping[str, int]
    epoch: str | None


@dataclass(frozen=True, slots=True)
class Wrote:
    """About to put a message into the outbox. `answers` is the cid of one it has seen."""

    at: int
    room: str
    cid: str
    text: str
    answers: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """The message is in the outbox, on disk: from now on it must not get lost."""

    at: int
    cid: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """About to give up a message of the outbox: it may still be on its way."""

    at: int
    cid: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The server would not have a message, for good."""

    at: int
    cid: str
    reason: str


@dataclass(frozen=True, slots=True)
class Connected:
    """A new connection stands; what follows on the wire is of this one."""

    at: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone, or could not be made; nothing is in flight."""

    at: int


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The server said which history it has."""

    at: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The server let the client in; `session` is how it calls this connection."""

    at: int
    session: str


@dataclass(frozen=True, slots=True)
class Asked:
    """About to ask for what follows these positions."""

    at: int
    positions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Synced:
    """The server said where these rooms ended as it began to bring them.

    Of those that are skipped it brings what follows, and nothing of what is before.
    """

    at: int
    heads: Mapping[str, int]
    skipped: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Transmitted:
    """About to send a message of the outbox, for the first time or again."""

    at: int
    cid: str


@dataclass(frozen=True, slots=True)
class Acked:
    """An acknowledgement arrived."""

    at: int
    room: str
    seq: int
    cid: str


@dataclass(frozen=True, slots=True)
class Heard:
    """An event arrived."""

    at: int
    event: Event


@dataclass(frozen=True, slots=True)
class Parted:
    """The server's goodbye arrived."""

    at: int
    code: str


@dataclass(frozen=True, slots=True)
class Applied:
    """An event is in the store and the person was shown it."""

    at: int
    event: Event


@dataclass(frozen=True, slots=True)
class Silenced:
    """Nobody talks here any more, and what was said is in the outbox."""

    at: int


@dataclass(frozen=True, slots=True)
class CacheReset:
    """The client threw its copy away: it was told of another history."""

    at: int


@dataclass(frozen=True, slots=True)
class PageAsked:
    """About to ask for a page of a room: before a place, around one or a time, or the newest."""

    at: int
    number: int
    room: str
    before: int | None
    around: int | None
    when: int | None


@dataclass(frozen=True, slots=True)
class Paged:
    """The page of that number arrived; `upto` was the room's head then."""

    at: int
    number: int
    room: str
    events: Sequence[Event]
    upto: int
    older: bool
    newer: bool


@dataclass(frozen=True, slots=True)
class Filled:
    """A stretch of a room is in the store, and the person can see it."""

    at: int
    room: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """The server would not let the client in."""

    at: int
    code: str


@dataclass(frozen=True, slots=True)
class Ordered:
    """About to ask for something to be done to people or to the chat, with the command's fields.

    `about` is the person, where there is one; `mark` tells which of a person's bans is lifted, by
    the words it was made with, if it is not all of them.
    """

    at: int
    number: int
    action: str
    fields: Mapping[str, Any]
    about: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of the order of that number: it was done (no code), or why it was not."""

    at: int
    number: int
    code: str


@dataclass(frozen=True, slots=True)
class Listed:
    """What holds, as the server said since `since`: bans and mutes by their words, moderators."""

    at: int
    since: int
    sanctions: Sequence[str]
    moderators: Sequence[str]


@dataclass(frozen=True, slots=True)
class Learned:
    """The secret of the invite, as the server said since `since`."""

    at: int
    since: int
    secret: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A guest is connected and about to join, perhaps from the device of somebody else."""

    at: int
    guest: str
    secret: str
    device: str


@dataclass(frozen=True, slots=True)
class LetIn:
    """The guest has joined."""

    at: int
    guest: str


@dataclass(frozen=True, slots=True)
class KeptOut:
    """The guest may not join."""

    at: int
    guest: str
    code: str


Record = (
    Began
    | Wrote
    | Kept
    | Dropped
    | Refused
    | Connected
    | Disconnected
    | Welcomed
    | Admitted
    | Asked
    | Synced
    | Transmitted
    | Acked
    | Heard
    | Parted
    | Applied
    | Silenced
    | CacheReset
    | PageAsked
    | Paged
    | Filled
    | TurnedAway
    | Ordered
    | Answered
    | Listed
    | Learned
    | Tried
    | LetIn
    | KeptOut
)
_KINDS: Final[Mapping[str, type[Record]]] = {kind.__name__: kind for kind in Record.__args__}
_FIELDS: Final = {kind: {field.name for field in fields(kind)} for kind in Record.__args__}


def encode(record: Record) -> bytes:
    """A line of the file."""
    return json.dumps({"what": type(record).__name__, **asdict(record)}).encode() + b"\n"


def decode(line: bytes) -> Record:
    """What a line says."""
    content: dict[str, Any] = json.loads(line)
    kind = _KINDS[content.pop("what")]
    assert _FIELDS[kind] == content.keys()
    if "event" in content:
        content["event"] = Event(*content["event"])
    if "events" in content:
        content["events"] = [Event(*event) for event in content["events"]]
    return kind(**content)


@dataclass(frozen=True, slots=True)
class Records:
    """All that a client wrote down through all of its lives, read anew each time."""

    path: Path
    after: int = 0
    """Bytes to pass over."""

    def __iter__(self) -> Iterator[Record]:
        with self.path.open("rb") as file:
            file.seek(self.after)
            for line in file:
                # The last line may be on its way while its writer lives.
                if line.endswith(b"\n"):
                    yield decode(line)


class Recorder:
    """Appends to a file; whatever was recorded stays, even if the process is killed next."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add(self, record: Record) -> None:
        """Write one line, in one call: the kernel has all of it or nothing."""
        os.write(self._file, encode(record))
