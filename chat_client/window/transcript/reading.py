"""Which part of a room the message list holds, and where in it the reader is. Pure.

The list holds consecutive drawn events, and new ones that are not drawn yet. The position of the
reader is one of three states (`End`); the effects of new events, pages and scrolling are decided
here, and drawn elsewhere.
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
"""More new events than this at once are not drawn one by one: the latest page is."""


class End(Enum):
    """Where the newest message of the room is, seen from the reader."""

    FOLLOWED = auto()
    """In view, and the next one will be, too."""
    BELOW = auto()
    """Held, or will be in a moment, and further down than the view."""
    BEYOND = auto()
    """Not held: going down brings what is between."""


class Draw(Enum):
    """What to do with new events."""

    NOTHING = auto()
    APPEND = auto()
    """They follow those that are held."""
    LATEST = auto()
    """Hold the newest page instead: they are too many, or something is missing before them."""
    LEAVE = auto()
    """Somebody reads elsewhere, and there is no room: they are brought when one goes down."""


class Reading:
    """`on_end(bool)` is told when the newest message comes into view for good, or leaves it."""

    def __init__(self, on_end: Callable[[bool], object]) -> None:
        self.room: str | None = None
        self.me = ""
        """The username of who reads."""
        self.events = Held()
        self.fresh: list[Event] = []
        """New events that are not drawn yet."""
        self.unread: Unread | None = None
        """The line above what is new, if there is one."""
        self._end = End.FOLLOWED
        self._on_end = on_end

    @property
    def end(self) -> End:
        """Where the newest message is."""
        return self._end

    @property
    def follows(self) -> bool:
        """Whether the newest message is in view, and the next one will be, too."""
        return self._end is End.FOLLOWED

    @property
    def has_newer(self) -> bool:
        """Whether there are newer events than those that are held."""
        return self._end is End.BEYOND

    @property
    def newest(self) -> int:
        """The place of the last event that is drawn or will be in a moment; 0 for none."""
        return self.fresh[-1].seq if self.fresh else self.events.last

    def restart(self, *, more: bool) -> None:
        """Hold nothing: another part of the room is to be shown, with `more` behind it or not."""
        self.events.clear()
        self.fresh.clear()
        self.brought(more=more)

    def brought(self, *, more: bool) -> None:
        """What is held now reaches as far as the room does, but for `more`."""
        if more:
            self._go(End.BEYOND)
        elif self._end is End.BEYOND:
            self._go(End.BELOW)

    def see_end(self, in_view: bool) -> None:
        """The end of what is held is in view, or is not."""
        if self._end is not End.BEYOND:
            self._go(End.FOLLOWED if in_view else End.BELOW)

    def hear(self, events: Sequence[Event]) -> bool:
        """Take new events of the room; whether there is something to draw now."""
        if self._end is End.BEYOND:
            return False
        self.fresh += [event for event in events if event.seq > self.newest]
        return bool(self.fresh)

    def has_fresh_of(self, sender: str) -> bool:
        """Whether somebody's own words are among some new ones: they are drawn without delay."""
        fresh = self.fresh
        return len(fresh) <= BURST and any(event.sender == sender for event in fresh)

    def take_fresh(self, *, selecting: bool) -> tuple[Draw, Sequence[Event]]:
        """What to do with the new events, and those to append; afterwards there are none.

        While somebody is `selecting`, what is selected is not thrown away for new ones.
        """
        fresh, self.fresh = self.fresh, []
        if not fresh or self._end is End.BEYOND:
            return Draw.NOTHING, ()
        held = self.events
        few = len(fresh) <= BURST and len(fitting(fresh, newest=False)) == len(fresh)
        few = few and held.last in {0, fresh[0].seq - 1}  # else something is missing
        follows = self.follows and (few or not selecting)
        if few and (follows or held.has_room(fresh)):
            return Draw.APPEND, fresh
        if follows:
            return Draw.LATEST, ()
        self._go(End.BEYOND)
        return Draw.LEAVE, ()

    def drop_above(self, top: int) -> list[Event]:
        """Hold fewer old events, of which that at the index `top` is the first in view."""
        spare = len(self.events) - max(0, top - PAGE)
        return self.events.drop(self.events.excess(newest=False, spare=spare), newest=False)

    def drop_below(self, bottom: int | None) -> list[Event]:
        """Hold fewer new events, the newest first; that at the index `bottom` is the last in view.

        None if that is none of them.
        """
        spare = len(self.events) if bottom is None else bottom + 1 + PAGE
        dropped = self.events.drop(self.events.excess(newest=True, spare=spare), newest=True)
        if dropped:
            self._go(End.BEYOND)
        return dropped

    def _go(self, end: End) -> None:
        followed, self._end = self.follows, end
        if end is End.BEYOND:
            self.fresh.clear()  # They are brought with what is before them.
        if followed != self.follows:
            self._on_end(self.follows)
