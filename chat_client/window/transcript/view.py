"""The message list: a Text that holds a few hundred messages and pages the rest from the cache.

Every event shown has a mark at its beginning. Going up or down brings the next page at that
end and trims the other, so the widget's size never depends on the room's. What is drawn in one
go is bounded by its weight, whatever the texts are; the rest comes when Tk is idle.
"""

import math
import tkinter as tk
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import datetime
from time import perf_counter
from typing import Final, Protocol, assert_never

from chat_client.cache.search import pattern
from chat_client.state.news import HistoryAdded, Wanted
from chat_client.state.outbox_message import OutboxMessage
from chat_client.window.transcript.draw_budget import Pace
from chat_client.window.transcript.drawing import drawing_of
from chat_client.window.transcript.folds import Folds
from chat_client.window.transcript.held import STEP_WEIGHT, fitting
from chat_client.window.transcript.highlights import Highlights
from chat_client.window.transcript.missing import PATIENCE, Missing
from chat_client.window.transcript.pen import Pen
from chat_client.window.transcript.places import Places
from chat_client.window.transcript.pointer import Pointer
from chat_client.window.transcript.reading import PAGE, Draw, Reading
from chat_client.window.transcript.selection import Said, selected
from chat_client.window.transcript.style import INDENT, Styles, read_only
from chat_client.window.transcript.timeline import Entry, as_event, lay_out
from chat_client.window.transcript.wording import link_at, portions
from common.domain.search_normalization import comparable_places
from common.protocol.events import Event
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.scrolling import Scrollbar
from common.ui.widgets.selection import copy, own_selection

_NEAR: Final = 900
"""Pixels from an end at which the next page is fetched."""
_DRAWN: Final = 20
"""Milliseconds in which a place that was gone to is on the screen."""
_LOADING_AT: Final = 2, 48
"""Distances of what is said about missing messages from the upper edge, where it stands above the
day, and from the lower one, where it leaves room for the way to the latest; px at 96 dpi."""
_OUTBOX_SHOWN: Final = 50
_TICK: Final = 20_000
"""Milliseconds between two looks at the date. Not one timer for midnight: clocks jump."""


class Source(Protocol):
    """Where the events come from: the cache, for one room."""

    def before(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events before `seq`, in order."""

    def after(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events after `seq`, in order."""

    def latest(self, room: str, count: int) -> list[Event]:
        """The newest events, in order."""

    def missing_before(self, room: str, seq: int) -> bool:
        """Whether events before `seq` are on the server and not here."""

    def missing_after(self, room: str, seq: int) -> bool:
        """Whether newer events are here, and not those right after `seq`."""

    def place_at(self, room: str, at: int) -> tuple[int, bool]:
        """The first event that is here of a time or later, and if it is the first of all."""

    def outbox(self, room: str) -> list[OutboxMessage]:
        """What is not in the room yet."""


class Transcript(Panel):
    """Shows one room at a time.

    `name_of(username)` says how somebody is called, `handle_of` what tells them from somebody
    whose name looks the same. `on_bottom(bool)` is told whether the newest message is in view;
    `on_link(url)` when a link is clicked; `on_failed(message, action)` for "edit" or "delete" on
    one not sent. `on_missing(wanted)` asks for a page that only the server has; `history_added` is
    to be called when it is here, or can't be had. `on_day(sent_at)` is told when the heading of
    a day is clicked, of the message below it, and `on_day(None)` when somebody wants to go to
    another day. `now()` is the time in this computer's zone.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        source: Source,
        name_of: Callable[[str], str],
        *,
        handle_of: Callable[[str], str] = lambda _: "",
        on_bottom: Callable[[bool], object],
        on_link: Callable[[str], object],
        on_failed: Callable[[OutboxMessage, str], object],
        on_missing: Callable[[Wanted], object] = lambda _: None,
        on_day: Callable[[int | None], object] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        super().__init__(parent, theme, "window")
        self._theme = theme
        self._source = source
        self._name_of, self._handle_of = name_of, handle_of
        self._now = now
        self._today = now().date()
        """The day for which the headings are written."""
        self._clock: str | None = None
        self._on_link, self._on_failed = on_link, on_failed
        self._on_day = on_day
        self._missing = Missing(on_missing)
        self._target: Wanted | None = None
        """The page to show as soon as it is here: somebody goes to the beginning, or to a day."""
        self._say_later: str | None = None
        self.room: str | None = None
        self._reading = Reading(on_bottom)
        self._events = self._reading.events
        self._outgoing: list[OutboxMessage] = []
        """What is drawn below the events."""
        self._going_down = False
        self._me = ""
        self._here = 0
        """The place that was gone to; 0 for none."""
        self._sought = 0
        """The place whose words will be shown when it is unfolded; 0 for none."""
        self._check: str | None = None
        self._draw_later: str | None = None
        self._pace = Pace()
        self._mark_later: str | None = None
        self._build()

    def _build(self) -> None:
        theme = self._theme
        self.text = tk.Text(self, wrap="word", cursor="arrow", width=1, height=1, undo=False)
        self.text.configure(padx=theme.px(20), pady=theme.px(10), takefocus=True)
        self._scrollbar = Scrollbar(self, theme, self.text.yview)
        self.text.configure(yscrollcommand=self._viewed)
        self._scrollbar.pack(side="right", fill="y")
        self.text.pack(side="left", fill="both", expand=True)
        self._nothing = Label(self.text, theme, "Nothing has been said here yet", tone="muted")
        self._loading = Label(self.text, theme, font="label", tone="muted")
        read_only(self.text)
        self.ring_for(self.text)
        for keys in ("<Home>", "<Control-Home>"):
            self.text.bind(keys, lambda _: self.go_to_first())
        for keys in ("<End>", "<Control-End>"):
            self.text.bind(keys, lambda _: self.go_to_latest())
        self._styles = Styles(self.text, theme)
        self._pen = Pen(self.text, theme, self._styles)
        self._places = Places(self.text, self._pen.rich)
        self._folds = Folds(
            self.text, self._pen, self._places, self._events, self._stretch, self._unfolded
        )
        self._highlights = Highlights(self.text, self._pen.rich)
        self._pointer = Pointer(self.text, theme, self._places, self)
        self.text.bind("<<Copy>>", self._copy)
        # At the end of what is here nothing moves, and the view would not tell of it.
        for scrolls in ("<MouseWheel>", "<Button-4>", "<Button-5>", "<Up>", "<Down>", "<Prior>",
                        "<Next>"):  # fmt: skip
            self.text.bind(scrolls, lambda _: self._schedule_check(), add="+")
        own_selection(self.text, self.selected)
        self.text.bind("<Configure>", self._resized)
        self.text.bind("<Destroy>", lambda _: self._stop())
        theme.subscribe(self.text, self._paint_text)
        self._tick()

    # What the screen says

    def show(self, room: str, me: str) -> None:
        """Show the newest messages of a room."""
        self.room, self._me, self._here = room, me, 0
        self._missing.forget()
        self.show_latest()

    def show_latest(self) -> None:
        """Go to the newest message."""
        self._target = None
        self._draw_latest()

    def _draw_latest(self) -> None:
        if self.room is None:
            return
        self._clear(more=False)
        self._append(fitting(self._source.latest(self.room, PAGE), newest=True))
        self._show_outbox()
        self._to_bottom()
        self._schedule_check()

    def go_to_latest(self) -> None:
        """Have the newest message in view, and draw no more for it than is needed."""
        self._target = None
        if self._reading.has_newer:
            self.show_latest()
        else:
            self._to_bottom()

    def go_to_first(self) -> None:
        """Have the oldest message that there is in view, as soon as it is here."""
        self._target = None
        if self.room is None or not len(self._events):
            return
        if self._source.after(self.room, 0, 1):
            self._show_from(1)
        else:
            self._aim(Wanted(self.room, around=1))

    def go_to_time(self, at: int) -> None:
        """Have the first message from a time on in view, in ms, as soon as it is here."""
        self._target = None
        if self.room is None or not len(self._events):
            return
        seq, is_first = self._source.place_at(self.room, at)
        if is_first:
            self.go_to(seq)
        else:
            self._aim(Wanted(self.room, at=at))

    def _aim(self, wanted: Wanted) -> None:
        """Show a page when it is here."""
        self._target = wanted
        self._want(wanted)

    def _hit(self, target: Wanted, places: tuple[int, ...]) -> None:
        """Show what somebody went to: now it is here, or nothing nearer to it can be had."""
        if self.room is None:
            return
        if target.at is None:
            self._show_from(1 if places else self._source.place_at(self.room, 0)[0])
            return
        seq, _ = self._source.place_at(self.room, target.at)
        if places:
            page = self._source.after(self.room, places[0] - 1, places[1] + 1 - places[0])
            later = (event.seq for event in page if event.sent_at >= target.at)
            seq = next(later, places[1])
        self.go_to(seq)

    def _show_from(self, seq: int) -> None:
        """Have a place at the top of the view."""
        page = [] if self.room is None else self._source.after(self.room, seq - 1, PAGE // 2)
        if page and self._events.at(page[0].seq) is None:
            after = fitting(page, newest=False)
            self._clear(more=self._more_after(page, after, PAGE // 2))
            self._append(after)
            if not self._reading.has_newer:
                self._show_outbox()
        if page:
            self.text.yview(f"e{page[0].seq}")
        self._reading.see_end(self._end_in_view())
        self._load_more()

    def scroll_pages(self, count: int) -> None:
        """Go up, if `count` is negative, or down by as many views."""
        self.text.yview_scroll(count, "pages")
        self._schedule_check()

    def highlight(self, words: str) -> None:
        """Mark these words wherever they are shown; none for ""."""
        self._here = 0
        self._highlights.clear()
        self._highlights.pattern = pattern(words) if words else None
        self._mark_soon()

    def _mark_soon(self) -> None:
        """Mark anew what is looked for, when all that is due is drawn."""
        if self._highlights.pattern is not None and self._mark_later is None:
            self._mark_later = self.after_idle(self._mark)

    def _mark(self) -> None:
        self._mark_later = None
        self._highlights.mark_view()

    def go_to(self, seq: int) -> None:
        """Have a place of the room in view, and its message marked."""
        self._target = None
        if self.room is None:
            return
        if self._events.at(seq) is None:
            # As much as is in view; the ends follow when that is on the screen.
            page = self._source.after(self.room, seq - 1, PAGE // 2)
            if not page or page[0].seq != seq:
                return  # The room was emptied meanwhile, as its server was set back.
            before = self._source.before(self.room, seq, PAGE // 4)
            after = fitting(page, newest=False, most=STEP_WEIGHT * 2 // 3)
            self._clear(more=self._more_after(page, after, PAGE // 2))
            self._append([*fitting(before, newest=True, most=STEP_WEIGHT // 3), *after])
            if not self._reading.has_newer:
                self._show_outbox()
        self._here = seq
        self._show_here()
        self._unfold_words(seq)
        self._show_match(seq)
        self._reading.see_end(self._end_in_view())
        if self._check is not None:
            self.after_cancel(self._check)
        self._check = self.after(_DRAWN, self._load_near_ends)
        self._mark_soon()

    def _show_match(self, seq: int) -> None:
        """Have what is looked for in view, or the beginning of the message."""
        self._show_place(self._highlights.first_in(*self._stretch(seq)))

    def _unfold_words(self, seq: int) -> None:
        """Unfold a message if what is looked for is in a part of it that is not drawn."""
        at = self._events.at(seq)
        looked_for = self._highlights.pattern
        if at is None or looked_for is None:
            return
        text = self._events[at].text
        parts = portions(text)
        compared = comparable_places(text)
        match = looked_for.search(compared.text)
        drawn = parts[self._folds.drawn(seq) - 1].end
        if match is not None and compared.ends[match.end() - 1] > drawn:
            self._sought = seq
            self._unfold(seq)

    def _show_here(self) -> None:
        """Mark the message that was gone to, if it is drawn."""
        if self._here and self._events.at(self._here) is not None:
            self._highlights.show_here(*self._stretch(self._here))

    def _stretch(self, seq: int) -> tuple[str, str]:
        """From where to where an event is drawn."""
        at = self._events.at(seq)
        if at is None or at + 1 == len(self._events):
            return f"e{seq}", "tail"
        return f"e{seq}", f"e{self._events[at + 1].seq}"

    def _show_place(self, place: str) -> None:
        """Have a place in view, with a third of the view before it."""
        self.text.yview(place)
        # Near the end it stays further down than at the top.
        line = self.text.dlineinfo(place)
        above = line[1] - int(str(self.text.cget("pady"))) if line is not None else 0
        spare = self.text.winfo_height() // 3 - above
        if spare > 0:
            self.text.yview_scroll(-spare, "pixels")

    def add(self, events: Sequence[Event]) -> None:
        """New events of this room, already in the cache; drawn now, or a moment later."""
        self._roll_over()
        if not self._reading.hear(events):
            self._cancel_drawing()
            return
        pause = self._pace.pause(perf_counter())
        if pause <= 0 or self._reading.has_fresh_of(self._me):
            # What one has just said and came back must not be gone for a moment.
            self._draw_fresh()
        elif self._draw_later is None:
            self._draw_later = self.after(math.ceil(pause * 1000), self._draw_fresh)

    def _draw_fresh(self) -> None:
        """Draw what has gathered: some dozens as they are, of more only what will be in view."""
        self._cancel_drawing()
        self._look()
        began = perf_counter()
        draw, fresh = self._reading.take_fresh(selecting=self._has_selection())
        match draw:
            case Draw.NOTHING:
                return
            case Draw.LATEST:
                self._draw_latest()
            case Draw.APPEND:
                self._hide_outbox()
                self._append(fresh)
                self._show_outbox()
                if self.at_bottom:
                    self._trim_top()
                    self._to_bottom()
            case Draw.LEAVE:
                self._hide_outbox()
                self._schedule_check()
            case _:
                assert_never(draw)
        self._pace.done(began, perf_counter())

    def _cancel_drawing(self) -> None:
        if self._draw_later is not None:
            self.after_cancel(self._draw_later)
            self._draw_later = None

    def refresh_outbox(self) -> None:
        """Something was written, acknowledged, refused or dropped."""
        if self.room is None or self._reading.has_newer or self._draw_later is not None:
            return  # What is drawn in a moment has the outbox below it.
        self._look()
        follow = self.at_bottom
        self._hide_outbox()
        self._show_outbox()
        if follow:
            self._to_bottom()

    def shows(self, usernames: Container[str]) -> bool:
        """Whether there is anything of these people in it."""
        return any(event.sender in usernames for event in self._events)

    def rename(self, usernames: Container[str]) -> None:
        """Write the names of these people anew; what is selected stays so."""
        self._rewrite(
            [
                entry
                for entry in self._laid_out(self._events, None)
                if entry.sender in usernames and (entry.heads_group or entry.drawing.note)
            ]
        )

    def _rewrite(self, entries: Sequence[Entry]) -> None:
        """Draw the beginnings of these anew, with what is in view where it is."""
        if entries and len(self._events):
            anchor = None if self.at_bottom else self._anchor()
            self._redraw_beginnings(entries)
            self.refresh_outbox()
            self._to_bottom() if anchor is None else self._restore(anchor)

    def _tick(self) -> None:
        """Look at the date again soon, as a computer may sleep and a clock be set."""
        self._clock = self.after(_TICK, self._tick)
        self._roll_over()

    def _roll_over(self) -> None:
        """Write "Today" and "Yesterday" anew when it is another day."""
        today = self._now().date()
        if today == self._today:
            return
        self._today = today
        self._rewrite([e for e in self._laid_out(self._events, None) if self._has_day(e)])

    def _has_day(self, entry: Entry) -> bool:
        """Whether the heading of a day is drawn above an event."""
        mark, stop = self._stretch(entry.seq)
        place = self.text.tag_nextrange("day", mark, stop)
        return entry.day is not None and self.text.index(mark) in map(str, place)

    def _stop(self) -> None:
        self._cancel_drawing()
        self._folds.clear()
        for timer in (self._mark_later, self._check, self._clock, self._say_later):
            if timer is not None:
                self.after_cancel(timer)
        self._mark_later = self._check = self._clock = self._say_later = None

    # Drawing

    @property
    def at_bottom(self) -> bool:
        """Whether the newest message is in view."""
        return self._reading.follows

    def _clear(self, *, more: bool) -> None:
        """Begin with another part of the room, with `more` behind it or not."""
        self._cancel_drawing()
        self.text.delete("1.0", "end")
        self.text.mark_unset(*(m for m in self.text.mark_names() if m not in {"insert", "current"}))
        self._reading.restart(more=more)
        self._folds.clear()
        self._sought = 0
        self._outgoing.clear()
        # Right gravity, Tk's default: what is inserted at a mark comes before it.
        self.text.mark_set("tail", "1.0")

    def _append(self, events: Sequence[Event]) -> None:
        previous = self._events[-1] if len(self._events) else None
        for entry in self._laid_out(events, previous):
            self._pen.draw(entry, "tail")
        self._events.append(events)
        self._show_here()

    def _prepend(self, events: Sequence[Event]) -> None:
        """Put events before the first one, which may no longer begin its group or day."""
        first = self._events[0]
        *entries, begins = self._laid_out([*events, first], None)
        self._redraw_beginnings([begins])
        self.text.mark_set("page", "1.0")
        for entry in entries:
            self._pen.draw(entry, "page")
        # It was pushed on, as it has right gravity, too: it is where the page ends.
        self.text.mark_set(f"e{first.seq}", "page")
        self.text.mark_unset("page")
        self._events.prepend(events)
        self._show_here()

    def _redraw_beginnings(self, entries: Iterable[Entry]) -> None:
        """Draw days and heads of events anew; what was said stays, with its selection."""
        text = self.text
        for entry in entries:
            mark, stop = self._stretch(entry.seq)
            start = text.index(mark)
            body = self._places.body(mark, stop) or text.index(stop)
            selected = "sel" in text.tag_names(start)
            text.delete(start, body)
            text.mark_set("page", start)
            self._pen.draw_beginning(entry, "page")
            if selected:
                text.tag_add("sel", start, "page")
            text.mark_set(mark, start)
            text.mark_unset("page")

    def _laid_out(self, events: Iterable[Event], previous: Event | None) -> list[Entry]:
        return lay_out(events, previous, self._name_of, self._today, handle_of=self._handle_of)

    # Long texts

    def _toggle_fold(self, seq: int) -> None:
        self._fold(seq) if seq in self._folds else self._unfold(seq)

    def _unfold(self, seq: int) -> None:
        """Draw all of a long message, bit by bit."""
        first = self._folds.first_of_too_many
        if first is not None and seq not in self._folds:
            self._fold(first)
        self._folds.unfold(seq)

    def _fold(self, seq: int) -> None:
        """Draw only the beginning of a long message; what is in view stays where it is."""
        anchor = self._anchor()
        self._folds.fold(seq)
        if anchor[0] == seq:
            # What was in view is gone; its beginning is not.
            self.text.yview(self._stretch(seq)[0])
        else:
            self._restore(anchor)

    def _unfolded(self, seq: int, whole: bool) -> None:
        """More of a message is drawn."""
        if seq == self._here:
            self._show_here()
        if seq == self._sought and whole:
            self._sought = 0
            self._show_match(seq)
        self._mark_soon()

    # What is not in the room yet, below everything

    def _hide_outbox(self) -> None:
        # To the end itself would take the newline before `tail` along.
        self.text.delete("tail", "end-1c")
        self.text.mark_unset(*(f"o{number}" for number in range(len(self._outgoing))))
        self._outgoing.clear()

    def _show_outbox(self) -> None:
        if self.room is None:
            return
        outgoing = self._source.outbox(self.room)
        text = self.text
        text.mark_gravity("tail", "left")
        text.mark_set("outbox", "tail")
        previous = self._events[-1] if len(self._events) else None
        shown = outgoing[-_OUTBOX_SHOWN:]
        written = fitting([as_event(out, self._me) for out in shown], newest=True)
        shown = shown[len(shown) - len(written) :]
        entries = self._laid_out(written, previous)
        for number, (entry, out) in enumerate(zip(entries, shown, strict=True)):
            start = text.index("outbox")
            self._pen.draw_outgoing(entry, out, "outbox")
            text.mark_set(f"o{number}", start)
        self._outgoing = shown
        text.mark_unset("outbox")
        text.mark_gravity("tail", "right")
        if previous is None and not shown:
            self._nothing.place(relx=0.5, rely=0.4, anchor="center")
        else:
            self._nothing.place_forget()

    # The pointer and the selection

    def selected(self) -> str:
        """The characters that are selected, as they were sent; see `transcript_selection`."""
        marks = [f"e{event.seq}" for event in self._events]
        marks += [f"o{number}" for number in range(len(self._outgoing))]
        return selected(self.text, self._places, self._pen.rich, map(self.said, marks))

    def said(self, mark: str) -> Said:
        """What is drawn at a mark."""
        number = int(mark[1:])
        if mark[0] == "e":
            event = self._events.find(number)
            drawn, stop = self._folds.drawn(number), self._stretch(number)[1]
        else:
            event = as_event(self._outgoing[number], self._me)
            last = number + 1 == len(self._outgoing)
            drawn, stop = 1, "end-1c" if last else f"o{number + 1}"
        handle = self._handle_of(event.sender)
        name = " ".join(filter(None, (self._name_of(event.sender), handle)))
        note = drawing_of(event).note_about(name)
        return Said(mark, stop, name, event.sent_at, event.text, drawn, note)

    def link(self, mark: str, index: str) -> str | None:
        """The link that is drawn at a place of a message."""
        if "link" not in self.text.tag_names(index):
            return None
        said = self.said(mark)
        body = self._places.body(mark, said.stop) or index
        return link_at(
            said.text, self._places.original(said.text, said.drawn, body, index, end=True)
        )

    def clicked(self, mark: str, index: str, tags: tuple[str, ...]) -> None:
        """Something that does something was clicked."""
        if "more" in tags and mark[0] == "e":
            self._toggle_fold(int(mark[1:]))
        elif "day" in tags and mark[0] == "e":
            self._on_day(self._events.find(int(mark[1:])).sent_at)
        elif "edit" in tags or "delete" in tags:
            self._on_failed(self._outgoing[int(mark[1:])], "edit" if "edit" in tags else "delete")
        else:
            url = self.link(mark, index)
            if url is not None:
                self._on_link(url)

    def go_to_date(self) -> None:
        """Somebody wants to go to a day."""
        self._on_day(None)

    def copy_selected(self) -> None:
        """Put what is selected on the clipboard; if nothing is, leave it."""
        copy(self.text, self.selected())

    def _copy(self, _: object) -> str:
        self.copy_selected()
        return "break"

    def _has_selection(self) -> bool:
        return bool(self.text.tag_ranges("sel"))

    # Scrolling

    def _viewed(self, first: float, last: float) -> None:
        self._scrollbar.set(first, last)
        self._pointer.hide_time()
        self._mark_soon()
        if not self._going_down and self.text.winfo_height() > 1:
            # Tk tells this late at times, of a view that is no more: so it is asked.
            self._reading.see_end(self._end_in_view())
        self._schedule_check()

    def _look(self) -> None:
        """See whether somebody scrolled away, which Tk tells late while much is going on."""
        if self.at_bottom and self.text.winfo_height() > 1:
            self._reading.see_end(self._end_in_view())

    def _end_in_view(self) -> bool:
        """Whether the newest message is in view."""
        line = None if self._reading.has_newer else self.text.dlineinfo("end-1c")
        pad = int(str(self.text.cget("pady")))
        return line is not None and line[1] + line[3] <= self.text.winfo_height() - pad

    def _schedule_check(self) -> None:
        if self._check is None:
            self._check = self.after_idle(self._load_near_ends)

    def _load_near_ends(self) -> None:
        self._check = None
        if self.room is None or not len(self._events) or self.text.winfo_height() <= 1:
            return
        self._look()
        pause = self._pace.pause(perf_counter())
        if self.at_bottom and pause > 0:
            # While messages pour in, what is above them is not looked at.
            self._check = self.after(math.ceil(pause * 1000), self._load_near_ends)
            return
        near = self._theme.px(_NEAR)
        above = self._pixels("1.0", "@0,0")
        below = self._pixels(f"@0,{self.text.winfo_height()}", "end")
        if above < near and self._events.first > 1:
            page = self._source.before(self.room, self._events.first, PAGE)
            if page:
                self._load_before(fitting(page, newest=True))
                return
            self._want(Wanted(self.room, before=self._events.first))
        if below < near and self._reading.has_newer:
            page = self._source.after(self.room, self._events.last, PAGE)
            if not page and self._source.missing_after(self.room, self._events.last):
                # Around and not before a later one: of long messages few are in a page.
                self._want(Wanted(self.room, around=self._events.last + 1))
                return
            self._load_after(page)
            return
        self._say_what_is_missing()

    def _load_before(self, page: Sequence[Event]) -> None:
        # The first may lose its day and head to what comes before it, in view as it may be.
        anchor = None if self.at_bottom else self._anchor(at_least=1)
        self._prepend(page)
        if anchor is None:
            self._to_bottom()
        else:
            self._trim_bottom()
            self._restore(anchor)
        self._load_more()

    def _load_after(self, page: Sequence[Event]) -> None:
        taken = fitting(page, newest=False)
        anchor = self._anchor()
        self._append(taken)
        self._reading.brought(more=self._more_after(page, taken, PAGE))
        if not self._reading.has_newer:
            self._show_outbox()
        self._trim_top()
        self._restore(anchor)
        if page:
            self._load_more()

    def _more_after(self, page: Sequence[Event], taken: Sequence[Event], asked: int) -> bool:
        """Whether there is more after what is taken of a page of which so many were asked for."""
        if len(page) == asked or len(taken) < len(page) or not page or self.room is None:
            return len(page) == asked or len(taken) < len(page)
        return self._source.missing_after(self.room, page[-1].seq)

    # What only the server has

    def history_added(self, added: HistoryAdded) -> None:
        """A page came, or can't be had now."""
        wanted = added.wanted
        if wanted.room != self.room:
            return
        if added.places:
            self._missing.came(wanted)
        else:
            self._missing.failed(wanted, added.why, perf_counter())
        if wanted == self._target:
            self._target = None
            self._hit(wanted, added.places)
        elif added.places and wanted == Wanted(wanted.room):
            self._newest_added()
        self._schedule_check()

    def _newest_added(self) -> None:
        """The newest page came, which may not follow what is held: go there with who follows."""
        self._look()
        if not len(self._events) or (self.at_bottom and not self._has_selection()):
            self._draw_latest()
        elif self._source.after(self._events[0].room, self._events.last, 1) or (
            self._source.missing_after(self._events[0].room, self._events.last)
        ):
            self._hide_outbox()
            self._reading.brought(more=True)

    def look_again(self) -> None:
        """There is a connection: ask again for what was wanted in vain."""
        self._missing.forget()
        self._schedule_check()

    def disconnected(self) -> None:
        """Nothing that was asked for comes any more: show the nearest that is here."""
        self._missing.lost(perf_counter())
        target, self._target = self._target, None
        if target is not None:
            self._hit(target, ())
        self._schedule_check()

    def _want(self, wanted: Wanted) -> None:
        """Ask for a page that is not here, once."""
        self._missing.want(wanted, perf_counter())
        self._say_what_is_missing()

    def _say_what_is_missing(self) -> None:
        """Say at the end of what is here, if it is in view, that there is more, and where."""
        text, at_top = self._line_of_missing()
        if text:
            self._loading.set(text)
            above, below = map(self._theme.px, _LOADING_AT)
            if at_top:
                self._loading.place(relx=0.5, rely=0.0, y=above, anchor="n")
            else:
                self._loading.place(relx=0.5, rely=1.0, y=-below, anchor="s")
        else:
            self._loading.place_forget()
        if self._missing.waits and self._say_later is None:
            self._say_later = self.after(round(1000 * PATIENCE), self._say_again)

    def _say_again(self) -> None:
        self._say_later = None
        self._say_what_is_missing()

    def _line_of_missing(self) -> tuple[str, bool]:
        """What to say, and whether it is about what is above and not below."""
        now = perf_counter()
        if self.room is None:
            return "", True
        if self._target is not None:
            which = "the first" if self._target.at is None else "that day’s"
            return self._missing.line(self._target, which, now), True
        if not len(self._events):
            return "", True
        if self.text.dlineinfo("1.0") is not None:
            before = Wanted(self.room, before=self._events.first)
            line = self._missing.line(before, "older", now)
            if line:
                return line, True
        if self._reading.has_newer and self.text.dlineinfo("end-1c") is not None:
            after = Wanted(self.room, around=self._events.last + 1)
            return self._missing.line(after, "newer", now), False
        return "", True

    def _load_more(self) -> None:
        """Look at the ends again, after what the window has to do meanwhile."""
        if self._check is None:
            # A timer and not when idle: pages that are all idle work would keep events waiting.
            self._check = self.after(1, self._load_near_ends)

    def _pixels(self, start: str, end: str, *options: str) -> int:
        counted = self.text.tk.call(str(self.text), "count", *options, "-ypixels", start, end)
        return int(counted or 0)

    def _top(self) -> int:
        """Where among the events the first one in view stands."""
        mark = self._places.mark_at("@0,0")
        at = self._events.at(int(mark[1:])) if mark is not None and mark[0] == "e" else None
        return len(self._events) - 1 if at is None else at

    def _anchor(self, at_least: int = 0) -> tuple[int, int]:
        """The first event in view, and how far its beginning is from the top, in pixels.

        Or a later one, as the `at_least` first ones don't count.
        """
        seq = self._events[min(max(at_least, self._top()), len(self._events) - 1)].seq
        return seq, self._pixels(f"e{seq}", "@0,0", "-update") - self._pixel_offset()

    def _pixel_offset(self) -> int:
        """Where the first line is, from where a line scrolled to the top would be."""
        line = self.text.dlineinfo("@0,0")
        return 0 if line is None else line[1] - int(str(self.text.cget("pady")))

    def _restore(self, anchor: tuple[int, int]) -> None:
        seq, offset = anchor
        self.text.yview(f"e{seq}")
        self.text.yview_scroll(offset, "pixels")

    def _to_bottom(self) -> None:
        self._going_down = True
        try:
            # Not by a fraction: that needs the height of all lines, which takes long to know.
            self.text.yview("end")
        finally:
            self._going_down = False
        self._reading.see_end(True)

    def _trim_top(self) -> None:
        """Drop what is far above; the event that becomes the first keeps its look."""
        dropped = self._reading.drop_above(self._top())
        if dropped:
            self._forget(dropped)
            self.text.delete("1.0", f"e{self._events.first}")

    def _trim_bottom(self) -> None:
        bottom = self._places.mark_at(f"@0,{self.text.winfo_height()}")
        at = self._events.at(int(bottom[1:])) if bottom is not None and bottom[0] == "e" else None
        removed = self._reading.drop_below(at)
        if removed:
            self._hide_outbox()
            self.text.delete(f"e{removed[-1].seq}", "end-1c")
            self._forget(removed)
            self.text.mark_set("tail", "end-1c")

    def _forget(self, events: Sequence[Event]) -> None:
        self.text.mark_unset(*(f"e{event.seq}" for event in events))
        for event in events:
            self._folds.forget(event.seq)

    def _resized(self, _: object) -> None:
        if self.at_bottom:
            self._to_bottom()
        self._schedule_check()

    def _paint_text(self) -> None:
        """Give all that is there the colours of the moment; nothing is drawn anew."""
        palette, text = self._theme.palette, self.text
        text.configure(background=palette.window, foreground=palette.text)
        text.configure(
            selectbackground=palette.marked,
            inactiveselectbackground=palette.marked,
            selectforeground=palette.on_marked,
            tabs=self._theme.px(INDENT),
        )
        self._styles.configure()
        self._highlights.paint(self._theme)
        self._pen.repaint()
        self.refresh_outbox()
        self._mark_soon()
