"""An event of a room as this program has it: come from the server, or kept in the cache.

The server's are the models of common/messages.py, which take long to load. What is read from
the cache is shown before that, so it is of a lighter kind, and both look the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from common.messages import EventKind


class Event(Protocol):
    """One place in a room's log."""

    @property
    def room(self) -> str:
        """The room it is in."""

    @property
    def seq(self) -> int:
        """Its place there: 1, 2, 3, … without a gap."""

    @property
    def kind(self) -> EventKind:
        """What happened."""

    @property
    def sender(self) -> str:
        """The username of who did it."""

    @property
    def text(self) -> str:
        """What was said."""

    @property
    def sent_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC, by the server's clock."""

    @property
    def cid(self) -> str | None:
        """The sender's own number of a message."""


class KeptEvent(NamedTuple):
    """An event read from the cache, valid since it was when it was stored."""

    room: str
    seq: int
    kind: EventKind
    sender: str
    text: str
    sent_at: int
    cid: str | None
