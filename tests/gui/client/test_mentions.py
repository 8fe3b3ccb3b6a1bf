"""Mentions in the real window: how they look, and completing them by keys and mouse."""

from __future__ import annotations

import pytest

from chat_client.state.status import Link
from chat_client.state.sync import CATCH_UP_LIMIT
from common.ui.lists.row_list import ListRow
from tests.gui.harness import Host, Peer, Town, Window


def tagged(ada: Window, tag: str) -> list[str]:
    """What has a tag in the message list."""
    places = ada.messages.tag_ranges(tag)
    return [
        ada.messages.get(str(places[at]), str(places[at + 1])) for at in range(0, len(places), 2)
    ]


def row(ada: Window, room: str) -> ListRow:
    """A row of the sidebar as it is shown."""
    (found,) = [
        item
        for item in ada.main.sidebar.rooms.items()
        if isinstance(item, ListRow) and item.key == room
    ]
    return found


def offered(ada: Window) -> list[str]:
    """Who is offered over the composer."""
    return [person.username for person in ada.main.completion.offered]


def test_a_message_that_mentions_me_stands_out(ada: Window, bruno: Peer) -> None:
    """From edge to edge, but one's own; other mentions are marked alone, an address is none."""
    ada.say("@ada.lindqvist is me")
    bruno.say("hi @ada.lindqvist and @bruno.okafor", "mail x@ada.lindqvist", "@Ada Lindqvist, you")
    ada.wait(lambda: "you" in ada.said, "the messages")
    assert tagged(ada, "mention") == [
        "@ada.lindqvist", "@ada.lindqvist", "@bruno.okafor", "@Ada Lindqvist",
    ]  # fmt: skip
    assert tagged(ada, "mentioned") == [
        "hi @ada.lindqvist and @bruno.okafor\n",
        "@Ada Lindqvist, you\n",
    ]


def test_unread_mentions_have_a_badge_of_their_own(ada: Window, bruno: Peer, town: Town) -> None:
    """Apart from the count; read, both are gone. The next window has it, too."""
    ada.click_row(ada.main.members.people, bruno.username)
    bruno.say("one", "two @ada.lindqvist", "three @Ada Lindqvist!", "@bruno.okafor")
    ada.wait(lambda: row(ada, "general").count == "4", "the count")
    assert row(ada, "general").alert == "@2"
    folder = ada.program.data_dir
    ada.close()
    again = town.window(data_dir=folder).online()
    again.click_row(again.main.members.people, bruno.username)
    bruno.say("@ada.lindqvist")
    again.wait(lambda: row(again, "general").alert == "@1", "the badge")
    again.click_row(again.main.sidebar.rooms, "general")
    assert (row(again, "general").count, row(again, "general").alert) == ("", "")


def test_an_answer_where_much_was_missed_ends_the_badge(
    ada: Window, bruno: Peer, town: Town, host: Host
) -> None:
    """It is in the newest page, and what stands before it is read: on this device, too."""
    session = ada.screens.session
    assert session is not None
    ada.click_row(ada.main.members.people, bruno.username)
    bruno.say("@ada.lindqvist")
    ada.wait(lambda: row(ada, "general").alert == "@1", "the badge")
    host.terminate("ada.lindqvist", "")
    ada.wait(lambda: ada.link not in {Link.ONLINE, Link.CONNECTING}, "the end")
    second = town.device(host, session.account)
    bruno.say(*map(str, range(CATCH_UP_LIMIT + 1)))
    second.say("answer")
    ada.main.view.connect()
    ada.online()
    ada.wait(lambda: row(ada, "general").count == "", "the room to be read")
    assert row(ada, "general").alert == ""


def shown(ada: Window) -> bool:
    """Whether anybody is offered."""
    return ada.main.completion.shown


@pytest.mark.parametrize("key", ["<Return>", "<Tab>"])
def test_completing_by_keys(ada: Window, bruno: Peer, town: Town, host: Host, key: str) -> None:
    """Up and Down choose; the key that takes somebody neither sends nor leaves."""
    town.peer(host, "Brenda")
    ada.wait(lambda: "Brenda joined" in ada.said, "Brenda")
    ada.type("hi @br", ada.composer)
    assert offered(ada) == ["brenda", "bruno.okafor"]
    ada.key("<Down>")
    ada.key(key)
    assert ada.main.composer.draft == "hi @bruno.okafor "
    assert not shown(ada)
    ada.key("<Control-z>")
    assert ada.main.composer.draft == "hi @br"
    ada.key("<Return>")  # it is offered again, as the text is the one before
    ada.type("x")
    ada.key("<Return>")
    ada.wait(lambda: ada.main.composer.draft == "", "the message")
    bruno.until(lambda: len(bruno.texts()) == 1, "the message")


def test_completing_by_the_mouse(ada: Window, bruno: Peer) -> None:
    """A click takes somebody, and one writes on."""
    ada.type("@o", ada.composer)
    assert offered(ada) == ["bruno.okafor"]
    ada.click_row(ada.main.completion.list, bruno.username)
    ada.type("hello")
    assert ada.main.composer.draft == "@bruno.okafor hello"


def test_escape_closes_it_until_the_next_sign(ada: Window, bruno: Peer) -> None:
    """And closes nothing else; what is typed on is just text."""
    del bruno
    ada.type("@b", ada.composer)
    assert shown(ada)
    ada.key("<Escape>")
    assert not shown(ada)
    ada.type("r")
    assert not shown(ada)
    ada.key("<Return>")
    ada.wait(lambda: "@br" in ada.said, "the message")
    ada.type("@b")
    assert shown(ada)
    ada.type(" b")
    assert not shown(ada)


def test_nobody_is_offered_where_no_mention_is(ada: Window, bruno: Peer) -> None:
    """Such as in an e-mail address, or with the cursor elsewhere."""
    del bruno
    ada.type("b@b", ada.composer)
    assert not shown(ada)
    ada.type(" @b")
    assert shown(ada)
    ada.key("<Left>")
    assert not shown(ada)
    ada.key("<Right>")
    assert shown(ada)
    ada.click_row(ada.main.sidebar.rooms, "general")
    ada.focus(ada.main.transcript.text)
    ada.wait(lambda: not shown(ada), "the list to go")


@pytest.mark.parametrize("key", ["<Return>", "<Tab>"])
def test_keys_that_come_together(ada: Window, bruno: Peer, key: str) -> None:
    """Of a fast typist on a busy computer: no letter stays behind what was completed."""
    del bruno
    ada.type("@b", ada.composer)
    for each in ("<Key-r>", "<Key-u>", key):
        ada.composer.event_generate(each)
    ada.settle()
    assert ada.main.composer.draft == "@bruno.okafor "
    ada.main.composer.set_draft("")
    ada.type("@b")
    for each in ("<Key-x>", key):  # nobody is called so
        ada.composer.event_generate(each)
    ada.settle()
    assert "bruno" not in ada.main.composer.draft
