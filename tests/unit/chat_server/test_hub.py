"""The hub: what leaves it is on the disk, in order, and a failed commit invents nothing.

The hub, the rules and the store are the real ones; only the I/O thread is a recorder.
"""

from __future__ import annotations

import queue
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import cast

import pytest

from chat_server.hub.hub import Hub
from chat_server.hub.queue import BATCH, HubItem, HubQueue, Received, StopHub
from chat_server.net.endpoints.local import LocalEndpoint
from chat_server.net.io_thread import IoThread
from chat_server.net.query_workers import Readers
from chat_server.rules import effects, inputs
from chat_server.rules.directory import Account, RoomLog
from chat_server.rules.view import ClientSignedIn, MessagesStored, StoreFailed, ViewEvent
from chat_server.store.store import StoreUnreadableError
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.events import Event
from common.protocol.messages import Message
from tests.events import send
from tests.unit.chat_server.house import House, acks_in

DEADLINE = 10.0


class Batches(HubQueue):
    """A queue whose batches are made by hand; what is posted alone is one."""

    def __init__(self) -> None:
        super().__init__()
        self.ready: queue.SimpleQueue[list[HubItem]] = queue.SimpleQueue()

    def post(self, *items: HubItem) -> None:
        """A batch of its own."""
        self.ready.put(list(items))

    def take(self) -> list[HubItem]:
        """The next batch."""
        return self.ready.get()


class Running:
    """A running hub over a house, and everything it hands out."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.queue = Batches()
        self.shown: list[ViewEvent] = []
        self.pages: list[effects.ReadPage] = []
        self.events_on_disk: list[int] = []
        self.heard: list[Message] = []
        """What the host is told."""
        self._posted: queue.SimpleQueue[list[effects.IoEffect]] = queue.SimpleQueue()
        self._disk = sqlite3.connect(house.path, check_same_thread=False)
        self._hub = Hub(self.queue, house.world, self._show)

        class Io:
            """Stands in for the I/O thread, and looks at the disk when something arrives."""

            @staticmethod
            def post(batch: list[effects.IoEffect]) -> None:
                """From the hub."""
                rows = self._disk.execute("SELECT count(*) FROM events").fetchone()
                self.events_on_disk.append(rows[0])
                self._posted.put(batch)

        class Pages:
            """Stands in for the readers."""

            @staticmethod
            def post(job: effects.ReadPage) -> None:
                """From the hub."""
                self.pages.append(job)

            @staticmethod
            def renew() -> None:
                """From the hub."""

        class Local:
            """Stands in for the host's sessions."""

            @staticmethod
            def carry_out(effect: effects.ToOne) -> None:
                """From the hub."""
                if isinstance(effect, effects.Tell):
                    self.heard.append(effect.message)

        self._hub.start(
            [cast("IoThread", Io)], cast("Readers", Pages), cast("LocalEndpoint", Local)
        )

    def batch(self, *items: HubItem) -> list[effects.IoEffect]:
        """What the hub releases for these items, taken from its queue at once."""
        self.queue.ready.put(list(items))
        return self._posted.get(timeout=DEADLINE)

    def stop(self) -> None:
        """End the hub; everything it was given is done then."""
        self._hub.stop()
        self._disk.close()

    def _show(self, events: Sequence[ViewEvent]) -> None:
        self.shown += events

    def send(self, text: str, room: str = GENERAL, cid: str = "") -> messages.Send:
        """A message to send."""
        return send(self.house.request(), text, room=room, cid=cid or self.house.cid())


@pytest.fixture
def running(house: House) -> Iterator[Running]:
    """A hub of a house in which ada (1), bob (2) and a stranger (3) are connected."""
    house.join("ada")
    house.join("bob")
    house.connect()
    made = Running(house)
    yield made
    made.stop()


def fanout(batch: list[effects.IoEffect]) -> effects.Fanout:
    """The one fan-out of a batch."""
    (found,) = [effect for effect in batch if isinstance(effect, effects.Fanout)]
    return found


def answers(batch: list[effects.IoEffect], connection: int) -> list[Message]:
    """What a batch answers one connection, acknowledgements included."""
    said: list[Message] = []
    for effect in batch:
        if isinstance(effect, effects.Tell) and effect.connection == connection:
            said.append(effect.message)
        elif isinstance(effect, effects.Fanout):
            said += acks_in(effect, connection)
    return said


def test_a_batch_is_one_fan_out_in_the_order_of_the_log(running: Running) -> None:
    """Two people speak at once: each room has one run of events, acks stand in their places."""
    batch = running.batch(
        Received(1, (running.send("a1"), running.send("a2"))),
        Received(2, (running.send("b1"),)),
        Received(1, (running.send("a3"),)),
    )
    found = fanout(batch)
    assert (found.room, found.first) == (GENERAL, 3)
    assert [event.seq for event in found.events] == [3, 4, 5, 6]
    assert {number: list(acks) for number, acks in found.acks.items()} == {1: [0, 1, 3], 2: [2]}
    assert [text for *_, text in running.house.stored()[2:]] == ["a1", "a2", "b1", "a3"]


def test_acknowledgements_leave_after_the_commit(running: Running) -> None:
    """When the I/O thread gets a batch, another connection to the database sees all of it."""
    running.batch(Received(1, tuple(running.send(f"{n}") for n in range(50))))
    assert running.events_on_disk == [2 + 50]


def test_rooms_are_known_before_their_first_event(running: Running) -> None:
    """A new direct room is told of ahead of its fan-out, in the same batch."""
    batch = running.batch(Received(1, (running.send("psst", "dm:ada:bob"),)))
    kinds = [type(effect) for effect in batch]
    assert kinds == [effects.TellAccount, effects.TellAccount, effects.Fanout]


def test_the_host_is_shown_what_was_stored(running: Running) -> None:
    """Messages are counted once stored; joins are no messages."""
    running.batch(
        Received(1, (running.send("1"), running.send("2"))),
        Received(3, (running.house.join_command("cem"),)),
    )
    running.stop()
    (stored,) = [event for event in running.shown if isinstance(event, MessagesStored)]
    assert stored.count == 2
    (appeared,) = [event for event in running.shown if isinstance(event, ClientSignedIn)]
    assert appeared.username == "cem"


def test_pages_are_asked_of_the_readers(running: Running) -> None:
    """Catching up never reads in the hub's thread."""
    running.batch(Received(1, (messages.Sync(id=9, positions={GENERAL: 0}),)))
    assert running.pages == [effects.ReadPage(1, ((GENERAL, 0),))]


def test_commands_of_ended_sessions_are_dropped(running: Running) -> None:
    """What a connection sent after it was ended is not stored, though it came in the same batch."""
    batch = running.batch(
        inputs.EndSessions((1,), messages.Goodbye(code="terminated", params={}), "terminated"),
        Received(1, (running.send("too late"),)),
        Received(2, (running.send("in time"),)),
    )
    assert [text for *_, text in running.house.stored()[2:]] == ["in time"]
    assert answers(batch, 1) == []


@contextmanager
def full_disk(house: House) -> Iterator[None]:
    """The database may not grow: SQLite itself says that the disk is full."""
    pragma = house.log._connection.execute
    (pages,) = pragma("PRAGMA page_count").fetchone()
    pragma(f"PRAGMA max_page_count = {pages + 1}")
    yield
    pragma("PRAGMA max_page_count = 1000000")


@contextmanager
def locked(house: House) -> Iterator[None]:
    """Some other program has the database: a transaction can't even begin."""
    house.log._connection.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(house.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def failing_commit(house: House) -> Iterator[None]:
    """Everything can be written, but the last step fails."""
    original = house.log.transaction

    @contextmanager
    def transaction() -> Iterator[None]:
        with original():
            yield
            raise StoreUnreadableError("disk I/O error")

    house.log.transaction = transaction  # type: ignore[method-assign]  # for this house
    yield
    house.log.transaction = original  # type: ignore[method-assign]


TROUBLE = pytest.mark.parametrize(
    ("trouble", "code", "told"),
    [
        (full_disk, "disk_full", ("disk_full_here", "database or disk is full")),
        (locked, "busy", ("busy_here", "database is locked")),
        (failing_commit, "busy", ("busy_here", "disk I/O error")),
    ],
)
"""What can be wrong, what clients are told, and what the host is."""


Told = tuple[str, str]


@TROUBLE
@pytest.mark.usefixtures("errors_logged")
def test_a_failed_commit_refuses_the_writers_and_nobody_else(
    running: Running,
    trouble: Callable[[House], AbstractContextManager[None]],
    code: str,
    told: tuple[str, str],
) -> None:
    """Writers may try again, others get their answers, memory and disk are as before."""
    house = running.house
    before, disk = house.log.load(), house.stored()
    big = "x" * 16000
    writes = [running.send(big), running.send(big, "dm:ada:bob"), running.send(big)]
    join = house.join_command("cem")
    with trouble(house):
        batch = running.batch(
            Received(2, (messages.Ping(id=70),)),
            Received(1, (writes[0], messages.ListRooms(id=71), writes[1])),
            Received(3, (join,)),
            Received(2, (writes[2], messages.Ping(id=72))),
        )
    assert not [effect for effect in batch if isinstance(effect, effects.Fanout)]
    refused = {
        message.re: (message.code, message.retryable)
        for number in (1, 2, 3)
        for message in answers(batch, number)
        if isinstance(message, messages.Error)
    }
    assert refused == dict.fromkeys([*(each.id for each in writes), join.id], (code, True))
    assert [message.re for message in answers(batch, 2) if isinstance(message, messages.Pong)] == [
        70,
        72,
    ]
    (rooms,) = [m for m in answers(batch, 1) if isinstance(m, messages.Rooms)]
    assert rooms.re == 71
    assert house.world.directory == before == house.log.load()
    assert house.stored() == disk
    assert not house.world.sessions.online("cem")
    # And then it works: the same commands again are taken.
    batch = running.batch(Received(1, tuple(writes[:2])), Received(3, (join,)))
    assert [type(m) for m in answers(batch, 1)[-2:]] == [messages.Ack, messages.Ack]
    assert isinstance(answers(batch, 3)[0], messages.SignedIn)
    running.stop()
    reasons = {
        (event.reason.code, event.reason.params["cause"])
        for event in running.shown
        if isinstance(event, StoreFailed)
    }
    assert reasons == {told}
    assert house.world.directory == house.log.load()


@pytest.mark.usefixtures("errors_logged")
def test_nobody_is_shown_who_could_not_be_stored(running: Running) -> None:
    """A join that failed appears neither to the host nor to the others."""
    with failing_commit(running.house):
        batch = running.batch(Received(3, (running.house.join_command("cem"),)))
    assert not [
        effect for effect in batch if isinstance(effect, effects.TellEveryone | effects.Admit)
    ]
    running.stop()
    assert not [event for event in running.shown if isinstance(event, ClientSignedIn)]


@pytest.mark.usefixtures("errors_logged")
def test_a_connection_that_left_in_a_failed_batch_is_gone(running: Running) -> None:
    """Taking a join back brings no closed connection to life again."""
    with failing_commit(running.house):
        running.batch(Received(3, (running.house.join_command("cem"),)), inputs.Closed(3, "left"))
    running.stop()
    assert running.house.world.sessions.get(3) is None


@pytest.mark.usefixtures("errors_logged")
def test_a_mistake_in_one_command_harms_no_other(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command gets `internal`, to be tried again; the rest of the batch is stored."""
    original = running.house.log.append

    def append(room: RoomLog, event: Event, sender: Account) -> Event | None:
        if event.cid == "e" * 16:
            raise ZeroDivisionError
        return original(room, event, sender)

    monkeypatch.setattr(running.house.log, "append", append)
    bad, good = running.send("bad", cid="e" * 16), running.send("good")
    batch = running.batch(Received(1, (bad,)), Received(2, (good,)))
    (error,) = answers(batch, 1)
    assert isinstance(error, messages.Error)
    assert (error.code, error.re, error.retryable) == ("internal", bad.id, True)
    assert [message.re for message in answers(batch, 2) if isinstance(message, messages.Ack)] == [
        good.id
    ]


def test_everything_posted_before_the_end_is_done(house: House) -> None:
    """Stopping loses nothing; a second stop is harmless."""
    house.join("ada")
    made = Running(house)
    for number in range(20):
        made.queue.post(Received(1, (made.send(str(number)),)))
    made._hub.stop()
    made.stop()
    assert len(house.stored()) == 21


def test_the_queue_gives_everything_in_order_in_bounded_batches() -> None:
    """All that has gathered comes at once, up to the bound of one commit."""
    waiting = HubQueue()
    items: list[HubItem] = [inputs.Drained(number) for number in range(BATCH + 10)]
    for item in [*items, StopHub()]:
        waiting.post(item)
    first, second = waiting.take(), waiting.take()
    assert first == items[:BATCH]
    assert second == [*items[BATCH:], StopHub()]
