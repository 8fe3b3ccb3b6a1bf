"""What is done to people: what follows, when it ends by itself, and what everybody is told."""

from __future__ import annotations

import json
from typing import cast

import pytest

from chat_server.net.queries import answer
from chat_server.rules import commands, inputs
from chat_server.rules.effects import After, Disconnect, ReadAudit, TellEveryone
from chat_server.rules.inputs import EndSessions
from chat_server.rules.sanctions import SanctionKind
from chat_server.rules.sessions import Session
from chat_server.rules.view import ClientDisconnected, InviteRenewed
from chat_server.rules.world import Outcome
from chat_server.store.sqlite.reader import SqliteReader
from common import limits
from common.protocol import messages
from common.protocol.codec import encode
from tests.unit.chat_server.house import (
    NOW,
    House,
    acked,
    all_of,
    answered,
    installation,
    newcomers,
    only,
    presence,
    refused,
    told,
)


@pytest.fixture
def host(house: House) -> Session:
    """The host's."""
    return house.host()


def later(house: House, session: Session, command: messages.ToServer, now: int) -> messages.Message:
    """The one answer to a command at another time."""
    with house.log.transaction():
        outcome = commands.handle_command(house.world, session, command, now)
    house.world.directory.commit()
    return told(answered(outcome), session)[0]


def test_nobody_is_ended_before_it_is_stored_why(house: House, host: Session) -> None:
    """A ban ends nothing by itself: that follows once it is on the disk, in an input of its own."""
    ben, laptop = house.join("ben"), house.sign_in("ben")[0]
    outcome = house.do(host, messages.Ban(id=1, username="ben", until=NOW + 5, reason="Enough."))
    assert all_of(outcome, Disconnect) == []
    assert all_of(outcome, ClientDisconnected) == []
    assert house.world.sessions.get(ben.connection) is ben
    ending = cast("EndSessions", only(outcome, After).item)
    assert ending.connections == (ben.connection, laptop.connection)
    ended = house.follow(outcome)
    assert [(each.connection, each.goodbye.code) for each in all_of(ended, Disconnect)] == [
        (ben.connection, "banned"), (laptop.connection, "banned"),
    ]  # fmt: skip
    assert {str(each.goodbye.params) for each in all_of(ended, Disconnect)} == {
        str({"reason": "Enough.", "until": NOW + 5})
    }
    assert presence(ended) == [("ben", False)]
    assert house.follow(outcome) == []


def test_a_banned_person_comes_back_by_no_way(house: House, host: Session) -> None:
    """Not by its token, not by its `join` again, not under another name; others do."""
    house.join("ben")
    old = house.world.facts.secret
    outcome = house.do(host, messages.Ban(id=1, username="BEN".lower(), reason="Enough."))
    house.follow(outcome)
    only(outcome, InviteRenewed)
    secret = house.world.facts.secret
    assert secret != old
    tries: list[messages.ToServer] = [
        house.sign_in_command("ben"),
        house.join_command("ben", secret=secret),
        house.join_command("benny", secret=secret, installation=installation("ben")),
    ]
    for command in tries:
        session = house.connect()
        error = refused(house.do(session, command), session)
        assert (error.code, error.params, error.retryable) == (
            "banned", {"reason": "Enough."}, False,
        )  # fmt: skip
        assert session.username is None
    session = house.connect()
    assert refused(house.do(session, house.join_command("cleo")), session).code == "bad_secret"
    house.do(session, house.join_command("cleo", secret=secret))
    assert session.username == "cleo"
    assert house.world.directory == house.log.load()


def test_a_ban_ends_at_its_time(house: House, host: Session) -> None:
    """To the millisecond, and is not listed any more; the longest of several counts."""
    house.join("ben")
    for until in (NOW + 10, NOW + 30, NOW + 20):
        house.follow(house.do(host, messages.Ban(id=1, username="ben", until=until)))
    command = house.sign_in_command("ben")
    error = later(house, house.connect(), command, NOW + 29)
    assert isinstance(error, messages.Error)
    assert error.params == {"reason": "", "until": NOW + 30}
    ask = messages.ListSanctions(id=2)
    listed = later(house, host, ask, NOW + 29)
    assert isinstance(listed, messages.Sanctions)
    assert [each.until for each in listed.sanctions] == [NOW + 30]
    assert isinstance(later(house, house.connect(), command, NOW + 30), messages.SignedIn)


def test_a_ban_of_a_device_is_none_of_the_person(house: House, host: Session) -> None:
    """It comes from elsewhere; nobody comes from there."""
    ben = house.join("ben")
    house.follow(house.do(host, messages.Ban(id=1, connection=ben.connection)))
    assert house.world.directory.sanctions.about(SanctionKind.BAN, "ben") == []
    session = house.connect()
    assert refused(house.do(session, house.sign_in_command("ben")), session).code == "banned"
    elsewhere = house.sign_in_command("ben").model_copy(update={"installation": "9" * 32})
    house.do(session, elsewhere)
    assert session.username == "ben"


def test_a_mute_is_told_and_ends(house: House, host: Session) -> None:
    """All sessions hear of it, those that come later when they come; a new one takes its place."""
    ben, laptop = house.join("ben"), house.sign_in("ben")[0]
    house.do(host, messages.MutePerson(id=1, username="ben"))
    mute = messages.Mute(until=NOW + 5, reason="Hush.")
    command = messages.MutePerson(id=1, username="ben", until=NOW + 5, reason="Hush.")
    outcome = house.do(host, command)
    for session in (ben, laptop):
        assert told(outcome, session) == [messages.MuteChanged(mute=mute)]
    error = refused(house.say(ben, "can I?"), ben)
    assert (error.code, error.params) == ("muted", {"reason": "Hush.", "until": NOW + 5})
    phone, outcome = house.sign_in("ben")
    (signed_in,) = told(outcome, phone)
    assert isinstance(signed_in, messages.SignedIn)
    assert signed_in.mute == mute
    assert len(house.world.directory.sanctions.about(SanctionKind.MUTE, "ben")) == 1
    assert house.world.directory.sanctions.mute_of(NOW + 5, "ben") is None
    outcome = house.do(host, messages.Unmute(id=1, username="ben"))
    assert told(outcome, ben) == [messages.MuteChanged(mute=None)]
    assert house.say(ben, "now I can")
    again = house.do(host, messages.Unmute(id=1, username="ben"))
    assert refused(again, host).code == "no_such_sanction"


def test_what_was_said_before_a_mute_gets_its_answer_again(house: House, host: Session) -> None:
    """Its sender may have lost the first one; told that it is refused, they would say it twice."""
    ben = house.join("ben")
    before, other = house.cid(), house.cid()
    first = acked(house.say(ben, "before", cid=before))
    house.do(host, messages.MutePerson(id=1, username="ben"))
    again = acked(house.say(ben, "before", cid=before))
    assert (again.seq, again.cid) == (first.seq, first.cid)
    assert refused(house.say(ben, "otherwise", cid=before), ben).code == "cid_reused"
    assert refused(house.say(ben, "after", cid=other), ben).code == "muted"
    assert [text for *_, text in house.stored()][-1] == "before"


def test_everybody_hears_of_a_role(house: House, host: Session) -> None:
    """By a change with a number of its own; the former one is still known."""
    ada = house.join("ada")
    before = house.world.directory.accounts["ada"].change
    outcome = house.do(host, messages.SetRole(id=1, username="ada", role="moderator"))
    (person,) = newcomers(outcome)
    assert (person.username, person.role) == ("ada", "moderator")
    assert person.change > before
    assert only(outcome, TellEveryone).but is None
    assert house.world.directory.was_change(before)
    assert house.log.load().was_change(before)
    error = refused(house.do(host, messages.SetRole(id=1, username="nobody", role="member")), host)
    assert (error.code, error.params) == ("no_such_person", {"username": "nobody"})
    assert ada.username == "ada"


def test_the_same_role_again_changes_nothing(house: House, host: Session) -> None:
    """Nobody is told, no number is used up; it is written down that it was ordered."""
    house.join("ada")
    house.do(host, messages.SetRole(id=1, username="ada", role="moderator"))
    before = house.log.load()
    outcome = house.do(host, messages.SetRole(id=2, username="ADA", role="moderator"))
    assert told(outcome, host) == [messages.Done(re=2)]
    assert all_of(outcome, TellEveryone) == []
    assert house.log.load() == before == house.world.directory


def test_who_signs_in_is_told_the_own_role(house: House, host: Session) -> None:
    """Before anybody's is listed."""

    def role(outcome: Outcome, session: Session) -> str:
        (signed_in,) = told(outcome, session)
        assert isinstance(signed_in, messages.SignedIn)
        return signed_in.role

    ada = house.connect()
    assert role(house.do(ada, house.join_command("ada")), ada) == "member"
    house.do(host, messages.SetRole(id=1, username="ada", role="moderator"))
    session, outcome = house.sign_in("ada")
    assert role(outcome, session) == "moderator"


@pytest.mark.parametrize("command", [messages.Unban, messages.Unmute])
def test_what_there_is_not_is_not_lifted(
    house: House, host: Session, command: type[messages.Unban | messages.Unmute]
) -> None:
    """Both say whether it is the person that is not there, or the sanction."""
    house.join("ben")
    cases: list[tuple[str, str, dict[str, str]]] = [
        ("nobody", "no_such_person", {"username": "nobody"}),
        ("ben", "no_such_sanction", {}),
    ]
    for username, code, params in cases:
        error = refused(house.do(host, command(id=1, username=username)), host)
        assert (error.code, error.field, error.params) == (code, "username", params)
    error = refused(house.do(host, messages.Unban(id=1, number=99)), host)
    assert (error.code, error.field) == ("no_such_sanction", "number")


def test_the_audit_log_names_whom_a_number_meant(house: House, host: Session) -> None:
    """As it was when it was done: afterwards the connection and the ban are gone."""
    ben = house.join("ben")
    house.do(host, messages.Terminate(id=1, connection=ben.connection))
    house.follow(house.do(host, messages.Ban(id=1, connection=ben.connection)))
    house.do(host, messages.Unban(id=1, number=1))
    house.follow(house.do(host, messages.Ban(id=1, username="ben")))
    house.do(host, messages.Unban(id=1, number=2))
    rows = house.log._connection.execute("SELECT action, fields FROM audit ORDER BY number")
    about = {"username": "ben", "device": "Linux"}
    assert [(action, json.loads(fields)) for action, fields in rows] == [
        ("terminate", {"connection": ben.connection, "reason": "", **about}),
        ("ban", {"connection": ben.connection, "reason": "", **about}),
        ("unban", {"number": 1, "device": "Linux of @ben"}),
        ("ban", {"username": "ben", "reason": ""}),
        ("unban", {"number": 2, "username": "ben"}),
    ]


@pytest.mark.parametrize("until", [0, NOW - 1, NOW])
def test_what_ends_before_it_begins_is_refused(house: House, host: Session, until: int) -> None:
    """A ban or a mute that would hold for nobody is a mistake: nothing is done."""
    ben = house.join("ben")
    before = house.log.load()
    wrong: list[messages.ToServer] = [
        messages.Ban(id=1, username="ben", until=until),
        messages.Ban(id=2, connection=ben.connection, until=until),
        messages.MutePerson(id=3, username="ben", until=until),
    ]
    for command in wrong:
        error = refused(house.do(host, command), host)
        assert (error.code, error.field, error.retryable) == ("time_past", "until", False)
    assert house.log.load() == before == house.world.directory
    assert house.log._connection.execute("SELECT count(*) FROM audit").fetchone() == (0,)
    for command in wrong:
        done = house.do(host, command.model_copy(update={"until": NOW + 1}))
        assert [type(each) for each in told(done, host)] == [messages.Done]


def test_what_has_ended_is_not_lifted(house: House, host: Session) -> None:
    """It is answered as if it were gone, which it soon is."""
    house.join("ben")
    house.do(host, messages.Ban(id=1, username="ben", until=NOW + 5))
    house.do(host, messages.MutePerson(id=2, username="ben", until=NOW + 5))
    lifts: list[messages.ToServer] = [
        messages.Unban(id=3, username="ben"),
        messages.Unban(id=4, number=1),
        messages.Unmute(id=5, username="ben"),
    ]
    for command in lifts:
        error = later(house, host, command, NOW + 5)
        assert isinstance(error, messages.Error)
        assert error.code == "no_such_sanction"
    assert isinstance(later(house, host, lifts[0], NOW + 4), messages.Done)


def ban_of(house: House, name: str, actor: Session) -> tuple[set[str], messages.Done, set[str]]:
    """Ban a person: who is ended by that, the answer, and the installations that are banned."""
    here = {each.connection: each.username or "" for each in house.world.sessions}
    outcome = house.do(actor, messages.Ban(id=1, username=name))
    ended = {here[each.connection] for each in all_of(house.follow(outcome), Disconnect)}
    (done,) = told(outcome, actor)
    assert isinstance(done, messages.Done)
    (sanction,) = house.world.directory.sanctions.about(SanctionKind.BAN, name)
    return ended, done, set(sanction.installations)


def test_all_on_a_banned_device_are_ended(house: House, host: Session) -> None:
    """They could not come back, under whatever name they came: so they do not stay either."""
    house.join("ben")
    other = house.connect()
    house.do(other, house.join_command("other", installation=installation("ben")))
    visitor = house.connect()
    house.join("guest")
    house.do(
        visitor,
        house.sign_in_command("guest").model_copy(update={"installation": installation("ben")}),
    )
    house.join("far")
    ended, done, banned = ban_of(house, "ben", host)
    assert ended == {"ben", "other", "guest"}
    assert (done.note, banned) == (None, {installation("ben")})
    assert house.world.sessions.usernames() == ["far", "guest"]  # on a device of its own, too
    session = house.connect()
    error = refused(
        house.do(
            session,
            house.sign_in_command("other").model_copy(update={"installation": installation("ben")}),
        ),
        session,
    )
    assert error.code == "banned"


@pytest.mark.parametrize("how", ["joined there", "is there", "is the host's own"])
@pytest.mark.parametrize("who", ["host", "moderator"])
def test_a_device_that_a_moderator_uses_is_not_banned_with_a_person(
    house: House, host: Session, how: str, who: str
) -> None:
    """The person goes, with all other devices; the moderator stays, and can come back."""
    mia = house.join("mia")
    house.do(host, messages.SetRole(id=1, username="mia", role="moderator"))
    house.join("judge")
    house.do(host, messages.SetRole(id=1, username="judge", role="moderator"))
    actor = host if who == "host" else next(iter(house.world.sessions.of("judge")))
    shared = installation("mia")
    ben = house.connect()
    house.do(ben, house.join_command("ben", installation=installation("ben")))
    there = house.sign_in_command("ben").model_copy(update={"installation": shared})
    house.do(house.connect(), there)
    if how == "is there":
        mia.installation = shared = installation("ben")
    elif how == "is the host's own":
        house.do(host, messages.SetRole(id=1, username="mia", role="member"))
        house.world.own_installations = lambda: (installation("elsewhere"), shared)
    ended, done, banned = ban_of(house, "ben", actor)
    assert ended == {"ben"}
    assert done.note == "shared_device"
    assert shared not in banned
    assert house.world.sessions.online("mia")
    house.do(again := house.connect(), house.sign_in_command("mia"))
    assert again.username == "mia"
    # The person does not come back by that device either.
    assert refused(house.do(stranger := house.connect(), there), stranger).code == "banned"


def test_the_device_of_a_connection_is_banned_as_it_is_wanted(house: House, host: Session) -> None:
    """By the host alone, also one that a moderator uses; by nobody that of the host."""
    mia = house.join("mia")
    for name in ("mia", "judge"):
        if name == "judge":
            house.join(name)
        house.do(host, messages.SetRole(id=1, username=name, role="moderator"))
    (judge,) = house.world.sessions.of("judge")
    ben = house.connect()
    house.do(ben, house.join_command("ben", installation=installation("mia")))
    house.world.leave(mia.connection, "left", NOW)
    ban = messages.Ban(id=1, connection=ben.connection)
    assert refused(house.do(judge, ban), judge).code == "not_allowed"
    house.world.own_installations = lambda: (installation("mia"),)
    for session in (judge, host):
        assert refused(house.do(session, ban), session).code == "not_allowed"
    house.world.own_installations = lambda: ()
    assert told(house.do(host, ban), host) == [messages.Done(re=1)]


@pytest.mark.parametrize("order", ["timed first", "lasting first"])
def test_a_lasting_ban_outlives_a_timed_one(house: House, host: Session, order: str) -> None:
    """In whichever order they were made; one is lifted without the other by its number."""
    house.join("ben")
    untils = [NOW + 10, None] if order == "timed first" else [None, NOW + 10]
    for until in untils:
        house.follow(house.do(host, messages.Ban(id=1, username="ben", until=until)))
    command = house.sign_in_command("ben")
    for now in (NOW, NOW + 10, NOW + 10**10):
        error = later(house, house.connect(), command, now)
        assert isinstance(error, messages.Error)
        assert (error.code, error.params) == ("banned", {"reason": ""})
    (lasting,) = [
        each
        for each in house.world.directory.sanctions.about(SanctionKind.BAN, "ben")
        if each.until is None
    ]
    house.do(host, messages.Unban(id=1, number=lasting.number))
    error = later(house, house.connect(), command, NOW)
    assert isinstance(error, messages.Error)
    assert error.params == {"reason": "", "until": NOW + 10}
    assert isinstance(later(house, house.connect(), command, NOW + 10), messages.SignedIn)


@pytest.mark.parametrize("place", ["the same device", "another device"])
def test_nobody_resumes_a_session_past_a_ban(house: House, host: Session, place: str) -> None:
    """A connection that broke before the ban: neither its token nor its session lets one in."""
    ben = house.join("ben")
    key = ben.key
    house.happen(inputs.Closed(ben.connection, "lost"))
    house.follow(house.do(host, messages.Ban(id=1, username="ben")))
    command = house.sign_in_command("ben", resume=key)
    if place == "another device":
        command = command.model_copy(update={"installation": "9" * 32})
    session = house.connect()
    assert refused(house.do(session, command), session).code == "banned"
    assert session.username is None


@pytest.mark.parametrize("first", [NOW + 10, None])
@pytest.mark.parametrize("second", [NOW + 5, NOW + 20, None])
def test_a_mute_takes_the_place_of_the_former(
    house: House, host: Session, first: int | None, second: int | None
) -> None:
    """Longer or shorter: what was said last holds, and there is one to lift."""
    ben = house.join("ben")
    for until in (first, second):
        house.do(host, messages.MutePerson(id=1, username="ben", until=until))
    (muted,) = house.world.directory.sanctions.about(SanctionKind.MUTE, "ben")
    assert muted.until == second
    assert refused(house.say(ben, "hello?"), ben).code == "muted"
    house.do(host, messages.Unmute(id=1, username="ben"))
    assert acked(house.say(ben, "hello")).seq == 2
    assert house.world.directory == house.log.load()


def test_bans_outlast_a_clock_that_is_set_back(house: House, host: Session) -> None:
    """Also to before they were made; they end at their time by the clock, whenever that is."""
    house.join("ben")
    house.follow(house.do(host, messages.Ban(id=1, username="ben", until=NOW + 10)))
    command = house.sign_in_command("ben")
    for now in (NOW - 10**10, 0, NOW, NOW + 9):
        error = later(house, house.connect(), command, now)
        assert isinstance(error, messages.Error)
        assert error.params == {"reason": "", "until": NOW + 10}
    assert isinstance(later(house, house.connect(), command, NOW + 10), messages.SignedIn)


def test_each_thing_done_at_once_is_in_the_audit_log(house: House, host: Session) -> None:
    """In its order, with its own fields; what was refused is not there."""
    for name in ("ada", "ben", "cleo"):
        house.join(name)
    orders: list[messages.ToServer] = [
        messages.Ban(id=1, username="ada", reason="a"),
        messages.Ban(id=2, username="nobody"),
        messages.MutePerson(id=3, username="ben", until=NOW),
        messages.MutePerson(id=4, username="ben", reason="b"),
        messages.MutePerson(id=5, username="ben", reason="c"),
        messages.Terminate(id=6, username="cleo"),
        messages.Terminate(id=7, username="cleo"),
        messages.Unban(id=8, username="cleo"),
        messages.SetRole(id=9, username="cleo", role="member"),
        messages.NewInvite(id=10),
        messages.RenameChat(id=11, name="\u2800"),
    ]
    with house.log.transaction():
        for order in orders:
            commands.handle_command(house.world, host, order, NOW)
    house.world.directory.commit()
    rows = house.log._connection.execute("SELECT action, fields FROM audit ORDER BY number")
    assert [(action, json.loads(fields)) for action, fields in rows] == [
        ("ban", {"username": "ada", "reason": "a"}),
        ("mute", {"username": "ben", "reason": "b"}),
        ("mute", {"username": "ben", "reason": "c"}),
        ("terminate", {"username": "cleo", "reason": ""}),
        ("terminate", {"username": "cleo", "reason": ""}),
        ("set_role", {"username": "cleo", "role": "member"}),
        ("new_invite", {}),
    ]


WORDS = (
    "",
    " ",
    "\u202e\u2066gnirts",
    "e\u0301" * 250,
    "\U0001f468\u200d\U0001f469" * 166,
    '"\\/' * 166,
)


@pytest.mark.parametrize("words", WORDS, ids=map(ascii, WORDS))
def test_a_reason_is_told_as_it_was_said(house: House, host: Session, words: str) -> None:
    """Whatever letters it has: to the person, to who lists it, and after a restart."""
    house.join("ben")
    outcome = house.do(host, messages.Ban(id=1, username="ben", reason=words))
    (ended,) = all_of(house.follow(outcome), Disconnect)
    assert ended.goodbye.params == {"reason": words}
    listed = later(house, host, messages.ListSanctions(id=2), NOW)
    assert isinstance(listed, messages.Sanctions)
    assert [each.reason for each in listed.sanctions] == [words]
    for message in (ended.goodbye, listed):
        assert len(encode(message)) < limits.FRAME_JSON
        assert messages.to_client().validate_json(message.model_dump_json()) == message
    assert house.log.load() == house.world.directory


def test_the_largest_pages_fit_a_frame(house: House, host: Session) -> None:
    """With the longest reasons there can be, in letters that take the most bytes."""
    names = [f"person{number:02}" + "x" * 24 for number in range(limits.PAGE_SANCTIONS + 1)]
    words = "\U0001f3e0" * limits.REASON_LENGTH
    for name in names:
        house.join(name)
        house.do(host, messages.MutePerson(id=1, username=name, until=NOW + 1, reason=words))
    listed = later(house, host, messages.ListSanctions(id=2), NOW)
    assert isinstance(listed, messages.Sanctions)
    assert (len(listed.sanctions), listed.more) == (limits.PAGE_SANCTIONS, True)
    assert len(encode(listed)) <= limits.FRAME_JSON
    rest = messages.ListSanctions(id=3, after=listed.sanctions[-1].number)
    last = later(house, host, rest, NOW)
    assert isinstance(last, messages.Sanctions)
    assert ([each.username for each in last.sanctions], last.more) == (names[-1:], False)
    reader = SqliteReader(house.path)
    audit = answer(ReadAudit(None, limits.PAGE_AUDIT), 7, reader)
    reader.close()
    assert isinstance(audit, messages.Audit)
    assert (len(audit.entries), audit.more) == (limits.PAGE_AUDIT, True)
    assert len(encode(audit)) <= limits.FRAME_JSON
