"""Which chats are listed, from which addresses, and until when."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.state.discovery import (
    DISBELIEF,
    LATE,
    LEAVING,
    MOST_BY_HOST,
    MOST_CHATS,
    MOST_PORTS,
    MOST_ROUTES,
    FoundChat,
    FoundChats,
    QuestionTimes,
)
from common.domain.dns_sd import TTL, Advert


def advert(number: int = 0, name: str = "Home", port: int = 12345) -> Advert:
    """The advert of one server."""
    return Advert(sha256(b"%d" % number).digest(), name, port)


HOME = advert()


def names(found: FoundChats) -> list[str]:
    """What is listed."""
    return [chat.name for chat in found.chats]


def ask(found: FoundChats, *times: float) -> None:
    """Ask without an answer."""
    for now in times:
        found.asked(now)


def test_a_chat_is_listed_once_with_all_its_addresses() -> None:
    """The one that answers first, and that of link-local scope last; then in the order found."""
    found = FoundChats()
    for host, answers in (
        ("fe80::5%eth0", False),
        ("10.0.0.5", False),
        ("fd00::5", True),
        ("192.168.0.5", False),
    ):
        assert found.heard(HOME, host, 1.0, answers=answers)
        assert not found.heard(HOME, host, 2.0, answers=False)
    hosts = ("fd00::5", "10.0.0.5", "192.168.0.5", "fe80::5%eth0")
    places = tuple((host, 12345) for host in hosts)
    assert found.chats == (FoundChat(HOME.fingerprint, "Home", hosts, 12345, 2.0, places),)
    assert found.chats[0].seen_at == 2.0


def test_what_an_advert_tells_comes_last() -> None:
    """It may have come by way of a repeater between two networks, where the server is not."""
    found = FoundChats()
    told = replace(HOME, addresses=("10.2.0.5", "10.1.0.1", "fd00::5"))
    found.heard(told, "10.1.0.1", 1.0, answers=True)
    found.heard(HOME, "10.1.0.2", 1.0, answers=False)
    (chat,) = found.chats
    assert chat.hosts == ("10.1.0.1", "10.1.0.2", "10.2.0.5", "fd00::5")
    assert chat.places == tuple((host, 12345) for host in chat.hosts)


def test_when_it_was_heard_of_is_no_difference() -> None:
    """Else whoever shows the list would draw it anew with each reply."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 1.0, answers=True)
    before = found.chats
    found.heard(HOME, "10.0.0.5", 9.0, answers=True)
    assert found.chats == before
    found.heard(replace(HOME, name="Garden"), "10.0.0.5", 9.0, answers=True)
    assert found.chats != before


def test_who_says_goodbye_is_gone_within_a_second() -> None:
    """On all its addresses, also those on which the goodbye was lost."""
    found = FoundChats()
    for host in ("10.0.0.5", "10.1.0.5"):
        found.heard(HOME, host, 0.0, answers=True)
    assert found.left(HOME.fingerprint, 10.0)
    assert not found.left(advert(1).fingerprint, 10.0)
    found.expire(10.0)
    assert names(found) == ["Home"]
    deadline = found.deadline()
    assert deadline == pytest.approx(10.0 + LEAVING)
    found.expire(deadline)
    assert found.chats == ()
    assert found.deadline() == math.inf


def test_a_forged_goodbye_is_refuted_by_an_answer() -> None:
    """Anybody can send one; the server itself is asked."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=True)
    found.left(HOME.fingerprint, 10.0)
    found.heard(HOME, "10.0.0.5", 10.1, answers=True)
    found.expire(10.0 + 2 * LEAVING)
    assert names(found) == ["Home"]


def test_after_a_forged_goodbye_others_are_not_believed_for_a_while() -> None:
    """However many come: nobody is asked, and the chat does not vanish for a moment."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=True)
    assert found.left(HOME.fingerprint, 10.0)
    found.asked(10.1)
    found.heard(HOME, "10.0.0.5", 10.2, answers=True)
    now = 10.3
    while now < 10.2 + DISBELIEF:
        assert not found.left(HOME.fingerprint, now)
        found.expire(now)
        assert names(found) == ["Home"]
        now += 0.01
    # Then one is as good as the first one was: it is asked about, and believed without an answer.
    assert found.left(HOME.fingerprint, now)
    found.asked(now + 0.1)
    found.expire(now + LEAVING)
    assert names(found) == []


def test_a_goodbye_is_refuted_also_when_it_was_believed() -> None:
    """A server that is kept busy replies to the group, a second later."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=True)
    found.left(HOME.fingerprint, 10.0)
    found.asked(10.1)
    found.expire(10.7)
    assert names(found) == []
    found.heard(HOME, "10.0.0.5", 11.0, answers=False)
    assert not found.left(HOME.fingerprint, 11.1)
    # A chat that comes back much later may have been started anew.
    other = advert(1)
    found.heard(other, "10.0.0.6", 0.0, answers=True)
    found.left(other.fingerprint, 10.0)
    found.asked(10.1)
    found.expire(13.0)
    found.heard(other, "10.0.0.6", 13.0, answers=False)
    assert found.left(other.fingerprint, 13.1)


def test_a_reply_that_a_goodbye_has_overtaken_refutes_nothing() -> None:
    """Of a server that answered a moment before it ended: no question was sent since."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=True)
    found.asked(9.9)
    found.left(HOME.fingerprint, 10.0)
    found.heard(HOME, "10.0.0.5", 10.0, answers=True)
    assert found.left(HOME.fingerprint, 10.01)  # it is said twice
    found.expire(10.01 + LEAVING)
    assert names(found) == []


def test_nobody_can_shorten_how_long_an_advert_counts() -> None:
    """A server whose firewall lets no question in can't refute anything."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=False)
    found.heard(replace(HOME, ttl=1), "10.0.0.5", 1.0, answers=False)
    assert found.deadline() == TTL


def test_who_no_longer_answers_is_gone() -> None:
    """After three questions and the time for a reply; an answer in between starts anew."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=True)
    ask(found, 5.0, 6.5)
    assert not found.one_is_late()
    found.expire(6.5 + LATE)
    assert found.one_is_late()
    found.heard(HOME, "10.0.0.5", 7.0, answers=True)
    assert not found.one_is_late()
    ask(found, 10.0, 11.5, 13.0)
    found.expire(14.4)
    assert names(found) == ["Home"]
    found.expire(14.5)
    assert names(found) == []


def test_a_server_that_moved_is_reached_at_its_new_address() -> None:
    """Half a second after a question that only the new one has answered; the old one goes later."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=True)
    found.heard(HOME, "10.1.0.5", 1.0, answers=False)
    assert found.chats[0].hosts == ("10.0.0.5", "10.1.0.5")
    found.asked(2.0)
    assert found.deadline() == pytest.approx(2.0 + LATE)
    found.heard(HOME, "10.1.0.5", 2.01, answers=True)
    found.expire(2.4)
    assert found.chats[0].hosts == ("10.0.0.5", "10.1.0.5")
    found.expire(2.0 + LATE)
    assert found.chats[0].hosts == ("10.1.0.5", "10.0.0.5")
    # A late reply is one, but whoever was late stays behind.
    found.heard(HOME, "10.0.0.5", 2.6, answers=True)
    assert not found.one_is_late()
    assert found.chats[0].hosts == ("10.1.0.5", "10.0.0.5")


ONE, OTHER = replace(HOME, host=b"1" * 16), replace(HOME, host=b"2" * 16)
"""Two servers with one identity."""


def hear(found: FoundChats, now: float, *said: tuple[Advert, str]) -> tuple[str, ...]:
    """Ask, and get these replies; the copies that are told then."""
    found.asked(now)
    for number, (told, host) in enumerate(said, 1):
        found.heard(told, host, now + 0.01 * number, answers=True)
    return found.chats[0].copies


def test_two_servers_with_one_identity_are_told() -> None:
    """A data folder was copied: an address of each, for as long as both are there."""
    found = FoundChats()
    assert hear(found, 0.0, (ONE, "10.0.0.5"), (OTHER, "10.0.0.6")) == ()
    for now in (1.0, 3.0, 8.0):
        replies = [(ONE, "10.0.0.5"), (OTHER, "10.0.0.6"), (OTHER, "fd00::6")]
        assert hear(found, now, *replies) == ("10.0.0.5", "10.0.0.6")
    found.left(HOME.fingerprint, 9.0)
    assert hear(found, 9.1, (ONE, "10.0.0.5")) == ("10.0.0.5", "10.0.0.6")
    found.expire(9.0 + LEAVING)
    assert found.chats[0].copies == ()


def test_one_server_with_two_addresses_is_one() -> None:
    """Also when it was started anew, and when it has moved."""
    found = FoundChats()
    for now in (0.0, 1.0):
        assert hear(found, now, (ONE, "10.0.0.5"), (ONE, "10.1.0.5")) == ()
    found.heard(OTHER, "10.1.0.5", 2.0, answers=False)
    assert found.chats[0].copies == ()
    for now in (3.0, 8.0):
        assert hear(found, now, (OTHER, "10.1.0.5"), (OTHER, "10.0.0.5")) == ()
    assert hear(found, 13.0, (replace(HOME, host=b"3" * 16), "10.9.0.5")) == ()


def test_an_advert_that_nobody_asked_for_makes_no_copy() -> None:
    """Anybody can send one; who answers is there."""
    found = FoundChats()
    for now in (0.0, 1.0, 2.0):
        hear(found, now, (ONE, "10.0.0.5"))
        found.heard(OTHER, "10.0.0.6", now + 0.5, answers=False)
        assert found.chats[0].copies == ()


IN_TIME = st.floats(0.001, LATE - 0.01)
LATER = st.floats(LATE + 0.01, 1.4)


TWINS = ("10.0.0.5", "Home"), ("10.0.0.6", "Home, copied")


def ask_twins(latencies: list[tuple[float, float]]) -> list[FoundChat]:
    """What is listed at each time of two servers of one identity that answer so much later."""
    found = FoundChats()
    seen: list[FoundChat] = []
    for host, name in TWINS:
        found.heard(advert(name=name), host, 0.0, answers=True)
    for number, waits in enumerate(latencies):
        now = 5.0 * number + 1.0
        found.asked(now)
        steps = [(now + wait, *twin) for wait, twin in zip(waits, TWINS, strict=True)]
        for at, host, name in sorted([*steps, (now + LATE, "", "")]):
            found.expire(at)
            if host:
                found.heard(advert(name=name), host, at, answers=True)
            seen += found.chats
    return seen


@given(st.lists(st.tuples(IN_TIME, IN_TIME), min_size=3, max_size=30))
def test_two_servers_of_one_identity_do_not_take_turns(
    latencies: list[tuple[float, float]],
) -> None:
    """A copied data folder: they are one row, with one address and name, whoever answers first."""
    seen = ask_twins(latencies)
    assert len({(chat.hosts, chat.name, chat.port) for chat in seen}) == 1


@given(st.lists(st.tuples(LATER, IN_TIME), min_size=3, max_size=30))
def test_a_slow_one_of_two_gives_way_once(latencies: list[tuple[float, float]]) -> None:
    """And not after each question."""
    seen = ask_twins(latencies)
    assert {(chat.hosts[0], chat.name) for chat in seen} <= set(TWINS)
    hosts = [chat.hosts[0] for chat in seen]
    assert sum(one != other for one, other in itertools.pairwise(hosts)) <= 1


def test_who_never_answers_is_there_as_long_as_announced() -> None:
    """The firewall of a host may let no question in; it announces itself every minute."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=False)
    assert not found.all_answer()
    ask(found, *range(1, 60, 5))
    found.expire(60.0)
    assert names(found) == ["Home"]
    assert not found.one_is_late()
    found.expire(TTL)
    assert names(found) == []


def test_an_advert_counts_as_long_as_it_says() -> None:
    """But a reply by unicast, which is for those who don't ask again."""
    found = FoundChats()
    found.heard(replace(HOME, ttl=10), "10.0.0.5", 0.0, answers=False)
    assert found.deadline() == 10.0
    found.heard(replace(HOME, ttl=10), "10.0.0.5", 0.0, answers=True)
    assert found.deadline() == TTL
    assert found.all_answer()
    assert not FoundChats().all_answer()


def test_of_an_interface_that_is_gone_nothing_is_left() -> None:
    """What is on another stays."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=True)
    found.heard(HOME, "192.168.0.5", 0.0, answers=True)
    found.heard(advert(1, "Garden"), "10.0.0.6", 0.0, answers=True)
    found.keep(lambda host: host.startswith("192"))
    assert [chat.hosts for chat in found.chats] == [("192.168.0.5",)]


def test_a_flood_shows_a_bounded_number() -> None:
    """Adverts of ten thousand servers, from as many addresses: those heard of last."""
    found = FoundChats()
    for number in range(10_000):
        found.heard(
            advert(number, f"{number}"), f"10.{number >> 8}.{number & 255}.9", 1.0, answers=False
        )
    assert names(found) == [f"{number}" for number in range(10_000 - MOST_CHATS, 10_000)]


def test_one_computer_shows_few() -> None:
    """However many it makes up; those of others are not pushed out by it."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=True)
    for number in range(1, 1000):
        found.heard(advert(number, "Forged"), "10.0.0.66", 1.0, answers=False)
    assert names(found) == ["Home", *["Forged"] * MOST_BY_HOST]
    # When some of its are gone, others may come.
    found.left(advert(1).fingerprint, 1.0)
    found.expire(2.0)
    assert found.heard(advert(5000), "10.0.0.66", 2.0, answers=False)
    assert not found.heard(advert(5001), "10.0.0.66", 2.0, answers=False)


def test_a_server_that_is_known_is_never_pushed_out() -> None:
    """Neither as the oldest, nor because its computer shows too many, nor for want of room."""
    known = {advert(number).fingerprint for number in range(MOST_CHATS)}
    found = FoundChats(known)
    found.heard(HOME, "10.0.0.5", 0.0, answers=False)
    for number in range(MOST_CHATS, 1000):
        found.heard(
            advert(number, "Forged"), f"10.1.{number >> 8}.{number & 255}", 1.0, answers=False
        )
    assert names(found)[0] == "Home"
    assert len(found.chats) == MOST_CHATS
    for number in range(1, MOST_CHATS):
        found.heard(advert(number), "10.0.0.5", 2.0, answers=False)
    assert {chat.fingerprint for chat in found.chats} == known
    assert not found.heard(advert(2000), "10.9.9.9", 3.0, answers=True)
    assert len(found.chats) == MOST_CHATS


def test_forged_addresses_of_a_server_are_few_and_do_not_replace_its_own() -> None:
    """Whoever knows a fingerprint can advertise it from anywhere, and at any port."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=True)
    for number in range(100):
        forged = replace(HOME, port=number + 1, name="Forged")
        found.heard(forged, f"10.0.1.{number}", 1.0, answers=True)
        found.heard(forged, "10.0.0.5", 1.0, answers=False)
    (chat,) = found.chats
    assert (chat.name, chat.hosts, chat.port) == ("Home", ("10.0.0.5",), 12345)
    assert chat.places[0] == ("10.0.0.5", 12345)
    assert len(chat.places) == MOST_ROUTES


@pytest.mark.parametrize("hosts", [1, 2, MOST_ROUTES, 50])
def test_a_server_comes_in_after_those_who_say_to_be_it(hosts: int) -> None:
    """At so many ports and addresses that it would find no room; it alone answers."""
    found = FoundChats()
    for number in range(100):
        forged = replace(HOME, port=number + 1)
        found.heard(forged, f"10.0.1.{number % hosts}", 0.0, answers=False)
    found.heard(HOME, "10.0.0.5", 1.0, answers=True)
    for number in range(100):
        forged = replace(HOME, port=number + 101)
        found.heard(forged, f"10.0.1.{number % hosts}", 2.0, answers=False)
        found.heard(forged, "10.0.0.5", 2.0, answers=False)
    (chat,) = found.chats
    assert chat.places[0] == ("10.0.0.5", 12345)
    assert len(chat.places) <= MOST_ROUTES
    assert max(Counter(host for host, _ in chat.places).values()) <= MOST_PORTS


def test_a_server_that_is_started_anew_has_its_new_port() -> None:
    """However often, within the time that its former adverts count."""
    found = FoundChats()
    for number in range(10):
        found.heard(replace(HOME, port=1000 + number), "10.0.0.5", float(number), answers=True)
        (chat,) = found.chats
        assert ("10.0.0.5", 1000 + number) in chat.places
        assert len(chat.places) <= MOST_PORTS


def test_who_answers_is_not_pushed_out_by_those_who_do_not() -> None:
    """The one chat that somebody new is looking for, in the midst of a flood."""
    found = FoundChats()
    found.heard(HOME, "10.0.0.5", 0.0, answers=True)
    for number in range(1, 1000):
        found.heard(advert(number, "Forged"), f"10.1.{number >> 8}.{number & 255}", 1.0,
                    answers=False)  # fmt: skip
    assert names(found)[0] == "Home"
    assert len(found.chats) == MOST_CHATS
    # Among those who all answer, the one heard of last.
    for number in range(1000, 1100):
        found.heard(advert(number, "Real"), f"10.2.0.{number - 1000}", 2.0, answers=True)
    assert names(found) == ["Real"] * MOST_CHATS
    assert not found.heard(advert(2000), "10.3.0.1", 3.0, answers=False)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["heard", "left", "asked", "expire", "keep"]),
            st.integers(0, 90),
            st.integers(0, 30),
            st.booleans(),
        ),
        max_size=200,
    )
)
def test_whatever_happens_the_bounds_hold(steps: list[tuple[str, int, int, bool]]) -> None:
    """The list is never longer, nothing is listed without an address, and counts come out even."""
    found = FoundChats({advert(number).fingerprint for number in range(3)})
    now = 0.0
    for what, number, host, flag in steps:
        now += 0.5
        match what:
            case "heard":
                found.heard(advert(number), f"10.0.0.{host}", now, answers=flag)
            case "left":
                found.left(advert(number).fingerprint, now)
            case "asked":
                found.asked(now)
            case "expire":
                found.expire(now)
            case _:
                gone = f"10.0.0.{host}"
                found.keep(gone.__ne__)
        assert len(found.chats) <= MOST_CHATS
        assert all(1 <= len(chat.hosts) <= MOST_ROUTES for chat in found.chats)
    found.expire(now + 2 * TTL)
    assert found.chats == ()
    assert not found._by_host
    assert not found._recent
    assert not found._left_at
    assert not found._disbelieved


def test_questions_are_asked_at_once_and_then_seldom() -> None:
    """At 0, 1 and 3 s, then every 5 s; after a change of the interfaces from the beginning."""
    times = QuestionTimes(100.0)
    asked = []
    for _ in range(6):
        asked.append(times.next_at)
        times.asked(times.next_at)
    assert asked == [100.0, 101.0, 103.0, 108.0, 113.0, 118.0]
    times.restart(119.0)
    assert times.round == 0
    assert times.next_at == 119.0
    times.asked(119.0)
    assert times.next_at == 120.0


def questions(until: float, is_answered: Callable[[float], bool]) -> tuple[list[float], float]:
    """When a server is asked that replies to some questions; and since when it is not listed."""
    found, times = FoundChats(), QuestionTimes(0.0)
    asked, now = [], 0.0
    while now < until:
        if now >= times.next_at:
            asked.append(now)
            found.asked(now)
            times.asked(now)
            if is_answered(now):
                found.heard(HOME, "10.0.0.5", now, answers=True)
        found.expire(now)
        if found.one_is_late():
            times.after_silence(now)
        if asked and not found.chats:
            break
        now = min(times.next_at, found.deadline())
    return asked, now


def test_who_answers_is_asked_seldom() -> None:
    """Nobody is asked sooner for having answered: there may be many who ask."""
    assert questions(30.0, lambda _: True)[0] == [0, 1, 3, 8, 13, 18, 23, 28]


def test_who_is_silent_is_asked_again_soon() -> None:
    """So that a server that was killed is gone within ten seconds; a lost reply changes nothing."""
    asked, gone = questions(30.0, lambda now: now <= 3.0)
    assert asked == [0, 1, 3, 8, 9.5, 11, 12.5]
    assert gone == 12.5
    assert questions(30.0, lambda now: now != 8.0)[0] == [0, 1, 3, 8, 9.5, 14.5, 19.5, 24.5, 29.5]


def test_many_reasons_to_ask_are_one_question() -> None:
    """A flood of adverts or goodbyes must not make a flood of questions."""
    times = QuestionTimes(0.0)
    for now in (0.0, 1.0, 3.0):
        times.asked(now)
    times.after_advert(3.1)
    times.after_advert(3.2)
    assert times.next_at == 4.0
    times.after_goodbye(3.15)
    assert times.next_at == pytest.approx(3.2)
    times.after_goodbye(7.0)
    assert times.next_at == pytest.approx(3.2)
    times.asked(7.0)
    times.after_goodbye(9.0)
    assert times.next_at == 9.0
