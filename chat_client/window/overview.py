"""What the sidebar and the list of members show, kept from the client's news. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from chat_client.cache.pages import RoomSummary
from chat_client.state import news
from common.display_names import Namesakes
from common.events import Event
from common.names import GENERAL, direct_partner

Presence = Literal["online", "offline", "unknown"]
"""Whether somebody has a session. Without a connection nobody's presence is known."""
_ORDER: Final[dict[Presence, int]] = {"online": 0, "offline": 1, "unknown": 2}


@dataclass(frozen=True, slots=True)
class RoomItem:
    """A row of the sidebar; `partner` is the username of a direct conversation's other side.

    Only a partner has a `presence`, and a `handle` if the name alone does not tell who it is.
    """

    room: str
    label: str
    unread: int
    partner: str | None = None
    presence: Presence = "unknown"
    handle: str = ""


@dataclass(frozen=True, slots=True)
class MemberItem:
    """A row of the members' list. `handle` tells people of names that look the same apart."""

    username: str
    name: str
    label: str
    presence: Presence
    handle: str = ""
    is_moderator: bool = False


@dataclass(slots=True)
class Overview:
    """Rooms, people and what is unread. `me` is this account's username."""

    me: str
    names: dict[str, str] = field(default_factory=dict)
    moderators: set[str] = field(default_factory=set)
    online: set[str] = field(default_factory=set)
    _presence_known: bool = False
    """Whether the server has told on this connection who is online."""
    unread: dict[str, int] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)
    """The place in each room up to which `unread` counts."""
    _namesakes: Namesakes = field(default_factory=Namesakes)
    _renamed: set[str] = field(default_factory=set)

    def load(
        self, rooms: list[RoomSummary], people: dict[str, str], moderators: Iterable[str] = ()
    ) -> None:
        """Begin with what the cache has. Who is online only the server knows."""
        self.names = dict(people)
        self.moderators = set(moderators)
        self._forget_namesakes()
        for username, display_name in people.items():
            self._namesakes.put(username, display_name)
        self._renamed = set()
        self.unread.clear()
        self._counted.clear()
        self.count(rooms)
        self.offline()

    def count(self, rooms: Iterable[RoomSummary]) -> None:
        """Take over from the cache what is unread in these rooms."""
        for room in rooms:
            self.unread[room.room] = room.unread
            self._counted[room.room] = room.position

    def forget(self, rooms: Iterable[str]) -> None:
        """These rooms are fetched again from their beginnings."""
        for room in rooms:
            self.unread[room] = self._counted[room] = 0

    def hear_of_people(
        self,
        item: news.PersonSeen | news.PeopleForgotten | news.OnlineListed | news.PresenceSeen,
    ) -> None:
        """Who there is, and who of them is online, changed."""
        match item:
            case news.PersonSeen():
                username, name = item.person.username, item.person.display_name
                self.names[username] = name
                is_one = item.person.role == "moderator"
                (self.moderators.add if is_one else self.moderators.discard)(username)
                self._renamed |= self._namesakes.put(username, name)
            case news.PeopleForgotten():
                self.names.clear()
                self.moderators.clear()
                self._forget_namesakes()
            case news.OnlineListed():
                self.online = set(item.usernames)
                self._presence_known = True
            case news.PresenceSeen():
                (self.online.add if item.online else self.online.discard)(item.username)

    def _forget_namesakes(self) -> None:
        chat_name = self._namesakes.chat_name
        self._namesakes = Namesakes()
        self._namesakes.chat_name = chat_name

    def add_room(self, room: str) -> None:
        """A room is there."""
        self.unread.setdefault(room, 0)

    def add_events(
        self, room: str, events: tuple[Event, ...], *, seen: bool, read: int = 0
    ) -> None:
        """New events, which the person sees right now or not; up to `read` they were seen before.

        Those that were in the cache when it was loaded are counted already: the news of them
        may come later than they do.
        """
        counted = max(self._counted.get(room, 0), read)
        self._counted[room] = max(counted, events[-1].seq)
        count = sum(
            event.seq > counted and event.is_message and event.sender != self.me for event in events
        )
        self.unread[room] = 0 if seen else self.unread.get(room, 0) + count

    def skip(self, room: str, after: int, head: int) -> None:
        """Events after a place and up to another are on the server and not here: as good as unread.

        It is told anew on each connection until the newest of them are here.
        """
        counted = max(after, self._counted.get(room, 0))
        self.unread[room] = self.unread.get(room, 0) + max(0, head - counted)
        self._counted[room] = max(counted, head)

    def mark_read(self, room: str) -> None:
        """The person has seen everything in a room."""
        if room in self.unread:
            self.unread[room] = 0

    def offline(self) -> None:
        """Without a connection nobody's presence is known."""
        self.online.clear()
        self._presence_known = False

    def presence(self, username: str) -> Presence:
        """Whether somebody is online, as far as it is known now."""
        if not self._presence_known:
            return "unknown"
        return "online" if username in self.online else "offline"

    def name(self, username: str) -> str:
        """How somebody is called."""
        return self.names.get(username, username)

    def call_chat(self, name: str) -> None:
        """The chat has this name: whoever is called so, too, is told apart from it."""
        self._namesakes.chat_name = name

    def handle(self, username: str) -> str:
        """`@username` where the name alone does not tell who it is, else nothing."""
        return self._namesakes.handle(username)

    def full_name(self, username: str) -> str:
        """How somebody is called, with the handle if there is one."""
        return " ".join(filter(None, (self.name(username), self.handle(username))))

    def take_renamed(self) -> set[str]:
        """Whose name or handle changed since this was last asked."""
        renamed, self._renamed = self._renamed, set()
        return renamed

    def title(self, room: str) -> str:
        """What a room is called: its name, or the other person's."""
        partner = direct_partner(room, self.me)
        return room if partner is None else self.full_name(partner)

    @property
    def all_unread(self) -> int:
        """Unread messages in all rooms."""
        return sum(self.unread.values())

    def rooms(self) -> list[RoomItem]:
        """The rooms that are no direct conversations, the general one first."""
        rooms = [room for room in self.unread if direct_partner(room, self.me) is None]
        rooms.sort(key=lambda room: (room != GENERAL, room))
        return [RoomItem(room, room, self.unread[room]) for room in rooms]

    def direct(self) -> list[RoomItem]:
        """The direct conversations, in order of the other people's names."""
        found = [
            RoomItem(
                room,
                self.name(partner),
                count,
                partner,
                self.presence(partner),
                self.handle(partner),
            )
            for room, count in self.unread.items()
            if (partner := direct_partner(room, self.me)) is not None
        ]
        return sorted(found, key=lambda item: (item.label.casefold(), item.room))

    def may_moderate(self, username: str) -> bool:
        """Whether this account may do something to somebody, as far as it knows."""
        return self.me in self.moderators and username not in self.moderators

    def members(self, room: str) -> list[MemberItem]:
        """Who is in a room: by presence, those online first, then by name."""
        partner = direct_partner(room, self.me)
        usernames = list(self.names) if partner is None else [self.me, partner]
        items = [
            MemberItem(
                username,
                self.name(username),
                self.name(username) + (" (you)" if username == self.me else ""),
                self.presence(username),
                self.handle(username),
                username in self.moderators,
            )
            for username in usernames
        ]
        return sorted(items, key=lambda item: (_ORDER[item.presence], item.name.casefold()))
