"""Rooms: listing them, delivery of new events (`sync`), pages of history, and slow mode."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from common import limits
from common.protocol.messages.base import (
    Cid,
    Code,
    Command,
    FromServer,
    Position,
    Reply,
    RoomId,
    Seq,
    Time,
    line,
)
from common.protocol.messages.events import PastEvent


class Sync(Command):
    """Starts delivery in the named rooms, after the given positions.

    `last` tells by `cid` which event the client has in the place of a position that is not 0: it
    may be of another time of this server, with the same epoch. Where more than `most` events are
    missing, delivery starts at the head instead: `history` brings the others, as they are wanted.
    """

    type: Literal["sync"] = "sync"
    positions: Annotated[dict[RoomId, Position], Field(min_length=1, max_length=limits.POSITIONS)]
    last: Annotated[dict[RoomId, Cid], Field(max_length=limits.POSITIONS)] = {}  # noqa: RUF012 (copied)

    most: Position | None = None

    @field_validator("last")
    @classmethod
    def _at_a_position(cls, last: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        positions = info.data.get("positions")  # Not there when they are wrong themselves.
        if positions is not None and not all(positions.get(room) for room in last):
            why = "a room of last needs a position of at least 1"
            raise PydanticCustomError("no_position", why)
        return last


class Synced(Reply):
    """Answers `sync`: where each named room stands now, whose events follow; or why they don't.

    Of those in `skipped` the events that follow are those after the head.
    """

    type: Literal["synced"] = "synced"
    heads: Annotated[dict[RoomId, Position], Field(max_length=limits.POSITIONS)]
    skipped: Annotated[tuple[RoomId, ...], Field(max_length=limits.POSITIONS)]
    refused: Annotated[dict[RoomId, Code], Field(max_length=limits.POSITIONS)]


class History(Command):
    """Asks for events of a room: before or after a place, or around a place or a time.

    With none of these, for the newest.
    """

    type: Literal["history"] = "history"
    room: RoomId
    before: Seq | None = None
    after: Position | None = None
    around: Seq | None = None
    at: Time | None = None
    count: Annotated[int, Field(ge=1, le=limits.PAGE_HISTORY)]

    @model_validator(mode="after")
    def _one_at_most(self) -> Self:
        places = (self.before, self.after, self.around, self.at)
        if sum(each is not None for each in places) > 1:
            why = "only one of before, after, around and at can be given"
            raise PydanticCustomError("one_of", why)
        return self


class HistoryPage(Reply):
    """Answers `history`: consecutive events, as they are once all up to `upto` are applied.

    A later event changes one of them only if its place is after `upto`. `older` tells that there
    are events before these, `newer` that there are some after them.
    """

    type: Literal["history"] = "history"
    room: RoomId
    events: Annotated[tuple[PastEvent, ...], Field(max_length=limits.PAGE_HISTORY)]
    upto: Position
    older: bool
    newer: bool


Slow = Annotated[int, Field(ge=0, le=limits.MAX_SLOW)]
"""Seconds between two messages of one member in a room with slow mode; 0 without it."""


class ListRooms(Command):
    """Asks for the rooms this account is a member of in order of id, after the one named."""

    type: Literal["list_rooms"] = "list_rooms"
    after: RoomId | None = None


class Room(FromServer):
    """A room and its head: the `seq` of its newest event, 0 for none.

    `kind` is `public` or `direct`, which a client may find to be another; `title` is how it is
    called where that is not its id. With `slow` it is in slow mode: see Slow.
    """

    room: RoomId
    kind: Code
    title: Annotated[str, line(limits.TITLE_LENGTH)] | None
    head: Position
    slow: Slow = 0


class Rooms(Reply):
    """A page of rooms; `more` says that another one follows the last."""

    type: Literal["rooms"] = "rooms"
    rooms: Annotated[tuple[Room, ...], Field(max_length=limits.PAGE_ROOMS)]
    more: bool


class RoomAdded(FromServer):
    """This account is now a member of a room; `sync` it to get its events."""

    type: Literal["room"] = "room"
    room: Room


class RoomChanged(FromServer):
    """A room of this account has changed, such as its slow mode."""

    type: Literal["room_changed"] = "room_changed"
    room: Room


class SetSlowMode(Command):
    """Puts a room into slow mode: a member may send a message there once in so many seconds.

    0 ends it. It does not hold for moderators.
    """

    type: Literal["set_slow_mode"] = "set_slow_mode"
    room: RoomId
    seconds: Slow
