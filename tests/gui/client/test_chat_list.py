"""The list of the join screen: chats that were found, and known ones."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from chat_client.state.discovery import FoundChat
from chat_client.window.join.ways import Way
from common.domain.sign import sign_of
from common.ui.lists.row_list import ListRow
from tests.gui.client.guest import answer, asked, way
from tests.gui.harness import Host, Town, Window
from tests.gui.network import QuietNetwork, advert_of


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


def test_headings_begin_where_the_rows_do(guest: Window) -> None:
    """Below the heading of the screen, in line with it."""
    canvas = guest.join.list.rows.canvas
    call = partial(canvas.tk.call, str(canvas))
    texts = [item for item in canvas.find_all() if str(call("type", item)) == "text"]
    left = min(canvas.bbox(item)[0] for item in texts)
    above = guest.join.list._heading.winfo_rootx() - canvas.winfo_rootx()
    assert abs(left - above) <= 2


def test_ones_own_chats_of_one_name_are_told_apart(town: Town, host: Host) -> None:
    """By their two words, besides the colour; nobody needs those of a single one."""
    member = town.member(host, "Ada Lindqvist")

    def details() -> list[str]:
        rows = member.join.list.rows.items()
        return [row.detail for row in rows if isinstance(row, ListRow)]

    member.screens.show_join()
    assert [detail.endswith("as Ada Lindqvist") for detail in details()] == [True]
    assert sign_of(host.invite.fingerprint or b"").words not in details()[0]
    accounts = member.screens._accounts
    invite = replace(host.invite, fingerprint=b"x" * 32)
    accounts.save(replace(accounts.new(invite, "ada", "Ada"), joined=True))
    member.screens.show_join()
    for fingerprint in (host.invite.fingerprint, invite.fingerprint):
        assert fingerprint is not None
        assert any(sign_of(fingerprint).words in detail for detail in details())


def test_the_settings_are_at_hand_before_somebody_has_joined(guest: Window) -> None:
    """By the mouse, too: who needs larger letters needs them here. A low window has no room."""
    top = guest.join.list.settings
    guest.click(top)
    window = guest.screens.settings_window
    assert window is not None
    window.close()
    guest.join.list.share(800, 100)
    guest.settle()
    assert not top.winfo_viewable()
    guest.join.list.share(800, 600)
    guest.wait(top.winfo_viewable, "the button again")
    assert top.winfo_rooty() < guest.join.list.rows.winfo_rooty()


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
