"""Handles pages of history that the server has sent, skipped or refused. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, assert_never

from chat_client.cache.pages import RoomSummary
from chat_client.state import news
from chat_client.window.overview import Overview
from chat_client.window.transcript.missing import whole_line
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.protocol.events import Event
from common.ui.widgets.safe_text import safe

if TYPE_CHECKING:  # at run time it is imported when the window is on the screen
    from chat_client.core import Core


class Reader(Protocol):
    """The part of the cache that the history needs."""

    def rooms(self, me: str, only: str | None = None) -> Sequence[RoomSummary]:
        """Every known room, or `only` one; see `CacheReader.rooms`."""

    def after(self, room: str, seq: int, count: int) -> Sequence[Event]:
        """At most `count` events after `seq`, in order."""


class Counts(Protocol):
    """The unread counts."""

    def count(self, only: str | None = None) -> None:
        """Recount the unread messages of all rooms, or of one."""


class MessageList(Protocol):
    """The message list of the open room."""

    @property
    def room(self) -> str | None:
        """The room that is shown."""

    def history_added(self, added: news.HistoryAdded) -> None:
        """Handle a page's arrival or failure."""

    def look_again(self) -> None:
        """Request failed pages again on a new connection."""


class UnreadLine(Protocol):
    """The line above the unread messages."""

    def missed(self, room: str, after: int) -> None:
        """Handle a gap in the open room after `after`, of which only the newest page is fetched."""


class Notifications(Protocol):
    """The notifications of rooms."""

    def heard(self, added: news.EventsAdded, *, reading: bool, missing: int = 0) -> object:
        """Handle new events; `missing` messages before them were not fetched."""


class RoomHistory:
    """The rooms that the server refuses to sync, and those whose newest page is being fetched.

    `order(do)` calls `do(core)`, `tell(text)` shows a toast, and `sees(room)` returns whether the
    person sees the end of a room. `on_end()` is called when the newest page of the open room has
    arrived.
    """

    def __init__(
        self,
        overview: Overview,
        reader: Reader,
        counts: Counts,
        messages: MessageList,
        unread_line: UnreadLine,
        notifications: Notifications,
        *,
        order: Callable[[Callable[[Core], object]], object],
        tell: Callable[[str], object],
        sees: Callable[[str], bool],
        on_end: Callable[[], object],
    ) -> None:
        self._overview, self._reader, self._counts = overview, reader, counts
        self._messages, self._unread_line = messages, unread_line
        self._notifications = notifications
        self._order, self._tell, self._sees, self._on_end = order, tell, sees, on_end
        self._refused: dict[str, Reason] = {}
        """Room that is not synced on this connection → the reason."""
        self._skipped: set[str] = set()
        """Rooms with too many missed events: only the newest page is being fetched."""

    def take_over(self, former: RoomHistory) -> None:
        """Take over the state of another one, which is not used any more."""
        self._refused, self._skipped = former._refused, former._skipped

    def hear(self, item: news.HistoryAdded | news.Skipped | news.RoomRefused | news.Listed) -> None:
        """Handle news of the core."""
        match item:
            case news.HistoryAdded():
                self._add(item)
            case news.Skipped():
                self._skip(item)
            case news.RoomRefused():
                self._refused[item.room] = item.reason
                self.say_refused()
            case news.Listed():
                self._messages.look_again()
            case _:
                assert_never(item)

    def bring_newest(self) -> None:
        """If the newest page of the open room is pending, fetch it before those of other rooms."""
        if self._messages.room is not None:
            newest = news.Wanted(self._messages.room)
            self._order(lambda core: core.load_history(newest))

    def say_refused(self) -> None:
        """Show a toast with the reason if the open room is not synced on this connection."""
        reason = self._refused.get(self._messages.room or "")
        if reason is not None:
            self._tell(f"Nothing new comes here: {safe(sentence(reason))}")

    def asked_anew(self, room: str) -> None:
        """Forget a refusal, as the server is asked for the room again."""
        self._refused.pop(room, None)

    def disconnected(self) -> None:
        """Forget all refusals: they hold for one connection."""
        self._refused.clear()

    def _skip(self, skipped: news.Skipped) -> None:
        self._overview.skip(skipped.room, skipped.after, skipped.head)
        is_open = skipped.room == self._messages.room
        if skipped.came == "away":
            self._skipped.add(skipped.room)
            if is_open:
                self._unread_line.missed(skipped.room, skipped.after)
        if is_open:
            self.bring_newest()

    def _add(self, added: news.HistoryAdded) -> None:
        self._messages.history_added(added)
        if added.why is not None and (added.wanted.at is not None or added.wanted.around == 1):
            self._tell(whole_line(added.why, "those"))
        if added.places and added.wanted == news.Wanted(added.room):
            self._counts.count(only=added.room)
            if added.room in self._skipped:
                self._skipped.discard(added.room)
                self._notify(added.room, added.places[0], added.places[-1])
            if added.room == self._messages.room:
                self._on_end()

    def _notify(self, room: str, first: int, last: int) -> None:
        """Notify of a room's newest page, and of the number of unread messages before it."""
        overview = self._overview
        read = next((each.read for each in self._reader.rooms(overview.me, only=room)), 0)
        page = tuple(self._reader.after(room, max(first - 1, read), last - first + 1))
        here = sum(event.is_message and event.sender != overview.me for event in page)
        added = news.EventsAdded(room, page, read, "away")
        missing = max(0, overview.unread.get(room, 0) - here)
        self._notifications.heard(added, reading=self._sees(room), missing=missing)
