"""A server that breaks its rules: the client neither spins nor hangs, and tells the person.

The server is played by a function from a command to what is said then; the clock is ours. What is
counted is what a real one would see: connections and commands.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator

import pytest

from chat_client.cache.cache import Cache
from chat_client.state import directory, news
from chat_client.state.link import MAX_FAULTS
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Link
from common import limits
from common.domain.reasons import Reason
from common.domain.sentences import sentence, whole_sentence
from common.protocol import messages
from common.protocol.codec import RemoteProtocolError, encode
from common.protocol.events import Event
from common.protocol.frames import FrameDecoder, encode_frame
from common.protocol.messages import ToClient, ToServer, to_server
from tests.events import message, text_of
from tests.unit.chat_client.desk import EPOCH, Desk, ack, cid, event, on_wire, room_of, synced

Said = ToClient | Event | bytes | None
"""What the server says; bytes as they are, and None for the end of the connection."""
Server = Callable[[ToServer], Iterable[Said]]

MINUTES = 10
ROUND_TRIP = 0.001
PASSES = ("busy", "disk_full", "rate_limited")
"""Refusals that pass by themselves, however often they come."""
BOB = messages.Person(username="bob", display_name="Bob", role="member", change=1)


class AnyDesk(Desk):
    """A client whose server does not care whose turn it is."""

    def understood(self, frames: bytes) -> list[ToServer]:
        """See Desk."""
        decoder = FrameDecoder(limits.FRAME_JSON)
        return [to_server().validate_json(frame) for frame in decoder.frames(frames)]


class Siege:
    """A client, and what it did to a server in some minutes."""

    def __init__(self, server: Server, desk: AnyDesk | None = None) -> None:
        self.server = server
        self.desk = desk or AnyDesk()
        self.connections = 0
        self.commands: list[ToServer] = []

    def last(self, minutes: float = MINUTES) -> Siege:
        """So much time passes, as the core lets it pass."""
        desk, controller = self.desk, self.desk.controller
        end = desk.now + 60 * minutes
        while desk.now < end:
            commands: list[ToServer] = []
            if controller.wants_connection:
                self.connections += 1
                commands = desk.connect()
            commands += desk.wait(0)
            while commands:
                commands = self._answered(commands)
            if not controller.wants_connection:
                # Never backwards, and never on the spot: that would be the spinning itself.
                pause = controller.deadline() - desk.now
                desk.now += min(max(pause, ROUND_TRIP), 60.0)
        return self

    @property
    def link(self) -> Link:
        """Where the client stands now."""
        return self.desk.controller.status.link

    def _answered(self, commands: list[ToServer]) -> list[ToServer]:
        self.commands += commands
        self.desk.now += ROUND_TRIP
        then: list[ToServer] = []
        for command in commands:
            for said in self.server(command):
                then += self._hear(said)
        return then + self.desk.wait(0)

    def _hear(self, said: Said) -> list[ToServer]:
        desk = self.desk
        if desk.controller.wants_disconnect:
            return []
        if said is None:
            desk.lose()
            return []
        if isinstance(said, Event):
            said = on_wire(said)
        data = said if isinstance(said, bytes) else encode(said)

        def receive() -> None:
            try:
                desk.controller.received(data, desk.now)
            except RemoteProtocolError:
                desk.controller.fault(Reason("unknown_message"), desk.now)

        return desk.step(receive)


def honest(command: ToServer) -> Iterator[Said]:
    """What a right server with one empty room says."""
    match command:
        case messages.Hello():
            yield messages.Welcome(
                re=command.id,
                protocol=limits.PROTOCOL_VERSION,
                program="S",
                server_name="Home",
                epoch=EPOCH,
            )
        case messages.Join() | messages.SignIn():
            yield messages.SignedIn(
                re=command.id,
                username="ada",
                display_name="Ada",
                session="a" * 32,
                role="member",
                mute=None,
            )
        case messages.ListPeople():
            people = (BOB,) if command.since < BOB.change else ()
            yield messages.People(re=command.id, since=command.since, people=people, more=False)
        case messages.ListOnline():
            yield messages.Online(re=command.id, online=("ada", "bob"), more=False)
        case messages.ListRooms():
            rooms = (room_of("general", 0),)
            yield messages.Rooms(re=command.id, rooms=rooms, more=False)
        case messages.Sync():
            heads = dict.fromkeys(command.positions, 0)
            yield messages.Synced(re=command.id, heads=heads, skipped=(), refused={})
        case messages.Ping():
            yield messages.Pong(re=command.id)
        case messages.Send():
            pass


def instead(kind: type, say: Callable[[messages.Command], Iterable[Said]]) -> Server:
    """A right server but for its answer to one kind of command."""

    def server(command: ToServer) -> Iterable[Said]:
        return say(command) if isinstance(command, kind) else honest(command)

    return server


def raw(**fields: object) -> bytes:
    """A frame of anything."""
    return encode_frame(json.dumps(fields).encode())


def error(code: str, *, retryable: bool, field: str | None = None) -> Callable[..., list[Said]]:
    """Refuse with this code."""

    def say(command: messages.Command) -> list[Said]:
        return [
            messages.Error(re=command.id, code=code, params={}, field=field, retryable=retryable)
        ]

    return say


def refused(code: str) -> Callable[..., list[Said]]:
    """Refuse all rooms of a `sync` with this code."""

    def say(command: messages.Command) -> list[Said]:
        assert isinstance(command, messages.Sync)
        return [synced(command, dict.fromkeys(command.positions, code))]

    return say


def pages_of(changes: Callable[[int], list[int]], since: int | None = None) -> Server:
    """Lists of people that go on and on: by their changes."""

    def say(command: messages.Command) -> list[Said]:
        assert isinstance(command, messages.ListPeople)
        people = tuple(
            messages.Person(username=f"p{change}", display_name="P", role="member", change=change)
            for change in changes(command.since)
        )
        begin = command.since if since is None else since
        return [messages.People(re=command.id, since=begin, people=people, more=True)]

    return instead(messages.ListPeople, say)


def online_of(names: Callable[[str | None], list[str]]) -> Server:
    """Lists of who is online that go on and on."""

    def say(command: messages.Command) -> list[Said]:
        assert isinstance(command, messages.ListOnline)
        online = tuple(names(command.after))
        return [messages.Online(re=command.id, online=online, more=True)]

    return instead(messages.ListOnline, say)


def rooms_of(names: Callable[[str | None], list[str]]) -> Server:
    """Lists of rooms that go on and on."""

    def say(command: messages.Command) -> list[Said]:
        assert isinstance(command, messages.ListRooms)
        rooms = tuple(room_of(name, 0) for name in names(command.after))
        return [messages.Rooms(re=command.id, rooms=rooms, more=True)]

    return instead(messages.ListRooms, say)


def after_sign_in(*said: Said) -> Server:
    """Lets the client in, and then says this."""
    return instead(messages.SignIn, lambda command: [*honest(command), *said])  # type: ignore[arg-type]  # it is one


def ahead_after_events(command: messages.Command) -> Iterator[Said]:
    """Bring events, and then deny that they are there: each time anew."""
    assert isinstance(command, messages.Sync)
    for room in command.positions:
        yield event(1, room)
    yield from refused("position_ahead")(command)


EVENT = {
    "type": "event",
    "room": "general",
    "seq": 1,
    "kind": "message",
    "sender": "bob",
    "sent_at": 1,
    "cid": cid(1),
    "body": {"text": "hi"},
}


def with_event(**changed: object) -> Server:
    """Brings an event that is not as it should be."""
    fields = {**EVENT, **changed}
    said = raw(**{name: value for name, value in fields.items() if value is not None})
    return instead(messages.Sync, lambda command: [*honest(command), said])  # type: ignore[arg-type]  # it is one


BREACHES: dict[str, Server] = {
    "an unknown answer": after_sign_in(raw(type="dance", re=3)),
    "another account": instead(
        messages.SignIn,
        lambda command: [
            messages.SignedIn(
                re=command.id,
                username="mallory",
                display_name="Mallory",
                session="a" * 32,
                role="member",
                mute=None,
            )
        ],
    ),
    "no type": after_sign_in(raw(moves=3)),
    "an event without an id": with_event(cid=None),
    "an id of another form": with_event(cid="c" * 32),
    "an event without a body": with_event(body=None),
    "a body that is none": with_event(body="hi"),
    "no name of a kind": with_event(kind="An Edit"),
    "a time beyond all calendars": with_event(sent_at=2**53 - 1),
    "no frame": after_sign_in(b"\0\0\0\0"),
    "a frame that is too long": after_sign_in(b"\x7f\0\0\0J"),
    "an event of no room": after_sign_in(event(1, "elsewhere")),
    "an event with a gap": instead(messages.Sync, lambda _: [event(7)]),
    "an answer to nothing": after_sign_in(messages.Pong(re=99)),
    "an acknowledgement of nothing": after_sign_in(
        messages.Ack(re=77, room="general", seq=1, cid=cid(1), sent_at=1)
    ),
    "another answer": instead(messages.ListPeople, lambda command: [messages.Pong(re=command.id)]),
    "a page that is empty": pages_of(lambda _: []),
    "the same page": pages_of(lambda _: [7]),
    "pages that go round": pages_of(lambda since: [7] if since != 7 else [6]),
    "a page that goes down": pages_of(lambda since: [since + 2, since + 1]),
    "people from the beginning again and again": pages_of(lambda since: [since + 1], 0),
    "people from their middle": pages_of(lambda since: [since + 9], 5),
    "online, a page that is empty": online_of(lambda _: []),
    "online, the same page": online_of(lambda _: ["bob"]),
    "online, a page that goes down": online_of(lambda _: ["bob", "abe"]),
    "rooms, a page that is empty": rooms_of(lambda _: []),
    "rooms, the same page": rooms_of(lambda _: ["general"]),
    "always ahead": instead(messages.Sync, refused("position_ahead")),
    "no sync at all": instead(messages.Sync, error("position_ahead", retryable=False)),
    "ahead of what it just sent": instead(messages.Sync, ahead_after_events),
    "people that can't be listed": instead(messages.ListPeople, error("not_here", retryable=False)),
    "an error about nothing": after_sign_in(messages.refusal("malformed")),
}
"""By what is wrong with it: a server that breaks the protocol each time."""


@pytest.mark.parametrize("breach", BREACHES)
def test_a_server_that_breaks_the_protocol_is_left_after_some_tries(breach: str) -> None:
    """With growing pauses in between; then the person is told, and decides."""
    siege = Siege(BREACHES[breach]).last()
    status = siege.desk.controller.status
    assert (status.link, status.code) == (Link.STOPPED, "given_up")
    assert "may need an update" in sentence(status.reason)
    assert siege.connections == MAX_FAULTS
    assert len(siege.commands) <= 8 * MAX_FAULTS
    assert siege.desk.controller.deadline() == math.inf
    siege.desk.step(siege.desk.controller.connect_now)
    assert siege.desk.controller.wants_connection


def test_an_account_keeps_its_name_whatever_the_server_says() -> None:
    """Kept under another one it could not sign in any more."""
    desk = Siege(BREACHES["another account"]).last().desk
    assert desk.controller.account.username == "ada"
    assert desk.told(news.AccountChanged) == []
    assert desk.cache.meta("session") is None


@pytest.mark.parametrize("kind", [messages.ListPeople, messages.ListOnline, messages.ListRooms])
def test_a_list_without_an_end_is_given_up(
    kind: type[messages.Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though each of its pages advances."""
    monkeypatch.setattr(directory, "MOST_PAGES", 50)
    numbers = itertools.count(1)

    def names(_: str | None) -> list[str]:
        return [f"p{next(numbers):09d}"]

    servers = {
        messages.ListPeople: pages_of(lambda since: [since + 1]),
        messages.ListOnline: online_of(names),
        messages.ListRooms: rooms_of(names),
    }
    siege = Siege(servers[kind])
    siege.last(1)
    assert siege.connections == MAX_FAULTS
    asked = [command for command in siege.commands if isinstance(command, kind)]
    assert len(asked) == MAX_FAULTS * 50
    assert siege.link is Link.STOPPED


BEYOND: dict[str, Server] = {
    "a message of another type": after_sign_in(raw(type="dance", room="general", steps=[1, 2])),
    "an event of another kind": with_event(kind="edit", body={"of": cid(9), "text": "ho"}),
    "a message of another form": with_event(body={"parts": ["hi"]}),
    "more in an event": with_event(color="red", body={"text": "hi", "color": "red"}),
    "more in an answer": instead(
        messages.ListRooms,
        lambda command: [raw(type="rooms", re=command.id, rooms=[], more=False, total=0)],
    ),
    "another kind of room": instead(
        messages.ListRooms,
        lambda command: [
            messages.Rooms(
                re=command.id,
                rooms=(messages.Room(room="garden", kind="garden", title="The garden", head=0),),
                more=False,
            )
        ],
    ),
}
"""By what it is: what a newer server says, of which this program knows nothing."""


@pytest.mark.parametrize("what", BEYOND)
def test_what_a_newer_server_says_does_no_harm(what: str) -> None:
    """The connection stands, and goes on as it would without."""
    siege = Siege(BEYOND[what]).last(1)
    assert siege.link is Link.ONLINE
    assert siege.connections == 1
    assert siege.desk.told(news.Listed)


def another(command: messages.Command) -> list[Said]:
    """Say each time to be a server with another history, and no more."""
    name, epoch = "Home", f"{next(_EPOCHS):032x}"
    version = limits.PROTOCOL_VERSION
    return [
        messages.Welcome(
            re=command.id, protocol=version, program="S", server_name=name, epoch=epoch
        )
    ]


_EPOCHS = itertools.count()
BUSY: dict[str, Server] = {
    "hangs up": after_sign_in(None),
    "falls silent": after_sign_in(),
    "is closing": after_sign_in(messages.Goodbye(code="server_closing", params={})),
    "finds us slow": after_sign_in(messages.Goodbye(code="too_slow", params={})),
    "can't list people": instead(messages.ListPeople, error("internal", retryable=True)),
    "can't bring rooms": instead(messages.Sync, error("internal", retryable=True)),
    "has a newer trouble": instead(messages.Sync, error("overloaded", retryable=True)),
    "can't say hello": instead(messages.Hello, error("busy", retryable=True)),
    "is another each time": instead(messages.Hello, another),
}
"""By what it does: a server that keeps to the protocol and is of no use."""


@pytest.mark.parametrize("trouble", BUSY)
def test_a_server_in_trouble_is_tried_again_with_growing_pauses(trouble: str) -> None:
    """For as long as it takes, but a few times in a minute at most."""
    siege = Siege(BUSY[trouble]).last()
    assert siege.link is not Link.STOPPED
    assert 1 <= siege.connections <= 5 + MINUTES * 60 / 15
    assert len(siege.commands) <= 8 * siege.connections + MINUTES * 60 / 20


def test_a_room_that_is_added_again_and_again_is_asked_for_once() -> None:
    """Each time would cost a command."""
    added = messages.RoomAdded(room=room_of("dm:ada:bob", 0))
    siege = Siege(after_sign_in(*[added] * 500)).last(0.2)
    syncs = [command for command in siege.commands if isinstance(command, messages.Sync)]
    assert [dict(sync.positions) for sync in syncs] == [{"dm:ada:bob": 0}, {"general": 0}]


def test_a_room_that_is_listed_and_missing_costs_no_other_room() -> None:
    """The others are brought."""

    def server(command: ToServer) -> Iterable[Said]:
        match command:
            case messages.ListRooms():
                names = ("art", "general", "zoo")
                rooms = tuple(room_of(name, 1) for name in names)
                return [messages.Rooms(re=command.id, rooms=rooms, more=False)]
            case messages.Sync():
                answer = synced(command, {"art": "no_such_room"}, general=1, zoo=1)
                return [answer, event(1, "general"), event(1, "zoo")]
        return honest(command)

    siege = Siege(server).last(0.2)
    assert siege.link is Link.ONLINE
    assert [siege.desk.shown(room) for room in ("art", "general", "zoo")] == [[], [1], [1]]


def test_heads_that_are_taken_back_cost_nothing() -> None:
    """What `synced` names may be rolled back a moment later: only events move a position."""

    def server(command: ToServer) -> Iterable[Said]:
        if isinstance(command, messages.Sync):
            return [synced(command, general=5), event(1), event(2), event(3), event(4)]
        return honest(command)

    siege = Siege(server).last(0.2)
    assert siege.link is Link.ONLINE
    assert siege.desk.shown() == [1, 2, 3, 4]
    assert siege.desk.cache.position("general") == 4


def with_words(*texts: str, at_once: int = 1) -> AnyDesk:
    """A client that has something to say in its outbox."""
    desk = AnyDesk(at_once=at_once)
    for text in texts:
        desk.say(text)
    return desk


@pytest.mark.parametrize("at_once", [1, 8])
@pytest.mark.parametrize("code", [*PASSES, "internal", "too_early", "overloaded"])
def test_a_server_that_takes_nothing_is_asked_now_and_then(code: str, at_once: int) -> None:
    """However it refuses, and however many messages wait: the pauses grow."""
    desk = with_words(*map(str, range(1, 6)), at_once=at_once)
    siege = Siege(instead(messages.Send, error(code, retryable=True)), desk).last()
    sent = [command for command in siege.commands if isinstance(command, messages.Send)]
    assert 5 <= len(sent) <= at_once * (10 + MINUTES * 60 / 15)
    assert siege.connections == 1
    kept = [desk.cache.outbox.find(cid(number)) for number in range(1, 6)]
    states = {out.state for out in kept if out is not None}
    # That the host's disk is full is no reason to leave a message to the person.
    assert states == ({OutboxState.WAITING} if code in PASSES else {OutboxState.FAILED})


@pytest.mark.parametrize("at_once", [1, 8])
@pytest.mark.parametrize("retryable", [True, False])
@pytest.mark.parametrize("code", ["internal", "too_early", "cid_reused", "moon_phase"])
def test_one_refused_message_does_not_hold_up_the_others(
    code: str, retryable: bool, at_once: int
) -> None:
    """In whatever way it is refused, again and again: the rest goes out in its order."""
    stored: list[messages.Send] = []

    def server(command: ToServer) -> Iterable[Said]:
        if not isinstance(command, messages.Send):
            return honest(command)
        if text_of(command) == "poison":
            return error(code, retryable=retryable)(command)
        if command.after is not None and command.after not in {send.cid for send in stored}:
            return error("too_early", retryable=True)(command)
        stored.append(command)
        return [ack(command, len(stored))]

    texts = ["one", "two", "poison", "three", "four", "five"]
    siege = Siege(server, with_words(*texts, at_once=at_once)).last()
    assert [text_of(send) for send in stored] == [text for text in texts if text != "poison"]
    poison = siege.desk.cache.outbox.find(cid(3))
    assert poison is not None
    assert (poison.state, poison.reason) == (OutboxState.FAILED, Reason(code, {}))
    assert siege.link is Link.ONLINE


@pytest.mark.parametrize(
    ("own", "text"),
    [("z" * 32, "hi"), ("1", "hi"), ("+" * 16, "hi")]
    + [("c" * 16, text) for text in ("", "x" * 20_000, "\0")],
)
def test_what_is_no_message_is_left_to_the_person(own: str, text: str) -> None:
    """A cache may hold what no server takes; what stands behind it goes out."""
    cache = Cache(None)
    with cache.transaction():
        cache.outbox.add("general", own, *message(text), 0)
        cache.outbox.add("general", "d" * 16, *message("good"), 0)
    siege = Siege(
        instead(messages.Send, lambda command: [ack(command, 1)]),  # type: ignore[arg-type]  # it is one
        AnyDesk(cache=cache),
    ).last(0.2)
    sent = [text_of(command) for command in siege.commands if isinstance(command, messages.Send)]
    assert sent == ["good"]
    bad = cache.outbox.find(own)
    assert bad is not None
    assert bad.state is OutboxState.FAILED
    assert siege.link is Link.ONLINE


@pytest.mark.parametrize("params", [{}, {"until": 7, "reason": "Come back tomorrow."}])
def test_an_unknown_goodbye_is_final_and_says_why(params: dict[str, str | int]) -> None:
    """A newer server may have reasons of which this program does not know the cure."""
    siege = Siege(after_sign_in(messages.Goodbye(code="moved", params=params))).last()
    status = siege.desk.controller.status
    assert (status.link, status.code, siege.connections) == (Link.SIGNED_OUT, "moved", 1)
    assert status.reason == Reason("moved", params)
    assert whole_sentence(status.reason) == "The server says “moved”."
