"""Invites: who makes which, how long and how often each lets somebody in, and who sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chat_server.rules import inputs
from chat_server.rules.commands import handle_command, is_refusal
from chat_server.rules.devices import device_id
from chat_server.rules.invites import MOST_INVITES, issue
from chat_server.rules.issued_invites import KEPT_FOR, InviteKind, secret_hash
from chat_server.rules.roles import Role
from chat_server.rules.sessions import Session
from chat_server.rules.view import InvitesChanged
from chat_server.rules.world import INVITE_BURST, Outcome, ServerFacts, World
from chat_server.store.sqlite.reader import SqliteReader
from common import limits
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.recognition import device_key
from tests.contract.memory import Medium, MemoryStore
from tests.unit.chat_server.house import (
    NOW,
    SECRET,
    House,
    all_of,
    answered,
    installation,
    newcomers,
    presence,
    refused,
    token,
    told,
)
from tests.unit.chat_server.rules.invitations import (
    add_device,
    come_in,
    create,
    devices,
    invites,
    reply,
    result,
)

DAY = 24 * 3600 * 1000
MINUTE = limits.SHORTEST_INVITE_LIFE


# For newcomers


def test_an_invite_lets_in_as_often_as_it_may(house: House) -> None:
    """Not once more; and it is listed with how often that was."""
    host = house.host()
    number, invite = create(house, host, uses=2, note="Cousins")
    assert [result(house, name, invite.secret) for name in ("ada", "bob")] == ["in", "in"]
    assert result(house, "cem", invite.secret) == "invite_used"
    facts = invites(house, host)[number]
    assert (facts.uses, facts.most_uses, facts.ended, facts.note) == (2, 2, "used", "Cousins")
    assert (facts.kind, facts.by, facts.role, facts.username) == ("link", None, "member", None)


def test_an_invite_without_a_bound_lets_everyone_in(house: House) -> None:
    """And without an end, for ever."""
    host = house.host()
    number, invite = create(house, host)
    house.now += 1000 * DAY
    for name in ("ada", "bob", "cem"):
        assert result(house, name, invite.secret) == "in"
    assert (invites(house, host)[number].uses, invites(house, host)[number].ended) == (3, None)


def test_an_invite_ends_at_its_time(house: House) -> None:
    """At that millisecond."""
    number, invite = create(house, house.host(), expires_in=limits.SHORTEST_INVITE_LIFE)
    house.now += limits.SHORTEST_INVITE_LIFE - 1
    assert result(house, "ada", invite.secret) == "in"
    house.now += 1
    assert result(house, "bob", invite.secret) == "invite_expired"
    facts = invites(house, house.host())[number]
    assert (facts.ended, facts.expires) == ("expired", house.now)


def test_an_invite_lasts_seven_days_if_nothing_is_said(house: House) -> None:
    """Whoever forgets to say it has made none for ever."""
    command = messages.CreateInvite(id=1)
    created = reply(house, house.host(), command, messages.InviteCreated)
    assert created.expires == NOW + 7 * DAY


def test_a_revoked_invite_lets_nobody_in(house: House) -> None:
    """As if there had never been one; who is in stays in, and it may be revoked again."""
    host = house.host()
    number, invite = create(house, host)
    ada, _ = come_in(house, "ada", invite.secret)
    for _ in range(2):
        command = messages.RevokeInvite(id=2, number=number)
        assert messages.Done(re=2) in told(house.do(host, command), host)
    assert result(house, "bob", invite.secret) == "bad_secret"
    assert invites(house, host)[number].ended == "revoked"
    assert ada.username == "ada"
    assert house.world.sessions.online("ada")


@pytest.mark.parametrize("end", ["used", "expired", "revoked", "forgotten", "ask only"])
def test_a_repeated_join_is_let_in_whatever_became_of_its_invite(house: House, end: str) -> None:
    """Its answer was lost: the account is there, and nobody else has its token."""
    host = house.host()
    number, invite = create(house, host, uses=1 if end == "used" else None, expires_in=DAY)
    first, _ = come_in(house, "ada", invite.secret)
    house.happen(inputs.Closed(first.connection, "lost"))
    if end in {"expired", "forgotten"}:
        house.now += DAY + (KEPT_FOR if end == "forgotten" else 0)
        with house.log.transaction():
            house.happen(inputs.PurgeSanctions())
        house.world.directory.commit()
    if end == "revoked":
        house.do(host, messages.RevokeInvite(id=2, number=number))
    if end == "ask only":
        house.do(host, messages.SetJoining(id=2, rule="ask", moderators_invite=False))
    for name in ("bob", "cem"):
        assert result(house, name, invite.secret) != "in"
    assert result(house, "ada", invite.secret) == "in"
    assert len(house.world.directory.devices) == 1
    # But not under another name, nor with another token.
    assert result(house, "bob", invite.secret, token=token("ada")) != "in"
    assert result(house, "ada", invite.secret, token=token("eve")) != "in"


@pytest.mark.parametrize(
    ("name", "fields", "code"),
    [
        ("bob", {"token": token("eve")}, "name_taken"),
        ("b0b", {}, "name_alike"),
        ("admin", {}, "name_refused"),
        ("cem", {"display_name": "The host"}, "name_refused"),
        ("cem", {"token": token("bob")}, "not_recognized"),
        ("cem", {"installation": installation("exiled")}, "banned"),
    ],
)
def test_a_refused_join_uses_nothing_up(
    house: House, name: str, fields: dict[str, str], code: str
) -> None:
    """Who typed a name that is taken may try another one."""
    house.join("bob")
    house.join("exiled")
    host = house.host()
    house.do(host, messages.Ban(id=1, username="exiled"))
    number, invite = create(house, host, uses=1)
    assert result(house, name, invite.secret, **fields) == code
    assert invites(house, host)[number].uses == 0
    assert result(house, "dan", invite.secret) == "in"


def test_who_joins_with_a_moderators_invite_is_one_at_once(house: House) -> None:
    """In the answer, in what others are told, and after a restart."""
    house.join("bob")
    _, invite = create(house, house.host(), role="moderator")
    session, outcome = come_in(house, "ada", invite.secret)
    (answer,) = [each for each in told(outcome, session) if isinstance(each, messages.SignedIn)]
    assert answer.role == "moderator"
    assert [each.role for each in newcomers(outcome)] == ["moderator"]
    assert house.log.load().accounts["ada"].role is Role.MODERATOR


def test_what_is_stored_of_a_secret_is_a_hash(house: House) -> None:
    """The database, its write-ahead log and the audit log have no secret of any such invite."""
    host = house.host()
    ada = house.join("ada")
    made = [create(house, host)[1], add_device(house, ada)[1]]
    house.do(host, messages.RevokeInvite(id=1, number=1))
    files = [path.read_bytes() for path in house.path.parent.iterdir() if path.is_file()]
    assert len(files) >= 2
    for invite in made:
        assert not any(invite.secret.encode() in each for each in files)
        assert any(secret_hash(invite.secret) in each for each in files)
    reader = SqliteReader(house.path)
    # By its number each is found again.
    assert [(row.action, row.fields["number"]) for row in reader.audit(None, 10)] == [
        ("revoke_invite", 1), ("add_device", 2), ("create_invite", 1),
    ]  # fmt: skip
    reader.close()


def test_there_are_not_too_many_invites(house: House) -> None:
    """Those that have ended don't count, nor those that guests got for the spoken code."""
    host = house.host()
    with house.log.transaction():
        for _ in range(50):
            issue(house.world, InviteKind.CODE, NOW, most_uses=1)
        for _ in range(MOST_INVITES - 1):  # one is the standing one
            issue(house.world, InviteKind.LINK, NOW)
    house.world.directory.commit()
    error = refused(house.do(host, messages.CreateInvite(id=1)), host)
    assert (error.code, error.params) == ("too_many_invites", {"most": MOST_INVITES})
    house.do(host, messages.RevokeInvite(id=1, number=57))  # a link, behind those
    create(house, host)


# By moderators


def test_moderators_invite_only_if_the_host_lets_them(house: House) -> None:
    """And members alone."""
    host, mia = house.host(), house.join("mia")
    house.do(host, messages.SetRole(id=1, username="mia", role="moderator"))
    assert refused(house.do(mia, messages.CreateInvite(id=1)), mia).code == "not_allowed"
    house.do(host, messages.SetJoining(id=1, rule="invite", moderators_invite=True))
    number, invite = create(house, mia)
    command = messages.CreateInvite(id=1, role="moderator")
    error = refused(house.do(mia, command), mia)
    assert (error.code, error.field) == ("not_allowed", "role")
    assert invites(house, mia)[number].by == "mia"
    assert result(house, "ada", invite.secret) == "in"


def test_the_invites_of_who_is_a_moderator_no_longer_end(house: House) -> None:
    """The right to invite ends with the role; others' invites and those for devices stay."""
    host, mia = house.host(), house.join("mia")
    house.do(host, messages.SetRole(id=1, username="mia", role="moderator"))
    house.do(host, messages.SetJoining(id=1, rule="invite", moderators_invite=True))
    (hers, link), (hosts, other), (_, own) = (
        create(house, mia), create(house, host), add_device(house, mia),
    )  # fmt: skip
    outcome = house.do(host, messages.SetRole(id=1, username="mia", role="member"))
    assert all_of(outcome, InvitesChanged) == [InvitesChanged()]
    assert (invites(house, host)[hers].ended, invites(house, host)[hosts].ended) == (
        "revoked",
        None,
    )
    assert result(house, "ada", link.secret) == "bad_secret"
    assert result(house, "ada", other.secret) == "in"
    assert result(house, "mia", own.secret, token=token("phone")) == "in"


def test_who_is_a_moderator_no_longer_does_not_become_one_again(house: House) -> None:
    """Under another name, with the link that made them one; one for members stays."""
    host = house.host()
    (way_in, link), (members, other) = create(house, host, role="moderator"), create(house, host)
    come_in(house, "bob", link.secret)
    come_in(house, "cem", other.secret)
    house.do(host, messages.SetRole(id=1, username="cem", role="moderator"))
    for name in ("bob", "cem"):
        house.do(host, messages.SetRole(id=1, username=name, role="member"))
    facts = invites(house, host)
    assert (facts[way_in].ended, facts[members].ended) == ("revoked", None)
    elsewhere = {"token": token("new"), "installation": installation("new")}
    assert result(house, "ann", link.secret, **elsewhere) == "bad_secret"
    assert result(house, "ann", other.secret, **elsewhere) == "in"


def test_a_ban_ends_the_invites_that_the_person_knows(house: House) -> None:
    """The standing one is made anew; those they made, joined with, or have for devices end."""
    host = house.host()
    number, way_in = create(house, host)
    bob, _ = come_in(house, "bob", way_in.secret)
    house.do(host, messages.SetRole(id=1, username="bob", role="moderator"))
    house.do(host, messages.SetJoining(id=1, rule="invite", moderators_invite=True))
    _, made = create(house, bob)
    _, device = add_device(house, bob)
    _, others = create(house, host)
    house.do(host, messages.Ban(id=1, username="bob"))
    for secret in (way_in.secret, made.secret, SECRET):
        assert result(house, "ada", secret) == "bad_secret"
    elsewhere = {"token": token("phone"), "installation": installation("phone")}
    assert result(house, "bob", device.secret, **elsewhere) == "bad_secret"
    assert result(house, "ada", others.secret) == "in"
    assert invites(house, host)[number].ended == "revoked"


# For devices


def test_a_device_joins_as_its_person(house: House) -> None:
    """No new account, no new name, no event; presence as it is."""
    ada = house.join("ada")
    before = house.world.directory.accounts["ada"]
    log = house.stored()
    number, invite = add_device(house, ada)
    assert invite.username == "ada"
    phone, outcome = come_in(
        house, "ada", invite.secret, token=token("phone"), display_name="Somebody", device="Phone"
    )
    (answer,) = [each for each in told(outcome, phone) if isinstance(each, messages.SignedIn)]
    assert (answer.username, answer.display_name) == ("ada", "Ada")
    assert house.world.directory.accounts == {"ada": before}
    assert (newcomers(outcome), presence(outcome), house.stored()) == ([], [], log)
    assert {each.name for each in devices(house, ada)} == {"Linux", "Phone"}
    facts = invites(house, ada)[number]
    assert (facts.kind, facts.by, facts.username, facts.ended) == ("device", "ada", "ada", "used")
    # It comes back by its own token from then on, and talks as her.
    house.happen(inputs.Closed(phone.connection, "lost"))
    back = house.connect()
    command = house.sign_in_command("ada").model_copy(update={"token": token("phone")})
    house.do(back, command)
    house.say(back, "from my phone")
    assert house.stored()[-1][2:] == ("ada", "from my phone")


def test_who_has_lost_every_device_comes_back_by_the_host(house: House) -> None:
    """And comes online by that."""
    ada = house.join("ada")
    house.happen(inputs.Closed(ada.connection, "lost"))
    _, invite = add_device(house, house.host(), "ada")
    session, outcome = come_in(house, "ada", invite.secret, token=token("new"))
    assert session.username == "ada"
    assert presence(outcome) == [("ada", True)]


def test_a_devices_invite_is_for_one_account_and_one_use(house: House) -> None:
    """Whoever else has it gets nothing by it."""
    ada = house.join("ada")
    house.join("bob")
    _, invite = add_device(house, ada)
    for name in ("bob", "eve", "a.da"):
        assert result(house, name, invite.secret, token=token("phone")) == "bad_secret"
    assert result(house, "ada", invite.secret, token=token("bob")) == "not_recognized"
    assert result(house, "ADA", invite.secret, token=token("phone")) == "in"
    assert result(house, "ada", invite.secret, token=token("tablet")) == "invite_used"
    assert result(house, "ada", invite.secret, token=token("phone")) == "in"


def test_a_devices_invite_ends_after_a_day(house: House) -> None:
    """As whoever finds it in an old mail must not come in by it."""
    _, invite = add_device(house, house.join("ada"))
    house.now += DAY
    assert result(house, "ada", invite.secret, token=token("phone")) == "invite_expired"


def test_a_new_invite_for_a_device_takes_the_place_of_the_former(house: House) -> None:
    """By whomever: there is one at a time, and the list does not fill up."""
    ada, host = house.join("ada"), house.host()
    _, first = add_device(house, ada)
    _, second = add_device(house, host, "ada")
    assert result(house, "ada", first.secret, token=token("phone")) == "bad_secret"
    assert result(house, "ada", second.secret, token=token("phone")) == "in"
    _, third = add_device(house, ada)
    assert [each.ended for each in invites(house, ada).values()] == [None, "used"]
    # It stays used when its device is gone.
    house.do(ada, messages.RemoveDevice(id=1, device=device_id(device_key(token("phone")))))
    assert result(house, "ada", second.secret, token=token("phone")) == "invite_used"
    # And that one may be what the device left behind.
    assert result(house, "ada", third.secret, token=token("tablet")) == "bad_secret"
    _, fourth = add_device(house, ada)
    assert result(house, "ada", fourth.secret, token=token("tablet")) == "in"


def test_nobody_adds_a_device_for_somebody_else(house: House) -> None:
    """But the host, who has to say for whom."""
    ada, host = house.join("ada"), house.host()
    house.join("bob")
    command = messages.AddDevice(id=1, username="bob")
    error = refused(house.do(ada, command), ada)
    assert (error.code, error.field) == ("not_allowed", "username")
    assert refused(house.do(host, messages.AddDevice(id=1)), host).code == "not_allowed"
    error = refused(house.do(host, messages.AddDevice(id=1, username="eve")), host)
    assert (error.code, error.params) == ("no_such_person", {"username": "eve"})
    add_device(house, ada, "ada")


def test_invites_for_devices_are_made_at_a_rate(house: House) -> None:
    """Each is written down in the audit log, which nobody may fill."""
    ada = house.join("ada")
    for _ in range(10):
        add_device(house, ada)
    error = refused(house.do(ada, messages.AddDevice(id=1)), ada)
    assert (error.code, error.retryable, error.retry_after) == ("rate_limited", True, 60_000)
    house.now += 60_000
    add_device(house, ada)
    for _ in range(20):
        add_device(house, house.host(), "ada")


def test_who_is_banned_adds_no_device(house: House) -> None:
    """Also with an invite that was made after the ban."""
    ada = house.join("ada")
    host = house.host()
    house.follow(house.do(host, messages.Ban(id=1, username="ada", reason="Enough")))
    del ada
    _, invite = add_device(house, host, "ada")
    elsewhere = {"token": token("phone"), "installation": installation("phone")}
    assert result(house, "ada", invite.secret, **elsewhere) == "banned"
    house.do(host, messages.Unban(id=1, username="ada"))
    assert result(house, "ada", invite.secret, **elsewhere) == "in"


def test_an_account_has_a_bounded_number_of_devices(house: House) -> None:
    """One has to go before another comes."""
    ada, host = house.join("ada"), house.host()
    for number in range(1, limits.DEVICES):
        _, invite = add_device(house, host, "ada")
        assert result(house, "ada", invite.secret, token=f"{number:064x}") == "in"
    _, invite = add_device(house, host, "ada")
    session, outcome = come_in(house, "ada", invite.secret, token=token("phone"))
    error = refused(outcome, session)
    assert error.code == "too_many_devices"
    assert error.params == {"username": "ada", "most": limits.DEVICES}
    oldest = devices(house, ada)[-1]
    house.do(ada, messages.RemoveDevice(id=1, device=oldest.device))
    assert result(house, "ada", invite.secret, token=token("phone")) == "in"


# The list


def test_the_host_sees_all_invites_and_others_their_own(house: House) -> None:
    """The newest first, the standing one last and for the host alone."""
    host, ada, mia = house.host(), house.join("ada"), house.join("mia")
    house.do(host, messages.SetRole(id=1, username="mia", role="moderator"))
    house.do(host, messages.SetJoining(id=1, rule="invite", moderators_invite=True))
    hosts, hers, device = create(house, host)[0], create(house, mia)[0], add_device(house, ada)[0]
    by_host = add_device(house, host, "mia")[0]
    assert list(invites(house, host)) == [by_host, device, hers, hosts, 0]
    assert list(invites(house, mia)) == [by_host, hers]
    assert list(invites(house, ada)) == [device]
    standing = invites(house, host)[0]
    assert (standing.kind, standing.by, standing.uses, standing.ended) == ("link", None, 2, None)
    for session, number in ((ada, hers), (ada, hosts), (mia, device), (mia, hosts)):
        command = messages.RevokeInvite(id=1, number=number)
        assert refused(house.do(session, command), session).code == "no_such_invite"
    house.do(ada, messages.RevokeInvite(id=1, number=device))
    house.do(mia, messages.RevokeInvite(id=1, number=by_host))
    ended = {number: each.ended for number, each in invites(house, host).items()}
    assert ended == {by_host: "revoked", device: "revoked", hers: None, hosts: None, 0: None}


def test_the_list_comes_in_pages(house: House) -> None:
    """Each before the last number of the one before."""
    host = house.host()
    with house.log.transaction():
        for _ in range(2 * limits.PAGE_INVITES):
            issue(house.world, InviteKind.LINK, NOW)
    house.world.directory.commit()
    found: list[int] = []
    before, more = None, True
    while more:
        command = messages.ListInvites(id=1, before=before)
        page = reply(house, host, command, messages.Invites)
        assert len(page.invites) <= limits.PAGE_INVITES
        found += [each.number for each in page.invites]
        before, more = found[-1] or None, page.more
    assert found == list(range(2 * limits.PAGE_INVITES, -1, -1))


@pytest.mark.parametrize("end", ["used", "expired", "revoked"])
def test_an_invite_that_has_ended_is_listed_for_a_month(house: House, end: str) -> None:
    """Then it is deleted, when somebody lists them, by an input of its own."""
    host = house.host()
    number, invite = create(house, host, uses=1, expires_in=2 * DAY)
    if end == "used":
        come_in(house, "ada", invite.secret)
    if end == "revoked":
        house.do(host, messages.RevokeInvite(id=1, number=number))
    house.now += KEPT_FOR + (2 * DAY if end == "expired" else 0) - 1
    assert house.follow(house.do(host, messages.ListInvites(id=1))) == []
    assert invites(house, host)[number].ended == end
    house.now += 1
    outcome = house.do(host, messages.ListInvites(id=1))
    with house.log.transaction():
        house.follow(outcome)
    house.world.directory.commit()
    assert number not in invites(house, host)
    assert house.world.directory == house.log.load()
    # Its number is not given again: the audit log and the devices name it.
    assert create(house, host)[0] > number


def test_the_standing_invite_stays(house: House) -> None:
    """It counts its uses, from 0 with each new link; it never ends, and can't be revoked."""
    host = house.host()
    house.join("ada")
    assert invites(house, host)[0].uses == 1
    house.now += 5
    house.do(host, messages.NewInvite(id=1))
    facts = invites(house, host)[0]
    assert (facts.uses, facts.created, facts.ended) == (0, NOW + 5, None)
    assert house.world.directory == house.log.load()
    assert result(house, "bob", SECRET) == "bad_secret"
    assert result(house, "bob", house.world.facts.secret) == "in"
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        messages.RevokeInvite(id=1, number=0)


def test_each_device_says_by_which_invite_it_came(house: House) -> None:
    """So a ban finds the links that somebody knows."""
    number, invite = create(house, house.host())
    come_in(house, "ada", invite.secret)
    house.join("bob")
    came_by = {each.username: each.invite for each in house.log.load().devices.values()}
    assert came_by == {"ada": number, "bob": 0}


def test_the_answer_to_who_lists_is_of_what_is_stored(house: House) -> None:
    """It is made after the commit: a use of the same batch counts."""
    host = house.host()
    number, invite = create(house, host, uses=2)
    world = house.world
    before = world.directory.invites.get(number)
    come_in(house, "ada", invite.secret)
    assert before is not None
    assert world.directory.invites.get(number) == replace(before, uses=1)


# Whatever happens


@dataclass
class Model:
    """What should be: an invite's uses, its bound, its end, and whether it was revoked."""

    number: int
    secret: str
    most: int | None
    expires: int | None
    uses: int = 0
    revoked: bool = False

    def code(self, now: int) -> str:
        """What a newcomer gets with it."""
        if self.most is not None and self.uses >= self.most:
            return "invite_used"
        if self.revoked:
            return "bad_secret"
        return "in" if self.expires is None or now < self.expires else "invite_expired"


class InvitesMachine(RuleBasedStateMachine):
    """Invites are made, used, revoked and end, in any order; joins are repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.store = store = MemoryStore(Medium())
        with store.transaction():
            store.invite_secret(NOW)
            directory = store.load()
            directory.add_room(store.add_room(GENERAL, 0))
        directory.commit()
        facts = ServerFacts("Home", "S", "e" * 32, "s" * 22)
        self.world = World(facts, store, directory, link=lambda facts, _: facts.secret)
        self.now = NOW
        self.made: list[Model] = []
        self.joined: list[messages.Join] = []
        self.host = Session(-1, "", NOW, is_host=True)
        self.connections = count(1)

    @rule(uses=st.none() | st.integers(1, 3), life=st.sampled_from([None, MINUTE, DAY]))
    def create(self, uses: int | None, life: int | None) -> None:
        """The host makes one."""
        outcome = self.do(self.host, messages.CreateInvite(id=1, uses=uses, expires_in=life))
        (answer,) = told(answered(outcome), self.host)
        assert isinstance(answer, messages.InviteCreated)
        expires = None if life is None else self.now + life
        self.made.append(Model(answer.number, answer.link, uses, expires))

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9))
    def revoke(self, which: int) -> None:
        """The host ends one, if it has not ended."""
        model = self.made[which % len(self.made)]
        self.do(self.host, messages.RevokeInvite(id=1, number=model.number))
        model.revoked = model.revoked or model.code(self.now) == "in"

    @rule(span=st.sampled_from([1, MINUTE, DAY]))
    def wait(self, span: int) -> None:
        """Time passes."""
        self.now += span

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9))
    def join(self, which: int) -> None:
        """Somebody new tries one."""
        model = self.made[which % len(self.made)]
        name = f"p{len(self.joined):03}"
        join = messages.Join(
            id=1,
            secret=model.secret,
            username=name,
            display_name=f"Person {name}",
            token=token(name),
            device="Linux",
            installation=installation(name),
        )
        code = self.code(join)
        assert code == model.code(self.now)
        if code == "in":
            model.uses += 1
            self.joined.append(join)

    @precondition(lambda self: self.joined)
    @rule(which=st.integers(0, 99))
    def repeat(self, which: int) -> None:
        """Somebody whose answer was lost is let in, whatever became of the invite."""
        assert self.code(self.joined[which % len(self.joined)]) == "in"

    @invariant()
    def is_as_it_should_be(self) -> None:
        """Every use counts once; memory is what is stored."""
        assert self.world.directory == self.store.load()
        for model in self.made:
            found = self.world.directory.invites.get(model.number)
            assert found is not None
            assert found.uses == model.uses
            assert (found.ended(self.now) is None) == (model.code(self.now) == "in")
        assert len(self.world.directory.accounts) == len(self.joined)

    def code(self, join: messages.Join) -> str:
        """What comes of a join on a connection of its own."""
        session = Session(next(self.connections), "192.0.2.1", self.now)
        self.world.sessions.open(session)
        outcome = self.do(session, join)
        return refused(outcome, session).code if is_refusal(outcome) else "in"

    def do(self, session: Session, command: messages.ToServer) -> Outcome:
        """What a command leads to, committed."""
        with self.store.transaction():
            outcome = handle_command(self.world, session, command, self.now)
        self.world.directory.commit()
        return outcome


TestInvites = InvitesMachine.TestCase
TestInvites.settings = settings(max_examples=40, stateful_step_count=30)


def test_a_moderator_does_not_fill_the_list(house: House) -> None:
    """Those that ended stay listed for a while: so the rate is limited, and the host's is not."""
    host, mia = house.host(), house.join("mia")
    house.do(host, messages.SetRole(id=1, username="mia", role="moderator"))
    house.do(host, messages.SetJoining(id=1, rule="invite", moderators_invite=True))
    for _ in range(int(INVITE_BURST)):
        number, _ = create(house, mia)
        house.do(mia, messages.RevokeInvite(id=1, number=number))
    error = refused(house.do(mia, messages.CreateInvite(id=1, role="member")), mia)
    assert (error.code, error.retryable, error.retry_after) == ("rate_limited", True, 60_000)
    create(house, host)
