"""Each way into a chat, through the window and to a real server."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from chat_client.options import Options, name_of
from chat_client.state.discovery import FoundChat
from chat_client.window.join.asking import Phase
from chat_client.window.join.ways import Way
from common.domain.invite import parse_invite
from common.domain.reasons import Reason
from common.domain.sign import sign_of
from common.protocol import messages
from common.system.other_program import Launch
from tests.gui.harness import DEADLINE, Host, Town, Window
from tests.gui.network import QuietNetwork, Told, advert_of


@pytest.fixture
def network(town: Town, monkeypatch: pytest.MonkeyPatch) -> type[QuietNetwork]:
    """What is on the network of all windows; it is as before after the test."""

    class Network(QuietNetwork):
        finders: ClassVar[list[Told]] = []  # of this test alone

    del town  # it has a network of its own, which this one replaces
    monkeypatch.setattr("chat_client.window.screens.Network", Network)
    return Network


@pytest.fixture
def guest(town: Town, host: Host, network: type[QuietNetwork]) -> Window:
    """The window of somebody who has found one chat, whose name is Mira."""
    network.chats = [advert_of(host)]
    window = town.window()
    window.wait(lambda: way(window) is Way.CHAT, "the chat")
    window.wait(lambda: window.join.desk.asking.rule, "the server's word")
    window.type("Mira Novak", window.join.column.names.name.entry)
    return window


def requests(host: Host) -> tuple[messages.JoinRequest, ...]:
    """Who asks to join."""
    told = host.ask(lambda re: messages.ListRequests(id=re))
    assert isinstance(told, messages.Requests)
    return told.requests


def answer(host: Host, *, admit: bool = False, block: bool = False) -> None:
    """Answer the only request."""
    (request,) = requests(host)
    number = request.request
    if admit:
        host.ask(lambda re: messages.Admit(id=re, request=number))
    else:
        host.ask(lambda re: messages.Deny(id=re, request=number, block=block))


def set_rule(host: Host, rule: str) -> None:
    """Change who may join."""
    host.ask(
        lambda re: messages.SetJoining.model_validate(
            {"id": re, "rule": rule, "moderators_invite": True}
        )
    )


def code_of(host: Host, username: str | None = None) -> str:
    """The code that the host reads out."""
    shown = host.ask(lambda re: messages.ShowCode(id=re, username=username))
    assert isinstance(shown, messages.ShownCode)
    return shown.code


def way(window: Window) -> Way:
    """What the right side is about now."""
    return window.join.way


def digits(window: Window) -> str:
    """The digits on the screen, or "" while there are none."""
    label = window.join.column.waiting.digits
    return str(label.cget("text")).replace(" ", "") if label.winfo_manager() else ""


def asked(window: Window) -> Window:
    """Press Return in the name: the host is asked, and the digits are there."""
    window.key("<Return>", window.join.column.names.name.entry)
    window.wait(lambda: digits(window), "the digits")
    return window


# Asking


def test_the_only_chat_is_chosen_and_its_host_is_asked(guest: Window, host: Host) -> None:
    """A name and Return; the host sees who it is and the same digits, and lets them in."""
    sign = sign_of(host.invite.fingerprint or b"")
    assert str(guest.join.column.heading.title.cget("text")) == "Harbour Team"
    assert sign.words in str(guest.join.column.heading.under.cget("text"))
    assert str(guest.join.column.actions.button.cget("text")) == "Ask to join"
    asked(guest)
    (request,) = requests(host)
    assert (request.username, request.display_name) == ("mira.novak", "Mira Novak")
    assert request.digits == digits(guest)
    answer(host, admit=True)
    guest.online()
    assert guest.main.overview.me == "mira.novak"


def test_the_chat_is_chosen_once(guest: Window, host: Host, network: type[QuietNetwork]) -> None:
    """What is found later, or moves, disturbs nobody who types, and connects to nothing anew."""
    attempt = guest.join.desk.asking._attempt
    assert attempt is not None
    network.finders[-1].tell([advert_of(host, hosts=("127.0.0.1", "127.0.0.2"))])
    guest.wait(lambda: len(guest.join.desk.search.listing.found[0].place.hosts) == 2, "the move")
    unmapped: list[str] = []
    entry = guest.join.column.names.name.entry
    entry.bind("<Unmap>", lambda event: unmapped.append(str(event.widget)), add="+")
    guest.join.desk.search._lose_patience()
    network.finders[-1].tell([])
    guest.wait(lambda: not guest.join.list.rows.order(), "the end")
    assert not unmapped  # what is typed into is not laid out anew
    guest.type("k", entry)
    assert guest.join.column.names.name.value == "Mira Novakk"
    assert guest.join.desk.asking._attempt is attempt


def test_a_request_can_be_withdrawn(guest: Window, host: Host) -> None:
    """By the button in its place: the host does not see it any more, and it can be repeated."""
    asked(guest)
    assert str(guest.join.column.actions.cancel.cget("text")) == "Withdraw"
    guest.click(guest.join.column.actions.cancel)
    assert guest.join.desk.asking.phase is Phase.IDLE
    assert guest.join.column.actions.button.winfo_viewable()
    guest.wait(lambda: not requests(host), "the end of the request")
    assert guest.join.column.names.name.value == "Mira Novak"


@pytest.mark.parametrize(("block", "said"), [(False, "said no"), (True, "does not let")])
def test_a_host_who_says_no_is_told(guest: Window, host: Host, block: bool, said: str) -> None:
    """In words; the name stays, and one can try another way."""
    asked(guest)
    answer(host, block=block)
    guest.wait(lambda: guest.problem, "the answer")
    assert said in guest.problem
    assert not digits(guest)
    assert guest.join.column.actions.button.enabled
    assert Way.LINK in guest.join.column.actions.others


def test_a_taken_name_is_told_before_the_host_is_asked(
    town: Town, guest: Window, host: Host
) -> None:
    """Below the username, with one that is free; it can be asked with that at once."""
    town.peer(host, "Mira Novak")
    guest.key("<Return>", guest.join.column.names.name.entry)
    guest.wait(lambda: guest.problem, "the refusal")
    assert guest.join.column.names.username.value == "mira.novak2"
    assert guest.join.column.names.username.instate(["invalid"])
    assert not requests(host)
    guest.key("<Return>")
    guest.wait(lambda: digits(guest), "the digits")
    answer(host, admit=True)
    guest.online()


def test_turning_to_something_else_withdraws(
    town: Town, guest: Window, host: Host, network: type[QuietNetwork]
) -> None:
    """The host must not let in somebody who is not there any more."""
    other = town.host("Studio North")
    asked(guest)
    network.finders[-1].tell([advert_of(host), advert_of(other)])
    key = f"found:{(other.invite.fingerprint or b'').hex()}"
    guest.click_row(guest.join.list.rows, key)
    assert str(guest.join.column.heading.title.cget("text")) == "Studio North"
    guest.wait(lambda: not requests(host), "the end of the request")


def test_keys_change_nothing_of_a_request(guest: Window, host: Host) -> None:
    """Nothing hidden has the keyboard; with the request gone, the name has it again."""
    asked(guest)
    before = digits(guest)
    for key in ("x", "<BackSpace>", "<space>", "<Return>"):
        guest.key(key if key.startswith("<") else f"<Key-{key}>")
    guest.key("<Control-plus>")
    guest.key("<Key-y>")
    assert digits(guest) == before
    assert [each.display_name for each in requests(host)] == ["Mira Novak"]
    guest.key("<Tab>")
    guest.key("<space>")
    assert not digits(guest)
    guest.type("Mia")
    assert guest.join.column.names.name.value == "Mia"


def test_another_size_of_text_changes_nothing(guest: Window, host: Host) -> None:
    """Who waits goes on waiting, with the same digits."""
    asked(guest)
    before = digits(guest)
    guest.key("<Control-plus>", guest.join.column.actions.cancel)
    assert digits(guest) == before
    answer(host, admit=True)
    guest.online()


def test_closing_the_window_withdraws(guest: Window, host: Host) -> None:
    """And no thread stays that would post to it."""
    asked(guest)
    guest.close()
    end = time.monotonic() + DEADLINE
    while requests(host):
        assert time.monotonic() < end, "the request stays"


def test_a_server_that_was_restarted_is_asked_all_the_same(guest: Window, host: Host) -> None:
    """The connection that was made to hear its rule has ended meanwhile."""
    host.stop()
    guest.wait(lambda: guest.join.desk.asking._attempt is None, "the end of the connection")
    assert not guest.problem
    host.start()
    asked(guest)
    answer(host, admit=True)
    guest.online()


def test_a_host_who_is_gone_is_told(guest: Window, host: Host) -> None:
    """With the address, above the button."""
    host.stop()
    guest.wait(lambda: guest.join.desk.asking._attempt is None, "the end of the connection")
    guest.key("<Return>", guest.join.column.names.name.entry)
    guest.wait(lambda: guest.problem, "the news")
    assert "127.0.0.1 refuses connections" in guest.problem
    assert guest.join.column.actions.button.enabled


def test_a_chat_that_is_back_is_as_before(
    guest: Window, host: Host, network: type[QuietNetwork]
) -> None:
    """Chosen in the list, without a word of why it could not be joined meanwhile."""
    (finder,) = network.finders
    key = guest.join.list.rows.selected
    assert key is not None
    host.stop()
    finder.tell([])
    guest.wait(lambda: not guest.join.list.rows.order(), "the chat to be gone")
    guest.key("<Return>", guest.join.column.names.name.entry)
    guest.wait(lambda: guest.problem, "the news")
    assert "ask the host to start ChatServer again" in guest.problem
    finder.tell([advert_of(host)])
    guest.wait(lambda: not guest.problem, "the end of the news")
    assert guest.join.list.rows.selected == key


# The code


def test_a_code_lets_in(guest: Window, host: Host) -> None:
    """Typed as it is heard: small letters, a space, the letter O for a zero."""
    code = code_of(host)
    guest.turn(Way.CODE)
    slots = guest.join.column.code.slots
    guest.type(code.lower().replace("0", "o"), slots)
    assert slots.value == code
    guest.key("<Return>")
    guest.online()
    assert guest.main.overview.me == "mira.novak"


def test_a_wrong_code_is_told_and_typed_anew(guest: Window, host: Host) -> None:
    """It is marked and selected, so that the next character replaces it."""
    code = code_of(host)
    guest.turn(Way.CODE)
    slots = guest.join.column.code.slots
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    guest.type(wrong, slots)
    guest.key("<Return>")
    guest.wait(lambda: guest.problem, "the refusal")
    assert slots.invalid
    assert guest.root.focus_get() is slots
    guest.type(code)
    assert not guest.problem
    guest.key("<Return>")
    guest.online()


def test_half_a_code_is_not_sent(guest: Window, host: Host) -> None:
    """It would count as a wrong one."""
    code_of(host)
    guest.turn(Way.CODE)
    guest.type("K7Q", guest.join.column.code.slots)
    guest.key("<Return>")
    assert "all eight" in guest.problem
    assert guest.join.desk.asking.phase is Phase.IDLE


def test_without_a_code_at_the_host_that_is_told(guest: Window) -> None:
    """Nobody looks for the mistake in what was heard."""
    guest.turn(Way.CODE)
    guest.type("K7Q2AAAA", guest.join.column.code.slots)
    guest.key("<Return>")
    guest.wait(lambda: guest.problem, "the refusal")
    assert "not valid any more" in guest.problem


def test_full_width_letters_of_an_input_method_are_taken(guest: Window) -> None:
    """They look like those of the code."""
    guest.turn(Way.CODE)
    guest.paste("\uff2b\uff17\uff51\uff12\uff0d\uff19", guest.join.column.code.slots)
    assert guest.join.column.code.slots.value == "K7Q29"


def test_a_letter_of_no_code_is_told(guest: Window) -> None:
    """U is in none of them."""
    guest.turn(Way.CODE)
    guest.type("u", guest.join.column.code.slots)
    assert "letter U" in str(guest.join.column.code.title._note.cget("text"))
    guest.type("a")
    assert "letter" not in str(guest.join.column.code.title._note.cget("text")).partition("8")[0]


def test_a_code_for_a_device_signs_in_as_its_person(town: Town, guest: Window, host: Host) -> None:
    """Whatever name stands there."""
    town.peer(host, "Bruno Okafor")
    code = code_of(host, "bruno.okafor")
    guest.turn(Way.CODE)
    guest.type(code, guest.join.column.code.slots)
    guest.key("<Return>")
    guest.online()
    assert guest.main.overview.me == "bruno.okafor"


# The rule


def test_a_chat_by_invite_only_is_not_asked(
    town: Town, host: Host, network: type[QuietNetwork]
) -> None:
    """As soon as its server says so: code and link are what there is."""
    set_rule(host, "invite")
    network.chats = [advert_of(host)]
    window = town.window()
    window.wait(lambda: way(window) is Way.CODE, "its rule")
    assert list(window.join.column.actions.others) == [Way.LINK]


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
    window.wait(lambda: window.join.desk.asking.rule == "open", "its rule")
    assert str(button.cget("text")) == "Join"
    assert "Anyone on this network" in str(window.join.column._warning.cget("text"))
    window.type("Mira", window.join.column.names.name.entry)
    window.click(button)
    window.online()
    folder = window.program.data_dir
    window.close()
    town.window(data_dir=folder).online()


# The list


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


def test_known_chats_are_on_or_off(town: Town, host: Host, network: type[QuietNetwork]) -> None:
    """As the looks at them tell; and one that is found is on."""
    member = town.member(host, "Ada Lindqvist")
    account = member.screens.session.account if member.screens.session is not None else None
    assert account is not None
    network.online = {account.key: False}
    member.screens.show_join()

    def entry() -> bool | None:
        return member.join.list.listing.known[0].online

    member.wait(lambda: entry() is False, "the look")
    title = member.join.column.heading.title
    assert str(title.cget("text")) == "Your chats are off now"
    network.finders[-1].tell([advert_of(host)])
    member.wait(entry, "the advert")
    assert str(title.cget("text")) == "Choose a chat"


def test_somebody_else_joins_from_the_same_computer(
    town: Town, host: Host, network: type[QuietNetwork]
) -> None:
    """From the menu of a known chat, by asking."""
    member = town.member(host, "Ada Lindqvist")
    network.chats = [advert_of(host)]
    member.screens.show_join()
    member.wait(lambda: member.join.list.listing.known[0].online, "the advert")
    member.join.choose_place(member.join.list.listing.known[0].place)
    names = member.join.column.names
    names.name.value = ""
    member.type("Bruno", names.name.entry)
    asked(member)
    answer(host, admit=True)
    member.online()
    assert member.main.overview.me == "bruno"


def test_another_person_of_the_open_chat_asks_to_join(town: Town, host: Host) -> None:
    """From one's own menu: the chat is chosen, and the name is for somebody else."""
    member = town.member(host, "Ada Lindqvist")
    (item,) = [each for each in member.main.own_menu.items() if "another" in each.label]
    assert item.command is not None
    item.command()
    assert way(member) is Way.CHAT
    assert str(member.join.column.heading.title.cget("text")) == "Harbour Team"
    assert not member.join.column.names.name.value
    member.type("Bruno", member.join.column.names.name.entry)
    asked(member)
    answer(host, admit=True)
    member.online()
    assert member.main.overview.me == "bruno"


def test_another_person_of_the_chat_on_this_computer_just_joins(
    town: Town, host: Host, here: Path
) -> None:
    """Nobody has to be asked, though the chat is listed as a known one."""
    member = town.member(host, "Ada Lindqvist")
    (here / "running.json").write_text(json.dumps({"invite": host.link, "pid": os.getpid()}))
    member.screens._join_as_another()
    assert str(member.join.column.actions.button.cget("text")) == "Join"
    assert "this computer" in str(member.join.column.heading.under.cget("text"))
    member.type("Bruno", member.join.column.names.name.entry)
    member.key("<Return>")
    member.online()
    assert member.main.overview.me == "bruno"


def test_nothing_is_chosen_for_somebody_who_has_chosen(
    town: Town, host: Host, network: type[QuietNetwork]
) -> None:
    """A chat that is found while a link is typed comes into the list, and no further."""
    window = town.window()
    window.turn(Way.LINK)
    window.type("chat", window.join.column.link.link.entry)
    network.finders[-1].tell([advert_of(host)])
    window.wait(window.join.list.rows.order, "the chat")
    assert way(window) is Way.LINK
    assert window.root.focus_get() is window.join.column.link.link.entry


def test_the_keys_begin_in_the_list(town: Town) -> None:
    """Return opens what the arrow keys have reached; Tab leads to the buttons."""
    window = town.window()
    canvas = window.join.list.rows.canvas
    window.wait(lambda: window.root.focus_get() is canvas, "the keyboard in the list")


def test_of_several_chats_none_is_chosen(
    town: Town, host: Host, network: type[QuietNetwork]
) -> None:
    """The person does, with the pointer or the keys."""
    network.chats = [advert_of(host), FoundChat(b"2" * 32, "Attic", ("127.0.0.2",), 1, 0.0)]
    window = town.window()
    window.wait(lambda: len(window.join.list.rows.order()) == 2, "both")
    assert way(window) is Way.SEARCH
    assert str(window.join.column.heading.title.cget("text")) == "Choose a chat"
    window.key("<Down>", window.join.list.rows.canvas)
    window.key("<Down>")
    window.key("<Return>")
    assert str(window.join.column.heading.title.cget("text")) == "Attic"


def test_what_the_keys_have_reached_stays_selected(
    town: Town, host: Host, network: type[QuietNetwork]
) -> None:
    """Whatever is found meanwhile, and though nothing is chosen yet."""
    other = FoundChat(b"2" * 32, "Attic", ("127.0.0.2",), 1, 0.0)
    third = FoundChat(b"3" * 32, "Aardvark", ("127.0.0.3",), 1, 0.0)
    network.chats = [advert_of(host), other]
    window = town.window()
    rows = window.join.list.rows
    window.wait(lambda: len(rows.order()) == 2, "both")
    window.key("<Down>", rows.canvas)
    window.key("<Down>")
    before = rows.selected
    assert before == f"found:{other.fingerprint.hex()}"
    place = rows.bounds(before)
    network.finders[-1].tell([advert_of(host), other, third])
    window.wait(lambda: len(rows.order()) == 3, "the third")
    assert rows.selected == before
    assert rows.bounds(before) == place
    network.finders[-1].tell([other])
    window.wait(lambda: len(rows.order()) == 1, "the end of the others")
    assert rows.selected == before
    assert way(window) is Way.SEARCH


def test_known_chats_stay_where_they_are(
    town: Town, host: Host, network: type[QuietNetwork]
) -> None:
    """A click on one of them opens it, though another chat is found that moment."""
    member = town.member(host, "Ada Lindqvist")
    member.screens.show_join()
    member.wait(lambda: len(network.finders) == 2, "the search")
    rows = member.join.list.rows
    (key,) = rows.order()
    place = rows.bounds(key)
    network.finders[-1].tell([FoundChat(b"2" * 32, "Attic", ("127.0.0.2",), 1, 0.0)])
    member.wait(lambda: len(rows.order()) == 2, "the chat")
    assert rows.bounds(key) == place


def test_a_chat_that_leaves_stays_in_sight(
    guest: Window, host: Host, network: type[QuietNetwork]
) -> None:
    """Its name and what was typed, and that it is not there; when it is back, so is its place."""
    under = guest.join.column.heading.under
    network.finders[-1].tell([])
    guest.wait(lambda: "any more" in str(under.cget("text")), "the news")
    assert way(guest) is Way.CHAT
    assert guest.join.column.names.name.value == "Mira Novak"
    network.finders[-1].tell([advert_of(host, hosts=("127.0.0.1", "127.0.0.2"))])
    guest.wait(lambda: "127.0.0.1" in str(under.cget("text")), "its return")
    network.finders[-1].tell([])
    guest.wait(lambda: Way.SEARCH in guest.join.column.actions.others, "the way back")
    guest.turn(Way.SEARCH)
    assert way(guest) is Way.SEARCH
    network.finders[-1].tell([advert_of(host)])
    guest.wait(lambda: way(guest) is Way.CHAT, "the chat")


def test_the_search_ends_with_the_screen(
    guest: Window, host: Host, network: type[QuietNetwork]
) -> None:
    """Nobody asks the network while somebody chats."""
    (finder,) = network.finders
    assert finder.running
    asked(guest)
    answer(host, admit=True)
    guest.online()
    assert not finder.running


# Addresses and links


def test_a_typed_address_is_as_good_as_a_found_chat(town: Town, host: Host) -> None:
    """What answers there is named by itself; then its host is asked."""
    window = town.window()
    window.click(window.join.list.address)
    window.type(f"127.0.0.1, port {host.port}", window.join.column.address.address.entry)
    window.key("<Return>")
    window.wait(lambda: way(window) is Way.CHAT, "an answer")
    assert str(window.join.column.heading.title.cget("text")) == "Harbour Team"
    window.type("Mira", window.join.column.names.name.entry)
    asked(window)
    (request,) = requests(host)
    assert request.digits == digits(window)
    answer(host, admit=True)
    window.online()


def test_an_address_where_nobody_answers_is_told(town: Town, host: Host) -> None:
    """Below the address, and it can be mended."""
    host.stop()
    window = town.window()
    window.join.turn(Way.ADDRESS)
    window.type(f"127.0.0.1:{host.port}", window.join.column.address.address.entry)
    window.key("<Return>")
    window.wait(lambda: window.problem, "the news")
    assert "refused" in window.problem
    assert window.join.column.address.address.instate(["invalid"])


@pytest.mark.parametrize(("text", "said"), [("", "Type the address"), ("192.0.2", "four numbers")])
def test_what_is_no_address_is_told(town: Town, text: str, said: str) -> None:
    """Nothing is connected to."""
    window = town.window()
    window.join.turn(Way.ADDRESS)
    window.join.column.address.address.value = text
    window.key("<Return>", window.join.column.address.address.entry)
    assert said in window.problem
    assert window.join.desk.asking.phase is Phase.IDLE


def test_a_link_typed_as_an_address_is_taken_as_a_link(town: Town, host: Host) -> None:
    """Who has a link needs no address."""
    window = town.window()
    window.join.turn(Way.ADDRESS)
    window.join.column.address.address.value = host.link
    window.key("<Return>", window.join.column.address.address.entry)
    assert way(window) is Way.LINK
    assert parse_invite(window.join.column.link.link.value) == host.invite


def test_a_link_can_be_pasted_anywhere(town: Town, host: Host) -> None:
    """Double-click, Ctrl+V: nobody has to find the field first. What is no link does nothing."""
    window = town.window()
    window.paste("hello", window.join.list.rows.canvas)
    assert way(window) is Way.SEARCH
    window.paste(f"Join: {host.link}", window.join.list.rows.canvas)
    assert way(window) is Way.LINK
    assert parse_invite(window.join.column.link.link.value) == host.invite


def test_a_link_pasted_into_the_name_is_taken(guest: Window, host: Host) -> None:
    """The keyboard was there. The name stays as it was, and is typed over by who wants another."""
    guest.paste(f"{host.link}", guest.join.column.names.name.entry)
    assert way(guest) is Way.LINK
    assert parse_invite(guest.join.column.link.link.value) == host.invite
    assert guest.join.column.names.name.value == "Mira Novak"
    guest.type("Ada")
    assert guest.join.column.names.name.value == "Ada"
    assert guest.join.column.names.username.value == "ada"
    guest.paste("https://example.org", guest.join.column.names.name.entry)
    assert "example.org" in guest.join.column.names.name.value


def test_a_link_for_a_device_asks_for_no_name(town: Town, host: Host) -> None:
    """It says whose it is."""
    town.peer(host, "Bruno Okafor")
    added = host.ask(lambda re: messages.AddDevice(id=re, username="bruno.okafor"))
    assert isinstance(added, messages.InviteCreated)
    window = town.window()
    window.turn(Way.LINK)
    window.paste(added.link, window.join.column.link.link.entry)
    assert "@bruno.okafor" in str(window.join.column.heading.under.cget("text"))
    assert not window.join.column.names.name.winfo_manager()
    window.key("<Return>")
    window.online()
    assert window.main.overview.me == "bruno.okafor"
    assert window.main.overview.name("bruno.okafor") == "Bruno Okafor"


def test_a_link_for_a_device_that_was_opened_needs_one_key(town: Town, host: Host) -> None:
    """Nothing is to be typed: the button has the keyboard."""
    town.peer(host, "Bruno Okafor")
    added = host.ask(lambda re: messages.AddDevice(id=re, username="bruno.okafor"))
    assert isinstance(added, messages.InviteCreated)
    window = town.window()
    window.join.take(parse_invite(added.link))
    window.key("<Return>")
    window.online()
    assert window.main.overview.me == "bruno.okafor"


# Nothing was found


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows say at once that nothing was found."""
    monkeypatch.setattr("chat_client.window.join.search.PATIENCE", 1)


@pytest.mark.usefixtures("impatient")
def test_why_nothing_was_found_is_told(town: Town, host: Host, network: type[QuietNetwork]) -> None:
    """Each cause with what to do; until a chat is there."""
    causes = ("one", "two")
    network.reasons = [Reason("text", {"text": text}) for text in causes]
    window = town.window()
    label = window.join.column.searching.causes
    window.wait(label.winfo_manager, "the causes")
    assert str(label.cget("text")) == "One.\n\nTwo."
    assert str(window.join.column.heading.title.cget("text")) == "No chat was found"
    network.finders[-1].tell([advert_of(host)])
    window.wait(lambda: way(window) is Way.CHAT, "the chat")
    assert not label.winfo_viewable()


_SERVER = """
import json, os, pathlib, sys, time
folder, link, how = sys.argv[1:]
if how.isdigit():
    sys.exit(int(how))
running = {"invite": link, "pid": os.getpid()}
path = pathlib.Path(folder, "running.json")
path.with_suffix(".part").write_text(json.dumps(running))
path.with_suffix(".part").rename(path)
while path.exists():
    time.sleep(0.01)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a server of this computer says that it runs."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.setattr("chat_client.local_server.data_folder", lambda _: folder)
    monkeypatch.setattr("chat_client.window.join.search._LOOK", 20)
    yield folder
    (folder / "running.json").unlink(missing_ok=True)


def launch(folder: Path, host: Host, how: str) -> Launch:
    """A program that stands in for ChatServer."""
    return Launch((sys.executable, "-c", _SERVER, str(folder), host.link, how))


@pytest.mark.usefixtures("impatient")
def test_a_chat_is_hosted_from_here(
    town: Town, host: Host, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One click starts the server, and when its chat is there, only the name is missing."""
    command = launch(here, host, "runs")
    monkeypatch.setattr("chat_client.window.screens.find_server", lambda: command)
    window = town.window()
    searching = window.join.column.searching
    window.wait(searching.host.winfo_viewable, "the button")
    window.click(searching.host)
    window.wait(lambda: way(window) is Way.CHAT, "the chat")
    assert "this computer" in str(window.join.column.heading.under.cget("text"))
    assert not window.join.list.host.winfo_manager()
    window.type("Mira", window.join.column.names.name.entry)
    window.key("<Return>")
    window.online()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("status", "said"), [("3", "status 3"), ("0", "is open on this computer")])
def test_a_server_that_does_not_start_is_told(
    town: Town,
    host: Host,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    said: str,
) -> None:
    """And can be started again. A second start ends at once, and raises the first one's window."""
    command = launch(here, host, status)
    monkeypatch.setattr("chat_client.window.screens.find_server", lambda: command)
    window = town.window()
    searching = window.join.column.searching
    window.wait(searching.host.winfo_viewable, "the button")
    window.click(searching.host)
    window.wait(lambda: said in str(searching.causes.cget("text")), "its end")
    window.wait(searching.host.winfo_viewable, "the button again")


def test_without_a_server_program_nothing_is_offered(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ChatClient that is alone in its folder can't host."""
    monkeypatch.setattr("chat_client.window.screens.find_server", lambda: None)
    window = town.window()
    window.join.turn(Way.LINK)
    assert not window.join.list.host.winfo_manager()


def test_a_server_that_starts_here_is_listed_by_itself(town: Town, host: Host, here: Path) -> None:
    """Whoever started it; and goes when it ends."""
    window = town.window()
    path = here / "running.json"
    path.write_text(json.dumps({"invite": host.link, "pid": os.getpid()}))
    window.wait(lambda: window.join.list.rows.order() == ["here"], "the chat")
    path.unlink()
    window.wait(lambda: not window.join.list.rows.order(), "its end")


def test_the_name_of_the_login_needs_one_click(
    town: Town, host: Host, network: type[QuietNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guest with a login of their own types nothing at all."""
    monkeypatch.setattr("chat_client.window.screens.login_name", lambda: "Mira Novak")
    network.chats = [advert_of(host)]
    window = town.window(options=Options(theme="light"))
    window.wait(lambda: way(window) is Way.CHAT, "the chat")
    window.click(window.join.column.actions.button)
    window.wait(lambda: digits(window), "the digits")
    answer(host, admit=True)
    window.online()
    known = name_of("Mira Novak")
    assert known is not None
    assert window.main.overview.me == known.username
