"""What the message list shows, from events alone: days, groups and times."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from chat_client.state.outbox_message import OutboxMessage, OutboxState
from chat_client.window.transcript.timeline import (
    GROUP_MILLISECONDS,
    Entry,
    as_event,
    lay_out,
)
from common.protocol.events import Event
from tests.events import joined, message, said

NOON = round(datetime(2024, 5, 17, 12, 0).astimezone().timestamp() * 1000)
TODAY = date(2024, 5, 17)
MINUTE = 60_000


def event(
    seq: int, sender: str, sent_at: int = NOON, *, text: str = "hi", join: bool = False
) -> Event:
    """An event of the general room."""
    if join:
        return joined(seq, sender, sent_at=sent_at)
    return said(seq, sender, text, sent_at=sent_at)


def shown(*events: Event, previous: Event | None = None, today: date = TODAY) -> list[Entry]:
    """The entries, with names in capitals."""
    return lay_out(events, previous, str.upper, today)


def test_a_run_of_one_sender_stands_under_one_name() -> None:
    """Until somebody else speaks, somebody joins, or five minutes pass."""
    entries = shown(
        event(1, "ada"),
        event(2, "ada", NOON + GROUP_MILLISECONDS - 1),
        event(3, "ada", NOON + 2 * GROUP_MILLISECONDS - 1),
        event(4, "bruno", NOON + 2 * GROUP_MILLISECONDS),
        event(5, "chen", NOON + 2 * GROUP_MILLISECONDS, join=True),
        event(6, "chen", NOON + 2 * GROUP_MILLISECONDS),
    )
    assert [entry.heads_group for entry in entries] == [True, False, True, True, True, True]
    assert [entry.name for entry in entries[:4]] == ["ADA", "ADA", "ADA", "BRUNO"]


@pytest.mark.parametrize("back", [MINUTE, GROUP_MILLISECONDS - 1, GROUP_MILLISECONDS, 3600 * 1000])
def test_a_clock_that_was_set_back_begins_a_group(back: int) -> None:
    """What is said then would pass for said at the time above it."""
    first, second = event(1, "ada"), event(2, "ada", NOON - back)
    (entry,) = shown(second, previous=first)
    assert entry.heads_group is (back >= GROUP_MILLISECONDS)
    assert entry.day is None


def test_a_page_goes_on_where_the_last_one_ended() -> None:
    """What came before decides whether a day or a group begins."""
    first, second = event(1, "ada"), event(2, "ada", NOON + MINUTE)
    (entry,) = shown(second, previous=first)
    assert (entry.day, entry.heads_group) == (None, False)
    (entry,) = shown(second)
    assert (entry.day, entry.heads_group) == ("Today", True)


@pytest.mark.parametrize(
    ("days_ago", "line"),
    [
        (0, "Today"),
        (1, "Yesterday"),
        (2, "Wednesday, 15 May"),
        (137, "Monday, 1 January"),
        (138, "Sunday, 31 December 2023"),
        (-1, "Saturday, 18 May"),  # another computer's clock
    ],
)
def test_days_are_called_as_people_call_them(days_ago: int, line: str) -> None:
    """The year only where it is another one."""
    day = TODAY - timedelta(days=days_ago)
    noon = datetime.combine(day, time(12)).astimezone()
    (entry,) = shown(event(1, "ada", round(noon.timestamp() * 1000)))
    assert entry.day == line


def test_midnight_begins_a_day_and_a_group() -> None:
    """A minute between two messages, and a line between them."""
    late = datetime(2024, 5, 16, 23, 59, 30).astimezone()
    sent_at = round(late.timestamp() * 1000)
    entries = shown(event(1, "ada", sent_at), event(2, "ada", sent_at + MINUTE))
    assert [(e.day, e.heads_group, e.time) for e in entries] == [
        ("Yesterday", True, "23:59"),
        ("Today", True, "00:00"),
    ]


def test_what_waits_looks_as_it_will() -> None:
    """A message on its way out is grouped with what its sender said just before."""
    out = OutboxMessage(
        "general", "a" * 16, *message("hi"), NOON + MINUTE, OutboxState.WAITING, None
    )
    (entry,) = shown(as_event(out, "ada"), previous=event(1, "ada"))
    assert not entry.heads_group
    (entry,) = shown(as_event(out, "ada"), previous=event(1, "ada", join=True))
    assert entry.heads_group
