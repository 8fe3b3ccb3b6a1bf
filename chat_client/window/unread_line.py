"""The line above what is new in the open room, and the way to it while it is out of view."""

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
"""Height of the button that leads to the line, px at 96 dpi."""
_BELOW: Final = 8
"""Its distance from the upper edge of the conversation, px at 96 dpi."""


class Reader(Source, Protocol):
    """What is read of the cache."""

    def rooms(self, me: str, only: str | None = None) -> list[RoomSummary]:
        """What is read in a room."""


class UnreadLine:
    """Belongs to a message list. It stands until what is new was seen and one goes on.

    `has_focus()` says whether the person can see the window's contents change. `on_go()` is called
    after somebody went to the line.
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
        """What `_since` found last, and of what."""
        self.button = Button(transcript, theme, "", self._go, icon="chevron-up", height=_HEIGHT)

    def of(self, room: str) -> Unread | None:
        """The line for a room that is about to be shown."""
        self._seen = False
        self._known_since = None, ""  # what is stored may be another history than before
        count = self._overview.unread.get(room, 0)
        if not count:
            return None
        read = next((each.read for each in self._reader.rooms(self._overview.me, only=room)), 0)
        return self._made(room, read, count)

    def take_over(self, former: UnreadLine) -> None:
        """Know what another one knows, whose line the message list has already."""
        self._seen = former._seen

    def heard(self, room: str, events: tuple[Event, ...], *, read: int = 0) -> None:
        """New events of the open room came that the person did not see come.

        Those up to `read` were read before, and so was what stands above them.
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
        """So much came of the open room after a place that only the newest is fetched."""
        standing = self._transcript.unread
        if standing is not None and not self._seen:
            after = min(after, standing.after)
        self._seen = False
        count = self._overview.unread.get(room, 0)
        self._transcript.mark_unread(self._made(room, after, count))
        self.look()

    def look(self) -> None:
        """The view is another one, or the window has the keyboard."""
        where = self._transcript.unread_place()
        if where == "in view" and self._has_focus():
            self._seen = True
        if where == "above" and self._transcript.unread is not None and not self._seen:
            self.button.set(self._transcript.unread.label)
            self.button.place(relx=0.5, y=self._theme.px(_BELOW), anchor="n")
        else:
            self.button.place_forget()

    def go_on(self) -> None:
        """The person turns to something else: what was seen is not new any more."""
        if self._seen:
            self.clear()

    def clear(self) -> None:
        """Take the line away."""
        self._transcript.mark_unread(None)
        self.button.place_forget()

    def _go(self) -> None:
        self._transcript.go_to_unread()
        self._on_go()

    def _made(self, room: str, after: int, count: int) -> Unread:
        """The line above what comes after a place, with so much of it new."""
        since = self._since(room, after)
        label = f"{max(1, count):,} new{since and f' since {since}'}"
        return Unread(after, label)

    def _since(self, room: str, after: int) -> str:
        """When the message at a place was sent, or the one behind it; "" where neither is here.

        It is remembered: in a flood of messages only the count is another one.
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
    """A time as short as it is clear today; one of a server whose clock is wrong has its date."""
    days_ago = (today - at.date()).days
    if -1 <= days_ago <= 0:
        return f"{at:%H:%M}"
    if days_ago == 1:
        return f"yesterday {at:%H:%M}"
    if 1 < days_ago < 7:
        return f"{at:%A} {at:%H:%M}"
    year = "" if at.year == today.year else f" {at.year}"
    return f"{at.day} {at:%B}{year}"
