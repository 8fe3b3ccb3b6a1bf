"""The message list before a long history: bounded, steady under the eyes, and quick enough."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.state.outbox_message import OutboxState
from chat_client.window.transcript.draw_budget import Pace
from chat_client.window.transcript.drawing import DRAWN, Drawing
from chat_client.window.transcript.held import MOST
from chat_client.window.transcript.reading import BURST, PAGE
from chat_client.window.transcript.timeline import Entry
from chat_client.window.transcript.view import Transcript
from common.domain.reasons import Reason
from common.protocol.events import Event
from common.ui.look.theme import Theme
from tests.events import joined, message, said
from tests.gui.harness import DEADLINE, Alarm, wait

LAST = 20_000
SHORT = 2 * MOST
_BEGIN = 1_760_000_000_000
_WORDS = ("relay", "sleeps", "wakes", "up", "on", "the", "second", "floor", "harbour", "office")


def event(seq: int, room: str = "general") -> Event:
    """Every event can be told by its number; they differ in height, sender and kind."""
    words = " ".join(_WORDS[n % len(_WORDS)] for n in range(seq % 47))
    text = f"#{seq} {words}" + ("\nsecond line 😀" if seq % 5 == 0 else "")
    if seq % 9 == 0:
        text += f" https://example.org/{seq}"
    sender, sent_at = f"person{seq // 3 % 7}", _BEGIN + seq * 47_000
    if seq % 31 == 0:
        return joined(seq, sender, room=room, sent_at=sent_at)
    return said(seq, sender, text, room=room, sent_at=sent_at)


@pytest.fixture(scope="module")
def long_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with 20,000 events in one room, and a shorter one."""
    path = tmp_path_factory.mktemp("history") / "cache.db"
    cache = Cache(path)
    with cache.transaction():
        cache.add_room("general")
        for seq in range(1, LAST + 1):
            cache.add_event(event(seq))
        cache.add_room("short")
        for seq in range(1, SHORT + 1):
            cache.add_event(event(seq, "short"))
    cache.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")  # one file, which can be copied
    connection.close()
    return path


class Reading:
    """A transcript in a window, and somebody who reads in it."""

    def __init__(self, root: tk.Tk, path: Path) -> None:
        self.root = root
        self.cache = Cache(path)
        self._reader = CacheReader(path)
        self.bottoms: list[bool] = []
        self.transcript = Transcript(
            root,
            Theme(root, "light", scale=1.0),
            self._reader,
            str.capitalize,
            on_bottom=self.bottoms.append,
            on_link=lambda _: None,
            on_failed=lambda *_: None,
        )
        self.text = self.transcript.text
        self.most = 0
        self.transcript.pack(fill="both", expand=True)
        self.settle()
        self.transcript.show("general", "person1")
        self.settle()

    @property
    def held(self) -> list[int]:
        """The places of the events in the widget; their marks must say the same."""
        seqs = [e.seq for e in self.transcript._reading.events]
        marks = [name for name in self.text.mark_names() if re.fullmatch(r"e\d+", name)]
        assert sorted(int(mark[1:]) for mark in marks) == seqs
        assert seqs == [*range(seqs[0], seqs[0] + len(seqs))]
        return seqs

    def settle(self) -> None:
        """Let the list bring and drop pages until it rests."""
        transcript = self.transcript
        wait(
            self.root,
            lambda: not transcript._pager.busy and not transcript._live.busy,
            "the pages",
            DEADLINE,
        )
        while self.root.tk.dooneevent(2):
            self.most = max(self.most, len(self.transcript._reading.events))

    def pace(self, pace: Pace) -> None:
        """Have the list draw what is new at another pace."""
        self.transcript._live.pace = self.transcript._pager.pace = pace

    def top(self) -> tuple[str, int]:
        """The text of the first line in view, and where it is, in pixels."""
        index = self.text.index("@0,0")
        line = self.text.dlineinfo(index)
        assert line is not None
        return self.text.get(f"{index} linestart", f"{index} lineend"), line[1]

    def bottom_seen(self) -> bool:
        """Whether the very end is in view."""
        return bool(self.text.dlineinfo("end-1c"))

    def scroll(self, count: int, what: str = "units") -> None:
        """Scroll, and let pages come: what is in view then stays where it is."""
        self.text.yview("scroll", count, what)
        seen = self.top()
        self.settle()
        assert self.top() == seen

    def until(self, condition: Callable[[], bool], count: int, what: str = "pages") -> None:
        """Scroll on and on."""
        for _ in range(400):
            if condition():
                return
            self.scroll(count, what)
        pytest.fail("it is not there")

    def resize(self, size: str) -> None:
        """Give the window a size, as in "700x600"."""
        self.root.geometry(f"{size}+0+0")
        wait(self.root, lambda: self.root.geometry().startswith(f"{size}+"), size, DEADLINE)
        self.settle()

    def hear(self, first: int, last: int) -> None:
        """New events, stored and told as the core does."""
        events = [event(seq) for seq in range(first, last + 1)]
        with self.cache.transaction():
            for each in events:
                self.cache.add_event(each)
        self.transcript.add(events)

    def write(self, text: str, cid: str) -> None:
        """A message that waits to be sent."""
        with self.cache.transaction():
            self.cache.outbox.add("general", cid * 16, *message(text), _BEGIN)
        self.transcript.refresh_outbox()

    def close(self) -> None:
        """Let go of everything."""
        self._reader.close()
        self.cache.close()


@pytest.fixture
def reading(town_of_one: tk.Tk, long_cache: Path, tmp_path: Path) -> Iterator[Reading]:
    """The newest page of the long history."""
    path = tmp_path / "cache.db"
    shutil.copy(long_cache, path)
    reading = Reading(town_of_one, path)
    yield reading
    reading.close()
    assert reading.most <= MOST


@pytest.fixture
def town_of_one(bare_root: tk.Tk, alarm: Alarm) -> tk.Tk:
    """A window of a usual size whose callbacks must not fail."""
    del alarm
    bare_root.geometry("700x600+0+0")
    return bare_root


def test_heads_that_are_drawn_again_are_as_before(reading: Reading) -> None:
    """They take nothing over from the messages they stand between, such as their margins."""
    before = reading.text.dump("1.0", "end", tag=True)
    reading.transcript.rename({f"person{number}" for number in range(7)})
    reading.settle()
    assert sorted(reading.text.dump("1.0", "end", tag=True)) == sorted(before)


def test_it_begins_at_the_newest(reading: Reading) -> None:
    """Only pages near the end are fetched, and the last line is in view."""
    assert reading.held[-1] == LAST
    assert len(reading.held) <= 3 * PAGE
    assert reading.bottom_seen()
    assert reading.transcript.at_bottom


def test_going_up_moves_nothing_under_the_eyes(reading: Reading) -> None:
    """Each page comes with the first line in view staying on its pixel; the far end goes."""
    reading.until(lambda: reading.held[0] < LAST - 3 * MOST, -1)
    assert reading.held[-1] < LAST
    assert len(reading.held) <= MOST
    assert reading.bottoms[-1:] == [False]


def test_going_down_again_reaches_the_newest(reading: Reading) -> None:
    """The way down brings every event once, in order, to the last."""
    reading.until(lambda: reading.held[0] < LAST - 2 * MOST, -1)
    reading.until(lambda: reading.held[-1] == LAST and reading.bottom_seen(), 1)
    assert reading.transcript.at_bottom
    numbers = [int(n) for n in re.findall(r"^#(\d+)", reading.text.get("1.0", "end"), re.MULTILINE)]
    assert numbers == [seq for seq in reading.held if seq % 31]


def test_the_very_first_message_can_be_reached(reading: Reading) -> None:
    """Home, often enough, ends at the first event of the room."""
    reading.transcript.show("short", "person1")
    reading.text.focus_force()
    wait(reading.root, lambda: reading.root.focus_displayof() is reading.text, "focus", DEADLINE)
    for _ in range(SHORT):
        if reading.held[0] == 1:
            break
        reading.text.event_generate("<Home>")
        reading.settle()
    assert reading.held[0] == 1
    reading.text.event_generate("<End>")
    reading.settle()
    assert reading.held[-1] == SHORT
    assert reading.transcript.at_bottom


@pytest.mark.parametrize("count", [1, BURST, BURST + 1, 5000])
def test_new_messages_at_the_bottom_are_followed(reading: Reading, count: int) -> None:
    """However many come at once, the newest is in view."""
    reading.hear(LAST + 1, LAST + count)
    reading.settle()
    assert reading.held[-1] == LAST + count
    assert reading.bottom_seen()
    assert reading.transcript.at_bottom


@pytest.mark.parametrize("count", [1, BURST, BURST + 1, 5000])
def test_new_messages_leave_a_reader_alone(reading: Reading, count: int) -> None:
    """Whoever reads further up sees nothing move; going down brings what came, in order."""
    reading.scroll(-2, "pages")
    seen = reading.top()
    reading.hear(LAST + 1, LAST + count)
    reading.settle()
    assert reading.top() == seen
    assert not reading.transcript.at_bottom
    if count < 5000:
        reading.until(lambda: reading.held[-1] == LAST + count and reading.bottom_seen(), 1)
    reading.transcript.show_latest()
    reading.settle()
    assert reading.held[-1] == LAST + count
    assert reading.transcript.at_bottom


def test_a_stream_does_not_fill_the_list(reading: Reading) -> None:
    """Messages that come one by one are bounded, too, at the bottom and while reading."""
    first, middle, last = LAST + 1, LAST + MOST // BURST * BURST, LAST + 3 * MOST // BURST * BURST
    for seq in range(first, middle, BURST):
        reading.hear(seq, seq + BURST - 1)
    reading.settle()
    assert len(reading.held) <= MOST
    reading.scroll(-3, "pages")
    seen = reading.top()
    for seq in range(middle + 1, last, BURST):
        reading.hear(seq, seq + BURST - 1)
    reading.settle()
    assert len(reading.held) <= MOST
    assert reading.top() == seen
    reading.transcript.show_latest()
    assert reading.held[-1] == last


def test_the_bottom_stays_the_bottom_in_any_size(reading: Reading) -> None:
    """Wider, narrower, higher, lower: the newest message stays in view."""
    for size in ("1100x700", "400x300", "900x860", "500x400", "700x600"):
        reading.resize(size)
        assert reading.bottom_seen(), size
        assert reading.transcript.at_bottom, size


def test_switching_colours_keeps_the_place(reading: Reading) -> None:
    """A repaint in the middle of the history moves nothing; at the bottom it stays there."""
    reading.until(lambda: reading.held[-1] < LAST, -1)
    seen = reading.top()
    reading.transcript._theme.toggle()
    reading.settle()
    assert reading.top() == seen
    reading.transcript.show_latest()
    reading.transcript._theme.toggle()
    reading.settle()
    assert reading.bottom_seen()


def test_what_waits_is_shown_once_below_everything(reading: Reading) -> None:
    """Through bursts, going up and coming down, it is there once, at the end."""
    reading.write("mine", "a")
    assert reading.text.get("1.0", "end").count("mine") == 1
    reading.scroll(-3, "pages")
    reading.hear(LAST + 1, LAST + BURST + 40)
    reading.settle()
    reading.until(lambda: reading.held[-1] == LAST + BURST + 40 and reading.bottom_seen(), 1)
    reading.hear(LAST + BURST + 41, LAST + BURST + 41)
    reading.settle()
    shown = reading.text.get("1.0", "end").rstrip()
    assert shown.count("mine") == 1
    assert shown.splitlines()[-1].startswith("mine")
    with reading.cache.transaction():
        reading.cache.outbox.remove("a" * 16)
    reading.transcript.refresh_outbox()
    assert "mine" not in reading.text.get("1.0", "end")
    assert reading.text.get("end-3c", "end") != "\n\n\n"


def test_no_message_has_a_tag_of_its_own(reading: Reading) -> None:
    """Not for its links and not for its sender: Tk slows down with the number of tags."""
    tags = len(reading.text.tag_names())
    for seq in range(LAST + 1, LAST + 3 * MOST, BURST):
        reading.hear(seq, seq + BURST - 1)
    assert len(reading.text.tag_names()) == tags


def counted(reading: Reading) -> list[int]:
    """Has an entry for each event that is drawn from now on."""
    drawn: list[int] = []
    draw = reading.transcript._pen.draw

    def counting(entry: Entry, at: str) -> None:
        drawn.append(entry.seq)
        draw(entry, at)

    reading.transcript._pen.draw = counting  # type: ignore[method-assign]  # to count
    return drawn


class Resting(Pace):
    """The list was drawn a moment ago, whenever it was."""

    def pause(self, now: float) -> float:
        """Always a moment."""
        del now
        return 0.01


def test_a_burst_draws_only_what_will_be_in_view(reading: Reading) -> None:
    """5,000 messages are not drawn one by one: what would scroll out at once is skipped."""
    drawn = counted(reading)
    reading.hear(LAST + 1, LAST + 5000)
    reading.settle()
    assert len(drawn) <= 4 * PAGE


def test_a_burst_in_many_pieces_draws_no_more(reading: Reading) -> None:
    """What others say while the list rests is drawn together, and only the end of it."""
    reading.transcript.show("general", "somebody else")
    reading.settle()
    reading.pace(Resting())
    drawn = counted(reading)
    for seq in range(LAST + 1, LAST + 5001, 50):
        reading.hear(seq, seq + 49)
    assert drawn == []
    wait(reading.root, lambda: drawn, "what gathered", DEADLINE)
    reading.pace(Pace())
    reading.settle()
    assert len(drawn) <= 4 * PAGE
    assert reading.held[-1] == LAST + 5000
    assert reading.bottom_seen()


def test_a_few_that_gathered_are_drawn_in_order(reading: Reading) -> None:
    """Each once, below what was there, with what waits to be sent below them."""
    reading.transcript.show("general", "somebody else")
    reading.settle()
    reading.pace(Resting())
    for seq in range(LAST + 1, LAST + 6):
        reading.hear(seq, seq)
    reading.write("mine", "a")
    wait(reading.root, lambda: reading.held[-1] == LAST + 5, "what gathered", DEADLINE)
    shown = reading.text.get("1.0", "end").rstrip().splitlines()
    assert shown[-1].startswith("mine")
    assert [line.split()[0] for line in shown[-9:] if line.startswith("#")][-2:] == [
        f"#{LAST + 4}",
        f"#{LAST + 5}",
    ]


def test_what_one_said_is_never_gone(reading: Reading) -> None:
    """When its own place in the room is told, it is drawn there in the same turn."""
    reading.pace(Resting())
    reading.write("mine", "a")
    own = event(LAST + 1)._replace(sender="person1", body={"text": "mine"})
    with reading.cache.transaction():
        reading.cache.outbox.remove("a" * 16)
        reading.cache.add_event(own)
    reading.transcript.refresh_outbox()
    reading.transcript.add([own])
    assert reading.text.get("1.0", "end").count("mine") == 1


def test_what_was_sent_is_seen_before_its_place_comes(reading: Reading) -> None:
    """Acknowledged, while what others said before it is still on its way: no clock, once."""
    reading.write("mine", "a")
    place = reading.text.search("mine", "1.0")
    assert "waiting" in reading.text.tag_names(place)
    with reading.cache.transaction():
        reading.cache.outbox.set_state("a" * 16, OutboxState.SENT)
    reading.transcript.refresh_outbox()
    assert "waiting" not in reading.text.tag_names(reading.text.search("mine", "1.0"))
    reading.hear(LAST + 1, LAST + 3)
    assert reading.text.get("1.0", "end").rstrip().endswith("mine")
    own = event(LAST + 4)._replace(sender="person1", body={"text": "mine"})
    with reading.cache.transaction():
        reading.cache.outbox.remove("a" * 16)
        reading.cache.add_event(own)
    reading.transcript.add([own])
    assert reading.text.get("1.0", "end").count("mine") == 1


def test_scrolling_away_while_messages_gather_keeps_the_place(reading: Reading) -> None:
    """They were to be followed when they came; whoever reads further up is left alone."""
    reading.transcript.show("general", "somebody else")
    reading.settle()
    reading.pace(Resting())
    reading.hear(LAST + 1, LAST + BURST + 1)
    reading.text.yview("scroll", -2, "pages")
    seen = reading.top()
    wait(reading.root, lambda: not reading.transcript._live.busy, "the drawing", DEADLINE)
    reading.pace(Pace())
    reading.settle()
    assert reading.top() == seen
    assert not reading.transcript.at_bottom


def test_scrolling_away_counts_before_tk_tells_of_it(reading: Reading) -> None:
    """In a flood Tk has no idle moment for that; the view would be pulled down for ever."""
    reading.text.yview("scroll", -2, "pages")
    seen = reading.top()
    reading.hear(LAST + 1, LAST + 1)
    assert reading.top() == seen
    assert not reading.transcript.at_bottom


def test_a_late_word_about_the_view_changes_nothing(reading: Reading) -> None:
    """Tk tells at times of a view that was there before the newest messages were drawn."""
    reading.bottoms.clear()
    reading.transcript._viewed(0.0, 0.6)
    assert reading.transcript.at_bottom
    reading.hear(LAST + 1, LAST + BURST + 1)
    reading.settle()
    assert reading.held[-1] == LAST + BURST + 1
    assert reading.bottom_seen()
    assert reading.bottoms == []


def test_the_wheel_scrolls(reading: Reading) -> None:
    """Up and down again, by the wheel's own events."""
    if reading.root.tk.call("tk", "windowingsystem") != "x11":
        pytest.skip("elsewhere the wheel's events are Tk's own")
    reading.text.event_generate("<Button-4>", x=5, y=5)
    assert not reading.bottom_seen()
    reading.text.event_generate("<Button-5>", x=5, y=5)
    assert reading.bottom_seen()


def test_what_is_no_message_waits_and_fails_as_one_line(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what becomes of it below; nobody has written it, so there is nothing to edit."""
    monkeypatch.setitem(DRAWN, "topic", Drawing(note="{} set a topic"))

    def lines(state: OutboxState, reason: Reason | None = None) -> list[str]:
        with reading.cache.transaction():
            reading.cache.outbox.set_state("t" * 16, state, reason)
        reading.transcript.refresh_outbox()
        reading.settle()
        drawn = reading.text.get("1.0", "end").splitlines()
        (at,) = (number for number, line in enumerate(drawn) if "set a topic" in line)
        return [line for line in drawn[at + 1 :] if line.strip()]

    with reading.cache.transaction():
        reading.cache.outbox.add("general", "t" * 16, "topic", {"topic": "Lunch", "n": 3}, _BEGIN)
    assert lines(OutboxState.WAITING) == []
    assert reading.text.dump("end - 3 lines", "end", image=True)
    (failed,) = lines(OutboxState.FAILED, Reason("not_sendable"))
    assert "Not sent" in failed
    assert "Delete" in failed
    assert "Edit" not in failed
    assert "Send again" not in failed
    (failed,) = lines(OutboxState.FAILED, Reason("storage_full"))
    assert "Send again" in failed
    assert lines(OutboxState.SENT) == []
    reading.write("hello", "h")
    assert [line.split("  ")[0].strip() for line in lines(OutboxState.SENT)][-1] == "hello"
