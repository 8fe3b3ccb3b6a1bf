"""The line above the unread messages of the open room, and the button that scrolls to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Final, Protocol

from chat_client.cache.pages import RoomSummary
from chat_client.window.overview import Overview
from chat_client.window.transcript.source import Source
from chat_client.window.transcript.timeline import Unread
from chat_client.window.transcript.view import Transcript
from common.domain.times import local_time
from common.protocol.events import Event
from common.ui.look.theme import Theme
from common.ui.widgets.buttons import Button

_HEIGHT: Final = 30
"""Height of the button that scrolls to the line, px at 96 dpi."""
_BELOW: Final = 8
"""Its distance from the upper edge of the message list, px at 96 dpi."""


class Reader(Source, Protocol):
    """The part of the cache that the line needs."""

    def rooms(self, me: str, only: str | None = None) -> list[RoomSummary]:
        """Every known room, or `only` one; see `CacheReader.rooms`."""


class UnreadLine:
    """Belongs to a message list. It stays until it was seen and the person leaves.

    That is to another room or another program.

    `has_focus()` returns whether the person can see the window's contents change. `on_go()` is
    called after a click on the button.
    """

    def __init__(
        self,
        transcript: Transcript,
        theme: Theme,
        overview: Overview,
        reader: Reader,
        *,
        has_focus: Callable[[], bool],
        on_go: Callable[[], object],
    ) -> None:
        self._transcript, self._theme = transcript, theme
        self._overview, self._reader = overview, reader
        self._has_focus, self._on_go = has_focus, on_go
        self._seen = False
        self._known_since: tuple[tuple[str, int, date] | None, str] = None, ""
        """The last arguments of `_since`, and its result for them."""
        self.button = Button(transcript, theme, "", self._go, icon="chevron-up", height=_HEIGHT)

    def of(self, room: str) -> Unread | None:
        """The line for a room that is about to be opened; None if nothing is unread."""
        self._seen = False
        self._known_since = None, ""  # the room may have been fetched again from another history
        count = self._overview.unread.get(room, 0)
        if not count:
            return None
        read = next((each.read for each in self._reader.rooms(self._overview.me, only=room)), 0)
        return self._made(room, read, count)

    def take_over(self, former: UnreadLine) -> None:
        """Take over the state of another one, whose line the message list shows already."""
        self._seen = former._seen

    def heard(self, room: str, events: tuple[Event, ...], *, read: int = 0) -> None:
        """Add new events of the open room that arrived unseen to the line.

        Those up to `read` were read before, and so was everything above them.
        """
        standing = self._transcript.unread
        if standing is not None and read > standing.after:
            self.clear()
        me = self._overview.me
        fresh = [
            event.seq
            for event in events
            if event.is_message and event.sender != me and event.seq > read
        ]
        if not fresh:
            return
        unread = self._transcript.unread
        after = fresh[0] - 1 if unread is None or self._seen else unread.after
        self._seen = False
        count = max(len(fresh), self._overview.unread.get(room, 0))
        self._transcript.mark_unread(self._made(room, after, count))
        self.look()

    def missed(self, room: str, after: int) -> None:
        """Handle a gap in the open room after `after`, of which only the newest page is fetched."""
        standing = self._transcript.unread
        if standing is not None and not self._seen:
            after = min(after, standing.after)
        self._seen = False
        count = self._overview.unread.get(room, 0)
        self._transcript.mark_unread(self._made(room, after, count))
        self.look()

    def look(self) -> None:
        """Check whether the line was seen, after the view or the keyboard focus has changed."""
        where = self._transcript.unread_place()
        if where == "in view" and self._has_focus():
            self._seen = True
        if where == "above" and self._transcript.unread is not None and not self._seen:
            self.button.set(self._transcript.unread.label)
            self.button.place(relx=0.5, y=self._theme.px(_BELOW), anchor="n")
        else:
            self.button.place_forget()

    def go_on(self) -> None:
        """Remove a line whose messages were seen, as the person moves on."""
        if self._seen:
            self.clear()

    def clear(self) -> None:
        """Remove the line."""
        self._transcript.mark_unread(None)
        self.button.place_forget()

    def _go(self) -> None:
        self._transcript.go_to_unread()
        self._on_go()

    def _made(self, room: str, after: int, count: int) -> Unread:
        """The line after the event `after`, with `count` unread messages below it."""
        since = self._since(room, after)
        label = f"{max(1, count):,} new{since and f' since {since}'}"
        return Unread(after, label)

    def _since(self, room: str, after: int) -> str:
        """When the event `after`, or the one behind it, was sent; "" if neither is cached.

        The last result is remembered: in a flood of messages only the count changes.
        """
        today = datetime.now().astimezone().date()
        key = room, after, today
        if key != self._known_since[0]:
            events = self._reader.before(room, after + 1, 1) or self._reader.after(room, after, 1)
            if not events:
                return ""
            self._known_since = key, _moment(local_time(events[0].sent_at), today)
        return self._known_since[1]


def _moment(at: datetime, today: date) -> str:
    """A time of today, or of tomorrow by a fast clock, alone; any other with its day or date."""
    days_ago = (today - at.date()).days
    if -1 <= days_ago <= 0:
        return f"{at:%H:%M}"
    if days_ago == 1:
        return f"yesterday {at:%H:%M}"
    if 1 < days_ago < 7:
        return f"{at:%A} {at:%H:%M}"
    year = "" if at.year == today.year else f" {at.year}"
    return f"{at.day} {at:%B}{year}"
