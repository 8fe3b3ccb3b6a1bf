"""The message list: a Text that holds a few hundred messages and pages the rest from the cache.

Every event shown has a mark at its beginning. Going up or down brings the next page at that
end and trims the other, so the widget's size never depends on the room's.
"""

import math
import tkinter as tk
from collections import deque
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from time import perf_counter
from typing import Final, Protocol

from chat_client.cache.search import pattern
from chat_client.state.event import Event
from chat_client.state.outgoing import Outgoing
from chat_client.window.highlights import Highlights
from chat_client.window.pace import Pace
from chat_client.window.timeline import Entry, as_event, lay_out
from chat_client.window.transcript_pen import Pen
from chat_client.window.transcript_style import INDENT, configure_tags, read_only
from window.basics import Label, Panel
from window.scrolling import Scrollbar
from window.text import safe_lines
from window.theme import Theme

PAGE: Final = 40
"""Events fetched at once."""
MOST: Final = 320
"""Events the widget holds at most."""
BURST: Final = 60
"""More new events than this at once are not drawn one by one: the latest page is."""
_NEAR: Final = 900
"""Pixels from an end at which the next page is fetched."""
_DRAWN: Final = 20
"""Milliseconds in which a place that was gone to is on the screen."""
_OUTBOX_SHOWN: Final = 50


class Source(Protocol):
    """Where the events come from: the cache, for one room."""

    def before(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events before `seq`, in order."""

    def after(self, room: str, seq: int, count: int) -> list[Event]:
        """At most `count` events after `seq`, in order."""

    def latest(self, room: str, count: int) -> list[Event]:
        """The newest events, in order."""

    def outbox(self, room: str) -> list[Outgoing]:
        """What is not in the room yet."""


class Transcript(Panel):
    """Shows one room at a time.

    `on_bottom(bool)` is told whether the newest message is in view; `on_link(url)` when a
    link is clicked; `on_failed(message, action)` for "edit" or "delete" on one not sent.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        source: Source,
        name_of: Callable[[str], str],
        *,
        on_bottom: Callable[[bool], object],
        on_link: Callable[[str], object],
        on_failed: Callable[[Outgoing, str], object],
    ) -> None:
        super().__init__(parent, theme, "window")
        self._theme = theme
        self._source = source
        self._name_of = name_of
        self._on_bottom = on_bottom
        self.room: str | None = None
        self._events: deque[Event] = deque()
        self._has_newer = False
        self._at_bottom = True
        self._going_down = False
        self._me = ""
        self._here = 0
        """The place that was gone to; 0 for none."""
        self._check: str | None = None
        self._fresh: list[Event] = []
        """New events that are not drawn yet."""
        self._draw_later: str | None = None
        self._pace = Pace()
        self.text = tk.Text(self, wrap="word", cursor="arrow", width=1, height=1, undo=False)
        self.text.configure(padx=theme.px(20), pady=theme.px(10), takefocus=True)
        self._scrollbar = Scrollbar(self, theme, self.text.yview)
        self.text.configure(yscrollcommand=self._viewed)
        self.text.pack(side="left", fill="both", expand=True)
        self._nothing = Label(self.text, theme, "Nothing has been said here yet", tone="muted")
        read_only(self.text)
        self.ring_for(self.text)
        self.text.bind("<Home>", lambda _: self.text.yview_moveto(0.0))
        self.text.bind("<End>", lambda _: self.go_to_latest())
        self._pen = Pen(self.text, theme, on_link=on_link, on_failed=on_failed)
        self._highlights = Highlights(self.text, self._pen.rich)
        self._mark_later: str | None = None
        self.text.bind("<Configure>", self._resized)
        self.text.bind("<Destroy>", lambda _: self._stop())
        theme.subscribe(self.text, self._paint_text)

    # What the screen says

    def show(self, room: str, me: str) -> None:
        """Show the newest messages of a room."""
        self.room, self._me, self._here = room, me, 0
        self.show_latest()

    def show_latest(self) -> None:
        """Go to the newest message."""
        if self.room is None:
            return
        self._clear()
        self._forget_fresh()
        self._has_newer = False
        events = self._source.latest(self.room, PAGE)
        self._append(events)
        self._show_outbox()
        self._to_bottom()
        self._schedule_check()

    def go_to_latest(self) -> None:
        """Have the newest message in view, and draw no more for it than is needed."""
        if self._has_newer:
            self.show_latest()
        else:
            self._to_bottom()

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
        if self.room is None:
            return
        if not any(event.seq == seq for event in self._events):
            # As much as is in view; the ends follow when that is on the screen.
            events = self._source.before(self.room, seq, PAGE // 4)
            page = self._source.after(self.room, seq - 1, PAGE // 2)
            if not page or page[0].seq != seq:
                return  # The room was emptied meanwhile, as its server was set back.
            self._forget_fresh()
            self._clear()
            self._has_newer = len(page) == PAGE // 2
            self._append([*events, *page])
            if not self._has_newer:
                self._show_outbox()
        self._here = seq
        self._show_here()
        self._show_place(self._highlights.first_in(*self._stretch(seq)))
        self._set_bottom(self.text.yview()[1] >= 1.0 and not self._has_newer)
        if self._check is not None:
            self.after_cancel(self._check)
        self._check = self.after(_DRAWN, self._load_near_ends)
        self._mark_soon()

    def _show_here(self) -> None:
        """Mark the message that was gone to, if it is drawn."""
        if self._here and any(event.seq == self._here for event in self._events):
            self._highlights.show_here(*self._stretch(self._here))

    def _stretch(self, seq: int) -> tuple[str, str]:
        """From where to where an event is drawn."""
        after = next((event.seq for event in self._events if event.seq > seq), None)
        return f"e{seq}", "tail" if after is None else f"e{after}"

    def _show_place(self, place: str) -> None:
        """Have a place in view, with a third of the view before it."""
        self.text.tk.call(str(self.text), "sync")
        self.text.yview(place)
        # Near the end it stays further down than at the top.
        line = self.text.dlineinfo(place)
        above = line[1] - int(str(self.text.cget("pady"))) if line is not None else 0
        spare = self.text.winfo_height() // 3 - above
        if spare > 0:
            self.text.yview_scroll(-spare, "pixels")

    def add(self, events: Sequence[Event]) -> None:
        """New events of this room, already in the cache; drawn now, or a moment later."""
        self._fresh += [event for event in events if event.seq > self._newest]
        if not self._fresh or self._has_newer:
            self._forget_fresh()
            return
        pause = self._pace.pause(perf_counter())
        if pause <= 0 or self._own_is_fresh():
            self._draw_fresh()
        elif self._draw_later is None:
            self._draw_later = self.after(math.ceil(pause * 1000), self._draw_fresh)

    def _own_is_fresh(self) -> bool:
        """Whether what one has just said came back: it must not be gone for a moment."""
        fresh = self._fresh
        return len(fresh) <= BURST and any(event.sender == self._me for event in fresh)

    def _draw_fresh(self) -> None:
        """Draw what has gathered: some dozens as they are, of more only what will be in view."""
        fresh, self._fresh = self._fresh, []
        self._forget_fresh()
        if not fresh or self._has_newer:
            return
        began = perf_counter()
        if self._at_bottom and len(fresh) > BURST:
            self.show_latest()
        elif self._at_bottom or len(fresh) <= min(BURST, MOST - len(self._events)):
            self._hide_outbox()
            self._append(fresh)
            self._show_outbox()
            if self._at_bottom:
                self._trim_top()
                self._to_bottom()
        else:
            # There is no room for them where somebody reads; going down brings them.
            self._hide_outbox()
            self._has_newer = True
            self._schedule_check()
        self._pace.done(began, perf_counter())

    def _forget_fresh(self) -> None:
        self._fresh.clear()
        if self._draw_later is not None:
            self.after_cancel(self._draw_later)
            self._draw_later = None

    def refresh_outbox(self) -> None:
        """Something was written, acknowledged, refused or dropped."""
        if self.room is None or self._has_newer or self._draw_later is not None:
            return  # What is drawn in a moment has the outbox below it.
        follow = self._at_bottom
        self._hide_outbox()
        self._show_outbox()
        if follow:
            self._to_bottom()

    def shows(self, usernames: Container[str]) -> bool:
        """Whether there is anything of these people in it."""
        return any(event.sender in usernames for event in self._events)

    def refresh(self) -> None:
        """Draw what is shown again, as after a change of names or colours."""
        if self.room is None:
            return
        events = list(self._events)
        keep = None if self._at_bottom else self._anchor()
        self._clear()
        self._append(events)
        if not self._has_newer:
            self._show_outbox()
        self._to_bottom() if keep is None else self._restore(keep)
        self._mark_soon()

    def _stop(self) -> None:
        self._forget_fresh()
        if self._mark_later is not None:
            self.after_cancel(self._mark_later)
            self._mark_later = None
        if self._check is not None:
            self.after_cancel(self._check)
            self._check = None

    # Drawing

    @property
    def at_bottom(self) -> bool:
        """Whether the newest message is in view."""
        return self._at_bottom

    @property
    def _last_seq(self) -> int:
        return self._events[-1].seq if self._events else 0

    @property
    def _newest(self) -> int:
        """The place of the last event that is drawn or will be in a moment."""
        return self._fresh[-1].seq if self._fresh else self._last_seq

    def _clear(self) -> None:
        self.text.delete("1.0", "end")
        self.text.mark_unset(*(m for m in self.text.mark_names() if m not in {"insert", "current"}))
        self._pen.forget_actions()
        self._events.clear()
        # Right gravity, Tk's default: what is inserted at a mark comes before it.
        self.text.mark_set("tail", "1.0")

    def _append(self, events: Sequence[Event]) -> None:
        previous = self._events[-1] if self._events else None
        for entry in self._laid_out(events, previous):
            self._pen.draw(entry, "tail")
        self._events.extend(events)
        self._show_here()

    def _prepend(self, events: Sequence[Event]) -> None:
        """Put events before the first one, which may no longer begin its group or day."""
        first = self._events[0]
        second = f"e{self._events[1].seq}" if len(self._events) > 1 else "tail"
        self.text.delete("1.0", second)
        self.text.mark_set("page", "1.0")
        for entry in self._laid_out([*events, first], None):
            self._pen.draw(entry, "page")
        self.text.mark_unset("page")
        self._events.extendleft(reversed(events))
        self._show_here()

    def _laid_out(self, events: Sequence[Event], previous: Event | None) -> list[Entry]:
        return lay_out(
            events, previous, self._name_of, datetime.now().astimezone().date(), clean=safe_lines
        )

    # What is not in the room yet, below everything

    def _hide_outbox(self) -> None:
        # To the end itself would take the newline before `tail` along.
        self.text.delete("tail", "end-1c")

    def _show_outbox(self) -> None:
        if self.room is None:
            return
        outgoing = self._source.outbox(self.room)
        self.text.mark_gravity("tail", "left")
        self.text.mark_set("outbox", "tail")
        previous = self._events[-1] if self._events else None
        shown = outgoing[-_OUTBOX_SHOWN:]
        entries = self._laid_out([as_event(out, self._me) for out in shown], previous)
        for entry, out in zip(entries, shown, strict=True):
            self._pen.draw_outgoing(entry, out, "outbox")
        self.text.mark_unset("outbox")
        self.text.mark_gravity("tail", "right")
        if previous is None and not shown:
            self._nothing.place(relx=0.5, rely=0.4, anchor="center")
        else:
            self._nothing.place_forget()

    # Scrolling

    def _viewed(self, first: float, last: float) -> None:
        self._scrollbar.set(first, last)
        self._mark_soon()
        if not self._going_down:
            at_bottom = float(last) >= 1.0 and not self._has_newer
            if self._at_bottom and not at_bottom:
                # Tk tells this late at times, of a view that is no more: nobody scrolled then.
                at_bottom = self.text.yview()[1] >= 1.0 and not self._has_newer
            self._set_bottom(at_bottom)
        self._schedule_check()

    def _schedule_check(self) -> None:
        if self._check is None:
            self._check = self.after_idle(self._load_near_ends)

    def _load_near_ends(self) -> None:
        self._check = None
        if self.room is None or not self._events or self.text.winfo_height() <= 1:
            return
        pause = self._pace.pause(perf_counter())
        if self._at_bottom and pause > 0:
            # While messages pour in, what is above them is not looked at.
            self._check = self.after(math.ceil(pause * 1000), self._load_near_ends)
            return
        near = self._theme.px(_NEAR)
        above = self._pixels("1.0", "@0,0")
        below = self._pixels(f"@0,{self.text.winfo_height()}", "end")
        if above < near and self._events[0].seq > 1:
            page = self._source.before(self.room, self._events[0].seq, PAGE)
            if page:
                anchor = None if self._at_bottom else self._anchor()
                self._prepend(page)
                if anchor is None:
                    self._to_bottom()
                else:
                    self._trim_bottom()
                    self._restore(anchor)
                self._schedule_check()
                return
        if below < near and self._has_newer:
            page = self._source.after(self.room, self._last_seq, PAGE)
            anchor = self._anchor()
            self._append(page)
            self._has_newer = len(page) == PAGE
            if not self._has_newer:
                self._show_outbox()
            self._trim_top()
            self._restore(anchor)
            if page:
                self._schedule_check()

    def _pixels(self, start: str, end: str) -> int:
        counted = self.text.tk.call(str(self.text), "count", "-ypixels", start, end)
        return int(counted or 0)

    def _anchor(self) -> tuple[int, int]:
        """The first event in view, and how far its beginning is from the top, in pixels."""
        top = self.text.index("@0,0")
        seq = self._events[0].seq
        for event in self._events:
            if self.text.compare(f"e{event.seq}", ">", top):
                break
            seq = event.seq
        return seq, self._pixels(f"e{seq}", "@0,0") - self._pixel_offset()

    def _pixel_offset(self) -> int:
        """Where the first line is, from where a line scrolled to the top would be."""
        line = self.text.dlineinfo("@0,0")
        return 0 if line is None else line[1] - int(str(self.text.cget("pady")))

    def _restore(self, anchor: tuple[int, int]) -> None:
        seq, offset = anchor
        self.text.tk.call(str(self.text), "sync")
        self.text.tk.call(str(self.text), "yview", f"e{seq}")
        self.text.yview_scroll(offset, "pixels")

    def _to_bottom(self) -> None:
        self._going_down = True
        try:
            self.text.tk.call(str(self.text), "sync")
            self.text.yview_moveto(1.0)
        finally:
            self._going_down = False
        self._set_bottom(True)

    def _set_bottom(self, at_bottom: bool) -> None:
        if at_bottom != self._at_bottom:
            self._at_bottom = at_bottom
            self._on_bottom(at_bottom)

    def _trim_top(self) -> None:
        """Drop what is far above; the event that becomes the first keeps its look."""
        excess = len(self._events) - MOST
        if excess <= 0:
            return
        for _ in range(excess):
            self.text.mark_unset(f"e{self._events.popleft().seq}")
        self.text.delete("1.0", f"e{self._events[0].seq}")
        self._pen.forget_actions()

    def _trim_bottom(self) -> None:
        excess = len(self._events) - MOST
        if excess <= 0:
            return
        removed = [self._events.pop() for _ in range(excess)]
        self.text.delete(f"e{removed[-1].seq}", "end-1c")
        for event in removed:
            self.text.mark_unset(f"e{event.seq}")
        self.text.mark_set("tail", "end-1c")
        self._pen.forget_actions()
        self._has_newer = True

    def _resized(self, _: object) -> None:
        if self._at_bottom:
            self._to_bottom()
        self._schedule_check()

    def _paint_text(self) -> None:
        palette = self._theme.palette
        self.text.configure(background=palette.window, foreground=palette.text)
        self.text.configure(
            selectbackground=palette.mention,
            inactiveselectbackground=palette.mention,
            selectforeground=palette.text,
            tabs=self._theme.px(INDENT),
        )
        configure_tags(self.text, self._theme)
        self._highlights.paint(self._theme)
        self.refresh()
