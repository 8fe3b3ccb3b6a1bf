"""A hub whose batches a test runs by hand: no thread, and a store that fails as it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, cast

from chat_server.hub.hub import Hub
from chat_server.hub.queue import HubItem, HubQueue, Received
from chat_server.net.endpoints.local import LocalEndpoint
from chat_server.net.io_thread import IoThread
from chat_server.net.query_workers import Readers
from chat_server.rules import effects, inputs
from chat_server.rules.sessions import Session
from chat_server.rules.view import ViewEvent
from chat_server.rules.world import ServerFacts, World
from chat_server.store.store import AuditRow, Store
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.events import Event
from common.protocol.messages import Message
from tests.contract.engines import Engine
from tests.events import cid_of, send
from tests.unit.chat_server.house import SECRET, acks_in, installation, link, token

_CONTEXTS: Final = ("transaction", "atomic")
_SAFE: Final = ("close", "release_reserve", "has_space", "begin_command", "undo_command")
"""They raise nothing."""


class FaultyStore:
    """Stands in for a store: counts what is asked of it, and fails at one of these times.

    The end of a transaction is one of them, after all of it was written: a commit that failed.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[str] = []
        """The names of what was asked and may fail, since `fail` or `heal`."""
        self.calls: Counter[str] = Counter()
        """How often each method was called."""
        self._fail_at: int | str = -1
        self._error: Exception = Exception()

    def fail(self, at: int | str, error: Exception) -> None:
        """Fail with this when something is asked for the time with this number, from 0 on.

        Or whenever something of this name is.
        """
        self.asked.clear()
        self._fail_at, self._error = at, error

    def heal(self) -> None:
        """Do not fail any more."""
        self.fail(-1, Exception())

    def __getattr__(self, name: str) -> Any:
        original = getattr(self.store, name)
        if name in _CONTEXTS:
            return lambda: self._context(original, name)

        def asked(*arguments: Any) -> Any:
            self.calls[name] += 1
            if name not in _SAFE:
                self._count(name)
            return original(*arguments)

        return asked

    @contextmanager
    def _context(self, original: Callable[[], Any], name: str) -> Iterator[None]:
        self.calls[name] += 1
        self._count(f"begin of {name}")
        with original():
            yield
            self._count(f"end of {name}")

    def _count(self, name: str) -> None:
        self.asked.append(name)
        if self._fail_at in {name, len(self.asked) - 1}:
            raise type(self._error)(*self._error.args)


@dataclass
class Released:
    """What a batch led to."""

    io: list[effects.IoEffect] = field(default_factory=list)
    """For the I/O thread, and for the host's sessions."""
    pages: list[effects.ReadPage | effects.Query] = field(default_factory=list)
    """For the readers."""
    shown: list[ViewEvent] = field(default_factory=list)
    """For the host."""
    after: list[HubItem] = field(default_factory=list)
    """What follows now that it is stored; the next batch begins with it."""
    usernames: dict[int, str | None] = field(default_factory=dict)
    """Whose each connection is after it."""

    def answers(self, connection: int) -> list[Message]:
        """What one connection or its account is told, acknowledgements included."""
        said: list[Message] = []
        for effect in self.io:
            if isinstance(effect, effects.Tell) and effect.connection == connection:
                said.append(effect.message)
            elif isinstance(effect, effects.TellAccount):
                if effect.username == self.usernames.get(connection):
                    said.append(effect.message)
            elif isinstance(effect, effects.Fanout):
                said += acks_in(effect, connection)
        return said

    def answer(self, connection: int, command: messages.Command) -> Message:
        """The one reply to a command."""
        (found,) = [
            each for each in self.answers(connection) if getattr(each, "re", None) == command.id
        ]
        return found

    def told(self) -> list[Message]:
        """What everyone is told."""
        return [each.message for each in self.io if isinstance(each, effects.TellEveryone)]

    def ended(self) -> dict[int, messages.Goodbye]:
        """Whose connections are ended, and with what words."""
        return {
            each.connection: each.goodbye
            for each in self.io
            if isinstance(each, effects.Disconnect)
        }


class _Queue(HubQueue):
    """Knows what was posted last."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[HubItem] = []

    def post(self, *items: HubItem) -> None:
        """Note it, too."""
        self.posted += items
        super().post(*items)


def _new_world(store: Store) -> World:
    """A chat with one room and nobody in it."""
    with store.transaction():
        facts = ServerFacts("Home", "ChatServer", store.epoch(), SECRET)
        store.meta("name", facts.name)
        store.meta("invite_secret", SECRET)
        store.invite_secret(0)
        directory = store.load()
        directory.add_room(store.add_room(GENERAL, 0))
    directory.commit()
    return World(facts, store, directory, link=link)


class HubBench:
    """A hub of a server with one room; its time stands still until a test moves it."""

    def __init__(self, engine: Engine, like: HubBench | None = None) -> None:
        """A new chat; or one that is where another is, as if all of that had been done anew."""
        self.engine = engine
        if like is not None:
            engine.become(like.engine)
        self.store = FaultyStore(engine.open())
        store = cast("Store", self.store)
        if like is None:
            self.world = _new_world(store)
        else:
            self.world = deepcopy(like.world, {id(like.world.store): store})
        self.now: float = 1000.0 if like is None else like.now
        """Seconds, of the clock that never goes back."""
        self.queue = _Queue()
        self.hub = Hub(self.queue, self.world, self._shown, clock=lambda: self.now)
        self.renewed = 0
        """How often readers were told to open the store anew."""
        self._released = Released()
        self._numbers: int = 0 if like is None else like._numbers
        bench = self

        class Io:
            """Stands in for the I/O thread."""

            @staticmethod
            def post(batch: list[effects.IoEffect]) -> None:
                """From the hub."""
                bench._released.io += batch

        class Pages:
            """Stands in for the readers."""

            @staticmethod
            def post(job: effects.ReadPage | effects.Query) -> None:
                """From the hub."""
                bench._released.pages.append(job)

            @staticmethod
            def renew() -> None:
                """From the hub."""
                bench.renewed += 1

        class Local:
            """Stands in for the host's sessions."""

            @staticmethod
            def carry_out(effect: effects.ToOne) -> None:
                """From the hub."""
                bench._released.io.append(effect)

        # As `start` does, but for the thread.
        self.hub._io = [cast("IoThread", Io)]
        self.hub._readers = cast("Readers", Pages)
        self.hub._local = cast("LocalEndpoint", Local)

    def close(self) -> None:
        """Let go of the store."""
        self.store.store.close()

    def run(self, *items: HubItem) -> Released:
        """What one batch of these leads to."""
        self._released = Released()
        self.queue.post(*items)
        self.queue.posted.clear()
        assert self.hub._turn()
        self._released.after = list(self.queue.posted)
        sessions = self.world.sessions
        self._released.usernames = {each.connection: each.username for each in sessions}
        return self._released

    def number(self) -> int:
        """For a request, a connection or an event: never the same."""
        self._numbers += 1
        return self._numbers

    def connect(self) -> int:
        """A new connection that has not said who it is."""
        number = self.number()
        self.run(inputs.Opened(number, "192.0.2.1"))
        return number

    def host(self) -> int:
        """A session of the host's own computer."""
        number = -self.number()
        self.run(inputs.Opened(number, "this computer", is_host=True))
        return number

    def join(self, name: str) -> int:
        """A new account's connection."""
        number = self.connect()
        command = self.join_command(name)
        assert isinstance(
            self.run(Received(number, (command,))).answer(number, command), messages.SignedIn
        )
        return number

    def sign_in(self, name: str, resume: str | None = None) -> tuple[int, Released]:
        """One more connection of an account, and what its signing in led to."""
        number = self.connect()
        return number, self.run(Received(number, (self.sign_in_command(name, resume),)))

    def session(self, connection: int) -> Session:
        """What the rules know of a connection that is there."""
        session = self.world.sessions.get(connection)
        assert session is not None
        return session

    def join_command(self, name: str) -> messages.Join:
        """Somebody new."""
        return messages.Join(
            id=self.number(),
            secret=self.world.facts.secret,
            username=name,
            display_name=name.title(),
            token=token(name),
            device="Linux",
            installation=installation(name),
        )

    def sign_in_command(self, name: str, resume: str | None = None) -> messages.SignIn:
        """Somebody comes back."""
        return messages.SignIn(
            id=self.number(),
            username=name,
            token=token(name),
            device="Linux",
            installation=installation(name),
            resume=resume,
        )

    def send(self, text: str, room: str = GENERAL) -> messages.Send:
        """A message."""
        number = self.number()
        return send(number, text, room=room, cid=cid_of(number))

    def say(self, connection: int, text: str, room: str = GENERAL) -> Released:
        """A batch of one message."""
        return self.run(Received(connection, (self.send(text, room),)))

    def audit(self) -> list[AuditRow]:
        """The audit log, the oldest first."""
        reader = self.engine.reader()
        rows = reader.audit(None, 1_000_000)
        reader.close()
        return rows[::-1]

    def stored(self, room: str = GENERAL) -> list[Event]:
        """The room's log."""
        reader = self.engine.reader()
        events = reader.after(room, 0, 1_000_000)
        reader.close()
        return events

    def _shown(self, events: Sequence[ViewEvent]) -> None:
        self._released.shown += events
