"""A queue of news that wait for the commit of their transaction."""

from __future__ import annotations

from chat_client.state import news


class NewsQueue:
    """A queue of news; consecutive events of a room are coalesced."""

    def __init__(self) -> None:
        self._waiting: list[news.News] = []

    def tell(self, item: news.News) -> None:
        """Append an item, coalescing it with the last one if possible."""
        last = self._waiting[-1] if self._waiting else None
        if (
            isinstance(item, news.EventsAdded)
            and isinstance(last, news.EventsAdded)
            and (last.room, last.came) == (item.room, item.came)
        ):
            read, events = max(last.read, item.read), (*last.events, *item.events)
            self._waiting[-1] = news.EventsAdded(item.room, events, read, item.came)
        else:
            self._waiting.append(item)

    def take(self) -> list[news.News]:
        """Remove and return all items."""
        taken, self._waiting = self._waiting, []
        return taken

    def clear(self) -> None:
        """Drop all items, after a rollback."""
        self._waiting.clear()
