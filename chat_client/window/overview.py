"""The view model of the sidebar and the list of members, updated by the core's news. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, assert_never

from chat_client.cache.pages import RoomSummary
from chat_client.state import news
from chat_client.window.ordered import Keys, Ordered
from common.domain.display_names import Namesakes
from common.domain.mentions import Mention, Mentionable
from common.domain.names import FORMER_MEMBER, GENERAL, direct_partner
from common.protocol.events import Event

Presence = Literal["online", "offline", "unknown"]
"""Whether a person has a session; "unknown" without a connection."""
PRESENCES: Final[tuple[Presence, ...]] = ("online", "offline", "unknown")
"""The order of the groups of members."""
PRESENCE_TEXT: Final[dict[Presence, str]] = {
    "online": "Online",
    "offline": "Offline",
    "unknown": "Presence not known",
}


MOST_READ: Final = 256 * 1024
"""Maximum characters searched for mentions when a room's count is read from the cache: without a
limit, texts that nearly mention this account could slow down the start."""


@dataclass(frozen=True, slots=True)
class RoomItem:
    """A row of the sidebar; `partner` is the username of a direct conversation's other side.

    Only a partner has a `presence`, and a `handle` if their display name is not unique.
    """

    room: str
    label: str
    unread: int
    partner: str | None = None
    presence: Presence = "unknown"
    handle: str = ""
    mentions: int = 0
    """Number of unread messages that mention this account."""


@dataclass(frozen=True, slots=True)
class MemberItem:
    """A row of the list of members. `handle` distinguishes people whose names look the same."""

    username: str
    name: str
    label: str
    presence: Presence
    handle: str = ""
    is_moderator: bool = False


class Overview:
    """Rooms, people and unread counts. `me` is this account's username.

    Rows are computed on demand, one by one: nothing here iterates over all people except a new
    connection, which changes everyone's presence.
    """

    def __init__(self, me: str) -> None:
        self.me = me
        self.names: dict[str, str] = {}
        self.former: set[str] = set()
        """Those whose accounts were deleted: none of them is among `names`."""
        self.moderators: set[str] = set()
        self.online: set[str] = set()
        self._presence_known = False
        """Whether the server has listed who is online on this connection."""
        self.unread: dict[str, int] = {}
        self.mentions: dict[str, int] = {}
        """Room → number of unread messages that mention this account."""
        self._everyone: Mentionable | None = None
        """Who can be mentioned; None until a text is searched for mentions."""
        self._counted: dict[str, int] = {}
        """Room → `seq` of the last event that `unread` counts."""
        self._namesakes = Namesakes()
        self._renamed: set[str] = set()
        self._people: dict[Presence, Ordered] = {presence: Ordered() for presence in PRESENCES}
        self._rooms = Ordered()
        self._direct = Ordered()
        self._direct_with: dict[str, str] = {}
        """Username → room of the direct conversation with that person, if there is one."""
        self._member_items: dict[str, MemberItem] = {}
        self._room_items: dict[str, RoomItem] = {}
        """Room → its current row, if it was requested since it last changed."""
        self.people_changes = 0
        """Counter of changes of the list of members."""
        self.room_changes = 0
        """Counter of changes of the rooms and direct conversations."""

    def load(
        self,
        rooms: list[RoomSummary],
        people: dict[str, str],
        moderators: Iterable[str] = (),
        former: Iterable[str] = (),
    ) -> None:
        """Initialize from the cache, which does not know who is online."""
        self.former = set(former)
        people = {each: name for each, name in people.items() if each not in self.former}
        self.names = dict(people)
        self.moderators = set(moderators)
        self._forget_namesakes()
        for username, display_name in people.items():
            self._namesakes.put(username, display_name)
        self._renamed = set()
        self._everyone = None
        self.unread.clear()
        self.mentions.clear()
        self._counted.clear()
        self._rooms.fill(())
        self._direct.fill(())
        self._direct_with.clear()
        self.count(rooms)
        self.offline()

    def count(self, rooms: Iterable[RoomSummary]) -> None:
        """Set the unread counts of these rooms to those of the cache."""
        for room in rooms:
            self._set_unread(room.room, room.unread)
            self._counted[room.room] = room.position

    def forget(self, rooms: Iterable[str]) -> None:
        """Reset these rooms, which are fetched again from the beginning."""
        for room in rooms:
            self.set_mentions(room, 0)
            self._set_unread(room, 0)
            self._counted[room] = 0

    def hear_of_people(
        self,
        item: news.PersonSeen | news.PeopleForgotten | news.OnlineListed | news.PresenceSeen,
    ) -> None:
        """Update people, and who of them is online."""
        match item:
            case news.PersonSeen() if item.person.former:
                self._left(item.person.username)
            case news.PersonSeen():
                self.former.discard(item.person.username)
                username, name = item.person.username, item.person.display_name
                self.names[username] = name
                if self._everyone is not None:
                    self._everyone.put(username, name)
                is_one = item.person.role == "moderator"
                (self.moderators.add if is_one else self.moderators.discard)(username)
                affected = self._namesakes.put(username, name)
                self._renamed |= affected
                self._place(username)
                for each in affected | {username}:
                    self._person_changed(each)
            case news.PeopleForgotten():
                self.names.clear()
                self.former.clear()
                self._everyone = None
                self.moderators &= {self.me}  # the own role is known from the sign-in
                self._forget_namesakes()
                self._place_all()
            case news.OnlineListed():
                self.online = set(item.usernames)
                self._presence_known = True
                self._place_all()
            case news.PresenceSeen():
                (self.online.add if item.online else self.online.discard)(item.username)
                self._place(item.username)
                self._person_changed(item.username)
            case _:
                assert_never(item)

    def _left(self, username: str) -> None:
        """Somebody's account was deleted: only what they said, or where they did, is left."""
        self.former.add(username)
        self.names.pop(username, None)
        self.moderators.discard(username)
        self.online.discard(username)
        if self._everyone is not None:
            self._everyone.discard(username)
        affected = self._namesakes.remove(username) | {username}
        self._renamed |= affected
        for people in self._people.values():
            people.discard(username)
        for each in affected:
            self._person_changed(each)

    def mentions_in(self, text: str) -> Sequence[Mention]:
        """The mentions of people in a text."""
        return self._mentionable.mentions(text, self.me) if _has_sign(text) else []

    def mentions_me(self, text: str) -> bool:
        """Whether a text mentions this account."""
        return _has_sign(text) and self._mentionable.mentions_person(text, self.me)

    def count_mentions(self, texts: Iterable[str]) -> int:
        """The number of texts that mention this account, within `MOST_READ` characters in all.

        Texts without the account's names cost nearly nothing and do not count towards the limit.
        """
        found, left = 0, MOST_READ
        for text in texts:
            if left > 0 and _has_sign(text) and self._mentionable.has_name(text, self.me):
                left -= len(text)
                found += self._mentionable.mentions_person(text, self.me)
        return found

    @property
    def _mentionable(self) -> Mentionable:
        """All people: whom a mention means depends on everyone's names."""
        if self._everyone is None:
            self._everyone = Mentionable(self.names.items())
            self._everyone.put(self.me, self.name(self.me))
        return self._everyone

    def set_mentions(self, room: str, count: int) -> None:
        """Set how many of a room's unread messages mention this account."""
        if self.mentions.get(room, 0) != count:
            self.mentions[room] = count
            self._room_changed(room)

    def hear_of_role(self, role: str) -> None:
        """Set the role of this account from its sign-in; the account may not be in `people` yet."""
        (self.moderators.add if role == "moderator" else self.moderators.discard)(self.me)
        self._person_changed(self.me)

    def _place(self, username: str) -> None:
        """Update a person's position in the order of members."""
        if username in self.names:
            presence = self.presence(username)
            for other, people in self._people.items():
                if other != presence:
                    people.discard(username)
            self._people[presence].put(username, self.name(username).casefold())

    def _place_all(self) -> None:
        """Update everyone's position in the order of members."""
        placed: dict[Presence, list[tuple[str, str]]] = {each: [] for each in PRESENCES}
        for username, name in self.names.items():
            placed[self.presence(username)].append((name.casefold(), username))
        for presence, people in placed.items():
            self._people[presence].fill(people)
        self._direct.fill([(self._sorts_by(room), room) for room in self._direct])
        self._all_changed()

    def _all_changed(self) -> None:
        """Invalidate all rows."""
        self._member_items.clear()
        self._room_items.clear()
        self.people_changes += 1
        self.room_changes += 1

    def _person_changed(self, username: str) -> None:
        """Invalidate a person's row, and that of the direct conversation with them."""
        self._member_items.pop(username, None)
        self.people_changes += 1
        room = self._direct_with.get(username)
        if room is not None:
            self._direct.put(room, self._sorts_by(room))
            self._room_changed(room)

    def _room_changed(self, room: str) -> None:
        """Invalidate the row of a room."""
        self._room_items.pop(room, None)
        self.room_changes += 1

    def _sorts_by(self, room: str) -> str:
        """The sort key of a direct conversation."""
        return self.name(direct_partner(room, self.me) or "").casefold()

    def _set_unread(self, room: str, count: int) -> None:
        """Set the unread count of a room, which is added if it is new."""
        if room not in self.unread:
            partner = direct_partner(room, self.me)
            if partner is None:
                self._rooms.put(room, (room != GENERAL, room))
            else:
                self._direct_with[partner] = room
                self._direct.put(room, self._sorts_by(room))
        elif self.unread[room] == count:
            return
        self.unread[room] = count
        self._room_changed(room)

    def _forget_namesakes(self) -> None:
        chat_name = self._namesakes.chat_name
        self._namesakes = Namesakes()
        self._namesakes.chat_name = chat_name

    def add_room(self, room: str) -> None:
        """Add a room, unless it is known."""
        self._set_unread(room, self.unread.get(room, 0))

    def add_events(
        self, room: str, events: tuple[Event, ...], *, seen: bool, read: int = 0
    ) -> None:
        """Count new events, which the person is reading or not; the room is read up to `read`.

        Those that were in the cache when the counts were loaded are counted already: their news may
        arrive afterwards.
        """
        counted = self._counted.get(room, 0)
        if seen or read > counted:
            self.mark_read(room)
        counted = max(counted, read)
        self._counted[room] = max(counted, events[-1].seq)
        if seen:
            return
        fresh = [
            event
            for event in events
            if event.seq > counted and event.is_message and event.sender != self.me
        ]
        mentions = sum(self.mentions_me(event.text) for event in fresh)
        self.set_mentions(room, self.mentions.get(room, 0) + mentions)
        self._set_unread(room, self.unread.get(room, 0) + len(fresh))

    def skip(self, room: str, after: int, head: int) -> None:
        """Count the events after `after` up to `head`, which only the server has, as unread.

        This is reported on each connection until the newest of them are cached.
        """
        counted = max(after, self._counted.get(room, 0))
        self._set_unread(room, self.unread.get(room, 0) + max(0, head - counted))
        self._counted[room] = max(counted, head)

    def mark_read(self, room: str) -> None:
        """Mark everything in a room as read."""
        self.set_mentions(room, 0)
        if room in self.unread:
            self._set_unread(room, 0)

    def offline(self) -> None:
        """Set everyone's presence to "unknown", as there is no connection."""
        self.online.clear()
        self._presence_known = False
        self._place_all()

    def presence(self, username: str) -> Presence:
        """A person's presence."""
        if not self._presence_known:
            return "unknown"
        return "online" if username in self.online else "offline"

    def name(self, username: str) -> str:
        """The display name of a person."""
        if username in self.former:
            return FORMER_MEMBER
        return self.names.get(username, username)

    def call_chat(self, name: str) -> None:
        """Set the chat's name, from which a person with the same name is distinguished."""
        if name != self._namesakes.chat_name:
            self._namesakes.chat_name = name
            self._all_changed()

    def handle(self, username: str) -> str:
        """`@username` if the display name is not unique, else ""."""
        return self._namesakes.handle(username)

    def full_name(self, username: str) -> str:
        """The display name, with the handle if there is one."""
        return " ".join(filter(None, (self.name(username), self.handle(username))))

    def take_renamed(self) -> set[str]:
        """Usernames of those whose name or handle has changed since the last call."""
        renamed, self._renamed = self._renamed, set()
        return renamed

    def title(self, room: str) -> str:
        """The title of a room: its name, or the other person's."""
        partner = direct_partner(room, self.me)
        return room if partner is None else self.full_name(partner)

    @property
    def all_unread(self) -> int:
        """Number of unread messages in all rooms."""
        return sum(self.unread.values())

    def rooms(self) -> list[RoomItem]:
        """The rooms that are no direct conversations, the general one first."""
        return list(map(self.room, self._rooms))

    def direct(self) -> list[RoomItem]:
        """The direct conversations, in order of the other people's names."""
        return list(map(self.room, self._direct))

    def room_keys(self) -> tuple[Keys, Keys]:
        """Rooms, and direct conversations, each in the order shown."""
        return self._rooms.snapshot(), self._direct.snapshot()

    def room(self, room: str) -> RoomItem:
        """The row of a room."""
        item = self._room_items.get(room)
        if item is None:
            item = self._room_items[room] = self._make_room(room)
        return item

    def _make_room(self, room: str) -> RoomItem:
        count = self.unread.get(room, 0)
        partner = direct_partner(room, self.me)
        if partner is None:
            return RoomItem(room, room, count, mentions=self.mentions.get(room, 0))
        name, handle = self.name(partner), self.handle(partner)
        return RoomItem(room, name, count, partner, self.presence(partner), handle)

    @property
    def is_moderator(self) -> bool:
        """Whether this account is a moderator, as far as it knows."""
        return self.me in self.moderators

    def may_moderate(self, username: str) -> bool:
        """Whether this account may moderate a person, as far as it knows."""
        gone = username in self.former
        return self.is_moderator and username not in self.moderators and not gone

    def members(self, room: str) -> list[MemberItem]:
        """The members of a room, by presence (`PRESENCES`), then by name."""
        return [self.member(each) for keys in self.member_keys(room).values() for each in keys]

    def member_keys(self, room: str) -> dict[Presence, Keys]:
        """Presence, in the order of `PRESENCES` → usernames of the members, in order of names."""
        partner = direct_partner(room, self.me)
        if partner is None:
            return {presence: people.snapshot() for presence, people in self._people.items()}
        both = {presence: Ordered() for presence in PRESENCES}
        for username in (self.me, partner):
            both[self.presence(username)].put(username, self.name(username).casefold())
        return {presence: people.snapshot() for presence, people in both.items()}

    def count_members(self, room: str) -> int:
        """Number of people in a room."""
        return len(self.names) if direct_partner(room, self.me) is None else 2

    def member(self, username: str) -> MemberItem:
        """The row of a member."""
        item = self._member_items.get(username)
        if item is None:
            item = self._member_items[username] = self._make_member(username)
        return item

    def _make_member(self, username: str) -> MemberItem:
        name = self.name(username)
        return MemberItem(
            username,
            name,
            name + (" (you)" if username == self.me else ""),
            self.presence(username),
            self.handle(username),
            username in self.moderators,
        )


def _has_sign(text: str) -> bool:
    """Whether a text may contain a mention; a quick test, as most texts don't."""
    return "@" in text or "\uff20" in text
