"""A client's controller with its real cache, and a server's end that says what a test wants."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import ClassVar, TypeVar

from chat_client.cache.cache import Cache
from chat_client.state import news
from chat_client.state.account import Account
from chat_client.state.admission import ClientInfo
from chat_client.state.backoff import Backoff
from chat_client.state.controller import Controller
from common import limits
from common.domain.invite import Invite
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.codec import ServerEnd, Violation
from common.protocol.events import Event
from common.protocol.messages import EventMessage, ToClient, ToServer
from tests.events import cid_of, message, said

INVITE = Invite(("192.0.2.7",), 12345, bytes(32), "s" * 22, "Home")
EPOCH = "e" * 32
SENT_AT = 1_700_000_000_000

_NOTHING: Mapping[str, str] = {}

Kind = TypeVar("Kind", bound=object)


def cid(number: int) -> str:
    """The id of the message that was written as number so-and-so."""
    return cid_of(number)


def event(seq: int, room: str = "general", sender: str = "bob", own: str | None = None) -> Event:
    """A message as the server tells it."""
    return said(seq, sender, f"{room} {seq}", room=room, sent_at=SENT_AT, cid=own or f"f{seq:015d}")


def on_wire(event: Event) -> EventMessage:
    """An event as the server sends it."""
    return EventMessage(**event._asdict())


def room_of(room: str, head: int) -> messages.Room:
    """A room as the server lists it."""
    kind = "direct" if room.startswith("dm:") else "public"
    return messages.Room(room=room, kind=kind, title=None, head=head)


def synced(
    sync: messages.Sync, refused: Mapping[str, str] = _NOTHING, **heads: int
) -> messages.Synced:
    """The answer to a `sync`: each room has its position for its head if no other is named."""
    rest = {room: seq for room, seq in sync.positions.items() if room not in refused}
    return messages.Synced(re=sync.id, heads={**rest, **heads}, skipped=(), refused=dict(refused))


def skipping(sync: messages.Sync, **heads: int) -> messages.Synced:
    """The same, with these rooms begun at their heads as too much is missing."""
    return synced(sync, {}, **heads).model_copy(update={"skipped": tuple(heads)})


def page(
    asked: messages.History, first: int, last: int, upto: int, events: Sequence[Event] = ()
) -> messages.HistoryPage:
    """The answer to a `history`: these events, or messages from one place to another."""
    found = events or [event(seq, asked.room) for seq in range(first, last + 1)]
    return messages.HistoryPage(
        re=asked.id,
        room=asked.room,
        events=tuple(_past(each) for each in found),
        upto=upto,
        older=first > 1,
        newer=last < upto,
    )


def _past(event: Event) -> messages.PastEvent:
    fields = {name: value for name, value in event._asdict().items() if name != "room"}
    return messages.PastEvent(**fields)


class Desk:
    """Everything a controller needs, driven as the core drives it: each step in a transaction."""

    made: ClassVar[list[Desk]] = []
    """Every desk of the present test, to be closed after it."""

    def __init__(
        self,
        *,
        joined: bool = True,
        invite: Invite = INVITE,
        cache: Cache | None = None,
        follow: Collection[str] | None = None,
        on_event: Callable[[Event], bool] | None = None,
        at_once: int = 1,
        on_demand: bool = False,
    ) -> None:
        self.cache = cache or Cache(None)
        self.made.append(self)
        self.now = 1000.0
        self.server = ServerEnd()
        self.news: list[news.News] = []
        ids = itertools.count(1)
        self.controller = Controller(
            Account(invite, "ada", "Ada", "1" * 64, joined, installation="2" * 32),
            self.cache,
            ClientInfo("ChatClient", "Linux"),
            Backoff(lambda: 0.0),
            lambda: cid(next(ids)),
            follow=follow,
            on_event=on_event,
            at_once=at_once,
            on_demand=on_demand,
        )

    def step(self, action: Callable[[], object]) -> list[ToServer]:
        """Do something as the core does; the commands it led to."""
        with self.cache.transaction():
            action()
        frames = self.controller.take_frames()
        self.news += self.controller.take_news()
        return self.understood(frames)

    def understood(self, frames: bytes) -> list[ToServer]:
        """The commands in what the client transmits, each at its time."""
        commands: list[ToServer] = []
        for item in self.server.receive(frames):
            assert not isinstance(item, Violation), item
            commands.append(item)
        return commands

    def connect(self) -> list[ToServer]:
        """A connection stands."""
        self.server = ServerEnd()
        return self.step(lambda: self.controller.connected(self.now))

    def hear(self, *said: ToClient | Event) -> list[ToServer]:
        """The server says something, all of it in one read."""
        wire = (on_wire(each) if isinstance(each, Event) else each for each in said)
        data = b"".join(map(self.server.send, wire))
        return self.step(lambda: self.controller.received(data, self.now))

    def wait(self, seconds: float) -> list[ToServer]:
        """Time passes."""
        self.now += seconds
        return self.step(lambda: self.controller.tick(self.now))

    def say(self, text: str, room: str = "general") -> list[ToServer]:
        """The person writes a message; the core ticks after that."""

        def write() -> None:
            self.controller.send(room, *message(text), SENT_AT)
            self.controller.tick(self.now)

        return self.step(write)

    def sign_in(
        self, epoch: str = EPOCH, name: str = "Home", mute: messages.Mute | None = None
    ) -> list[ToServer]:
        """Connect and come in; what is asked then."""
        (hello,) = self.connect()
        (opening,) = self.hear(
            messages.Welcome(
                re=hello.id,
                protocol=limits.PROTOCOL_VERSION,
                program="S",
                server_name=name,
                epoch=epoch,
            )
        )
        return self.hear(
            messages.SignedIn(
                re=opening.id,
                username="ada",
                display_name="Ada",
                session="a" * 32,
                role="member",
                mute=mute,
            )
        )

    def go_online(self, **heads: int) -> list[ToServer]:
        """Sign in and list everything; what is asked last, the rooms' events not yet told."""
        asked = self.sign_in()
        rooms = self.list_people(asked)
        listed = tuple(room_of(room, head) for room, head in heads.items())
        return self.hear(messages.Rooms(re=rooms.id, rooms=listed, more=False))

    def list_people(
        self, asked: Sequence[ToServer], people: Sequence[messages.Person] = (), *online: str
    ) -> messages.ListRooms:
        """Tell who there is, and who is online; what is asked then."""
        listing = only(asked, messages.ListPeople)
        answer = messages.People(
            re=listing.id, since=listing.since, people=tuple(people), more=False
        )
        listing_online = only(self.hear(answer), messages.ListOnline)
        return only(
            self.hear(messages.Online(re=listing_online.id, online=online, more=False)),
            messages.ListRooms,
        )

    def lose(self, why: str = "lost") -> None:
        """The connection breaks off."""
        self.step(lambda: self.controller.lost(Reason(why), self.now))

    def told(self, kind: type[Kind]) -> list[Kind]:
        """The news of a kind, so far."""
        return [item for item in self.news if isinstance(item, kind)]

    def shown(self, room: str = "general") -> list[int]:
        """The places of a room's events that the front end was told of, in order."""
        return [
            each.seq
            for told in self.told(news.EventsAdded)
            if told.room == room
            for each in told.events
        ]


def only(commands: Sequence[ToServer], kind: type[Kind]) -> Kind:
    """The one command of a kind."""
    (found,) = [command for command in commands if isinstance(command, kind)]
    return found


def ack(send: messages.Send, seq: int) -> messages.Ack:
    """The acknowledgement of a message."""
    return messages.Ack(re=send.id, room=send.room, seq=seq, cid=send.cid, sent_at=SENT_AT)
