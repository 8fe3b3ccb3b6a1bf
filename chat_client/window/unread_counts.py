"""Takes the numbers of unread messages and mentions from the cache. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chat_client.cache.pages import RoomSummary
from chat_client.window.overview import Overview
from common.domain.names import GENERAL


class Reader(Protocol):
    """What is read of the cache."""

    def rooms(self, me: str, only: str | None = None) -> list[RoomSummary]:
        """All rooms or one, with how far they are read and how many messages are unread."""

    def people(self) -> dict[str, str]:
        """The display names by username."""

    def former(self) -> set[str]:
        """The usernames of those whose accounts were deleted."""

    def moderators(self) -> set[str]:
        """The usernames of those who are moderators."""

    def unread_with_sign(self, room: RoomSummary, me: str) -> Sequence[str]:
        """The unread texts of a room that may mention somebody."""


class UnreadCounts:
    """Writes them into an overview, which goes on counting by the news of the core."""

    def __init__(self, overview: Overview, reader: Reader) -> None:
        self._overview, self._reader = overview, reader

    def load(self) -> None:
        """Begin the overview with what the cache has; the general room is always there."""
        rooms, overview = self._reader.rooms(self._overview.me), self._overview
        reader = self._reader
        overview.load(rooms, reader.people(), reader.moderators(), reader.former())
        self._count_mentions(rooms)
        overview.add_room(GENERAL)

    def count(self, only: str | None = None) -> None:
        """Count anew, in all rooms or in one."""
        rooms = self._reader.rooms(self._overview.me, only=only)
        self._overview.count(rooms)
        self._count_mentions(rooms)

    def _count_mentions(self, rooms: Sequence[RoomSummary]) -> None:
        overview = self._overview
        for room in rooms:
            texts = self._reader.unread_with_sign(room, overview.me) if room.unread else ()
            overview.set_mentions(room.room, overview.count_mentions(texts))
