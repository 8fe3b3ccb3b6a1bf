"""News that wait for the end of the transaction in which what they tell of is stored."""

from __future__ import annotations

from chat_client.state import news


class NewsQueue:
    """A queue of news; consecutive events of a room are coalesced."""

    def __init__(self) -> None:
        self._waiting: list[news.News] = []

    def tell(self, item: news.News) -> None:
        """Add one behind those that wait."""
        last = self._waiting[-1] if self._waiting else None
        if (
            isinstance(item, news.EventsAdded)
            and isinstance(last, news.EventsAdded)
            and last.room == item.room
        ):
            read = max(last.read, item.read)
            self._waiting[-1] = news.EventsAdded(item.room, (*last.events, *item.events), read)
        else:
            self._waiting.append(item)

    def take(self) -> list[news.News]:
        """All that wait; none waits then."""
        taken, self._waiting = self._waiting, []
        return taken

    def clear(self) -> None:
        """What they tell of did not happen."""
        self._waiting.clear()
