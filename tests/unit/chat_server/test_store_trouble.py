"""What a store that is full, busy or away refuses, what not, and what the host is told."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final, cast

import pytest

from chat_server.hub.batch import SPACE_CHECK_INTERVAL
from chat_server.hub.queue import Received
from chat_server.hub.retry import LONGEST_PAUSE
from chat_server.rules.commands import COMMANDS
from chat_server.rules.view import (
    StoreFailed,
    StoreRecovered,
)
from chat_server.store.store import (
    StoreBusyError,
    StoreFailedError,
    StoreFullError,
    StoreUnreadableError,
)
from common.domain.names import GENERAL
from common.protocol import messages
from tests.contract.engines import Engine, MemoryEngine, SqliteEngine
from tests.unit.chat_server.hub_bench import HubBench, Released
from tests.unit.chat_server.writing_batches import (
    ERRORS,
    WRITERS,
    Scene,
    code_for,
    is_done,
    is_trouble,
)

REFUSALS: Final = ("busy", "disk_full", "unreadable", "fault", "internal")


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("error", REFUSALS)
@pytest.mark.parametrize("engine", ["memory", "sqlite"])
def test_what_is_stored_is_acknowledged_whatever_is_refused_now(
    tmp_path: Path, engine: str, error: str
) -> None:
    """In a batch whose commit fails, and in those that can't even begin: by one who is muted, too.

    What was new in it is refused; so is another text under an id that is taken.
    """
    made: Engine = MemoryEngine() if engine == "memory" else SqliteEngine(tmp_path)
    bench = HubBench(made)
    ada, bob, host = bench.join("ada"), bench.join("bob"), bench.host()
    first = bench.send("first")
    ack = bench.run(Received(ada, (first,))).answer(ada, first)
    assert isinstance(ack, messages.Ack)
    again = first.model_copy(update={"id": bench.number()})
    body = {"text": "other"}
    other = first.model_copy(update={"id": bench.number(), "body": body})
    stolen = first.model_copy(update={"id": bench.number()})
    new, muted = bench.send("new"), messages.MutePerson(id=bench.number(), username="ada")
    twice = new.model_copy(update={"id": bench.number()})

    def check(released: Released) -> None:
        assert released.answer(ada, again) == ack.model_copy(update={"re": again.id})
        assert isinstance(taken := released.answer(ada, other), messages.Error)
        assert (taken.code, taken.field) == ("cid_reused", "cid")
        for connection, command in ((ada, new), (ada, twice), (bob, stolen), (host, muted)):
            reply = released.answer(connection, command)
            assert isinstance(reply, messages.Error)
            assert (reply.code, reply.retryable) == (code_for(ERRORS[error]), True)
        assert [each.cid for each in bench.stored()][2:] == [first.cid]

    items = (
        Received(ada, (new, again, twice)), Received(host, (muted,)), Received(ada, (other,)),
        Received(bob, (stolen,)),
    )  # fmt: skip
    bench.store.fail("end of transaction", ERRORS[error])
    check(bench.run(*items))
    bench.store.fail("begin of transaction", ERRORS[error])
    check(bench.run(*items))
    bench.now += LONGEST_PAUSE
    bench.store.heal()
    released = bench.run(*items)
    assert released.answer(ada, again) == ack.model_copy(update={"re": again.id})
    assert isinstance(bench.run(Received(ada, (first,))).answer(ada, first), messages.Ack)
    bench.close()


@pytest.mark.usefixtures("errors_logged")
def test_a_store_that_can_not_be_read_is_asked_once(bench: HubBench) -> None:
    """Of many that are refused by it not each waits for it; what is stored is refused, too."""
    ada = bench.join("ada")
    sends = [bench.send(str(number)) for number in range(20)]
    bench.run(Received(ada, tuple(sends)))
    before = bench.store.calls["find"]
    medium = cast("MemoryEngine", bench.engine).medium
    medium.away = StoreUnreadableError("pulled out")
    released = bench.run(Received(ada, tuple(sends)))
    assert bench.store.calls["find"] == before + 1
    for send in sends:
        reply = released.answer(ada, send)
        assert isinstance(reply, messages.Error)
        assert reply.code == "busy"
    medium.away = None
    bench.now += LONGEST_PAUSE
    released = bench.run(Received(ada, tuple(sends)))
    assert [type(released.answer(ada, send)) for send in sends] == [messages.Ack] * len(sends)


@pytest.mark.parametrize("order", [("mute", "send"), ("send", "mute", "send")])
def test_who_is_muted_hears_of_what_was_stored(bench: HubBench, order: tuple[str, ...]) -> None:
    """The lost acknowledgement comes also in the batch that mutes; only what is new is refused."""
    ada, host = bench.join("ada"), bench.host()
    old, fresh = bench.send("old"), bench.send("fresh")
    first = bench.run(Received(ada, (old,))).answer(ada, old)
    item = {
        "mute": Received(host, (messages.MutePerson(id=bench.number(), username="ada"),)),
        "send": Received(ada, (fresh,) if order[0] == "send" else (old,)),
    }
    released = bench.run(*(item[each] for each in order))
    if order[0] == "send":
        acks = [each for each in released.answers(ada) if isinstance(each, messages.Ack)]
        assert len(acks) == 2
        assert acks[0] == acks[1]
    else:
        assert released.answer(ada, old) == first
    for command, code in (
        (bench.send("new"), "muted"),
        (old.model_copy(update={"body": {"text": "else"}}), "cid_reused"),
    ):
        reply = bench.run(Received(ada, (command,))).answer(ada, command)
        assert isinstance(reply, messages.Error)
        assert reply.code == code
    assert bench.run(Received(ada, (old,))).answer(ada, old) == first


@pytest.mark.usefixtures("errors_logged")
def test_the_host_is_told_once_of_each_trouble(bench: HubBench) -> None:
    """However many batches it costs, and again only after it was over."""
    ada = bench.join("ada")
    told: list[object] = []

    def say(count: int = 20) -> None:
        for _ in range(count):
            bench.now += LONGEST_PAUSE
            told.extend(filter(is_trouble, bench.say(ada, "hello").shown))

    busy, away = StoreBusyError("locked"), StoreUnreadableError("pulled out")
    for error in (busy, away):
        bench.store.fail("begin of transaction", error)
        say()
    bench.store.heal()
    say()
    bench.store.fail("begin of transaction", busy)
    say()
    bench.store.heal()
    say()
    assert [
        "over" if isinstance(each, StoreRecovered) else str(each.reason.params["cause"])
        for each in told
        if isinstance(each, StoreFailed | StoreRecovered)
    ] == ["locked", "pulled out", "over", "locked", "over"]


@pytest.mark.usefixtures("errors_logged")
def test_a_full_disk_is_asked_once_a_second(bench: HubBench) -> None:
    """However many want to write; each is told when that will be."""
    ada = bench.join("ada")
    bench.store.fail("end of transaction", StoreFullError("no room"))
    with bench.engine.no_room():
        first = bench.send("hello")
        assert _refused(bench.run(Received(ada, (first,))), ada, first, "disk_full") == 0
        assert bench.store.calls["release_reserve"] == 1
        begun, asked = bench.now, bench.store.calls["has_space"]
        transactions = bench.store.calls["transaction"]
        while bench.now < begun + 10 * SPACE_CHECK_INTERVAL:
            before = bench.store.calls["has_space"]
            command = bench.send("hello")
            wait = _refused(bench.run(Received(ada, (command,))), ada, command, "disk_full")
            assert 0 < wait <= 1000 * SPACE_CHECK_INTERVAL
            # It was told the truth: nobody looks before that.
            bench.now += wait / 1000 - 0.001
            bench.run(Received(ada, (bench.send("too soon"),)))
            assert bench.store.calls["has_space"] <= before + 1
            bench.now += 0.001
        assert 10 <= bench.store.calls["has_space"] - asked <= 11
        assert bench.store.calls["transaction"] == transactions
    bench.store.heal()
    bench.say(ada, "it has room again")
    assert [event.text for event in bench.stored()[1:]] == ["it has room again"]


AUDITED: Final = [kind for kind in WRITERS if COMMANDS[kind].audited]


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("kind", AUDITED, ids=lambda kind: kind.__name__)
def test_hosts_and_moderators_act_while_the_disk_is_full(kind: type) -> None:
    """Somebody may be filling it: in the space that was kept back for that. Messages wait on."""
    scene = Scene(MemoryEngine())
    scene.write(WRITERS[kind])
    bench = scene.bench
    bench.store.fail("end of transaction", StoreFullError("no room"))
    with bench.engine.no_room():
        first = bench.send("hello")
        full = bench.run(Received(scene.ada, (first,)))
        assert _refused(full, scene.ada, first, "disk_full") == 0
        assert [type(each) for each in full.shown] == [StoreFailed]
        bench.store.heal()
        bench.now += SPACE_CHECK_INTERVAL / 2
        head = bench.world.head(GENERAL)
        released = bench.run(*scene.items)
        for connection, command in scene.writers():
            if COMMANDS[type(command)].audited:
                assert is_done(released.answer(connection, command))
            else:
                assert _refused(released, connection, command, "disk_full") > 0
        assert isinstance(released.answer(scene.bob, scene.ping), messages.Pong)
        deletions = [
            each
            for _, each in scene.writers()
            if isinstance(each, messages.DeleteMe | messages.DeleteAccount)
        ]
        assert bench.world.head(GENERAL) == head + len(deletions)
        assert bench.world.trouble == "disk_full"
        assert not any(isinstance(each, StoreRecovered) for each in released.shown)
        scene.check_consistent()
        assert len(bench.audit()) > scene.audited
        # Where there is no room for that either, it is refused as all else is.
        bench.store.fail("end of transaction", StoreFullError("no room"))
        again = messages.MutePerson(id=bench.number(), username="bob")
        _refused(bench.run(Received(scene.host, (again,))), scene.host, again, "disk_full")
        bench.store.heal()
        scene.check_consistent()
    bench.now += SPACE_CHECK_INTERVAL
    later = bench.send("there is room")
    recovered = bench.run(Received(scene.bob, (later,)))
    assert isinstance(recovered.answer(scene.bob, later), messages.Ack)
    assert any(isinstance(each, StoreRecovered) for each in recovered.shown)
    bench.close()


def _refused(released: Released, connection: int, command: messages.Command, code: str) -> int:
    """The milliseconds to wait, of a refusal."""
    error = released.answer(connection, command)
    assert isinstance(error, messages.Error)
    assert (error.code, error.retryable) == (code, True)
    assert error.retry_after is not None
    return error.retry_after


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("error", [StoreBusyError("locked"), StoreUnreadableError("pulled out")])
def test_a_store_that_fails_is_tried_when_it_was_told(
    bench: HubBench, error: StoreFailedError
) -> None:
    """Not sooner, whoever asks; the pauses grow to a bound; in between nothing is asked of it.

    But whether what is sent is stored already, if that can be read.
    """
    ada = bench.join("ada")
    bench.store.fail("begin of transaction", error)
    waits: list[int] = []
    for _ in range(12):
        before = bench.store.calls.total()
        command = bench.send("hello")
        wait = _refused(bench.run(Received(ada, (command,))), ada, command, "busy")
        assert bench.store.calls.total() > before
        tried, found = bench.store.calls.total(), bench.store.calls["find"]
        if wait:
            bench.now += (wait - 2) / 1000
            early = bench.send("too soon")
            assert _refused(bench.run(Received(ada, (early,))), ada, early, "busy") <= 2
            looked_up = isinstance(error, StoreBusyError)
            assert bench.store.calls.total() == tried + looked_up
            assert bench.store.calls["find"] == found + looked_up
            bench.now += 2 / 1000
        waits.append(wait)
    assert waits[0] == 0
    assert waits == sorted(waits)
    assert math.isclose(waits[-1], 1000 * LONGEST_PAUSE, abs_tol=1)
    # One that is only in use is not opened anew: that would change nothing.
    assert (bench.renewed > 0) == isinstance(error, StoreUnreadableError)
    bench.store.heal()
    bench.say(ada, "it works")
    assert [event.text for event in bench.stored()[1:]] == ["it works"]
    assert bench.session(ada).username == "ada"
