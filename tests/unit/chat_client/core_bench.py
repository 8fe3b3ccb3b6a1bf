"""A core whose turns a test takes by hand: no thread, no sleep, and a server's end beside it."""

from __future__ import annotations

import math
import selectors
import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar, Final, TypeVar

import pytest

from chat_client import core as core_module
from chat_client.accounts import new_account
from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.core import Core
from chat_client.net.connector import Outcome
from chat_client.net.server_watch import Places
from chat_client.state import news
from chat_client.state.status import Status
from common import limits
from common.domain.invite import Invite
from common.protocol import messages
from common.protocol.codec import ServerEnd, Violation
from common.protocol.events import Event
from common.protocol.messages import ToClient, ToServer
from common.system.transport import Transport
from tests.unit.chat_client.desk import EPOCH, on_wire, only, room_of

SMALL_BUFFER: Final = 16 * 1024
Kind = TypeVar("Kind", bound=object)


class BrokenCache(Cache):
    """A cache that can be told to fail: at the end of each transaction, after all was written."""

    error: Exception | None = None
    is_writing = False
    """Whether a transaction is open: nothing of it is stored yet."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Cache."""
        with super().transaction():
            self.is_writing = True
            try:
                yield
                if self.error is not None:
                    raise self.error
            finally:
                self.is_writing = False


class FakeWatch:
    """Stands for the watch of the server: a test says what it would tell."""

    def __init__(self, found: Callable[[Places], object], changed: Callable[[], object]) -> None:
        self.found, self.changed = found, changed
        self.status: Status | None = None
        self.stopped = False

    def follow(self, _: Invite, status: Status, __: float) -> None:
        """See ServerWatch."""
        self.status = status

    def deadline(self) -> float:
        """See ServerWatch."""
        return math.inf

    def stop(self) -> None:
        """See ServerWatch."""
        self.stopped = True


class CoreBench:
    """A core, its cache in a file, and what it connects to, waits for and tells.

    Time stands still until a test moves `now`, in seconds.
    """

    made: ClassVar[list[CoreBench]] = []
    """Every bench of the present test, to be closed after it."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        joined: bool = False,
        follow: Collection[str] | None = None,
        on_event: Callable[[Event], bool] | None = None,
    ) -> None:
        self.now = 1000.0
        clocks = {"monotonic": lambda: self.now, "time": lambda: self.now}
        clocks["time_ns"] = lambda: int(self.now * 1e9)
        monkeypatch.setattr(core_module, "time", SimpleNamespace(**clocks))
        monkeypatch.setattr(core_module, "connect_in_background", self._connect_in_background)
        monkeypatch.setattr(core_module, "ServerWatch", self._server_watch)
        monkeypatch.setattr("random.random", lambda: 0.0)
        self.attempts: list[Callable[[Outcome], None]] = []
        """Of each attempt to connect that is under way: what is called when it is done."""
        self.found: list[tuple[tuple[str, int], ...]] = []
        """Of each attempt so far, the addresses beyond those of the invite."""
        self.added: list[tuple[tuple[str, int], ...]] = []
        """The same that were added to an attempt that was under way."""
        self.peer = "192.0.2.7", 1
        """The address of the server's end, as a connection over a network would have one."""
        monkeypatch.setattr(core_module, "_peer", lambda _: self.peer)
        self.file = folder / "cache.db"
        self.cache = BrokenCache(self.file)
        self.told: list[news.News] = []
        invite = Invite(("192.0.2.7",), 1, None, "k" * 22, "Home")
        account = new_account(invite, "ada", "Ada")
        account = replace(account, joined=joined)
        self.core = Core(account, self.cache, self._tell, follow=follow, on_event=on_event)
        self.server = ServerEnd()
        self.socket: socket.socket | None = None
        """The server's end of the present connection."""
        self.waited: list[tuple[float, int]] = []
        """Of each turn: how long it would have waited, and how many were ready."""
        self._select = self.core._selector.select
        monkeypatch.setattr(self.core._selector, "select", self._noted)
        self._ended = False
        self.made.append(self)

    def _connect_in_background(
        self, _: Invite, done: Callable[[Outcome], None], found: Sequence[tuple[str, int]]
    ) -> SimpleNamespace:
        self.attempts.append(done)
        self.found.append(tuple(found))
        return SimpleNamespace(add=self.added.append, cancel=lambda: None)

    def _server_watch(
        self, found: Callable[[Places], object], changed: Callable[[], object]
    ) -> FakeWatch:
        self.watch = FakeWatch(found, changed)
        return self.watch

    def _tell(self, told: Sequence[news.News]) -> None:
        assert not self.cache.is_writing, "told before it was stored"
        self.told += told

    def _noted(self, timeout: float) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._select(0)
        self.waited.append((timeout, len(ready)))
        return ready

    # Its turns

    def turn(self, times: int = 1) -> None:
        """Take turns."""
        for _ in range(times):
            self.core._turn()

    def rests(self) -> bool:
        """Whether it waits for something to happen, and finds nothing to do until then."""
        self.waited.clear()
        self.turn(5)
        return all(timeout > 0 and not ready for timeout, ready in self.waited)

    def run(self) -> None:
        """All that its thread does, here: turn after turn, until it ends by itself."""
        self.core._run()
        self._ended = True

    def end(self) -> None:
        """As `stop` ends its thread, which takes no more turn."""
        self.core._stopping = True
        self.run()

    def close(self) -> None:
        """Let go of everything."""
        if not self._ended:
            self.cache.error = None
            self.end()
        if self.socket is not None:
            self.socket.close()

    # Its server

    def connect(self) -> list[ToServer]:
        """The attempt that is under way succeeds; what the client says first."""
        if self.socket is not None:
            self.socket.close()
        ours, self.socket = socket.socketpair()
        for end in (ours, self.socket):
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
        self.server = ServerEnd()
        self.attempts.pop()(Transport(ours))
        self.turn()
        return self.heard()

    def fail_to_connect(self, outcome: Outcome) -> None:
        """The attempt that is under way fails."""
        self.attempts.pop()(outcome)
        self.turn()

    def send(self, *said: ToClient | Event | bytes) -> None:
        """The server says something, all of it at once."""
        assert self.socket is not None
        for each in said:
            data = each if isinstance(each, bytes) else self._frame(each)
            self.socket.sendall(data)

    def _frame(self, said: ToClient | Event) -> bytes:
        return self.server.send(on_wire(said) if isinstance(said, Event) else said)

    def answer(self, *said: ToClient | Event | bytes) -> list[ToServer]:
        """The server says something; what the client says to that."""
        self.send(*said)
        self.turn(2)
        return self.heard()

    def heard(self) -> list[ToServer]:
        """What the client transmitted."""
        commands: list[ToServer] = []
        for item in self.server.receive(self.drain()):
            assert not isinstance(item, Violation), item
            commands.append(item)
        return commands

    def drain(self) -> bytes:
        """The bytes that are there for the server."""
        assert self.socket is not None
        data = b""
        with suppress(BlockingIOError):
            while more := self.socket.recv(1 << 20):
                data += more
        return data

    def hung_up(self) -> bool:
        """Whether the client has closed the connection. What it said before is not kept."""
        assert self.socket is not None
        try:
            while self.socket.recv(1 << 20):
                pass
        except BlockingIOError:
            return False
        except ConnectionResetError:
            pass
        return True

    def sign_in(self) -> list[ToServer]:
        """Connect, and come in; what is asked then."""
        if not self.attempts:
            self.turn(2)
        (hello,) = self.connect()
        (opening,) = self.answer(
            messages.Welcome(
                re=hello.id,
                protocol=limits.PROTOCOL_VERSION,
                program="S",
                server_name="Home",
                epoch=EPOCH,
            )
        )
        return self.answer(
            messages.SignedIn(
                re=opening.id,
                username="ada",
                display_name="Ada",
                session="a" * 32,
                role="member",
                mute=None,
            )
        )

    def go_online(self, **heads: int) -> list[ToServer]:
        """Sign in and list everything; what is asked last."""
        people = only(self.sign_in(), messages.ListPeople)
        online = only(
            self.answer(messages.People(re=people.id, since=people.since, people=(), more=False)),
            messages.ListOnline,
        )
        rooms = only(
            self.answer(messages.Online(re=online.id, online=(), more=False)), messages.ListRooms
        )
        listed = tuple(room_of(room, head) for room, head in heads.items())
        return self.answer(messages.Rooms(re=rooms.id, rooms=listed, more=False))

    # What came of it

    def news_of(self, kind: type[Kind]) -> list[Kind]:
        """The news of a kind, so far."""
        return [item for item in self.told if isinstance(item, kind)]

    def outbox(self, room: str = "general") -> list[str]:
        """What is on the disk to be sent, read by another connection to it."""
        reader = CacheReader(self.file)
        found = [out.text for out in reader.outbox(room)]
        reader.close()
        return found

    def drafts(self) -> dict[str, str]:
        """The drafts on the disk."""
        reader = CacheReader(self.file)
        found = reader.drafts()
        reader.close()
        return found
