"""Batches, run by hand: wherever one fails, nothing is left half done, and only writers notice.

Most of it with the store in memory: what is tested is what the hub makes of a failure. What the
engine on SQLite does is tested in tests/contract/test_store.py.
"""

from __future__ import annotations

import itertools
import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, cast

import pytest

from chat_server.hub.batch import SPACE_CHECK_INTERVAL
from chat_server.hub.queue import HubItem, Received
from chat_server.hub.retry import LONGEST_PAUSE
from chat_server.rules import admission, conversation, effects, inputs, joining
from chat_server.rules.commands import COMMANDS
from chat_server.rules.devices import device_id
from chat_server.rules.directory import Directory, RoomLog
from chat_server.rules.issued_invites import secret_hash
from chat_server.rules.roles import Role
from chat_server.rules.sanctions import Sanction, SanctionKind
from chat_server.rules.view import (
    ClientDisconnected,
    ClientSignedIn,
    ClientSlow,
    InviteRenewed,
    KnockEnded,
    Renamed,
    StoreFailed,
    StoreRecovered,
)
from chat_server.rules.world import World
from chat_server.store.store import (
    StoreBusyError,
    StoreFailedError,
    StoreFaultError,
    StoreFullError,
    StoreUnreadableError,
)
from chat_server.x25519 import x25519
from common import limits
from common.domain.invite import parse_invite
from common.domain.names import GENERAL
from common.protocol import cpace, messages
from common.protocol.events import Event
from common.protocol.joining_proofs import code_exchange
from common.protocol.messages import Message
from common.protocol.recognition import device_key
from tests.contract.engines import Engine, MemoryEngine, SqliteEngine
from tests.unit.chat_server.house import token
from tests.unit.chat_server.hub_bench import HubBench, Released

DIRECT: Final = "dm:ada:bob"
FAR: Final = limits.MAX_TIME


@pytest.fixture
def bench() -> Iterator[HubBench]:
    """A hub over a store in memory."""
    made = HubBench(MemoryEngine())
    yield made
    made.close()


class Scene:
    """Ada and bob are in the room, a stranger is connected; a batch of theirs with one writer."""

    def __init__(self, engine: Engine, writer: Callable[[Scene], HubItem]) -> None:
        self.bench = bench = HubBench(engine)
        self.ada, self.bob, self.stranger = bench.join("ada"), bench.join("bob"), bench.connect()
        bench.join("cleo"), bench.join("dan")
        self.host = bench.host()
        mute = messages.MutePerson(id=1, username="cleo")
        bench.run(Received(self.host, (mute, messages.Ban(id=2, username="dan"))))
        bench.run()  # dan is sent away
        self.invite = self.created(messages.CreateInvite(id=3)).number
        link = self.created(messages.AddDevice(id=4, username="ada")).link
        self.device_secret = parse_invite(link).secret
        self.guest, self.request = self.knocking()
        self.audited = len(bench.audit())
        self.secret = bench.world.facts.secret
        self.before, self.after = bench.send("before"), bench.send("after")
        self.ping, self.rooms = (
            messages.Ping(id=bench.number()),
            messages.ListRooms(id=bench.number()),
        )
        self.writer = writer(self)
        self.items = (
            Received(self.bob, (self.before, self.ping)),
            self.writer,
            Received(self.bob, (self.after, self.rooms)),
        )

    def created(
        self, command: messages.CreateInvite | messages.AddDevice
    ) -> messages.InviteCreated:
        """An invite that the host makes."""
        reply = self.bench.run(Received(self.host, (command,))).answer(self.host, command)
        assert isinstance(reply, messages.InviteCreated)
        return reply

    def knocking(self) -> tuple[int, int]:
        """A connection that asks to join, and the number of its request."""
        guest = self.bench.connect()
        knock = messages.Knock(
            id=1, username="gus", display_name="Gus", device="Linux", installation="1" * 32
        )
        self.bench.run(Received(guest, (knock, messages.KnockOpen(id=2, nonce="0" * 64))))
        (request,) = self.bench.world.requests
        return guest, request.number

    def proof(self) -> Received:
        """What a connection proves that has begun an exchange about the code.

        Only for whom it is about: the exchange takes more time than all the rest.
        """
        shown = self.bench.run(Received(self.host, (messages.ShowCode(id=5),)))
        reply = shown.answer(self.host, messages.ShowCode(id=5))
        assert isinstance(reply, messages.ShownCode)
        guest, sid = self.bench.connect(), bytes(16)
        exchange = code_exchange(cpace.Role.INITIATOR, reply.code, b"", sid, x25519)
        start = messages.CodeStart(id=1, sid=sid.hex(), share=exchange.share.hex())
        share = self.bench.run(Received(guest, (start,))).answer(guest, start)
        assert isinstance(share, messages.CodeShare)
        exchange.agree(bytes.fromhex(share.share))
        proof = messages.CodeProof(id=self.bench.number(), tag=exchange.tag().hex())
        return Received(guest, (proof,))

    def join_of_a_device(self) -> messages.Join:
        """One more device of ada's, with the invite for that."""
        command = self.bench.join_command("cem")
        return command.model_copy(update={"username": "ada", "secret": self.device_secret})

    @property
    def joined(self) -> str | None:
        """Whose device the stranger's is, if it has joined."""
        device = self.bench.world.directory.devices.get(device_key(token("cem")))
        return None if device is None else device.username

    def other_room(self) -> str:
        """A room in which nobody writes."""
        directory = self.bench.world.directory
        with self.bench.store.transaction():
            directory.add_room(self.bench.store.add_room("other", 0))
        directory.commit()
        return "other"

    def writers(self) -> list[tuple[int, messages.Command]]:
        """The commands that write, and whose they are."""
        found: list[tuple[int, messages.Command]] = [
            (self.bob, self.before),
            (self.bob, self.after),
        ]
        if isinstance(self.writer, Received):
            found += [(self.writer.connection, command) for command in self.writer.commands]
        return found

    def check_consistent(self) -> None:
        """What is in memory is what is stored."""
        bench = self.bench
        assert bench.world.directory == bench.store.load()
        with bench.store.transaction():
            assert bench.world.facts.name == bench.store.meta("name", "")
            assert bench.world.facts.secret == bench.store.invite_secret(0)
            rule = bench.store.meta(joining.RULE, messages.DEFAULT_RULE)
            assert bench.world.facts.joining == rule
        for username in bench.world.sessions.usernames():
            assert username in bench.world.directory.accounts


WRITERS: Final[dict[type, Callable[[Scene], HubItem]]] = {
    messages.Join: lambda scene: Received(scene.stranger, (scene.bench.join_command("cem"),)),
    messages.Send: lambda scene: Received(
        scene.ada, (scene.bench.send("hello"), scene.bench.send("psst", DIRECT))
    ),
    messages.RenameMe: lambda scene: Received(
        scene.ada,
        (
            messages.RenameMe(id=scene.bench.number(), display_name="Countess"),
            messages.RenameMe(id=scene.bench.number(), display_name="Lovelace"),
        ),
    ),
    messages.DeleteMe: lambda scene: Received(
        scene.ada, (messages.DeleteMe(id=scene.bench.number(), messages="remove"),)
    ),
    messages.DeleteAccount: lambda scene: Received(
        scene.host,
        (
            messages.DeleteAccount(id=scene.bench.number(), username="cleo", messages="keep"),
            messages.DeleteAccount(id=scene.bench.number(), username="dan", messages="remove"),
        ),
    ),
    messages.SetSlowMode: lambda scene: Received(
        scene.host,
        (messages.SetSlowMode(id=scene.bench.number(), room=scene.other_room(), seconds=30),),
    ),
    messages.RenameChat: lambda scene: Received(
        scene.host, (messages.RenameChat(id=scene.bench.number(), name="Garden"),)
    ),
    messages.NewInvite: lambda scene: Received(
        scene.host, (messages.NewInvite(id=scene.bench.number()),)
    ),
    messages.SetRole: lambda scene: Received(
        scene.host,
        (messages.SetRole(id=scene.bench.number(), username="bob", role="moderator"),),
    ),
    messages.Terminate: lambda scene: Received(
        scene.host, (messages.Terminate(id=scene.bench.number(), username="ada"),)
    ),
    messages.Ban: lambda scene: Received(
        scene.host,
        (
            messages.Ban(id=scene.bench.number(), username="ada", until=FAR, reason="Enough."),
            messages.Ban(id=scene.bench.number(), connection=scene.ada),
        ),
    ),
    messages.Unban: lambda scene: Received(
        scene.host, (messages.Unban(id=scene.bench.number(), username="dan"),)
    ),
    messages.MutePerson: lambda scene: Received(
        scene.host,
        (
            messages.MutePerson(id=scene.bench.number(), username="ada", reason="Enough."),
            messages.MutePerson(id=scene.bench.number(), username="ada", until=FAR),
        ),
    ),
    messages.Unmute: lambda scene: Received(
        scene.host, (messages.Unmute(id=scene.bench.number(), username="cleo"),)
    ),
    messages.CreateInvite: lambda scene: Received(
        scene.host, (messages.CreateInvite(id=scene.bench.number(), note="Cousins"),)
    ),
    messages.AddDevice: lambda scene: Received(
        scene.host, (messages.AddDevice(id=scene.bench.number(), username="ada"),)
    ),
    messages.RevokeInvite: lambda scene: Received(
        scene.host, (messages.RevokeInvite(id=scene.bench.number(), number=scene.invite),)
    ),
    messages.SetJoining: lambda scene: Received(
        scene.host,
        (messages.SetJoining(id=scene.bench.number(), rule="open", moderators_invite=True),),
    ),
    messages.CodeProof: lambda scene: scene.proof(),
    messages.Admit: lambda scene: Received(
        scene.host, (messages.Admit(id=scene.bench.number(), request=scene.request),)
    ),
    messages.Deny: lambda scene: Received(
        scene.host,
        (messages.Deny(id=scene.bench.number(), request=scene.request, block=True),),
    ),
    messages.RemoveDevice: lambda scene: Received(
        scene.host,
        (
            messages.RemoveDevice(
                id=scene.bench.number(),
                username="ada",
                device=device_id(device_key(token("ada"))),
            ),
        ),
    ),
}
"""Something of each kind that writes."""
OTHERS: Final[dict[str, Callable[[Scene], HubItem]]] = {
    "Join of a device": lambda scene: Received(scene.stranger, (scene.join_of_a_device(),)),
}
"""More of these kinds."""
CASES: Final = {kind.__name__: writer for kind, writer in WRITERS.items()} | OTHERS
ERRORS: Final[dict[str, Exception]] = {
    "disk_full": StoreFullError("no room"),
    "busy": StoreBusyError("locked"),
    "unreadable": StoreUnreadableError("pulled out"),
    "fault": StoreFaultError("constraint failed"),
    "internal": ZeroDivisionError("our mistake"),
}


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
    for at in itertools.count():
        scene = Scene(engine(at), CASES[kind])
        scene.bench.store.fail(at, ERRORS[error])
        released = scene.bench.run(*scene.items)
        failed = len(scene.bench.store.asked) > at
        scene.bench.store.heal()
        _check(scene, released, ERRORS[error] if failed else None)
        again = scene.bench.run(*scene.items)
        scene.check_consistent()
        for connection, command in scene.writers():
            assert _was_done(scene, command) or _is_done(again.answer(connection, command))
        scene.bench.close()
        if not failed:
            return at
    raise AssertionError


_DONE: Final = (
    messages.Ack,
    messages.SignedIn,
    messages.Done,
    messages.InviteLink,
    messages.InviteCreated,
    messages.Invited,
)


def _is_done(reply: object) -> bool:
    return isinstance(reply, _DONE)


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
            assert reply.code == _code(error)
            assert (reply.retry_after is None) == (reply.code == "internal")
        else:
            assert _is_done(reply)
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
        if COMMANDS[type(command)].audited and _is_done(released.answer(connection, command))
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


def _code(error: Exception | None) -> str:
    if isinstance(error, StoreFullError):
        return "disk_full"
    if isinstance(error, StoreFaultError):
        return "internal"
    return "busy" if isinstance(error, StoreFailedError) else "internal"


def _ended(bench: HubBench, username: str | None = None) -> Sanction:
    """A ban that has ended by itself and is stored still."""
    sanction = Sanction(
        0, SanctionKind.BAN, username, frozenset({"0" * 32}), None, 1, "", "(host)", 0
    )
    with bench.store.transaction():
        sanction = cast("Sanction", bench.store.add_sanction(sanction))
    bench.world.directory.add_sanction(sanction)
    bench.world.directory.commit()
    return sanction


def test_what_has_ended_is_deleted_when_it_is_listed(bench: HubBench) -> None:
    """Once, and only that; what was done stays in the audit log."""
    bench.join("ada")
    host = bench.host()
    bench.run(Received(host, (messages.Ban(id=1, username="ada", until=FAR),)))
    bench.run()
    _ended(bench, "ada")
    audit = bench.audit()
    ask = messages.ListSanctions(id=2)
    released = bench.run(Received(host, (ask,)))
    listed = released.answer(host, ask)
    assert isinstance(listed, messages.Sanctions)
    assert [each.until for each in listed.sanctions] == [FAR]
    assert released.after == [inputs.PurgeSanctions()]
    bench.run()
    (left,) = bench.world.directory.sanctions.about(SanctionKind.BAN, "ada")
    assert left.until == FAR
    assert bench.world.directory == bench.store.load()
    assert bench.audit() == audit
    assert bench.run(Received(host, (ask,))).after == []


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("error", ERRORS)
def test_what_has_ended_costs_no_command(error: str) -> None:
    """Whatever fails as it is deleted: what came with it is stored, and it goes the next time."""
    for at in itertools.count():
        bench = HubBench(MemoryEngine())
        ada, bob = bench.join("ada"), bench.join("bob")
        _ended(bench)
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
        assert released.shown == [each for each in released.shown if not _is_trouble(each)]
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
@pytest.mark.parametrize("error", ERRORS)
def test_removing_messages_goes_on_after_a_failure(error: str) -> None:
    """Nobody is refused for it, and the next batch that is stored takes it up again."""
    bench = HubBench(MemoryEngine())
    ada, bob = bench.join("ada"), bench.join("bob")
    bench.run(Received(ada, (bench.send("hello"),)))
    delete = messages.DeleteMe(id=bench.number(), messages="remove")
    assert isinstance(bench.run(Received(ada, (delete,))).answer(ada, delete), messages.Done)
    bench.store.fail("erase", ERRORS[error])
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
    assert [event.text for event in bench.stored(GENERAL) if event.text] == ["meanwhile"]
    assert bench.world.directory == bench.store.load()
    bench.close()


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
            assert (reply.code, reply.retryable) == (_code(ERRORS[error]), True)
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


def _is_trouble(event: object) -> bool:
    return isinstance(event, StoreFailed | StoreRecovered)


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
        assert (reply.code, reply.retryable) == (_code(ERRORS[error]), True)
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
def test_the_host_is_told_once_of_each_trouble(bench: HubBench) -> None:
    """However many batches it costs, and again only after it was over."""
    ada = bench.join("ada")
    told: list[object] = []

    def say(count: int = 20) -> None:
        for _ in range(count):
            bench.now += LONGEST_PAUSE
            told.extend(filter(_is_trouble, bench.say(ada, "hello").shown))

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


# Sessions


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


def test_who_resumes_was_never_away(bench: HubBench) -> None:
    """The former connection is ended; nobody is told that somebody came, or went."""
    ada = bench.join("ada")
    bench.join("bob")
    _, released = bench.sign_in("ada", resume=bench.session(ada).key)
    assert released.ended()[ada].code == "replaced"
    assert released.told() == []
    # Whereas who comes back later came, and who has another device already did not.
    bob, _ = bench.sign_in("bob")
    assert bench.sign_in("bob")[1].told() == []
    left = [
        bench.run(inputs.Closed(session.connection, "left")).told()
        for session in tuple(bench.world.sessions.of("bob"))
    ]
    assert left == [[], [], [messages.PresenceChanged(username="bob", online=False)]]
    assert bench.world.sessions.get(bob) is None
    _, released = bench.sign_in("bob")
    assert released.told() == [messages.PresenceChanged(username="bob", online=True)]


@pytest.mark.parametrize("place", range(22))
def test_all_of_the_secret_lets_in(bench: HubBench, place: int) -> None:
    """Not the most of it: one letter that is another, wherever, and nobody is told anything."""
    right = bench.world.facts.secret
    wrong = f"{right[:place]}-{right[place + 1 :]}"
    stranger = bench.connect()
    join = bench.join_command("cem").model_copy(update={"secret": wrong})
    recognize = messages.Recognize(id=bench.number(), secret=wrong, username="cem", nonce="0" * 32)
    released = bench.run(Received(stranger, (join, recognize)))
    for command in (join, recognize):
        error = released.answer(stranger, command)
        assert isinstance(error, messages.Error)
        assert (error.code, error.field) == ("bad_secret", "secret")
    assert bench.session(stranger).username is None


@pytest.mark.parametrize(
    ("count", "pages"),
    [
        (limits.PAGE_ROOMS - 1, [99]),
        (limits.PAGE_ROOMS, [100]),
        (limits.PAGE_ROOMS + 1, [100, 1]),
        (2 * limits.PAGE_ROOMS, [100, 100]),
    ],
)
def test_the_last_page_of_rooms_says_so(bench: HubBench, count: int, pages: list[int]) -> None:
    """Also one that is full to the last place."""
    ada = bench.join("ada")
    directory = bench.world.directory
    for number in range(count - 1):  # and the general one
        directory.add_room(room := RoomLog(10 + number, f"room{number:03}", 0, set()))
        directory.enter(room, "ada")
    got: list[str] = []
    sizes: list[int] = []
    more = True
    while more:
        command = messages.ListRooms(id=bench.number(), after=got[-1] if got else None)
        page = bench.run(Received(ada, (command,))).answer(ada, command)
        assert isinstance(page, messages.Rooms)
        got += [room.room for room in page.rooms]
        sizes.append(len(page.rooms))
        more = page.more
    assert sizes == pages
    assert got == sorted(directory.rooms)


# Catching up


def sync(bench: HubBench, **positions: int) -> messages.Sync:
    """Ask for rooms; `direct` is the one of ada and bob."""
    named = {DIRECT if name == "direct" else name: at for name, at in positions.items()}
    return messages.Sync(id=bench.number(), positions=named)


def test_who_fell_behind_is_brought_nothing_before_it_can_take_it(bench: HubBench) -> None:
    """Whatever it asks for, and whatever a reader still brings; and the host sees it as slow."""
    ada, bob = bench.join("ada"), bench.join("bob")
    bench.say(bob, "psst", DIRECT)
    released = bench.run(Received(ada, (sync(bench, general=2),)))
    assert effects.GoLive(ada, GENERAL) in released.io
    bench.say(bob, "one")
    slow = bench.run(inputs.FellBehind(ada, GENERAL, 2))
    assert slow.shown == [ClientSlow(ada, slow=True)]
    assert (slow.io, slow.pages) == ([], [])
    asked = bench.run(Received(ada, (sync(bench, direct=0),)))
    assert [type(each) for each in asked.io] == [effects.Tell]
    assert asked.pages == []
    bench.say(bob, "two")
    caught_up = bench.run(inputs.Drained(ada))
    (page,) = [each for each in caught_up.io if isinstance(each, effects.WriteEvents)]
    assert [event.text for event in bench.stored()[2:]] == ["one", "two"]
    told = [event.text for event in page.events]
    assert told.count("psst") == told.count("one") == 1
    assert {each.room for each in caught_up.io if isinstance(each, effects.GoLive)} == {
        GENERAL, DIRECT,
    }  # fmt: skip
    assert caught_up.shown == [ClientSlow(ada, slow=False)]


def test_who_has_more_to_catch_up_is_slow_still(bench: HubBench) -> None:
    """Until the last page of the last room is on its way."""
    ada, bob = bench.join("ada"), bench.join("bob")
    bench.run(Received(ada, (sync(bench, general=2),)))
    bench.say(bob, "one")
    bench.world.delivery.forget_tails()
    bench.run(inputs.FellBehind(ada, GENERAL, 2))
    drained = bench.run(inputs.Drained(ada))
    assert drained.pages == [effects.ReadPage(ada, ((GENERAL, 2),))]
    assert drained.shown == []
    read = bench.run(inputs.PageRead(ada, 7, ((GENERAL, 3),)))
    assert read.io == [effects.WritePage(ada, 7), effects.GoLive(ada, GENERAL)]
    assert bench.run(inputs.Drained(ada, 1)).shown == [ClientSlow(ada, slow=False)]


def test_who_waits_for_a_page_that_cant_be_read_is_told(bench: HubBench) -> None:
    """It comes again, and the others see it go."""
    ada = bench.join("ada")
    bench.join("bob")
    bench.world.delivery.forget_tails()
    released = bench.run(Received(ada, (sync(bench, general=0),)))
    assert released.pages == [effects.ReadPage(ada, ((GENERAL, 0),))]
    failed = bench.run(inputs.PageFailed(ada))
    assert failed.ended()[ada].code == "internal"
    assert failed.told() == [messages.PresenceChanged(username="ada", online=False)]
    assert bench.run(inputs.PageFailed(ada)).io == []


# When it is tried again


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


BESIDE_A_BAN: Final = ("ban", "sign in", "say", "look back")


@pytest.mark.parametrize("split", [0, 1, 2, 3], ids=lambda split: f"{split} before")
@pytest.mark.parametrize("order", list(itertools.permutations(BESIDE_A_BAN)))
def test_nobody_slips_past_a_ban(bench: HubBench, order: tuple[str, ...], split: int) -> None:
    """Whatever is under way: in the same batch, or in the one that was taken before or after it."""
    ben, host, other = bench.join("ben"), bench.host(), bench.join("other")
    fresh = bench.connect()
    message = bench.send("still here")
    ban = messages.Ban(id=bench.number(), username="ben", reason="Enough.")
    looked = messages.History(id=bench.number(), room=GENERAL, count=10)
    items: dict[str, HubItem] = {
        "ban": Received(host, (ban,)),
        "sign in": Received(fresh, (bench.sign_in_command("ben"),)),
        "say": Received(ben, (message,)),
        "look back": Received(ben, (looked,)),
    }
    wanted = [items[each] for each in order]
    ended: dict[int, messages.Goodbye] = {}
    refused: list[Message] = []
    asked: list[effects.Query] = []
    for batch in (wanted[:split], wanted[split:], [], []):
        released = bench.run(*batch)
        ended |= released.ended()
        asked += [each for each in released.pages if isinstance(each, effects.Query)]
        refused += [each for each in released.answers(fresh) if isinstance(each, messages.Error)]
    assert not bench.world.sessions.online("ben")
    assert set(ended) == ({ben, fresh} if order.index("sign in") < order.index("ban") else {ben})
    assert {each.code for each in ended.values()} == {"banned"}
    assert [getattr(each, "code", "") for each in refused] == ["banned"] * (2 - len(ended))
    assert bench.session(other).username == "other"
    # What a worker reads for somebody who has been sent away reaches nobody.
    page = messages.HistoryPage(
        re=looked.id, room=GENERAL, events=(), upto=0, older=False, newer=False
    )
    for query in asked:
        late = bench.run(inputs.QueryDone(query.connection, query.re, page))
        assert late.io == []
    assert isinstance(bench.run(Received(other, (messages.Ping(id=1),))).io[0], effects.Tell)


AUDITED: Final = [kind for kind in WRITERS if COMMANDS[kind].audited]


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("kind", AUDITED, ids=lambda kind: kind.__name__)
def test_hosts_and_moderators_act_while_the_disk_is_full(kind: type) -> None:
    """Somebody may be filling it: in the space that was kept back for that. Messages wait on."""
    scene = Scene(MemoryEngine(), WRITERS[kind])
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
                assert _is_done(released.answer(connection, command))
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
