"""What was said before, fetched as it is wanted: a page at a time, on one connection."""

from collections import deque
from collections.abc import Callable
from typing import Final

from chat_client.cache.cache import Cache
from chat_client.state import news
from chat_client.state.news import Wanted
from common import messages
from common.events import Event
from common.protocol import known_event
from common.reasons import Reason

PAGE: Final = 100
"""Events of a page: some three screens."""


class History:
    """Asks for pages, one after the other, and keeps what comes. `ask` sends a command."""

    def __init__(
        self,
        cache: Cache,
        ask: Callable[..., object],
        tell: Callable[[news.News], object],
        fault: Callable[[Reason, float], object],
    ) -> None:
        self._cache = cache
        self._ask = ask
        self._tell = tell
        self._fault = fault
        self._wanted: deque[Wanted] = deque()
        self._asked: Wanted | None = None

    def forget(self) -> None:
        """The connection is another one: whoever wants something says so again."""
        self._wanted.clear()
        self._asked = None

    def want(self, wanted: Wanted, *, first: bool = True) -> None:
        """Have a page fetched, `first` before those that wait already; once, however often."""
        if wanted == self._asked:
            return
        if wanted in self._wanted:
            self._wanted.remove(wanted)
        if first:
            self._wanted.appendleft(wanted)
        else:
            self._wanted.append(wanted)
        self._go_on()

    def page(self, page: messages.HistoryPage, asked: messages.History, now: float) -> None:
        """A page came."""
        places = [event.seq for event in page.events]
        if page.room != asked.room or places != list(range(*_ends(places))):
            self._fault(Reason("gap"), now)
            return
        events = [_event(page.room, past) for past in page.events]
        wanted, self._asked = self._asked, None
        if events:
            self._cache.add_past(events, page.upto)
        if wanted is not None:
            self._tell(news.HistoryAdded(page.room, wanted, tuple(places[:1] + places[-1:])))
        self._go_on()

    def refused(self, asked: messages.History) -> None:
        """A page can't be had: nobody waits for it any more."""
        wanted, self._asked = self._asked, None
        if wanted is not None:
            self._tell(news.HistoryAdded(asked.room, wanted, ()))
        self._go_on()

    def _go_on(self) -> None:
        if self._asked is None and self._wanted:
            self._asked = wanted = self._wanted.popleft()
            self._ask(
                messages.History,
                room=wanted.room,
                before=wanted.before,
                around=wanted.around,
                at=wanted.at,
                count=PAGE,
            )


def _ends(places: list[int]) -> tuple[int, int]:
    return (places[0], places[-1] + 1) if places else (0, 0)


def _event(room: str, past: messages.PastEvent) -> Event:
    return known_event(
        Event(room, past.seq, past.kind, past.sender, past.sent_at, past.cid, past.body)
    )
