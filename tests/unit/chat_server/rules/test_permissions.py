"""Who may do what: every command, for everybody who can send one, and what refuses it."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from typing import Final, cast

import pytest

from chat_server.hub.queue import Received
from chat_server.rules import commands, effects
from chat_server.rules.commands import COMMANDS, SENDERS
from chat_server.rules.devices import device_id
from chat_server.rules.permissions import role_of
from chat_server.rules.roles import Role
from chat_server.rules.sanctions import SanctionKind
from chat_server.rules.sessions import Session
from chat_server.rules.view import InvitesChanged
from chat_server.rules.world import Outcome
from chat_server.store.store import StoreBusyError
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.recognition import device_key
from tests.contract.engines import MemoryEngine
from tests.events import send
from tests.unit.chat_server.house import (
    NOW,
    House,
    acked,
    all_of,
    installation,
    refused,
    token,
    told,
)
from tests.unit.chat_server.hub_bench import HubBench
from tests.unit.chat_server.rules.guests import CodeGuest, KnockingGuest, show_code

WHO: Final = ("stranger", "banned", "member", "muted", "moderator", "host")
NAMES: Final = {"banned": "bea", "member": "max", "muted": "moe", "moderator": "mia"}
MEMBERS: Final = "not_allowed not_allowed yes yes yes yes"
OWN: Final = "not_allowed not_allowed yes yes yes not_allowed"
MODERATORS: Final = "not_allowed not_allowed not_allowed not_allowed yes yes"
HOSTS: Final = "not_allowed not_allowed not_allowed not_allowed not_allowed yes"
ALLOWED: Final[dict[type, str]] = {
    messages.Hello: "yes yes - - - yes",
    messages.Recognize: "yes yes - - - yes",
    messages.Join: "yes banned - - - not_allowed",
    messages.SignIn: "yes banned - - - not_allowed",
    messages.Ping: "yes yes yes yes yes yes",
    messages.ListPeople: MEMBERS,
    messages.ListOnline: MEMBERS,
    messages.ListRooms: OWN,
    messages.Sync: OWN,
    messages.History: OWN,
    messages.Send: "not_allowed not_allowed yes muted yes not_allowed",
    messages.RenameMe: "not_allowed not_allowed yes muted yes not_allowed",
    messages.DeleteMe: OWN,
    messages.DeleteAccount: HOSTS,
    messages.Terminate: MODERATORS,
    messages.Ban: MODERATORS,
    messages.Unban: MODERATORS,
    messages.MutePerson: MODERATORS,
    messages.Unmute: MODERATORS,
    messages.ListSanctions: MODERATORS,
    messages.SetSlowMode: MODERATORS,
    messages.SetRole: HOSTS,
    messages.RenameChat: HOSTS,
    messages.ShowInvite: HOSTS,
    messages.NewInvite: HOSTS,
    messages.AskStatus: HOSTS,
    messages.ListClients: HOSTS,
    messages.ListAudit: HOSTS,
    messages.CreateInvite: MODERATORS,
    messages.AddDevice: MEMBERS,
    messages.ListInvites: MEMBERS,
    messages.RevokeInvite: "not_allowed not_allowed no_such_invite no_such_invite yes yes",
    messages.SetJoining: HOSTS,
    messages.AskJoining: MODERATORS,
    messages.ListDevices: MEMBERS,
    messages.RemoveDevice: MEMBERS,
    messages.CodeStart: "yes yes - - - not_allowed",
    messages.CodeProof: "yes yes - - - not_allowed",
    messages.Knock: "yes banned - - - not_allowed",
    messages.KnockOpen: "yes yes - - - not_allowed",
    messages.Withdraw: "yes yes - - - not_allowed",
    messages.ListRequests: HOSTS,
    messages.Admit: HOSTS,
    messages.Deny: HOSTS,
    messages.ShowCode: HOSTS,
    messages.EndCode: HOSTS,
}
"""For each of WHO: carried out, the code of the refusal, or - where the conversation's phase
refuses it before (tests/unit/common/test_codec.py)."""
MATRIX: Final = [
    pytest.param(kind, who, code, id=f"{kind.__name__}-{who}")
    for kind, row in ALLOWED.items()
    for who, code in zip(WHO, row.split(), strict=True)
    if code != "-"
]


class Scene:
    """A house with somebody of each kind, and people to whom things can be done."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.host = house.host()
        self.sessions = {who: house.join(name) for who, name in NAMES.items()}
        self.tom, self.other = house.join("tom"), house.join("other")
        house.join("exiled")
        house.join("quiet")
        house.join("second")
        for command in (
            messages.SetRole(id=1, username="mia", role="moderator"),
            messages.SetRole(id=1, username="other", role="moderator"),
            messages.MutePerson(id=1, username="moe"),
            messages.MutePerson(id=1, username="quiet"),
            messages.Ban(id=1, username="bea"),
            messages.Ban(id=1, username="exiled"),
            messages.SetJoining(id=1, rule="invite_or_ask", moderators_invite=True),
        ):
            outcome = house.do(self.host, command)
            assert messages.Done(re=1) in told(outcome, self.host)
            house.follow(outcome)
        self.sessions |= {
            "stranger": house.connect(), "banned": house.connect(), "host": self.host,
        }  # fmt: skip
        made = house.do(self.sessions["moderator"], messages.CreateInvite(id=1))
        (created,) = told(made, self.sessions["moderator"])
        assert isinstance(created, messages.InviteCreated)
        self.invite = created.number
        self.guest = KnockingGuest(house, "asking")
        self.request = self.guest.knock()
        self.code = show_code(house).code

    def command(self, kind: type, who: str) -> messages.ToServer:
        """A valid one."""
        house = self.house
        name = NAMES.get(who, "newcomer")
        made: dict[type, Callable[[], messages.ToServer]] = {
            messages.Hello: lambda: messages.Hello(id=9, protocol=2, program="P"),
            messages.Recognize: lambda: messages.Recognize(
                id=9, secret=house.world.facts.secret, username="tom", nonce="0" * 32
            ),
            messages.Join: lambda: house.join_command(name, secret=house.world.facts.secret),
            messages.SignIn: lambda: house.sign_in_command(NAMES.get(who, "tom")),
            messages.Ping: lambda: messages.Ping(id=9),
            messages.ListPeople: lambda: messages.ListPeople(id=9),
            messages.ListOnline: lambda: messages.ListOnline(id=9),
            messages.ListRooms: lambda: messages.ListRooms(id=9),
            messages.Sync: lambda: messages.Sync(id=9, positions={GENERAL: 0}),
            messages.History: lambda: messages.History(id=9, room=GENERAL, count=10),
            messages.Send: lambda: send(9, "hello"),
            messages.RenameMe: lambda: messages.RenameMe(id=9, display_name="Another"),
            messages.DeleteMe: lambda: messages.DeleteMe(id=9, messages="remove"),
            messages.DeleteAccount: lambda: messages.DeleteAccount(
                id=9, username="tom", messages="keep"
            ),
            messages.Terminate: lambda: messages.Terminate(id=9, username="tom"),
            messages.Ban: lambda: messages.Ban(id=9, username="tom"),
            messages.Unban: lambda: messages.Unban(id=9, username="exiled"),
            messages.MutePerson: lambda: messages.MutePerson(id=9, username="tom"),
            messages.Unmute: lambda: messages.Unmute(id=9, username="quiet"),
            messages.ListSanctions: lambda: messages.ListSanctions(id=9),
            messages.SetRole: lambda: messages.SetRole(id=9, username="tom", role="moderator"),
            messages.SetSlowMode: lambda: messages.SetSlowMode(id=9, room=GENERAL, seconds=30),
            messages.RenameChat: lambda: messages.RenameChat(id=9, name="Garden"),
            messages.ShowInvite: lambda: messages.ShowInvite(id=9),
            messages.NewInvite: lambda: messages.NewInvite(id=9),
            messages.AskStatus: lambda: messages.AskStatus(id=9),
            messages.ListClients: lambda: messages.ListClients(id=9),
            messages.ListAudit: lambda: messages.ListAudit(id=9),
            messages.CreateInvite: lambda: messages.CreateInvite(id=9),
            messages.AddDevice: lambda: messages.AddDevice(
                id=9, username="tom" if who == "host" else None
            ),
            messages.ListInvites: lambda: messages.ListInvites(id=9),
            messages.RevokeInvite: lambda: messages.RevokeInvite(id=9, number=self.invite),
            messages.SetJoining: lambda: messages.SetJoining(
                id=9, rule="open", moderators_invite=False
            ),
            messages.AskJoining: lambda: messages.AskJoining(id=9),
            messages.CodeStart: lambda: messages.CodeStart(
                id=9, sid="0" * 32, share=f"09{'0' * 62}"
            ),
            messages.CodeProof: lambda: messages.CodeProof(id=9, tag=self._tag(who)),
            messages.Knock: lambda: messages.Knock(
                id=9,
                username="newcomer",
                display_name="N",
                device="Linux",
                installation=installation(name),
            ),
            messages.KnockOpen: lambda: self._begun(who),
            messages.Withdraw: lambda: messages.Withdraw(id=9),
            messages.ListRequests: lambda: messages.ListRequests(id=9),
            messages.Admit: lambda: messages.Admit(id=9, request=self.request),
            messages.Deny: lambda: messages.Deny(id=9, request=self.request),
            messages.ShowCode: lambda: messages.ShowCode(id=9),
            messages.EndCode: lambda: messages.EndCode(id=9),
            messages.ListDevices: lambda: messages.ListDevices(
                id=9, username="tom" if who == "host" else None
            ),
            messages.RemoveDevice: lambda: messages.RemoveDevice(
                id=9,
                username="tom" if who == "host" else None,
                device=device_id(device_key(token("tom" if who == "host" else name))),
            ),
        }
        return made[kind]()

    def _tag(self, who: str) -> str:
        """That of the right code, once an exchange has begun."""
        guest = CodeGuest(self.house, session=self.sessions[who])
        if who != "host":
            guest.start(self.code)
        return "0" * 128 if guest.exchange is None or who == "host" else guest.exchange.tag().hex()

    def _begun(self, who: str) -> messages.KnockOpen:
        if who != "host":
            guest = KnockingGuest(self.house, "newcomer", session=self.sessions[who])
            guest.begin()
        return messages.KnockOpen(id=9, nonce="0" * 64)


@pytest.fixture
def scene(house: House) -> Scene:
    """Somebody of each kind."""
    return Scene(house)


def audited(house: House) -> int:
    """How many things are in the audit log."""
    (count,) = house.log._connection.execute("SELECT count(*) FROM audit").fetchone()
    return int(count)


def test_every_command_is_in_the_matrix() -> None:
    """Whoever adds a command says here who may do it."""
    assert set(ALLOWED) == set(COMMANDS)


@pytest.mark.parametrize(("kind", "who", "code"), MATRIX)
def test_who_may_do_what(scene: Scene, kind: type, who: str, code: str) -> None:
    """Refused with one answer and without a trace, or carried out, and written down if it is to."""
    house = scene.house
    session, command = scene.sessions[who], scene.command(kind, who)
    before, written, facts = house.log.load(), audited(house), house.world.facts
    sessions = [(each.connection, each.username) for each in house.world.sessions]
    outcome = house.do(session, command)
    assert house.log.load() == house.world.directory
    if code != "yes":
        error = refused(outcome, session)
        assert (error.code, error.re, error.retryable) == (code, command.id, False)
        assert house.log.load() == before
        assert (audited(house), house.world.facts) == (written, facts)
        assert [(each.connection, each.username) for each in house.world.sessions] == sessions
        return
    assert _is_answered(outcome, session, command)
    assert audited(house) == written + COMMANDS[kind].audited


def test_an_invite_that_has_ended_is_not_ended_again(house: House) -> None:
    """Or a member could fill the log, and the disk; it is answered each time."""
    house.join("ada")
    host, command = house.host(), messages.RevokeInvite(id=9, number=1)
    house.do(host, messages.CreateInvite(id=1))
    before = audited(house)
    outcomes = [house.do(host, command) for _ in range(100)]
    assert all(messages.Done(re=9) in told(each, host) for each in outcomes)
    assert audited(house) == before + 1
    assert not any(all_of(each, InvitesChanged) for each in outcomes[1:])


def test_a_member_fills_no_log_with_its_own_invites(house: House) -> None:
    """Those that have ended stay as they are, however often somebody ends them."""
    ada = house.join("ada")
    house.do(ada, messages.AddDevice(id=1))
    before = audited(house)
    for _ in range(100):
        house.do(ada, messages.RevokeInvite(id=2, number=1))
    assert audited(house) == before + 1


def _is_answered(outcome: Outcome, session: Session, command: messages.Command) -> bool:
    """With something else than an error, or by a worker."""
    if any(isinstance(each, effects.Query | effects.Publish) for each in outcome):
        return True
    replies = [each for each in told(outcome, session) if getattr(each, "re", 0) == command.id]
    return len(replies) == 1 and not isinstance(replies[0], messages.Error)


@pytest.mark.parametrize("row", ["missing", "too many"])
def test_the_table_and_the_protocol_are_the_same(monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    """A command without a row, or a row without a command, and nothing can be started."""
    union = messages.ToServer
    shorter = messages.Ping | messages.Hello
    monkeypatch.setattr(
        messages, "ToServer", (union | messages.Pong) if row == "missing" else shorter
    )
    with pytest.raises(TypeError, match="no row in the table"):
        runpy.run_path(commands.__file__)


@pytest.mark.parametrize("kinds", [{"message", "topic"}, set()])
def test_every_kind_that_is_sent_has_a_role(
    monkeypatch: pytest.MonkeyPatch, kinds: set[str]
) -> None:
    """A kind without one, or one without a kind, and nothing can be started."""
    monkeypatch.setattr(messages, "SENDABLE", frozenset(kinds))
    with pytest.raises(TypeError, match="has no role here"):
        runpy.run_path(commands.__file__)


@pytest.mark.parametrize("least", list(Role))
@pytest.mark.parametrize("who", WHO)
def test_who_may_send_a_kind(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, who: str, least: Role
) -> None:
    """Each has its least role; what was stored before somebody lost it gets its answer again."""
    house, session = scene.house, scene.sessions[who]
    stored = send(8, "before")
    before = house.do(session, stored)
    monkeypatch.setitem(cast("dict[str, Role]", SENDERS), "message", least)
    outcome = house.do(session, send(9, "hello", cid=house.cid()))
    role = role_of(house.world, session)
    code = dict(zip(WHO, ALLOWED[messages.Send].split(), strict=True))[who]
    if Role.MEMBER <= role < least:
        code = "not_allowed"
    if code == "yes":
        assert acked(outcome).re == 9
    else:
        assert refused(outcome, session).code == code
    if who in {"member", "moderator"}:
        assert acked(house.do(session, stored)) == acked(before)


def about(scene: Scene, name: str) -> list[messages.ToServer]:
    """Everything that is done to a person."""
    (session,) = scene.house.world.sessions.of(name)
    return [
        messages.Terminate(id=9, username=name),
        messages.Terminate(id=9, connection=session.connection),
        messages.Ban(id=9, username=name),
        messages.Ban(id=9, connection=session.connection),
        messages.MutePerson(id=9, username=name),
        messages.Unmute(id=9, username=name),
    ]


@pytest.mark.parametrize("name", ["other", "mia"])
@pytest.mark.parametrize("number", range(6))
def test_a_moderator_does_nothing_to_moderators(scene: Scene, name: str, number: int) -> None:
    """Neither to others nor to itself; the host does."""
    house = scene.house
    house.do(scene.host, messages.MutePerson(id=1, username=name))
    before = house.log.load()
    moderator, command = scene.sessions["moderator"], about(scene, name)[number]
    assert refused(house.do(moderator, command), moderator).code == "not_allowed"
    assert house.log.load() == before == house.world.directory
    done = house.do(scene.host, command)
    assert messages.Done(re=9) in told(done, scene.host)


@pytest.mark.parametrize("by_number", [True, False])
def test_a_moderator_lifts_no_ban_of_a_moderator(scene: Scene, by_number: bool) -> None:
    """Whom the host sent away the host lets back."""
    house, moderator = scene.house, scene.sessions["moderator"]
    house.do(scene.host, messages.Ban(id=1, username="other"))
    (ban,) = house.world.directory.sanctions.about(SanctionKind.BAN, "other")
    command = (
        messages.Unban(id=9, number=ban.number)
        if by_number
        else messages.Unban(id=9, username="other")
    )
    assert refused(house.do(moderator, command), moderator).code == "not_allowed"
    assert messages.Done(re=9) in told(house.do(scene.host, command), scene.host)


@pytest.mark.parametrize("number", range(6))
def test_a_moderator_does_nothing_to_the_hosts_own_account(scene: Scene, number: int) -> None:
    """Who joined from the host's own ChatClient: nobody locks the host out of the own chat."""
    house, moderator = scene.house, scene.sessions["moderator"]
    house.do(scene.host, messages.MutePerson(id=1, username="tom"))
    house.world.own_installations = lambda: (installation("somebody"), installation("tom"))
    command = about(scene, "tom")[number]
    before = house.log.load()
    error = refused(house.do(moderator, command), moderator)
    assert (error.code, house.log.load()) == ("not_allowed", before)
    if not isinstance(command, messages.Ban) or command.connection is None:
        (done,) = told(house.do(scene.host, command), scene.host)
        assert isinstance(done, messages.Done)
    # Who only visits there is somebody like others.
    (second,) = house.world.sessions.of("second")
    second.installation = installation("tom")
    mute = messages.MutePerson(id=9, username="second")
    assert messages.Done(re=9) in told(house.do(moderator, mute), moderator)


@pytest.mark.parametrize(
    ("on", "lifts"), [("mia", False), ("other", False), ("tom", False), ("second", True)]
)
def test_a_moderator_lifts_no_ban_of_a_device_of_ones_own(
    scene: Scene, on: str, lifts: bool
) -> None:
    """Nor of other moderators', nor of the host's: what the host has done to these stays done."""
    house, moderator = scene.house, scene.sessions["moderator"]
    (banned,) = house.world.sessions.of(on)
    ban = house.do(scene.host, messages.Ban(id=1, connection=banned.connection))
    (sanction,) = [
        each for each in house.world.directory.sanctions.after(0, NOW) if each.username is None
    ]
    if on == "mia":
        house.follow(ban)
        moderator = house.connect()
        elsewhere = house.sign_in_command("mia").model_copy(update={"installation": "9" * 32})
        house.do(moderator, elsewhere)
        assert moderator.username == "mia"
    house.world.own_installations = lambda: (installation("tom"),)
    unban = messages.Unban(id=9, number=sanction.number)
    outcome = house.do(moderator, unban)
    if lifts:
        assert messages.Done(re=9) in told(outcome, moderator)
        return
    error = refused(outcome, moderator)
    assert (error.code, error.field) == ("not_allowed", "number")
    assert messages.Done(re=9) in told(house.do(scene.host, unban), scene.host)


def test_a_moderator_does_nothing_to_the_host(scene: Scene) -> None:
    """Its session is no client's, and nobody has its name."""
    moderator = scene.sessions["moderator"]
    for username in ("host", "(host)"):
        assert username not in scene.house.world.directory.accounts
    error = refused(scene.house.do(moderator, messages.Terminate(id=9, username="host")), moderator)
    assert error.code == "no_such_person"
    for session in (scene.host, scene.sessions["stranger"]):
        client = messages.Terminate.model_construct(
            id=9, connection=session.connection, username=None, reason=""
        )
        assert refused(scene.house.do(moderator, client), moderator).code == "not_allowed"


@pytest.mark.parametrize("command", [messages.Terminate, messages.Ban])
def test_connections_are_for_the_host_alone(
    scene: Scene, command: type[messages.Terminate | messages.Ban]
) -> None:
    """A moderator is not told their numbers, and learns nothing by guessing them."""
    house, moderator = scene.house, scene.sessions["moderator"]
    before = house.log.load()
    for number in (scene.tom.connection, moderator.connection, 10_000):
        error = refused(house.do(moderator, command(id=9, connection=number)), moderator)
        assert (error.code, error.field, error.params) == ("not_allowed", "connection", {})
    assert house.log.load() == before == house.world.directory
    error = refused(house.do(scene.host, command(id=9, connection=10_000)), scene.host)
    assert (error.code, error.field) == ("no_such_client", "connection")
    done = house.do(scene.host, command(id=9, connection=scene.tom.connection))
    assert messages.Done(re=9) in told(done, scene.host)


def test_the_device_of_several_people_is_banned_from_under_all(scene: Scene) -> None:
    """The host may, also where one of them is a moderator."""
    house = scene.house
    scene.other.installation = scene.tom.installation
    ban = messages.Ban(id=9, connection=scene.tom.connection)
    outcome = house.do(scene.host, ban)
    (after,) = [each for each in outcome if isinstance(each, effects.After)]
    assert set(after.item.connections) == {  # type: ignore[union-attr]  # it ends sessions
        scene.tom.connection, scene.other.connection,
    }  # fmt: skip


def test_a_role_holds_at_once(scene: Scene) -> None:
    """For the connections that are there: the next command is another's."""
    house, member = scene.house, scene.sessions["member"]
    mute = messages.MutePerson(id=9, username="tom")
    house.do(scene.host, messages.SetRole(id=1, username="max", role="moderator"))
    assert messages.Done(re=9) in told(house.do(member, mute), member)
    assert house.world.person("max").role == "moderator"
    house.do(scene.host, messages.SetRole(id=1, username="max", role="member"))
    assert refused(house.do(member, mute), member).code == "not_allowed"


@pytest.mark.usefixtures("errors_logged")
def test_nobody_stays_whom_a_failed_batch_let_in() -> None:
    """A ban was lifted and somebody came back by that, but neither is stored."""
    bench = HubBench(MemoryEngine())
    tom = bench.join("tom")
    host = bench.host()
    bench.run(Received(host, (messages.Ban(id=1, username="tom"),)))
    assert set(bench.run().ended()) == {tom}
    stranger = bench.connect()
    bench.store.fail("end of transaction", StoreBusyError("locked"))
    lift = messages.Unban(id=2, username="tom")
    sign_in = bench.sign_in_command("tom")
    released = bench.run(Received(host, (lift,)), Received(stranger, (sign_in,)))
    assert not bench.world.sessions.online("tom")
    assert released.ended()[stranger].code == "internal"
    bench.store.heal()
    assert bench.world.directory == bench.store.load()
    assert len(bench.world.directory.sanctions.about(SanctionKind.BAN, "tom")) == 1
    bench.close()
