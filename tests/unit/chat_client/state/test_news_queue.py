"""News wait in their order, and events that belong together are told together."""

from __future__ import annotations

from chat_client.state import news
from chat_client.state.news_queue import NewsQueue
from tests.unit.chat_client.desk import event


def test_consecutive_events_of_a_room_are_one_piece_of_news() -> None:
    """With the highest place that was read; other news or another room end it."""
    queue = NewsQueue()
    queue.tell(news.EventsAdded("a", (event(1, "a"),), 1))
    queue.tell(news.EventsAdded("a", (event(2, "a"), event(3, "a"))))
    queue.tell(news.EventsAdded("b", (event(1, "b"),)))
    queue.tell(news.Listed())
    queue.tell(news.EventsAdded("b", (event(2, "b"),)))
    assert queue.take() == [
        news.EventsAdded("a", (event(1, "a"), event(2, "a"), event(3, "a")), 1),
        news.EventsAdded("b", (event(1, "b"),)),
        news.Listed(),
        news.EventsAdded("b", (event(2, "b"),)),
    ]


def test_what_was_taken_is_not_added_to() -> None:
    """It may be shown already."""
    queue = NewsQueue()
    queue.tell(news.EventsAdded("a", (event(1, "a"),)))
    taken = queue.take()
    queue.tell(news.EventsAdded("a", (event(2, "a"),)))
    assert taken == [news.EventsAdded("a", (event(1, "a"),))]
    assert queue.take() == [news.EventsAdded("a", (event(2, "a"),))]
    queue.tell(news.Listed())
    queue.clear()
    assert queue.take() == []
