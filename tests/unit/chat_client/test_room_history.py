"""Pages that come late, rooms that are skipped or refused: what is told of them, and to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import pytest

from chat_client.cache.pages import RoomSummary
from chat_client.state import news
from chat_client.window.overview import Overview
from chat_client.window.room_history import RoomHistory
from common.domain.names import GENERAL
from common.domain.reasons import Reason
from common.protocol.events import Event
from tests.events import said

if TYPE_CHECKING:
    from chat_client.core import Core

OTHER = "dm:ada:bruno"
NEWEST = news.HistoryAdded(GENERAL, news.Wanted(GENERAL), (91, 100))


class Desk:
    """A window with the general room open, as far as the history needs it."""

    def __init__(self) -> None:
        self.room: str | None = GENERAL
        self.read_up_to = 40
        self.sees = True
        self.wanted: list[news.Wanted] = []
        self.calls: list[object] = []
        """What became of each item of news, in order."""
        self.told: list[str] = []
        self.overview = Overview("ada")
        self.history = self.another()

    def another(self) -> RoomHistory:
        """What takes the place of the former one, when the window is made anew."""
        return RoomHistory(
            self.overview,
            self,
            self,
            self,
            self,
            self,
            order=self.order,
            tell=self.told.append,
            sees=lambda _: self.sees,
            on_end=lambda: self.calls.append("end"),
        )

    def rooms(self, me: str, only: str | None = None) -> list[RoomSummary]:
        """How far a room is read."""
        assert me == "ada"
        return [RoomSummary(only or GENERAL, 100, self.read_up_to, 60)]

    def after(self, room: str, seq: int, count: int) -> list[Event]:
        """Messages of Bruno, and every tenth of Ada herself."""
        return [
            said(each, "bruno" if each % 10 else "ada", room=room)
            for each in range(seq + 1, min(100, seq + count) + 1)
        ]

    def order(self, do: Callable[[Core], object]) -> None:
        """Have the core do something, as which this stands."""
        do(cast("Core", self))

    def load_history(self, wanted: news.Wanted) -> None:
        """A page is asked for."""
        self.wanted.append(wanted)

    def count(self, only: str | None = None) -> None:
        """The cache is asked for what is unread."""
        self.calls.append(("count", only))
        self.overview.count([RoomSummary(only or GENERAL, 100, self.read_up_to, 60)])

    def history_added(self, added: news.HistoryAdded) -> None:
        """The message list hears of a page."""
        self.calls.append(added)

    def look_again(self) -> None:
        """The message list asks again."""
        self.calls.append("again")

    def missed(self, room: str, after: int) -> None:
        """The line above what is new is drawn."""
        self.calls.append(("missed", room, after))

    def heard(self, added: news.EventsAdded, *, reading: bool, missing: int = 0) -> None:
        """The notifications hear of events."""
        places = [event.seq for event in added.events]
        self.calls.append(("heard", added.room, places, added.came, reading, missing))


@pytest.fixture
def desk() -> Desk:
    """Nothing has come yet."""
    return Desk()


def test_a_room_of_which_much_was_missed(desk: Desk) -> None:
    """The newest page is asked for first, and told with the number of what stands before it."""
    desk.history.hear(news.Skipped(GENERAL, 40, 100))
    assert desk.overview.unread[GENERAL] == 60
    assert desk.wanted == [news.Wanted(GENERAL)]
    assert desk.calls == [("missed", GENERAL, 40)]
    desk.calls.clear()
    desk.history.hear(NEWEST)
    told = ("heard", GENERAL, [*range(91, 101)], "away", True, 51)
    assert desk.calls == [NEWEST, ("count", GENERAL), told, "end"]
    desk.calls.clear()
    desk.history.hear(NEWEST)
    assert desk.calls == [NEWEST, ("count", GENERAL), "end"], "it is told once"


def test_what_was_read_of_the_newest_page_is_not_told(desk: Desk) -> None:
    """As when the person read it on another device, and answered."""
    desk.history.hear(news.Skipped(GENERAL, 40, 100))
    desk.read_up_to, desk.sees = 95, False
    desk.history.hear(NEWEST)
    (told,) = [each for each in desk.calls if isinstance(each, tuple) and each[0] == "heard"]
    assert told[2] == [96, 97, 98, 99, 100]
    assert told[4] is False


def test_a_room_that_is_not_open(desk: Desk) -> None:
    """It is counted and told, and neither asked for first nor drawn."""
    desk.history.hear(news.Skipped(OTHER, 40, 100))
    assert desk.overview.unread[OTHER] == 60
    assert (desk.wanted, desk.calls) == ([], [])
    page = news.HistoryAdded(OTHER, news.Wanted(OTHER), (91, 100))
    desk.history.hear(page)
    assert desk.calls[:2] == [page, ("count", OTHER)]
    assert len(desk.calls) == 3


def test_what_came_before_this_device_is_not_told(desk: Desk) -> None:
    """A new device fetches the newest page, too; nobody missed what is in it."""
    desk.history.hear(news.Skipped(GENERAL, 0, 100, "before"))
    assert desk.wanted == [news.Wanted(GENERAL)]
    desk.history.hear(NEWEST)
    assert desk.calls == [NEWEST, ("count", GENERAL), "end"]


def test_an_older_page_changes_no_count(desk: Desk) -> None:
    """Only the message list hears of it; of one that did not come, neither."""
    older = news.HistoryAdded(GENERAL, news.Wanted(GENERAL, before=91), (51, 90))
    nothing = news.HistoryAdded(GENERAL, news.Wanted(GENERAL))
    desk.history.hear(older)
    desk.history.hear(nothing)
    assert desk.calls == [older, nothing]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (news.Wanted(GENERAL, at=1_000), True),
        (news.Wanted(GENERAL, around=1), True),
        (news.Wanted(GENERAL, around=7), False),
        (news.Wanted(GENERAL, before=91), False),
        (news.Wanted(GENERAL), False),
    ],
)
def test_a_page_that_is_refused(desk: Desk, wanted: news.Wanted, says: bool) -> None:
    """Whoever went to a day or the beginning is told; else it stands at the end of the list."""
    desk.history.hear(news.HistoryAdded(GENERAL, wanted, why=Reason("busy")))
    assert bool(desk.told) == says


def test_a_room_that_is_refused(desk: Desk) -> None:
    """It is said while it is open, until it is asked for anew or the connection ends."""
    for room in (OTHER, GENERAL):
        desk.history.hear(news.RoomRefused(room, Reason("busy")))
    assert len(desk.told) == 1
    assert desk.told[0].startswith("Nothing new comes here: ")
    desk.room = OTHER
    desk.history.say_refused()
    assert len(desk.told) == 2
    desk.history.asked_anew(OTHER)
    desk.history.say_refused()
    assert len(desk.told) == 2
    desk.room = GENERAL
    desk.history.disconnected()
    desk.history.say_refused()
    assert len(desk.told) == 2


def test_a_window_that_is_made_anew_knows_the_same(desk: Desk) -> None:
    """What is refused, and of what the newest page is on its way."""
    desk.history.hear(news.RoomRefused(GENERAL, Reason("busy")))
    desk.history.hear(news.Skipped(GENERAL, 40, 100))
    former, desk.history = desk.history, desk.another()
    desk.history.take_over(former)
    desk.history.say_refused()
    assert len(desk.told) == 2
    desk.history.hear(NEWEST)
    assert any(isinstance(each, tuple) and each[0] == "heard" for each in desk.calls)


def test_with_no_room_open_nothing_is_asked_for(desk: Desk) -> None:
    """As before the first room is shown."""
    desk.room = None
    desk.history.bring_newest()
    desk.history.say_refused()
    assert (desk.wanted, desk.told) == ([], [])


def test_a_new_connection(desk: Desk) -> None:
    """When the lists are complete, what was wanted in vain is asked for again."""
    desk.history.hear(news.Listed())
    assert desk.calls == ["again"]
