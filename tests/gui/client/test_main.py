"""The main screen: what one writes and reads, and what it tells about the connection."""

from __future__ import annotations

import re
import threading
import tkinter as tk
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from chat_client.state.news import (
    CacheReset,
    EventsAdded,
    OutboxChanged,
    PersonSeen,
    StatusChanged,
)
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Link, Status
from chat_client.window import browser
from common.domain.names import GENERAL
from common.domain.reasons import Reason
from common.protocol.messages import Person, RenameChat
from common.ui.lists.row_list import ListRow
from tests import events
from tests.events import message
from tests.gui.harness import Host, Peer, Town, Window, texts
from tests.gui.layout import grounds_of
from tests.unit.chat_client.corrupt_caches import CASES, spoil


def direct(ada: Window) -> str:
    """The room of Ada and Bruno."""
    return f"dm:{ada.main.overview.me}:bruno.okafor"


# Writing and reading


def test_return_sends_and_shift_return_makes_a_line(ada: Window, bruno: Peer) -> None:
    """Typed by keys, the message has both lines, is shown once, and the composer is empty."""
    ada.type("one", ada.composer)
    ada.key("<Shift-Return>")
    ada.type("two")
    assert int(ada.composer.cget("height")) == 2
    ada.key("<Return>")
    assert ada.main.composer.draft == ""
    bruno.until(lambda: bruno.texts() == ["one\ntwo"], "the message")
    ada.wait(lambda: ada.main.connection.waiting == 0, "the acknowledgement")
    bruno.say("done")
    ada.wait(lambda: "done" in ada.lines, "the answer")
    assert ada.said.count("one\ntwo") == 1


def test_blank_text_is_not_sent(ada: Window) -> None:
    """Return in an empty composer, or after spaces, does nothing."""
    before = ada.said
    for text in ("", "  "):
        ada.type(text, ada.composer)
        ada.key("<Return>")
    ada.settle()
    assert ada.said == before


def test_messages_stand_under_their_day_and_sender(ada: Window, bruno: Peer) -> None:
    """One line for the day; one name above what somebody says in one go."""
    bruno.say("first", "second")
    ada.say("third")
    ada.wait(lambda: "third" in ada.lines, "all three")
    lines = [re.sub(r"\d\d:\d\d", "TIME", line.strip()) for line in ada.lines]
    assert lines == [
        "Today",
        "Ada Lindqvist joined · TIME",
        "Bruno Okafor joined · TIME",
        "Bruno Okafor  TIME",
        "first",
        "second",
        "Ada Lindqvist  TIME",
        "third",
    ]


def test_a_name_that_comes_late_is_put_in(ada: Window) -> None:
    """What somebody said before they were told of stands under their name then."""
    ada.main.apply([EventsAdded("general", (events.said(2, "zoe", "hi"),))])
    ada.wait(lambda: "zoe" in ada.said, "the message")
    person = Person(username="zoe", display_name="Zoë Quist", role="member", change=1)
    ada.main.apply([PersonSeen(person)])
    assert "Zoë Quist" in ada.said
    assert "zoe" not in ada.said


def test_links_open_in_the_browser(
    ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A click opens what was sent, without the sentence's full stop."""
    opened: list[str] = []
    monkeypatch.setattr("chat_client.window.browser.browse", opened.append)
    bruno.say("see https://example.org/a_(b)?x=1.")
    ada.wait(lambda: "see https://example.org/a_(b)?x=1." in ada.lines, "the message")
    ada.click_text("https://")
    ada.wait(lambda: opened, "the browser")
    assert opened == ["https://example.org/a_(b)?x=1"]


@pytest.mark.parametrize("opens", [False, True])
def test_a_link_that_nothing_opens(
    ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch, opens: bool
) -> None:
    """It is said, rather than that nothing happens."""
    asked: list[str] = []

    def browse(url: str) -> bool:
        asked.append(url)
        return opens

    monkeypatch.setattr("chat_client.window.browser.browse", browse)
    bruno.say("https://example.org/")
    ada.wait(lambda: "example.org" in ada.said, "the message")
    ada.click_text("https://")
    ada.wait(lambda: asked, "the browser")
    ada.wait(lambda: ada.main.toasts.text or opens, "what became of it")
    assert ("opens links" in ada.main.toasts.text) is not opens


def test_what_is_selected_is_copied_from_the_composer(ada: Window, bruno: Peer) -> None:
    """Unless something is selected there."""
    bruno.say("to be copied")
    ada.wait(lambda: "to be copied" in ada.lines, "the message")
    ada.settle()
    start = ada.messages.search("be", "1.0")
    ada.messages.tag_add("sel", start, f"{start} + 9 chars")
    composer = ada.main.composer
    composer.set_draft("mine")
    composer.text.event_generate("<<Copy>>")
    assert ada.root.clipboard_get() == "be copied"
    composer.editing.select_all()
    composer.text.event_generate("<<Copy>>")
    assert ada.root.clipboard_get() == "mine"


def test_a_click_that_slips_selects_nothing(ada: Window, bruno: Peer) -> None:
    """Somebody only wanted the window; what was selected elsewhere is still to be pasted."""
    bruno.say("words to click at")
    ada.wait(lambda: "words to" in ada.said, "the message")
    ada.settle()
    box = ada.messages.bbox(ada.messages.search("words", "1.0"))
    assert box is not None
    x, y = box[0] + box[2] // 2 - 1, box[1] + 5  # A selection goes to the nearest gap.
    for reach, chosen in ((3, False), (40, True)):
        ada.messages.event_generate("<ButtonPress-1>", x=x, y=y)
        for moved in range(reach + 1):
            ada.messages.event_generate("<B1-Motion>", x=x + moved, y=y)
        ada.messages.event_generate("<ButtonRelease-1>", x=x + reach, y=y)
        assert bool(ada.messages.tag_ranges("sel")) is chosen


def test_only_web_links_are_links(
    ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else that looks like a link can be opened by a click."""
    opened: list[str] = []
    monkeypatch.setattr("chat_client.window.browser.browse", opened.append)
    bruno.say("javascript:alert(1) file:///etc/passwd ftp://example.org/")
    ada.wait(lambda: "javascript" in ada.said, "the message")
    for text in ("javascript:", "file:", "ftp:"):
        found = ada.messages.search(text, "1.0")
        assert "link" not in ada.messages.tag_names(found)
        ada.click_text(text)
    browser.open_link("file:///etc/passwd", opened.append)
    assert not opened
    assert not [thread for thread in threading.enumerate() if thread.name == "browser"]


def test_a_selection_may_begin_on_a_link(
    ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dragging over it selects; only a click opens."""
    opened: list[str] = []
    monkeypatch.setattr("chat_client.window.browser.browse", opened.append)
    bruno.say("https://example.org/ and more words")
    ada.wait(lambda: "and more" in ada.said, "the message")
    ada.settle()
    start, end = ada.messages.search("https", "1.0"), ada.messages.search("more", "1.0")
    first, last = ada.messages.bbox(f"{start} + 8 chars"), ada.messages.bbox(end)
    assert first is not None
    assert last is not None
    y = first[1] + 5
    ada.messages.event_generate("<Motion>", x=first[0], y=y)
    ada.messages.event_generate("<ButtonPress-1>", x=first[0], y=y)
    for x in range(first[0], last[0], 5):
        ada.messages.event_generate("<B1-Motion>", x=x, y=y)
    ada.messages.event_generate("<ButtonRelease-1>", x=first[0] + 5, y=y)
    ada.settle()
    assert ada.messages.get("sel.first", "sel.last").startswith("example.org/ and")
    assert not opened


def test_the_click_that_closes_a_menu_opens_no_link(
    ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release over a link counts only with a press on the same message."""
    opened: list[str] = []
    monkeypatch.setattr("chat_client.window.browser.browse", opened.append)
    bruno.say("something else")
    bruno.say("https://example.org/")
    ada.wait(lambda: "example.org" in ada.said, "the messages")
    ada.settle()
    link = ada.messages.bbox(f"{ada.messages.search('https', '1.0')} + 8 chars")
    other = ada.messages.bbox(ada.messages.search("something", "1.0"))
    assert link is not None
    assert other is not None
    x, y = link[0] + 1, link[1] + 5
    ada.messages.event_generate("<Motion>", x=x, y=y)
    ada.messages.event_generate("<ButtonRelease-1>", x=x, y=y)
    ada.settle()
    ada.messages.event_generate("<ButtonPress-1>", x=other[0], y=other[1] + 5)
    ada.messages.event_generate("<ButtonRelease-1>", x=x, y=y)
    ada.settle()
    ada.messages.tag_remove("sel", "1.0", "end")
    ada.messages.event_generate("<ButtonRelease-1>", x=x, y=y)
    ada.settle()
    assert not opened
    ada.click_text("https://")
    ada.wait(lambda: opened, "the browser")


def test_selected_names_can_be_read(ada: Window, bruno: Peer) -> None:
    """Whatever is selected has the colour that goes with the ground of a selection."""
    bruno.say("https://example.org/ hello")
    ada.wait(lambda: "hello" in ada.said, "the message")
    order = ada.messages.tag_names()
    assert [name for name in order if name.startswith("name-")]
    assert order[-1] == "sel"


def test_the_keys_that_people_know(ada: Window) -> None:
    """Ctrl+A selects all that was written, Ctrl+Z takes back, Ctrl+Y does again."""
    ada.type("one two", ada.composer)
    ada.key("<Control-a>")
    assert ada.composer.get("sel.first", "sel.last").rstrip() == "one two"
    ada.key("<Control-x>")
    assert ada.main.composer.draft == ""
    ada.key("<Control-z>")
    assert ada.main.composer.draft == "one two"
    ada.key("<Control-y>")
    assert ada.main.composer.draft == ""
    ada.type("three")
    for key in "dkowthi":
        ada.key(f"<Control-{key}>")
    assert ada.main.composer.draft == "three"


def test_text_can_be_selected_and_copied(ada: Window, bruno: Peer) -> None:
    """Ctrl+C brings what is selected, the emoji among it, to the clipboard."""
    bruno.say("copy 😀 me")
    ada.wait(lambda: "copy" in ada.said, "the message")
    start = ada.messages.search("copy", "1.0")
    ada.messages.tag_add("sel", start, f"{start} lineend")
    ada.key("<Control-c>", ada.messages)
    assert ada.root.clipboard_get() == "copy 😀 me"


def test_the_message_list_is_not_edited_by_any_key(ada: Window) -> None:
    """Whatever is pressed on a selection in it, the list stays as it is."""
    keys = ["<Key-x>", "<Return>", "<BackSpace>", "<Delete>", "<space>", "<Insert>"]
    keys += [f"<Control-{key}>" for key in "vxdhkoitywz"]
    keys += ["<<Paste>>", "<<Cut>>", "<<Clear>>", "<<Undo>>", "<<PasteSelection>>"]
    keys += ["<ButtonRelease-2>", "<Tab>"]
    ada.root.clipboard_clear()
    ada.root.clipboard_append("pasted")
    before = ada.said
    for key in keys:
        ada.focus(ada.messages)
        ada.messages.mark_set("insert", "2.3")
        ada.messages.tag_add("sel", "2.0", "2.5")
        ada.messages.event_generate(key, x=90, y=60)
        ada.settle()
        assert ada.said == before, key
        ada.main.composer.set_draft("")  # where what was typed went


def test_what_could_deceive_is_made_visible(ada: Window, bruno: Peer) -> None:
    """A bidi override shows as its number; a link keeps leading where it led."""
    bruno.say("bill.\u202efdp.exe \u2066x\u2069\ttab")
    ada.wait(lambda: "bill" in ada.said, "the message")
    assert "bill.⟦U+202E⟧fdp.exe x\ttab" in ada.said
    assert not set("\u202e\u2066\u2069") & set(ada.lines[-1])


def test_what_is_too_long_is_refused_in_words_and_stays(ada: Window, bruno: Peer) -> None:
    """The reason stands below; it goes with the next change; shortened, it is sent."""
    ada.composer.insert("1.0", "ä" * 8193)
    ada.key("<Return>", ada.composer)
    problem = ada.main.composer._problem
    assert str(problem.cget("text")) == "A message has at most 16384 bytes."
    assert problem.winfo_viewable()
    assert len(ada.main.composer.draft) == 8193
    ada.key("<BackSpace>")
    assert not problem.winfo_viewable()
    ada.key("<Return>")
    bruno.until(lambda: bruno.texts() == ["ä" * 8192], "the message")


def test_the_composer_keeps_what_no_message_may_have_out(ada: Window, bruno: Peer) -> None:
    """Pasted control characters and Windows line ends do not stop a message."""
    ada.paste("a\x07b\r\nc\x1b[31m", ada.composer)
    ada.key("<Return>")
    bruno.until(lambda: bruno.texts() == ["ab\nc[31m"], "the message")


def test_emoji_arrive_as_they_were(ada: Window, bruno: Peer) -> None:
    """Shown as pictures in the composer and in the list, they are characters to others."""
    ada.paste("hi 👩‍💻 🇩🇪!", ada.composer)
    ada.key("<Return>")
    bruno.until(lambda: bruno.texts() == ["hi 👩‍💻 🇩🇪!"], "the message")
    bruno.say("👍🏽")
    ada.wait(lambda: len(ada.messages.image_names()) >= 5, "the picture")
    assert "👍" not in ada.said


def test_who_reads_further_up_is_told_of_new_messages(ada: Window, bruno: Peer) -> None:
    """Nothing moves; a button counts them and leads down, and goes when one is there."""
    bruno.say(*(f"line {number}" for number in range(60)))
    ada.wait(lambda: "line 59" in ada.lines, "the messages")
    ada.key("<Prior>", ada.messages)
    ada.key("<Prior>")
    seen = ada.messages.index("@0,0"), ada.messages.dlineinfo("@0,0")
    assert not ada.main.transcript.at_bottom
    ada.wait(ada.main.latest.winfo_viewable, "the button")
    assert ada.main.latest.cget("text") == "Latest"
    bruno.say("news")
    ada.wait(lambda: ada.main.latest.cget("text") == "Latest · 1 new", "the count")
    assert (ada.messages.index("@0,0"), ada.messages.dlineinfo("@0,0")) == seen
    assert ada.title.startswith("(1) ")
    ada.click(ada.main.latest)
    ada.wait(lambda: ada.main.transcript.at_bottom, "the newest")
    assert not ada.main.latest.winfo_viewable()
    assert ada.lines[-1] == "news"
    assert ada.title.startswith("general")


def test_the_composer_keeps_the_keys_that_scroll(ada: Window, bruno: Peer) -> None:
    """A view up and down, and to both ends, while the keyboard stays where one writes."""
    bruno.say(*(f"line {number}" for number in range(200)))
    ada.wait(lambda: "line 199" in ada.lines, "the messages")
    ada.type("half", ada.composer)
    ada.key("<Prior>")
    assert not ada.main.transcript.at_bottom
    ada.key("<Next>")
    ada.wait(lambda: ada.main.transcript.at_bottom, "the end")
    ada.key("<Control-Home>")
    ada.wait(lambda: "joined" in ada.messages.get("@0,0 linestart", "@0,99"), "the beginning")
    ada.key("<Control-End>")
    ada.wait(lambda: ada.main.transcript.at_bottom, "the end")
    assert ada.lines[-1] == "line 199"
    ada.type(" said")
    assert ada.main.composer.draft == "half said"


def test_the_conversation_has_a_scrollbar(ada: Window, bruno: Peer) -> None:
    """It is there to be dragged, to the first message and back."""
    bruno.say(*(f"line {number}" for number in range(60)))
    ada.wait(lambda: "line 59" in ada.lines, "the messages")
    bar = ada.main.transcript._scrollbar
    ada.wait(lambda: bar.winfo_viewable() and bar.needed, "the scrollbar")
    top, bottom = bar.thumb()
    bar.event_generate("<Button-1>", x=5, y=(top + bottom) // 2)
    bar.event_generate("<B1-Motion>", x=5, y=0)
    bar.event_generate("<ButtonRelease-1>", x=5, y=0)
    ada.settle()
    assert ada.messages.dlineinfo("1.0") is not None
    assert not ada.main.transcript.at_bottom


def test_a_selection_stays_when_somebody_joins_and_when_the_colours_change(
    ada: Window, bruno: Peer, town: Town, host: Host
) -> None:
    """What is selected, and where it is, with emoji and in the middle of a message."""
    bruno.say("keep 😀 this here")
    ada.wait(lambda: "keep" in ada.said, "the message")
    start = ada.messages.search("keep", "1.0")
    ada.messages.tag_add("sel", start, f"{start} + 11 indices")
    chosen = ada.main.transcript.selected()
    assert chosen == "keep 😀 this"
    town.peer(host, "Bruno Okafor И").say("hello")
    ada.wait(lambda: "hello" in ada.lines, "somebody new")
    assert ada.main.transcript.selected() == chosen
    ada.program.theme.toggle()
    ada.settle()
    assert ada.main.transcript.selected() == chosen


def test_a_flood_reaches_the_window(ada: Window, bruno: Peer) -> None:
    """Hundreds of messages in one go: the last is in view, and nothing is unread."""
    ada.focus(ada.composer)
    bruno.say(*(f"line {number}" for number in range(700)))
    ada.wait(lambda: "line 699" in ada.lines, "the last message")
    ada.settle()
    assert ada.main.transcript.at_bottom
    assert ada.title.startswith("general")


# Rooms and people


def test_unread_messages_are_counted_until_they_are_seen(
    town: Town, host: Host, ada: Window, bruno: Peer
) -> None:
    """While another window has the keyboard: a number in the title and at the room."""
    other = town.member(host, "Chen")
    other.focus(other.composer)
    ada.wait(lambda: not ada.main.focus_watch.has_focus, "the other window to have the keyboard")
    bruno.say("one", "two")
    ada.wait(lambda: ada.title.startswith("(2) general"), "the count")
    assert [item.unread for item in ada.main.overview.rooms()] == [2]
    ada.focus(ada.composer)
    ada.wait(lambda: ada.title.startswith("general"), "nothing to be unread")


def test_what_is_fetched_again_is_neither_read_nor_unread_by_that(
    town: Town, host: Host, ada: Window, bruno: Peer
) -> None:
    """The cache may be ahead of the news: what nobody has seen in it stays unread."""
    bruno.say("seen")
    ada.focus(ada.composer)
    ada.wait(lambda: "seen" in ada.lines, "the first message")
    reader = ada.main._session.reader
    other = town.member(host, "Chen")
    other.focus(other.composer)
    ada.wait(lambda: not ada.main.focus_watch.has_focus, "the other window to have the keyboard")
    bruno.say("one", "two")
    ada.wait(lambda: ada.title.startswith("(2) general"), "the count")
    (before,) = reader.rooms("ada.lindqvist")
    again = tuple(event for event in bruno.events if event.room == "general")
    ada.main.apply([CacheReset(("general",)), EventsAdded("general", again, read=before.read)])
    assert ada.title.startswith("(2) general")
    ada.settle()
    assert reader.rooms("ada.lindqvist") == [before]


def test_other_rooms_count_until_they_are_opened(ada: Window, bruno: Peer) -> None:
    """A direct message has a badge and a number in the title; opening it takes both."""
    ada.focus(ada.composer)
    bruno.say("psst", room=direct(ada))
    ada.wait(lambda: direct(ada) in ada.main.sidebar.rooms.order(), "the conversation")
    ada.wait(lambda: ada.title.startswith("(1) general"), "the count")
    ada.click_row(ada.main.sidebar.rooms, direct(ada))
    assert ada.title == "Bruno Okafor — Harbour Team — ChatClient"
    assert "psst" in ada.lines
    ada.click_row(ada.main.sidebar.rooms, "general")
    assert ada.title.startswith("general")


def test_what_was_read_stays_read(ada: Window, bruno: Peer, town: Town) -> None:
    """After a restart only what came later is unread, and each message counts once."""
    room = direct(ada)
    ada.focus(ada.composer)
    bruno.say("seen")
    ada.wait(lambda: "seen" in ada.lines, "the message")
    ada.close()
    bruno.say(*(f"later {number}" for number in range(7)), room=room)
    again = town.window(data_dir=ada.program.data_dir).online()
    again.wait(lambda: again.main.overview.all_unread, "the unread ones")
    again.wait(lambda: len(again.main.sidebar.rooms.order()) == 2, "both rooms")
    again.click_row(again.main.sidebar.rooms, "general")
    again.wait(lambda: again.title.startswith("(7) "), "seven unread")


def test_a_click_on_a_member_opens_the_direct_conversation(ada: Window, bruno: Peer) -> None:
    """The keyboard is in the composer; what is said there only the other one hears."""
    ada.click_row(ada.main.members.people, "bruno.okafor")
    assert ada.main.room == direct(ada)
    assert ada.main.transcript._content._nothing.winfo_viewable()
    assert ada.root.focus_displayof() is ada.composer
    ada.say("just you")
    bruno.until(lambda: bruno.texts(direct(ada)) == ["just you"], "the message")
    ada.wait(lambda: not ada.main.transcript._content._nothing.winfo_viewable(), "the hint to go")
    assert ada.main.sidebar.rooms.order() == ["general", direct(ada)]


def test_the_other_window_shows_a_new_direct_conversation(
    town: Town, host: Host, ada: Window
) -> None:
    """It comes up by itself in the other one's sidebar, with a badge."""
    chen = town.member(host, "Chen")
    ada.click_row(ada.main.members.people, "chen")
    ada.say("hello chen")
    room = ada.main.room
    chen.wait(lambda: room in chen.main.sidebar.rooms.order(), "the conversation")
    chen.wait(lambda: chen.main.overview.unread[room] == 1, "the message")
    chen.click_row(chen.main.sidebar.rooms, room)
    assert "hello chen" in chen.lines


def test_a_click_on_oneself_does_nothing(ada: Window) -> None:
    """There is no conversation with oneself."""
    ada.click_row(ada.main.members.people, "ada.lindqvist")
    assert ada.main.room == "general"
    assert ada.main.members.people.selected is None


def test_the_arrow_keys_go_through_lists(ada: Window, bruno: Peer) -> None:
    """Rooms show as one goes; members wait for Return; the keyboard stays in the list."""
    bruno.say("psst", room=direct(ada))
    ada.wait(lambda: direct(ada) in ada.main.sidebar.rooms.order(), "the conversation")
    rooms, members = ada.main.sidebar.rooms.canvas, ada.main.members.people.canvas
    ada.key("<Down>", rooms)
    assert ada.main.room == direct(ada)
    assert ada.root.focus_displayof() is rooms
    ada.key("<Up>")
    assert ada.main.room == "general"
    ada.key("<Return>")
    assert ada.root.focus_displayof() is ada.composer
    ada.key("<Down>", members)
    ada.key("<Down>")
    assert ada.main.room == "general"
    ada.key("<Return>")
    assert ada.main.room == direct(ada)


def test_drafts_wait_in_their_rooms(ada: Window, bruno: Peer) -> None:
    """What is half written stays where it was written."""
    ada.type("for all", ada.composer)
    ada.click_row(ada.main.members.people, bruno.username)
    assert ada.main.composer.draft == ""
    ada.type("for you")
    ada.click_row(ada.main.sidebar.rooms, "general")
    assert ada.main.composer.draft == "for all"
    ada.click_row(ada.main.sidebar.rooms, direct(ada))
    assert ada.main.composer.draft == "for you"


def test_the_members_come_and_go(ada: Window, bruno: Peer) -> None:
    """Who leaves is offline, and stays a member."""
    ada.wait(lambda: bruno.username in ada.main.overview.online, "Bruno online")
    bruno.stop()
    ada.wait(lambda: bruno.username not in ada.main.overview.online, "Bruno offline")
    assert [item.username for item in ada.main.overview.members("general")] == [
        "ada.lindqvist",
        "bruno.okafor",
    ]
    assert ada.state == "2 members · Connected"
    ada.click_row(ada.main.members.people, bruno.username)
    assert ada.state == "Offline · you are connected"


def test_without_a_connection_nobody_is_said_to_be_away(
    host: Host, ada: Window, bruno: Peer
) -> None:
    """Their presence is not known then; no dot and no list of those offline claims otherwise."""
    ada.wait(lambda: bruno.username in ada.main.overview.online, "Bruno online")
    ada.click_row(ada.main.members.people, bruno.username)
    assert ada.state == "Online · you are connected"
    host.stop()
    ada.wait(lambda: ada.link is Link.PAUSED, "the end")
    rows = (*ada.main.sidebar.rooms.items(), *ada.main.members.people.items())
    people = [row.person for row in rows if isinstance(row, ListRow) and row.person is not None]
    assert len(people) == 3
    assert {person.presence for person in people} == {None}
    canvas = ada.main.members.people.canvas
    # The heading is drawn first; it is shown in capitals.
    heading = canvas.tk.call(str(canvas), "itemcget", canvas.find_all()[0], "-text")
    assert heading == "PRESENCE NOT KNOWN — 2"
    assert "you are connected" not in ada.state


def test_whatever_stands_in_a_cache_the_window_opens(ada: Window, bruno: Peer, town: Town) -> None:
    """Everything hostile at once, in every table; what is right is shown, and it goes on."""
    bruno.say("as it was")
    ada.wait(lambda: "as it was" in ada.lines, "the message")
    ada.close()
    (path,) = Path(ada.program.data_dir).glob("accounts/*/cache.db")
    for table, column, _, value, as_text in CASES:
        # What the server takes for a copy of another time would be fetched again, as it should.
        if (table, column) not in {("rooms", "position"), ("meta", "key"), ("meta", "value")}:
            spoil(path, table, column, value, as_text=as_text)
    again = town.window(data_dir=ada.program.data_dir)
    again.wait(lambda: "as it was" in again.lines, "what was said")
    again.online()
    bruno.say("and goes on")
    again.wait(lambda: "and goes on" in again.lines, "what is said now")
    for key in again.main.sidebar.rooms.order():
        again.main.open(key)
        again.settle()


# The connection


def test_what_is_written_offline_is_sent_once_later(host: Host, ada: Window, bruno: Peer) -> None:
    """It waits in sight, the state line counts it, and it arrives once, when it can."""
    host.stop()
    ada.wait(lambda: ada.link is not Link.ONLINE, "the end")
    ada.say("later")
    ada.wait(lambda: "1 message waiting" in ada.state, "the count")
    found = ada.messages.search("later", "1.0")
    assert "waiting" in ada.messages.tag_names(found)
    ada.say("more")
    ada.wait(lambda: "2 messages waiting" in ada.state, "the count")
    host.start()
    ada.online()
    ada.wait(lambda: ada.state == "2 members · Connected", "nothing waiting")
    bruno.until(lambda: bruno.texts() == ["later", "more"], "both, once")
    assert ada.said.count("later") == ada.said.count("more") == 1
    assert "waiting" not in ada.messages.tag_names(ada.messages.search("later", "1.0"))


def test_a_lost_server_is_told_and_tried_again(host: Host, ada: Window) -> None:
    """The strip says what becomes of messages, the state line counts down; both go."""
    height = ada.main.transcript.winfo_height()
    host.stop()
    ada.wait(lambda: ada.banner, "the strip")
    assert "What you write is kept and sent later." in ada.banner
    ada.wait(lambda: re.search(r"reconnecting in \d+ s", ada.state), "the countdown")
    assert not ada.main.overview.online
    host.start()
    ada.online()
    assert ada.banner == ""
    assert ada.state == "1 member · Connected"
    assert ada.main.transcript.winfo_height() == height


def test_the_countdown_goes_down(host: Host, ada: Window) -> None:
    """From one look to the next it is less."""
    host.stop()
    seen: list[int] = []

    def went_down() -> bool:
        found = re.search(r"reconnecting in (\d+) s", ada.state)
        if found and (not seen or seen[-1] != int(found[1])):
            seen.append(int(found[1]))
        return any(later == former - 1 for former, later in pairwise(seen))

    ada.wait(went_down, "a second less")


def test_try_now_does_not_wait(host: Host, ada: Window) -> None:
    """The link in the strip connects at once, whatever the pause."""
    host.stop()
    ada.wait(lambda: ada.link is Link.PAUSED, "the pause")
    host.start()
    ada.click(ada.main.banner._action)
    ada.online()


def test_the_host_closes_the_server(host: Host, ada: Window) -> None:
    """It is no fault of anybody's, the reason stays, and the window comes back by itself."""
    host.stop()
    ada.wait(lambda: ada.banner, "the strip")
    tries: list[float] = []

    def tried_again() -> bool:
        if ada.link is Link.PAUSED and ada.main.connection.status.retry_at not in tries:
            tries.append(ada.main.connection.status.retry_at)
        return len(tries) == 3

    ada.wait(tried_again, "two tries that find nobody")
    assert "The host closed the server" in ada.banner
    assert "reached" not in ada.banner + ada.state
    host.start()
    ada.online()
    ada.say("back")
    ada.wait(lambda: ada.main.connection.waiting == 0 and "back" in ada.lines, "the message")


def test_the_window_has_the_chats_new_name_at_once(host: Host, ada: Window) -> None:
    """In its heading and in its title, also after another size of text; and it is stored."""
    assert ada.title == "general — Harbour Team — ChatClient"
    host.ask(lambda re: RenameChat(id=re, name="Garden Party"))
    ada.wait(lambda: ada.title == "general — Garden Party — ChatClient", "the title")
    assert "Garden Party" in texts(ada.main.sidebar)
    ada.screens.settings.set("looks", "text_size", value=125)
    ada.settle()
    assert ada.title == "general — Garden Party — ChatClient"
    assert "Garden Party" in texts(ada.main.sidebar)
    (account,) = ada.screens._accounts.all()
    assert account.invite.server_name == "Garden Party"


def test_who_is_terminated_stays_out_until_they_want_back(host: Host, ada: Window) -> None:
    """The reason is shown, nothing is tried by itself, and a click signs in again."""
    host.terminate("ada.lindqvist", "Please take a break.")
    ada.wait(lambda: ada.link is Link.SIGNED_OUT, "the end")
    assert ada.banner == "The host or a moderator ended your connection: Please take a break."
    assert ada.state == "Signed out"
    assert not ada.main._session.core._controller.wants_connection
    ada.say("not yet")
    ada.wait(lambda: "1 message waiting" in ada.state, "it to wait")
    assert ada.link is Link.SIGNED_OUT
    ada.click(ada.main.banner._action)
    ada.online()
    ada.wait(lambda: ada.main.connection.waiting == 0, "it to be sent")
    assert ada.banner == ""


LOST, FULL = Reason("lost"), Reason("storage_full")
GIVEN_UP = Reason("given_up", {"why": "unknown_message"})
OLD = Reason("version", {"protocol": 3})


def ended(words: str) -> Reason:
    """What the host says with the end of a connection."""
    return Reason("terminated", {"reason": words})


@pytest.mark.parametrize(
    ("status", "said", "action", "state"),
    [
        (Status(Link.PAUSED, LOST), "lost. What you write is kept", "Try now", "reconnecting"),
        (Status(Link.PAUSED, FULL), "full. What you write stays", "Try now", "try"),
        (
            Status(Link.SIGNED_OUT, ended("Come back at two")),
            "at two.",
            "Sign in again",
            "Signed out",
        ),
        (Status(Link.SIGNED_OUT, ended("昼休みです。")), "です。", "Sign in again", "Signed out"),
        (Status(Link.STOPPED, GIVEN_UP), "an update.", "Try again", "Not connected"),
        (
            Status(Link.REFUSED, Reason("wrong_server")),
            "pretending to be it.",
            "Join again",
            "Not connected",
        ),
        (Status(Link.REFUSED, OLD), "it speaks protocol 3.", "Try again", "Not connected"),
    ],
)
def test_the_strip_has_whole_sentences_and_what_helps(
    ada: Window, status: Status, said: str, action: str, state: str
) -> None:
    """And the line in the header says in short what the strip says at length."""
    ada.main.apply([StatusChanged(replace(status, retry_at=1e9), 0)])
    assert said in ada.banner
    assert ada.banner[-1] in ".。"
    assert ".." not in ada.banner
    assert "。." not in ada.banner
    assert ada.main.banner._action.cget("text") == action
    assert state in ada.state
    assert "…" not in ada.state


def test_why_a_server_takes_nothing_is_said_until_it_does(ada: Window) -> None:
    """It is connected and messages wait: without a word that would be a riddle."""
    waits = OutboxChanged(GENERAL, "c", OutboxState.WAITING, 1)
    ada.main.apply([waits])
    assert ada.banner == ""
    full = replace(waits, reason=Reason("disk_full"))
    said = "The host's disk is full. What you write is kept and sent later."
    for item in (full, waits, replace(full, room="dm:ada.lindqvist:bruno")):
        ada.main.apply([item])
        assert ada.banner == said
    ada.main.apply([replace(full, reason=Reason("busy"))])
    assert ada.banner.startswith("The host's computer can't store")
    for state in (OutboxState.SENT, OutboxState.DROPPED, OutboxState.FAILED):
        ada.main.apply([full])
        assert ada.banner == said
        ada.main.apply([replace(waits, state=state, waiting=0)])
        assert ada.banner == ""
    # Without a connection that is what the strip is about, whatever is still told.
    ada.main.apply([full, StatusChanged(Status(Link.PAUSED, LOST, retry_at=1e9), 1), full])
    assert ada.banner.startswith("The connection was lost.")
    ada.main.apply([StatusChanged(Status(Link.ONLINE), 1)])
    assert ada.banner == ""


def test_a_message_that_can_not_be_sent_can_be_edited_or_deleted(ada: Window) -> None:
    """It stands with its reason; Edit brings it back beside a draft, Delete takes it away."""
    room = "dm:ada.lindqvist:nobody"
    for text in ("first", "second"):
        ada.main._session.core.send(room, *message(text))
    ada.click_row(ada.main.sidebar.rooms, room)
    ada.wait(lambda: ada.said.count("Not sent: ") == 2, "the refusals")
    ada.type("half", ada.composer)
    ada.click_text("Edit")
    ada.wait(lambda: ada.said.count("Not sent: ") == 1, "one to go")
    assert ada.main.composer.draft == "half\nfirst"
    ada.click_text("Delete")
    ada.wait(lambda: "Not sent: " not in ada.said, "the other to go")
    assert ada.main.connection.waiting == 0


def test_what_came_of_a_message_stands_below_its_words(ada: Window) -> None:
    """However long it is: what goes on in the next line begins where the words begin."""
    room = "dm:ada.lindqvist:nobody"
    ada.click_row(ada.main.sidebar.rooms, GENERAL)
    for letters in range(20, 100, 2):
        ada.main._session.core.send(room, *message("n" * letters))
    ada.click_row(ada.main.sidebar.rooms, room)
    ada.wait(lambda: ada.said.count("Not sent: ") == 40, "the refusals")
    indent = int(str(ada.messages.tag_cget("body", "lmargin2")))
    icons = [place for _, _, place in ada.messages.dump("1.0", "end", image=True)]
    first = set()
    for icon in icons:
        ada.messages.see(icon)
        ada.settle()
        box = ada.messages.bbox(icon)
        if "body" in ada.messages.tag_names(f"{icon} linestart"):
            assert box is not None
            first.add(ada.messages.index(f"{icon} display linestart") == ada.messages.index(icon))
            assert box[0] >= indent
    assert first == {True, False}


def test_what_is_said_in_passing_leaves_the_way_to_the_latest_free(
    ada: Window, bruno: Peer
) -> None:
    """The button can be seen and pressed below it."""
    bruno.say(*(f"line {number}" for number in range(60)))
    ada.wait(lambda: "line 59" in ada.lines, "the messages")
    ada.key("<Prior>", ada.messages)
    ada.key("<Prior>")
    ada.wait(ada.main.latest.winfo_viewable, "the button")
    ada.main.view._link_failed("https://example.org/")
    ada.settle()
    label = ada.main.toasts._label
    assert label is not None
    assert label.winfo_viewable()
    assert label.winfo_y() + label.winfo_height() <= ada.main.latest.winfo_y()


# The window


def test_the_theme_switch_repaints_everything(ada: Window, bruno: Peer) -> None:
    """Colours change, the text stays."""
    bruno.say("hello")
    ada.wait(lambda: "hello" in ada.lines, "the message")
    before, said = str(ada.messages.cget("background")), ada.said
    ada.click(ada.main.header.toggle_theme)
    dark = ada.program.theme.palette
    assert ada.program.theme.mode == "dark"
    assert not grounds_of("light", ada.root)
    assert str(ada.messages.cget("background")) == dark.window != before
    assert str(ada.composer.cget("background")) == dark.field
    assert str(ada.main.sidebar.rooms.canvas.cget("background")) == dark.sidebar
    assert ada.said == said
    ada.click(ada.main.header.toggle_theme)
    assert str(ada.messages.cget("background")) == before
    assert not grounds_of("dark", ada.root)


def test_the_members_give_way_in_a_narrow_window(ada: Window) -> None:
    """They go below 860 px, come back above, and stay away when they were sent away."""
    ada.resize(640, 560)
    ada.wait(lambda: not ada.main.members.winfo_viewable(), "the members to go")
    ada.resize(1180, 760)
    ada.wait(ada.main.members.winfo_viewable, "the members to come")
    ada.click(ada.main.header.toggle_members)
    assert not ada.main.members.winfo_viewable()
    ada.resize(1200, 760)
    assert not ada.main.members.winfo_viewable()
    ada.click(ada.main.header.toggle_members)
    assert ada.main.members.winfo_viewable()


def test_the_members_stand_over_the_conversation_in_a_narrow_window(
    ada: Window, host: Host, town: Town
) -> None:
    """The button shows them there; it, Escape, a click beside them, and a choice take them away."""
    town.peer(host, "Bruno")
    ada.resize(640, 560)
    main = ada.main
    ada.wait(lambda: not main.members.winfo_viewable(), "the members to go")
    ways: tuple[Callable[[], None], ...] = (
        lambda: ada.click(main.header.toggle_members),
        lambda: ada.key("<Escape>", ada.composer),
        lambda: ada.click(ada.messages, 30, 30),
        lambda: ada.click(ada.composer, 30, 10),
    )
    for away in ways:
        ada.click(main.header.toggle_members)
        ada.wait(main.members.winfo_viewable, "the members to come")
        left, top = main.members.winfo_rootx(), main.members.winfo_rooty()
        assert left + main.members.winfo_width() == main.winfo_rootx() + main.winfo_width()
        assert (
            top
            >= main.header.toggle_members.winfo_rooty() + main.header.toggle_members.winfo_height()
        )
        over = str(ada.root.tk.call("winfo", "containing", left + 20, top + 300))
        assert over.startswith(str(main.members))
        away()
        ada.wait(lambda: not main.members.winfo_viewable(), "the members to go again")
    ada.click(main.header.toggle_members)
    ada.click_row(main.members.people, "bruno")
    assert main.room == "dm:ada.lindqvist:bruno"
    ada.wait(lambda: not main.members.winfo_viewable(), "the members to go at last")
    # What was shown over the conversation says nothing about a wide window.
    ada.click(main.header.toggle_members)
    ada.resize(1180, 760)
    ada.wait(lambda: main.members_panel.winfo_manager() == "pack", "the members beside it")
    ada.resize(640, 560)
    ada.wait(lambda: not main.members.winfo_viewable(), "a conversation of its own width")


def test_a_right_click_on_a_member_opens_nothing(ada: Window, host: Host, town: Town) -> None:
    """Neither by itself nor with the click that dismisses what it may have brought."""
    town.peer(host, "Bruno")
    people = ada.main.members.people
    ada.wait(lambda: "bruno" in people.order(), "Bruno")
    ada.settle()
    y = sum(people.bounds("bruno")) // 2
    for press, release in ((3, 3), (2, 2), (3, 1)):
        people.canvas.event_generate(f"<ButtonPress-{press}>", x=60, y=y)
        people.canvas.event_generate(f"<ButtonRelease-{release}>", x=60, y=y)
        ada.settle()
    assert (ada.main.room, people.selected) == ("general", None)
    # Nor a press that is taken back, or began elsewhere.
    people.canvas.event_generate("<ButtonPress-1>", x=60, y=y)
    people.canvas.event_generate("<ButtonRelease-1>", x=60, y=y + 200)
    people.canvas.event_generate("<ButtonRelease-1>", x=60, y=y)
    ada.settle()
    assert ada.main.room == "general"


@pytest.mark.parametrize("width", [640, 1180])
def test_a_long_name_leaves_the_buttons_in_sight(
    town: Town, host: Host, ada: Window, width: int
) -> None:
    """In the header the name and the state are shortened, never the buttons."""
    name = "Wilhelmina Theodora Maximiliana von und zu Hohenlohe-Langenburg"
    peer = town.peer(host, name)
    ada.click_row(ada.main.members.people, peer.username)
    ada.resize(width, 560)
    for button in (ada.main.header.toggle_theme, ada.main.header.toggle_members):
        right = button.winfo_x() + button.winfo_width()
        assert 0 < button.winfo_x() < right <= ada.main.header.winfo_width()
    shown = str(ada.main.header.title.cget("text"))
    assert shown.startswith("Wil")
    assert shown.endswith("…")
    title = ada.main.header.title
    assert title.winfo_reqwidth() == title.winfo_width()


def test_tab_goes_on_and_back(ada: Window) -> None:
    """From the composer to the button and back, also with Shift held."""
    ada.key("<Tab>", ada.composer)
    assert ada.root.focus_displayof() is ada.main.composer.send_button
    ada.key("<Shift-Tab>")
    assert ada.root.focus_displayof() is ada.composer
    ada.key("<Shift-Tab>")
    assert isinstance(ada.root.focus_displayof(), tk.Misc)
    assert ada.root.focus_displayof() is not ada.composer


def test_closing_the_window_ends_its_threads(ada: Window) -> None:
    """The core is stopped and everything is stored when the window is gone."""
    cores = [thread for thread in threading.enumerate() if thread.name == "core"]
    assert len(cores) == 1
    ada.say("last words")
    ada.close()
    assert ada.ended
    assert not cores[0].is_alive()
    assert not [thread for thread in threading.enumerate() if thread.name == "connector"]
