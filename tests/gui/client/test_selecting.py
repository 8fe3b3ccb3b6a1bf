"""Selecting, copying, the pointer and the clock in the message list."""

from __future__ import annotations

import gc
import re
import time
import tkinter as tk
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chat_client.state.outbox_message import OutboxMessage, OutboxState
from chat_client.window.transcript import pointer
from chat_client.window.transcript.timeline import Unread
from chat_client.window.transcript.view import Transcript
from common.protocol.events import MESSAGE, Event
from common.ui.look.theme import Theme
from common.ui.widgets import selection
from common.ui.widgets.keys import GO_TO_DATE_TITLE
from common.ui.widgets.menus import MenuItem
from tests.events import joined, said
from tests.gui.client.test_long_texts import Kept
from tests.gui.harness import Alarm, settle

NOON = datetime(2026, 5, 17, 12, 0).astimezone()
SAID = (
    "  if x:\n\treturn \u201cy\u201d",
    "\u202aC:\\x\u202c \u200e\U0001f600 bill.\u202egpj",
    "line\u2028one",
    "https://a.example/x and \U0001f469\U0001f3fd\u200d\U0001f4bb",
    "word " * 1000,
)


def at(time: datetime) -> int:
    """Milliseconds since 1970."""
    return round(time.timestamp() * 1000)


class Reader:
    """Somebody before a transcript, with a clock of their own."""

    def __init__(self, root: tk.Tk, events: Sequence[Event]) -> None:
        self.root = root
        self.time = NOON + timedelta(hours=1)
        self.names = {"ada": "Ada Lindqvist", "bruno": "Bruno"}
        self.opened: list[str] = []
        self.transcript = Transcript(
            root,
            Theme(root, "light", scale=1.0),
            Kept(events),
            lambda username: self.names.get(username, username),
            handle_of=lambda username: "@bo" if username == "bo" else "",
            on_bottom=lambda _: None,
            on_link=self.opened.append,
            on_failed=lambda *_: None,
            now=lambda: self.time,
        )
        self.text = self.transcript.text
        self.transcript.pack(fill="both", expand=True)
        settle(root)
        self.transcript.show("general", "ada")
        settle(root)

    def select(self, begin: str, end: str) -> str:
        """Select from one place to another; what is copied then."""
        self.text.tag_remove("sel", "1.0", "end")
        self.text.tag_add("sel", begin, end)
        self.text.event_generate("<<Copy>>")
        return str(self.root.clipboard_get(type="UTF8_STRING"))

    def body(self, seq: int) -> tuple[str, str]:
        """Where what was said is drawn, with the end of its line."""
        mark, stop = self.transcript._places.stretch(seq)
        body = self.transcript._places.body(mark, stop)
        assert body is not None
        return body, stop

    @property
    def days(self) -> list[str]:
        """The headings of days."""
        lines = self.text.get("1.0", "end").splitlines()
        return [line.strip() for line in lines if line.startswith("   ") and "day" in line]


@pytest.fixture
def read(bare_root: tk.Tk, alarm: Alarm) -> Iterator[Callable[[Sequence[Event]], Reader]]:
    """Begins to read a room."""
    del alarm
    bare_root.geometry("700x600+0+0")
    yield lambda events: Reader(bare_root, events)
    gc.collect()  # here and now: on another thread it would end the process


@pytest.fixture
def reader(read: Callable[[Sequence[Event]], Reader]) -> Reader:
    """Before what is hard to give back."""
    events = [
        said(seq, text=text, sent_at=at(NOON) + seq * 1000) for seq, text in enumerate(SAID, 1)
    ]
    join = joined(6, "bo", sent_at=at(NOON) + 9_000)
    last = said(7, "bruno", "bye", sent_at=at(NOON) + 120_000)
    return read([*events, join, last])


@pytest.mark.parametrize("seq", range(1, len(SAID) + 1))
def test_of_one_message_what_was_sent_is_copied(reader: Reader, seq: int) -> None:
    """To the last tab and mark, folded or not, by whatever the selection begins and ends."""
    body, stop = reader.body(seq)
    assert reader.select(body, stop) == SAID[seq - 1]
    assert reader.select(f"{body} linestart", f"{stop} - 1 indices") == SAID[seq - 1]


def test_a_part_of_a_message_is_that_part_of_what_was_sent(reader: Reader) -> None:
    """Also behind things that are drawn otherwise."""
    body, _ = reader.body(2)
    emoji = reader.text.search("bill", body)
    assert reader.select(emoji, f"{emoji} + 5 chars") == "bill."
    assert reader.select(f"{emoji} - 2 indices", f"{emoji} + 4 chars") == "\u200e\U0001f600 bill"
    assert reader.select(f"{emoji} + 5 chars", f"{emoji} + 14 chars") == "\u202eg"
    body, _ = reader.body(5)
    assert reader.select(body, f"{body} + 9 chars") == "word word"


def test_of_several_messages_who_and_when_is_copied_too(reader: Reader) -> None:
    """A paragraph for each; the first and the last as far as they are selected."""
    begin = reader.text.search("one", reader.body(3)[0])
    end = f"{reader.body(4)[0]} + 19 chars"
    assert reader.select(begin, end) == (
        "Ada Lindqvist, 12:00: one\nAda Lindqvist, 12:00: https://a.example/x"
    )
    end = f"{reader.body(7)[0]} lineend"
    assert reader.select(reader.body(5)[0], end) == (
        f"Ada Lindqvist, 12:00: {SAID[4]}\nbo @bo joined, 12:00\nBruno, 12:02: bye"
    )
    reader.text.tag_remove("sel", "1.0", "end")
    reader.text.event_generate("<<SelectAll>>")
    copied = reader.transcript.selected()
    assert copied.startswith(f"Ada Lindqvist, 12:00: {SAID[0]}\nAda Lindqvist, 12:00: {SAID[1]}\n")


def test_of_several_days_the_date_is_copied(
    read: Callable[[Sequence[Event]], Reader],
) -> None:
    """The hour alone would not tell when it was."""
    reader = read(
        [
            said(1, text="late", sent_at=at(NOON - timedelta(days=1))),
            said(2, text="early", sent_at=at(NOON)),
        ]
    )
    assert reader.select("1.0", "end") == (
        "Ada Lindqvist, 2026-05-16 12:00: late\nAda Lindqvist, 2026-05-17 12:00: early"
    )


def test_the_middle_click_gets_the_same(reader: Reader) -> None:
    """PRIMARY has what was sent, too."""
    if reader.root.tk.call("tk", "windowingsystem") != "x11":
        pytest.skip("there is no PRIMARY elsewhere")
    body, stop = reader.body(2)
    reader.text.tag_add("sel", body, stop)
    assert selection.selected(reader.root) == SAID[1]


def test_headings_roll_over_with_the_date(reader: Reader) -> None:
    """When the timer looks, whichever way the clock went; what is selected stays."""
    assert reader.days == ["Today"]
    body, _ = reader.body(1)
    chosen = reader.select(f"{body} + 2 chars", f"{body} + 4 chars")
    for days, line in (
        (1, "Yesterday"),
        (2, "Sunday, 17 May"),
        (0, "Today"),
        (300, "Sunday, 17 May 2026"),
    ):
        reader.time = NOON + timedelta(days=days)
        reader.transcript._tick()
        assert reader.days == [line]
        assert reader.transcript.selected() == chosen
        reader.transcript.after_cancel(reader.transcript._clock or "")


def test_what_waits_in_an_empty_room_rolls_over_too(
    read: Callable[[Sequence[Event]], Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one's first words to somebody, written without a connection in the evening."""
    waits = OutboxMessage(
        "general", "a" * 16, MESSAGE, {"text": "hello"}, at(NOON), OutboxState.WAITING, None
    )
    monkeypatch.setattr(Kept, "outbox", lambda *_: [waits])
    reader = read([])
    assert reader.days == ["Today"]
    for days, line in ((1, "Yesterday"), (2, "Sunday, 17 May")):
        reader.time = NOON + timedelta(days=days)
        reader.transcript._tick()
        assert reader.days == [line]
        reader.transcript.after_cancel(reader.transcript._clock or "")


def test_a_message_of_another_day_rolls_over_at_once(reader: Reader) -> None:
    """It needs no timer: two headings "Today" are never seen."""
    reader.time = NOON + timedelta(days=1)
    new = said(8, text="morning", sent_at=at(reader.time))
    reader.transcript.add([new])
    assert reader.days == ["Yesterday", "Today"]


def test_the_time_of_a_message_in_a_group_shows_below_the_pointer(reader: Reader) -> None:
    """Not where it stands beside the name, and not below the last message."""
    shown = reader.transcript._pointer._time

    def point(index: str) -> str:
        box = reader.text.bbox(index)
        assert box is not None
        reader.text.event_generate("<Motion>", x=box[0] + 1, y=box[1] + 4)
        return str(shown.cget("text")) if shown.winfo_manager() else ""

    reader.text.yview("1.0")
    settle(reader.root)
    assert point(reader.body(2)[0]) == "12:00"
    assert point(reader.body(1)[0]) == ""
    assert point(reader.body(3)[0]) == "12:00"
    reader.text.yview_scroll(1, "units")
    settle(reader.root)
    assert not shown.winfo_manager()


def test_a_name_is_written_anew_in_its_place(reader: Reader) -> None:
    """Only there; the selection around it stays."""
    body, _ = reader.body(1)
    chosen = reader.select(f"{body} + 2 chars", f"{body} + 4 chars")
    reader.names = {"ada": "Ada L.", "bruno": "Bruno"}
    reader.transcript.rename({"ada"})
    assert "Ada Lindqvist" not in reader.text.get("1.0", "end")
    assert reader.text.get("1.0", "end").count("Ada L.") == 1
    assert reader.transcript.selected() == chosen


def test_the_menu_has_what_can_be_done_there(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copy a message whole, a link, what is selected; select all."""
    shown: list[Sequence[MenuItem]] = []
    monkeypatch.setattr(pointer, "popup", lambda *args: shown.append(args[2]))

    def choose(index: str, label: str) -> list[str]:
        reader.text.see(index)
        settle(reader.root)
        box = reader.text.bbox(index)
        assert box is not None
        reader.text.event_generate("<Button-3>", x=box[0] + 1, y=box[1] + 4)
        items = {item.label: item.command for item in shown.pop() if item.label}
        if items.get(label) is not None:
            items[label]()  # type: ignore[misc]
        return list(items)

    labels = choose(reader.body(4)[0], "Copy link")
    to_date = f"Go to a date… ({GO_TO_DATE_TITLE})"
    assert labels == ["Copy message", "Copy link", "Select all", to_date]
    assert reader.root.clipboard_get() == "https://a.example/x"
    assert choose(reader.body(1)[0], "Copy message") == ["Copy message", "Select all", to_date]
    assert reader.root.clipboard_get() == SAID[0]
    choose(reader.body(1)[0], "Select all")
    assert choose(reader.body(3)[0], "Copy")[0] == "Copy"
    assert str(reader.root.clipboard_get()).startswith("Ada Lindqvist, 12:00: ")


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a time zone of its own")
def test_in_another_time_zone(
    read: Callable[[Sequence[Event]], Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as after a journey: times and days are those of the new one; what is selected stays."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC0")
        time.tzset()
        noon = at(datetime(2026, 3, 10, 12, tzinfo=UTC))
        hours = 3_600_000
        reader = read(
            [
                said(1, text="one", sent_at=noon - 14 * hours),
                said(2, "bruno", text="two", sent_at=noon),
                joined(3, "bo", sent_at=noon + hours),
                said(4, text="three", sent_at=noon + 13 * hours),
            ]
        )
        reader.time = datetime(2026, 3, 12, 12, tzinfo=UTC)
        reader.transcript._roll_over()
        assert times(reader) == ["22:00", "12:00", "13:00", "01:00"]
        assert len(reader.days) == 3
        assert reader.select(*reader.body(2)) == "two"
        patch.setenv("TZ", "East-12")
        reader.time = datetime(2026, 3, 13, 12, tzinfo=timezone(timedelta(hours=12)))
        reader.transcript._roll_over()
        settle(reader.root)
        assert times(reader) == ["10:00", "00:00", "01:00", "13:00"]
        assert len(reader.days) == 2
        assert reader.transcript.selected() == "two"
    time.tzset()


def times(reader: Reader) -> list[str]:
    """All times of the day that are shown."""
    return re.findall(r"\d\d:\d\d", reader.text.get("1.0", "end"))


def test_the_line_above_what_is_new_is_not_copied(reader: Reader) -> None:
    """It is nobody's words, as little as a heading; and a selection outlasts it."""
    everything = reader.select("1.0", "end")
    reader.transcript.mark_unread(Unread(3, "2 new since 12:00"))
    settle(reader.root)
    assert "2 new since 12:00" in reader.text.get("1.0", "end")
    assert reader.select("1.0", "end") == everything
    reader.transcript.mark_unread(None)
    settle(reader.root)
    assert "2 new since" not in reader.text.get("1.0", "end")
    assert reader.transcript.selected() == everything
