"""Who gets in, who does not, and what the others are told of it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import pytest

from chat_server.rules import inputs
from chat_server.rules.directory import CHANGE_STEP, Account, Device, Directory
from chat_server.rules.effects import Admit, Disconnect, Publish, TellEveryone
from chat_server.rules.invites import issue
from chat_server.rules.issued_invites import InviteKind
from chat_server.rules.roles import Role
from chat_server.rules.sessions import Session
from chat_server.rules.view import ClientDisconnected, ClientRefused, ClientSignedIn
from common import limits
from common.protocol import messages
from common.protocol.codec import encode
from common.protocol.messages import Message
from tests.unit.chat_server.house import (
    FINGERPRINT,
    NOW,
    SECRET,
    House,
    all_of,
    installation,
    newcomers,
    only,
    presence,
    refused,
    token,
    told,
)

INSTALLATION: Final = "1" * 32


def test_hello_is_answered_with_who_we_are(house: House) -> None:
    """A client learns the protocol, the server's name and the database's epoch."""
    session = house.connect()
    outcome = house.do(session, messages.Hello(id=7, protocol=2, program="P"))
    (welcome,) = told(outcome, session)
    assert isinstance(welcome, messages.Welcome)
    assert (welcome.re, welcome.server_name, welcome.epoch) == (7, "Home", house.log.epoch())
    assert welcome.protocol == limits.PROTOCOL_VERSION == 2
    assert welcome.capabilities == (limits.PRESENCE,)


def test_an_older_client_is_sent_to_update(house: House) -> None:
    """It could not understand what it would be told."""
    session = house.connect()
    hello = messages.Hello(id=7, protocol=1, program="P")
    error = refused(house.do(session, hello), session)
    assert (error.code, error.re, error.field, error.retryable) == ("version", 7, "protocol", False)
    assert error.params == {"protocol": 2}


@pytest.mark.parametrize(
    ("named", "kept"),
    [
        ((), frozenset[str]()),
        ((limits.PRESENCE,), frozenset({limits.PRESENCE})),
        (("zstd", limits.PRESENCE, "presence.v2"), frozenset({limits.PRESENCE})),
    ],
)
def test_of_a_clients_capabilities_those_count_that_the_server_has(
    house: House, named: tuple[str, ...], kept: frozenset[str]
) -> None:
    """Any others are of a newer server; the connection has them from the moment it is in."""
    house.join("ada")
    session = house.connect()
    house.do(session, messages.Hello(id=1, protocol=2, program="P", capabilities=named))
    assert session.capabilities == kept
    command = house.sign_in_command("ada")
    admitted, *rest = house.do(session, command)
    assert admitted == Admit(session.connection, "ada", kept)
    assert all_of(rest, Admit) == []


def test_a_newer_client_is_met_politely(house: House) -> None:
    """It is told what this server speaks; whether that will do is the client's decision."""
    session = house.connect()
    (welcome,) = told(house.do(session, messages.Hello(id=1, protocol=9, program="P")), session)
    assert isinstance(welcome, messages.Welcome)


def test_joining_claims_a_name_and_enters_the_general_room(house: House) -> None:
    """The newcomer is answered, everyone else hears of it, the host sees it, the log has it."""
    watcher = house.join("bob")
    session = house.connect()
    outcome = house.do(session, house.join_command("Ada", display_name=" Ada  L. "))
    (signed_in,) = told(outcome, session)
    assert isinstance(signed_in, messages.SignedIn)
    assert (signed_in.username, signed_in.display_name) == ("ada", "Ada L.")
    assert presence(outcome) == [("ada", True)]
    (person,) = newcomers(outcome)
    assert (person.username, person.display_name) == ("ada", "Ada L.")
    assert {each.but for each in all_of(outcome, TellEveryone)} == {session.connection}
    assert only(outcome, Admit) == Admit(session.connection, "ada", frozenset())
    appeared = only(outcome, ClientSignedIn)
    assert (appeared.username, appeared.new_account, appeared.since) == ("ada", True, NOW)
    assert only(outcome, Publish).event.seq == 2
    assert house.stored() == [(1, "join", "bob", ""), (2, "join", "ada", "")]
    assert told(outcome, watcher) == []


def test_joining_again_with_the_same_token_gives_the_same_account(house: House) -> None:
    """A lost answer costs nothing: the second try is let in, and nothing is written twice."""
    house.join("ada")
    session = house.connect()
    outcome = house.do(session, house.join_command("ada", display_name="Another"))
    (signed_in,) = told(outcome, session)
    assert isinstance(signed_in, messages.SignedIn)
    assert signed_in.display_name == "Ada"
    assert all_of(outcome, Publish) == []
    assert newcomers(outcome) == []
    assert len(house.stored()) == 1
    assert not only(outcome, ClientSignedIn).new_account


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"secret": "x" * 22}, "bad_secret", "secret"),
        ({"username": "BOB"}, "name_taken", "username"),
        ({"token": token("bob")}, "not_recognized", "token"),
        ({"display_name": " "}, "name_refused", "display_name"),
        ({"display_name": "ada\u202egnp"}, "name_refused", "display_name"),
        ({"display_name": "\ufdfa" * 9}, "name_refused", "display_name"),
        ({"display_name": "\u2800"}, "name_refused", "display_name"),
        ({"display_name": "Bob (you)"}, "name_refused", "display_name"),
        ({"display_name": "home"}, "name_refused", "display_name"),  # the chat's name
        ({"username": "server"}, "name_refused", "username"),
    ],
)
def test_a_refused_join_leaves_nothing_behind(
    house: House, fields: dict[str, str], code: str, field: str
) -> None:
    """The refusal names the field; no account, no session, no event; trying again works."""
    house.join("bob")
    session = house.connect()
    error = refused(house.do(session, house.join_command("ada", **fields)), session)
    assert (error.code, error.field, error.retryable) == (code, field, False)
    assert session.username is None
    assert not house.world.sessions.online("ada")
    assert house.log.load() == house.world.directory
    assert len(house.stored()) == 1
    house.do(session, house.join_command("ada"))
    assert house.world.sessions.online("ada")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"secret": "x" * 22}, "bad_secret"),
        ({"token": token("bob")}, "not_recognized"),
        ({"installation": installation("dora")}, "banned"),
    ],
)
def test_the_host_is_shown_who_may_not_join(
    house: House, fields: dict[str, str], code: str
) -> None:
    """With the address and whom they want to be; never with what they tried."""
    house.join("bob")
    house.join("dora")
    house.do(house.host(), messages.Ban(id=1, username="dora"))
    # A ban makes a new invite.
    given = {"secret": house.world.facts.secret, **fields}
    outcome = house.do(house.connect(), house.join_command("eve", **given))
    assert only(outcome, ClientRefused) == ClientRefused("192.0.2.1", "eve", code, NOW)


def test_the_host_is_shown_who_may_not_sign_in(house: House) -> None:
    """Somebody banned, somebody unknown, and a program that is too old."""
    house.join("dora")
    house.do(house.host(), messages.Ban(id=1, username="dora"))
    _, banned = house.sign_in("dora")
    _, unknown = house.sign_in("eve")
    old = house.do(house.connect(), messages.Hello(id=7, protocol=1, program="P"))
    nonce = "0" * 32
    recognize = messages.Recognize(id=1, secret="x" * 22, username="ada", nonce=nonce)
    known = house.do(house.connect(), recognize)
    shown = [only(outcome, ClientRefused) for outcome in (banned, unknown, old, known)]
    assert [(each.username, each.code) for each in shown] == [
        ("dora", "banned"), ("eve", "not_recognized"), ("", "version"), ("ada", "bad_secret"),
    ]  # fmt: skip


@pytest.mark.parametrize("fields", [{"username": "bob"}, {"display_name": " "}])
def test_a_name_that_can_not_be_had_is_nothing_for_the_host(
    house: House, fields: dict[str, str]
) -> None:
    """Whoever has an invite and chooses another name comes in."""
    house.join("bob")
    outcome = house.do(house.connect(), house.join_command("ada", **fields))
    assert all_of(outcome, ClientRefused) == []


def test_a_taken_name_comes_with_a_free_one(house: House) -> None:
    """And that one can be claimed on the same connection."""
    house.join("bob")
    house.join("bob2")
    session = house.connect()
    command = house.join_command("bob", token=token("eve"))
    error = refused(house.do(session, command), session)
    assert error.code == "name_taken"
    assert error.params == {"username": "bob", "suggestion": "bob3"}
    house.do(session, house.join_command("bob3", token=token("eve")))
    assert session.username == "bob3"


@pytest.mark.parametrize(
    ("here", "asked", "free"),
    [("victor", "vict0r", "vict0r2"), ("bill", "bi11", "bi112"), ("tom", "t0rn", "t0rn2")],
)
def test_a_username_that_looks_like_anothers_is_taken(
    house: House, here: str, asked: str, free: str
) -> None:
    """It stands beside the names that look alike: so it must not look alike itself."""
    house.join(here)
    session = house.connect()
    error = refused(house.do(session, house.join_command(asked)), session)
    assert (error.code, error.field) == ("name_alike", "username")
    assert error.params == {"username": asked, "suggestion": free}
    house.do(session, house.join_command(free))
    assert session.username == free


def test_an_account_that_was_not_stored_takes_no_name() -> None:
    """Nor one that looks like it; and two that looked alike before stay two."""
    directory = Directory()
    directory.add_account(Account(1, "victor", "Victor", 1, Role.MEMBER))
    directory.undo.commit()
    directory.add_account(Account(2, "vict0r", "Victor", 2, Role.MEMBER))
    directory.add_account(Account(3, "ada", "Ada", 3, Role.MEMBER))
    directory.undo.roll_back()
    assert directory.is_taken("vict0r")
    assert not directory.is_taken("ada")


def test_a_repeated_join_needs_no_secret_that_is_still_valid(house: House) -> None:
    """The answer was lost, and the host has changed the invite since: the account is there."""
    house.join("ada")
    session = house.connect()
    outcome = house.do(session, house.join_command("ada", secret="x" * 22))
    assert isinstance(told(outcome, session)[0], messages.SignedIn)
    for other in ({"username": "bob"}, {"token": token("bob")}):
        session = house.connect()
        command = house.join_command("ada", secret="x" * 22, **other)
        assert refused(house.do(session, command), session).code == "bad_secret"


def test_accounts_from_before_a_name_was_reserved_stay(house: House) -> None:
    """They sign in, and a repeated join lets them in, too."""
    with house.log.transaction():
        account = house.log.add_account("host", "Host", 1, NOW)
        key = hashlib.sha256(bytes.fromhex(token("host"))).digest()
        house.log.add_device(account, key, Device("host", INSTALLATION, "d", NOW))
    house.world.directory = house.log.load()
    session, _ = house.sign_in("host")
    assert session.username == "host"
    session = house.connect()
    house.do(session, house.join_command("host"))
    assert session.username == "host"


def test_the_secret_is_asked_before_a_name_is_told_to_be_taken(house: House) -> None:
    """Who has no invite learns nothing of who is here."""
    house.join("bob")
    session = house.connect()
    command = house.join_command("bob", secret="x" * 22, token=token("eve"))
    assert refused(house.do(session, command), session).code == "bad_secret"


@pytest.mark.parametrize(
    ("username", "secret"), [("bob", token("eve")), ("eve", token("eve")), ("ada", token("bob"))]
)
def test_signing_in_needs_this_accounts_own_token(house: House, username: str, secret: str) -> None:
    """A wrong token, a name nobody has and another account's token get the same answer."""
    house.join("ada")
    house.join("bob")
    session = house.connect()
    command = messages.SignIn(
        id=7, username=username, token=secret, device="Linux", installation=INSTALLATION
    )
    error = refused(house.do(session, command), session)
    assert (error.code, error.re, error.field) == ("not_recognized", 7, None)
    assert session.username is None


def test_a_resuming_device_fences_its_old_connection(house: House) -> None:
    """The old session ends before the new one starts: nothing of it is stored afterwards."""
    old = house.join("ada")
    new, outcome = house.sign_in("ADA".lower(), resume=old.key)
    hang_up = only(outcome, Disconnect)
    assert (hang_up.connection, hang_up.goodbye.code) == (old.connection, "replaced")
    kinds = [type(effect) for effect in outcome]
    assert kinds.index(Disconnect) < kinds.index(ClientDisconnected) < kinds.index(ClientSignedIn)
    assert house.world.sessions.get(old.connection) is None
    assert new.key != old.key
    assert [each.connection for each in house.world.sessions.of("ada")] == [new.connection]


def test_resume_ends_no_other_session(house: House) -> None:
    """Another device, another account or a wrong name for the session: all stay."""
    ada, bob = house.join("ada"), house.join("bob")
    for resume in (bob.key, "f" * 32):
        _, outcome = house.sign_in("ada", resume=resume)
        assert all_of(outcome, Disconnect) == []
    phone = house.connect()
    phone_token = "2" * 64
    account = house.world.directory.accounts["ada"]
    key = hashlib.sha256(bytes.fromhex(phone_token)).digest()
    with house.log.transaction():
        house.log.add_device(account, key, Device("ada", INSTALLATION, "phone", NOW))
    house.world.directory = house.log.load()
    command = messages.SignIn(
        id=1,
        username="ada",
        token=phone_token,
        device="phone",
        installation=INSTALLATION,
        resume=ada.key,
    )
    assert all_of(house.do(phone, command), Disconnect) == []
    assert house.world.sessions.get(ada.connection) is ada


def test_tokens_are_kept_as_hashes_only(house: House) -> None:
    """Whoever reads the database can't sign in with what is there."""
    house.join("ada")
    assert bytes.fromhex(token("ada")) not in house.path.read_bytes()
    rows = house.log._connection.execute("SELECT * FROM devices").fetchall()
    assert bytes.fromhex(token("ada")) not in [cell for row in rows for cell in row]


def recognize(house: House, username: str, nonce: str = "0" * 32, secret: str = SECRET) -> Message:
    """What a stranger is answered who asks whether the server knows somebody."""
    session = house.connect()
    command = messages.Recognize(id=3, secret=secret, username=username, nonce=nonce)
    (answer,) = told(house.do(session, command), session)
    return answer


@pytest.mark.parametrize("kind", [InviteKind.LINK, InviteKind.DEVICE, InviteKind.KNOCK])
def test_any_invite_that_is_valid_will_do_to_ask(house: House, kind: InviteKind) -> None:
    """It is not used up by that; one that has ended answers nothing."""
    house.join("ada")
    with house.log.transaction():
        owner = "ada" if kind is InviteKind.DEVICE else None
        invite, secret = issue(house.world, kind, NOW, username=owner, most_uses=1)
    house.world.directory.commit()
    for _ in range(2):
        assert isinstance(recognize(house, "ada", secret=secret), messages.Recognized)
    assert house.world.directory.invites.get(invite.number) == invite
    house.do(house.host(), messages.RevokeInvite(id=1, number=invite.number))
    answer = recognize(house, "ada", secret=secret)
    assert isinstance(answer, messages.Error)
    assert answer.code == "bad_secret"


@pytest.mark.parametrize(
    ("rule", "address", "code"),
    [
        ("open", "192.168.1.7", ""),
        ("open", "192.0.2.1", "invite_needed"),
        ("invite_or_ask", "192.168.1.7", "invite_needed"),
    ],
)
def test_where_nobody_needs_an_invite_anybody_may_ask(
    house: House, rule: messages.JoinRule, address: str, code: str
) -> None:
    """Who comes back there after a new identity has no secret."""
    house.join("ada")
    house.do(house.host(), messages.SetJoining(id=1, rule=rule, moderators_invite=False))
    session = house.connect(address)
    command = messages.Recognize(id=3, username="ada", nonce="0" * 32)
    (answer,) = told(house.do(session, command), session)
    assert getattr(answer, "code", "") == code


def test_a_device_is_shown_that_it_is_known(house: House) -> None:
    """By what only the database and the device know, for this question and this certificate."""
    house.join("ada")
    answer = recognize(house, "Ada", "ab" * 16)
    assert isinstance(answer, messages.Recognized)
    key = hashlib.sha256(bytes.fromhex(token("ada"))).digest()
    message = b"chat recognize 1\0" + FINGERPRINT + bytes.fromhex("ab" * 16) + b"ada"
    assert answer.proofs == (hmac.digest(key, message, "sha256").hex(),)
    assert recognize(house, "ada", "cd" * 16) != answer


def test_each_device_of_an_account_is_shown(house: House) -> None:
    """One of them may ask, and nobody else's is among them."""
    house.join("ada")
    house.join("bob")
    account = house.world.directory.accounts["ada"]
    with house.log.transaction():
        for number in range(100):
            phone = Device("ada", INSTALLATION, "phone", NOW)
            house.log.add_device(account, bytes([number]) * 32, phone)
    house.world.directory = house.log.load()
    answer = recognize(house, "ada")
    assert isinstance(answer, messages.Recognized)
    assert len(set(answer.proofs)) == limits.PROOFS


def test_nobody_is_recognized_without_the_invite(house: House) -> None:
    """Who has none learns nothing of who is here."""
    house.join("ada")
    answer = recognize(house, "ada", secret="x" * 22)
    assert isinstance(answer, messages.Error)
    assert (answer.code, answer.field) == ("bad_secret", "secret")


@pytest.mark.parametrize("place", range(len(SECRET)))
def test_every_character_of_the_secret_counts(house: House, place: int) -> None:
    """A secret that is nearly right is wrong."""
    house.join("ada")
    nearly = f"{SECRET[:place]}x{SECRET[place + 1 :]}"
    answer = recognize(house, "ada", secret=nearly)
    assert isinstance(answer, messages.Error)
    assert answer.code == "bad_secret"
    session = house.connect()
    joining = house.do(session, house.join_command("eve", secret=nearly))
    assert refused(joining, session).code == "bad_secret"


def test_somebody_unknown_is_not_recognized(house: House) -> None:
    """An empty answer, and no error: the client may join."""
    house.join("ada")
    assert recognize(house, "eve") == messages.Recognized(re=3, proofs=())


def test_without_a_certificate_nothing_is_proven(house: House) -> None:
    """The proof would be good for any server."""
    house.join("ada")
    house.world.facts = replace(house.world.facts, fingerprint=b"")
    assert recognize(house, "ada") == messages.Recognized(re=3, proofs=())


def test_presence_follows_the_first_and_the_last_session(house: House) -> None:
    """Others hear that somebody came with the first session and left with the last, once each."""
    first = house.join("ada")
    second, outcome = house.sign_in("ada")
    assert presence(outcome) == []
    assert presence(house.happen(inputs.Closed(first.connection, "left"))) == []
    outcome = house.happen(inputs.Closed(second.connection, "left"))
    assert presence(outcome) == [("ada", False)]
    assert only(outcome, ClientDisconnected).why == "left"
    assert house.happen(inputs.Closed(second.connection, "left")) == []
    _, outcome = house.sign_in("ada")
    assert presence(outcome) == [("ada", True)]
    assert newcomers(outcome) == []  # who she is was told when she joined


def test_coming_back_is_no_going_and_coming(house: House) -> None:
    """A device that resumes was never away: nobody is told that it went offline."""
    old = house.join("ada")
    _, outcome = house.sign_in("ada", resume=old.key)
    assert presence(outcome) == []


def test_joining_again_while_online_is_no_coming(house: House) -> None:
    """Whose answer was lost may be back before the former connection is known to be gone."""
    house.join("ada")
    session = house.connect()
    outcome = house.do(session, house.join_command("ada"))
    assert session.username == "ada"
    assert presence(outcome) == []


def test_a_stranger_leaves_unnoticed(house: House) -> None:
    """A connection that never signed in is neither shown nor told of."""
    session = house.connect()
    assert house.happen(inputs.Closed(session.connection, "left")) == []


def test_the_host_can_end_a_connection(house: House) -> None:
    """It is told the reason, the others see it leave, and a second time nothing happens."""
    session = house.join("ada")
    command = messages.Terminate(id=1, connection=session.connection, reason="Enough.")
    host = house.host()
    done = house.do(host, command)
    assert told(done, host) == [messages.Done(re=1)]
    outcome = house.follow(done)
    goodbye = only(outcome, Disconnect).goodbye
    assert (goodbye.code, goodbye.params) == ("terminated", {"reason": "Enough."})
    assert presence(outcome) == [("ada", False)]
    assert house.follow(done) == []
    assert refused(house.do(host, command), host).code == "no_such_client"
    assert house.happen(inputs.Closed(session.connection, "terminated")) == []


def test_closing_down_tells_everyone_and_nothing_else(house: House) -> None:
    """Every connection gets one goodbye; that the others go, too, is no news to anybody."""
    sessions = [house.join("ada"), house.join("bob"), house.connect()]
    outcome = house.happen(inputs.CloseEverything())
    hang_ups = all_of(outcome, Disconnect)
    assert [each.connection for each in hang_ups] == [each.connection for each in sessions]
    assert {each.goodbye.code for each in hang_ups} == {"server_closing"}
    assert len(all_of(outcome, ClientDisconnected)) == 2
    assert all_of(outcome, TellEveryone) == []
    assert list(house.world.sessions) == []


def people(house: House, session: Session, since: int) -> messages.People:
    """A page of those who changed since."""
    (page,) = told(house.do(session, messages.ListPeople(id=1, since=since)), session)
    assert isinstance(page, messages.People)
    return page


def all_people(house: House, session: Session, since: int = 0) -> list[messages.People]:
    """Every page until there is no more."""
    pages: list[messages.People] = []
    while not pages or pages[-1].more:
        pages.append(people(house, session, since))
        assert pages[-1].since == since
        since = pages[-1].people[-1].change
    return pages


def crowd(house: House, names: Iterable[str], display_name: str) -> None:
    """Many accounts at once, each by a change of its own."""
    with house.log.transaction():
        for name in names:
            change = house.world.directory.next_change()
            house.world.directory.add_account(
                house.log.add_account(name, display_name, change, NOW)
            )
    house.world.directory.undo.commit()


def test_people_come_in_the_order_of_their_changes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page after page each is told once; whoever has the last knows all, until somebody is new."""
    monkeypatch.setattr(limits, "PAGE_PEOPLE", 500)  # so that none is full of bytes before
    ada = house.join("ada")
    # Backwards: the order of the names is none.
    crowd(house, (f"p{n:04}" for n in reversed(range(505))), "P")
    pages = all_people(house, ada)
    assert [len(page.people) for page in pages] == [500, 6]
    seen = [person for page in pages for person in page.people]
    assert [person.username for person in seen[:3]] == ["ada", "p0504", "p0503"]
    assert {person.username for person in seen} == set(house.world.directory.accounts)
    changes = [person.change for person in seen]
    assert changes == sorted(set(changes))
    last = changes[-1]
    assert people(house, ada, last) == messages.People(re=1, since=last, people=(), more=False)
    (sanction_params,) = newcomers(house.do(house.connect(), house.join_command("bob")))
    assert sanction_params.username == "bob"
    assert sanction_params.change > last
    later = messages.People(re=1, since=last, people=(sanction_params,), more=False)
    assert people(house, ada, last) == later


@pytest.mark.parametrize("display_name", ["é" * 16, '"' * 64, "\\" * 64, "😀" * 64, "P"])
def test_a_page_of_people_fits_its_frame(house: House, display_name: str) -> None:
    """However long the names are, and as JSON has them: it ends with who reaches the bound."""
    ada = house.join("ada")
    crowd(house, (f"{n:032}" for n in range(1500)), display_name)
    pages = all_people(house, ada)
    assert sum(len(page.people) for page in pages) == 1501
    for page in pages:
        sizes = [len(person.model_dump_json().encode()) for person in page.people]
        assert sum(sizes[:-1]) < limits.PAGE_PEOPLE_BYTES
        if page.more:
            full = len(page.people) == limits.PAGE_PEOPLE
            assert full or sum(sizes) >= limits.PAGE_PEOPLE_BYTES
        assert len(encode(page)) <= limits.FRAME_JSON


def test_who_knows_another_history_is_told_of_everyone(house: House) -> None:
    """A number that was never given out here, though others before and after it were."""
    ada = house.join("ada")
    house.join("bob")
    first, second = (person.change for person in people(house, ada, 0).people)
    for since in (first + 1, second - 1, second + 1, limits.MAX_INTEGER):
        page = people(house, ada, since)
        assert (page.since, page.more) == (0, False)
        assert [person.username for person in page.people] == ["ada", "bob"]
    assert [person.username for person in people(house, ada, first).people] == ["bob"]


def test_a_restored_backup_gives_out_other_numbers(house: House) -> None:
    """Who was told of somebody that the backup does not know is told of all again."""
    ada = house.join("ada")
    backup = house.log.load()
    house.join("bob")
    lost = people(house, ada, 0).people[-1].change
    assert lost not in [backup.next_change() for _ in range(100)]
    assert not backup.was_change(lost)
    assert backup.was_change(people(house, ada, 0).people[0].change)


def test_numbers_of_changes_only_grow() -> None:
    """By steps that nobody can foresee, and few enough for a long time."""
    directory = Directory()
    assert directory.was_change(0)
    last = 0
    steps: set[int] = set()
    for number in range(1, 50):
        change = directory.next_change()
        steps.add(change - last)
        assert last < change <= last + CHANGE_STEP
        assert not directory.was_change(change)
        directory.add_account(Account(number, f"p{number}", "P", change, Role.MEMBER))
        assert directory.was_change(change)
        last = change
    assert len(steps) > 40
    assert limits.MAX_INTEGER // CHANGE_STEP > 8_000_000_000


def test_a_change_that_was_not_stored_is_taken_back() -> None:
    """Nobody can have been told of it."""
    directory = Directory()
    directory.add_account(Account(1, "ada", "Ada", 7, Role.MEMBER))
    directory.undo.commit()
    directory.add_account(Account(2, "bob", "Bob", 9, Role.MEMBER))
    directory.undo.roll_back()
    assert (directory.was_change(7), directory.was_change(9)) == (True, False)
    assert directory.changes == [(7, "ada")]


def online(house: House, session: Session, after: str | None = None) -> messages.Online:
    """A page of those who are online."""
    (page,) = told(house.do(session, messages.ListOnline(id=2, after=after)), session)
    assert isinstance(page, messages.Online)
    return page


def test_who_is_online_comes_in_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each account once, however many sessions it has, in order, from after the one named."""
    monkeypatch.setattr(limits, "PAGE_ONLINE", 3)
    sessions = {name: house.join(name) for name in ("eve", "dan", "cem", "bob", "ada")}
    ada = sessions["ada"]
    house.sign_in("bob")
    house.happen(inputs.Closed(sessions["dan"].connection, "left"))
    assert online(house, ada) == messages.Online(re=2, online=("ada", "bob", "cem"), more=True)
    assert online(house, ada, "CEM") == messages.Online(re=2, online=("eve",), more=False)
    assert online(house, ada, "dan").online == ("eve",)
    assert online(house, ada, "eve") == messages.Online(re=2, online=(), more=False)
    house.happen(inputs.Closed(sessions["bob"].connection, "left"))
    assert online(house, ada) == messages.Online(re=2, online=("ada", "bob", "cem"), more=True)
    house.sign_in("dan")
    assert online(house, ada, "cem") == messages.Online(re=2, online=("dan", "eve"), more=False)


def test_a_page_after_the_last_is_empty(house: House) -> None:
    """Asking on after the end is no error."""
    ada = house.join("ada")
    (rooms,) = told(house.do(ada, messages.ListRooms(id=2, after="zz")), ada)
    assert online(house, ada, "zz") == messages.Online(re=2, online=(), more=False)
    assert rooms == messages.Rooms(re=2, rooms=(), more=False)
