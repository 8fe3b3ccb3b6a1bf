"""History on demand: fetched a page at a time, on one connection."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from chat_client.state import news
from chat_client.state.news import Wanted
from common import limits
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.codec import known_event
from common.protocol.events import Event

PAGE: Final = 100
"""Number of events in a page: about three screens."""


class Room(Protocol):
    """The state of the rooms on this connection."""

    def is_ready(self, room: str) -> bool:
        """Whether the cached events of a room were verified to be of the server's history."""

    def end(self, room: str) -> int:
        """The `seq` after which the server delivers the events."""

    def store_past(self, events: Sequence[Event], upto: int, *, newest: bool) -> None:
        """Store consecutive events; with `newest` they end where delivery starts."""


class History:
    """Asks for pages, one after the other, and has what comes stored. `ask` sends a command.

    What is wanted of a room waits until the room is ready: a page of another history than the copy
    is of must not get into it.
    """

    def __init__(
        self,
        rooms: Room,
        ask: Callable[..., object],
        tell: Callable[[news.News], object],
        fault: Callable[[Reason, float], object],
    ) -> None:
        self._rooms = rooms
        self._ask = ask
        self._tell = tell
        self._fault = fault
        self._wanted: deque[Wanted] = deque()
        self._asked: Wanted | None = None

    def forget(self) -> None:
        """The connection is gone: whoever wants something says so again when there is one."""
        self._wanted.clear()
        self._asked = None

    def want(self, wanted: Wanted, *, first: bool = True) -> None:
        """Queue a page for fetching, with `first` at the front of the queue. Idempotent."""
        if wanted == self._asked:
            return
        if wanted in self._wanted:
            self._wanted.remove(wanted)
        if first:
            self._wanted.appendleft(wanted)
        else:
            self._wanted.append(wanted)
        self.go_on()

    def waits_for_newest(self, room: str) -> bool:
        """Whether the newest page of a room is queued or requested."""
        return Wanted(room) == self._asked or Wanted(room) in self._wanted

    def asks_for_newest(self, asked: messages.History) -> bool:
        """Whether this command is for the newest page of a room."""
        return self._asked == Wanted(asked.room)

    def page(self, page: messages.HistoryPage, asked: messages.History, now: float) -> None:
        """A page has arrived."""
        if not self._answers(page, asked):
            self._fault(Reason("wrong_page"), now)
            return
        wanted, self._asked = self._asked, None
        if wanted is None:
            return
        # What is said now comes by itself. If it were taken from here, it would not be told as new.
        end = self._rooms.end(page.room)
        events = [_event(page.room, past) for past in page.events if past.seq <= end]
        if events:
            newest = wanted == Wanted(page.room)
            self._rooms.store_past(events, page.upto, newest=newest)
            places = (events[0].seq, events[-1].seq)
            self._tell(news.HistoryAdded(page.room, wanted, places))
        else:
            self._tell(news.HistoryAdded(page.room, wanted))
        self.go_on()

    def _answers(self, page: messages.HistoryPage, asked: messages.History) -> bool:
        """Whether the page answers the request and makes progress.

        Without progress the same page would be requested for ever.
        """
        places = [event.seq for event in page.events]
        if page.room != asked.room:
            return False
        if not places:
            return page.upto == 0 or asked.before == 1
        first, last = places[0], places[-1]
        if places != list(range(first, last + 1)) or last > page.upto:
            return False
        if asked.before is not None:
            return last == asked.before - 1
        if asked.around is not None and asked.around <= self._rooms.end(page.room):
            return first <= asked.around <= last
        return True

    def refused(self, asked: messages.History, reason: Reason, again: float | None) -> None:
        """A page can't be had: nobody waits for it any more. `again` is as in HistoryAdded."""
        wanted, self._asked = self._asked, None
        if wanted is not None:
            self._tell(news.HistoryAdded(asked.room, wanted, why=reason, again=again))
        self.go_on()

    def go_on(self) -> None:
        """Request the next page of the queue, if none is pending and its room is ready."""
        if self._asked is not None:
            return
        wanted = next((each for each in self._wanted if self._rooms.is_ready(each.room)), None)
        if wanted is None:
            return
        self._wanted.remove(wanted)
        self._asked = wanted
        before = wanted.before
        if wanted == Wanted(wanted.room):
            # The newest is what ends where the events begin that are brought. Behind the last place
            # that there can be is nothing, and it can't be named.
            end = self._rooms.end(wanted.room)
            before = end + 1 if end < limits.MAX_INTEGER else None
        self._ask(
            messages.History,
            room=wanted.room,
            before=before,
            around=wanted.around,
            at=wanted.at,
            count=PAGE,
        )


def _event(room: str, past: messages.PastEvent) -> Event:
    return known_event(
        Event(room, past.seq, past.kind, past.sender, past.sent_at, past.cid, past.body)
    )
