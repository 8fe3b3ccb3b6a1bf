"""What a person is told of by the desktop, by real events in the real window."""

from __future__ import annotations

import shutil
import threading
import time
import tkinter as tk
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from chat_client.accounts import Accounts
from chat_client.notify.quiet import FOR_EVER, Quiet
from chat_client.state.news import PersonSeen
from chat_client.state.status import Link
from chat_client.state.sync import CATCH_UP_LIMIT
from chat_client.window import notification_menus, notifications
from chat_client.window.notifications import Notifications
from common import limits
from common.desktop.notifier import Code
from common.desktop.sound import Sound
from common.domain.names import GENERAL
from common.protocol.messages import MutePerson, Person
from common.ui.widgets.menus import MenuItem
from tests.gui.harness import Host, Peer, Town, Window, texts
from tests.window_manager import is_managed, window_manager

DIRECT = "dm:ada.lindqvist:bruno.okafor"
"""The room of Ada and Bruno."""


class Elsewhere:
    """Another program's window, which can have the keyboard."""

    def __init__(self) -> None:
        self.root = tk.Tk()

    def has_keyboard_of(self, window: Window) -> None:
        """Take it, as by a click into this window."""
        self.root.focus_force()
        window.wait(lambda: not window.main.focus_watch.has_focus, "the keyboard to go")
        window.settle()


@pytest.fixture
def elsewhere(town: Town) -> Iterator[Elsewhere]:
    """What the person does when they don't use the chat."""
    del town
    elsewhere = Elsewhere()
    yield elsewhere
    elsewhere.root.destroy()
    elsewhere.root = None  # type: ignore[assignment]  # collected here and now


@pytest.fixture
def away(ada: Window, bruno: Peer, elsewhere: Elsewhere) -> Window:
    """Ada's window, which is behind another one."""
    del bruno
    elsewhere.has_keyboard_of(ada)
    return ada


def come_back(ada: Window) -> None:
    """Give the window the keyboard."""
    ada.focus(ada.composer)


def demands(ada: Window) -> bool:
    """Whether the window asks to be looked at."""
    return ada.screens.notifications.attention.demanding


def shown(ada: Window, *titles: str) -> None:
    """Wait until these are on the screen, and no others."""
    # In any order: what comes of two rooms at once may come in either.
    wanted = sorted(titles)
    ada.wait(
        lambda: sorted(ada.desktop.titles) == wanted, lambda: f"{wanted}, not {ada.desktop.titles}"
    )


# What is told, and what is not


def test_none_for_what_is_read(ada: Window, bruno: Peer) -> None:
    """In front, with the end in view: it is seen as it comes."""
    come_back(ada)
    bruno.say("hello @ada.lindqvist")
    ada.wait(lambda: "hello" in ada.said, "the message")
    ada.settle()
    assert ada.desktop.history == []
    assert ada.played == []
    assert not demands(ada)


def test_a_mention_is_told_behind_another_window(away: Window, bruno: Peer) -> None:
    """With a sound, until the window is looked at; other messages of rooms are counted alone."""
    bruno.say("nothing for anybody")
    away.wait(lambda: away.title.startswith("(1)"), "the count")
    assert away.desktop.history == []
    bruno.say("hello @ada.lindqvist, <b>you</b>")
    shown(away, "Bruno Okafor mentioned you in #general")
    assert away.desktop.bodies == ["hello @ada.lindqvist, <b>you</b>"]
    assert away.played == [Sound.MENTION]
    assert demands(away)
    come_back(away)
    shown(away)
    assert not demands(away)
    assert not away.title.startswith("(")


def test_a_direct_message_is_told(away: Window, bruno: Peer) -> None:
    """Whatever is in it; also while the window is in front, with another room open."""
    bruno.say("hello", room=DIRECT)
    shown(away, "Bruno Okafor")
    assert away.desktop.bodies == ["hello"]
    assert away.played == [Sound.MESSAGE]
    come_back(away)
    # It is in another room than the one that is looked at.
    assert away.desktop.titles == ["Bruno Okafor"]
    away.later(3)
    bruno.say("are you there?", room=DIRECT)
    shown(away, "Bruno Okafor · 2 new messages")
    assert away.desktop.bodies == ["are you there?"]
    away.click_row(away.main.sidebar.rooms, DIRECT)
    shown(away)


def test_who_has_the_name_of_another_is_told_apart(away: Window, bruno: Peer) -> None:
    """By the username, as everywhere: anybody may call themselves so."""
    namesake = Person(username="mallory", display_name="Brun0 Okafor", role="member", change=9)
    away.main.apply([PersonSeen(namesake)])
    bruno.say("hello", room=DIRECT)
    shown(away, "Bruno Okafor @bruno.okafor")


def test_own_messages_are_not_told(away: Window, bruno: Peer) -> None:
    """Nor that people come."""
    away.main._session.ask(
        lambda core: core.send(GENERAL, "message", {"text": "I, @ada.lindqvist"})
    )
    bruno.until(lambda: len(bruno.texts()) == 1, "the message")
    away.wait(lambda: "I, @ada" in away.said, "the message")
    assert away.desktop.history == []
    assert away.played == []


def test_what_is_out_of_view_is_told(ada: Window, bruno: Peer) -> None:
    """The window is in front, but scrolled up; scrolled down, it is read."""
    come_back(ada)
    bruno.say(*(f"line {number}" for number in range(60)))
    ada.wait(lambda: "line 59" in ada.said, "the messages")
    ada.key("<Control-Home>")
    ada.wait(lambda: not ada.main.transcript.at_bottom, "the beginning")
    bruno.say("@ada.lindqvist look")
    shown(ada, "Bruno Okafor mentioned you in #general")
    ada.key("<Control-End>")
    shown(ada)
    assert ada.played == [Sound.MENTION]


def test_an_iconified_window(ada: Window, bruno: Peer) -> None:
    """Nothing in it is read; a click brings it back, with the keyboard."""
    with window_manager():
        try:
            ada.wait(lambda: is_managed(ada.root), "the window to be managed")
            come_back(ada)  # else it may get the keyboard when it is gone already
            ada.root.iconify()
            ada.wait(
                lambda: ada.root.state() == "iconic" and not ada.main.focus_watch.has_focus,
                "the icon",
            )
            bruno.say("@ada.lindqvist look")
            shown(ada, "Bruno Okafor mentioned you in #general")
            ada.desktop.click()
            ada.wait(
                lambda: ada.root.state() == "normal" and ada.main.focus_watch.has_focus,
                "the window",
            )
            shown(ada)
            # All that was said fits, whatever height Tk takes it to have.
            assert not ada.main.transcript._scrollbar.needed
            ada.wait(lambda: not demands(ada), "the window's peace")
        finally:
            ada.close()  # before the display begins anew


def choose(
    ada: Window, label: str, monkeypatch: pytest.MonkeyPatch, room: str = GENERAL
) -> list[str]:
    """Choose from the menu that a room has; what else is in it."""
    menus: list[list[MenuItem]] = []
    monkeypatch.setattr(notification_menus, "popup", lambda *args: menus.append(args[2]))
    rooms = ada.main.sidebar.rooms
    ada.wait(lambda: room in rooms.order(), f"{room} in the list")
    ada.settle()
    rooms.see(room)
    top, bottom = rooms.bounds(room)
    rooms.canvas.event_generate("<Button-3>", x=60, y=(top + bottom) // 2)
    ada.wait(lambda: menus, "the menu")
    labels = [item.label for item in menus[0]]
    (item,) = [item for item in menus[0] if label in item.label]
    assert item.command is not None
    assert item.enabled
    item.command()
    ada.settle()
    return labels


def test_each_room_has_a_level(
    away: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch, town: Town
) -> None:
    """Chosen from its menu, at once and for the next start, too."""
    choose(away, "every message", monkeypatch)
    bruno.say("for everybody")
    shown(away, "Bruno Okafor in #general")
    choose(away, "of nothing", monkeypatch)
    shown(away)
    away.later(60)
    bruno.say("@ada.lindqvist")
    bruno.say("direct", room=DIRECT)
    shown(away, "Bruno Okafor")
    assert away.played == [Sound.MESSAGE, Sound.MESSAGE]
    folder = away.program.data_dir
    away.close()
    again = town.window(data_dir=folder).online()
    labels = choose(again, "as usual", monkeypatch)
    assert "\N{CHECK MARK} Notify of nothing" in labels
    bruno.say("@ada.lindqvist again")
    shown(again, "Bruno Okafor mentioned you in #general")


def test_marked_as_read_from_the_menu(
    away: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its notification goes; the room stays closed."""
    bruno.say("direct", room=DIRECT)
    shown(away, "Bruno Okafor")
    choose(away, "Mark as read", monkeypatch, DIRECT)
    shown(away)
    assert away.main.room == GENERAL
    assert away.main.overview.unread[DIRECT] == 0


# How it is told


def test_a_newer_one_replaces_it_with_a_count(away: Window, bruno: Peer) -> None:
    """One for each room; what comes within two seconds is told together, after them."""
    bruno.say("one", room=DIRECT)
    shown(away, "Bruno Okafor")
    bruno.say("two", "three", room=DIRECT)
    away.wait(lambda: away.main.overview.unread.get(DIRECT) == 3, "the messages")
    away.settle()
    assert [each.body for each in away.desktop.history] == ["one"]
    away.later(2)
    assert away.desktop.titles == ["Bruno Okafor · 3 new messages"]
    assert [each.body for each in away.desktop.history] == ["one", "three"]


def test_one_that_was_put_away_counts_anew(away: Window, bruno: Peer) -> None:
    """The next message is told by itself, and what was put away does not come back."""
    bruno.say("one", room=DIRECT)
    shown(away, "Bruno Okafor")
    away.desktop.dismiss()
    away.later(60)
    assert away.desktop.titles == []
    bruno.say("two", room=DIRECT)
    shown(away, "Bruno Okafor")
    assert away.desktop.bodies == ["two"]
    assert away.main.overview.unread[DIRECT] == 2


def test_without_a_preview(away: Window, bruno: Peer) -> None:
    """Neither the name nor the text; what is on the screen loses them, too."""
    bruno.say("a secret", room=DIRECT)
    shown(away, "Bruno Okafor")
    away.screens.settings.set("notifications", "preview", value=False)
    shown(away, "Chat")
    assert away.desktop.bodies == ["New message"]
    away.later(3)
    bruno.say("another secret", room=DIRECT)
    away.wait(lambda: away.desktop.bodies == ["2 new messages"], "the count")
    assert away.desktop.titles == ["Chat"]


def test_many_rooms_are_told_in_one(away: Window, town: Town, host: Host) -> None:
    """So many people that their notifications would fill the screen; it leads to the newest."""
    people = [town.peer(host, f"Person {letter}") for letter in "ABCDEF"]
    for person in people:
        person.say("hello", room=f"dm:ada.lindqvist:{person.username}")
    away.wait(lambda: away.main.overview.all_unread == 6, "the messages")
    away.later(2)
    assert away.desktop.titles == [
        *(f"Person {letter}" for letter in "ABCD"),
        "2 new messages in 2 conversations",
    ]
    away.desktop.click("conversations")
    away.wait(lambda: away.main.room == "dm:ada.lindqvist:person.f", "the newest")
    assert away.desktop.titles == [f"Person {letter}" for letter in "ABCD"]
    # It is told of, and does not come back with what comes next.
    away.later(60)
    for person in (people[0], people[4]):
        person.say("and then?", room=f"dm:ada.lindqvist:{person.username}")
    titles = ["Person A · 2 new messages", *(f"Person {letter}" for letter in "BCDE")]
    shown(away, *titles)


# A click


def test_a_click_leads_to_a_message_that_is_not_loaded(
    away: Window, bruno: Peer, elsewhere: Elsewhere
) -> None:
    """In a room that is not open, far up; the window has the keyboard then."""
    come_back(away)
    away.main._open_direct("bruno.okafor")
    elsewhere.has_keyboard_of(away)
    bruno.say("here it is, @ada.lindqvist")
    bruno.say(*(f"line {number}" for number in range(300)))
    shown(away, "Bruno Okafor mentioned you in #general")
    away.wait(lambda: away.main.overview.unread[GENERAL] == 301, "the messages")
    away.desktop.click()
    away.wait(lambda: away.main.room == GENERAL and away.main.focus_watch.has_focus, "the room")
    away.wait(lambda: in_view(away, "here it is"), "the message")
    assert away.root.focus_get() is away.composer


def in_view(ada: Window, text: str) -> bool:
    """Whether a text of the message list is to be seen."""
    place = ada.messages.search(text, "1.0")
    return bool(place) and ada.messages.bbox(place) is not None


def test_a_click_leads_to_its_own_room(away: Window, bruno: Peer, town: Town, host: Host) -> None:
    """Not to the one that was told last, nor to the one that was open last."""
    chen = town.peer(host, "Chen")
    bruno.say("one", room=DIRECT)
    shown(away, "Bruno Okafor")
    chen.say("two", room="dm:ada.lindqvist:chen")
    chen.say("three @ada.lindqvist")
    shown(away, "Bruno Okafor", "Chen", "Chen mentioned you in #general")
    away.desktop.click("Bruno")
    away.wait(lambda: away.main.room == DIRECT, "the room")
    assert "one" in away.said
    assert away.main.overview.unread["dm:ada.lindqvist:chen"] == 1
    away.desktop.click("mentioned")
    away.wait(lambda: away.main.room == GENERAL, "the room")
    shown(away, "Chen")


def test_a_click_comes_late(away: Window, bruno: Peer) -> None:
    """On what was taken away already, by a server that is slow: it leads there all the same."""
    bruno.say("hello", room=DIRECT)
    shown(away, "Bruno Okafor")
    key = away.desktop.key("Bruno")
    away.main._mark_read(DIRECT)
    shown(away)
    away.desktop.click_late(key)
    away.wait(lambda: away.main.room == DIRECT, "the room")


def test_after_another_chat_was_opened_nothing_is_left(
    away: Window, bruno: Peer, town: Town
) -> None:
    """Notifications go with their account; a late click leads into none of the next one."""
    bruno.say("@ada.lindqvist hello")
    bruno.say("hello", room=DIRECT)
    away.wait(lambda: len(away.desktop.shown) == 2, "both")
    key = away.desktop.key("#general")
    away.screens.show_join()
    away.settle()
    assert away.desktop.titles == []
    other = town.host("Other Chat")
    away.screens.show_join(other.invite, "Ada Lindqvist").join()
    away.online()
    carla = town.peer(other, "Carla Ruiz")
    away.later(60)
    carla.say("@ada.lindqvist there")
    away.wait(lambda: "there" in away.said, "the message")
    away.main._open_direct("carla.ruiz")
    away.desktop.click_late(key)
    away.settle()
    assert away.main.room == "dm:ada.lindqvist:carla.ruiz"


def test_closing_the_window_takes_all_away(away: Window, bruno: Peer) -> None:
    """And its notifier ends."""
    bruno.say("hello", room=DIRECT)
    shown(away, "Bruno Okafor")
    desktop = away.desktop
    away.close()
    assert desktop.stopped
    assert not desktop.shown


def test_another_size_of_text_changes_nothing(away: Window, bruno: Peer) -> None:
    """The window is built anew: what is told stays, and what comes is told."""
    bruno.say("one", room=DIRECT)
    shown(away, "Bruno Okafor")
    away.screens.settings.set("looks", "text_size", value=125)
    away.settle()
    assert away.desktop.titles == ["Bruno Okafor"]
    away.later(3)
    bruno.say("two", room=DIRECT)
    shown(away, "Bruno Okafor · 2 new messages")
    away.screens.notifications.quiet_for(FOR_EVER)
    assert away.main.sidebar._bell_hint.text.startswith("Do not disturb. ")
    shown(away)


# An answer inside a notification


def test_an_answer_is_sent(away: Window, bruno: Peer) -> None:
    """Without the window coming to the front; what was answered is read."""
    bruno.say("hello", room=DIRECT)
    shown(away, "Bruno Okafor")
    assert away.desktop.shown[away.desktop.key("")].can_reply
    away.desktop.reply("  hello yourself\r\n")
    away.wait(lambda: bruno.texts(DIRECT) == ["hello", "  hello yourself"], "the answer")
    away.wait(lambda: away.main.overview.unread[DIRECT] == 0, "the room to be read")
    assert away.main.room == GENERAL
    assert not away.main.focus_watch.has_focus
    away.later(3)
    bruno.say("well", room=DIRECT)
    shown(away, "Bruno Okafor")


def test_an_answer_without_a_connection_is_sent_later(
    away: Window, bruno: Peer, town: Town, host: Host
) -> None:
    """It waits in the outbox as any message; also over a new start of the program."""
    bruno.say("hello", room=DIRECT)
    shown(away, "Bruno Okafor")
    host.stop()
    away.wait(lambda: away.link not in {Link.ONLINE, Link.CONNECTING}, "the end")
    away.desktop.reply("from the train")
    away.wait(lambda: away.main.connection.waiting == 1, "it to wait")
    folder = away.program.data_dir
    away.close()
    host.start()
    town.window(data_dir=folder).online()
    bruno.until(lambda: bruno.texts(DIRECT) == ["hello", "from the train"], "the answer")


def test_an_answer_that_is_too_long_is_a_draft(away: Window, bruno: Peer) -> None:
    """Nothing that was written is lost; the window says why."""
    bruno.say("hello", room=DIRECT)
    shown(away, "Bruno Okafor")
    long = "x" * (limits.TEXT_BYTES + 1)
    away.desktop.reply(long)
    away.wait(lambda: away.main.room == DIRECT, "the room")
    assert away.main.composer.draft == long
    assert demands(away)
    assert bruno.texts(DIRECT) == ["hello"]


def test_a_blank_answer_is_none(away: Window, bruno: Peer) -> None:
    """Nothing is sent, and nothing said."""
    bruno.say("hello", room=DIRECT)
    shown(away, "Bruno Okafor")
    away.desktop.reply(" \n ")
    away.settle()
    bruno.say("well?", room=DIRECT)
    away.wait(lambda: away.main.overview.unread[DIRECT] >= 1, "the next one")
    assert bruno.texts(DIRECT) == ["hello", "well?"]
    assert away.main.room == GENERAL


def test_an_answer_of_somebody_who_is_muted_is_a_draft(
    away: Window, bruno: Peer, host: Host
) -> None:
    """It would be refused; it waits where it would have been written."""
    bruno.say("hello", room=DIRECT)
    shown(away, "Bruno Okafor")
    host.ask(lambda re: MutePerson(id=re, username="ada.lindqvist"))
    away.wait(lambda: away.main.composer.closed, "the mute")
    away.desktop.reply("sorry")
    away.wait(lambda: away.main.room == DIRECT, "the room")
    assert away.main.composer.draft == "sorry"
    assert away.played == [Sound.MESSAGE]


# Other devices, and what came meanwhile


def test_an_answer_from_another_device_takes_it_away(
    away: Window, bruno: Peer, second: Peer
) -> None:
    """Whoever answers has read it. Reading alone is known on the device where it was done."""
    bruno.say("hello", room=DIRECT)
    shown(away, "Bruno Okafor")
    second.until(lambda: second.texts(DIRECT) == ["hello"], "the message on the other device")
    second.core.mark_read(DIRECT, 1)
    away.settle()
    assert away.desktop.titles == ["Bruno Okafor"]
    second.say("hello yourself", room=DIRECT)
    shown(away)
    away.later(3)
    bruno.say("well", room=DIRECT)
    shown(away, "Bruno Okafor")


@pytest.fixture
def second(town: Town, host: Host, ada: Window) -> Peer:
    """Another device of Ada's."""
    session = ada.screens.session
    assert session is not None
    return town.device(host, session.account)


def test_what_came_while_it_was_not_connected(away: Window, bruno: Peer, host: Host) -> None:
    """Is told once for each room, and what was told before is not told again."""
    bruno.say("told", room=DIRECT)
    shown(away, "Bruno Okafor")
    host.terminate("ada.lindqvist", "")
    away.wait(lambda: away.link not in {Link.ONLINE, Link.CONNECTING}, "the end")
    bruno.say(*(f"missed {number}" for number in range(40)), room=DIRECT)
    bruno.say("nothing", "@ada.lindqvist", "nothing")
    away.later(60)
    away.desktop.history.clear()
    away.main.view.connect()
    away.online()
    away.wait(lambda: away.main.overview.unread.get(DIRECT) == 41, "the messages")
    away.later(2)
    shown(away, "Bruno Okafor · 41 new messages", "Bruno Okafor mentioned you in #general")
    assert len(away.desktop.history) <= 4
    assert away.played.count(Sound.MESSAGE) <= 2


def test_many_rooms_that_were_missed_are_told_in_one(
    away: Window, town: Town, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as they are here, and not one after the other as they come; also while one reads."""
    monkeypatch.setattr(notifications, "TOGETHER", 60_000)
    people = [town.peer(host, f"Person {letter}") for letter in "ABCDEF"]
    host.terminate("ada.lindqvist", "")
    away.wait(lambda: away.link not in {Link.ONLINE, Link.CONNECTING}, "the end")
    for person in people:
        person.say("hello", room=f"dm:ada.lindqvist:{person.username}")
    people[0].say("what one reads")
    come_back(away)
    away.main.view.connect()
    away.online()
    away.wait(lambda: "what one reads" in away.said, "the message in the open room")
    away.wait(lambda: away.main.overview.all_unread == 6, "the messages")
    assert away.desktop.history == []
    away.later(60)
    assert [each.title for each in away.desktop.history] == ["6 new messages in 6 conversations"]
    assert away.played == [Sound.MESSAGE]


def test_so_much_came_that_not_all_is_fetched(away: Window, bruno: Peer, host: Host) -> None:
    """It is told of with the number of all, also of what only the server has."""
    host.terminate("ada.lindqvist", "")
    away.wait(lambda: away.link not in {Link.ONLINE, Link.CONNECTING}, "the end")
    bruno.say(*(f"missed {number}" for number in range(CATCH_UP_LIMIT + 1)), room=DIRECT)
    away.main.view.connect()
    away.online()
    shown(away, f"Bruno Okafor · {CATCH_UP_LIMIT + 1} new messages")
    assert away.desktop.bodies == [f"missed {CATCH_UP_LIMIT}"]
    assert away.played == [Sound.MESSAGE]
    assert away.main.room == GENERAL


def test_a_line_stands_above_what_is_not_fetched(away: Window, bruno: Peer, host: Host) -> None:
    """Where reading stopped; what was told of before counts once."""
    bruno.say("told", room=DIRECT)
    shown(away, "Bruno Okafor")
    host.terminate("ada.lindqvist", "")
    away.wait(lambda: away.link not in {Link.ONLINE, Link.CONNECTING}, "the end")
    many = CATCH_UP_LIMIT + 20
    bruno.say(*(f"missed {number}" for number in range(many)), room=DIRECT)
    bruno.say(*(f"room {number}" for number in range(many)), "@ada.lindqvist", "nothing")
    away.later(60)
    away.main.view.connect()
    away.online()
    away.wait(lambda: away.main.overview.unread.get(DIRECT) == many + 1, "the messages")
    away.wait(lambda: "room 319" in away.said, "the newest of the open room")
    away.later(2)
    shown(
        away,
        f"Bruno Okafor · {many + 1} new messages",
        "Bruno Okafor mentioned you in #general",
    )
    places = away.main.transcript.unread
    assert places is not None
    assert places.label.startswith(f"{many + 2} new since ")
    come_back(away)
    away.click(away.main.unread_line.button)
    away.wait(lambda: "room 0\n" in away.said, "where reading stopped")
    shown(away, f"Bruno Okafor · {many + 1} new messages")


def test_what_came_while_it_was_closed(
    away: Window, bruno: Peer, town: Town, elsewhere: Elsewhere
) -> None:
    """Is told once for each room, after the start; what was unread before is not told again."""
    bruno.say("told", room=DIRECT)
    shown(away, "Bruno Okafor")
    folder = away.program.data_dir
    away.close()
    bruno.say("missed 0", "missed 1", room=DIRECT)
    bruno.say("@ada.lindqvist")
    again = town.window(data_dir=folder)
    again.wait(lambda: again.is_main, "the conversations")
    elsewhere.has_keyboard_of(again)
    again.online()
    again.later(2)
    shown(again, "Bruno Okafor · 2 new messages", "Bruno Okafor mentioned you in #general")
    folder = again.program.data_dir
    again.close()
    once_more = town.window(data_dir=folder).online()
    bruno.say("nothing new")
    once_more.wait(lambda: "nothing new" in once_more.said, "what comes")
    assert once_more.desktop.history == []
    assert once_more.played == []


def test_the_history_of_a_new_device_is_not_told(
    away: Window, bruno: Peer, town: Town, host: Host, elsewhere: Elsewhere
) -> None:
    """It was said before; what comes then is told."""
    del host
    bruno.say("@ada.lindqvist", "hello")
    bruno.say("hello", room=DIRECT)
    shown(away, "Bruno Okafor mentioned you in #general", "Bruno Okafor")
    session = away.screens.session
    assert session is not None
    folder = away.program.data_dir
    away.close()
    for cache in Accounts(folder).folder(session.account).glob("cache.db*"):
        cache.unlink()
    new = town.window(data_dir=folder)
    new.wait(lambda: new.is_main, "the conversations")
    elsewhere.has_keyboard_of(new)
    new.online()
    new.wait(lambda: DIRECT in new.main.overview.unread, "the history")
    bruno.say("@ada.lindqvist now")
    shown(new, "Bruno Okafor mentioned you in #general")
    assert [each.body for each in new.desktop.history] == ["@ada.lindqvist now"]


# Sounds


def test_a_message_that_fails_is_heard(ada: Window, bruno: Peer, host: Host, town: Town) -> None:
    """Once; also in front of it, and not at the next start."""
    come_back(ada)
    host.terminate("ada.lindqvist", "")
    ada.wait(lambda: ada.link not in {Link.ONLINE, Link.CONNECTING}, "the end")
    ada.main._session.ask(lambda core: core.send(GENERAL, "message", {"text": "too late"}))
    ada.wait(lambda: ada.main.connection.waiting == 1, "the message in the outbox")
    host.ask(lambda re: MutePerson(id=re, username="ada.lindqvist"))
    ada.main.view.connect()
    ada.wait(lambda: ada.played, "the sound")
    assert ada.played == [Sound.FAILED]
    bruno.say("done")
    ada.wait(lambda: "done" in ada.said, "the next message")
    folder = ada.program.data_dir
    ada.close()
    again = town.window(data_dir=folder).online()
    bruno.say("and now?")
    again.wait(lambda: "and now?" in again.said, "the next message")
    assert again.played == []


def test_sounds_can_be_turned_off_and_down(away: Window, bruno: Peer) -> None:
    """What is shown stays as it is; the volume is that of the settings."""
    away.screens.settings.set("notifications", "volume", value=40)
    bruno.say("one", room=DIRECT)
    shown(away, "Bruno Okafor")
    player = away.screens.notifications.desktop.player
    assert getattr(player, "volumes", None) == [0.4]
    away.screens.settings.set("notifications", "sounds", value=False)
    away.later(3)
    bruno.say("two", room=DIRECT)
    shown(away, "Bruno Okafor · 2 new messages")
    assert away.played == [Sound.MESSAGE]


def test_notifications_can_be_turned_off(away: Window, bruno: Peer) -> None:
    """What is on the screen goes; nothing that came meanwhile is told when they are on again."""
    bruno.say("one", room=DIRECT)
    shown(away, "Bruno Okafor")
    away.screens.settings.set("notifications", "enabled", value=False)
    shown(away)
    away.later(60)
    bruno.say("two", room=DIRECT)
    away.wait(lambda: away.main.overview.unread[DIRECT] == 2, "the message")
    away.screens.settings.set("notifications", "enabled", value=True)
    away.later(60)
    shown(away)
    bruno.say("three", room=DIRECT)
    away.wait(lambda: away.desktop.bodies == ["three"], "the next one")


# Do not disturb


def test_do_not_disturb(away: Window, bruno: Peer) -> None:
    """All goes when it begins, and nothing comes; after its end only what comes then is told."""
    told = away.screens.notifications
    bruno.say("before", room=DIRECT)
    bruno.say("@ada.lindqvist before")
    away.wait(lambda: len(away.desktop.shown) == 2, "both")
    told.quiet_for(FOR_EVER)
    shown(away)
    away.later(60)
    away.desktop.history.clear()
    away.played.clear()
    bruno.say("during", room=DIRECT)
    bruno.say("@ada.lindqvist during")
    away.wait(lambda: away.main.overview.all_unread == 4, "the messages")
    told.quiet_for(0)
    away.later(60)
    assert away.desktop.history == []
    assert away.played == []
    bruno.say("after", room=DIRECT)
    shown(away, "Bruno Okafor")
    assert [each.body for each in away.desktop.history] == ["after"]


def test_no_clock_is_looked_at_without_a_time_that_is_set(ada: Window) -> None:
    """Nothing wakes the window each minute, unless do not disturb may begin or end by itself."""
    told, settings = ada.screens.notifications, ada.screens.settings
    assert told._quiet_timer is None
    for quiet, wakes in (
        (Quiet(hours=(22 * 60, 7 * 60)), True),
        (Quiet(until=FOR_EVER), False),
        (Quiet(until=round(1000 * (time.time() + 3600))), True),
        (Quiet(), False),
    ):
        settings.set_quiet(quiet)
        assert (told._quiet_timer is not None) == wakes, quiet


def test_do_not_disturb_at_set_hours(
    away: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the hours begin, what is on the screen goes; the bell shows it, and their end."""
    told, hint = away.screens.notifications, away.main.sidebar._bell_hint

    def is_at(hour: int) -> None:
        now = datetime(2026, 3, 3, hour, 30).astimezone()
        monkeypatch.setattr(notifications, "_now", lambda: now)
        told._look_for_quiet()

    is_at(21)
    away.screens.settings.set_quiet(Quiet(hours=(22 * 60, 7 * 60)))
    bruno.say("before", room=DIRECT)
    shown(away, "Bruno Okafor")
    assert hint.text == "Do not disturb"
    is_at(22)
    shown(away)
    away.later(60)
    bruno.say("during", room=DIRECT)
    away.wait(lambda: away.main.overview.unread[DIRECT] == 2, "the message")
    assert away.played == [Sound.MESSAGE]
    is_at(7)
    bruno.say("after", room=DIRECT)
    shown(away, "Bruno Okafor")
    assert away.desktop.bodies == ["after"]


def test_mentions_may_pass(away: Window, bruno: Peer) -> None:
    """If the person wishes so, and they alone."""
    away.screens.settings.set_quiet(Quiet(until=FOR_EVER, mentions_pass=True))
    bruno.say("direct", room=DIRECT)
    bruno.say("@ada.lindqvist")
    shown(away, "Bruno Okafor mentioned you in #general")
    assert away.played == [Sound.MENTION]


# What shows them


def test_a_desktop_without_a_bus(
    town: Town, host: Host, monkeypatch: pytest.MonkeyPatch, elsewhere: Elsewhere
) -> None:
    """The settings say so; the window goes on, and leaves no thread behind when it is closed."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    monkeypatch.setattr("chat_client.window.screens.Notifications", Notifications)
    monkeypatch.setenv("PATH", "/nonexistent")
    ada, bruno = town.member(host, "Ada Lindqvist"), town.peer(host, "Bruno Okafor")
    elsewhere.has_keyboard_of(ada)
    bruno.say("hello", room=DIRECT)
    ada.wait(lambda: ada.screens.notifications.desktop.state.code is Code.NO_BUS, "what was found")
    ada.screens.show_settings()
    ada.wait(
        lambda: (
            "No notifications: this session has no message bus (D-Bus). "
            "No sounds: no player was found." in " ".join(texts(ada.root))
        ),
        "the settings",
    )
    ada.say("still here")
    ada.wait(lambda: bruno.texts() == ["still here"], "the message")
    ada.close()
    for thread in threading.enumerate():
        if thread.name in {"notifications", "sound"}:
            thread.join(10)
            assert not thread.is_alive()


def test_a_backup_of_the_server_was_restored(
    away: Window, bruno: Peer, host: Host, tmp_path: Path
) -> None:
    """What is said afterwards is told, although its place was told of before."""
    bruno.say("told", room=DIRECT)
    shown(away, "Bruno Okafor")
    come_back(away)
    away.click_row(away.main.sidebar.rooms, DIRECT)
    shown(away)
    away.click_row(away.main.sidebar.rooms, GENERAL)
    host.stop()
    shutil.copytree(host.data_dir, tmp_path / "backup")
    host.start()
    away.online()
    bruno.until(lambda: bruno.link is Link.ONLINE, "Bruno back")
    bruno.say(*(f"lost {number}" for number in range(5)), room=DIRECT)
    away.later(60)
    shown(away, "Bruno Okafor · 5 new messages")
    host.stop()
    shutil.rmtree(host.data_dir)
    shutil.copytree(tmp_path / "backup", host.data_dir)
    host.start()
    away.later(60)
    away.main.view.connect()
    shown(away)
    away.online()
    bruno.until(lambda: bruno.link is Link.ONLINE, "Bruno back")
    away.later(60)
    bruno.say("after", room=DIRECT)
    away.wait(lambda: "after" in away.desktop.bodies, f"it, shown: {away.desktop.bodies}")
