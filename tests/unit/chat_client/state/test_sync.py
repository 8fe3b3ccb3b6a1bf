"""Rooms brought up to date: which, from where on, and what is of another history."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection

import pytest

from chat_client.cache.cache import Cache
from chat_client.state import news
from chat_client.state.link import MAX_FAULTS
from chat_client.state.outbox import Outbox
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Link
from chat_client.state.sync import CATCH_UP_LIMIT, Sync
from common.protocol import messages
from common.protocol.events import Event
from tests.events import message
from tests.unit.chat_client.desk import EPOCH, ack, cid, event, only, room_of
from tests.unit.chat_client.state.parts import Bench

ROOM = "general"


class Parts:
    """A `Sync` and what it works with."""

    def __init__(
        self,
        bench: Bench,
        *,
        follow: Collection[str] | None = None,
        on_event: Callable[[Event], bool] | None = None,
        on_demand: bool = False,
    ) -> None:
        cache, link, tell = bench.cache, bench.link, bench.queue.tell
        ids = itertools.count(1)
        self.bench = bench
        self.outbox = Outbox(cache, link, tell, lambda: cid(next(ids)))
        self.sync = Sync(
            cache,
            link,
            tell,
            self.outbox,
            me=lambda: "ada",
            follow=follow,
            on_event=on_event,
            on_demand=on_demand,
        )

    def bring(self, *rooms: str) -> messages.Sync:
        """The rooms are listed; what is asked about them."""
        self.sync.listed(rooms, False, self.bench.now)
        return only(self.bench.sent(), messages.Sync)

    def answer(
        self,
        asked: messages.Sync,
        heads: dict[str, int],
        refused: dict[str, str] | None = None,
        skipped: Collection[str] = (),
    ) -> None:
        """The server's answer."""
        self.bench.link.answered(asked.id)
        self.sync.synced(
            messages.Synced(
                re=asked.id, heads=heads, refused=refused or {}, skipped=tuple(skipped)
            ),
            asked,
            self.bench.now,
        )

    def hear(self, *events: Event) -> None:
        """The server tells events."""
        self.sync.heard(events, self.bench.now)

    def places(self) -> list[int]:
        """The places of the events that were told since this was called last."""
        told = self.bench.told(news.EventsAdded)
        return [each.seq for item in told for each in item.events]


def test_every_room_is_asked_for_once_on_a_connection(bench: Bench) -> None:
    """From the place up to which it is here, with the event there."""
    bench.cache.add_event(event(1))
    bench.admit()
    parts = Parts(bench)
    asked = parts.bring(ROOM, "other")
    assert asked.positions == {ROOM: 1, "other": 0}
    assert asked.last == {ROOM: event(1).cid}
    assert asked.most is None
    parts.sync.listed([ROOM, "other"], True, bench.now)
    assert bench.sent() == []
    assert len(bench.told(news.RoomSeen)) == 4
    parts.sync.forget()
    assert parts.bring(ROOM).positions == {ROOM: 1}


def test_how_events_came(bench: Bench) -> None:
    """Fetched or as they were sent; a direct conversation that begins now is new, too."""
    bench.admit()
    parts = Parts(bench)
    parts.sync.meet(EPOCH)
    parts.answer(parts.bring(ROOM), {ROOM: 1})
    parts.sync.listed([], True, bench.now)
    parts.hear(event(1))
    parts.hear(event(2))
    for room in ("dm:ada:bob", "other"):
        parts.sync.room_added(messages.RoomAdded(room=room_of(room, 1)), bench.now)
        parts.answer(only(bench.sent(), messages.Sync), {room: 1})
        parts.hear(event(1, room))
    assert came(bench) == ["before", "live", "live", "before"]
    parts.sync.forget()
    parts.sync.meet(EPOCH)
    parts.answer(parts.bring(ROOM, "dm:ada:bob"), {ROOM: 3, "dm:ada:bob": 2})
    parts.hear(event(3), event(4), event(2, "dm:ada:bob"))
    assert came(bench) == ["away", "live", "away"]


def test_what_was_said_before_one_came_counts_as_read(bench: Bench) -> None:
    """Wherever a connection breaks off; not so a direct conversation, and what comes later."""
    bench.admit()
    parts = Parts(bench)
    parts.sync.meet(EPOCH)
    parts.answer(parts.bring(ROOM), {ROOM: 2})
    parts.hear(event(1))
    parts.sync.forget()
    parts.sync.meet(EPOCH)
    parts.answer(parts.bring(ROOM), {ROOM: 3})
    parts.sync.listed([], True, bench.now)
    parts.hear(event(2), event(3), event(4))
    direct = "dm:ada:bob"
    parts.sync.room_added(messages.RoomAdded(room=room_of(direct, 1)), bench.now)
    parts.answer(only(bench.sent(), messages.Sync), {direct: 1})
    parts.hear(event(1, direct))
    assert [item.read for item in bench.told(news.EventsAdded)] == [1, 3, 0, 0]
    rows = bench.cache._connection.execute("SELECT room, read FROM rooms ORDER BY room")
    assert [tuple(row) for row in rows] == [(direct, 0), (ROOM, 3)]


def came(bench: Bench) -> list[news.Came]:
    """How what was told came."""
    return [item.came for item in bench.told(news.EventsAdded)]


def test_only_what_is_followed_is_brought(bench: Bench) -> None:
    """The others are known all the same."""
    bench.admit()
    parts = Parts(bench, follow={"other"})
    assert parts.bring(ROOM, "other").positions == {"other": 0}
    assert set(bench.cache.rooms()) == {ROOM, "other"}


def test_the_end_of_the_list_is_told_behind_its_rooms(bench: Bench) -> None:
    """And behind nothing else."""
    bench.admit()
    parts = Parts(bench)
    parts.sync.listed(["a"], False, bench.now)
    parts.sync.listed(["b"], True, bench.now)
    assert bench.queue.take() == [news.RoomSeen("a"), news.RoomSeen("b"), news.Listed()]


def test_events_are_kept_without_a_gap(bench: Bench) -> None:
    """What is here already is passed over; of what has a gap before it nothing is kept."""
    bench.admit()
    parts = Parts(bench)
    parts.bring(ROOM)
    parts.hear(event(1), event(2))
    parts.hear(event(2), event(3), event(5))
    assert parts.places() == [1, 2, 3]
    assert bench.cache.position(ROOM) == 3
    assert bench.link.status.code == "gap"


def test_events_of_a_room_nobody_asked_for_are_a_fault(bench: Bench) -> None:
    """Nothing of them is kept, not even what stands among others."""
    bench.admit()
    parts = Parts(bench)
    parts.bring(ROOM)
    parts.hear(event(1), event(1, room="other"))
    assert parts.places() == []
    assert bench.link.status.code == "unasked_room"


def test_the_last_event_that_is_wanted_ends_it(bench: Bench) -> None:
    """Those behind it are not kept."""
    heard: list[int] = []

    def on_event(event: Event) -> bool:
        heard.append(event.seq)
        assert bench.cache.position(ROOM) == event.seq
        return len(heard) < 2

    bench.admit()
    parts = Parts(bench, on_event=on_event)
    parts.bring(ROOM)
    parts.hear(event(1), event(2), event(3))
    assert heard == [1, 2]
    assert bench.cache.position(ROOM) == 2
    assert bench.link.status.link is Link.SIGNED_OUT
    assert bench.link.status.code == "enough"


def acknowledged(parts: Parts, seq: int) -> None:
    """A message is written, sent and acknowledged with this place."""
    parts.outbox.send(ROOM, *message("mine"), 0)
    parts.outbox.send_next(parts.bench.now)
    send = only(parts.bench.sent(), messages.Send)
    parts.bench.link.answered(send.id)
    parts.bench.queue.clear()
    parts.sync.acknowledged(ack(send, seq), send, parts.bench.now)


@pytest.mark.parametrize(
    ("compared", "seq", "stored"),
    [(True, 2, True), (True, 3, False), (True, 1, False), (False, 2, False), (False, 1, False)],
)
def test_an_acknowledgement_is_an_event_only_where_it_follows(
    bench: Bench, compared: bool, seq: int, stored: bool
) -> None:
    """And only on a copy that the server has compared: it may be of another history."""
    bench.cache.add_event(event(1))
    bench.admit()
    parts = Parts(bench)
    asked = parts.bring(ROOM)
    if compared:
        parts.answer(asked, {ROOM: 1})
    acknowledged(parts, seq)
    assert parts.places() == ([2] if stored else [])
    out = bench.cache.outbox.find(cid(1))
    if stored or (compared and seq == 1):
        assert out is None
    else:
        assert out is not None
        assert out.state is OutboxState.SENT


def test_an_acknowledgement_of_something_else_is_a_fault(bench: Bench) -> None:
    """The message stays as it is."""
    bench.admit()
    parts = Parts(bench)
    bench.cache.add_room(ROOM)
    parts.outbox.send(ROOM, *message("mine"), 0)
    parts.outbox.send_next(bench.now)
    send = only(bench.sent(), messages.Send)
    parts.sync.acknowledged(ack(send, 1).model_copy(update={"cid": cid(7)}), send, bench.now)
    assert bench.link.status.code == "unasked_ack"
    out = bench.cache.outbox.find(cid(1))
    assert out is not None
    assert out.state is OutboxState.WAITING


def test_a_room_that_was_set_back_is_fetched_again(bench: Bench) -> None:
    """What is here of it goes; what had been acknowledged waits again."""
    bench.cache.add_event(event(1))
    bench.cache.add_room("other")
    bench.admit()
    parts = Parts(bench)
    asked = parts.bring(ROOM, "other")
    parts.answer(asked, {"other": 0}, {ROOM: "position_ahead"})
    again = only(bench.sent(), messages.Sync)
    assert again.positions == {ROOM: 0}
    assert bench.told(news.CacheReset) == [news.CacheReset((ROOM,))]


def test_a_room_is_set_back_only_once_on_a_connection(bench: Bench) -> None:
    """From its beginning it can't be ahead; a server that says so goes on for ever."""
    bench.cache.add_event(event(1))
    bench.admit()
    parts = Parts(bench)
    parts.answer(parts.bring(ROOM), {}, {ROOM: "position_ahead"})
    parts.answer(only(bench.sent(), messages.Sync), {}, {ROOM: "position_ahead"})
    assert bench.link.status.code == "unknown_places"


def test_a_room_that_is_set_back_begins_at_its_beginning(bench: Bench) -> None:
    """Also where the same answer says that it begins at its head, which no right one does."""
    bench.cache.add_event(event(1))
    bench.admit()
    parts = Parts(bench, on_demand=True)
    parts.answer(parts.bring(ROOM), {ROOM: 1001}, {ROOM: "position_ahead"}, skipped=[ROOM])
    asked = only(bench.sent(), messages.Sync)
    assert asked.positions == {ROOM: 0}
    parts.answer(asked, {ROOM: 2})
    parts.hear(event(1), event(2))
    assert parts.places() == [1, 2]


def test_a_room_refused_for_any_other_reason_is_done_without(bench: Bench) -> None:
    """It may be asked for again, and its events are not expected."""
    bench.admit()
    parts = Parts(bench)
    parts.answer(parts.bring(ROOM), {}, {ROOM: "a_code_of_later"})
    assert bench.link.is_ready
    assert parts.bring(ROOM).positions == {ROOM: 0}


def test_of_a_room_that_is_far_behind_the_newest_page_is_fetched(bench: Bench) -> None:
    """Live events go on behind the head that the server told."""
    bench.cache.add_event(event(1))
    bench.admit()
    parts = Parts(bench, on_demand=True)
    asked = parts.bring(ROOM)
    assert asked.most == CATCH_UP_LIMIT
    parts.answer(asked, {ROOM: 1001}, skipped=[ROOM])
    assert bench.told(news.Skipped) == [news.Skipped(ROOM, 1, 1001)]
    page = only(bench.sent(), messages.History)
    assert (page.room, page.before, page.around, page.at) == (ROOM, 1002, None, None)
    parts.hear(event(1002))
    assert bench.link.is_ready
    parts.hear(event(1004))
    assert bench.link.status.code == "gap"


@pytest.mark.parametrize("known", [None, EPOCH, "f" * 32])
def test_another_history_of_the_server_empties_the_cache(bench: Bench, known: str | None) -> None:
    """But for the rooms in which something was written here; the first history is no other."""
    cache: Cache = bench.cache
    cache.add_event(event(1))
    cache.add_event(event(1, "lost"))
    cache.set_draft(ROOM, "to be said")
    if known is not None:
        cache.set_meta("epoch", known)
    Parts(bench).sync.meet(EPOCH)
    assert cache.meta("epoch") == EPOCH
    other = known == "f" * 32
    assert cache.position(ROOM) == (0 if other else 1)
    expected = [news.CacheReset(), news.RoomSeen(ROOM)] if other else []
    assert bench.queue.take() == expected


def test_faults_of_the_rooms_end_the_attempts_like_any_others(bench: Bench) -> None:
    """A server that leaves gaps is not asked for ever."""
    parts = Parts(bench)
    for _ in range(MAX_FAULTS):
        bench.admit()
        parts.sync.forget()
        parts.bring(ROOM)
        parts.hear(event(2))
        bench.link.tick(bench.link.status.retry_at)
    assert bench.link.status.link is Link.STOPPED
