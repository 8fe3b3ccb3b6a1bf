"""A command of each kind that writes, in a chat where it has something to do."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Final, cast

from chat_server.hub.queue import HubItem, Received
from chat_server.rules import joining
from chat_server.rules.devices import device_id
from chat_server.rules.sanctions import Sanction, SanctionKind
from chat_server.rules.view import (
    StoreFailed,
    StoreRecovered,
)
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
from common.protocol import cpace, messages
from common.protocol.joining_proofs import code_exchange
from common.protocol.recognition import device_key
from tests.contract.engines import Engine
from tests.unit.chat_server.house import token
from tests.unit.chat_server.hub_bench import HubBench

DIRECT: Final = "dm:ada:bob"
FAR: Final = limits.MAX_TIME


class Scene:
    """Ada and bob are in the room, a stranger is connected; a batch of theirs with one writer.

    Up to the batch it can be copied, which takes a third of the time that it takes to make one.
    """

    before: messages.Send
    after: messages.Send
    ping: messages.Ping
    rooms: messages.ListRooms
    writer: HubItem
    items: tuple[HubItem, ...]

    def __init__(self, engine: Engine) -> None:
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

    def copied(self, engine: Engine) -> Scene:
        """The same over another engine."""
        made = copy(self)
        made.bench = HubBench(engine, self.bench)
        return made

    def write(self, writer: Callable[[Scene], HubItem]) -> None:
        """Make the batch, with what this one writes."""
        bench = self.bench
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
_DONE: Final = (
    messages.Ack,
    messages.SignedIn,
    messages.Done,
    messages.InviteLink,
    messages.InviteCreated,
    messages.Invited,
)


def is_done(reply: object) -> bool:
    """Whether a reply says that the command was carried out."""
    return isinstance(reply, _DONE)


def code_for(error: Exception | None) -> str:
    """The code with which a command is refused because of what its store raised."""
    if isinstance(error, StoreFullError):
        return "disk_full"
    if isinstance(error, StoreFaultError):
        return "internal"
    return "busy" if isinstance(error, StoreFailedError) else "internal"


def ended_ban(bench: HubBench, username: str | None = None) -> Sanction:
    """A ban that has ended by itself and is stored still."""
    sanction = Sanction(
        0, SanctionKind.BAN, username, frozenset({"0" * 32}), None, 1, "", "(host)", 0
    )
    with bench.store.transaction():
        sanction = cast("Sanction", bench.store.add_sanction(sanction))
    bench.world.directory.add_sanction(sanction)
    bench.world.directory.commit()
    return sanction


def is_trouble(event: object) -> bool:
    """Whether the host is told of the store."""
    return isinstance(event, StoreFailed | StoreRecovered)
