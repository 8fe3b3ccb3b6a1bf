"""The message list before texts of any length and kind: little is drawn, and never much at once."""

from __future__ import annotations

import gc
import time
import tkinter as tk
from collections.abc import Callable, Iterator, Sequence

import pytest

from chat_client.state.outbox_message import OutboxMessage
from chat_client.window.transcript.content import Content
from chat_client.window.transcript.folds import MOST_UNFOLDED
from chat_client.window.transcript.held import STEP_WEIGHT
from chat_client.window.transcript.view import Transcript
from chat_client.window.transcript.wording import FOLDED, WHOLE, weight
from common.protocol.events import Event
from common.ui.look.theme import Theme
from tests.events import said
from tests.gui.harness import DEADLINE, Alarm, wait
from tests.unit.chat_client.test_wording import WORST

SAID = 40
LONGEST_TURN = 0.5
"""Seconds of processor time, with much to spare: what this is about took a minute."""
_BEGIN = 1_760_000_000_000


class Kept:
    """A room's events in memory."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = list(events)

    def before(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events before `seq`, in order."""
        del room
        return self.events[max(0, seq - 1 - count) : seq - 1]

    def after(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events after `seq`, in order."""
        del room
        return self.events[seq : seq + count]

    def latest(self, room: str, count: int) -> list[Event]:
        """The newest events, in order."""
        del room
        return self.events[-count:]

    def missing_after(self, room: str, seq: int) -> bool:
        """Whether only the server has what is after `seq`."""
        del room, seq
        return False

    def place_at(self, room: str, at: int) -> tuple[int, bool]:
        """Nobody goes to a day."""
        del room, at
        return 0, True

    def outbox(self, room: str) -> list[OutboxMessage]:
        """Nothing is on its way out."""
        del room
        return []


def of_three(texts: Sequence[str], first: int = 1) -> list[Event]:
    """Messages of three people."""
    return [
        said(seq, f"person{seq % 3}", text, sent_at=_BEGIN + seq * 1000)
        for seq, text in enumerate(texts, first)
    ]


class Shown:
    """A transcript in a window, whose turns are timed."""

    def __init__(self, root: tk.Tk, texts: Sequence[str]) -> None:
        self.root = root
        self.kept = Kept(of_three(texts))
        self.opened: list[str] = []
        self.longest = 0.0
        self._clock = 0
        self.transcript = Transcript(
            root,
            Theme(root, "light", scale=1.0),
            self.kept,
            str.capitalize,
            on_bottom=lambda _: None,
            on_link=self.opened.append,
            on_failed=lambda *_: None,
        )
        self.text = self.transcript.text
        self.transcript.pack(fill="both", expand=True)
        self.timed(lambda: self.transcript.show("general", "person1"))
        self.settle()

    def timed(self, do: Callable[[], object]) -> None:
        """Do something, as one turn of the window's loop."""
        began = time.thread_time()
        do()
        self.longest = max(self.longest, time.thread_time() - began)

    def settle(self) -> None:
        """Let the window do all that it wants to, turn by turn."""
        transcript = self.transcript

        def done() -> bool:
            return not transcript._pager.busy and not transcript._folds.busy

        deadline = time.monotonic() + DEADLINE
        while True:
            self.timed(lambda: self.root.tk.dooneevent(2))
            if done() and not self.root.tk.dooneevent(2):
                return
            assert time.monotonic() < deadline, "it never rests"

    def hear(self, texts: Sequence[str]) -> None:
        """More messages come, one by one."""
        for event in of_three(texts, len(self.kept.events) + 1):
            self.kept.events.append(event)
            self.timed(lambda event=event: self.transcript.add([event]))  # type: ignore[misc]
        wait(self.root, lambda: not self.transcript._live.busy, "the messages", DEADLINE)
        self.settle()

    def said_of(self, seq: int) -> str:
        """What is drawn of a message."""
        return self.text.get(*self.transcript._places.stretch(seq))

    def click(self, words: str) -> None:
        """Click on words; the last of them in the list."""
        place = self.text.search(words, "end", backwards=True)
        assert place, self.text.get("1.0", "end")[-300:]
        self.text.see(place)
        self.settle()
        box = self.text.bbox(place)
        assert box is not None
        x, y = box[0] + 2, box[1] + box[3] // 2
        self._clock += 5_000  # or it would be the second click of two
        for name in ("<Enter>", "<Motion>", "<ButtonPress-1>", "<ButtonRelease-1>"):
            self.text.event_generate(name, x=x, y=y, time=self._clock)
        self.settle()


@pytest.fixture
def show(bare_root: tk.Tk, alarm: Alarm) -> Iterator[Callable[[Sequence[str]], Shown]]:
    """Shows a room with these messages."""
    del alarm
    bare_root.geometry("700x600+0+0")
    yield lambda texts: Shown(bare_root, texts)
    gc.collect()  # here and now: on another thread it would end the process


@pytest.mark.parametrize("text", WORST)
def test_forty_of_any_text_cost_no_tags_and_little_time(
    show: Callable[[Sequence[str]], Shown], text: str
) -> None:
    """At the start, when they come, when the colours change and while somebody scrolls."""
    shown = show([text] * SAID)
    tags = len(shown.text.tag_names())
    shown.hear([text] * SAID)
    assert shown.transcript._reading.events.last == 2 * SAID
    assert shown.transcript.at_bottom
    shown.timed(shown.transcript._theme.toggle)
    shown.settle()
    for _ in range(3):
        shown.timed(lambda: shown.text.yview_moveto(0.0))
        shown.settle()
    assert len(shown.text.tag_names()) == tags < 40
    drawn = len(shown.transcript._reading.events)
    assert len(shown.text.image_names()) <= drawn * (WHOLE.costly + 4)
    assert len(shown.text.get("1.0", "end")) <= drawn * (FOLDED.characters + 8 * WHOLE.costly + 99)
    marks = [mark for mark in shown.text.mark_names() if mark[0] in "eo"]
    assert len(marks) <= drawn + 2
    assert shown.longest < LONGEST_TURN


@pytest.mark.parametrize("text", WORST)
def test_no_turn_draws_more_than_its_share(
    show: Callable[[Sequence[str]], Shown], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of such texts comes in several turns, each of a bounded weight."""
    turns: list[int] = []
    for name in ("append", "prepend"):
        draw = getattr(Content, name)

        def counting(
            self: Content, events: Sequence[Event], draw: Callable[..., None] = draw
        ) -> None:
            before = self._events._weight
            draw(self, events)
            turns.append(self._events._weight - before)

        monkeypatch.setattr(Content, name, counting)
    shown = show([text] * SAID)
    for _ in range(5):
        shown.text.yview_moveto(0.0)
        shown.settle()
    shown.transcript.show_latest()
    shown.transcript.go_to(SAID // 2)
    shown.settle()
    assert turns
    # A place that is gone to has one before it and one after it, however heavy they are.
    assert max(turns) <= STEP_WEIGHT + weight(text)


@pytest.mark.parametrize("text", ["word " * 3000, "line\n" * 3000, "\U0001f600" * 500])
def test_a_long_text_can_be_shown_and_folded_again(
    show: Callable[[Sequence[str]], Shown], text: str
) -> None:
    """By a click on "Show all", bit by bit, and on "Show less" at its end."""
    shown = show([text, "after it"])
    folded = shown.said_of(1)
    assert f"Show all ({len(text):,} characters)" in folded
    shown.click("Show all")
    rich = shown.transcript._pen.rich
    whole = rich.get(*shown.transcript._places.stretch(1))
    plain = "".join(whole.split())
    assert "".join(text.split()) in plain
    assert "Show all" not in whole
    shown.click("Show less")
    assert shown.said_of(1) == folded
    assert shown.longest < LONGEST_TURN


def test_what_is_folded_within_a_group_stays_in_its_place(
    show: Callable[[Sequence[str]], Shown],
) -> None:
    """Where no head stands above it, as below other words of its sender: it is its own text."""
    shown = show([])
    shown.kept.events = [
        said(seq, "person1", text, sent_at=_BEGIN + seq * 1000)
        for seq, text in enumerate(("before it", "word " * 2500, "after it"), 1)
    ]
    shown.transcript.show_latest()
    shown.settle()
    before = [shown.said_of(seq) for seq in (1, 2, 3)]
    shown.transcript._folds.toggle(2)
    shown.settle()
    shown.transcript._folds.toggle(2)
    assert [shown.said_of(seq) for seq in (1, 2, 3)] == before
    shown.text.tag_add("sel", *shown.transcript._places.stretch(2))
    assert shown.transcript.selected() == "word " * 2500


def test_only_a_few_long_texts_are_unfolded_at_once(
    show: Callable[[Sequence[str]], Shown],
) -> None:
    """One more folds the first of them; the list stays small."""
    shown = show(["a " * 8000] * 5)
    for seq in range(1, 6):
        shown.transcript._folds.unfold(seq)
        shown.settle()
    whole = [seq for seq in range(1, 6) if len(shown.said_of(seq)) > 10_000]
    assert whole == [3, 4, 5]
    assert len(whole) == MOST_UNFOLDED


def test_two_long_texts_unfold_beside_each_other(
    show: Callable[[Sequence[str]], Shown],
) -> None:
    """Asked for again, or while another one unfolds, each is drawn once."""
    texts = [f"{name} " * 2500 for name in ("one", "two")]
    shown = show(texts)
    for seq in (1, 2, 1, 2):
        shown.transcript._folds.unfold(seq)
    shown.settle()
    for seq, name in ((1, "one"), (2, "two")):
        assert shown.said_of(seq).split().count(name) == 2500


def test_the_words_looked_for_are_unfolded(show: Callable[[Sequence[str]], Shown]) -> None:
    """A match in what is not drawn is drawn when somebody goes there."""
    shown = show(["lorem " * 2000 + "anchor " + "ipsum " * 500, *["after it"] * 3])
    transcript = shown.transcript
    transcript.highlight("anchor")
    transcript.go_to(1)
    shown.settle()
    place = shown.text.search("anchor", "1.0")
    assert place
    assert shown.text.dlineinfo(place) is not None
    assert "found" in shown.text.tag_names(place)


def test_a_link_is_told_by_its_place(show: Callable[[Sequence[str]], Shown]) -> None:
    """Behind emoji, marks that are not drawn, and in a message of many."""
    shown = show(
        [
            "\U0001f600\u200e\u202ahttps://a.example/one\u202c and https://a.example/two",
            " ".join(f"https://a.example/n{n}" for n in range(200)),
        ]
    )
    for words, url in (
        ("https://a.example/one", "https://a.example/one"),
        ("https://a.example/two", "https://a.example/two"),
        ("https://a.example/n17", "https://a.example/n17"),
    ):
        shown.click(words)
        assert shown.opened[-1:] == [url]
    count = len(shown.opened)
    shown.click("https://a.example/n50")
    assert len(shown.opened) == count


def test_a_burst_of_heavy_texts_is_followed(show: Callable[[Sequence[str]], Shown]) -> None:
    """More than can be drawn in one go: the end of it is in view."""
    shown = show(["hello"])
    first = len(shown.kept.events) + 1
    shown.kept.events += of_three(["\U0001f600" * 4096] * 50, first)
    shown.timed(lambda: shown.transcript.add(shown.kept.events[1:]))
    shown.settle()
    assert shown.transcript._reading.events.last == 51
    assert shown.transcript.at_bottom
    assert shown.longest < LONGEST_TURN
