"""The spoken code by the rules: who is let in by it, and how often it can be guessed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import pytest

from chat_server.rules import inputs, spoken_codes
from chat_server.rules.codes import INVITE_LIFE
from chat_server.rules.commands import handle_command
from chat_server.rules.invites import MOST_UNUSED
from chat_server.rules.issued_invites import InviteKind
from chat_server.rules.sessions import Session
from chat_server.rules.view import ClientRefused, CodeChanged
from chat_server.rules.world import Outcome
from chat_server.x25519 import x25519
from common.protocol import cpace, messages
from common.protocol import x25519 as x25519_numbers
from common.protocol.debug_summaries import brief
from tests.unit.chat_server.house import (
    House,
    all_of,
    only,
    refused,
    token,
    told,
)
from tests.unit.chat_server.rules.guests import CodeGuest, show_code


@pytest.fixture(autouse=True)
def _fast(house: House) -> None:
    house.world.multiply = x25519


@pytest.fixture
def weak(_fast: None, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group in which exchanges are as they should be, cost nothing and are worth nothing.

    For what counts a thousand of them; tests/process/test_code_guesses.py does with the real one.
    """

    def multiply(scalar: bytes, point: bytes) -> bytes:
        product = int.from_bytes(scalar, "little") * int.from_bytes(point, "little")
        return (product % x25519_numbers.PRIME).to_bytes(x25519_numbers.BYTES, "little")

    house.world.multiply = multiply
    monkeypatch.setattr(cpace, "_to_curve", lambda r: r.to_bytes(x25519_numbers.BYTES, "little"))


class _NotStoredError(Exception):
    """A transaction fails."""


def other(code: str) -> str:
    """A code that is not this one."""
    return ("1" if code[0] == "0" else "0") + code[1:]


def addresses() -> Iterator[str]:
    """Different ones, each of another computer."""
    return (f"10.0.{high}.{low}" for high in range(256) for low in range(256))


def test_the_right_code_gives_an_invite_for_one_use(house: House) -> None:
    """With which somebody joins as with a link, and nobody else does."""
    guest = CodeGuest(house)
    invited = guest.invited(guest.types(show_code(house).code))
    assert invited.username is None
    house.do(guest.session, house.join_command("ada", secret=invited.secret))
    assert guest.session.username == "ada"
    again = house.connect()
    outcome = house.do(again, house.join_command("bob", secret=invited.secret))
    assert guest_error(outcome, again) == "invite_used"
    issued = house.world.directory.invites.of_secret(invited.secret)
    assert issued is not None
    assert (issued.kind, issued.most_uses) == (InviteKind.CODE, 1)


def guest_error(outcome: Outcome, session: Session) -> str:
    """The code of a refusal."""
    (error,) = told(outcome, session)
    assert isinstance(error, messages.Error)
    return error.code


def test_who_proves_a_code_over_and_over_fills_nothing(house: House) -> None:
    """Neither the list of invites, nor what the host may still make; the newest are valid."""
    code = show_code(house).code
    secrets = []
    for address in islice(addresses(), 3 * MOST_UNUSED):
        guest = CodeGuest(house, address)
        secrets.append(guest.invited(guest.types(code)).secret)
    directory = house.world.directory
    valid = [each for each in directory.invites if each.kind is InviteKind.CODE]
    assert len(valid) == MOST_UNUSED
    found = [directory.invites.of_secret(secret) is not None for secret in secrets]
    assert found == [False] * 2 * MOST_UNUSED + [True] * MOST_UNUSED
    assert house.log.load() == directory
    # Who comes after all those uses theirs at once.
    late = CodeGuest(house, "10.9.9.9")
    secret = late.invited(late.types(code)).secret
    house.do(late.session, house.join_command("ada", secret=secret))
    assert late.session.username == "ada"
    # Those that nobody used are gone when they have expired; how ada came in stays known.
    house.now += INVITE_LIFE
    host = house.host()
    outcome = house.do(host, messages.ListInvites(id=house.request()))
    with house.log.transaction():
        house.follow(outcome)
    house.world.directory.commit()
    left = [each for each in directory.invites if each.kind is InviteKind.CODE]
    assert [each.uses for each in left] == [1]


def test_several_people_join_by_one_code(house: House) -> None:
    """It is read out to a room."""
    code = show_code(house).code
    for name in ("ada", "bob", "cyd"):
        guest = CodeGuest(house)
        invited = guest.invited(guest.types(code))
        house.do(guest.session, house.join_command(name, secret=invited.secret))
        assert guest.session.username == name


def test_a_wrong_code_is_counted_and_the_host_is_told(house: House) -> None:
    """The guest learns how many are left, and nothing else."""
    code = show_code(house).code
    guest = CodeGuest(house)
    outcome = guest.types(other(code))
    assert guest.error(outcome).code == "bad_code"
    assert guest.error(outcome).params == {"left": spoken_codes.WRONG_AT_ONCE - 1}
    assert not guest.error(outcome).retryable
    assert only(outcome, ClientRefused).code == "bad_code"
    guest.invited(guest.types(code))


def test_the_right_code_by_way_of_another_certificate_is_wrong(house: House) -> None:
    """It is a relay: that costs it one guess, as any wrong code does."""
    guest = CodeGuest(house)
    guest.start(show_code(house).code, fingerprint=bytes(32))
    assert guest.error(guest.prove()).params == {"left": spoken_codes.WRONG_AT_ONCE - 1}


def test_who_hangs_up_before_the_proof_has_learnt_nothing(house: House) -> None:
    """And is not counted: 0 of 8."""
    code = show_code(house).code
    for _ in range(8):
        guest = CodeGuest(house)
        share = told(guest.start(other(code)), guest.session)[0]
        assert isinstance(share, messages.CodeShare)
        house.happen(inputs.Closed(guest.session.connection, "left"))
    assert len(house.world.codes) == 0
    guest = CodeGuest(house)
    assert guest.error(guest.types(other(code))).params == {"left": 4}


def test_a_proof_is_judged_once(house: House) -> None:
    """A second one needs another exchange; without one there is nothing to judge."""
    code = show_code(house).code
    guest = CodeGuest(house)
    guest.types(other(code))
    for _ in range(20):
        error = guest.error(guest.prove())
        assert (error.code, error.retryable) == ("rate_limited", True)
        assert error.params == {"why": "too_fast", "seconds": 1}
    guest.invited(guest.types(code))


def test_twenty_wrong_codes_of_one_address_leave_the_code_to_others(house: House) -> None:
    """That address has a pause, in which it can still use a link."""
    code = show_code(house).code
    guesser = CodeGuest(house, "192.0.2.66")
    errors = [guesser.error(guesser.types(other(code))) for _ in range(20)]
    assert [each.code for each in errors] == ["bad_code"] * 5 + ["rate_limited"] * 15
    assert errors[4].params == {"left": 0}
    assert errors[5].params == {"why": "codes_paused", "minutes": 5}
    assert errors[5].retry_after == spoken_codes.PAUSE
    assert guesser.error(guesser.types(code)).code == "rate_limited"
    guest = CodeGuest(house, "192.0.2.7")
    guest.invited(guest.types(code))
    house.do(guesser.session, house.join_command("eve"))
    assert guesser.session.username == "eve"


def test_a_pause_ends(house: House) -> None:
    """After five minutes; and wrong codes of long ago count no more."""
    code = show_code(house).code
    guest = CodeGuest(house)
    for _ in range(5):
        guest.types(other(code))
    house.now += spoken_codes.PAUSE - 1
    assert guest.error(guest.types(code)).code == "rate_limited"
    house.now += 1
    for _ in range(4):
        assert guest.error(guest.types(other(code))).code == "bad_code"
    house.now += spoken_codes.WRONG_WINDOW
    for _ in range(4):
        assert guest.error(guest.types(other(code))).code == "bad_code"
    guest.invited(guest.types(code))


def test_the_right_code_makes_up_for_wrong_ones(house: House) -> None:
    """Who mistyped four times and was let in takes no try from the next one at that computer."""
    code = show_code(house).code
    guest = CodeGuest(house)
    for _ in range(4):
        guest.types(other(code))
    guest.invited(guest.types(code))
    second = CodeGuest(house)
    assert second.error(second.types(other(code))).params == {"left": 4}


def test_a_clock_that_steps_back_pauses_nobody_for_longer(house: House) -> None:
    """As when the host's clock was a year ahead and is put right."""
    code = show_code(house).code
    guest = CodeGuest(house)
    for _ in range(5):
        guest.types(other(code))
    house.now -= 365 * 24 * 3600 * 1000
    code = show_code(house).code
    guest.invited(guest.types(code))


def test_a_clock_that_is_put_right_ends_no_code(house: House) -> None:
    """As time synchronisation does some seconds after the start; but by more than a day it does."""
    code = show_code(house).code
    for step in (1, 60 * 1000, 3600 * 1000):
        house.now -= step
        assert show_code(house).code == code
    guest = CodeGuest(house)
    house.now -= spoken_codes.LIFE
    assert guest.error(guest.start(code)).code == "no_code"


def test_exchanges_begun_in_parallel_count_as_those_in_a_row(house: House) -> None:
    """An address that begins many at once has five judged of them."""
    code = show_code(house).code
    guests = [CodeGuest(house, "192.0.2.66") for _ in range(10)]
    for guest in guests:
        guest.start(other(code))
    errors = [guest.error(guest.prove()).code for guest in guests]
    assert errors == ["bad_code"] * 5 + ["rate_limited"] * 5


@pytest.mark.usefixtures("weak")
def test_of_a_thousand_guesses_in_parallel_a_hundred_are_judged(house: House) -> None:
    """From as many addresses; then there is another code, and the host is told so."""
    code = show_code(house).code
    judged = 0
    renewed: list[CodeChanged] = []
    guests = [CodeGuest(house, address) for address in islice(addresses(), 1000)]
    for first in range(0, len(guests), spoken_codes.MOST_OPEN):
        some = guests[first : first + spoken_codes.MOST_OPEN]
        begun = [told(each.start(other(code)), each.session)[0] for each in some]
        assert all(isinstance(each, messages.CodeShare) for each in begun)
        for guest in some:
            outcome = guest.prove()
            judged += guest.error(outcome).code == "bad_code" and not renewed
            renewed += all_of(outcome, CodeChanged)
    assert judged == spoken_codes.MOST_WRONG
    assert {each.why for each in renewed} == {"guessed"}
    assert show_code(house).code != code
    guest = CodeGuest(house, "192.0.2.7")
    assert guest.error(guest.types(code)).code == "bad_code"


def test_the_hundredth_wrong_code_ends_what_was_begun_about_it(house: House) -> None:
    """Of those that are proven after it none is judged, not even the right one."""
    code = show_code(house).code
    late = CodeGuest(house)
    for address in islice(addresses(), spoken_codes.MOST_WRONG):
        if address.endswith(".99"):  # the hundredth
            late.start(code)
        guest = CodeGuest(house, address)
        guest.types(other(code))
    assert late.error(late.prove()).code == "no_code"
    assert house.world.codes.wrong.left(late.session.address, house.now) == 5


@pytest.mark.usefixtures("weak")
def test_a_flood_of_exchanges_is_in_its_own_way(house: House) -> None:
    """At most 64 are open; those of who has most end first, and an address begins few a second."""
    code = show_code(house).code
    guest = CodeGuest(house)
    guest.start(code)
    flood = [CodeGuest(house, f"10.0.0.{number % 20}") for number in range(400)]
    begun = [told(each.start(other(code)), each.session)[0] for each in flood]
    assert len(house.world.codes) == spoken_codes.MOST_OPEN
    refusals = [each for each in begun if isinstance(each, messages.Error)]
    assert {each.code for each in refusals} == {"rate_limited"}
    assert len(begun) - len(refusals) == 20 * spoken_codes.STARTS
    guest.invited(guest.prove())


def test_addresses_of_a_network_have_a_limit_together(house: House) -> None:
    """An IPv6 computer has as many as it likes: four times what one has, for all of a /64."""
    code = show_code(house).code
    network = [CodeGuest(house, f"2001:db8:1::{number:x}") for number in range(1, 31)]
    errors = [guest.error(guest.types(other(code))).code for guest in network]
    assert errors == ["bad_code"] * 20 + ["rate_limited"] * 10
    neighbour = CodeGuest(house, "2001:db8:2::1")
    neighbour.invited(neighbour.types(code))


def test_a_neighbour_in_the_same_network_does_not_lock_one_out(house: House) -> None:
    """On a local network everybody is in the same /64: one wrong address has a pause alone."""
    code = show_code(house).code
    for address in ("fe80::66%eth0", "fd00:77::66"):
        guesser = CodeGuest(house, address)
        for _ in range(20):
            guesser.types(other(code))
    for address in ("fe80::7%eth0", "fd00:77::7"):
        guest = CodeGuest(house, address)
        guest.invited(guest.types(code))


def test_a_code_is_valid_for_a_day(house: House) -> None:
    """Then there is none, until the host shows one."""
    shown = show_code(house)
    assert shown.expires == house.now + 24 * 3600 * 1000
    assert show_code(house) == shown.model_copy(update={"re": house.request() - 1})
    house.now = shown.expires
    guest = CodeGuest(house)
    assert guest.error(guest.types(shown.code)).code == "no_code"
    assert show_code(house).code != shown.code


def test_without_a_code_nobody_can_try_one(house: House) -> None:
    """There was none yet, or the host has ended it."""
    guest = CodeGuest(house)
    assert refused(guest.types("K7QM3XPA"), guest.session).code == "no_code"
    code = show_code(house).code
    host = house.host()
    outcome = house.do(host, messages.EndCode(id=house.request()))
    assert only(outcome, CodeChanged).why == "ended"
    assert guest.error(guest.types(code)).code == "no_code"
    assert all_of(house.do(host, messages.EndCode(id=house.request())), CodeChanged) == []


def test_a_code_for_a_device_adds_it_to_the_account_and_ends(house: House) -> None:
    """Who types it signs in as that person; a second device needs another code."""
    house.join("ada")
    code = show_code(house, "Ada").code
    guest = CodeGuest(house)
    outcome = guest.types(code)
    invited = guest.invited(outcome)
    assert invited.username == "ada"
    assert only(outcome, CodeChanged).why == "used"
    command = house.join_command("ada", secret=invited.secret, token=token("phone"))
    house.do(guest.session, command)
    assert guest.session.username == "ada"
    late = CodeGuest(house)
    assert late.error(late.types(code)).code == "no_code"


def test_a_code_for_another_purpose_ends_the_one_before(house: House) -> None:
    """One is valid at a time: so nobody has to say which one they type."""
    house.join("ada")
    code = show_code(house).code
    assert show_code(house, "ada").code != code
    guest = CodeGuest(house)
    assert guest.error(guest.types(code)).code == "bad_code"


def test_a_code_for_nobody_is_not_shown(house: House) -> None:
    """There is no such account."""
    host = house.host()
    command = messages.ShowCode(id=house.request(), username="nobody")
    assert refused(house.do(host, command), host).code == "no_such_person"


def test_where_newcomers_have_to_ask_a_code_lets_only_devices_in(house: House) -> None:
    """The guest is told to ask, before anything of the code is tried."""
    house.join("ada")
    host = house.host()
    command = messages.SetJoining(id=house.request(), rule="ask", moderators_invite=False)
    house.do(host, command)
    guest = CodeGuest(house)
    assert guest.error(guest.types(show_code(house).code)).code == "ask_first"
    guest.invited(guest.types(show_code(house, "ada").code))


@pytest.mark.parametrize("share", ["00" * 32, "01" + "00" * 31, "ed" + "ff" * 30 + "7f"])
def test_an_invalid_share_is_refused(house: House, share: str) -> None:
    """A point of low order would make a key that everybody knows."""
    show_code(house)
    session = house.connect()
    command = messages.CodeStart(id=house.request(), sid="0" * 32, share=share)
    error = refused(house.do(session, command), session)
    assert (error.code, error.field) == ("malformed", "share")
    assert len(house.world.codes) == 0


def test_what_can_not_be_stored_leaves_the_code(house: House) -> None:
    """The one device it was for can try again once the disk has room."""
    house.join("ada")
    code = show_code(house, "ada").code
    guest = CodeGuest(house)
    guest.start(code)
    assert guest.exchange is not None
    command = messages.CodeProof(id=house.request(), tag=guest.exchange.tag().hex())
    with suppress(_NotStoredError), house.log.transaction():
        handle_command(house.world, guest.session, command, house.now)
        raise _NotStoredError
    house.world.directory.roll_back()
    guest.invited(guest.types(code))


def test_no_summary_tells_a_code(house: House) -> None:
    """Nor what is sent about it: the log has numbers and types."""
    guest = CodeGuest(house)
    shown = show_code(house)
    guest.start(shown.code)
    outcome = guest.prove()
    secret = guest.invited(outcome).secret
    said = " ".join(
        map(brief, [shown, *told(outcome, guest.session), *all_of(outcome, CodeChanged)])
    )
    assert shown.code not in said
    assert secret not in said
    assert shown.code not in repr(house.world.codes.live(house.now))
