"""Requests to join by the rules: who may ask, what the host sees, and what comes of an answer."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace

import pytest

from chat_server.rules import inputs, join_requests, lookalikes
from chat_server.rules.commands import handle_command
from chat_server.rules.effects import MayWait, Tell
from chat_server.rules.issued_invites import InviteKind
from chat_server.rules.moderation import ban_device_of
from chat_server.rules.roles import Role
from chat_server.rules.sessions import Session
from chat_server.rules.view import Audited, ClientRefused, KnockArrived, KnockEnded
from chat_server.rules.world import Outcome
from common import limits
from common.protocol import messages
from common.protocol.joining_proofs import knock_digits, opens
from tests.unit.chat_server.house import (
    FINGERPRINT,
    House,
    all_of,
    installation,
    only,
    refused,
    told,
)
from tests.unit.chat_server.rules.guests import NONCE, KnockingGuest


class _NotStoredError(Exception):
    """A transaction fails."""


def admit(house: House, request: int, **fields: str) -> Outcome:
    """The host lets somebody in."""
    command = messages.Admit.model_validate({"id": house.request(), "request": request, **fields})
    return house.do(house.host(), command)


def deny(house: House, request: int, *, block: bool = False) -> Outcome:
    """The host says no."""
    command = messages.Deny(id=house.request(), request=request, block=block)
    return house.do(house.host(), command)


def requests(house: House) -> tuple[messages.JoinRequest, ...]:
    """Who asks, as the host sees it."""
    host = house.host()
    (listed,) = told(house.do(host, messages.ListRequests(id=house.request())), host)
    assert isinstance(listed, messages.Requests)
    return listed.requests


def waiting(house: House) -> list[str]:
    """The usernames of those who ask, as the host sees them."""
    host = house.host()
    (listed,) = told(house.do(host, messages.ListRequests(id=house.request())), host)
    assert isinstance(listed, messages.Requests)
    return [each.username for each in listed.requests]


def test_the_host_sees_who_asks_and_the_digits(house: House) -> None:
    """They are made of the certificate and both nonces; the guest gets the server's last."""
    guest = KnockingGuest(house, "Ada")
    begun = guest.begin()
    assert all_of(begun, KnockArrived) == []
    outcome = guest.open()
    (shown,) = told(outcome, guest.session)
    assert isinstance(shown, messages.KnockShown)
    nonce = bytes.fromhex(shown.nonce)
    assert opens(nonce, guest.commitment)
    arrived = only(outcome, KnockArrived)
    assert arrived.digits == knock_digits(FINGERPRINT, NONCE, nonce)
    assert (arrived.username, arrived.display_name) == ("ada", "Ada")
    assert (arrived.address, arrived.device) == ("192.0.2.1", "Linux")
    wait = only(outcome, MayWait)
    assert wait.seconds == 600
    host = house.host()
    (listed,) = told(house.do(host, messages.ListRequests(id=house.request())), host)
    assert isinstance(listed, messages.Requests)
    (request,) = listed.requests
    assert (request.request, request.digits) == (arrived.request, arrived.digits)
    assert (request.username, request.since) == ("ada", house.now)


def test_who_is_let_in_joins_by_the_secret(house: House) -> None:
    """It is good for one use, on whatever connection; the host's list has an invite more."""
    guest = KnockingGuest(house, "ada")
    outcome = admit(house, guest.knock())
    answer = guest.answer(outcome)
    assert answer.code == "admitted"
    assert only(outcome, KnockEnded).why == "admitted"
    assert only(outcome, MayWait).seconds is None
    issued = house.world.directory.invites.of_secret(answer.secret or "")
    assert issued is not None
    assert (issued.kind, issued.most_uses, issued.role) == (InviteKind.KNOCK, 1, Role.MEMBER)
    assert waiting(house) == []
    again = house.connect()
    house.do(again, guest.join_command(answer.secret))
    assert again.username == "ada"


def test_somebody_is_let_in_as_a_moderator(house: House) -> None:
    """If the host says so."""
    guest = KnockingGuest(house, "ada")
    answer = guest.answer(admit(house, guest.knock(), role="moderator"))
    house.do(guest.session, guest.join_command(answer.secret))
    assert house.world.directory.accounts["ada"].role is Role.MODERATOR


def test_no_is_told_and_counts_for_a_minute(house: House) -> None:
    """For that device, wherever it is, and for that address."""
    guest = KnockingGuest(house, "ada")
    outcome = deny(house, guest.knock())
    assert guest.answer(outcome) == messages.KnockAnswered(code="refused")
    assert only(outcome, KnockEnded).why == "refused"
    elsewhere = KnockingGuest(house, "ada", "192.0.2.2")
    error = elsewhere.error(elsewhere.asks())
    assert (error.code, error.retry_after) == ("rate_limited", 60_000)
    assert error.params == {"why": "asked_before", "minutes": 1}
    beside = KnockingGuest(house, "bob")
    assert beside.error(beside.asks()).code == "rate_limited"
    house.now += 60_000
    assert KnockingGuest(house, "ada").knock()


def test_block_bans_the_device_and_holds_the_address_for_an_hour(house: House) -> None:
    """The ban is among the others, and can be lifted there."""
    guest = KnockingGuest(house, "ada")
    outcome = deny(house, guest.knock(), block=True)
    assert guest.answer(outcome).code == "blocked"
    house.now += 60_000
    elsewhere = KnockingGuest(house, "ada", "192.0.2.2")
    assert elsewhere.error(elsewhere.asks()).code == "banned"
    beside = KnockingGuest(house, "bob")
    assert beside.error(beside.asks()).retry_after == 3600_000 - 60_000
    (ban,) = house.world.directory.sanctions.after(0, house.now)
    assert (ban.device, ban.username) == ("Linux of @ada", None)
    house.now += 3600_000
    house.do(house.host(), messages.Unban(id=house.request(), number=ban.number))
    assert elsewhere.knock()


def test_whoever_is_blocked_no_longer_may_ask_at_once(house: House) -> None:
    """From that address, too, unless another device from there is still blocked."""
    ada, bob = KnockingGuest(house, "ada"), KnockingGuest(house, "bob")
    numbers = ada.knock(), bob.knock()
    for number in numbers:
        deny(house, number, block=True)
    bans = {each.device: each.number for each in house.world.directory.sanctions.after(0, 0)}
    house.do(house.host(), messages.Unban(id=house.request(), number=bans["Linux of @ada"]))
    again = KnockingGuest(house, "ada")
    assert again.error(again.asks()).code == "rate_limited"
    assert KnockingGuest(house, "ada", "192.0.2.2").knock()
    house.do(house.host(), messages.Unban(id=house.request(), number=bans["Linux of @bob"]))
    assert KnockingGuest(house, "bob").knock()


def test_a_blocked_device_is_listed_with_whose_it_is(house: House) -> None:
    """Many devices are called the same; a long name of one is cut for it."""
    guest = KnockingGuest(house, "w" * 32)
    number = guest.knock()
    request = house.world.requests.get(number)
    assert request is not None
    request = replace(request, device="Computer of somebody in the back row, left")
    assert ban_device_of(house.world, house.host(), request, house.now)
    (ban,) = house.world.directory.sanctions.after(0, house.now)
    assert ban.device == f"Computer of somebody in the of @{'w' * 32}"
    assert len(ban.device) == limits.PROGRAM_LENGTH


def test_a_device_that_a_moderator_uses_is_not_banned(house: House) -> None:
    """Somebody else asked from a moderator's computer: the host is told that it stays."""
    house.join("mia")
    command = messages.SetRole(id=house.request(), username="mia", role="moderator")
    house.do(house.host(), command)
    guest = KnockingGuest(house, "ada", device="mia")
    outcome = deny(house, guest.knock(), block=True)
    replies = [each.message for each in all_of(outcome, Tell)]
    assert [each.note for each in replies if isinstance(each, messages.Done)] == ["shared_device"]
    house.sign_in("mia")
    house.now += join_requests.REFUSED_FOR
    assert guest.knock(), "nothing is held that no list has"


def test_a_request_is_taken_back(house: House) -> None:
    """The host's list has it no more; the same connection may ask again."""
    guest = KnockingGuest(house, "ada")
    guest.knock()
    outcome = house.do(guest.session, messages.Withdraw(id=house.request()))
    assert only(outcome, KnockEnded).why == "withdrawn"
    assert waiting(house) == []
    outcome = house.do(guest.session, messages.Withdraw(id=house.request()))
    assert all_of(outcome, KnockEnded) == []
    assert guest.knock()


def test_a_request_ends_with_its_connection(house: House) -> None:
    """Who is gone can't be let in."""
    guest = KnockingGuest(house, "ada")
    number = guest.knock()
    outcome = house.happen(inputs.Closed(guest.session.connection, "lost"))
    assert only(outcome, KnockEnded).why == "lost"
    host = house.host()
    for command in (
        messages.Admit(id=house.request(), request=number),
        messages.Deny(id=house.request(), request=number),
    ):
        assert refused(house.do(host, command), host).code == "no_such_request"
    assert KnockingGuest(house, "ada").knock()


def test_a_request_that_nobody_answers_expires(house: House) -> None:
    """The guest is told so, and may ask again at once."""
    guest = KnockingGuest(house, "ada")
    guest.knock()
    outcome = house.happen(inputs.WaitEnded(guest.session.connection))
    assert guest.answer(outcome).code == "expired"
    assert only(outcome, KnockEnded).why == "expired"
    assert house.happen(inputs.WaitEnded(guest.session.connection)) == []
    assert guest.knock()


def test_who_joins_otherwise_asks_no_longer(house: House) -> None:
    """With a link that came by mail meanwhile."""
    guest = KnockingGuest(house, "ada")
    guest.knock()
    outcome = house.do(guest.session, guest.join_command("s" * 22))
    assert guest.session.username == "ada"
    assert only(outcome, KnockEnded).why == "joined"


def test_a_request_ends_when_its_device_takes_the_name_otherwise(house: House) -> None:
    """With a link in another window: else the host could let somebody in who can't join."""
    guest = KnockingGuest(house, "ada")
    guest.knock()
    window = house.connect()
    outcome = house.do(window, guest.join_command("s" * 22))
    assert window.username == "ada"
    assert only(outcome, KnockEnded).why == "joined"
    assert guest.answer(outcome).code == "expired"


def test_a_join_that_is_not_stored_leaves_the_request_waiting(house: House) -> None:
    """Until it is."""
    guest = KnockingGuest(house, "ada")
    guest.knock()
    command = guest.join_command("s" * 22)
    with suppress(_NotStoredError), house.log.transaction():
        handle_command(house.world, guest.session, command, house.now)
        raise _NotStoredError
    house.world.directory.roll_back()
    assert waiting(house) == ["ada"]
    house.do(guest.session, command)
    assert waiting(house) == []


def test_one_request_of_a_device_waits(house: House) -> None:
    """A newer one replaces it: the former connection is probably dead."""
    former, latter = KnockingGuest(house, "ada"), KnockingGuest(house, "ada")
    former.knock()
    latter.begin()
    outcome = latter.open()
    assert former.answer(outcome).code == "expired"
    assert only(outcome, KnockEnded).why == "replaced"
    assert waiting(house) == ["ada"]


def test_one_connection_asks_once_at_a_time(house: House) -> None:
    """A second `knock` is out of order, and so is a nonce without one."""
    guest = KnockingGuest(house, "ada")
    assert guest.error(guest.open()).code == "out_of_order"
    guest.begin()
    assert guest.error(guest.begin()).code == "out_of_order"
    guest.open()
    assert guest.error(guest.open()).code == "out_of_order"
    assert guest.error(guest.begin()).code == "out_of_order"
    assert waiting(house) == ["ada"]


def test_four_of_an_address_wait_and_sixteen_of_all(house: House) -> None:
    """Whoever comes then is told to try again in a moment."""
    for number in range(6):
        guest = KnockingGuest(house, f"one{number}")
        error = None if number < 4 else guest.error(guest.asks())
        if error is None:
            guest.knock()
        else:
            assert (error.code, error.params) == ("busy", {"why": "many_asking"})
            assert error.retryable
    for number in range(20):
        guest = KnockingGuest(house, f"other{number}", f"192.0.2.{number + 2}")
        # Those of the address with four give way to others, but for one.
        if number < limits.REQUESTS - 1:
            guest.knock()
        else:
            assert guest.error(guest.asks()).code == "busy"
    assert len(waiting(house)) == limits.REQUESTS == 16


def test_one_who_became_too_many_meanwhile_is_refused(house: House) -> None:
    """The check is at both steps: many may begin before the first is shown."""
    guests = [KnockingGuest(house, f"one{number}") for number in range(6)]
    for guest in guests:
        guest.begin()
    errors = [guest.open() for guest in guests]
    assert [len(all_of(each, KnockArrived)) for each in errors] == [1] * 4 + [0] * 2


def test_addresses_of_a_network_leave_room_for_others(house: House) -> None:
    """An IPv6 computer that has many does not keep others out: its newest requests give way."""
    crowd = [
        KnockingGuest(house, f"one{number}", f"2001:db8:1::{number + 1:x}") for number in range(17)
    ]
    shown = [bool(all_of(guest.asks(), KnockArrived)) for guest in crowd]
    # Four times as many as one address: on one network all have the same /64.
    assert shown == [True] * 16 + [False]
    for number in range(8):
        guest = KnockingGuest(house, f"other{number}", f"192.0.2.{number + 2}")
        begun, opened = guest.begin(), guest.open()
        assert all_of(begun, KnockEnded) == []
        assert len(all_of(opened, KnockArrived)) == len(all_of(opened, KnockEnded)) == 1
        ended = crowd[15 - number]
        assert ended.answer(opened).code == "displaced"
        assert only(opened, KnockEnded).why == "displaced"
        assert only(opened, ClientRefused).code == "displaced"
        assert len(waiting(house)) == limits.REQUESTS
    # Where nobody has more than others, whoever comes last has to wait.
    for number in range(8, 16):
        guest = KnockingGuest(house, f"other{number}", f"192.0.2.{number + 2}")
        guest.asks()
    assert len(waiting(house)) == limits.REQUESTS
    late = KnockingGuest(house, "late", "192.0.2.99")
    assert late.error(late.asks()).code == "busy"


def crowd(house: House, count: int = limits.REQUESTS) -> list[KnockingGuest]:
    """Requests of as many addresses, which all wait."""
    guests = [KnockingGuest(house, f"one{each}", f"192.0.2.{each + 100}") for each in range(count)]
    for guest in guests:
        guest.knock()
    return guests


def test_who_has_many_addresses_keeps_nobody_out(house: House) -> None:
    """However often they ask again: who has had a place longest gives way."""
    held = crowd(house)
    ada = KnockingGuest(house, "ada")
    assert ada.error(ada.asks()).code == "busy"
    for minutes in range(4):
        for guest in held:  # The former one of the same device is replaced.
            guest.session = house.connect(guest.session.address)
            guest.asks()
        assert len(waiting(house)) == limits.REQUESTS, minutes
        house.now += 30_000
    ada.begin()
    opened = ada.open()
    assert held[0].answer(opened).code == "displaced"
    assert only(opened, KnockEnded).why == "displaced"
    assert only(opened, ClientRefused).address == held[0].session.address
    assert held[0].error(held[0].asks()).code == "busy", "it had its turn"
    others = [KnockingGuest(house, f"other{each}", f"192.0.2.{each + 2}") for each in range(15)]
    for guest in others:
        guest.knock()
    assert set(waiting(house)) == {"ada", *(each.name for each in others)}
    for guest in held:
        assert guest.error(guest.asks()).code == "busy"


@pytest.mark.parametrize("seed", range(5))
def test_who_asks_in_the_midst_of_a_siege_is_seen_and_stays(house: House, seed: int) -> None:
    """Sixteen addresses do at random what they can; one person asks each ten seconds."""
    chance = random.Random(seed)  # noqa: S311  # a repeatable course of a test
    besiegers = [KnockingGuest(house, f"one{each}", f"192.0.2.{each + 100}") for each in range(16)]
    ada, seen_at, devices = KnockingGuest(house, "ada"), None, 0
    start = house.now
    for second in range(600):
        house.now = start + 1000 * second
        for guest in chance.sample(besiegers, 4):
            act = chance.choice(["ask", "ask", "withdraw", "other device"])
            if act == "withdraw" and second > 60:
                house.do(guest.session, messages.Withdraw(id=house.request()))
                continue
            if act == "other device":
                devices += 1
                guest.device = guest.name = f"other{devices}"
            guest.session = house.connect(guest.session.address)
            guest.asks()
        if seen_at is None and second >= 60 and not second % 10:
            seen_at = second if all_of(ada.asks(), KnockArrived) else None
        assert len(waiting(house)) <= limits.REQUESTS
        assert seen_at is None or "ada" in waiting(house)
    assert seen_at is not None
    assert 1000 * seen_at <= join_requests.SHOWN_FOR + 60_000


def test_whoever_is_displaced_may_ask_again(house: House) -> None:
    """As soon as there is room."""
    held = crowd(house)
    assert len(waiting(house)) == limits.REQUESTS
    house.now += join_requests.SHOWN_FOR
    KnockingGuest(house, "ada").knock()
    assert held[0].error(held[0].asks()).code == "busy"
    house.do(held[1].session, messages.Withdraw(id=house.request()))
    assert held[0].knock()


def test_a_request_is_shown_for_two_minutes_before_it_gives_way(house: House) -> None:
    """So that the host can answer it, however many come after it."""
    crowd(house)
    house.now += join_requests.SHOWN_FOR - 1
    late = KnockingGuest(house, "late")
    assert late.error(late.asks()).code == "busy"
    house.now += 1
    assert late.knock()


def test_who_waits_already_displaces_nobody_with_one_more(house: House) -> None:
    """A second request of an address needs room of its own."""
    crowd(house)
    house.now += join_requests.SHOWN_FOR
    KnockingGuest(house, "ada").knock()
    beside = KnockingGuest(house, "bob")
    assert beside.error(beside.asks()).code == "busy"


def test_whoever_asked_before_the_others_came_gets_a_turn_again(house: House) -> None:
    """Nobody answered, and then the places were taken: those who have them now grow older."""
    ada = KnockingGuest(house, "ada")
    ada.knock()
    house.now += join_requests.LIFE
    held = crowd(house, 15)
    late = KnockingGuest(house, "late", "192.0.2.99")
    late.begin()
    assert ada.answer(late.open()).code == "displaced"
    waited = 0
    while not all_of(ada.asks(), KnockArrived):
        house.now += 10_000
        waited += 10_000
        assert waited < 2 * join_requests.LIFE
    assert held[0].name not in waiting(house)


def test_time_with_a_place_is_forgotten(house: House) -> None:
    """Who asked in the morning does not wait behind everybody in the afternoon."""
    early = KnockingGuest(house, "early")
    early.knock()
    house.now += join_requests.LIFE
    house.do(early.session, messages.Withdraw(id=house.request()))
    house.now += 8 * join_requests.LIFE
    crowd(house)
    house.now += join_requests.SHOWN_FOR
    assert early.knock()


def test_a_clock_that_is_set_back_keeps_the_rule(house: House) -> None:
    """The time before does not count, that after it does."""
    held = crowd(house)
    house.now -= 100 * join_requests.LIFE
    late = KnockingGuest(house, "late")
    assert late.error(late.asks()).code == "busy"
    for guest in held:
        guest.session = house.connect(guest.session.address)
        guest.asks()
    house.now += join_requests.SHOWN_FOR
    assert late.knock()


def test_nobody_finds_out_by_asking_who_has_an_account(house: House) -> None:
    """Names that are taken are told from others a few times, for people who ask; then no more."""
    house.join("victor")
    told_ = 0
    for number in range(200):
        guest = KnockingGuest(house, "victor", device=f"device{number}")
        told_ += guest.error(guest.begin()).code == "name_taken"
    assert told_ == join_requests.TRIED_AT_ONCE
    guest = KnockingGuest(house, "victor")
    error = guest.error(guest.begin())
    assert (error.code, error.retryable, error.retry_after) == ("rate_limited", True, 10_000)
    other = KnockingGuest(house, "ada", "192.0.2.2")
    assert other.knock()


def test_asking_over_and_over_does_not_call_the_host_each_time(house: House) -> None:
    """Eight at once, then one in ten seconds, of an address."""
    guest = KnockingGuest(house, "ada")
    shown = 0
    for _ in range(20):
        shown += bool(all_of(guest.asks(), KnockArrived))
        house.do(guest.session, messages.Withdraw(id=house.request()))
    assert shown == join_requests.SHOWN_AT_ONCE
    house.now += 10_000
    assert guest.knock()


def test_a_name_is_checked_before_it_is_shown(house: House) -> None:
    """As in a join: what the host lets in is a join that works."""
    house.join("victor")
    refused_names = {"victor": "name_taken", "vict0r": "name_alike", "host": "name_refused"}
    for name, code in refused_names.items():
        guest = KnockingGuest(house, name)
        assert guest.error(guest.asks()).code == code
    guest = KnockingGuest(house, "ada")
    error = guest.error(guest.begin(display_name="\u200b"))
    assert (error.code, error.field) == ("name_refused", "display_name")
    assert waiting(house) == []


def test_a_name_is_reserved_while_its_request_waits(house: House) -> None:
    """For other requests with those that look like it; once it is admitted, for joins, too."""
    guest = KnockingGuest(house, "victor")
    guest.knock()
    rival = KnockingGuest(house, "vict0r", "192.0.2.2")
    error = rival.error(rival.asks())
    assert (error.code, error.field) == ("name_taken", "username")
    assert error.params["suggestion"] == "vict0r2"
    answer = guest.answer(admit(house, 1))
    link = house.connect()
    command = house.join_command("victor", installation=installation("other"))
    outcome = house.do(link, command)
    assert isinstance(told(outcome, link)[0], messages.Error)
    assert rival.error(rival.asks()).code == "name_taken", "until it has joined, too"
    house.happen(inputs.Closed(guest.session.connection, "left"))
    again = house.connect()
    house.do(again, guest.join_command(answer.secret))
    assert again.username == "victor"


@pytest.mark.parametrize("name", ["victor", "vict0r"])
def test_who_only_asks_keeps_no_name_from_somebody_with_an_invite(house: House, name: str) -> None:
    """Whoever is on the network could keep a name for as long as nobody answers them."""
    guest = KnockingGuest(house, name)
    guest.knock()
    link = house.connect()
    outcome = house.do(link, house.join_command("victor", installation=installation("other")))
    assert link.username == "victor"
    assert guest.answer(outcome).code == "taken"
    assert [each.why for each in all_of(outcome, KnockEnded)] == ["taken"]
    assert waiting(house) == []
    assert guest.error(guest.asks()).code in {"name_taken", "name_alike"}


@pytest.mark.parametrize("how", ["withdrawn", "refused", "left", "expired"])
def test_a_name_is_free_again_when_the_request_is_over(house: House, how: str) -> None:
    """Whatever ended it."""
    guest = KnockingGuest(house, "ada")
    number = guest.knock()
    if how == "withdrawn":
        house.do(guest.session, messages.Withdraw(id=house.request()))
    elif how == "refused":
        deny(house, number)
    elif how == "left":
        house.happen(inputs.Closed(guest.session.connection, "left"))
    else:
        house.happen(inputs.WaitEnded(guest.session.connection))
    house.join("ada")


def test_where_only_invites_let_in_nobody_asks(house: House) -> None:
    """The guest is told so."""
    command = messages.SetJoining(id=house.request(), rule="invite", moderators_invite=False)
    house.do(house.host(), command)
    guest = KnockingGuest(house, "ada")
    assert guest.error(guest.asks()).code == "invite_needed"


@pytest.mark.parametrize("rule", ["ask", "open", "invite_or_ask"])
def test_who_was_let_in_joins_under_each_other_rule(house: House, rule: str) -> None:
    """Where all have to ask, they did."""
    command = messages.SetJoining.model_validate(
        {"id": house.request(), "rule": rule, "moderators_invite": False}
    )
    house.do(house.host(), command)
    guest = KnockingGuest(house, "ada")
    answer = guest.answer(admit(house, guest.knock()))
    house.do(guest.session, guest.join_command(answer.secret))
    assert guest.session.username == "ada"


def test_who_lost_what_let_them_in_asks_again(house: House) -> None:
    """The connection broke with the answer on its way: their name is still theirs to ask for."""
    guest = KnockingGuest(house, "ada")
    lost = guest.answer(admit(house, guest.knock()))
    house.happen(inputs.Closed(guest.session.connection, "lost"))
    again = KnockingGuest(house, "ada")
    answer = again.answer(admit(house, again.knock()))
    assert answer.secret != lost.secret
    house.do(again.session, again.join_command(answer.secret))
    assert again.session.username == "ada"


def test_who_was_let_in_may_ask_again_on_the_same_connection(house: House) -> None:
    """Under another name, say, before they have joined."""
    guest = KnockingGuest(house, "ada")
    admit(house, guest.knock())
    guest.name = "ada.lovelace"
    assert guest.answer(admit(house, guest.knock())).code == "admitted"
    rival = KnockingGuest(house, "ada", "192.0.2.2", device="rival")
    assert rival.knock(), "the name that they no longer want is free"


def test_what_can_not_be_stored_leaves_the_request_waiting(house: House) -> None:
    """Unless the guest has left meanwhile."""
    guest, gone = KnockingGuest(house, "ada"), KnockingGuest(house, "bob", "192.0.2.2")
    numbers = [guest.knock(), gone.knock()]
    host = house.host()
    with suppress(_NotStoredError), house.log.transaction():
        for number in numbers:
            admission = messages.Admit(id=house.request(), request=number)
            handle_command(house.world, host, admission, house.now)
        house.happen(inputs.Closed(gone.session.connection, "left"))
        raise _NotStoredError
    house.world.directory.roll_back()
    assert waiting(house) == ["ada"]
    assert guest.answer(admit(house, numbers[0])).code == "admitted"


def test_the_audit_log_names_whom_the_host_let_in(house: House) -> None:
    """Not by a number alone, which nobody knows later; and without a secret."""
    guest = KnockingGuest(house, "ada")
    outcome = admit(house, guest.knock())
    entry = only(outcome, Audited)
    assert entry.action == "admit"
    assert entry.fields == {"request": 1, "role": "member", "username": "ada", "device": "Linux"}


@pytest.mark.parametrize(
    ("member", "asking", "alike"),
    [
        ("Ada Lindqvist", "Ada Lindqvist", True),
        ("Ada Lindqvist", "ada lindqvist", True),
        ("Ada Lindqvist", "Ada-Lindqvist", True),
        ("Ada Lindqvist", "AdaLindqvist", True),
        ("Ada Lindqvist", "\N{CYRILLIC CAPITAL LETTER A}da Lindqvist", True),
        ("Ilse", "llse", True),
        ("Ada Lindqvist", "member", True),  # as her username
        ("Ada Lindqvist", "Ada Lovelace", False),
        ("🌻", "🌻", True),
        ("🌻", "🌵", False),
    ],
)
def test_the_host_learns_that_a_member_has_such_a_name(
    house: House, member: str, asking: str, alike: bool
) -> None:
    """Usernames are checked and display names may be the same: that is how to pass for somebody."""
    house.join("member", display_name=member)
    guest = KnockingGuest(house, "ada")
    guest.begin(display_name=asking)
    arrived = only(guest.open(), KnockArrived)
    assert arrived.members_alike == (("member",) if alike else ())
    (listed,) = requests(house)
    assert listed.members_alike == arrived.members_alike


def test_who_looks_like_somebody_is_as_the_list_is_made(house: House) -> None:
    """Somebody joins, changes their name, or deletes their account meanwhile; three are named."""
    guest = KnockingGuest(house, "eve")
    guest.begin(display_name="Ada")
    guest.open()
    assert requests(house)[0].members_alike == ()
    for username in ("z.ada", "m.ada", "b.ada", "a.ada"):
        house.join(username, display_name="Ada")
    assert requests(house)[0].members_alike == ("a.ada", "b.ada", "m.ada")
    session, _ = house.sign_in("a.ada")
    house.do(session, messages.RenameMe(id=house.request(), display_name="Anna"))
    session, _ = house.sign_in("b.ada")
    house.do(session, messages.DeleteMe(id=house.request(), messages="keep"))
    assert requests(house)[0].members_alike == ("m.ada", "z.ada")


def test_the_host_learns_that_two_ask_with_one_name(house: House) -> None:
    """Each of the two says so, as long as both wait."""
    ada, other = KnockingGuest(house, "ada"), KnockingGuest(house, "other", "192.0.2.2")
    ada.knock()
    other.begin(display_name="Ada")
    arrived = only(other.open(), KnockArrived)
    assert (arrived.also_asks, arrived.members_alike) == (True, ())
    first, second = requests(house)
    assert first.requests_alike == (second.request,)
    assert second.requests_alike == (first.request,)
    deny(house, first.request)
    assert requests(house)[0].requests_alike == ()


def test_names_are_compared_in_little_time(house: House) -> None:
    """Of thousands of members each is read once, not at each request."""
    reads = 0

    def counted(name: str) -> frozenset[str]:
        nonlocal reads
        reads += 1
        return frozenset({name})

    for number in range(100):
        house.join(f"member{number}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookalikes, "skeletons", counted)
        lookalikes._read.cache_clear()
        KnockingGuest(house, "ada").knock()
        first, reads = reads, 0
        requests(house)
    lookalikes._read.cache_clear()
    assert first <= 2 * 100 + 2
    assert reads == 0


@pytest.mark.parametrize("stored", [True, False])
def test_a_ban_ends_the_requests_of_its_devices(house: House, stored: bool) -> None:
    """Who is let in could not join; if the ban can't be stored, they wait on."""
    house.join("eve")
    guest = KnockingGuest(house, "ada", device="eve")
    other = KnockingGuest(house, "bob", "192.0.2.2")
    number = guest.knock()
    other.knock()
    command = messages.Ban(id=house.request(), username="eve")
    if stored:
        outcome = house.do(house.host(), command)
        assert guest.answer(outcome).code == "blocked"
        assert only(outcome, KnockEnded) == KnockEnded(number, "blocked", house.now)
        assert waiting(house) == ["bob"]
        return
    host = house.host()
    with suppress(_NotStoredError), house.log.transaction():
        handle_command(house.world, host, command, house.now)
        raise _NotStoredError
    house.world.directory.roll_back()
    assert waiting(house) == ["ada", "bob"]


def test_the_chat_may_be_renamed_while_somebody_asks(house: House) -> None:
    """The request waits on; if its name is the chat's now, another one will do, without asking."""
    guest, twin = KnockingGuest(house, "bob"), KnockingGuest(house, "ada", "192.0.2.2")
    numbers = guest.knock(), twin.knock()
    house.do(house.host(), messages.RenameChat(id=house.request(), name="Ada"))
    assert waiting(house) == ["bob", "ada"]
    for each, number in zip((guest, twin), numbers, strict=True):
        answer = each.answer(admit(house, number))
        assert answer.code == "admitted"
        outcome = house.do(each.session, each.join_command(answer.secret))
        if each is twin:
            error = each.error(outcome)
            assert (error.code, error.field) == ("name_refused", "display_name")
            command = each.join_command(answer.secret).model_copy(
                update={"display_name": "Ada Lindqvist"}
            )
            house.do(each.session, command)
        assert each.session.username == each.name


def test_numbers_of_requests_differ_from_run_to_run() -> None:
    """What is on somebody's screen from before a restart is not to let another person in."""
    firsts = {
        join_requests.JoinRequests(join_requests.first_numbers()).next_number() for _ in range(100)
    }
    assert len(firsts) > 50
    assert all(100 <= each < 1000 for each in firsts)


def test_other_people_can_not_answer(house: House) -> None:
    """Not a moderator, nor the guest."""
    guest = KnockingGuest(house, "ada")
    number = guest.knock()
    house.join("mia")
    command = messages.SetRole(id=house.request(), username="mia", role="moderator")
    house.do(house.host(), command)
    sessions: list[Session] = [guest.session, house.sign_in("mia")[0]]
    for session in sessions:
        for each in (
            messages.Admit(id=house.request(), request=number),
            messages.Deny(id=house.request(), request=number),
            messages.ListRequests(id=house.request()),
        ):
            assert refused(house.do(session, each), session).code == "not_allowed"
