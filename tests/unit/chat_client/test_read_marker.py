"""What is marked as read, and when, without a window."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import pytest

from chat_client.window.overview import Overview
from chat_client.window.read_marker import ReadMarker
from common.domain.names import GENERAL
from common.protocol.events import Event
from tests.events import said

if TYPE_CHECKING:
    from chat_client.core import Core

OTHER = "dm:ada:bruno"


class Desk:
    """A window with the general room open and two messages in it, as far as the marker needs it."""

    def __init__(self) -> None:
        self.room: str | None = GENERAL
        self.at_bottom = True
        self.focus = True
        self.events = {room: [said(1, "bruno", room=room)] for room in (GENERAL, OTHER)}
        self.stored: list[tuple[str, int]] = []
        self.closed: list[str] = []
        self.shown = 0
        self.overview = Overview("ada")
        for room, events in self.events.items():
            self.overview.add_events(room, tuple(events), seen=False)
        self.marker = ReadMarker(
            self.overview,
            self,
            self,
            self,
            self.order,
            has_focus=lambda: self.focus,
            on_read=self.show,
        )

    def latest(self, room: str, count: int) -> list[Event]:
        """What the cache has."""
        return self.events.get(room, [])[-count:]

    def read(self, room: str) -> None:
        """A room's notification goes."""
        self.closed.append(room)

    def order(self, do: Callable[[Core], object]) -> None:
        """Have the core do something, as which this stands."""
        do(cast("Core", self))

    def mark_read(self, room: str, seq: int) -> None:
        """What the cache is told."""
        self.stored.append((room, seq))

    def show(self) -> None:
        """The counts are shown anew."""
        self.shown += 1


@pytest.fixture
def desk() -> Desk:
    """Both rooms have an unread message."""
    return Desk()


def test_what_is_in_view_is_read_once_somebody_looks(desk: Desk) -> None:
    """The open room, and no other; the second time there is nothing to do."""
    for _ in range(2):
        desk.marker.look()
        assert desk.stored == [(GENERAL, 1)]
        assert desk.closed == [GENERAL]
        assert desk.overview.unread == {GENERAL: 0, OTHER: 1}
        assert desk.shown == 1


@pytest.mark.parametrize("lacks", ["focus", "at_bottom", "room"])
def test_what_nobody_sees_is_not_read(desk: Desk, lacks: str) -> None:
    """Without the focus, with the end out of view, or with no room open."""
    setattr(desk, lacks, None if lacks == "room" else False)
    assert not desk.marker.sees(GENERAL)
    desk.marker.look()
    assert (desk.stored, desk.closed, desk.shown) == ([], [], 0)
    assert desk.overview.all_unread == 2


def test_only_the_open_room_is_seen(desk: Desk) -> None:
    """Whatever else comes."""
    assert desk.marker.sees(GENERAL)
    assert not desk.marker.sees(OTHER)


def test_what_comes_while_one_looks(desk: Desk) -> None:
    """The cache and the notifications hear of it."""
    desk.marker.seen(GENERAL, 7)
    assert desk.stored == [(GENERAL, 7)]
    assert desk.closed == [GENERAL]


def test_a_room_that_is_opened_counts_as_read(desk: Desk) -> None:
    """Wherever the view is; where nothing was unread, the cache need not be written."""
    desk.at_bottom = False
    desk.marker.mark_open()
    assert desk.stored == [(GENERAL, 1)]
    assert desk.overview.unread[GENERAL] == 0
    desk.marker.mark_open()
    assert desk.stored == [(GENERAL, 1)]
    assert desk.closed == [GENERAL] * 2


def test_any_room_can_be_marked(desk: Desk) -> None:
    """From its menu, while another one is open; also one of which nothing is here."""
    desk.marker.mark(OTHER)
    assert desk.stored == [(OTHER, 1)]
    assert desk.overview.unread == {GENERAL: 1, OTHER: 0}
    assert (desk.closed, desk.shown) == ([OTHER], 1)
    desk.marker.mark("empty")
    assert desk.stored == [(OTHER, 1)]
