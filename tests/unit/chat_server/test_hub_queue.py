"""The hub's queue keeps every item, and the order within each lane, from any thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TypeGuard

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.hub.queue import (
    BATCH,
    SHARE,
    UNAUTHENTICATED_SHARE,
    HubItem,
    HubQueue,
    Received,
    Report,
    StopHub,
)
from chat_server.rate_limit import cost
from chat_server.rules import effects, inputs
from common.protocol import messages
from tests.unit.chat_server.house import House, installation, token
from tests.unit.chat_server.test_hub import Running, answers, failing_commit


def drained(*numbers: int) -> list[HubItem]:
    """Items that can be told apart."""
    return [inputs.Drained(number) for number in numbers]


def everything(queue: HubQueue) -> list[list[HubItem]]:
    """All batches there are."""
    batches = []
    while not queue._queue.empty() or queue._unauthenticated or queue._waiting or queue._barrier:
        batches.append(queue.take())
    return batches


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 300)), max_size=12))
def test_each_lane_keeps_its_order_and_everything_comes(posts: list[tuple[bool, int]]) -> None:
    """However much is posted where: all of it comes once, of newcomers a little in each batch."""
    queue = HubQueue()
    report = Report(queue)
    posted: dict[bool, list[HubItem]] = {True: [], False: []}
    number = 0
    for unauthenticated, count in posts:
        for item in drained(*range(number, number + count)):
            report.add(item, unauthenticated=unauthenticated)
            posted[unauthenticated].append(item)
        number += count
        if count % 3:
            report.post()
    report.post()
    of_newcomers = set(posted[True])
    batches = everything(queue)
    for batch in batches:
        assert sum(item in of_newcomers for item in batch) <= UNAUTHENTICATED_SHARE
    got = [item for batch in batches for item in batch]
    assert [item for item in got if item in of_newcomers] == posted[True]
    assert [item for item in got if item not in of_newcomers] == posted[False]


def test_newcomers_come_in_while_others_never_stop() -> None:
    """A lane that is never empty does not keep the other one waiting."""
    queue = HubQueue()
    queue.post_unauthenticated(drained(*range(20)))
    seen = 0
    for _ in range(3):
        queue.post(*drained(*range(1000, 1000 + 2 * BATCH)))
        seen += sum(
            item.connection < 20 for item in queue.take() if isinstance(item, inputs.Drained)
        )
    assert seen == 20


def test_a_crowd_of_newcomers_holds_up_nobody() -> None:
    """What others posted after a thousand newcomers comes with the first few of them."""
    queue = HubQueue()
    queue.post_unauthenticated(drained(*range(1000)))
    queue.post(*drained(5000))
    first = queue.take()
    assert inputs.Drained(5000) in first
    assert len(first) == 1 + UNAUTHENTICATED_SHARE


def test_nothing_is_posted_for_nothing() -> None:
    """A report with nothing in it wakes nobody."""
    queue = HubQueue()
    Report(queue).post()
    assert queue._queue.empty()


def test_no_wake_up_is_lost_between_threads() -> None:
    """Three threads post to both lanes, the hub's sleeps in between: everything arrives."""
    queue = HubQueue()
    each = 2000

    def post(first: int) -> None:
        report = Report(queue)
        for number in range(first, first + each):
            report.add(inputs.Drained(number), unauthenticated=bool(number % 2))
            if number % 7 == 0:
                report.post()
        report.post()

    threads = [threading.Thread(target=post, args=(start * each,)) for start in range(3)]
    for thread in threads:
        thread.start()
    got: list[int] = []
    while len(got) < 3 * each:
        got += [item.connection for item in queue.take() if isinstance(item, inputs.Drained)]
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(3 * each))
    for start in range(3):
        for odd in (0, 1):
            mine = [n for n in got if n // each == start and n % 2 == odd]
            assert mine == sorted(mine)


def test_the_end_comes_after_what_those_who_are_in_said() -> None:
    """Newcomers may still wait then: the I/O thread says goodbye to them."""
    queue = HubQueue()
    queue.post_unauthenticated(drained(*range(50)))
    queue.post(*drained(*range(100, 100 + BATCH)))
    queue.post(StopHub())
    batches = everything(queue)
    others = [
        item
        for batch in batches
        for item in batch
        if isinstance(item, StopHub)
        or (isinstance(item, inputs.Drained) and item.connection >= 100)
    ]
    assert others == [*drained(*range(100, 100 + BATCH)), StopHub()]


# Batches that fail


@pytest.fixture
def running(house: House) -> Iterator[Running]:
    """A hub of a house in which ada (1) and bob (2) are, and two strangers (3, 4) are connected."""
    house.join("ada")
    house.join("bob")
    house.connect()
    house.connect()
    made = Running(house)
    yield made
    made.stop()


@pytest.mark.usefixtures("errors_logged")
def test_who_signed_in_to_what_was_taken_back_harms_nobody(running: Running) -> None:
    """A join and a sign-in as the one who joined, in one batch, which can't be stored.

    Whatever becomes of the second: what others say in a batch with it is stored and answered.
    """
    house = running.house
    sign_in = messages.SignIn(
        id=9, username="cem", token=token("cem"), device="Linux", installation=installation("cem")
    )
    with failing_commit(house):
        running.batch(Received(3, (house.join_command("cem"),)), Received(4, (sign_in,)))
    good = running.send("good")
    batch = running.batch(Received(4, (running.send("whose?"),)), Received(1, (good,)))
    assert [each.re for each in answers(batch, 1) if isinstance(each, messages.Ack)] == [good.id]


@pytest.mark.usefixtures("errors_logged")
def test_tails_hold_nothing_that_was_taken_back(running: Running) -> None:
    """After a failed batch whoever asks gets from memory what is on the disk, and no more."""
    running.batch(Received(1, (running.send("kept"),)))
    head = running.house.world.head("general")
    with failing_commit(running.house):
        running.batch(
            Received(1, (running.send("taken back"),)),
            Received(2, (messages.Sync(id=5, positions={"general": head - 1}),)),
        )
    # Its head had moved when it was asked: so it is read, and what is read is on the disk.
    assert running.pages == [effects.ReadPage(2, (("general", head - 1),))]
    batch = running.batch(Received(1, (running.send("instead"),)))
    (fanout,) = [each for each in batch if isinstance(each, effects.Fanout)]
    assert fanout.first == head + 1
    tails = running.house.world.delivery.tails
    found = tails.between("general", head, head + 1)
    assert found == list(fanout.events)
    assert [text for *_, text in running.house.stored()[-2:]] == ["kept", "instead"]


@pytest.mark.usefixtures("errors_logged")
def test_the_same_message_twice_in_one_batch_is_one(running: Running) -> None:
    """Also after a room or an account was made in the same batch, which writes what was noted."""
    cid, text = "a" * 16, "once"
    batch = running.batch(
        Received(1, (running.send(text, cid=cid), running.send("psst", "dm:ada:bob"))),
        Received(1, (running.send(text, cid=cid),)),
        Received(3, (running.house.join_command("cem"),)),
        Received(1, (running.send(text, cid=cid), running.send("other", cid=cid))),
    )
    places = {
        each.seq for each in answers(batch, 1) if isinstance(each, messages.Ack) and each.cid == cid
    }
    assert len(places) == 1
    assert [each.code for each in answers(batch, 1) if isinstance(each, messages.Error)] == [
        "cid_reused"
    ]
    assert [t for *_, t in running.house.stored()].count(text) == 1


# In turn


def sends(running: Running, connection: int, count: int) -> Received:
    """So many short messages in one piece, with what they cost."""
    commands = tuple(running.send(f"{connection}.{n}") for n in range(count))
    return Received(connection, commands, sum(map(cost, commands)))


def test_who_says_a_little_does_not_wait_for_who_says_much(running: Running) -> None:
    """In the first batch is a share of each flood, and everybody's one message."""
    queue = HubQueue()
    queue.post(*(sends(running, flood, 1000) for flood in range(1, 6)))
    queue.post(*(sends(running, single, 1) for single in range(10, 20)))
    first = queue.take()
    by_connection = {item.connection: len(item.commands) for item in first if is_received(item)}
    assert set(by_connection) == {*range(1, 6), *range(10, 20)}
    assert all(by_connection[flood] <= SHARE + 1 for flood in range(1, 6))
    assert sum(by_connection.values()) <= BATCH


def test_dear_commands_are_counted_for_what_they_cost(running: Running) -> None:
    """A thousand lists in one piece: a few in each batch, however few others there are."""
    queue = HubQueue()
    lists = tuple(messages.ListRooms(id=number) for number in range(1, 1001))
    queue.post(Received(1, lists, sum(map(cost, lists))))
    queue.post(sends(running, 2, 1))
    first = queue.take()
    assert [item.connection for item in first if is_received(item)][1] == 2
    assert sum(map(cost, of(first, 1))) <= BATCH + cost(lists[0])


def test_nothing_of_one_connection_overtakes_or_is_lost(running: Running) -> None:
    """However it is cut up: its commands come in their order, and its end after them."""
    queue = HubQueue()
    said = [sends(running, 1, count) for count in (3, 700, 1, 90)]
    gone = inputs.Closed(1, "left")
    queue.post(*said, gone)
    queue.post(sends(running, 2, 900))
    batches = everything(queue)
    got = [item for batch in batches for item in batch]
    assert of(got, 1) == tuple(command for part in said for command in part.commands)
    assert [item for item in got if getattr(item, "connection", 0) == 1][-1] == gone
    assert all(sum(map(cost, of(batch, 1) + of(batch, 2))) <= BATCH + SHARE for batch in batches)


def test_the_hosts_word_comes_before_a_flood(running: Running) -> None:
    """Who is thrown out is gone at once, whatever of it waits; the end waits for everything."""
    queue = HubQueue()
    queue.post(sends(running, 1, 2000), inputs.CloseEverything(), sends(running, 2, 1), StopHub())
    queue.post(enough(3))
    assert not any(isinstance(item, inputs.CloseEverything) for item in queue.take())
    rest = [item for batch in everything(queue) for item in batch]
    kinds = [type(item) for item in rest if not is_received(item)]
    assert kinds == [inputs.CloseEverything, StopHub, inputs.EndSessions]
    queue.post(sends(running, 1, 2000), enough(1))
    assert queue.take()[0] == enough(1)
    ban = Received(-1, (messages.Ban(id=1, username="ada"),))
    queue.post(sends(running, 1, 2000), ban)
    assert queue.take()[0] == ban


def enough(connection: int) -> inputs.EndSessions:
    """A connection is ended."""
    goodbye = messages.Goodbye(code="terminated", params={"reason": "Enough."})
    return inputs.EndSessions((connection,), goodbye, "terminated")


def is_received(item: HubItem) -> TypeGuard[Received]:
    """Whether it is commands."""
    return isinstance(item, Received)


def of(items: list[HubItem], connection: int) -> tuple[messages.ToServer, ...]:
    """The commands of one connection."""
    return tuple(
        command
        for item in items
        if is_received(item) and item.connection == connection
        for command in item.commands
    )
