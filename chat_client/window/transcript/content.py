"""The content of the message list's Text: events, and below them the messages of the outbox."""

import tkinter as tk
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import date
from typing import Final

from chat_client.state.outbox_message import OutboxMessage
from chat_client.window.transcript.drawing import drawing_of
from chat_client.window.transcript.folds import Folds
from chat_client.window.transcript.held import fitting
from chat_client.window.transcript.highlights import Highlights
from chat_client.window.transcript.pen import Pen
from chat_client.window.transcript.places import Places
from chat_client.window.transcript.reading import Reading
from chat_client.window.transcript.selection import Said, selected
from chat_client.window.transcript.source import Source
from chat_client.window.transcript.timeline import Entry, as_event, lay_out
from chat_client.window.transcript.wording import link_at
from common.protocol.events import Event
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label

_OUTBOX_SHOWN: Final = 50


class Content:
    """Draws the events that `reading` holds, and deletes those that it has dropped.

    Every event has a mark at its beginning (see `places`); the mark `tail` is where events end.
    `today()` is the day for which the headings of days are written.
    """

    def __init__(
        self,
        text: tk.Text,
        theme: Theme,
        source: Source,
        reading: Reading,
        pen: Pen,
        places: Places,
        folds: Folds,
        highlights: Highlights,
        *,
        name_of: Callable[[str], str],
        handle_of: Callable[[str], str],
        today: Callable[[], date],
    ) -> None:
        self._text, self._source, self._reading = text, source, reading
        self._pen, self._places = pen, places
        self._folds, self._highlights = folds, highlights
        self._name_of, self._handle_of, self._today = name_of, handle_of, today
        self._events = reading.events
        self._outgoing: list[OutboxMessage] = []
        """The outbox messages that are drawn below the events."""
        self._nothing = Label(text, theme, "Nothing has been said here yet", tone="muted")

    @property
    def has_selection(self) -> bool:
        """Whether anything is selected."""
        return bool(self._text.tag_ranges("sel"))

    # Events

    def restart(self, *, more: bool) -> None:
        """Clear the list for another part of the room; `more`: newer events exist after it."""
        text = self._text
        text.delete("1.0", "end")
        text.mark_unset(*(m for m in text.mark_names() if m not in {"insert", "current"}))
        self._reading.restart(more=more)
        self._folds.clear()
        self._outgoing.clear()
        # Right gravity, Tk's default: what is inserted at a mark comes before it.
        text.mark_set("tail", "1.0")

    def append(self, events: Sequence[Event]) -> None:
        """Draw events after the last one."""
        previous = self._events[-1] if len(self._events) else None
        for entry in self._laid_out(events, previous):
            self._pen.draw(entry, "tail")
        self._events.append(events)
        self._highlights.show_here()

    def prepend(self, events: Sequence[Event]) -> None:
        """Draw events before the first one, which may no longer begin its group or day."""
        first = self._events[0]
        *entries, begins = self._laid_out([*events, first], None)
        self.redraw_beginnings([begins])
        self._text.mark_set("page", "1.0")
        for entry in entries:
            self._pen.draw(entry, "page")
        # This mark has right gravity as well, so the insertions moved it: set it to the page's end.
        self._text.mark_set(f"e{first.seq}", "page")
        self._text.mark_unset("page")
        self._events.prepend(events)
        self._highlights.show_here()

    def drop_above(self, top: int) -> None:
        """Delete what is far above the event at index `top`; the new first one is not redrawn."""
        dropped = self._reading.drop_above(top)
        if dropped:
            self._forget(dropped)
            self._text.delete("1.0", f"e{self._events.first}")

    def drop_below(self, bottom: int | None) -> None:
        """Delete what is far below the event at index `bottom`; see `Reading.drop_below`."""
        dropped = self._reading.drop_below(bottom)
        if dropped:
            self.hide_outbox()
            self._text.delete(f"e{dropped[-1].seq}", "end-1c")
            self._forget(dropped)
            self._text.mark_set("tail", "end-1c")

    def _forget(self, events: Sequence[Event]) -> None:
        self._text.mark_unset(*(f"e{event.seq}" for event in events))
        for event in events:
            self._folds.forget(event.seq)

    def _laid_out(self, events: Iterable[Event], previous: Event | None) -> list[Entry]:
        return lay_out(
            events,
            previous,
            self._name_of,
            self._today(),
            handle_of=self._handle_of,
            unread=self._reading.unread,
        )

    # Day headings and group heads, which change with names and dates

    def shows(self, usernames: Container[str]) -> bool:
        """Whether any held event was sent by one of these people."""
        return any(event.sender in usernames for event in self._events)

    def headed_by(self, usernames: Container[str]) -> list[Entry]:
        """Entries of the held events that show one of these people's names."""
        return [
            entry
            for entry in self._laid_out(self._events, None)
            if entry.sender in usernames and (entry.heads_group or entry.drawing.note)
        ]

    def headed_by_place(self, seq: int) -> list[Entry]:
        """The entry of the event `seq`, in a list; an empty list if it is not held."""
        at = self._events.at(seq)
        if at is None:
            return []
        previous = self._events[at - 1] if at else None
        return self._laid_out([self._events[at]], previous)

    def beginnings(self) -> list[Entry]:
        """The entries of all held events."""
        return self._laid_out(self._events, None)

    def headed_by_days(self) -> list[Entry]:
        """The entries of the events that have a day heading drawn above them."""
        return list(filter(self._has_day, self._laid_out(self._events, None)))

    def _has_day(self, entry: Entry) -> bool:
        """Whether a day heading is drawn above an event."""
        mark, stop = self._places.stretch(entry.seq)
        place = self._text.tag_nextrange("day", mark, stop)
        return entry.day is not None and self._text.index(mark) in map(str, place)

    def redraw_beginnings(self, entries: Iterable[Entry]) -> None:
        """Redraw the day headings and heads of events; their texts and the selection stay."""
        text = self._text
        for entry in entries:
            mark, stop = self._places.stretch(entry.seq)
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

    # The outbox, below all events

    def hide_outbox(self) -> None:
        """Delete the drawn outbox messages."""
        # Deleting up to "end" would also delete the newline before `tail`.
        self._text.delete("tail", "end-1c")
        self._text.mark_unset(*(f"o{number}" for number in range(len(self._outgoing))))
        self._outgoing.clear()

    def show_outbox(self) -> None:
        """Draw the outbox messages, or a placeholder if the room has nothing at all."""
        if self._reading.room is None:
            return
        outgoing = self._source.outbox(self._reading.room)
        text = self._text
        text.mark_gravity("tail", "left")
        text.mark_set("outbox", "tail")
        previous = self._events[-1] if len(self._events) else None
        shown = outgoing[-_OUTBOX_SHOWN:]
        written = fitting([as_event(out, self._reading.me) for out in shown], newest=True)
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

    def outgoing(self, mark: str) -> OutboxMessage:
        """The outbox message at a mark `oNUMBER`."""
        return self._outgoing[int(mark[1:])]

    # Lookup by mark and position

    def selected(self) -> str:
        """The selected text as it was sent; see `selection`."""
        marks = [f"e{event.seq}" for event in self._events]
        marks += [f"o{number}" for number in range(len(self._outgoing))]
        return selected(self._text, self._places, self._pen.rich, map(self.said, marks))

    def said(self, mark: str) -> Said:
        """The message that is drawn at a mark."""
        number = int(mark[1:])
        if mark[0] == "e":
            event = self._events.find(number)
            drawn, stop = self._folds.drawn(number), self._places.stretch(number)[1]
        else:
            event = as_event(self._outgoing[number], self._reading.me)
            last = number + 1 == len(self._outgoing)
            drawn, stop = 1, "end-1c" if last else f"o{number + 1}"
        handle = self._handle_of(event.sender)
        name = " ".join(filter(None, (self._name_of(event.sender), handle)))
        note = drawing_of(event).note_about(name)
        return Said(mark, stop, name, event.sent_at, event.text, drawn, note)

    def link(self, mark: str, index: str) -> str | None:
        """The URL of the link at a position of a message; None if there is none."""
        if "link" not in self._text.tag_names(index):
            return None
        said = self.said(mark)
        body = self._places.body(mark, said.stop) or index
        return link_at(
            said.text, self._places.original(said.text, said.drawn, body, index, end=True)
        )
