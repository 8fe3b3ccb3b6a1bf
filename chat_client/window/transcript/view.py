"""The message list: a Text that holds a few hundred messages and pages the rest from the cache.

Every event shown has a mark at its beginning. Scrolling up or down loads the next page at that
end and trims the other, so the widget's size never depends on the room's. What is drawn in one
turn is bounded by its weight, whatever the texts are; the rest follows when Tk is idle.

Its parts: `reading` is the model (which events are held, where the reader is), `content` draws
it, `viewport` scrolls, `paging` loads pages, `fetching` requests them from the server, `live` draws
new events, and `navigation` jumps to events and dates.
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
"""Milliseconds between two checks of the date. Not one timer for midnight: clocks are set."""


class Transcript(Panel):
    """Shows one room at a time.

    `name_of(username)` returns the display name, `handle_of` the `@username` where another person's
    name looks the same, else ""; `mentions_in(text)` the mentions. `on_bottom(bool)` is called when
    the newest message comes into view or leaves it; `on_link(url)` when a link is clicked;
    `on_failed(message, action)` for one of `pen.ACTIONS` on a message that could not be sent.
    `on_missing(wanted)` requests a page that only the server has; call `history_added` when it has
    arrived or failed. `on_day(sent_at)` is called when a day heading is clicked, with the time of
    the message below it, and `on_day(None)` to choose a date without one; `on_view()` when the view
    has changed. `now()` is the local time.
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
        """The date that the headings are drawn for, and the UTC offset of all times."""
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
        # At an end of the held events scrolling does not change the view, so Tk reports nothing.
        for scrolls in ("<MouseWheel>", "<Button-4>", "<Button-5>", "<Up>", "<Down>", "<Prior>",
                        "<Next>"):  # fmt: skip
            text.bind(scrolls, lambda _: self._pager.look_soon(), add="+")
        own_selection(text, self.selected)
        text.bind("<Configure>", self._resized)
        text.bind("<Destroy>", lambda _: self._stop())
        theme.subscribe(text, self._paint_text)
        self._tick()

    # The room, and the position in it

    @property
    def room(self) -> str | None:
        """The room that is shown; None before the first."""
        return self._reading.room

    @property
    def at_bottom(self) -> bool:
        """Whether the newest message is in view."""
        return self._reading.follows

    def show(self, room: str, me: str, unread: Unread | None = None) -> None:
        """Show the newest messages of a room, with a line above the unread ones."""
        self._reading.room, self._reading.me, self._highlights.here = room, me, 0
        self._reading.unread = unread
        self._pen.me = me
        self._fetching.forget()
        self.show_latest()

    def show_latest(self) -> None:
        """Draw the newest page, and scroll to its end."""
        self._navigation.show_latest()

    def go_to_latest(self) -> None:
        """Scroll to the newest message, redrawing only if it is not held."""
        self._navigation.go_to_latest()

    def go_to_first(self) -> None:
        """Scroll to the oldest message of the room, as soon as it is cached."""
        self._navigation.go_to_first()

    def go_to_time(self, at: int) -> None:
        """Scroll to the first message sent at or after `at` (ms, UTC), as soon as it is cached."""
        self._navigation.go_to_time(at)

    def go_to(self, seq: int) -> None:
        """Scroll to an event and highlight it; does nothing if it is not cached."""
        self._navigation.go_to(seq)

    @property
    def first_in_view(self) -> int | None:
        """The `seq` of the first event in view; None while the list follows the newest."""
        if self.at_bottom or not len(self._reading.events):
            return None
        return self._viewport.anchor()[0]

    def show_from(self, seq: int) -> None:
        """Scroll an event to the top of the view, as soon as it is cached."""
        self._navigation.show_from(seq)

    def scroll_pages(self, count: int) -> None:
        """Scroll down by `count` views, or up if it is negative."""
        self.text.yview_scroll(count, "pages")
        self._pager.look_soon()

    def highlight(self, words: str) -> None:
        """Highlight these words wherever they are shown; nothing for ""."""
        self._highlights.look_for(pattern(words) if words else None)

    # Updates

    def add(self, events: Sequence[Event]) -> None:
        """Draw new events of this room, which are cached already, within the time budget."""
        self._roll_over()
        self._live.add(events)

    def refresh_outbox(self) -> None:
        """Redraw the outbox after a message in it was added, changed or removed."""
        self._live.refresh_outbox()

    def history_added(self, added: HistoryAdded) -> None:
        """Handle the arrival or failure of a requested page."""
        if added.wanted.room == self.room:
            self._navigation.history_added(added)

    def look_again(self) -> None:
        """Request failed pages again on a new connection."""
        self._fetching.forget()
        self._look_again()

    def _look_again(self) -> None:
        self._pager.look_soon()

    def disconnected(self) -> None:
        """Handle the loss of the connection: show the cached event nearest to a pending jump."""
        self._navigation.disconnected()

    # Changed names, dates and the unread line

    def shows(self, usernames: Container[str]) -> bool:
        """Whether any held event was sent by one of these people."""
        return self._content.shows(usernames)

    def rename(self, usernames: Container[str]) -> None:
        """Redraw the names of these people; the selection stays."""
        self._rewrite(self._content.headed_by(usernames))

    def _tick(self) -> None:
        """Check the date periodically, as the computer may be suspended and the clock set."""
        self._clock = self.after(_TICK, self._tick)
        self._roll_over()

    def _roll_over(self) -> None:
        """Redraw "Today" and "Yesterday" on another date, and all times in another time zone."""
        notice_time_zone()
        now = self._now()
        today, zone = now.date(), now.utcoffset()
        if (today, zone) != (self._today, self._zone):
            moved = zone != self._zone
            self._today, self._zone = today, zone
            self._rewrite(self._content.beginnings() if moved else self._content.headed_by_days())
            self.refresh_outbox()  # which may have the only heading

    def mark_unread(self, unread: Unread | None) -> None:
        """Draw the line above the unread messages, replace it, or remove it with None."""
        former, self._reading.unread = self._reading.unread, unread
        if former == unread:
            return
        places = sorted({each.after + 1 for each in (former, unread) if each is not None})
        self._rewrite([entry for seq in places for entry in self._content.headed_by_place(seq)])

    @property
    def unread(self) -> Unread | None:
        """The line above the unread messages, if there is one."""
        return self._reading.unread

    def unread_place(self) -> Literal["above", "in view", "below"] | None:
        """Where the first unread message is, relative to the view; None if there is none."""
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
        """Scroll to the line above the unread messages, as soon as the first one is cached."""
        if self._reading.unread is not None:
            self.show_from(self._reading.unread.after + 1)

    def _rewrite(self, entries: Sequence[Entry]) -> None:
        """Redraw the beginnings of these; the visible events keep their position."""
        if entries:
            anchor = None if self.at_bottom else self._viewport.anchor()
            self._content.redraw_beginnings(entries)
            self.refresh_outbox()
            self._viewport.to_bottom() if anchor is None else self._viewport.restore(anchor)

    # The pointer and the selection

    def selected(self) -> str:
        """The selected text as it was sent; see `selection`."""
        return self._content.selected()

    def said(self, mark: str) -> Said:
        """The message that is drawn at a mark."""
        return self._content.said(mark)

    def link(self, mark: str, index: str) -> str | None:
        """The URL of the link at a position of a message; None if there is none."""
        return self._content.link(mark, index)

    def clicked(self, mark: str, index: str, tags: tuple[str, ...]) -> None:
        """Handle a click on a button or another active part of a message."""
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
        """Let the person choose a date to jump to."""
        self._on_day(None)

    def copy_selected(self) -> None:
        """Copy the selection to the clipboard; without one, the clipboard is unchanged."""
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
        """Reconfigure tags and pictures for the current colours; no text is redrawn."""
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
