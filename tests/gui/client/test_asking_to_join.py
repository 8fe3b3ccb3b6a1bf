"""Asking the host to be let in, through the window and to a real server."""

from __future__ import annotations

import time

import pytest

from chat_client.window.join.attempt import Phase
from chat_client.window.join.ways import Way
from common.domain.sign import sign_of
from tests.gui.client.guest import answer, asked, digits, requests
from tests.gui.harness import DEADLINE, Host, Town, Window
from tests.gui.network import QuietNetwork, advert_of


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
    attempt = guest.join.model.attempt._connection
    assert attempt is not None
    network.finders[-1].tell([advert_of(host, hosts=("127.0.0.1", "127.0.0.2"))])
    guest.wait(lambda: len(guest.join.model.search.listing.found[0].place.hosts) == 2, "the move")
    unmapped: list[str] = []
    entry = guest.join.column.names.name.entry
    entry.bind("<Unmap>", lambda event: unmapped.append(str(event.widget)), add="+")
    guest.join.model.search._lose_patience()
    network.finders[-1].tell([])
    guest.wait(lambda: not guest.join.list.rows.order(), "the end")
    assert not unmapped  # what is typed into is not laid out anew
    guest.type("k", entry)
    assert guest.join.column.names.name.value == "Mira Novakk"
    assert guest.join.model.attempt._connection is attempt


def test_a_chat_that_is_renamed_is_called_so_at_once(
    guest: Window, host: Host, network: type[QuietNetwork]
) -> None:
    """Above the name that is typed, too, and not only when it is connected to anew."""
    heading = guest.join.column.heading.title
    assert str(heading.cget("text")) == "Harbour Team"
    network.finders[-1].tell([advert_of(host, "Garden Party")])
    guest.wait(lambda: str(heading.cget("text")) == "Garden Party", "the new name")
    network.finders[-1].tell([advert_of(host, "Garden Party", ("127.0.0.1", "127.0.0.2"))])
    guest.wait(lambda: len(guest.join.model.search.listing.found[0].place.hosts) == 2, "the move")
    assert str(heading.cget("text")) == "Garden Party"


def test_a_request_can_be_withdrawn(guest: Window, host: Host) -> None:
    """By the button in its place: the host does not see it any more, and it can be repeated."""
    asked(guest)
    assert str(guest.join.column.actions.cancel.cget("text")) == "Withdraw"
    guest.click(guest.join.column.actions.cancel)
    assert guest.join.model.attempt.phase is Phase.IDLE
    assert guest.join.column.actions.button.winfo_viewable()
    guest.wait(lambda: not requests(host), "the end of the request")
    assert guest.join.column.names.name.value == "Mira Novak"


def test_escape_withdraws_and_goes_back(guest: Window, host: Host) -> None:
    """As the button does, wherever the keyboard is; from a code or a link back to the chat."""
    asked(guest)
    guest.key("<Escape>", guest.join.column.waiting.digits)
    assert guest.join.model.attempt.phase is Phase.IDLE
    guest.wait(lambda: not requests(host), "the end of the request")
    name = guest.join.column.names.name.entry
    guest.wait(lambda: guest.root.focus_displayof() is name, "the keyboard at the name")
    for way in (Way.CODE, Way.LINK):
        guest.turn(way)
        guest.key("<Escape>")
        assert guest.join.way is Way.CHAT
        guest.wait(lambda: guest.root.focus_displayof() is name, "the keyboard at the name")
    guest.key("<Escape>")
    assert guest.join.way is Way.CHAT


def test_what_was_said_stays_when_the_only_chat_is_found(
    town: Town, host: Host, network: type[QuietNetwork]
) -> None:
    """Such as that an account was deleted: the search takes less time than to read it."""
    window = town.window()
    window.screens.show_join(problem="Your account in Harbour Team was deleted.")
    window.wait(lambda: network.finders and network.finders[-1].running, "the search")
    network.finders[-1].tell([advert_of(host)])
    window.wait(lambda: window.join.way is Way.CHAT, "the chat")
    assert window.problem == "Your account in Harbour Team was deleted."
    window.type("Ada", window.join.column.names.name.entry)
    assert not window.problem


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
    guest.wait(lambda: guest.join.model.attempt._connection is None, "the end of the connection")
    assert not guest.problem
    host.start()
    asked(guest)
    answer(host, admit=True)
    guest.online()


def test_a_host_who_is_gone_is_told(guest: Window, host: Host) -> None:
    """With the address, above the button."""
    host.stop()
    guest.wait(lambda: guest.join.model.attempt._connection is None, "the end of the connection")
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
