"""Finding words in the open conversation, by keys and by clicks."""

from __future__ import annotations

import re

import pytest

from chat_client.cache import search
from chat_client.window.find_bar import FindBar
from tests.gui.harness import Host, Peer, Town, Window
from window.buttons import Button

FAR = 400
"""Messages after those that are to be found: more than the list holds."""


@pytest.fixture
def ada(town: Town, host: Host) -> Window:
    """A window that is connected."""
    return town.member(host, "Ada Lindqvist")


@pytest.fixture
def bruno(town: Town, host: Host, ada: Window) -> Peer:
    """Somebody else, whom the window knows."""
    peer = town.peer(host, "Bruno Okafor")
    ada.wait(lambda: "Bruno Okafor joined" in ada.said, "Bruno")
    return peer


def hear(ada: Window, bruno: Peer, *texts: str) -> None:
    """Bruno says things, and Ada's window shows the last of them."""
    bruno.say(*texts)
    ada.wait(lambda: texts[-1] in ada.lines, "the messages")
    ada.settle()


def bar(ada: Window) -> FindBar:
    """The bar of the open conversation."""
    return ada.main.find


def note(ada: Window) -> str:
    """What the bar says about what was found."""
    return str(bar(ada).field._note.cget("text"))


def look_for(ada: Window, words: str) -> None:
    """Press Ctrl+F and type."""
    ada.key("<Control-f>", ada.composer)
    ada.type(words)


def found(ada: Window, said: str) -> None:
    """Wait until the bar says so."""
    ada.wait(lambda: note(ada) == said, f"{said!r}, not {note(ada)!r}")
    ada.settle()


def marked(ada: Window, tag: str) -> list[str]:
    """The texts that are marked."""
    text = ada.messages
    ranges = [str(place) for place in text.tag_ranges(tag)]
    pairs = zip(ranges[::2], ranges[1::2], strict=True)
    return [text.get(start, end).strip() for start, end in pairs]


def in_view(ada: Window, line: str) -> bool:
    """Whether a line of the message list can be seen."""
    place = ada.messages.search(line, "1.0")
    return bool(place) and ada.messages.dlineinfo(place) is not None


def test_enter_goes_from_match_to_match(ada: Window, bruno: Peer) -> None:
    """The newest first and round again; with Shift the other way."""
    hear(ada, bruno, "the relay one", "nothing here", "THE RELAY two", "the end")
    look_for(ada, "relay")
    found(ada, "1 of 2")
    assert marked(ada, "here") == ["THE RELAY two"]
    assert marked(ada, "found") == ["relay", "RELAY"]
    for keys, said, here in (
        ("<Return>", "2 of 2", "the relay one"),
        ("<Return>", "1 of 2", "THE RELAY two"),
        ("<Shift-Return>", "2 of 2", "the relay one"),
        ("<Shift-Return>", "1 of 2", "THE RELAY two"),
        ("<Up>", "2 of 2", "the relay one"),
        ("<Down>", "1 of 2", "THE RELAY two"),
    ):
        ada.key(keys)
        assert note(ada) == said
        assert marked(ada, "here") == [here]


def test_what_is_far_up_is_fetched(ada: Window, bruno: Peer) -> None:
    """It stands in view with its neighbours; "Latest messages" goes back to the end."""
    hear(ada, bruno, "before it", "an anchor in the cellar", "after it")
    hear(ada, bruno, *(f"word {n}" for n in range(FAR)))
    ada.main.transcript.show_latest()
    assert "anchor" not in ada.said
    look_for(ada, "anchor")
    found(ada, "1 of 1")
    assert [in_view(ada, line) for line in ("before it", "an anchor", "after it")] == [True] * 3
    assert marked(ada, "here") == ["an anchor in the cellar"]
    assert not ada.main.transcript.at_bottom
    assert ada.main.latest.winfo_ismapped()
    assert ada.main.latest.cget("text") == "Latest messages"
    ada.click(ada.main.latest)
    ada.wait(lambda: in_view(ada, f"word {FAR - 1}"), "the newest")
    assert not ada.main.latest.winfo_ismapped()


def test_words_are_marked_in_what_is_drawn_later(ada: Window, bruno: Peer) -> None:
    """In pages fetched while one scrolls, after a change of the colours, and in new messages."""
    hear(ada, bruno, *(f"relay {n}" for n in range(FAR)))
    ada.main.transcript.show_latest()
    look_for(ada, "relay")
    found(ada, f"1 of {FAR}")
    far = f"relay {FAR - 100}"

    def up() -> bool:
        ada.messages.yview_moveto(0.0)
        return far in ada.lines

    ada.wait(up, "a page")
    ada.program.theme.toggle()
    ada.settle()
    assert len(marked(ada, "found")) == len(re.findall("relay", ada.said))
    ada.key("<Escape>")
    assert marked(ada, "found") == marked(ada, "here") == []


def test_names_and_times_are_not_what_was_said(ada: Window, bruno: Peer) -> None:
    """Only messages are looked at, and only they are marked."""
    hear(ada, bruno, "hello")
    look_for(ada, "bruno")
    found(ada, "Nothing found")
    assert marked(ada, "found") == []


def test_escape_gives_the_keyboard_back(ada: Window, bruno: Peer) -> None:
    """And nothing is marked any more; the next Ctrl+F has the words still."""
    hear(ada, bruno, "the relay")
    ada.type("half a mess", ada.composer)
    look_for(ada, "relay")
    found(ada, "1 of 1")
    ada.key("<Escape>")
    assert not bar(ada).shown
    assert marked(ada, "found") == marked(ada, "here") == []
    ada.type("age")
    assert ada.main.composer.draft == "half a message"
    ada.key("<Control-f>")
    found(ada, "1 of 1")
    entry = bar(ada).field.entry
    assert (entry.index("sel.first"), entry.index("sel.last")) == (0, len("relay"))


def test_it_is_there_for_the_mouse(ada: Window, bruno: Peer) -> None:
    """A button opens it, and its own do what the keys do."""
    hear(ada, bruno, "relay one", "relay two")
    ada.click(ada.main.open_find)
    assert bar(ada).shown
    ada.type("relay")
    found(ada, "1 of 2")
    older, newer, close = (
        child for child in bar(ada).winfo_children() if isinstance(child, Button)
    )
    ada.click(older)
    assert note(ada) == "2 of 2"
    ada.click(newer)
    assert note(ada) == "1 of 2"
    ada.click(close)
    assert not bar(ada).shown
    ada.click(ada.main.open_find)
    assert bar(ada).shown
    ada.click(ada.main.open_find)
    assert not bar(ada).shown


def test_more_than_enough_is_looked_for_on_the_way(
    ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A "+" tells that there may be more; going on finds them."""
    monkeypatch.setattr(search, "FOUND_AT_ONCE", 3)
    hear(ada, bruno, *(f"relay {n}" for n in range(5)))
    look_for(ada, "relay")
    found(ada, "1 of 3+")
    for said in ("2 of 3+", "3 of 3+", "4 of 5", "5 of 5", "1 of 5"):
        ada.key("<Return>")
        found(ada, said)
    assert marked(ada, "here") == ["relay 4"]


def test_another_room_begins_without_it(ada: Window, bruno: Peer) -> None:
    """What is found belongs to the conversation in which it was looked for."""
    hear(ada, bruno, "the relay")
    look_for(ada, "relay")
    found(ada, "1 of 1")
    ada.click_row(ada.main.members.people, bruno.username)
    ada.wait(lambda: ada.main.room != "general", "the other room")
    assert not bar(ada).shown
    look_for(ada, "relay")
    found(ada, "Nothing found")


def test_a_signed_out_person_can_look_as_well(host: Host, ada: Window, bruno: Peer) -> None:
    """What is kept is on this computer."""
    hear(ada, bruno, "the relay")
    host.stop()
    ada.wait(lambda: ada.banner, "the banner")
    look_for(ada, "relay")
    found(ada, "1 of 1")


def test_the_window_can_be_closed_while_it_looks(ada: Window, bruno: Peer) -> None:
    """The search ends with it."""
    hear(ada, bruno, *(f"relay {n}" for n in range(50)))
    look_for(ada, "relay")
    ada.key("<Return>")
    ada.close()
    assert ada.ended
