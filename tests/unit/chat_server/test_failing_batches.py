"""Batches that fail at each thing that is asked of the store: nothing is left half done."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chat_server.hub.queue import Received
from chat_server.rules import admission, conversation, effects, inputs
from chat_server.rules.commands import COMMANDS
from chat_server.rules.directory import Directory
from chat_server.rules.issued_invites import secret_hash
from chat_server.rules.roles import Role
from chat_server.rules.sanctions import SanctionKind
from chat_server.rules.view import (
    ClientDisconnected,
    ClientSignedIn,
    InviteRenewed,
    KnockEnded,
    Renamed,
    StoreFailed,
)
from chat_server.rules.world import World
from chat_server.store.store import (
    StoreBusyError,
    StoreFailedError,
    StoreFaultError,
)
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.events import Event
from common.protocol.recognition import device_key
from tests.contract.engines import Engine, MemoryEngine, SqliteEngine
from tests.unit.chat_server.house import token
from tests.unit.chat_server.hub_bench import HubBench, Released
from tests.unit.chat_server.writing_batches import (
    CASES,
    ERRORS,
    FAR,
    WRITERS,
    Scene,
    code_for,
    ended_ban,
    is_done,
    is_trouble,
)


def test_everything_that_writes_is_made_to_fail() -> None:
    """Whoever adds a row that writes adds it to the tests of failures."""
    assert set(WRITERS) == {kind for kind, row in COMMANDS.items() if row.writes}


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("kind", CASES)
def test_a_batch_may_fail_anywhere(kind: str, error: str) -> None:
    """At each thing that is asked of the store, up to the commit itself; then it works again."""
    points = _fail_everywhere(lambda _: MemoryEngine(), kind, error)
    assert points > 5


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("kind", CASES)
def test_a_mistake_may_be_made_anywhere(tmp_path: Path, kind: str) -> None:
    """With SQLite, which can't tell what one command wrote from what the others did."""

    def engine(number: int) -> Engine:
        folder = tmp_path / str(number)
        folder.mkdir()
        return SqliteEngine(folder)

    assert _fail_everywhere(engine, kind, "internal") > 5


def _fail_everywhere(engine: Callable[[int], Engine], kind: str, error: str) -> int:
    """The number of places at which it was made to fail."""
    first = Scene(engine(-1))
    for at in itertools.count():
        scene = first.copied(engine(at))
        scene.write(CASES[kind])
        scene.bench.store.fail(at, ERRORS[error])
        released = scene.bench.run(*scene.items)
        failed = len(scene.bench.store.asked) > at
        scene.bench.store.heal()
        _check(scene, released, ERRORS[error] if failed else None)
        again = scene.bench.run(*scene.items)
        scene.check_consistent()
        for connection, command in scene.writers():
            assert _was_done(scene, command) or is_done(again.answer(connection, command))
        scene.bench.close()
        if not failed:
            first.bench.close()
            return at
    raise AssertionError


def _was_done(scene: Scene, command: messages.Command) -> bool:
    """Whether it was done at once, so that there is nothing left to be done again."""
    sanctions = scene.bench.world.directory.sanctions
    done = False
    match command:
        case messages.Join():
            done = scene.bench.session(scene.stranger).username == scene.joined
        case messages.RemoveDevice():
            done = device_key(token("ada")) not in scene.bench.world.directory.devices
        case messages.Ban(connection=number):
            done = number is not None and scene.bench.world.sessions.get(number) is None
        case messages.Admit() | messages.Deny():
            done = scene.bench.world.requests.get(scene.request) is None
        case messages.CodeProof():
            done = len(scene.bench.world.codes) == 0
        case messages.Unban():
            done = not sanctions.about(SanctionKind.BAN, "dan")
        case messages.Unmute():
            done = not sanctions.about(SanctionKind.MUTE, "cleo")
        case messages.DeleteMe() | messages.DeleteAccount():
            username = getattr(command, "username", "ada")
            done = scene.bench.world.directory.living(username) is None
    return done


def _check(scene: Scene, released: Released, error: Exception | None) -> None:
    bench = scene.bench
    scene.check_consistent()
    # Who writes nothing has what was asked for.
    assert isinstance(released.answer(scene.bob, scene.ping), messages.Pong)
    rooms = released.answer(scene.bob, scene.rooms)
    assert isinstance(rooms, messages.Rooms)
    assert {room.room: room.head for room in rooms.rooms} == {
        room: bench.world.head(room) for room in bench.world.directory.rooms_of["bob"]
    }
    # Nobody is ended, nobody is let in who is not stored, nobody hears what is not.
    assert released.ended() == {}
    assert [bench.session(number).username for number in (scene.ada, scene.bob)] == ["ada", "bob"]
    joined = scene.joined
    assert bench.session(scene.stranger).username == joined
    assert [each.connection for each in released.io if isinstance(each, effects.Admit)] == (
        [scene.stranger] if joined else []
    )
    assert [each.username for each in released.shown if isinstance(each, ClientSignedIn)] == (
        [joined] if joined else []
    )
    for room in bench.world.directory.rooms:
        fanned = [
            each for each in released.io if isinstance(each, effects.Fanout) and each.room == room
        ]
        heard = [event.seq for each in fanned for event in each.events]
        old = 4 if room == GENERAL else 0  # those that joined before
        assert heard == [event.seq for event in bench.stored(room)][old:]
    assert {each.room for each in released.io if isinstance(each, effects.Fanout)} <= set(
        bench.world.directory.rooms
    )
    # Who writes has one answer, and it is true.
    refused = 0
    for connection, command in scene.writers():
        reply = released.answer(connection, command)
        if isinstance(reply, messages.Ack):
            assert isinstance(command, messages.Send)
            (event,) = [each for each in bench.stored(command.room) if each.cid == command.cid]
            assert (event.seq, event.sent_at) == (reply.seq, reply.sent_at)
        elif isinstance(reply, messages.Error):
            refused += 1
            assert reply.retryable
            assert reply.code == code_for(error)
            assert (reply.retry_after is None) == (reply.code == "internal")
        else:
            assert is_done(reply)
            assert isinstance(reply, messages.SignedIn) == isinstance(command, messages.Join)
    _check_told(scene, released)
    assert (refused > 0) == (error is not None)
    if isinstance(error, StoreFailedError) and not isinstance(error, StoreFaultError):
        assert refused == len(scene.writers())
        assert len([each for each in released.shown if isinstance(each, StoreFailed)]) == 1


def _check_told(scene: Scene, released: Released) -> None:
    """What others are told of the host's doings, and what follows, is what is stored."""
    bench, directory = scene.bench, scene.bench.world.directory
    renamed = bench.world.facts.name == "Garden"
    assert any(isinstance(each, Renamed) for each in released.shown) == renamed
    assert any(isinstance(each, messages.ServerChanged) for each in released.told()) == renamed
    renewed = bench.world.facts.secret != scene.secret
    assert any(isinstance(each, InviteRenewed) for each in released.shown) == renewed
    promoted = directory.accounts["bob"].role is Role.MODERATOR
    told = [each.person for each in released.told() if isinstance(each, messages.PersonChanged)]
    assert [each.role for each in told if each.username == "bob"] == ["moderator"] * promoted
    muted = directory.sanctions.about(SanctionKind.MUTE, "ada")
    heard = [each for each in released.answers(scene.ada) if isinstance(each, messages.MuteChanged)]
    assert [each.mute for each in heard][-1:] == [
        messages.Mute(until=each.until, reason=each.reason) for each in muted
    ]
    asks = bench.world.requests.get(scene.request) is not None
    answers = [
        each for each in released.answers(scene.guest) if isinstance(each, messages.KnockAnswered)
    ]
    assert len(answers) == (not asks)
    assert len([each for each in released.shown if isinstance(each, KnockEnded)]) == (not asks)
    secrets = [each.secret for each in answers if each.secret is not None]
    secrets += [
        each.secret
        for connection, _ in scene.writers()
        for each in released.answers(connection)
        if isinstance(each, messages.Invited)
    ]
    stored = {each.secret_hash for each in directory.invites}
    assert {secret_hash(each) for each in secrets} <= stored
    kinds_stored = [each.kind for each in directory.invites]
    assert len(secrets) == sum(each in kinds_stored for each in ("code", "knock"))
    # Written down is just what was carried out, once each.
    done = [
        command
        for connection, command in scene.writers()
        if COMMANDS[type(command)].audited and is_done(released.answer(connection, command))
    ]
    audit = bench.audit()[scene.audited :]
    assert [(each.by, each.action) for each in audit] == [
        (
            "ada" if isinstance(command, messages.DeleteMe) else "(host)",
            command.model_dump()["type"],
        )
        for command in done
    ]
    assert [each.fields for each in audit] == [
        command.model_dump(exclude={"id", "type"}, exclude_none=True) | _about(command)
        for command in done
    ]
    # And nobody is to be ended for anything else.
    after = [each for each in released.after if isinstance(each, inputs.EndSessions)]
    assert [each.connections for each in after] == [
        connections for each in done if (connections := _ended_by(scene, each)) is not None
    ]
    erased = [each for each in done if getattr(each, "messages", "") == "remove"]
    assert [each for each in released.after if each not in after] == (
        [inputs.EraseMessages()] * len(erased)
    )
    assert bench.renewed >= len(erased)
    assert bool(directory.sanctions.about(SanctionKind.BAN, "ada")) == any(
        isinstance(each, messages.Ban) and each.username for each in done
    )


def _about(command: messages.Command) -> dict[str, str | int]:
    """What the audit log has beside a command's own fields."""
    match command:
        case messages.CreateInvite() | messages.AddDevice():
            return {"number": 3}  # a scene has two
        case messages.RemoveDevice():
            return {"name": "Linux"}
        case messages.RevokeInvite():
            return {"kind": "link"}
        case messages.Admit() | messages.Deny():
            return {"username": "gus", "device": "Linux"}
    return {"username": "ada", "device": "Linux"} if getattr(command, "connection", None) else {}


def _ended_by(scene: Scene, command: messages.Command) -> tuple[int, ...] | None:
    """Whose connections end because of a command."""
    match command:
        case messages.Terminate() | messages.Ban() | messages.DeleteMe() | messages.RemoveDevice():
            return (scene.ada,)
        case messages.DeleteAccount():
            sessions = scene.bench.world.sessions.of(command.username)
            return tuple(each.connection for each in sessions)
    return None


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("error", ERRORS)
def test_what_has_ended_costs_no_command(error: str) -> None:
    """Whatever fails as it is deleted: what came with it is stored, and it goes the next time."""
    for at in itertools.count():
        bench = HubBench(MemoryEngine())
        ada, bob = bench.join("ada"), bench.join("bob")
        ended_ban(bench)
        send, last = bench.send("hello"), bench.send("bye")
        # What the command asks comes first: only what comes after it is made to fail.
        bench.store.heal()
        bench.run(Received(ada, (bench.send("count"),)))
        points = len(bench.store.asked)
        bench.store.fail(points + at, ERRORS[error])
        released = bench.run(Received(ada, (send,)), inputs.PurgeSanctions())
        failed = len(bench.store.asked) > points + at
        bench.store.heal()
        assert isinstance(released.answer(ada, send), messages.Ack)
        assert released.shown == [each for each in released.shown if not is_trouble(each)]
        assert bench.world.directory == bench.store.load()
        assert bool(bench.world.directory.sanctions.ended(FAR - 1)) == failed
        assert isinstance(bench.run(Received(bob, (last,))).answer(bob, last), messages.Ack)
        bench.run(inputs.PurgeSanctions())
        assert not bench.world.directory.sanctions.ended(FAR - 1)
        assert bench.world.directory == bench.store.load()
        bench.close()
        if not failed:
            assert at >= 3
            return


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("point", ["erase", "end of transaction"])
@pytest.mark.parametrize("error", ERRORS)
def test_removing_messages_goes_on_after_a_failure(error: str, point: str) -> None:
    """Nobody is refused for it, and the next batch that is stored takes it up again."""
    engine = MemoryEngine()
    bench = HubBench(engine)
    ada, bob = bench.join("ada"), bench.join("bob")
    bench.run(Received(ada, (bench.send("hello"),)))
    delete = messages.DeleteMe(id=bench.number(), messages="remove")
    assert isinstance(bench.run(Received(ada, (delete,))).answer(ada, delete), messages.Done)
    bench.run(), bench.run()  # both have joined, without a text; the message is next
    bench.store.fail(point, ERRORS[error])
    assert inputs.EraseMessages() not in bench.run(inputs.EraseMessages()).after
    assert set(bench.world.directory.erasing) == {"ada"}
    bench.store.heal()
    send = bench.send("meanwhile")
    released = bench.run(Received(bob, (send,)))
    assert isinstance(released.answer(bob, send), messages.Ack)
    assert inputs.EraseMessages() in released.after
    for _ in range(20):
        bench.run()
    assert bench.world.directory.erasing == {}
    # Readers show nothing of it from the beginning on; it is gone from the store itself.
    events = engine.medium.state.events.values()
    assert [event.text for event in events if event.text] == ["meanwhile"]
    assert bench.world.directory == bench.store.load()
    bench.close()


@pytest.mark.usefixtures("errors_logged")
def test_a_batch_that_raises_by_a_mistake_leaves_nothing_in_memory(
    bench: HubBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even what it changed before that: the next one is applied as if it had never been."""
    ada, stranger = bench.join("ada"), bench.connect()
    before = _loaded(bench)

    def leave(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        # The connection of an input that can't be handled is ended: which fails, too.
        patched.setattr(World, "leave", leave)
        lost = bench.run(
            Received(stranger, (bench.join_command("cem"),)),
            Received(ada, (bench.send("lost"),)),
            inputs.Closed(ada, "left"),
        )
    assert (lost.io, lost.shown) == ([], [])
    assert bench.world.directory == before == _loaded(bench)
    command = bench.send("kept")
    ack = bench.run(Received(ada, (command,))).answer(ada, command)
    assert isinstance(ack, messages.Ack)
    assert ack.seq == before.rooms[GENERAL].head + 1
    assert bench.world.directory == _loaded(bench)


def _loaded(bench: HubBench) -> Directory:
    """What is stored."""
    with bench.store.transaction():
        loaded: Directory = bench.store.load()
        return loaded


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("error", ["busy", "disk_full", "fault"])
def test_what_was_decided_by_a_batch_that_failed_is_answered_anew(
    bench: HubBench, error: str
) -> None:
    """A ban, a role, an invite, a mute that is not stored refuses nobody, and lets nobody in."""
    bench.join("ben"), bench.join("mia"), bench.join("moe")
    mia = next(iter(bench.world.sessions.of("mia"))).connection
    host, back, again, unauthenticated = (
        bench.host(),
        bench.connect(),
        bench.connect(),
        bench.connect(),
    )
    secret = bench.world.facts.secret
    orders = (
        messages.Ban(id=1, username="ben"),
        messages.NewInvite(id=2),
        messages.SetRole(id=3, username="mia", role="moderator"),
        messages.MutePerson(id=4, username="moe"),
    )
    sign_in, muted = bench.sign_in_command("ben"), bench.sign_in_command("moe")
    recognize = messages.Recognize(id=5, secret=secret, username="ben", nonce="0" * 32)
    listing = messages.ListSanctions(id=6)
    items = (
        Received(host, orders), Received(back, (sign_in,)), Received(unauthenticated, (recognize,)),
        Received(mia, (listing,)), Received(again, (muted,)),
    )  # fmt: skip
    bench.store.fail("end of transaction", ERRORS[error])
    released = bench.run(*items)
    bench.store.heal()
    for connection, command in ((back, sign_in), (unauthenticated, recognize), (mia, listing)):
        reply = released.answer(connection, command)
        assert isinstance(reply, messages.Error)
        assert (reply.code, reply.retryable) == (code_for(ERRORS[error]), True)
    assert bench.session(back).username is None
    let_in = released.answer(again, muted)
    assert isinstance(let_in, messages.SignedIn)
    assert let_in.mute is None
    (appeared,) = [each for each in released.shown if isinstance(each, ClientSignedIn)]
    assert (appeared.username, appeared.is_muted) == ("moe", False)
    assert released.ended() == {}
    # Then it is tried again, in the order in which the store says yes.
    assert isinstance(
        bench.run(Received(back, (sign_in,))).answer(back, sign_in), messages.SignedIn
    )
    released = bench.run(*items[:1], Received(unauthenticated, (recognize,)), items[3])
    refused = released.answer(unauthenticated, recognize)
    assert isinstance(refused, messages.Error)
    assert (refused.code, refused.retryable) == ("bad_secret", False)
    assert isinstance(released.answer(mia, listing), messages.Sanctions)


@pytest.mark.usefixtures("errors_logged")
def test_a_constraint_is_a_fault_of_ours_and_is_made_good(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has an event where memory has none: the writer is told `internal`, not to wait.

    Who has a copy is sent away to compare it, memory is loaded anew, and it goes on. The log of the
    program has one traceback.
    """
    bench = HubBench(SqliteEngine(tmp_path))
    ada = bench.join("ada")
    bench.say(ada, "one")
    with closing(sqlite3.connect(tmp_path / "chat.db")) as other, other:
        other.execute(
            "INSERT INTO events SELECT room, seq + 1, kind, sender, sent_at, 'x', body"
            " FROM events WHERE seq = 2"
        )
    command = bench.send("two")
    released = bench.run(Received(ada, (command,)))
    error = released.answer(ada, command)
    assert isinstance(error, messages.Error)
    assert (error.code, error.retry_after) == ("internal", None)
    (told,) = [each for each in released.shown if isinstance(each, StoreFailed)]
    assert told.reason.code == "internal"
    assert released.ended() == {}
    released = bench.run(Received(ada, (bench.send("three"),)))
    assert released.ended()[ada].code == "internal"
    assert bench.world.head(GENERAL) == 3
    assert bench.world.directory == bench.store.load()
    ada, _ = bench.sign_in("ada")
    last = bench.send("four")
    ack = bench.run(Received(ada, (last,))).answer(ada, last)
    assert isinstance(ack, messages.Ack)
    assert [event.seq for event in bench.stored()] == list(range(1, ack.seq + 1))
    tracebacks = [each for each in caplog.records if each.exc_info]
    assert len(tracebacks) == 1
    bench.close()


@pytest.mark.usefixtures("errors_logged")
def test_a_mistake_costs_no_other_command_of_the_batch(
    bench: HubBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it changed in memory is taken back, and its place in the log is the next one's."""
    ada, bob = bench.join("ada"), bench.join("bob")
    first, bad, last = (bench.send(text) for text in ("first", "bad", "last"))

    def publish(event: Event, sender: int, re: int) -> effects.Publish:
        if re == bad.id:
            raise ZeroDivisionError
        return effects.Publish(event, sender, re)

    monkeypatch.setattr(conversation, "Publish", publish)
    released = bench.run(Received(ada, (first,)), Received(bob, (bad,)), Received(ada, (last,)))
    error = released.answer(bob, bad)
    assert isinstance(error, messages.Error)
    assert (error.code, error.retry_after) == ("internal", None)
    assert [event.text for event in bench.stored()[2:]] == ["first", "last"]
    assert [event.seq for event in bench.stored()] == [1, 2, 3, 4]
    assert bench.world.head(GENERAL) == 4
    assert bench.world.directory == bench.store.load()


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("error", ERRORS)
def test_nothing_is_loaded_because_a_batch_failed(bench: HubBench, error: str) -> None:
    """What it touched is taken back: that costs the same however many accounts there are."""
    ada, stranger, host = bench.join("ada"), bench.connect(), bench.host()
    bench.run()
    for at in range(40):
        bench.store.fail(at, ERRORS[error])
        bench.store.calls.clear()
        bench.run(
            Received(ada, (bench.send("hello"), bench.send("psst", "dm:ada:bob"))),
            Received(stranger, (bench.join_command("cem"),)),
            Received(host, (messages.RenameChat(id=1, name=f"Garden {at}"),)),
        )
        assert not bench.store.calls["load"]
        assert not bench.store.calls["reopen"]
        failed = len(bench.store.asked) > at
        bench.store.heal()
        bench.say(ada, "it works")  # so that the next failure is the first again
        if not failed:
            break
    else:
        pytest.fail("it should have worked")


@pytest.mark.usefixtures("errors_logged")
def test_who_signed_in_to_an_account_that_was_not_stored_is_sent_away(bench: HubBench) -> None:
    """A second device came in the same batch as the account: it comes again, and is let in."""
    ada, phone, laptop = bench.join("ada"), bench.connect(), bench.connect()
    join, sign_in = bench.join_command("cem"), bench.sign_in_command("cem")
    bench.store.fail("end of transaction", StoreBusyError("locked"))
    released = bench.run(Received(phone, (join,)), Received(laptop, (sign_in,)))
    goodbyes = released.ended()
    assert {number: goodbye.code for number, goodbye in goodbyes.items()} == {laptop: "internal"}
    assert goodbyes[laptop].retry_after == 0
    assert bench.world.sessions.get(laptop) is None
    assert bench.session(phone).username is None
    assert not bench.world.sessions.online("cem")
    assert [each.connection for each in released.shown if isinstance(each, ClientDisconnected)] == [
        laptop
    ]
    assert bench.world.sessions.usernames() == ["ada"]
    assert bench.session(ada).username == "ada"
    bench.store.heal()
    again = bench.run(Received(phone, (join,)))
    assert isinstance(again.answer(phone, join), messages.SignedIn)


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("wrong", ["SignedIn", "ClientSignedIn"])
def test_what_can_not_be_told_costs_nothing_else_of_the_batch(
    bench: HubBench, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """By a mistake of ours: who was banned beside it is ended all the same."""
    ada, host, fresh = bench.join("ada"), bench.host(), bench.connect()
    bench.join("ben")

    def mistake(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    where = messages if wrong == "SignedIn" else admission
    with monkeypatch.context() as patched:
        patched.setattr(where, wrong, mistake)
        ban = messages.Ban(id=bench.number(), username="ada")
        message = bench.send("before")
        released = bench.run(
            Received(ada, (message,)),
            Received(fresh, (bench.sign_in_command("ben"),)),
            Received(host, (ban,)),
        )
    assert isinstance(released.answer(host, ban), messages.Done)
    assert isinstance(released.answer(ada, message), messages.Ack)
    assert set(bench.run().ended()) == {ada}
