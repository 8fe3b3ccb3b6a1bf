"""Marks rooms as read: in the cache, the unread counts and the notifications. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from chat_client.window.overview import Overview
from common.protocol.events import Event

if TYPE_CHECKING:  # at run time it is imported when the window is on the screen
    from chat_client.core import Core


class Reader(Protocol):
    """The part of the cache that the marker needs."""

    def latest(self, room: str, count: int) -> Sequence[Event]:
        """The newest events, in order."""


class MessageList(Protocol):
    """The message list of the open room."""

    @property
    def room(self) -> str | None:
        """The room that is shown."""

    @property
    def at_bottom(self) -> bool:
        """Whether the newest message is in view."""


class Notifications(Protocol):
    """The notifications of rooms."""

    def read(self, room: str) -> None:
        """Close the notification of a room that was read up to its end."""


class ReadMarker:
    """Messages in view count as seen while the window has the focus (`has_focus()`).

    `order(do)` calls `do(core)`. `on_read()` is called after an action of the person has marked a
    room as read; it updates the shown counts.
    """

    def __init__(
        self,
        overview: Overview,
        reader: Reader,
        messages: MessageList,
        notifications: Notifications,
        order: Callable[[Callable[[Core], object]], object],
        *,
        has_focus: Callable[[], bool],
        on_read: Callable[[], object],
    ) -> None:
        self._overview, self._reader, self._messages = overview, reader, messages
        self._notifications, self._order = notifications, order
        self._has_focus, self._on_read = has_focus, on_read

    def sees(self, room: str) -> bool:
        """Whether the person sees new messages of a room as they arrive."""
        return room == self._messages.room and self._messages.at_bottom and self._has_focus()

    def seen(self, room: str, seq: int) -> None:
        """Mark a room as read up to `seq`, whose events were in view as they arrived.

        The overview has not counted them as unread.
        """
        self._store(room, seq)
        self._notifications.read(room)

    def look(self) -> None:
        """Mark the open room if its end is seen, after a change of the focus or the view."""
        room = self._messages.room
        if room is not None and self._overview.unread.get(room) and self.sees(room):
            self.mark_open()
            self._on_read()

    def mark_open(self) -> None:
        """Mark the open room as read, as the person opened it or went to its end."""
        room = self._messages.room
        if room is not None:
            if self._overview.unread.get(room):
                self._store_whole(room)
            self._mark(room)

    def mark(self, room: str) -> None:
        """Mark a room as read, open or not, by a command of the person or after an inline reply."""
        self._store_whole(room)
        self._mark(room)
        self._on_read()

    def _mark(self, room: str) -> None:
        self._overview.mark_read(room)
        self._notifications.read(room)

    def _store_whole(self, room: str) -> None:
        latest = self._reader.latest(room, 1)
        if latest:
            self._store(room, latest[-1].seq)

    def _store(self, room: str, seq: int) -> None:
        self._order(lambda core: core.mark_read(room, seq))
