"""What is done to people: what follows, when it ends by itself, and what everybody is told."""

from __future__ import annotations

from typing import cast

import pytest

from chat_server.rules import commands
from chat_server.rules.effects import After, HangUp, TellEveryone
from chat_server.rules.inputs import EndSessions
from chat_server.rules.sanctions import SanctionKind
from chat_server.rules.sessions import Session
from chat_server.rules.view import ClientGone, InviteRenewed
from common import messages
from tests.chat_server.house import (
    NOW,
    House,
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
    house.world.directory.keep()
    return told(answered(outcome), session)[0]


def test_nobody_is_ended_before_it_is_stored_why(house: House, host: Session) -> None:
    """A ban ends nothing by itself: that follows once it is on the disk, in an input of its own."""
    ben, laptop = house.join("ben"), house.sign_in("ben")[0]
    outcome = house.do(host, messages.Ban(id=1, username="ben", until=NOW + 5, reason="Enough."))
    assert all_of(outcome, HangUp) == []
    assert all_of(outcome, ClientGone) == []
    assert house.world.sessions.get(ben.connection) is ben
    ending = cast("EndSessions", only(outcome, After).happening)
    assert ending.connections == (ben.connection, laptop.connection)
    ended = house.follow(outcome)
    assert [(each.connection, each.goodbye.code) for each in all_of(ended, HangUp)] == [
        (ben.connection, "banned"), (laptop.connection, "banned"),
    ]  # fmt: skip
    assert {str(each.goodbye.params) for each in all_of(ended, HangUp)} == {
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
