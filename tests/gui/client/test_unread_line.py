"""The line above what is new: where it stands, the way to it, and when it goes."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from chat_client.window import unread_line
from chat_client.window.focus_watch import FocusWatch
from chat_client.window.transcript.timeline import Unread
from tests.gui.harness import Host, Peer, Town, Window


def line(ada: Window) -> str:
    """What the line says, or ""."""
    places = ada.messages.tag_ranges("unread")
    if not places:
        return ""
    return ada.messages.get(str(places[0]), str(places[-1])).strip()


def above(ada: Window) -> str:
    """The line right below the line of what is new."""
    places = ada.messages.tag_ranges("unread")
    return ada.messages.get(f"{places[-1]}", f"{places[-1]} lineend + 3 lines")


def go_away(ada: Window, bruno: Peer) -> None:
    """Have another room open."""
    ada.click_row(ada.main.members.people, bruno.username)


def come_back(ada: Window) -> None:
    """Open the room again."""
    ada.click_row(ada.main.sidebar.rooms, "general")


def test_it_stands_where_reading_stopped(ada: Window, bruno: Peer) -> None:
    """In the room that one comes back to, with the number; gone the next time."""
    bruno.say("old")
    ada.wait(lambda: "old" in ada.said, "the old message")
    go_away(ada, bruno)
    bruno.say("one", "two")
    ada.wait(lambda: ada.main.overview.unread["general"] == 2, "the new ones")
    come_back(ada)
    assert line(ada).startswith("2 new since ")
    assert "one" in above(ada)
    assert "old" not in above(ada)
    go_away(ada, bruno)
    come_back(ada)
    assert line(ada) == ""


def test_what_one_writes_takes_it_away(ada: Window, bruno: Peer) -> None:
    """Whoever answers has seen it."""
    go_away(ada, bruno)
    bruno.say("one")
    ada.wait(lambda: ada.main.overview.unread["general"] == 1, "the message")
    come_back(ada)
    assert line(ada).startswith("1 new since ")
    ada.say("answer")
    assert line(ada) == ""


def test_what_comes_while_one_reads_has_none(ada: Window, bruno: Peer) -> None:
    """It is seen as it comes."""
    ada.focus(ada.composer)
    bruno.say("one")
    ada.wait(lambda: "one" in ada.said, "the message")
    assert line(ada) == ""


def test_what_comes_while_the_window_is_behind(
    ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a line, whose number grows; looked at and left again, it is gone."""
    focused = False
    monkeypatch.setattr(FocusWatch, "has_focus", property(lambda _: focused))
    bruno.say("one")
    ada.wait(lambda: line(ada).startswith("1 new since "), "the line")
    bruno.say("two")
    ada.wait(lambda: line(ada).startswith("2 new since "), "the line")
    assert "one" in above(ada)
    ada.main.focus_watch._left(None)
    ada.settle()
    assert line(ada)
    focused = True
    ada.main.focus_watch._focused(None)
    ada.main.focus_watch._left(None)  # to a menu, or a dialog
    ada.settle()
    assert line(ada)
    focused = False
    ada.main.focus_watch._left(None)
    ada.settle()
    assert line(ada) == ""
    bruno.say("three")
    ada.wait(lambda: line(ada).startswith("1 new since "), "the line")
    assert "three" in above(ada)


def test_the_way_to_it(ada: Window, bruno: Peer) -> None:
    """A button, as long as it is out of view; it works for what only the server has, too."""
    bruno.say("first")
    ada.wait(lambda: "first" in ada.said, "the message")
    go_away(ada, bruno)
    bruno.say(*(f"message {number}" for number in range(150)))
    ada.wait(lambda: ada.main.overview.unread["general"] == 150, "the messages")
    come_back(ada)
    button = ada.main.unread_line.button
    ada.wait(button.winfo_ismapped, "the button")
    assert str(button.cget("text")).startswith("150 new since ")
    ada.click(button)
    ada.wait(lambda: line(ada) != "", "the line")
    ada.wait(lambda: not button.winfo_ismapped(), "the button to go")
    assert ada.main.transcript.unread_place() == "in view"
    assert "message 0\n" in ada.said


def test_the_way_to_it_in_a_long_room(ada: Window, bruno: Peer) -> None:
    """The first of what is new is at the top of the view, and stays there as pages are drawn."""
    bruno.say(*(f"old {number}" for number in range(100)))
    ada.wait(lambda: "old 99" in ada.said, "the old messages")
    go_away(ada, bruno)
    bruno.say(*(f"new {number}" for number in range(400)))
    ada.wait(lambda: ada.main.overview.unread["general"] == 400, "the new messages")
    come_back(ada)
    transcript = ada.main.transcript
    unread = transcript.unread
    assert unread is not None
    ada.wait(ada.main.unread_line.button.winfo_ismapped, "the button")
    ada.click(ada.main.unread_line.button)
    ada.wait(lambda: "new 59" in ada.said, "the pages below it")
    ada.wait(lambda: "old 80" in ada.said, "the pages above it")
    ada.settle()
    assert transcript.first_in_view == unread.after + 1


def test_after_a_restart(ada: Window, bruno: Peer, town: Town, host: Host) -> None:
    """What came meanwhile is new; the line is there as soon as it is."""
    del host
    bruno.say("old")
    ada.wait(lambda: "old" in ada.said, "the old message")
    folder = ada.program.data_dir
    ada.close()
    bruno.say("one", "two", "three")
    again = town.window(data_dir=folder).online()
    again.wait(lambda: "three" in again.said, "the messages")
    again.wait(lambda: line(again).startswith("3 new since "), "the line")
    assert "one" in above(again)
    assert again.main.overview.unread["general"] == 0


def test_a_start_that_nobody_sees_reads_nothing(
    ada: Window, bruno: Peer, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as of a window that is iconified: the room is open, and read once somebody looks."""
    go_away(ada, bruno)
    bruno.say("one", "two @ada.lindqvist")
    ada.wait(lambda: ada.main.overview.unread["general"] == 2, "the messages")
    folder = ada.program.data_dir
    ada.close()
    focused = False
    monkeypatch.setattr(FocusWatch, "has_focus", property(lambda _: focused))
    again = town.window(data_dir=folder).online()
    overview = again.main.overview
    assert (overview.unread["general"], overview.mentions["general"]) == (2, 1)
    assert again.title.startswith("(2)")
    assert line(again).startswith("2 new since ")
    focused = True
    again.main.focus_watch._focused(None)
    assert overview.unread["general"] == 0
    assert line(again).startswith("2 new since ")


def test_another_size_of_text_reads_nothing(ada: Window, bruno: Peer) -> None:
    """The window is built anew with the room that was open, its line and its place."""
    direct = f"dm:ada.lindqvist:{bruno.username}"
    go_away(ada, bruno)
    bruno.say("one", "two @ada.lindqvist")
    bruno.say("hello", room=direct)
    ada.wait(lambda: ada.main.overview.unread["general"] == 2, "the new ones")
    ada.screens.settings.set("looks", "text_size", value=125)
    ada.settle()
    assert ada.main.room == direct
    assert (ada.main.overview.unread["general"], ada.main.overview.mentions["general"]) == (2, 1)
    come_back(ada)
    assert line(ada).startswith("2 new since ")
    said = line(ada)
    ada.screens.settings.set("looks", "text_size", value=100)
    ada.settle()
    assert ada.main.room == "general"
    assert line(ada) == said
    assert "one" in above(ada)


def test_an_answer_from_another_device_takes_it_away(
    ada: Window, bruno: Peer, town: Town, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands before the answer is read; what comes after it has a line of its own."""
    session = ada.screens.session
    assert session is not None
    second = town.device(host, session.account)
    monkeypatch.setattr(FocusWatch, "has_focus", property(lambda _: False))
    bruno.say("one", "two @ada.lindqvist")
    ada.wait(lambda: line(ada).startswith("2 new since "), "the line")
    second.until(lambda: len(second.texts()) == 2, "the messages there")
    second.say("answer")
    ada.wait(lambda: line(ada) == "", "the line to go")
    overview = ada.main.overview
    ada.wait(lambda: overview.unread["general"] == 0, "the room to be read")
    assert overview.mentions["general"] == 0
    assert not ada.title.startswith("(")
    bruno.say("thanks")
    ada.wait(lambda: line(ada).startswith("1 new since "), "the line")
    assert "thanks" in above(ada)
    assert overview.unread["general"] == 1
    ada.wait(lambda: session.reader.rooms(overview.me, only="general")[0].unread == 1, "the cache")


def test_who_joined_meanwhile_does_not_count(
    ada: Window, bruno: Peer, town: Town, host: Host
) -> None:
    """The number is of messages; the line stands above the first that was not seen of any kind."""
    bruno.say("old")
    ada.wait(lambda: "old" in ada.said, "the old message")
    go_away(ada, bruno)
    town.peer(host, "Chen")
    town.peer(host, "Dora")
    bruno.say("one")
    ada.wait(lambda: ada.main.overview.unread["general"] == 1, "the message")
    come_back(ada)
    assert line(ada).startswith("1 new since ")
    assert "Chen joined" in above(ada)
    go_away(ada, bruno)
    town.peer(host, "Emil")
    ada.wait(lambda: ada.main.overview.count_members("general") == 5, "Emil")
    come_back(ada)
    assert line(ada) == ""


def test_a_day_begins_with_what_is_new(ada: Window, bruno: Peer) -> None:
    """The heading of the day comes first; without the line it is as it was."""
    bruno.say("old")
    ada.wait(lambda: "old" in ada.said, "the message")
    transcript = ada.main.transcript
    before = ada.said
    transcript.mark_unread(Unread(0, "3 new since yesterday 14:02"))
    ada.settle()
    assert ada.said == before.replace("Today   \n", "Today   \n   3 new since yesterday 14:02   \n")
    assert transcript.unread_place() == "in view"
    transcript.mark_unread(None)
    ada.settle()
    assert ada.said == before


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-27T14:02", "14:02"),
        ("2026-11-28T00:01", "00:01"),  # the server's clock is a little ahead
        ("2026-11-26T14:02", "yesterday 14:02"),
        ("2026-11-21T14:02", "Saturday 14:02"),
        ("2026-11-20T14:02", "20 November"),
        ("2025-11-27T14:02", "27 November 2025"),
        ("2026-12-24T14:02", "24 December"),
        ("2999-12-31T14:02", "31 December 2999"),
    ],
)
def test_since_when(at: str, said: str) -> None:
    """As short as it is clear, on 27 November 2026, whatever a server's clock says."""
    assert unread_line._moment(datetime.fromisoformat(at), date(2026, 11, 27)) == said


def test_somebody_who_has_just_joined_has_read_it_all(town: Town, host: Host) -> None:
    """What others said before is no news of theirs; what comes while they look away is."""
    bruno = town.peer(host, "Bruno Okafor")
    bruno.say("one", "@Mira Novak two", "three")
    mira = town.member(host, "Mira Novak")
    mira.wait(lambda: "three" in mira.said, "what was said")
    assert line(mira) == ""
    assert mira.main.overview.unread["general"] == 0
    assert not any(mira.main.overview.mentions.values())
    go_away(mira, bruno)
    bruno.say("four")
    mira.wait(lambda: mira.main.overview.unread["general"] == 1, "the message")
    come_back(mira)
    assert line(mira).startswith("1 new since ")
