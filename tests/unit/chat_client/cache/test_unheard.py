"""The queue of messages for commands, which lasts as the events do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from chat_client.cache.cache import Cache
from chat_client.command_runner import event_line
from common.protocol.events import Event, PartOfBody
from tests.events import said
from tests.unit.chat_client.desk import EPOCH


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    """A cache with a queue."""
    with closing(Cache(tmp_path / "cache.db")) as made:
        with made.transaction():
            made.unheard.make()
        yield made


def receive(cache: Cache, *events: Event) -> None:
    """Store events, and put them into the queue as a listener does."""
    with cache.transaction():
        for event in events:
            cache.unheard.add(event)
            cache.add_event(event)


def waiting(cache: Cache, room: str | None = None) -> list[tuple[str, int]]:
    """The places of what waits."""
    return [(event.room, event.seq) for event in cache.unheard.page(room, 100)]


def test_they_come_in_the_order_in_which_they_were_received(cache: Cache, tmp_path: Path) -> None:
    """Over rooms, from page to page, and after a restart."""
    receive(cache, said(1, room="b"), said(1, room="a"), said(2, room="b"))
    receive(cache, said(2, room="a"))
    order = [("b", 1), ("a", 1), ("b", 2), ("a", 2)]
    assert waiting(cache) == order
    assert waiting(cache, "a") == [("a", 1), ("a", 2)]
    seen = []
    while page := cache.unheard.page(None, 3):
        seen += [(event.room, event.seq) for event in page]
        with cache.transaction():
            cache.unheard.remove(page[0])
            for event in page[1:]:
                cache.unheard.remove(event)
    assert seen == order
    receive(cache, said(3, room="b"))
    with closing(Cache(tmp_path / "cache.db")) as again:
        assert waiting(again) == [("b", 3)]


def test_an_event_is_as_it_came(cache: Cache) -> None:
    """What its sender wrote, and what this program knows of its other fields."""
    events = [
        said(1, text="<b>\u202e\0\n" * 3),
        said(2)._replace(body=PartOfBody({"text": "hi"}, {"text": "hi", "more": [1]})),
    ]
    receive(cache, *events)
    page = cache.unheard.page(None, 10)
    assert page == events
    assert list(map(event_line, page)) == list(map(event_line, events))


def test_a_transaction_that_fails_takes_its_entries_back(cache: Cache) -> None:
    """The position stays with them."""
    with suppress(ZeroDivisionError), cache.transaction():
        cache.unheard.add(said(1))
        cache.add_event(said(1))
        raise ZeroDivisionError
    assert waiting(cache) == []
    assert cache.position("general") == 0


def test_what_was_heard_is_not_heard_again_when_a_server_is_restored(cache: Cache) -> None:
    """Its room is fetched again. Who has lost a message there may have got another in its place."""
    one, two, lost, other = said(1), said(2), said(3), said(3, cid="another one here")
    receive(cache, one, two, lost)
    page = cache.unheard.page(None, 10)
    with cache.transaction():
        cache.unheard.remove(one)
    with cache.transaction():
        cache.forget_room("general")
    assert waiting(cache) == []
    receive(cache, one, two, other)
    assert cache.unheard.page(None, 10) == [two, other]
    with cache.transaction():
        cache.unheard.remove(page[2])  # which was handed to a command meanwhile
    assert cache.unheard.page(None, 10) == [two, other]
    with cache.transaction():
        cache.reset(EPOCH)
    receive(cache, one, two, other)
    assert cache.unheard.page(None, 10) == [two, other]


def test_a_cache_without_a_queue_has_nothing_waiting() -> None:
    """Nor does it get one when a room is fetched again."""
    with closing(Cache(None)) as cache:
        cache.add_event(said(1))
        cache.forget_room("general")
        assert waiting(cache) == []
