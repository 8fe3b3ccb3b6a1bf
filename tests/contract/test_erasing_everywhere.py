"""Whatever happens in which order: of an erased account no text is served, or left in any copy.

A server's rules over a real database, clients' controllers over real caches, and between them all
that may be late, lost or broken off: messages under way, pages, readers, steps of the erasing, the
connections, and both programs.
"""

from __future__ import annotations

import itertools
import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat_client.cache import erasure
from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.state import history, news, sync
from chat_server.net.pages import Pages
from chat_server.net.queries import answer
from chat_server.rules import effects, inputs
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome
from chat_server.store.sqlite import store as store_module
from chat_server.store.sqlite.reader import SqliteReader
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.codec import LocalProtocolError, known_event
from common.protocol.events import Event
from common.protocol.messages import ToClient, ToServer
from tests.unit.chat_client.desk import Desk
from tests.unit.chat_server.house import House, installation, token, understood

CANARY: Final = "canary-7f3a"
"""Stands in each text of the account that is deleted."""
ADA: Final = "ada"
DAN: Final = "dan"
"""Somebody else who talks."""
CLIENTS: Final = ("bob", "cem")
DIRECT: Final = "dm:ada:bob"


class Client:
    """A client and what is on its way to it."""

    def __init__(self, path: Path, username: str, *, on_demand: bool) -> None:
        self.path, self.username, self.on_demand = path, username, on_demand
        self.session: Session | None = None
        self.inbox: deque[ToClient | Event] = deque()
        self.live: set[str] = set()
        self.brought = 0
        """Pages that were written to it on this connection."""
        self.start()

    def start(self) -> None:
        """The program starts, with the cache of before."""
        self.cache = Cache(self.path)
        self.desk = Desk(cache=self.cache, on_demand=self.on_demand)
        admission = self.desk.controller._admission
        admission.account = replace(
            admission.account,
            username=self.username,
            token=token(self.username),
            installation=installation(self.username),
        )
        self.desk.step(self.desk.controller.begin)

    def has_canary(self) -> bool:
        """Whether a text is left in its files."""
        files = [self.path, self.path.with_name(f"{self.path.name}-wal")]
        return any(CANARY.encode() in file.read_bytes() for file in files if file.exists())


class Town:
    """A server, its clients, and everything between them."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder / "chat.db")
        for name in (ADA, DAN, *CLIENTS):
            self.house.join(name)
        self._cids = itertools.count(10**9)
        self.clients = [
            Client(folder / f"{name}.db", name, on_demand=number == 1)
            for number, name in enumerate(CLIENTS)
        ]
        self.left: deque[Callable[[], None]] = deque()
        """What threads of the server have yet to do."""
        self.pages: dict[int, list[Event]] = {}
        self._numbers = itertools.count(1)
        self._begin()

    def _begin(self) -> None:
        self.reader = SqliteReader(self.house.path)
        self.cached = Pages(self.reader)
        self.ada = next(self.house.world.sessions.of(ADA), None)
        self.dan = next(self.house.world.sessions.of(DAN), None) or self.house.sign_in(DAN)[0]

    @property
    def is_deleted(self) -> bool:
        """Whether that is committed."""
        return self.house.world.directory.accounts[ADA].erased

    # The server

    def do(self, session: Session, command: ToServer) -> None:
        """A command comes, and is committed."""
        self._perform(self.house.do(session, command))

    def happen(self, item: inputs.Input) -> None:
        """Something else comes."""
        with self.house.log.transaction():
            outcome = self.house.happen(item)
        self.house.world.directory.commit()
        self._perform(outcome)

    def _perform(self, outcome: Outcome) -> None:
        for effect in outcome:
            match effect:
                case effects.After():
                    self.left.append(partial(self.happen, effect.item))
                case effects.ForgetPages():
                    self.cached = Pages(self.reader)
                case effects.ReadPage():
                    self.left.append(partial(self._read, effect))
                case effects.Query():
                    self.left.append(partial(self._look_up, effect))
                case effects.TellEveryone() | effects.TellAccount():
                    self._tell_several(effect)
                case _:
                    self._perform_for_one(effect)
        for each in outcome:
            if isinstance(each, effects.Publish):
                self.house.world.delivery.tails.add(each.event.room, [each.event])
                self._fan_out(each)

    def _tell_several(self, effect: effects.TellEveryone | effects.TellAccount) -> None:
        for client in self._connected(lambda session: session.username is not None):
            session = client.session
            if session is None or session.connection == getattr(effect, "but", None):
                continue
            if getattr(effect, "username", session.username) == session.username:
                self._tell(client, effect.message)

    def _perform_for_one(self, effect: object) -> None:
        connection = getattr(effect, "connection", None)
        for client in self._connected(lambda s: s.connection == connection):
            match effect:
                case effects.Tell():
                    self._tell(client, effect.message)
                case effects.GoLive():
                    client.live.add(effect.room)
                case effects.WriteEvents():
                    assert not (self.is_deleted and CANARY in str(effect.events))
                    self._write(client, effect.events)
                case effects.WritePage():
                    self._write(client, self.pages.pop(effect.page))
                case effects.Disconnect():
                    self._tell(client, effect.goodbye)
                    client.session = None

    def _connected(self, wanted: Callable[[Session], bool]) -> list[Client]:
        return [each for each in self.clients if each.session and wanted(each.session)]

    def _tell(self, client: Client, message: ToClient) -> None:
        if client.session is not None and not isinstance(message, messages.PresenceChanged):
            client.inbox.append(message)

    def _write(self, client: Client, events: Iterable[Event]) -> None:
        client.inbox.extend(events)
        client.brought += 1
        session, brought = client.session, client.brought

        def drained() -> None:
            if client.session is session and session is not None:
                self._perform(self.house.happen(inputs.Drained(session.connection, brought)))

        self.left.append(drained)

    def _fan_out(self, published: effects.Publish) -> None:
        event = published.event
        for client in self._connected(lambda _: True):
            if client.session and client.session.connection == published.sender:
                room, seq, _, _, at, cid, _ = event
                ack = messages.Ack(re=published.re, room=room, seq=seq, cid=cid, sent_at=at)
                client.inbox.append(ack)
            elif event.room in client.live:
                client.inbox.append(event)

    # A worker reads, and hands over what it has read a moment later.

    def _read(self, job: effects.ReadPage) -> None:
        frames, lasts = self.cached.page_of(job.rooms)
        if self.is_deleted:
            assert CANARY.encode() not in frames
        number = next(self._numbers) if frames else None
        if number is not None:
            self.pages[number] = [_event(each) for each in understood(frames)]
        done = inputs.PageRead(job.connection, number, lasts)
        self.left.append(lambda: self._perform(self.house.happen(done)))

    def _look_up(self, job: effects.Query) -> None:
        reply = answer(job.query, job.re, self.reader)
        if self.is_deleted:
            assert CANARY not in reply.model_dump_json()
        done = inputs.QueryDone(job.connection, job.re, reply)
        self.left.append(lambda: self._perform(self.house.happen(done)))

    def go_on(self) -> None:
        """A thread of the server does what is next."""
        if self.left:
            self.left.popleft()()

    def restart(self) -> None:
        """The server is killed, and started again."""
        for client in self.clients:
            self.lose(client)
        self.left.clear()
        self.pages.clear()
        self.reader.close()
        self.house.close()
        self.house = House(self.house.path)
        self._begin()
        if self.house.world.directory.erasing:
            self.left.append(lambda: self.happen(inputs.EraseMessages()))

    # Ada, who is deleted

    def say(self, room: str) -> None:
        """Ada says something."""
        if self.ada is None and not self.is_deleted:
            self.ada, outcome = self.house.sign_in(ADA)
            self._perform(outcome)
        if self.ada is not None:
            number = next(self._cids)
            command = messages.Send(
                id=self.house.request(), room=room, cid=f"{number:016d}", kind="message",
                body={"text": f"{CANARY} {number}"},
            )  # fmt: skip
            self.do(self.ada, command)

    def chat(self) -> None:
        """Somebody else says more than a client catches up with."""
        for _ in range(8):
            number = next(self._cids)
            command = messages.Send(
                id=self.house.request(), room=GENERAL, cid=f"{number:016d}", kind="message",
                body={"text": f"what stays {number}"},
            )  # fmt: skip
            self.do(self.dan, command)

    def delete(self) -> None:
        """Ada deletes the account with its messages."""
        if self.ada is not None and not self.is_deleted:
            self.do(self.ada, messages.DeleteMe(id=self.house.request(), messages="remove"))

    # The clients

    def _hand_over(self, client: Client, commands: Iterable[ToServer]) -> None:
        for command in commands:
            if client.session is not None:
                self.do(client.session, command)

    def connect(self, client: Client) -> None:
        """It connects, if it is not connected."""
        if client.session is None and not client.desk.controller._link.is_open:
            client.session = self.house.connect()
            client.live.clear()
            client.inbox.clear()
            client.brought = 0
            client.desk.step(client.desk.controller.connect_now)
            self._hand_over(client, client.desk.connect())

    def lose(self, client: Client) -> None:
        """Its connection breaks off, with all that was on its way."""
        if client.session is not None:
            self._perform(self.house.happen(inputs.Closed(client.session.connection, "lost")))
        client.session = None
        client.inbox.clear()
        if client.desk.controller._link.is_open:
            client.desk.lose()

    def deliver(self, client: Client, most: int) -> None:
        """Some of what is on its way arrives."""
        for _ in range(min(most, len(client.inbox))):
            if client.inbox and client.desk.controller._link.is_open:
                self._hear(client, client.inbox.popleft())

    def _hear(self, client: Client, message: ToClient | Event) -> None:
        try:
            self._hand_over(client, client.desk.hear(message))
        except LocalProtocolError:
            raise AssertionError(message) from None
        added = [item for item in client.desk.news if isinstance(item, news.EventsAdded)]
        if client.cache.erasure.apply(_CANARY_EVENT) is not _CANARY_EVENT:
            shown = [event for item in added for event in item.events]
            assert not any(CANARY in event.text for event in shown)
        client.desk.news.clear()

    def tick(self, client: Client) -> None:
        """It goes on by itself."""
        self._hand_over(client, client.desk.wait(0))

    def start_again(self, client: Client) -> None:
        """The program is killed, and started again."""
        self.lose(client)
        client.cache.close()
        client.start()

    def look_back(self, client: Client, seq: int) -> None:
        """Its person scrolls up."""
        wanted = news.Wanted(GENERAL, before=max(2, seq))
        self._hand_over(
            client, client.desk.step(lambda: client.desk.controller.load_history(wanted))
        )

    def settle(self) -> None:
        """Everybody comes back, and everything is done that is left to do."""
        for _ in range(5_000):
            for client in self.clients:
                self.connect(client)
                self.deliver(client, 100)
                self.tick(client)
            self.go_on()
            idle = not self.left and not any(
                client.inbox or client.cache.erasure.pending for client in self.clients
            )
            if idle:
                return
        raise AssertionError("it never ends")

    def check(self) -> None:
        """No text is left anywhere, and nothing else is missing."""
        assert not any(client.has_canary() for client in self.clients)
        stored = [row for room in (GENERAL, DIRECT) for row in self.house.stored(room)]
        assert not any(CANARY in row[3] for row in stored)
        head = self.house.world.head(GENERAL)
        for client in self.clients:
            assert client.cache.position(GENERAL) == head
            with closing(CacheReader(client.path)) as reader:
                events = reader.latest(GENERAL, 1000)
            theirs = [event for event in events if event.sender == ADA]
            assert {event.kind for event in theirs} <= {"join", "removed", "account_deleted"}
            assert all(event.known for event in events)

    def close(self) -> None:
        """Let go of everything."""
        self.reader.close()
        self.house.close()
        for client in self.clients:
            client.cache.close()


_CANARY_EVENT: Final = Event(GENERAL, 1, "message", ADA, 0, "c" * 16, {"text": CANARY})


def _event(message: ToClient) -> Event:
    assert isinstance(message, messages.EventMessage)
    return known_event(
        Event(
            message.room, message.seq, message.kind, message.sender, message.sent_at, message.cid,
            message.body,
        )
    )  # fmt: skip


_CLIENT = st.integers(0, len(CLIENTS) - 1)
_STEPS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from([GENERAL, GENERAL, DIRECT])),
    st.tuples(st.just("go_on"), st.integers(1, 3)),
    st.tuples(st.just("delete"), st.just(0)),
    st.tuples(st.just("chat"), st.just(0)),
    st.tuples(st.just("restart"), st.just(0)),
    st.tuples(st.just("connect"), _CLIENT),
    st.tuples(st.just("deliver"), _CLIENT),
    st.tuples(st.just("deliver"), _CLIENT),
    st.tuples(st.just("tick"), _CLIENT),
    st.tuples(st.just("lose"), _CLIENT),
    st.tuples(st.just("start_again"), _CLIENT),
    st.tuples(st.just("look_back"), _CLIENT),
)


def _take(town: Town, step: str, argument: object) -> None:
    match step, argument:
        case "say", str(room):
            town.say(room)
        case "go_on", int(count):
            for _ in range(count):
                town.go_on()
        case "delete", _:
            town.delete()
        case "restart", _:
            town.restart()
        case "chat", _:
            town.chat()
        case "deliver", int(number):
            town.deliver(town.clients[number], 3)
        case "look_back", int(number):
            town.look_back(town.clients[number], town.house.world.head(GENERAL) // 2)
        case _, int(number):
            getattr(town, step)(town.clients[number])


Steps = list[tuple[str, str | int]]

_LATE_PAGE: Final[Steps] = [
    *[("look_back", 0), ("go_on", 1), ("delete", 0)],
    *[("deliver", 0)] * 3,
    *[("tick", 0)] * 9,
    *[("go_on", 1), ("deliver", 0)],
]
"""A page is read before the account is deleted, and comes when the cache is done with it."""
_IN_A_GAP: Final[Steps] = [
    *[("lose", 1), ("delete", 0), ("chat", 0), ("chat", 0), ("connect", 1)],
    *[("deliver", 1), ("go_on", 3)] * 9,
]
"""A client comes back that skips the event which tells of it."""


@settings(max_examples=30, deadline=None)
@given(st.lists(_STEPS, min_size=10, max_size=60), st.integers(2, 9), st.booleans())
@example(_LATE_PAGE, 5, True)
@example(_IN_A_GAP, 5, True)
def test_no_text_of_an_erased_account_is_left(steps: Steps, at_once: int, settled: bool) -> None:
    """Nor is any served from the commit on that deletes it."""
    small = (
        mock.patch.object(store_module, "_ERASED_AT_ONCE", at_once),
        mock.patch.object(erasure, "_ERASED_AT_ONCE", at_once),
        mock.patch.object(sync, "CATCH_UP_LIMIT", 6),
        mock.patch.object(history, "PAGE", 4),
    )
    with tempfile.TemporaryDirectory() as folder, ExitStack() as patched:
        for each in small:
            patched.enter_context(each)
        town = Town(Path(folder))
        try:
            for client in town.clients:
                town.connect(client)
            for _ in range(12):
                town.say(GENERAL)
            if settled:
                town.settle()
            for step, argument in steps:
                _take(town, step, argument)
            town.say(GENERAL)
            town.settle()
            assert town.is_deleted or any(client.has_canary() for client in town.clients)
            town.delete()
            town.settle()
            town.check()
        finally:
            town.close()
