"""Bringing a room to a session: from the log until it has everything, live from then on.

A session is in one of two states for each room it asked for. *Catching up*: it has a cursor,
and pages are read from the log and written to it one at a time, as fast as it takes them. What
was said last is at hand without reading.
*Live*: the I/O thread hands it each new event. It goes live only when its cursor stands at
the room's head, and the hub's effects reach the I/O thread in order, so between the last
page and the first live event there is neither a hole nor a repetition. A session whose
outbox was full falls back to catching up from the last event it was handed.
"""

from collections.abc import Callable
from itertools import islice
from typing import Final

from chat_server.rules.effects import Effect, GoLive, ReadPage, WriteEvents, WritePage
from chat_server.rules.inputs import PageRead
from chat_server.rules.sessions import Session
from chat_server.rules.tails import TAIL_BYTES, Tails, weight
from common.protocol.events import Event

ROOMS_AT_ONCE: Final = 64
"""Rooms that are looked at and read together: one after the other, 4,000 would take seconds."""


class Delivery:
    """Moves sessions between catching up and live."""

    def __init__(self, head: Callable[[str], int]) -> None:
        self._head = head
        self.tails = Tails()

    def forget_tails(self) -> None:
        """What was said last may not be in the log any more."""
        self.tails = Tails()

    def start(self, session: Session, room: str, after: int) -> list[Effect]:
        """The session has `room` up to `after` and wants what follows."""
        if room in session.live or room in session.cursors:
            return []
        session.cursors[room] = after
        if after >= self._head(room):
            return [self._live(session, room)]
        return self._next(session)

    def fell_behind(self, session: Session, room: str, after: int) -> list[Effect]:
        """The I/O thread took the session out of the live ones of `room`: its outbox is full."""
        session.live.discard(room)
        session.cursors[room] = after
        session.writing = True
        return []

    def page(self, session: Session, read: PageRead) -> list[Effect]:
        """A page has been read. The one after it waits until this one is written."""
        session.reading = False
        effects: list[Effect] = []
        if read.page is not None:
            self._brings(session)
            effects.append(WritePage(session.connection, read.page))
        for room, last in read.lasts:
            session.cursors[room] = last
            if last >= self._head(room):
                effects.append(self._live(session, room))
        return effects + self._next(session)

    def drained(self, session: Session, brought: int) -> list[Effect] | None:
        """The session has written so many pages and can take more; None if another is on its way.

        That happens when it had fallen behind while that page was being read.
        """
        if brought != session.brought:
            return None
        session.writing = False
        return self._next(session)

    @staticmethod
    def _brings(session: Session) -> None:
        """A page is on its way: nothing follows until it is written."""
        session.writing = True
        session.brought += 1

    def _next(self, session: Session) -> list[Effect]:
        """Bring what is missing in the rooms that wait longest, if nothing is on its way.

        What is at hand is written; what is not is read as one page. One at a time for each session,
        whatever the number of its rooms: that bounds what it can make the server hold.
        """
        if session.reading or session.writing:
            return []
        live: list[Effect] = []
        while session.cursors:
            at_hand: list[Event] = []
            size = 0
            unread: list[tuple[str, int]] = []
            for room, after in tuple(islice(session.cursors.items(), ROOMS_AT_ONCE)):
                head = self._head(room)
                missing = [] if after >= head else self.tails.between(room, after, head)
                if missing is None:
                    unread.append((room, after))
                elif size < TAIL_BYTES:
                    at_hand += missing
                    size += sum(map(weight, missing))
                    live.append(self._live(session, room))
            if at_hand:
                self._brings(session)
                return [WriteEvents(session.connection, tuple(at_hand)), *live]
            if unread:
                session.reading = True
                return [*live, ReadPage(session.connection, tuple(unread))]
        return live

    def _live(self, session: Session, room: str) -> Effect:
        """Nothing is missing there: it gets what is new from now on."""
        del session.cursors[room]
        session.live.add(room)
        return GoLive(session.connection, room)
