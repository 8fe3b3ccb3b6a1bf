"""Delivery: catching a session up from the log, and handing over to live events without a gap.

A session is in one of two states for each room that it synced. *Catching up*: it has a cursor,
and pages are read from the log and written to it one at a time, as fast as it reads. The
newest events are kept in memory (`tails`), so that most need no read.
*Live*: the I/O thread hands it each new event. It goes live only when its cursor stands at
the room's head, and the hub's effects reach the I/O thread in order, so between the last
page and the first live event there is neither a gap nor a duplicate. A session whose
send queue was full falls back to catching up from the last event it was handed.
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
"""Rooms per read: one by one, a session with 4,000 rooms would take seconds to catch up."""


class Delivery:
    """Moves sessions between catching up and live."""

    def __init__(self, head: Callable[[str], int]) -> None:
        self._head = head
        self.tails = Tails()

    def forget_tails(self) -> None:
        """Drop the tails: the log may not have these events any more."""
        self.tails = Tails()

    def start(self, session: Session, room: str, after: int) -> list[Effect]:
        """Start delivery of `room` after the position `after`. Idempotent."""
        if room in session.live or room in session.cursors:
            return []
        session.cursors[room] = after
        if after >= self._head(room):
            return [self._live(session, room)]
        return self._next(session)

    def fell_behind(self, session: Session, room: str, after: int) -> list[Effect]:
        """The I/O thread ended live delivery of `room`: the send queue is full."""
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
        """The send queue has space after `brought` pages; None if a later page is on its way.

        That happens when the session fell behind while that page was being read.
        """
        if brought != session.brought:
            return None
        session.writing = False
        return self._next(session)

    @staticmethod
    def _brings(session: Session) -> None:
        """Note that a page is being sent: no other follows until it is written."""
        session.writing = True
        session.brought += 1

    def _next(self, session: Session) -> list[Effect]:
        """The next page of the rooms that wait longest, if none is on its way.

        From the tails if they have it, else read by a worker. One page at a time per session,
        whatever the number of its rooms: that bounds the memory a session can claim.
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
        """The cursor is at the head: go live in this room."""
        del session.cursors[room]
        session.live.add(room)
        return GoLive(session.connection, room)
