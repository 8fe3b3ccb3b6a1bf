"""Which chats the join screen lists, and which ways into them it offers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat_client.accounts import new_account
from chat_client.state.account import Account
from chat_client.state.discovery import FoundChat
from chat_client.window.join.chat_list import _row
from chat_client.window.join.listing import HERE, Listing, imitated, list_chats
from chat_client.window.join.ways import (
    ASK,
    INVITE,
    OPEN,
    Chosen,
    Way,
    best_way,
    button_of,
    other_ways,
    warning_of,
)
from common.domain.invite import Invite, Place
from common.domain.sign import sign_of

SECRET = "A" * 22
SIGNS = (sign_of(b"0"), sign_of(b"1"))
"""Of all chats, in a test: those of even and those of odd fingerprints."""


def invite(pin: int | None, name: str, *hosts: str, port: int = 12345) -> Invite:
    """An invite to the chat whose fingerprint is made of that byte."""
    fingerprint = None if pin is None else bytes([pin]) * 32
    return Invite(hosts or ("192.0.2.1",), port, fingerprint, SECRET, name)


def account(pin: int | None, name: str, username: str = "ada") -> Account:
    """Somebody's account there."""
    return replace(new_account(invite(pin, name), username, username.title()), joined=True)


def advert(pin: int, name: str, *hosts: str) -> FoundChat:
    """What a server with that fingerprint says of itself."""
    return FoundChat(bytes([pin]) * 32, name, hosts or (f"192.0.2.{pin}",), 12345, 0.0)


def keys(listing: Listing) -> tuple[list[str], list[str]]:
    """The names of the found ones and of the known ones, in order."""
    return [each.name for each in listing.found], [each.name for each in listing.known]


def test_found_chats_are_in_the_order_in_which_they_were_found() -> None:
    """A row must not move below the pointer when another server is slower."""
    found = [advert(2, "studio"), advert(3, "Harbour")]
    before = list_chats([], None, found, {})
    listing = list_chats([], None, [*found, advert(4, "attic")], {})
    assert keys(listing) == (["studio", "Harbour", "attic"], [])
    assert listing.found[:2] == before.found
    assert all(each.sign == sign_of(each.place.fingerprint or b"") for each in listing.found)


def test_a_known_chat_is_listed_once_with_what_is_known_of_it() -> None:
    """Among one's own, on when it was found, at its present address before that of its invite."""
    ada = account(1, "Harbour")
    listing = list_chats([ada], None, [advert(1, "Renamed", "192.0.2.77")], {ada.key: False})
    assert keys(listing) == ([], ["Harbour"])
    (entry,) = listing.known
    assert entry.online
    assert entry.place.hosts == ("192.0.2.77", "192.0.2.1")
    assert entry.account is ada


@pytest.mark.parametrize("seen", [None, True, False])
def test_a_known_chat_that_was_not_found_is_as_it_was_seen(seen: bool | None) -> None:
    """Nothing is said as long as nobody knows."""
    ada = account(1, "Harbour")
    listing = list_chats([ada], None, [], {} if seen is None else {ada.key: seen})
    assert listing.known[0].online is seen


def test_two_people_of_one_chat_are_two_rows() -> None:
    """Each with an account of their own."""
    people = [account(1, "Harbour"), account(1, "Harbour", "bruno")]
    listing = list_chats(people, None, [advert(1, "Harbour")], {})
    assert [each.key for each in listing.known] == [each.key for each in people]
    assert all(each.online for each in listing.known)
    assert not listing.found


def test_the_chat_on_this_computer_comes_first_and_once() -> None:
    """Its advert is heard, too; and somebody who is in it has it among their own."""
    here = invite(5, "Zoo", "127.0.0.1")
    listing = list_chats([], here, [advert(5, "Zoo"), advert(2, "Attic")], {})
    assert listing.found[0].key == HERE
    assert keys(listing) == (["Zoo", "Attic"], [])
    assert listing.found[0].invite is here
    listing = list_chats([account(5, "Zoo")], here, [advert(5, "Zoo")], {})
    assert keys(listing) == ([], ["Zoo"])
    assert listing.known[0].online


def test_a_plaintext_server_here_has_no_sign() -> None:
    """It has no certificate; it is known by its port."""
    here = invite(None, "Bare", "127.0.0.1")
    listing = list_chats([], here, [], {})
    assert listing.found[0].sign is None
    assert keys(list_chats([account(None, "Bare")], here, [], {})) == ([], ["Bare"])


@pytest.mark.parametrize(
    "name", ["Harbour Team", "harbour team", "Harbour-Team", "Harb\u043eur Team", "Harbour Team."]
)
def test_another_server_with_the_name_of_a_known_chat_is_marked(name: str) -> None:
    """Whatever its case, its signs and its lookalikes; the known one is not."""
    known = account(1, "Harbour Team")
    listing = list_chats([known], None, [advert(1, "Harbour Team"), advert(9, name)], {})
    assert [each.imitates for each in listing.found] == ["Harbour Team"]
    assert not listing.known[0].imitates
    here = invite(1, "Harbour Team", "127.0.0.1")
    found = list_chats([], here, [advert(9, name)], {}).found
    assert [each.imitates for each in found] == ["", "Harbour Team"]


def test_two_unknown_chats_of_one_name_are_both_offered() -> None:
    """Nobody can say which is meant: their signs tell them apart."""
    listing = list_chats([], None, [advert(1, "Home"), advert(2, "Home")], {})
    assert not any(each.imitates for each in listing.found)
    assert listing.found[0].sign != listing.found[1].sign


@pytest.mark.parametrize("name", ["Home", "home", "H\u043eme", "Ho-me"])
def test_two_unknown_chats_of_one_name_and_one_sign_are_marked(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wants a sign has it in seconds: then nothing on the screen tells them apart."""
    monkeypatch.setattr("chat_client.window.join.listing.sign_of", lambda pin: SIGNS[pin[0] % 2])
    found = [advert(2, "Home"), advert(4, name), advert(3, "Home"), advert(6, "Garden")]
    listing = list_chats([], None, found, {})
    assert [each.is_twin for each in listing.found] == [True, True, False, False]
    # Not that of this computer, which needs no asking; nor one that was known before.
    here = list_chats([], invite(2, "Home", "127.0.0.1"), [advert(4, name)], {})
    assert [each.is_twin for each in here.found] == [False, True]
    known = list_chats([account(2, "Home")], None, [advert(4, name)], {})
    assert [(each.is_twin, each.imitates) for each in known.found] == [(False, "Home")]


def test_a_chat_on_several_computers_is_marked() -> None:
    """One's own, too: in plain words, with the addresses where there is room for them."""
    copied = replace(advert(1, "Home"), copies=("10.0.0.5", "10.0.0.6"))
    (found,) = list_chats([], None, [copied], {}).found
    assert found.copies == ("10.0.0.5", "10.0.0.6")
    (known,) = list_chats([account(1, "Home")], None, [copied], {}).known
    assert known.copies == found.copies
    assert _row(found).detail == "On several computers"
    assert _row(known).detail == "On several computers · as Ada"
    assert _row(found).mark == _row(known).mark == "warning"
    warning = warning_of("Home", Chosen(copies=found.copies))
    assert "10.0.0.5, 10.0.0.6" in warning
    assert "Ask the host" in warning
    assert best_way(Chosen(copies=found.copies)) is Way.CHAT


def test_a_typed_address_may_lead_to_an_impostor() -> None:
    """Once its certificate is known; before, nothing can be said."""
    known = [account(1, "Harbour")]
    place = Place(("192.0.2.9",), 12345, bytes([9]) * 32, "Harbour")
    assert imitated(known, None, place) == "Harbour"
    assert not imitated(known, None, replace(place, fingerprint=None))
    assert not imitated(known, None, replace(place, fingerprint=bytes([1]) * 32))


def test_an_entry_is_found_by_its_key_and_by_its_pin() -> None:
    """A known one before others."""
    ada = account(1, "Harbour")
    listing = list_chats([ada], None, [advert(2, "Attic")], {})
    assert listing.entry(ada.key) is listing.known[0]
    assert listing.entry(None) is None
    assert listing.with_pin(bytes([2]) * 32) is listing.found[0]
    assert listing.with_pin(bytes([3]) * 32) is None


@pytest.mark.parametrize(
    ("chosen", "best", "button", "others"),
    [
        (Chosen(), Way.CHAT, "Ask to join", [Way.CODE, Way.LINK]),
        (Chosen("invite_or_ask"), Way.CHAT, "Ask to join", [Way.CODE, Way.LINK]),
        (Chosen("a rule of a later version"), Way.CHAT, "Ask to join", [Way.CODE, Way.LINK]),
        (Chosen(ASK), Way.CHAT, "Ask to join", [Way.CODE, Way.LINK]),
        (Chosen(INVITE), Way.CODE, "Join", [Way.LINK]),
        (Chosen(OPEN), Way.CHAT, "Join", [Way.CODE, Way.LINK]),
        (Chosen(direct=True), Way.CHAT, "Join", [Way.LINK]),
        (Chosen(imitates=True), Way.CODE, "Join", [Way.LINK]),
        (Chosen(OPEN, imitates=True), Way.CODE, "Join", [Way.LINK]),
        (Chosen(twin=True), Way.CODE, "Join", [Way.LINK]),
        (Chosen(OPEN, twin=True), Way.CODE, "Join", [Way.LINK]),
        (Chosen(gone=True), Way.CHAT, "Ask to join", [Way.SEARCH, Way.CODE, Way.LINK]),
        (Chosen(listed=False), Way.CHAT, "Ask to join", [Way.SEARCH, Way.CODE, Way.LINK]),
    ],
)
def test_a_rule_allows_some_ways(chosen: Chosen, best: Way, button: str, others: list[Way]) -> None:
    """Of an impostor nobody is asked, and nobody comes in without a code or a link."""
    assert best_way(chosen) is best
    assert button_of(best, chosen) == button
    assert [way for way, _ in other_ways(best, chosen)] == others


def test_every_way_leads_back() -> None:
    """Without a chosen chat to the search, with one to its own ways."""
    for way in (Way.LINK, Way.ADDRESS):
        assert (Way.SEARCH, "Look for chats") in other_ways(way, None)
    assert [way for way, _ in other_ways(Way.LINK, Chosen())] == [Way.CHAT, Way.CODE]
    assert [way for way, _ in other_ways(Way.SEARCH, None)] == [Way.LINK]
    assert button_of(Way.SEARCH, Chosen()) == ""


def test_what_is_to_be_known_before_is_said() -> None:
    """That it is another server, and that nobody is asked; else nothing."""
    assert "different server" in warning_of("Harbour", Chosen(imitates=True))
    assert "two chats here" in warning_of("Harbour", Chosen(OPEN, twin=True))
    assert "Anyone on this network" in warning_of("Harbour", Chosen(OPEN))
    assert not warning_of("Harbour", Chosen(ASK))
    assert not warning_of("Harbour", Chosen(direct=True))
