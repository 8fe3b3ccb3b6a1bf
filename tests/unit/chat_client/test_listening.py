"""When a listener gives up, which otherwise would wait for what never comes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chat_client.conversation import FailedError
from chat_client.listening import _receive
from chat_client.options import Options
from chat_client.state import news
from chat_client.state.status import Link, Status
from common.domain.reasons import Reason

ENOUGH = news.StatusChanged(Status(Link.SIGNED_OUT, Reason("enough")), 0)


class Told:
    """A conversation of which this is told, in this order."""

    def __init__(self, *items: news.News) -> None:
        self._items = items

    def news(self, _timeout: float) -> Iterator[news.News]:
        """See Conversation."""
        yield from self._items


def hear(room: str, *items: news.News) -> None:
    """Listen to a room until it is enough."""
    _receive(Told(*items, ENOUGH), Options(), room, set())  # type: ignore[arg-type]  # as much of it as is asked


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("no_such_room", "there is no room general that you are in"),
        ("members_only", "the server says “members only”"),
    ],
)
def test_a_room_that_is_refused_is_not_waited_for(code: str, why: str) -> None:
    """Though the server has it on its list: nothing of it will come on this connection."""
    refused = news.RoomRefused("general", Reason(code, {"room": "general"}))
    with pytest.raises(FailedError, match=f"^general can't be listened to: {why}$"):
        hear("general", news.RoomSeen("general"), refused)
    hear("garden", news.RoomSeen("garden"), refused)


def test_a_room_that_is_not_listed_is_not_waited_for() -> None:
    """A direct one may come into being, if there is somebody of that name."""
    with pytest.raises(FailedError, match=r"^you are in no room garden$"):
        hear("garden", news.RoomSeen("general"), news.Listed())
    with pytest.raises(FailedError, match=r"^nobody here is called ada$"):
        hear("dm:ada:bob", news.Listed())
