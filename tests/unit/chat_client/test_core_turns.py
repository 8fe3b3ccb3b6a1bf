"""The core's turns, taken by hand: what is stored, transmitted and told, and in which order."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from chat_client import core as core_module
from chat_client.net.connector import ConnectError
from chat_client.state import news
from chat_client.state.attempts import Attempt, Failure
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Link
from common import limits
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.codec import encode
from common.protocol.events import Event
from tests.events import message, said
from tests.unit.chat_client.core_bench import CoreBench
from tests.unit.chat_client.desk import ack, event, only, synced

MakeBench = Callable[..., CoreBench]
MANY: Final = 20_000
PLENTY: Final = b"".join(encode(messages.Ping(id=number)) for number in range(1, MANY + 1))
"""More than the system takes in for a server that does not read."""


@pytest.fixture
def make_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeBench]:
    """Makes a core that has not begun."""

    def make(**options: object) -> CoreBench:
        return CoreBench(tmp_path, monkeypatch, **options)  # type: ignore[arg-type]  # passed on

    yield make
    while CoreBench.made:
        CoreBench.made.pop().close()


@pytest.fixture
def bench(make_bench: MakeBench) -> CoreBench:
    """A core that has not begun."""
    return make_bench()


def online(bench: CoreBench, **heads: int) -> messages.Sync:
    """A core that is signed in and has asked for its rooms."""
    return only(bench.go_online(**(heads or {"general": 0})), messages.Sync)


def full() -> sqlite3.Error:
    """What SQLite says on a full disk."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


def fail(*_: object) -> None:
    """A mistake of this program."""
    raise ZeroDivisionError


# What was written last


def test_what_is_written_in_the_last_moment_is_stored(bench: CoreBench) -> None:
    """There is no turn any more; neither with a connection."""
    online(bench)
    bench.core.send("general", *message("goodbye"))
    bench.core.save_draft("elsewhere", "half a sen")
    bench.end()
    assert bench.outbox() == ["goodbye"]
    assert bench.drafts() == {"elsewhere": "half a sen"}
    assert not bench.news_of(news.MessageNotStored)


def test_however_much_it_is(bench: CoreBench) -> None:
    """More than one turn takes."""
    texts = [str(number) for number in range(core_module._ORDERS_AT_ONCE + 10)]
    for text in texts:
        bench.core.send("general", *message(text))
    bench.end()
    assert bench.outbox() == texts


def test_what_could_not_be_stored_is_tried_a_last_time(bench: CoreBench) -> None:
    """Before what was written after it."""
    bench.turn()
    bench.cache.error = full()
    bench.core.save_draft("general", "first")
    bench.core.save_draft("elsewhere", "only")
    bench.turn()
    assert bench.drafts() == {}
    bench.core.save_draft("general", "second")
    bench.cache.error = None
    bench.end()
    assert bench.drafts() == {"general": "second", "elsewhere": "only"}


def test_what_can_not_be_stored_at_the_end_comes_back(
    bench: CoreBench, caplog: pytest.LogCaptureFixture
) -> None:
    """And nothing tells that it waits."""
    bench.turn()
    bench.cache.error = full()
    bench.core.send("general", *message("goodbye"))
    bench.end()
    assert bench.news_of(news.MessageNotStored) == [
        news.MessageNotStored("general", "goodbye", Reason("storage_full"))
    ]
    assert not bench.news_of(news.OutboxChanged)
    assert "could not be stored" in caplog.text


# A transaction that did not happen


def test_nothing_of_a_failed_transaction_is_told_or_transmitted(bench: CoreBench) -> None:
    """Neither what came nor what was written; the server brings again what came."""
    sync = online(bench, general=1)
    bench.told.clear()
    bench.cache.error = full()
    bench.core.send("general", *message("hello"))
    bench.send(synced(sync), event(1))
    bench.turn(2)
    assert bench.drain() == b""
    assert bench.hung_up()
    assert [type(item) for item in bench.told] == [news.StatusChanged, news.MessageNotStored]
    bench.cache.error = None
    bench.now += 60
    bench.turn(2)
    assert bench.outbox() == []
    assert only(bench.go_online(general=1), messages.Sync).positions == {"general": 0}


def test_nothing_of_a_turn_with_a_mistake_is_told_or_transmitted(
    bench: CoreBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What stood in the same turn did not happen either."""
    sync = online(bench, general=1)
    bench.told.clear()
    with monkeypatch.context() as patched:
        patched.setattr(bench.core._controller, "mark_read", fail)
        bench.core.send("general", *message("hello"))
        bench.core.mark_read("general", 1)
        bench.send(synced(sync), event(1))
        bench.turn(2)
    assert bench.hung_up()
    assert [type(item) for item in bench.told] == [news.StatusChanged, news.MessageNotStored]
    assert bench.outbox() == []
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("trouble", ["a mistake", "a full disk"])
def test_who_does_not_go_on_tells_nothing_of_its_last_turn(
    make_bench: MakeBench,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What was printed before it was stored would be printed again."""
    bench = make_bench(follow=("general",), on_event=lambda _: True)
    online(bench)
    bench.told.clear()
    if trouble == "a mistake":
        monkeypatch.setattr(bench.core._controller, "tick", fail)
    else:
        bench.cache.error = full()
    bench.core.send("general", *message("hello"))
    bench.run()
    assert [type(item) for item in bench.told] == [news.StatusChanged, news.MessageNotStored]
    status = bench.news_of(news.StatusChanged)[0].status
    assert (status.link, status.code) == (
        Link.REFUSED,
        "internal_error" if trouble == "a mistake" else "storage_full",
    )
    assert caplog.records


def test_a_listener_that_has_enough_keeps_nothing_of_that_turn(make_bench: MakeBench) -> None:
    """The next one is told the same event again."""

    def enough(_: Event) -> bool:
        raise core_module.StopListening

    bench = make_bench(follow=("general",), on_event=enough)
    sync = online(bench, general=1)
    bench.told.clear()
    bench.send(synced(sync), event(1))
    bench.run()
    assert [type(item) for item in bench.told] == [news.StatusChanged]
    assert bench.news_of(news.StatusChanged)[0].status.code == "enough"


def test_what_is_transmitted_is_stored_before(
    bench: CoreBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that the server has is one that is sent again, if its answer is lost."""
    online(bench)
    stored: list[list[str]] = []
    write = bench.core._write

    def noted(frames: bytes) -> None:
        if frames:
            assert not bench.cache.is_writing
            stored.append(bench.outbox())
        write(frames)

    monkeypatch.setattr(bench.core, "_write", noted)
    bench.core.send("general", *message("hello"))
    bench.turn()
    assert stored == [["hello"]]
    send = only(bench.heard(), messages.Send)
    assert bench.answer(ack(send, 1)) == []
    assert bench.outbox() == []


# When it has nothing to do


def test_it_rests_in_every_state(bench: CoreBench) -> None:
    """While it connects, after that failed, when it is online, and when nothing can be stored."""
    bench.turn()
    assert bench.rests()
    bench.fail_to_connect(ConnectError([]))
    assert bench.rests()
    bench.now += 1
    online(bench)
    assert bench.rests()
    bench.cache.error = full()
    bench.core.mark_read("general", 1)
    bench.turn(2)
    assert bench.rests()
    bench.cache.error = None
    bench.now += 60
    bench.turn(2)
    assert len(bench.attempts) == 1
    assert bench.rests()


def test_it_pings_once_and_waits(bench: CoreBench) -> None:
    """A ping for each time that it said nothing, and not one in every turn."""
    online(bench)
    for _ in range(3):
        bench.now += limits.PING_INTERVAL
        bench.turn()
        (ping,) = bench.heard()
        assert isinstance(ping, messages.Ping)
        assert bench.rests()
        assert bench.answer(messages.Pong(re=ping.id)) == []
    bench.now += limits.PING_INTERVAL - 0.001
    bench.turn()
    assert bench.heard() == []


def test_a_server_that_says_nothing_is_left(bench: CoreBench) -> None:
    """At its deadline, and not before."""
    online(bench)
    bench.now += limits.SILENCE_DEADLINE - 0.001
    bench.turn()
    assert not bench.hung_up()
    bench.now += 0.001
    bench.turn()
    assert bench.hung_up()
    assert bench.news_of(news.StatusChanged)[-1].status.code == "no_answer"


def test_after_a_mistake_it_pauses(
    bench: CoreBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that is made in every turn would fill the log."""
    bench.turn()
    monkeypatch.setattr(bench.core._controller, "tick", fail)
    waits: list[float] = []
    for _ in range(4):
        bench.turn()
        waits.append(bench.core._wait())
        bench.now += waits[-1]
    assert waits == sorted(waits)
    assert 0 < waits[0] < waits[-1]
    assert "ZeroDivisionError" in caplog.text


# The connection


def test_it_hangs_up_when_the_connection_has_no_more_use(bench: CoreBench) -> None:
    """The server said goodbye, and leaves the closing to the client."""
    online(bench)
    bench.answer(messages.Goodbye(code="terminated", params={}))
    assert bench.hung_up()
    assert bench.news_of(news.StatusChanged)[-1].status.link is Link.SIGNED_OUT
    bench.turn(5)
    assert bench.attempts == []
    bench.core.connect_now()
    bench.turn(2)
    assert len(bench.attempts) == 1


def test_what_breaks_the_protocol_is_hung_up_on(bench: CoreBench) -> None:
    """And what came with it is kept."""
    sync = online(bench, general=1)
    bench.send(synced(sync), event(1), b"\0\0\0\0")
    bench.turn()
    assert bench.hung_up()
    assert bench.news_of(news.StatusChanged)[-1].status.code == "unknown_message"


def test_who_is_connected_again_says_nothing_of_the_connection_before(bench: CoreBench) -> None:
    """What was not transmitted then belongs to that one."""
    online(bench)
    bench.core._write(PLENTY)
    assert bench.core._unwritten
    assert bench.socket is not None
    bench.socket.close()
    bench.turn()
    assert bench.news_of(news.StatusChanged)[-1].status.code == "lost"
    bench.now += 60
    bench.turn(2)
    (hello,) = bench.connect()
    assert isinstance(hello, messages.Hello)


def test_what_the_network_does_not_take_at_once_follows(bench: CoreBench) -> None:
    """In order and whole, when there is room; meanwhile the core waits for that."""
    online(bench)
    bench.core._write(PLENTY)
    bench.core.send("general", *message("hello"))
    bench.turn()
    assert bench.core._unwritten
    assert bench.rests(), "it waits until there is room"
    heard = bench.heard()
    while len(heard) < MANY + 1:
        bench.waited.clear()
        bench.turn()
        assert bench.waited[0][1] == 1, "it was told that there is room"
        heard += bench.heard()
    assert [command.id for command in heard[:-1]] == list(range(1, MANY + 1))
    assert isinstance(heard[-1], messages.Send)
    assert bench.rests()


def test_a_lot_at_once_is_read_in_several_turns(bench: CoreBench) -> None:
    """Without waiting between them, and without losing anything."""
    sync = online(bench, general=0)
    bench.answer(synced(sync))
    sent = 0
    for round_ in range(10):
        events = [said(sent + n, "bob", "x" * 4000) for n in range(1, 4)]
        bench.send(*events)
        sent += len(events)
        if round_ % 2:
            bench.turn()
    bench.turn(3)
    shown = [each.seq for told in bench.news_of(news.EventsAdded) for each in told.events]
    assert shown == list(range(1, sent + 1))
    assert bench.rests()


def test_a_crowd_of_orders_leaves_the_connection_its_turn(bench: CoreBench) -> None:
    """What the server says is heard between them."""
    sync = online(bench, general=1)
    for number in range(2 * core_module._ORDERS_AT_ONCE):
        bench.core.mark_read("general", number)
    bench.send(synced(sync), event(1))
    bench.turn()
    assert bench.news_of(news.EventsAdded)
    assert len(bench.core._inbox) == core_module._ORDERS_AT_ONCE
    assert bench.core._wait() == 0
    bench.turn()
    assert bench.rests()


# What a connection that was not made means


@pytest.mark.parametrize(("joined", "code"), [(True, "wrong_server"), (False, "not_the_invites")])
@pytest.mark.parametrize("order", [1, -1])
def test_another_server_in_its_place_is_told_whatever_else_was_tried(
    make_bench: MakeBench, joined: bool, code: str, order: int
) -> None:
    """No other address hides it, wherever it stands; nothing is tried again by itself."""
    bench = make_bench(joined=joined)
    bench.turn()
    attempts = [
        Attempt("192.0.2.7", 1, Failure.WRONG_SERVER),
        Attempt("192.0.2.8", 1, Failure.TIMED_OUT),
        Attempt("192.0.2.9", 1, Failure.REFUSED),
    ]
    bench.fail_to_connect(ConnectError(attempts[::order]))
    status = bench.news_of(news.StatusChanged)[-1].status
    assert (status.link, status.code) == (Link.REFUSED, code)
    assert status.attempts == tuple(attempts[::order])
    bench.now += 3600
    bench.turn(5)
    assert bench.attempts == []


def test_who_can_not_be_reached_is_tried_again(bench: CoreBench) -> None:
    """After a pause, which grows."""
    pauses: list[float] = []
    for _ in range(4):
        bench.turn()
        assert len(bench.attempts) == 1
        bench.fail_to_connect(ConnectError([Attempt("192.0.2.7", 1, Failure.REFUSED)]))
        status = bench.news_of(news.StatusChanged)[-1].status
        assert (status.link, status.code) == (Link.PAUSED, "unreachable")
        bench.now = status.retry_at - 0.001
        bench.turn()
        assert bench.attempts == []
        pauses.append(status.retry_at - bench.now)
        bench.now = status.retry_at
        bench.turn()
    assert pauses == sorted(pauses)


def test_a_message_is_told_as_sent_when_it_is_acknowledged(bench: CoreBench) -> None:
    """Waiting when it is stored; then the server's event takes its place."""
    sync = online(bench)
    bench.answer(synced(sync))
    bench.core.send("general", *message("hello"))
    bench.turn()
    (waiting,) = bench.news_of(news.OutboxChanged)
    assert waiting.state is OutboxState.WAITING
    send = only(bench.heard(), messages.Send)
    bench.answer(ack(send, 1))
    (told,) = bench.news_of(news.EventsAdded)
    assert [(each.seq, each.text) for each in told.events] == [(1, "hello")]


# Where discovery finds the server


NEAR = ("192.0.2.77", 4077)


def unreachable() -> ConnectError:
    """None of the invite's addresses led anywhere."""
    return ConnectError([Attempt("192.0.2.7", 1, Failure.TIMED_OUT)])


def test_a_server_that_is_found_is_connected_to_at_once(bench: CoreBench) -> None:
    """Without waiting for the end of the pause, and where it was found first of all."""
    bench.turn()
    assert bench.found == [()]
    bench.fail_to_connect(unreachable())
    assert bench.attempts == []
    bench.watch.found((NEAR,))
    bench.turn(2)
    assert len(bench.attempts) == 1
    assert bench.found == [(), (NEAR,)]


def test_hints_are_taken_at_intervals(bench: CoreBench) -> None:
    """Anybody can forge them: a flood is no flood of connections, and pauses grow all the same."""
    bench.turn()
    bench.fail_to_connect(unreachable())
    attempts = 0
    begun = bench.now
    for number in range(300):
        bench.now += 0.1
        bench.watch.found(((f"192.0.2.{number % 200}", 4000 + number),))
        bench.turn(2)
        if bench.attempts:
            attempts += 1
            bench.fail_to_connect(unreachable())
    assert bench.now - begun == pytest.approx(30.0)
    assert 8 <= attempts <= 14


def test_what_is_found_during_an_attempt_joins_in(bench: CoreBench) -> None:
    """It is tried beside the invite's addresses, which may keep one waiting."""
    bench.turn()
    bench.watch.found((NEAR,))
    bench.turn()
    assert bench.found == [()]
    assert bench.added == [(NEAR,)]


def test_another_server_in_its_place_does_not_hide_it(make_bench: MakeBench) -> None:
    """It moved, and its former address is another one's now: that is final, until it is found."""
    bench = make_bench(joined=True)
    bench.turn()
    wrong = ConnectError([Attempt("192.0.2.7", 1, Failure.WRONG_SERVER)])
    bench.fail_to_connect(wrong)
    assert bench.watch.status is not None
    assert bench.watch.status.link is Link.REFUSED
    bench.watch.found(())
    bench.turn(3)
    assert bench.attempts == []
    bench.watch.found((NEAR,))
    bench.turn(2)
    assert bench.found[-1] == (NEAR,)
    # A hint that was none leads back there, and another one soon after it waits a little.
    bench.fail_to_connect(wrong)
    bench.watch.found((NEAR, ("192.0.2.78", 4077)))
    bench.turn(2)
    assert bench.attempts == []
    bench.now += 3.0
    bench.turn(2)
    assert len(bench.attempts) == 1


def test_who_was_signed_out_is_not_brought_back(make_bench: MakeBench) -> None:
    """A hint ends pauses, not decisions."""
    bench = make_bench(joined=True)
    online(bench)
    bench.answer(messages.Goodbye(code="terminated", params={}, retry_after=None))
    bench.watch.found((NEAR,))
    bench.watch.changed()
    bench.turn(3)
    assert bench.attempts == []


def test_a_connection_is_checked_when_the_server_announces_another_address(
    bench: CoreBench,
) -> None:
    """And when this computer's own network changes; once, until there is an answer."""
    online(bench)
    bench.heard()
    bench.watch.found((NEAR,))
    bench.watch.changed()
    bench.turn(2)
    (ping,) = bench.heard()
    assert isinstance(ping, messages.Ping)
    bench.now += 1.9
    bench.turn(2)
    assert not bench.hung_up()
    bench.now += 0.2
    bench.turn(2)
    assert bench.hung_up()


def test_where_it_was_found_is_kept(make_bench: MakeBench) -> None:
    """In the invite of the account, first of all, when the server has let it in."""
    bench = make_bench(joined=True)
    bench.turn()
    bench.fail_to_connect(unreachable())
    bench.watch.found((("fe80::77%eth0", 4077), NEAR))
    bench.turn(2)
    bench.peer = NEAR
    bench.sign_in()
    (account,) = [item.account for item in bench.news_of(news.AccountChanged)]
    assert account.invite.hosts == ("192.0.2.77", "192.0.2.7")
    assert account.invite.port == 4077
    assert bench.found[-1] == (("fe80::77%eth0", 4077), NEAR)


def test_an_announcement_of_the_address_in_use_changes_nothing(bench: CoreBench) -> None:
    """Neither is the connection checked, nor anything kept."""
    online(bench)
    bench.heard()
    bench.watch.found((NEAR, ("192.0.2.7", 1)))
    bench.turn(2)
    assert bench.heard() == []
    accounts = [item.account for item in bench.news_of(news.AccountChanged)]
    assert {account.invite.hosts for account in accounts} == {("192.0.2.7",)}


def test_a_changed_network_ends_the_pause(bench: CoreBench) -> None:
    """Somebody has plugged in the cable again."""
    bench.turn()
    bench.fail_to_connect(unreachable())
    bench.watch.changed()
    bench.turn(2)
    assert len(bench.attempts) == 1


def test_the_watch_ends_with_the_core(bench: CoreBench) -> None:
    """Before its resources go."""
    bench.turn()
    bench.end()
    assert bench.watch.stopped
