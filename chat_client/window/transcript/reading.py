"""Which part of a room the message list holds, and where in it the reader is. Pure.

The list holds consecutive drawn events, and new ones that are not drawn yet. The reader's position
is one of three states (`End`). What new events, pages and scrolling change is decided here, and
drawn elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final

from chat_client.window.transcript.held import Held, fitting
from chat_client.window.transcript.timeline import Unread
from common.protocol.events import Event

PAGE: Final = 40
"""Events fetched at once, and kept beyond the view when others are dropped."""
BURST: Final = 60
"""Maximum number of new events drawn one by one; of more, the latest page is drawn instead."""


class End(Enum):
    """Where the newest message of the room is, relative to the view."""

    FOLLOWED = auto()
    """In view, and the list follows new messages."""
    BELOW = auto()
    """Held or about to be drawn, below the view."""
    BEYOND = auto()
    """Not held: scrolling down loads what is between."""


class Draw(Enum):
    """How new events are drawn."""

    NOTHING = auto()
    APPEND = auto()
    """Append them to those that are held."""
    LATEST = auto()
    """Hold the newest page instead: they are too many, or something is missing before them."""
    LEAVE = auto()
    """Don't draw them: the list is full and the reader elsewhere; scrolling down loads them."""


class Reading:
    """`on_end(bool)` is called when the list begins or ceases to follow the newest message."""

    def __init__(self, on_end: Callable[[bool], object]) -> None:
        self.room: str | None = None
        self.me = ""
        """The username of this account."""
        self.events = Held()
        self.fresh: list[Event] = []
        """New events that are not drawn yet."""
        self.unread: Unread | None = None
        """The line above the unread messages, if there is one."""
        self._end = End.FOLLOWED
        self._on_end = on_end

    @property
    def end(self) -> End:
        """Where the newest message is."""
        return self._end

    @property
    def follows(self) -> bool:
        """Whether the list follows the newest message."""
        return self._end is End.FOLLOWED

    @property
    def has_newer(self) -> bool:
        """Whether the room has newer events than those that are held or about to be drawn."""
        return self._end is End.BEYOND

    @property
    def newest(self) -> int:
        """The `seq` of the last event that is drawn or about to be; 0 for none."""
        return self.fresh[-1].seq if self.fresh else self.events.last

    def restart(self, *, more: bool) -> None:
        """Drop all events, for another part of the room; `more`: newer events exist after it."""
        self.events.clear()
        self.fresh.clear()
        self.brought(more=more)

    def brought(self, *, more: bool) -> None:
        """Record that the held events reach the end of the room, unless there are `more`."""
        if more:
            self._go(End.BEYOND)
        elif self._end is End.BEYOND:
            self._go(End.BELOW)

    def see_end(self, in_view: bool) -> None:
        """Record whether the end of the held events is in view."""
        if self._end is not End.BEYOND:
            self._go(End.FOLLOWED if in_view else End.BELOW)

    def hear(self, events: Sequence[Event]) -> bool:
        """Take new events of the room; returns whether there is something to draw now."""
        if self._end is End.BEYOND:
            return False
        self.fresh += [event for event in events if event.seq > self.newest]
        return bool(self.fresh)

    def has_fresh_of(self, sender: str) -> bool:
        """Whether few new events contain one of `sender`: these are drawn without delay."""
        fresh = self.fresh
        return len(fresh) <= BURST and any(event.sender == sender for event in fresh)

    def take_fresh(self, *, selecting: bool) -> tuple[Draw, Sequence[Event]]:
        """How to draw the new events, and those to append. Afterwards there are no new events.

        While the person is `selecting`, a selection is not deleted to make room for them.
        """
        fresh, self.fresh = self.fresh, []
        if not fresh or self._end is End.BEYOND:
            return Draw.NOTHING, ()
        held = self.events
        few = len(fresh) <= BURST and len(fitting(fresh, newest=False)) == len(fresh)
        few = few and held.last in {0, fresh[0].seq - 1}  # else events are missing between
        follows = self.follows and (few or not selecting)
        if few and (follows or held.has_room(fresh)):
            return Draw.APPEND, fresh
        if follows:
            return Draw.LATEST, ()
        self._go(End.BEYOND)
        return Draw.LEAVE, ()

    def drop_above(self, top: int) -> list[Event]:
        """Drop the oldest events beyond the limits; that at index `top` is the first in view."""
        spare = len(self.events) - max(0, top - PAGE)
        return self.events.drop(self.events.excess(newest=False, spare=spare), newest=False)

    def drop_below(self, bottom: int | None) -> list[Event]:
        """Drop the newest events beyond the limits; that at index `bottom` is the last in view.

        `bottom` is None if no event is in view. Returns those dropped, the newest first.
        """
        spare = len(self.events) if bottom is None else bottom + 1 + PAGE
        dropped = self.events.drop(self.events.excess(newest=True, spare=spare), newest=True)
        if dropped:
            self._go(End.BEYOND)
        return dropped

    def _go(self, end: End) -> None:
        followed, self._end = self.follows, end
        if end is End.BEYOND:
            self.fresh.clear()  # They are loaded with the events before them.
        if followed != self.follows:
            self._on_end(self.follows)
