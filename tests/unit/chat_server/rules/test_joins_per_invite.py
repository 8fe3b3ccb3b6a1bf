"""How many people one invite brings in a minute."""

from __future__ import annotations

import pytest

from chat_server.hub.queue import Received
from chat_server.rate_limit import TokenBuckets
from chat_server.rules import invites
from chat_server.rules.issued_invites import InviteKind
from chat_server.rules.sessions import Session
from chat_server.rules.world import JOINS_OF_AN_ADDRESS
from chat_server.store.store import StoreBusyError
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.protocol import messages
from tests.contract.engines import MemoryEngine
from tests.unit.chat_server.house import NOW, House, refused
from tests.unit.chat_server.hub_bench import HubBench


def two_a_minute() -> TokenBuckets:
    """Two people at once, and two a minute after that."""
    return TokenBuckets(2, 2 / 60)


@pytest.fixture
def crowded(house: House) -> House:
    """A chat that takes no more than that."""
    house.world.join_limit = two_a_minute()
    house.world.moment = 1000.0
    return house


def issue(house: House, username: str | None = None) -> str:
    """The secret of one more invite."""
    with house.log.transaction():
        _, secret = invites.issue(house.world, InviteKind.LINK, NOW, username=username)
    house.world.directory.commit()
    return secret


def by_code(house: House) -> str:
    """What somebody gets who has typed the spoken code."""
    with house.log.transaction():
        _, secret = invites.issue_for_code(house.world, NOW, username=None, expires=NOW + 60_000)
    house.world.directory.commit()
    return secret


def neighbour(house: House) -> Session:
    """A connection from this network."""
    session = house.connect()
    session.address = "10.0.0.7"
    return session


def held_up(house: House, command: messages.Join) -> messages.Error:
    """The refusal of a join that comes too soon; nothing is left of it."""
    before = house.log.load()
    session = house.connect()
    error = refused(house.do(session, command), session)
    assert (error.code, error.retryable, error.params) == (
        "rate_limited",
        True,
        {"why": "many_joins"},
    )
    assert house.log.load() == before == house.world.directory
    assert session.username is None
    return error


def test_one_invite_does_not_bring_a_thousand_people_at_once(crowded: House) -> None:
    """Whoever waits as told gets in; who has joined comes and goes as before."""
    ada = crowded.join_command("ada")
    crowded.do(crowded.connect(), ada)
    crowded.join("bob")
    error = held_up(crowded, crowded.join_command("cem"))
    assert error.retry_after == 30_000
    words = sentence(Reason(error.code, error.params))
    assert words == "many people are joining with this invite now"
    again = crowded.connect()
    crowded.do(again, ada)
    assert again.username == "ada"
    crowded.sign_in("bob")
    crowded.world.moment += 30
    crowded.join("cem")
    held_up(crowded, crowded.join_command("dan"))


def test_each_invite_has_its_own_limit(crowded: House) -> None:
    """Of a flood by one that leaked, those who were sent another one notice nothing."""
    secret = issue(crowded)
    crowded.join("ada")
    crowded.join("bob")
    held_up(crowded, crowded.join_command("cem"))
    session = crowded.connect()
    crowded.do(session, crowded.join_command("cem", secret=secret))
    assert session.username == "cem"


def test_a_new_standing_invite_is_no_way_around_it(crowded: House) -> None:
    """It is the same invite with another secret."""
    crowded.join("ada")
    crowded.join("bob")
    crowded.do(crowded.host(), messages.NewInvite(id=1))
    held_up(crowded, crowded.join_command("cem", secret=crowded.world.facts.secret))


def test_without_an_invite_an_address_brings_few(house: House) -> None:
    """Where anyone on this network may join, one computer does not fill the chat."""
    crowded = house
    host = crowded.host()
    crowded.do(host, messages.SetJoining(id=1, rule="open", moderators_invite=False))

    def come(name: str) -> messages.Join:
        return crowded.join_command(name).model_copy(update={"secret": None})

    for number in range(int(JOINS_OF_AN_ADDRESS)):
        session = neighbour(crowded)
        crowded.do(session, come(f"p{number}"))
        assert session.username == f"p{number}"
    other = neighbour(crowded)
    other.address = "10.0.0.8"
    crowded.do(other, come("bob"))
    assert other.username == "bob"
    session = neighbour(crowded)
    assert refused(crowded.do(session, come("cem")), session).code == "rate_limited"


def test_many_addresses_bring_no_more_without_an_invite(crowded: House) -> None:
    """A computer gives itself as many as it likes; who waits as told gets in."""
    crowded.do(crowded.host(), messages.SetJoining(id=1, rule="open", moderators_invite=False))

    def come(number: int) -> str:
        session = neighbour(crowded)
        session.address = f"fe80::{number:x}"
        command = crowded.join_command(f"p{number}").model_copy(update={"secret": None})
        outcome = crowded.do(session, command)
        return session.username or refused(outcome, session).code

    assert [come(number) for number in range(5)] == ["p0", "p1", *["rate_limited"] * 3]
    for _ in range(int(JOINS_OF_AN_ADDRESS)):
        assert come(4) == "rate_limited"
    # What was refused for that has cost those addresses nothing.
    crowded.world.moment += 30
    assert come(4) == "p4"
    # And by a link others come as before.
    crowded.join("ada")


def test_the_spoken_code_is_one_way_in(crowded: House) -> None:
    """Though each who types it gets an invite of their own."""
    for name in ("ada", "bob"):
        crowded.do(crowded.connect(), crowded.join_command(name, secret=by_code(crowded)))
    held_up(crowded, crowded.join_command("cem", secret=by_code(crowded)))
    crowded.join("dan")


def test_more_devices_of_one_person_are_no_new_people(crowded: House) -> None:
    """Each has an invite of its own, for one use."""
    crowded.join("ada")
    crowded.join("bob")
    held_up(crowded, crowded.join_command("cem"))
    secret = issue(crowded, "ada")
    command = crowded.join_command("phone", secret=secret).model_copy(update={"username": "ada"})
    session = crowded.connect()
    crowded.do(session, command)
    assert session.username == "ada"


def test_what_is_refused_for_something_else_takes_no_place(crowded: House) -> None:
    """A name that is taken or can't be used is tried again by those who mistyped it."""
    crowded.join("ada")
    for name in ("ada", "host", "a" * 32):
        command = crowded.join_command("zoe", username=name, display_name="\u2800")
        session = crowded.connect()
        refused(crowded.do(session, command), session)
    crowded.join("bob")
    held_up(crowded, crowded.join_command("cem"))


@pytest.mark.usefixtures("errors_logged")
def test_whoever_could_not_be_stored_has_taken_no_place() -> None:
    """They try again, and so do the others."""
    bench = HubBench(MemoryEngine())
    bench.world.join_limit = two_a_minute()
    ada, bob = bench.connect(), bench.connect()
    joins = {ada: bench.join_command("ada"), bob: bench.join_command("bob")}
    bench.store.fail("end of transaction", StoreBusyError("locked"))
    for _ in range(3):
        bench.run(*(Received(number, (join,)) for number, join in joins.items()))
        bench.now += 0.5
    bench.store.heal()
    bench.now += 5
    released = bench.run(*(Received(number, (join,)) for number, join in joins.items()))
    for number, join in joins.items():
        assert isinstance(released.answer(number, join), messages.SignedIn)
    bench.close()
