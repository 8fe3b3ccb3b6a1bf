"""People, presence and rooms: listed after each sign-in, and kept up to date by pushes."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

from chat_client.cache.cache import Cache
from chat_client.state import news
from common.domain.reasons import Reason
from common.protocol import messages

MOST_PAGES: Final = 1000
"""Pages of all lists that are asked for on one connection."""


class Directory:
    """Lists people, presence and rooms page by page, and stores them.

    `ask` sends a command. `fault` ends a connection whose server violates the protocol. `listed` is
    called with the rooms of each page, and with True after the last one.
    """

    def __init__(
        self,
        cache: Cache,
        ask: Callable[..., object],
        tell: Callable[[news.News], object],
        fault: Callable[[Reason, float], object],
        listed: Callable[[Sequence[str], bool, float], object],
    ) -> None:
        self._cache = cache
        self._ask = ask
        self._tell = tell
        self._fault = fault
        self._listed = listed
        self._pages = 0
        self._people_listed = False
        """Whether the list of people is complete: from then on pushes tell of each change."""
        self._pushed: dict[str, messages.Person] = {}
        """By username, the pushes that arrived before that."""
        self._changes: dict[str, int] = {}
        """By username, the number of the newest change received on this connection."""
        self._online: set[str] = set()

    def begin(self) -> None:
        """A session was admitted."""
        self._pages = 0
        self._people_listed = False
        self._pushed.clear()
        self._changes.clear()
        self._online.clear()
        self._ask(messages.ListPeople, since=self._cache.people.change())

    def people(self, people: messages.People, asked: messages.ListPeople, now: float) -> None:
        """A page of the people who changed since the last listing, or of all."""
        begins_anew = people.since == 0 and self._pages == 0
        if people.since != asked.since and not begins_anew:
            self._fault(Reason("list_middle"), now)
            return
        if people.since != asked.since:
            # It knows nothing of the change up to which they are known here: another history.
            self._cache.people.forget()
            self._tell(news.PeopleForgotten())
            # But what came on this connection is of this history, and may be newer than the list.
            self._changes.clear()
            for person in self._pushed.values():
                self._see(person)
        changes = [people.since]
        for person in people.people:
            self._see(person)
            changes.append(person.change)
        if not people.more:
            self._cache.people.set_change(changes[-1])
            self._people_listed = True
            self._pushed.clear()
            self._ask(messages.ListOnline)
        elif self._advances(changes, now):
            self._ask(messages.ListPeople, since=changes[-1])

    def online(self, online: messages.Online, asked: messages.ListOnline, now: float) -> None:
        """A page of those who are online."""
        self._online.update(online.online)
        if not online.more:
            self._tell(news.OnlineListed(frozenset(self._online)))
            self._ask(messages.ListRooms)
        elif self._advances([asked.after or "", *online.online], now):
            self._ask(messages.ListOnline, after=online.online[-1])

    def rooms(self, rooms: messages.Rooms, asked: messages.ListRooms, now: float) -> None:
        """A page of the account's rooms."""
        listed = [room.room for room in rooms.rooms]
        self._listed(listed, not rooms.more, now)
        if rooms.more and self._advances([asked.after or "", *listed], now):
            self._ask(messages.ListRooms, after=listed[-1])

    def person_changed(self, changed: messages.PersonChanged, _now: float) -> bool:
        """A push about a new or changed person; False if a newer change was known."""
        person = changed.person
        if not self._see(person):
            return False
        if not self._people_listed:
            self._pushed[person.username] = person
        elif person.change > self._cache.people.change():
            self._cache.people.set_change(person.change)
        return True

    def presence_changed(self, changed: messages.PresenceChanged, _now: float) -> None:
        """A push about presence; it may arrive between pages that are older."""
        (self._online.add if changed.online else self._online.discard)(changed.username)
        self._tell(news.PresenceSeen(changed.username, changed.online))

    def _see(self, person: messages.Person) -> bool:
        """Store and report a person; returns False if a newer change is known.

        Pages and pushes may overtake each other.
        """
        if person.change < self._changes.get(person.username, 0):
            return False
        self._changes[person.username] = person.change
        self._cache.people.add(person)
        self._tell(news.PersonSeen(person))
        # Those who missed the event about it, in a gap, are told by this.
        if person.erased and self._cache.erasure.add(person.username):
            self._tell(news.MessagesErased(person.username))
        return True

    def _advances(self, listed: Sequence[Any], now: float) -> bool:
        """Whether the page makes progress; a list without an end is a fault.

        `listed` starts with the cursor that the page follows.
        """
        self._pages += 1
        rises = all(before < after for before, after in pairwise(listed))
        if rises and len(listed) > 1 and self._pages < MOST_PAGES:
            return True
        self._fault(Reason("endless_list"), now)
        return False
