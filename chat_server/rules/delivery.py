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

from chat_server.rules.effects import Effect, GoLive, ReadPage, WritePage
from chat_server.rules.inputs import PageRead
from chat_server.rules.sessions import Session
from chat_server.rules.tails import Tails


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
        return self._next(session)

    def fell_behind(self, session: Session, room: str, after: int) -> list[Effect]:
        """The I/O thread took the session out of the live ones of `room`: its outbox is full."""
        session.live.discard(room)
        session.cursors[room] = after
        session.writing = True
        return []

    def page(self, session: Session, read: PageRead) -> list[Effect]:
        """A page has been read. The one after it waits until this one is written."""
        session.reading = None
        session.cursors[read.room] = read.last
        if not read.frames:
            return self._next(session)
        session.writing = True
        return [WritePage(session.connection, read.frames), *self._next(session)]

    def drained(self, session: Session) -> list[Effect]:
        """The session can take more."""
        session.writing = False
        return self._next(session)

    def _next(self, session: Session) -> list[Effect]:
        """Go live wherever nothing is missing; read one page where something is.

        One page at a time for each session, whatever the number of its rooms: that bounds
        what it can make the server hold.
        """
        effects: list[Effect] = []
        for room, after in tuple(session.cursors.items()):
            if room == session.reading:
                continue  # also if its head was taken back meanwhile, so that nothing is missing
            head = self._head(room)
            if after < head:
                if session.reading is not None or session.writing:
                    continue
                missing = self.tails.between(room, after, head)
                if missing is None:
                    session.reading = room
                    effects.append(ReadPage(session.connection, room, after))
                    continue
                session.writing = True
                effects.append(WritePage(session.connection, missing))
            del session.cursors[room]
            session.live.add(room)
            effects.append(GoLive(session.connection, room))
        return effects
