"""Numbers of unread messages and mentions, as the cache has them."""

from __future__ import annotations

from chat_client.cache.pages import RoomSummary
from chat_client.window.overview import Overview
from chat_client.window.unread_counts import UnreadCounts
from common.domain.names import GENERAL

OTHER = "dm:ada:bruno"


class Cache:
    """What is stored."""

    def __init__(self) -> None:
        self.unread = {GENERAL: ["hello @ada", "hello @bruno"], OTHER: []}
        self.asked: list[str] = []
        """Rooms whose texts were read."""

    def rooms(self, me: str, only: str | None = None) -> list[RoomSummary]:
        """All rooms or one."""
        assert me == "ada"
        return [
            RoomSummary(room, 9, 9 - len(texts), len(texts))
            for room, texts in self.unread.items()
            if only in {None, room}
        ]

    def people(self) -> dict[str, str]:
        """Two."""
        return {"ada": "Ada", "bruno": "Bruno"}

    def former(self) -> set[str]:
        """Nobody."""
        return set()

    def moderators(self) -> set[str]:
        """One of them."""
        return {"bruno"}

    def unread_with_sign(self, room: RoomSummary, me: str) -> list[str]:
        """The texts of a room."""
        assert me == "ada"
        self.asked.append(room.room)
        return self.unread[room.room]


def test_loading() -> None:
    """With people and roles; the texts of rooms without anything unread are not read."""
    cache, overview = Cache(), Overview("ada")
    UnreadCounts(overview, cache).load()
    assert overview.unread == {GENERAL: 2, OTHER: 0}
    assert (overview.mentions.get(GENERAL), overview.mentions.get(OTHER, 0)) == (1, 0)
    assert cache.asked == [GENERAL]
    assert overview.moderators == {"bruno"}
    assert overview.name("bruno") == "Bruno"


def test_the_general_room_is_there_before_anything_is_stored() -> None:
    """As at the first start."""
    cache, overview = Cache(), Overview("ada")
    cache.unread = {}
    UnreadCounts(overview, cache).load()
    assert [item.room for item in overview.rooms()] == [GENERAL]


def test_counting_one_room_anew() -> None:
    """The others stay as they were counted."""
    cache, overview = Cache(), Overview("ada")
    counts = UnreadCounts(overview, cache)
    counts.load()
    cache.unread = {GENERAL: [], OTHER: ["hello @ada"]}
    counts.count(only=OTHER)
    assert overview.unread == {GENERAL: 2, OTHER: 1}
    assert overview.mentions[OTHER] == 1
    counts.count()
    assert overview.unread == {GENERAL: 0, OTHER: 1}
    assert overview.mentions[GENERAL] == 0
