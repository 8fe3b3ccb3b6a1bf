"""The message list: a Text that holds a few hundred messages and pages the rest from the cache.

Every event shown has a mark at its beginning. Going up or down brings the next page at that
end and trims the other, so the widget's size never depends on the room's. What is drawn in one
go is bounded by its weight, whatever the texts are; the rest comes when Tk is idle.

What it is made of: `reading` is the model (which events are held, where the reader is), `content`
draws it, `viewport` scrolls, `paging` brings pages, `fetching` asks the server for them, `live`
draws what is new, and `navigation` goes to places.
"""

import tkinter as tk
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Final, Literal

from chat_client.cache.search import pattern
from chat_client.state.news import HistoryAdded, Wanted
from chat_client.state.outbox_message import OutboxMessage
from chat_client.window.transcript.content import Content
from chat_client.window.transcript.draw_budget import Pace
from chat_client.window.transcript.fetching import Fetching
from chat_client.window.transcript.folds import Folds
from chat_client.window.transcript.highlights import Highlights
from chat_client.window.transcript.live import Live
from chat_client.window.transcript.navigation import Navigation
from chat_client.window.transcript.paging import Pager
from chat_client.window.transcript.pen import ACTIONS, Pen
from chat_client.window.transcript.places import Places
from chat_client.window.transcript.pointer import Pointer
from chat_client.window.transcript.reading import Reading
from chat_client.window.transcript.selection import Said
from chat_client.window.transcript.source import Source
from chat_client.window.transcript.style import INDENT, Styles, read_only
from chat_client.window.transcript.timeline import Entry, Unread
from chat_client.window.transcript.viewport import Viewport
from common.domain.mentions import Mention
from common.protocol.events import Event
from common.system.clock import notice_time_zone
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Panel
from common.ui.widgets.scrolling import Scrollbar
from common.ui.widgets.selection import copy, own_selection

_TICK: Final = 20_000
"""Milliseconds between two looks at the date. Not one timer for midnight: clocks jump."""


class Transcript(Panel):
    """Shows one room at a time.

    `name_of(username)` says how somebody is called, `handle_of` what tells them from somebody whose
    name looks the same; `mentions_in(text)` who is mentioned. `on_bottom(bool)` is told whether the
    newest message is in view; `on_link(url)` when a link is clicked; `on_failed(message, action)`
    for one of `pen.ACTIONS` on one not sent. `on_missing(wanted)` asks for a page that only the
    server has; `history_added` is to be called when it is here, or can't be had. `on_day(sent_at)`
    is told when the heading of a day is clicked, of the message below it, and `on_day(None)` when
    somebody wants to go to another day; `on_view()` that another part is in view. `now()` is the
    time in this computer's zone.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        source: Source,
        name_of: Callable[[str], str],
        *,
        handle_of: Callable[[str], str] = lambda _: "",
        mentions_in: Callable[[str], Sequence[Mention]] = lambda _: (),
        on_bottom: Callable[[bool], object],
        on_link: Callable[[str], object],
        on_failed: Callable[[OutboxMessage, str], object],
        on_missing: Callable[[Wanted], object] = lambda _: None,
        on_day: Callable[[int | None], object] = lambda _: None,
        on_view: Callable[[], object] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        super().__init__(parent, theme, "window")
        self._theme = theme
        self._now = now
        self._today, self._zone = now().date(), now().utcoffset()
        """The day for which the headings are written, and for which zone all times."""
        self._clock: str | None = None
        self._on_link, self._on_failed, self._on_day = on_link, on_failed, on_day
        self._on_view = on_view
        self.text = tk.Text(self, wrap="word", cursor="arrow", width=1, height=1, undo=False)
        self._scrollbar = Scrollbar(self, theme, self.text.yview)

        text = self.text
        reading = self._reading = Reading(on_bottom)
        events = reading.events
        self._styles = Styles(text, theme)
        self._pen = Pen(text, theme, self._styles, mentions_in)
        places = self._places = Places(text, self._pen.rich, events)
        self._highlights = Highlights(text, self._pen.rich, places, events)
        viewport = self._viewport = Viewport(text, places, reading)
        folds = self._folds = Folds(
            text, self._pen, places, events, viewport, self._highlights.drawn
        )
        content = self._content = Content(
            text,
            theme,
            source,
            reading,
            self._pen,
            places,
            folds,
            self._highlights,
            name_of=name_of,
            handle_of=handle_of,
            today=lambda: self._today,
        )
        pace = Pace()
        fetching = self._fetching = Fetching(
            text, theme, reading, viewport, on_missing, self._look_again
        )
        pager = self._pager = Pager(text, theme, source, reading, content, viewport, fetching, pace)
        self._live = Live(text, reading, content, viewport, pager, pace)
        self._navigation = Navigation(
            source, reading, places, folds, self._highlights, viewport, fetching, pager
        )
        self._build()

    def _build(self) -> None:
        theme, text = self._theme, self.text
        text.configure(padx=theme.px(20), pady=theme.px(10), takefocus=True)
        text.configure(yscrollcommand=self._viewed)
        self._scrollbar.pack(side="right", fill="y")
        text.pack(side="left", fill="both", expand=True)
        read_only(text)
        self.ring_for(text)
        for keys in ("<Home>", "<Control-Home>"):
            text.bind(keys, lambda _: self.go_to_first())
        for keys in ("<End>", "<Control-End>"):
            text.bind(keys, lambda _: self.go_to_latest())
        self._pointer = Pointer(text, theme, self._places, self)
        text.bind("<<Copy>>", self._copy)
        # At the end of what is here nothing moves, and the view would not tell of it.
        for scrolls in ("<MouseWheel>", "<Button-4>", "<Button-5>", "<Up>", "<Down>", "<Prior>",
                        "<Next>"):  # fmt: skip
            text.bind(scrolls, lambda _: self._pager.look_soon(), add="+")
        own_selection(text, self.selected)
        text.bind("<Configure>", self._resized)
        text.bind("<Destroy>", lambda _: self._stop())
        theme.subscribe(text, self._paint_text)
        self._tick()

    # Where in the room

    @property
    def room(self) -> str | None:
        """The room that is shown."""
        return self._reading.room

    @property
    def at_bottom(self) -> bool:
        """Whether the newest message is in view."""
        return self._reading.follows

    def show(self, room: str, me: str, unread: Unread | None = None) -> None:
        """Show the newest messages of a room, with a line above what is new."""
        self._reading.room, self._reading.me, self._highlights.here = room, me, 0
        self._reading.unread = unread
        self._pen.me = me
        self._fetching.forget()
        self.show_latest()

    def show_latest(self) -> None:
        """Go to the newest message."""
        self._navigation.show_latest()

    def go_to_latest(self) -> None:
        """Have the newest message in view, and draw no more for it than is needed."""
        self._navigation.go_to_latest()

    def go_to_first(self) -> None:
        """Have the oldest message that there is in view, as soon as it is here."""
        self._navigation.go_to_first()

    def go_to_time(self, at: int) -> None:
        """Have the first message from a time on in view, in ms, as soon as it is here."""
        self._navigation.go_to_time(at)

    def go_to(self, seq: int) -> None:
        """Have a place of the room in view, and its message marked."""
        self._navigation.go_to(seq)

    @property
    def first_in_view(self) -> int | None:
        """The first event in view, by its place; None while the newest is followed."""
        if self.at_bottom or not len(self._reading.events):
            return None
        return self._viewport.anchor()[0]

    def show_from(self, seq: int) -> None:
        """Have an event at the top of the view, as soon as it is here."""
        self._navigation.show_from(seq)

    def scroll_pages(self, count: int) -> None:
        """Go up, if `count` is negative, or down by as many views."""
        self.text.yview_scroll(count, "pages")
        self._pager.look_soon()

    def highlight(self, words: str) -> None:
        """Mark these words wherever they are shown; none for ""."""
        self._highlights.look_for(pattern(words) if words else None)

    # What is new

    def add(self, events: Sequence[Event]) -> None:
        """New events of this room, already in the cache; drawn now, or a moment later."""
        self._roll_over()
        self._live.add(events)

    def refresh_outbox(self) -> None:
        """Something was written, acknowledged, refused or dropped."""
        self._live.refresh_outbox()

    def history_added(self, added: HistoryAdded) -> None:
        """A page came, or can't be had now."""
        if added.wanted.room == self.room:
            self._navigation.history_added(added)

    def look_again(self) -> None:
        """There is a connection: ask again for what was wanted in vain."""
        self._fetching.forget()
        self._look_again()

    def _look_again(self) -> None:
        self._pager.look_soon()

    def disconnected(self) -> None:
        """Nothing that was asked for comes any more: show the nearest that is here."""
        self._navigation.disconnected()

    # What is written otherwise now

    def shows(self, usernames: Container[str]) -> bool:
        """Whether there is anything of these people in it."""
        return self._content.shows(usernames)

    def rename(self, usernames: Container[str]) -> None:
        """Write the names of these people anew; what is selected stays so."""
        self._rewrite(self._content.headed_by(usernames))

    def _tick(self) -> None:
        """Look at the date again soon, as a computer may sleep and a clock be set."""
        self._clock = self.after(_TICK, self._tick)
        self._roll_over()

    def _roll_over(self) -> None:
        """Write "Today" and "Yesterday" anew when it is another day, and times in another zone."""
        notice_time_zone()
        now = self._now()
        today, zone = now.date(), now.utcoffset()
        if (today, zone) != (self._today, self._zone):
            moved = zone != self._zone
            self._today, self._zone = today, zone
            self._rewrite(self._content.beginnings() if moved else self._content.headed_by_days())
            self.refresh_outbox()  # which may have the only heading

    def mark_unread(self, unread: Unread | None) -> None:
        """Draw the line above what is new, or another one, or none any more."""
        former, self._reading.unread = self._reading.unread, unread
        if former == unread:
            return
        places = sorted({each.after + 1 for each in (former, unread) if each is not None})
        self._rewrite([entry for seq in places for entry in self._content.headed_by_place(seq)])

    @property
    def unread(self) -> Unread | None:
        """The line above what is new, if there is one."""
        return self._reading.unread

    def unread_place(self) -> Literal["above", "in view", "below"] | None:
        """Where the first of what is new is, seen from the view; None if nothing is."""
        unread, events = self._reading.unread, self._reading.events
        if unread is None or not len(events):
            return None
        first = unread.after + 1
        if events.at(first) is None:
            return "above" if first < events.first else "below"
        text = self.text
        if text.compare(f"e{first}", "<", "@0,0"):
            return "above"
        return "in view" if text.dlineinfo(f"e{first}") is not None else "below"

    def go_to_unread(self) -> None:
        """Have the line above what is new in view, as soon as it is here."""
        if self._reading.unread is not None:
            self.show_from(self._reading.unread.after + 1)

    def _rewrite(self, entries: Sequence[Entry]) -> None:
        """Draw the beginnings of these anew, with what is in view where it is."""
        if entries:
            anchor = None if self.at_bottom else self._viewport.anchor()
            self._content.redraw_beginnings(entries)
            self.refresh_outbox()
            self._viewport.to_bottom() if anchor is None else self._viewport.restore(anchor)

    # The pointer and the selection

    def selected(self) -> str:
        """The characters that are selected, as they were sent; see `selection`."""
        return self._content.selected()

    def said(self, mark: str) -> Said:
        """What is drawn at a mark."""
        return self._content.said(mark)

    def link(self, mark: str, index: str) -> str | None:
        """The link that is drawn at a place of a message."""
        return self._content.link(mark, index)

    def clicked(self, mark: str, index: str, tags: tuple[str, ...]) -> None:
        """Something that does something was clicked."""
        if "more" in tags and mark[0] == "e":
            self._folds.toggle(int(mark[1:]))
        elif "day" in tags and mark[0] == "e":
            self._on_day(self.said(mark).sent_at)
        elif action := next((tag for tag in ACTIONS if tag in tags), None):
            self._on_failed(self._content.outgoing(mark), action)
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

    # The widget

    def _viewed(self, first: float, last: float) -> None:
        whole = self._viewport.shows_all
        self._scrollbar.set(0 if whole else first, 1 if whole else last)
        self._pointer.hide_time()
        self._highlights.mark_soon()
        self._viewport.moved()
        self._pager.look_soon()
        self._on_view()

    def _resized(self, _: object) -> None:
        if self.at_bottom:
            self._viewport.to_bottom()
        self._pager.look_soon()

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
        self._highlights.mark_soon()

    def _stop(self) -> None:
        self._folds.clear()
        for part in (self._live, self._pager, self._highlights, self._fetching):
            part.stop()
        if self._clock is not None:
            self.after_cancel(self._clock)
            self._clock = None
