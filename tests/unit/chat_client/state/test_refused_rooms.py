"""`synced` refuses some of the rooms that were asked for: each is treated by its own reason."""

from __future__ import annotations

import pytest

from chat_client.state import news
from chat_client.state.status import Link
from common.domain.reasons import Reason
from common.protocol import messages
from tests.unit.chat_client.desk import Desk, ack, event, only, room_of, synced

DIRECT = "dm:ada:bob"
ROOMS = {"general": 3, "art": 1, DIRECT: 2}


@pytest.fixture
def desk() -> Desk:
    """A client with a copy of some rooms, which asks for what it missed."""
    desk = Desk()
    sync = only(desk.go_online(**ROOMS), messages.Sync)
    desk.hear(synced(sync, {}, **ROOMS), *(event(n, room) for room in ROOMS for n in range(1, 3)))
    desk.lose()
    desk.news.clear()
    return desk


def test_only_the_room_that_is_ahead_is_fetched_anew(desk: Desk) -> None:
    """The others go on from where they are, on the same connection."""
    sync = only(desk.go_online(**ROOMS), messages.Sync)
    assert sync.positions == {"general": 2, "art": 2, DIRECT: 2}
    (again,) = desk.hear(
        synced(sync, {"art": "position_ahead"}), event(3), event(3, DIRECT), event(4, DIRECT)
    )
    assert isinstance(again, messages.Sync)
    assert (again.positions, again.last) == ({"art": 0}, {})
    assert desk.told(news.CacheReset) == [news.CacheReset(("art",))]
    desk.hear(synced(again, art=1), event(1, "art"))
    assert {room: desk.cache.position(room) for room in ROOMS} == {
        "general": 3,
        "art": 1,
        DIRECT: 4,
    }
    assert desk.shown("art") == [1]
    assert desk.controller.status.link is Link.ONLINE


def test_several_rooms_are_set_back_at_once(desk: Desk) -> None:
    """With one piece of news, and one command."""
    sync = only(desk.go_online(**ROOMS), messages.Sync)
    ahead = dict.fromkeys(("general", DIRECT), "position_ahead")
    again = only(desk.hear(synced(sync, ahead)), messages.Sync)
    assert again.positions == {DIRECT: 0, "general": 0}
    assert desk.told(news.CacheReset) == [news.CacheReset((DIRECT, "general"))]
    assert desk.cache.position("art") == 2


@pytest.mark.parametrize("code", ["no_such_room", "members_only"])
def test_a_room_that_is_not_there_is_done_without(desk: Desk, code: str) -> None:
    """Or one that is refused for a reason of a newer server: its copy and the others stay."""
    sync = only(desk.go_online(**ROOMS), messages.Sync)
    assert desk.hear(synced(sync, {DIRECT: code}), event(3)) == []
    assert desk.shown() == [3]
    assert desk.cache.position(DIRECT) == 2
    assert not desk.told(news.CacheReset)
    assert desk.told(news.RoomRefused) == [news.RoomRefused(DIRECT, Reason(code, {"room": DIRECT}))]
    assert desk.controller.status.link is Link.ONLINE
    # It is asked for when it is told of, and on the next connection.
    added = messages.RoomAdded(room=room_of(DIRECT, 3))
    assert only(desk.hear(added), messages.Sync).positions == {DIRECT: 2}
    desk.lose()
    assert DIRECT in only(desk.go_online(**ROOMS), messages.Sync).positions


def test_every_reason_at_once(desk: Desk) -> None:
    """One answer may refuse each room for another one."""
    sync = only(desk.go_online(**ROOMS), messages.Sync)
    codes = {"general": "position_ahead", "art": "no_such_room", DIRECT: "under_repair"}
    again = only(desk.hear(synced(sync, codes)), messages.Sync)
    assert again.positions == {"general": 0}
    assert desk.told(news.CacheReset) == [news.CacheReset(("general",))]
    assert desk.controller.status.link is Link.ONLINE


def test_a_room_that_is_ahead_of_its_beginning_is_a_breach(desk: Desk) -> None:
    """From there everything is right: it would be fetched for ever."""
    sync = only(desk.go_online(**ROOMS, new=0), messages.Sync)
    assert sync.positions["new"] == 0
    desk.hear(synced(sync, {"new": "position_ahead"}))
    assert desk.controller.status.link is Link.PAUSED
    assert not desk.told(news.CacheReset)


def test_a_room_is_set_back_once_on_a_connection(desk: Desk) -> None:
    """Also when its events came in between; on another connection it may be again."""
    sync = only(desk.go_online(**ROOMS), messages.Sync)
    ahead = {"general": "position_ahead"}
    again = only(desk.hear(synced(sync, ahead)), messages.Sync)
    desk.hear(event(1), synced(again, ahead))
    assert desk.controller.status.link is Link.PAUSED
    assert desk.told(news.CacheReset) == [news.CacheReset(("general",))]
    desk.wait(1)
    sync = only(desk.go_online(**ROOMS), messages.Sync)
    assert only(desk.hear(synced(sync, ahead)), messages.Sync).positions == {"general": 0}


def test_a_room_that_has_moved_on_since_is_not_set_back_again(desk: Desk) -> None:
    """Though it is asked for once more on this connection: it would go on for ever."""
    sync = only(desk.go_online(**ROOMS), messages.Sync)
    (again,) = desk.hear(synced(sync, {"art": "position_ahead"}))
    assert isinstance(again, messages.Sync)
    desk.hear(event(1, "art"), synced(again, {"art": "under_repair"}))
    third = only(desk.hear(messages.RoomAdded(room=room_of("art", 1))), messages.Sync)
    assert third.positions == {"art": 1}
    assert not desk.controller.wants_disconnect
    desk.hear(synced(third, {"art": "position_ahead"}))
    assert desk.controller.status.link is Link.PAUSED
    assert desk.cache.position("art") == 1


def test_what_nobody_asked_for_changes_nothing(desk: Desk) -> None:
    """Refusals and heads of other rooms than those of the command."""
    sync = only(desk.go_online(general=3), messages.Sync)
    assert sync.positions == {"general": 2}
    assert desk.hear(synced(sync, {"art": "position_ahead"}, **{DIRECT: 9})) == []
    assert desk.cache.position("art") == 2
    assert not desk.told(news.CacheReset)
    # That a room is right was not said by that either.
    desk.hear(ack(only(desk.say("hello", DIRECT), messages.Send), 3))
    assert desk.cache.position(DIRECT) == 2


def test_an_acknowledgement_in_a_refused_room_waits_for_its_event(desk: Desk) -> None:
    """The copy was not compared: what is said there may follow another history."""
    sync = only(desk.go_online(**ROOMS), messages.Sync)
    desk.hear(synced(sync, {"general": "under_repair"}))
    desk.hear(ack(only(desk.say("hello"), messages.Send), 3))
    assert desk.cache.position("general") == 2
    assert desk.shown() == []
