"""What each rule of who may join has the join screen offer."""

from __future__ import annotations

import pytest

from chat_client.window.join import listing
from chat_client.window.join.ways import Way
from common.domain.sign import sign_of
from tests.gui.client.guest import asked, code_of, set_rule, way
from tests.gui.harness import Host, Town, Window
from tests.gui.network import QuietNetwork, advert_of


def test_a_chat_by_invite_only_is_not_asked(
    town: Town, host: Host, network: type[QuietNetwork]
) -> None:
    """As soon as its server says so: code and link are what there is."""
    set_rule(host, "invite")
    network.chats = [advert_of(host)]
    window = town.window()
    window.wait(lambda: way(window) is Way.CODE, "its rule")
    assert list(window.join.column.actions.others) == [Way.LINK]
    # The keyboard was at the name, which is filled in: the code is what is to be typed.
    window.wait(lambda: window.root.focus_displayof() is window.join.column.code.slots, "the code")


def test_a_name_that_is_typed_when_the_rule_comes_goes_on(guest: Window, host: Host) -> None:
    """The letters must not go into the code."""
    names = guest.join.column.names
    guest.type("k", names.name.entry)
    set_rule(host, "invite")
    guest.join.model.attempt.choose(host.invite.place)
    guest.wait(lambda: way(guest) is Way.CODE, "its rule")
    guest.type("y")
    assert names.name.value == "Mira Novakky"
    assert guest.join.column.code.slots.value == ""


def test_a_chat_that_asks_only_says_so_of_a_code(guest: Window, host: Host) -> None:
    """Its host wants to see everybody."""
    code = code_of(host)
    set_rule(host, "ask")
    guest.turn(Way.CODE)
    guest.type(code, guest.join.column.code.slots)
    guest.key("<Return>")
    guest.wait(lambda: guest.problem, "the refusal")
    assert "ask" in guest.problem
    guest.turn(Way.CHAT)
    asked(guest)


def test_an_open_chat_is_joined_at_once(
    town: Town, host: Host, network: type[QuietNetwork]
) -> None:
    """With a name, and a word about who else may."""
    set_rule(host, "open")
    network.chats = [advert_of(host)]
    window = town.window()
    button = window.join.column.actions.button
    window.wait(lambda: window.join.model.attempt.rule == "open", "its rule")
    assert str(button.cget("text")) == "Join"
    assert "Anyone on this network" in str(window.join.column._warning.cget("text"))
    window.type("Mira", window.join.column.names.name.entry)
    window.click(button)
    window.online()
    folder = window.program.data_dir
    window.close()
    town.window(data_dir=folder).online()


def test_an_impostor_is_marked_and_not_asked(
    town: Town, host: Host, network: type[QuietNetwork]
) -> None:
    """A server with the name of a known chat: a code or a link is needed."""
    member = town.member(host, "Ada Lindqvist")
    rogue = town.host("Harbour Team")
    network.chats = [advert_of(host), advert_of(rogue)]
    member.screens.show_join()
    rows = member.join.list.rows
    key = f"found:{(rogue.invite.fingerprint or b'').hex()}"
    member.wait(lambda: key in rows.order(), "the other chat")
    assert len(rows.order()) == 2
    assert way(member) is Way.SEARCH
    member.click_row(rows, key)
    assert way(member) is Way.CODE
    assert "different server" in str(member.join.column._warning.cget("text"))
    assert list(member.join.column.actions.others) == [Way.LINK]
    member.settle()
    assert way(member) is Way.CODE


def test_a_chat_that_nobody_can_tell_from_another_is_not_asked(
    town: Town, host: Host, network: type[QuietNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name and sign are the same: as soon as the other one is there, by a code or a link only."""
    monkeypatch.setattr(listing, "sign_of", lambda _: sign_of(b""))
    rogue = town.host("Harbour Team")
    network.chats = [advert_of(host)]
    window = town.window()
    window.wait(lambda: window.join.model.attempt.rule, "its rule")
    assert way(window) is Way.CHAT
    network.finders[-1].tell([advert_of(host), advert_of(rogue)])
    window.wait(lambda: way(window) is Way.CODE, "the other chat")
    assert "pretends" in str(window.join.column._warning.cget("text"))
    assert list(window.join.column.actions.others) == [Way.LINK]
    window.settle()
    rows = window.join.list.rows
    for key in rows.order():
        window.click_row(rows, key)
        assert way(window) is Way.CODE
    # Who is there alone again can be asked.
    network.finders[-1].tell([advert_of(host)])
    window.wait(lambda: len(rows.order()) == 1, "the other one to be gone")
    window.click_row(rows, rows.order()[0])
    assert way(window) is Way.CHAT
