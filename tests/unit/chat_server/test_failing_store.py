"""What a store that fails costs: the writers a refusal, nobody anything else, and no thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chat_server.hub.queue import HubQueue, Received
from chat_server.hub.retry import LONGEST_PAUSE, Retry
from chat_server.net.query_workers import Readers
from chat_server.rules import effects, inputs
from chat_server.rules.directory import Directory, RoomLog
from chat_server.rules.view import StoreFailed, StoreRecovered
from chat_server.store.sqlite import schema
from chat_server.store.sqlite import store as log_module
from chat_server.store.sqlite.reader import SqliteReader
from common.domain.names import GENERAL
from common.protocol import messages
from tests.contract.engines import io_error
from tests.unit.chat_server.house import House, installation, listed, seqs, token
from tests.unit.chat_server.test_hub import DEADLINE, Running, answers, failing_commit, fanout


class Disk:
    """The disk of a house's database, which can be pulled out."""

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        self.away = False
        self.opened = 0
        self._house = house
        self._connect = schema.connect_again
        house.log._connection = self._cable(house.log._connection)
        monkeypatch.setattr(log_module, "connect_again", self._again)

    def _again(self, path: Path) -> Any:
        self.opened += 1
        if self.away:
            raise io_error()
        return self._cable(self._connect(path))

    def _cable(self, connection: sqlite3.Connection) -> Any:
        disk = self

        class Cable:
            """A connection to the database over a cable that may be loose."""

            in_transaction = property(lambda _: connection.in_transaction)
            close = staticmethod(connection.close)

            @staticmethod
            def execute(*arguments: Any) -> sqlite3.Cursor:
                """As the connection's, if the disk is there."""
                if disk.away:
                    raise io_error()
                return connection.execute(*arguments)

        return Cable()


@pytest.fixture
def running(house: House) -> Iterator[Running]:
    """A hub of a house in which ada (1) and bob (2) are, and a stranger (3) is connected."""
    house.join("ada")
    house.join("bob")
    house.connect()
    made = Running(house)
    yield made
    made.stop()


@pytest.fixture
def clock(running: Running) -> list[float]:
    """The hub's time for trying again, in seconds, as its only item."""
    now = [0.0]
    running._hub._batches._retry = Retry(lambda: now[0])
    return now


def test_pauses_begin_with_none_and_grow_to_a_bound() -> None:
    """A first failure may have been an accident; a disk that is away is asked now and then."""
    now = [0.0]
    retry = Retry(lambda: now[0])
    pauses = []
    for _ in range(2000):
        retry.failed()
        begun = now[0]
        while not retry.due:
            now[0] += 0.0625  # exact in binary
        pauses.append(now[0] - begun)
    assert pauses[0] == 0
    assert pauses[1:] == sorted(pauses[1:])
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE, abs=0.07)
    retry.worked()
    assert retry.due


@pytest.mark.usefixtures("errors_logged")
def test_a_disk_that_is_away_is_tried_seldom_and_used_when_it_is_back(
    running: Running, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every writer is answered at once, the disk asked at growing intervals; then it works."""
    disk = Disk(running.house, monkeypatch)
    before = running.house.log.load()
    disk.away = True
    for _ in range(300):
        clock[0] += 0.1
        send, ping = running.send("hello"), messages.Ping(id=running.house.request())
        batch = running.batch(Received(1, (send, ping)))
        refused, pong = answers(batch, 1)
        assert isinstance(refused, messages.Error)
        assert (refused.re, refused.code, refused.retryable) == (send.id, "busy", True)
        assert pong == messages.Pong(re=ping.id)
    assert 5 < disk.opened < 20
    assert running.house.world.directory == before
    disk.away = False
    clock[0] += LONGEST_PAUSE
    batch = running.batch(Received(1, (running.send("back"),)), Received(2, (running.send("!"),)))
    assert len(fanout(batch).events) == 2
    assert [text for *_, text in running.house.stored()[2:]] == ["back", "!"]
    running.stop()
    # The host is told once, and once that it is over.
    kinds = (StoreFailed, StoreRecovered)
    assert [type(event) for event in running.shown if isinstance(event, kinds)] == list(kinds)
    assert running.house.world.directory == running.house.log.load()


@pytest.mark.usefixtures("errors_logged")
def test_another_database_in_its_place_is_not_written(
    running: Running, clock: list[float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What comes back must be what went away: nobody's messages go into some other chat's log."""
    disk = Disk(running.house, monkeypatch)
    disk.away = True
    for _ in range(2):
        running.batch(Received(1, (running.send("hello"),)))
    other = House(tmp_path / "other.db")
    other.join("ada")
    monkeypatch.setattr(running.house.log, "_path", other.path)
    disk.away = False
    clock[0] += LONGEST_PAUSE
    batch = running.batch(Received(1, (running.send("whose is it?"),)))
    assert [type(each) for each in answers(batch, 1)] == [messages.Error]
    assert len(other.stored()) == 1
    other.close()


@pytest.mark.usefixtures("errors_logged")
def test_who_has_what_the_disk_lost_compares_anew(
    running: Running, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that lost what it said it had: all have to come again, for none may keep a hole."""
    running.batch(Received(1, (running.send("lost"),)))
    disk = Disk(running.house, monkeypatch)
    disk.away = True
    for _ in range(2):
        running.batch(Received(1, (running.send("hello"),)))
    with closing(sqlite3.connect(running.house.path)) as other, other:
        other.execute("DELETE FROM events WHERE seq = 3")
    disk.away = False
    clock[0] += LONGEST_PAUSE
    batch = running.batch(Received(1, (running.send("after it"),)))
    ended = [each for each in batch if isinstance(each, effects.Disconnect)]
    assert {each.connection: each.goodbye.code for each in ended} == {1: "internal", 2: "internal"}
    assert running.house.world.head(GENERAL) == 2
    assert running.house.world.delivery.tails.between(GENERAL, 2, 3) is None


@pytest.mark.usefixtures("errors_logged")
def test_no_answer_names_what_was_not_stored(running: Running) -> None:
    """Heads, rooms and people are told as they are after the commit, whether it worked or not."""
    house = running.house
    sign_in = messages.SignIn(
        id=90, username="bob", token=token("bob"), device="Linux", installation=installation("bob")
    )
    house.connect()  # 4: bob's second device
    running.batch(Received(4, (sign_in,)))
    asked = (
        messages.Sync(id=91, positions={GENERAL: 2}),
        messages.ListRooms(id=92),
        messages.ListPeople(id=93),
    )
    said = (running.send("in general"), running.send("psst", "dm:ada:bob"))
    with failing_commit(house):
        batch = running.batch(
            Received(1, said), Received(3, (house.join_command("cem"),)), Received(4, asked)
        )
    synced, rooms, people = answers(batch, 4)
    assert synced == messages.Synced(re=91, heads={GENERAL: 2}, skipped=(), refused={})
    assert rooms == messages.Rooms(re=92, rooms=(listed(GENERAL, 2),), more=False)
    assert isinstance(people, messages.People)
    assert [person.username for person in people.people] == ["ada", "bob"]
    # And what is stored is told: the heads are those after the batch.
    batch = running.batch(Received(1, said), Received(2, (messages.ListRooms(id=94),)))
    (rooms,) = answers(batch, 2)[:1]
    assert rooms == messages.Rooms(
        re=94,
        rooms=(listed("dm:ada:bob", 1), listed(GENERAL, 3)),
        more=False,
    ) or isinstance(rooms, messages.RoomAdded)


@pytest.mark.usefixtures("errors_logged")
def test_a_mistake_half_way_through_takes_the_batch_back(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command broke off after it had made a room: nothing of it stays, in memory or on disk."""
    house = running.house
    before = house.log.load()
    original = Directory.add_room

    def add_room(directory: Directory, room: RoomLog) -> None:
        original(directory, room)
        raise ZeroDivisionError

    monkeypatch.setattr(Directory, "add_room", add_room)
    writes = [running.send("good"), running.send("psst", "dm:ada:bob")]
    batch = running.batch(Received(2, (writes[0],)), Received(1, (writes[1],)))
    refused = [each for number in (1, 2) for each in answers(batch, number)]
    assert [getattr(each, "code", each) for each in refused] == ["internal"] * 2
    monkeypatch.undo()
    assert house.world.directory == before == house.log.load()
    batch = running.batch(Received(2, (writes[0],)), Received(1, (writes[1],)))
    assert [each.room for each in batch if isinstance(each, effects.Fanout)] == [
        GENERAL,
        "dm:ada:bob",
    ]


@pytest.mark.usefixtures("errors_logged")
def test_readers_outlive_a_disk_and_open_it_anew(house: House) -> None:
    """A page that can't be read is told, whatever is wrong; the next one is read."""
    house.join("ada")
    queue, wrong = HubQueue(), [io_error(), OSError("gone"), ZeroDivisionError()]

    def reader() -> SqliteReader:
        if wrong:
            raise wrong.pop()
        return SqliteReader(house.path)

    left: list[tuple[int, list[int]]] = []
    pool = Readers(reader, queue, lambda _, number, frames: left.append((number, seqs(frames))))
    pool.start()
    try:
        got: list[Any] = []
        for _ in range(4):
            pool.post(effects.ReadPage(1, ((GENERAL, 0),)))
            got += queue._queue.get(timeout=DEADLINE)
        pool.renew()
        pool.post(effects.ReadPage(1, ((GENERAL, 0),)))
        got += queue._queue.get(timeout=DEADLINE)
    finally:
        pool.stop()
    assert [type(each) for each in got] == [inputs.PageFailed] * 3 + [inputs.PageRead] * 2
    assert left == [(1, [1]), (2, [1])]
