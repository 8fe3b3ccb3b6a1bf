"""Typed addresses, and links in their place, on the join screen."""

from __future__ import annotations

import pytest

from chat_client.window.join.attempt import Phase
from chat_client.window.join.ways import Way
from common.domain.invite import parse_invite
from common.protocol import messages
from tests.gui.client.guest import answer, asked, digits, requests, way
from tests.gui.harness import Host, Town, Window


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
    field = window.join.column.address.address
    assert field.instate(["invalid"])
    # There is no chat to be asked; and what is typed next takes the place of the address.
    view = window.join.column._view
    assert view is not None
    assert Way.CHAT not in dict(view.others)
    window.type("1", field.entry)
    assert field.value == "1"
    window.key("<Escape>", field.entry)
    assert window.join.way is Way.SEARCH


@pytest.mark.parametrize(("text", "said"), [("", "Type the address"), ("192.0.2", "four numbers")])
def test_what_is_no_address_is_told(town: Town, text: str, said: str) -> None:
    """Nothing is connected to."""
    window = town.window()
    window.join.turn(Way.ADDRESS)
    window.join.column.address.address.value = text
    window.key("<Return>", window.join.column.address.address.entry)
    assert said in window.problem
    assert window.join.model.attempt.phase is Phase.IDLE


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
