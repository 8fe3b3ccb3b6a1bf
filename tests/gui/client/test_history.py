"""A conversation of which only stretches are here: what is missing comes as one scrolls there."""

from __future__ import annotations

import re
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.state.news import HistoryAdded, Wanted
from chat_client.window.transcript.held import MOST
from chat_client.window.transcript.missing import PATIENCE, RETRY
from chat_client.window.transcript.reading import PAGE as DRAWN
from chat_client.window.transcript.view import Transcript
from common.domain.reasons import Reason
from common.protocol.events import Event
from common.ui.look.theme import Theme
from tests.events import said
from tests.gui.harness import DEADLINE, Alarm, wait

ROOM: Final = "general"
HEAD: Final = 1500
PAGE: Final = 100
_BEGAN: Final = 1_760_000_000_000
_APART: Final = 600_000
UNREADABLE: Final = "the host's computer can't read its messages now"
OFFLINE: Final = "Older messages are on the server, not connected"


def event(seq: int) -> Event:
    """Every event can be told by its number; about 144 are said in a day."""
    words = "word " * (seq % 23)
    return said(seq, f"person{seq // 3 % 7}", f"#{seq} {words}", sent_at=_BEGAN + seq * _APART)


class Reading:
    """A message list on a cache that has little, and a server that answers when it is told to."""

    def __init__(self, root: tk.Tk, path: Path) -> None:
        self.root = root
        self.cache = Cache(path)
        self.reader = CacheReader(path)
        self.asked: list[Wanted] = []
        self.days: list[int | None] = []
        self.head = HEAD
        self.transcript = Transcript(
            root,
            Theme(root, "light", scale=1.0),
            self.reader,
            str.capitalize,
            on_bottom=lambda _: None,
            on_link=lambda _: None,
            on_failed=lambda *_: None,
            on_missing=self.asked.append,
            on_day=self.days.append,
        )
        self.text = self.transcript.text
        self.transcript.pack(fill="both", expand=True)
        self.settle()

    @property
    def held(self) -> list[int]:
        """The places of the events in the list, which must follow one another, as drawn."""
        seqs = [each.seq for each in self.transcript._reading.events]
        assert seqs == [*range(seqs[0], seqs[0] + len(seqs))]
        drawn = re.findall(r"^#(\d+)", self.text.get("1.0", "end"), re.MULTILINE)
        assert [int(number) for number in drawn] == seqs
        assert len(seqs) <= MOST
        return seqs

    @property
    def line(self) -> str:
        """What is said about messages that are not here; "" for nothing."""
        label = self.transcript._fetching._label
        return str(label.cget("text")) if label.winfo_manager() else ""

    def settle(self) -> None:
        """Let the list bring and drop pages until it rests."""
        transcript = self.transcript
        wait(
            self.root,
            lambda: not transcript._pager.busy and not transcript._live.busy,
            "the pages",
            DEADLINE,
        )
        self.root.update_idletasks()

    def have(self, first: int, last: int) -> None:
        """These are here, and nobody was told."""
        with self.cache.transaction():
            self.cache.add_past([event(seq) for seq in range(first, last + 1)], self.head)

    def show(self) -> None:
        """Open the conversation."""
        self.transcript.show(ROOM, "person1")
        self.settle()

    def answer(self, why: Reason | None = None, again: float | None = None) -> Wanted:
        """The server answers what was asked first, as the core tells it."""
        wanted = self.asked.pop(0)
        if why is not None:
            self.transcript.history_added(HistoryAdded(ROOM, wanted, why=why, again=again))
        else:
            first, last = self._places(wanted)
            self.have(first, last)
            self.transcript.history_added(HistoryAdded(ROOM, wanted, (first, last)))
        self.settle()
        return wanted

    def _places(self, wanted: Wanted) -> tuple[int, int]:
        if wanted.before is not None:
            return max(1, wanted.before - PAGE), wanted.before - 1
        around = wanted.around
        if wanted.at is not None:
            around = -(-(wanted.at - _BEGAN) // _APART)
        if around is None:
            return self.head - PAGE + 1, self.head
        first = max(1, min(around, self.head) - PAGE // 2)
        return first, min(self.head, first + PAGE - 1)

    def until(self, seq: int, count: int) -> None:
        """Scroll on and on, answered by the server, until a place is in the list."""
        for _ in range(600):
            if seq in self.held:
                return
            self.text.yview_scroll(count, "pages")
            self.settle()
            while self.asked:
                self.answer()
        pytest.fail(f"{seq} is not there")

    def where(self, seq: int) -> int | None:
        """How far from the top of the view what was said in a place is, in pixels."""
        line = self.text.dlineinfo(self.text.search(f"#{seq} ", "1.0"))
        return None if line is None else line[1]

    def to_top(self) -> None:
        """Scroll up as far as what is here goes."""
        first = self.cache.spans(ROOM)[-1].first
        for _ in range(20):
            self.text.yview_moveto(0.0)
            self.settle()
            if self.held[0] == first and self.text.dlineinfo("1.0") is not None:
                return
        pytest.fail("the top is not reached")

    def hear(self, *seqs: int) -> None:
        """New events, stored and told as the core does."""
        events = [event(seq) for seq in seqs]
        with self.cache.transaction():
            self.cache.add_events(events)
        self.transcript.add(events)
        self.settle()

    def close(self) -> None:
        """Let go of everything."""
        self.reader.close()
        self.cache.close()


@pytest.fixture
def reading(bare_root: tk.Tk, alarm: Alarm, tmp_path: Path) -> Iterator[Reading]:
    """A window whose callbacks must not fail."""
    del alarm
    bare_root.geometry("700x600+0+0")
    reading = Reading(bare_root, tmp_path / "cache.db")
    yield reading
    reading.close()


@pytest.fixture
def newest(reading: Reading) -> Reading:
    """Only the newest page is here, and what is before it is asked for."""
    reading.have(HEAD - PAGE + 1, HEAD)
    reading.show()
    reading.to_top()
    reading.transcript.show_latest()
    reading.settle()
    assert reading.asked == [Wanted(ROOM, before=HEAD - PAGE + 1)]
    return reading


def test_scrolling_up_brings_every_message_once_down_to_the_first(newest: Reading) -> None:
    """In order and without a gap, which `held` compares with what is drawn."""
    newest.until(1, -1)
    assert newest.held[0] == 1
    newest.until(HEAD, 1)
    assert newest.reader.is_whole(ROOM)
    assert newest.asked == []


def test_a_page_that_comes_is_drawn_in_portions_with_the_windows_turn_between(
    newest: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many events the server gave at once; each portion is read from the cache once."""
    turns: list[list[int]] = [[]]
    for source, name in ((newest.reader, "before"), (newest.transcript._content, "prepend")):
        work = getattr(source, name)

        def counting(*given: Any, work: Callable[..., Any] = work) -> Any:
            found = work(*given)
            turns[-1].append(len(given[0] if found is None else found))
            return found

        monkeypatch.setattr(source, name, counting)

    def beat() -> None:
        turns.append([])
        timers.append(newest.root.after(1, beat))

    timers = [newest.root.after(1, beat)]
    newest.until(HEAD - 8 * PAGE, -1)
    newest.root.after_cancel(timers[-1])
    portions = [turn for turn in turns if turn]
    assert max(map(sum, portions)) <= 2 * DRAWN
    assert all(len(turn) <= 2 for turn in portions)
    assert sum(turn[-1] for turn in portions) >= 7 * PAGE


def test_the_ends_are_looked_at_once_more_after_a_page(newest: Reading) -> None:
    """Tk may not tell of a view that moved right after it, to the upper end again."""
    newest.to_top()
    newest.text.configure(yscrollcommand="")
    newest.answer()
    for _ in range(2):
        first = newest.held[0]
        assert first > HEAD - 2 * PAGE + 1
        newest.text.yview_moveto(0.0)
        wait(newest.root, lambda: newest.held[0] < first, "the next portion", DEADLINE)  # noqa: B023


def test_one_page_is_asked_for_however_often_one_looks(newest: Reading) -> None:
    """It is on its way."""
    for _ in range(30):
        newest.text.yview_scroll(-1, "pages")
        newest.settle()
    assert newest.asked == [Wanted(ROOM, before=HEAD - PAGE + 1)]


def test_what_is_in_view_stays_when_a_page_comes(newest: Reading) -> None:
    """On its pixel."""
    newest.to_top()
    newest.text.yview_scroll(3, "units")
    newest.settle()
    seen = newest.where(HEAD - PAGE + 3)
    assert seen is not None
    newest.answer()
    assert newest.held[0] < HEAD - PAGE
    assert newest.where(HEAD - PAGE + 3) == seen


def test_who_scrolled_on_meanwhile_is_not_taken_back_when_a_page_comes(newest: Reading) -> None:
    """Down again, by a little or to the end, before the page is here; something is said, too."""
    newest.to_top()
    newest.text.yview_scroll(2, "pages")
    newest.settle()
    seq = next(seq for seq in newest.held if newest.where(seq) is not None)
    place = newest.where(seq)
    newest.hear(HEAD + 1)
    newest.head = HEAD
    newest.answer()
    assert (newest.where(seq), newest.transcript.at_bottom) == (place, False)
    newest.to_top()
    newest.transcript.show_latest()
    newest.settle()
    newest.answer()
    assert newest.transcript.at_bottom
    assert newest.held[-1] == HEAD + 1


def test_what_came_before_the_newest_page_is_reached_after_a_restart(reading: Reading) -> None:
    """Said live, and then the window was closed: the newest is here, and not what is before it."""
    reading.have(1, 10)
    reading.have(HEAD, HEAD)
    reading.show()
    reading.until(1, -1)
    assert reading.reader.is_whole(ROOM)
    reading.until(HEAD, 1)


def test_one_can_go_to_the_same_place_again_and_again(newest: Reading) -> None:
    """Wherever one scrolled in between, and also where nothing of the view has changed."""
    seq = HEAD - 60
    for between in (0, -3, 50, -50, 1, 0):
        newest.text.yview_scroll(between, "pages")
        newest.settle()
        newest.transcript.go_to(seq)
        newest.settle()
        place = newest.where(seq)
        assert place is not None
        assert 0 <= place < newest.text.winfo_height()


def test_loading_is_said_after_a_moment_and_at_the_end_that_is_in_view(newest: Reading) -> None:
    """Whoever is far from there, or has it at once, is not told."""
    assert newest.line == ""
    newest.to_top()
    wait(newest.root, lambda: newest.line == "Loading older messages…", "the line", DEADLINE)
    newest.text.yview("end")
    newest.settle()
    assert newest.line == ""
    newest.to_top()
    assert newest.line == "Loading older messages…"
    newest.answer()
    assert newest.line == ""


def test_without_a_connection_it_says_where_they_are(newest: Reading) -> None:
    """And asks again as soon as there is one."""
    newest.to_top()
    newest.transcript.disconnected()
    newest.settle()
    assert newest.line == OFFLINE
    newest.asked.clear()
    newest.transcript.look_again()
    newest.settle()
    assert newest.asked == [Wanted(ROOM, before=HEAD - PAGE + 1)]
    newest.answer()
    assert newest.line == ""


def test_what_may_be_had_later_is_asked_for_again_by_itself(
    newest: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a pause, whatever somebody does meanwhile, as long as it is wanted."""
    newest.to_top()
    newest.answer(Reason("busy"), again=0.0)
    assert newest.line == f"Older messages can’t be loaded yet: {UNREADABLE}"
    for _ in range(20):
        newest.text.event_generate("<Prior>")
        newest.settle()
    assert newest.asked == []
    wait(newest.root, lambda: newest.asked, "another try", DEADLINE)
    newest.settle()
    assert newest.asked == [Wanted(ROOM, before=HEAD - PAGE + 1)]
    assert newest.line == f"Older messages can’t be loaded yet: {UNREADABLE}"
    monkeypatch.setattr("chat_client.window.transcript.missing.RETRY", 0.05)
    newest.answer(Reason("busy"), again=0.0)
    newest.transcript.show_latest()
    newest.transcript.text.yview("end")
    newest.have(HEAD - 3 * PAGE, HEAD - PAGE)
    newest.settle()
    wait(newest.root, lambda: newest.transcript._fetching._try_later is None, "it", DEADLINE)
    newest.settle()
    assert newest.asked == []


def test_what_is_said_can_be_read_in_a_narrow_window(newest: Reading) -> None:
    """In several lines then; in a wide one it stands above the day and covers nothing."""
    for width in (380, 700):
        newest.root.geometry(f"{width}x600")
        wait(newest.root, lambda: newest.root.winfo_width() == width, "the width", DEADLINE)  # noqa: B023
        newest.transcript.look_again()
        newest.to_top()
        newest.answer(Reason("internal"), again=0.0)
        newest.to_top()
        label, text = newest.transcript._fetching._label, newest.text
        newest.root.update_idletasks()
        assert label.winfo_x() > 0
        assert label.winfo_x() + label.winfo_width() < text.winfo_width()
        day = text.dlineinfo("1.0")
        assert day is not None
        covers = label.winfo_y() + label.winfo_height() > day[1] + day[3] // 2
        assert covers == (width < 400)


def test_a_refusal_for_good_is_told_once(newest: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is asked on this connection any more; on the next one it is."""
    monkeypatch.setattr("chat_client.window.transcript.missing.RETRY", 0.0)
    newest.to_top()
    newest.answer(Reason("no_such_room", {"room": "general"}))
    assert newest.line == (
        "Older messages can’t be loaded: there is no room general that you are in"
    )
    for key in ("<Prior>", "<Up>"):
        newest.text.focus_force()
        newest.text.event_generate(key)
        newest.settle()
    assert (newest.asked, newest.transcript._fetching._try_later) == ([], None)
    newest.transcript.disconnected()
    newest.transcript.look_again()
    newest.settle()
    newest.answer()
    assert newest.line == ""
    assert newest.held[0] < HEAD - PAGE


def test_what_had_no_answer_is_tried_again_by_scrolling(
    newest: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at once, and not by itself: a page came, and nothing was in it."""
    wanted = Wanted(ROOM, before=HEAD - PAGE + 1)

    def nothing() -> None:
        assert newest.asked == [wanted]
        newest.asked.clear()
        newest.transcript.history_added(HistoryAdded(ROOM, wanted))
        newest.settle()

    newest.to_top()
    nothing()
    assert newest.line == "Older messages can’t be loaded. Scroll to try again"
    newest.text.event_generate("<Prior>")
    newest.settle()
    assert newest.asked == []
    newest.transcript.look_again()
    newest.settle()
    monkeypatch.setattr("chat_client.window.transcript.missing.RETRY", 0.0)
    nothing()
    for key in ("<Prior>", "<Up>"):
        newest.text.focus_force()
        newest.text.event_generate(key)
        newest.settle()
        nothing()
    newest.transcript.scroll_pages(-1)
    newest.settle()
    newest.answer()
    assert newest.line == ""
    assert newest.held[0] < HEAD - PAGE
    assert 0 < PATIENCE < RETRY


def test_the_first_message_is_fetched_and_the_gap_as_one_comes_to_it(newest: Reading) -> None:
    """Ctrl+Home; then down through the gap to the newest, in order and without a repetition."""
    newest.answer()
    newest.asked.clear()
    newest.transcript.go_to_first()
    newest.settle()
    assert newest.asked == [Wanted(ROOM, around=1)]
    assert newest.held[-1] == HEAD
    newest.answer()
    assert newest.held[0] == 1
    assert newest.text.dlineinfo("1.0") is not None
    assert not newest.transcript.at_bottom
    newest.until(HEAD, 1)
    assert newest.reader.is_whole(ROOM)
    newest.text.yview("end")
    newest.settle()
    assert newest.transcript.at_bottom


def test_the_first_message_can_not_be_had_without_a_connection(newest: Reading) -> None:
    """The oldest that is here is shown, and later nothing jumps."""
    newest.transcript.go_to_first()
    newest.transcript.disconnected()
    newest.settle()
    assert newest.text.dlineinfo("1.0") is not None
    assert newest.held[0] == HEAD - PAGE + 1
    newest.asked.clear()
    newest.transcript.look_again()
    newest.settle()
    assert newest.asked == [Wanted(ROOM, before=HEAD - PAGE + 1)]


def test_going_elsewhere_is_going_elsewhere(newest: Reading) -> None:
    """A page that comes late takes nobody away from where they went meanwhile."""
    for leave in (newest.transcript.go_to_latest, newest.transcript.show_latest, newest.show,
                  lambda: newest.transcript.go_to(HEAD - 3)):  # fmt: skip
        newest.transcript.go_to_first()
        newest.settle()
        leave()
        newest.settle()
        newest.asked[:] = [wanted for wanted in newest.asked if wanted.around == 1]
        newest.answer()
        assert HEAD in newest.held
        newest.transcript.show_latest()
        newest.cache._connection.execute("DELETE FROM events WHERE seq < 1000")
        with newest.cache.transaction():
            newest.cache.forget_room(ROOM)
        newest.have(HEAD - PAGE + 1, HEAD)


def test_a_day_is_fetched_and_shown(newest: Reading) -> None:
    """The first message from then on is in view and marked, its surroundings around it."""
    newest.asked.clear()
    newest.transcript.go_to_time(_BEGAN + 700 * _APART - 5)
    newest.settle()
    assert newest.asked == [Wanted(ROOM, at=_BEGAN + 700 * _APART - 5)]
    newest.answer()
    place = newest.text.search("#700 ", "1.0")
    assert newest.text.dlineinfo(place) is not None
    assert newest.transcript._highlights.here == 700
    newest.until(1, -1)
    newest.until(HEAD, 1)


def test_a_day_that_is_here_is_shown_at_once(newest: Reading) -> None:
    """Nothing is asked for; nor for a day that is to come, which is the newest message."""
    newest.asked.clear()
    for seq in (HEAD - 40, HEAD):
        newest.transcript.go_to_time(_BEGAN + seq * _APART)
        newest.settle()
        assert newest.transcript._highlights.here == seq
    newest.transcript.go_to_time(_BEGAN + 10 * HEAD * _APART)
    newest.settle()
    assert newest.transcript._highlights.here == HEAD
    assert [wanted for wanted in newest.asked if wanted.at is not None] == []


def test_a_day_that_can_not_be_had_gives_the_nearest_that_is_here(newest: Reading) -> None:
    """Of a later time."""
    newest.transcript.go_to_time(_BEGAN)
    newest.settle()
    newest.asked.reverse()
    newest.answer(Reason("busy"))
    assert newest.transcript._highlights.here == HEAD - PAGE + 1


def test_a_match_on_an_island_has_its_surroundings(newest: Reading) -> None:
    """What is around it is fetched on both sides, as one looks there."""
    newest.have(700, 704)
    newest.asked.clear()
    newest.transcript.go_to(702)
    newest.settle()
    assert newest.held == [700, 701, 702, 703, 704]
    assert set(newest.asked) == {Wanted(ROOM, before=700), Wanted(ROOM, around=705)}
    while newest.asked:
        newest.answer()
    assert {*range(690, 715)} <= {*newest.held}
    assert newest.text.dlineinfo(newest.text.search("#702 ", "1.0")) is not None


def test_who_was_away_is_shown_the_newest_page_when_it_comes(reading: Reading) -> None:
    """What was here is above a gap, which is filled when somebody scrolls there."""
    reading.have(1, 300)
    reading.show()
    assert reading.held[-1] == 300
    reading.asked.append(Wanted(ROOM))
    reading.answer()
    assert reading.held[-1] == HEAD
    assert reading.transcript.at_bottom
    reading.until(250, -1)
    reading.until(HEAD, 1)
    assert reading.reader.is_whole(ROOM)


def test_who_reads_further_up_is_left_alone_when_the_newest_page_comes(reading: Reading) -> None:
    """The way down leads through the gap, or by the button for the latest."""
    reading.have(1, 300)
    reading.show()
    reading.text.yview_scroll(-3, "pages")
    reading.settle()
    seen = reading.text.get("@0,0 linestart", "@0,0 lineend")
    reading.asked.append(Wanted(ROOM))
    reading.answer()
    assert reading.text.get("@0,0 linestart", "@0,0 lineend") == seen
    assert not reading.transcript.at_bottom
    assert reading.transcript._reading.has_newer
    reading.until(HEAD, 1)
    assert reading.reader.is_whole(ROOM)


def test_what_is_said_before_the_newest_page_is_here_is_shown(reading: Reading) -> None:
    """Below a gap that the page fills."""
    reading.have(1, 300)
    reading.show()
    reading.hear(HEAD + 1, HEAD + 2)
    assert reading.held == [HEAD + 1, HEAD + 2]
    reading.asked.clear()
    reading.asked.append(Wanted(ROOM))
    reading.answer()
    assert reading.held[-1] == HEAD + 2
    assert reading.transcript.at_bottom
    reading.until(250, -1)
    reading.until(HEAD + 2, 1)


def test_of_an_empty_conversation_nothing_is_fetched(reading: Reading) -> None:
    """Nothing is missing where nothing was said."""
    reading.show()
    reading.transcript.go_to_first()
    reading.transcript.go_to_time(_BEGAN)
    reading.transcript.disconnected()
    reading.transcript.look_again()
    reading.settle()
    assert (reading.asked, reading.line) == ([], "")


def test_the_heading_of_a_day_can_be_clicked(newest: Reading) -> None:
    """It tells of the message below it; what is beside it does nothing."""
    newest.to_top()
    box = newest.text.bbox(newest.text.search("October", "1.0"))
    assert box is not None
    x, y, width, height = box
    for press in ("<Motion>", "<Button-1>", "<ButtonRelease-1>"):
        newest.text.event_generate(press, x=x + width // 2, y=y + height // 2)
    assert newest.days == [event(HEAD - PAGE + 1).sent_at]
    newest.transcript.go_to_date()
    assert newest.days[1:] == [None]
