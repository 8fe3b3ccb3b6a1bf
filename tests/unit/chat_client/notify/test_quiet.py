"""Do not disturb: the switch, the hours across midnight and summer time, and when it ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from chat_client.notify.quiet import FOR_EVER, Quiet, tomorrow_morning

pytestmark = pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a time zone of its own")


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A time zone with summer time, written out, so that no data of zones is needed."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


def at(text: str) -> datetime:
    """A local time."""
    return datetime.fromisoformat(text).astimezone()


def ms(text: str) -> int:
    """The same in milliseconds since 1970."""
    return int(at(text).timestamp() * 1000)


NIGHT = (22 * 60, 7 * 60 + 30)


@pytest.mark.parametrize(
    ("quiet", "now", "holds"),
    [
        (Quiet(), "2026-11-27T12:00", False),
        (Quiet(until=FOR_EVER), "2026-11-27T12:00", True),
        (Quiet(hours=NIGHT), "2026-11-27T21:59", False),
        (Quiet(hours=NIGHT), "2026-11-27T22:00", True),
        (Quiet(hours=NIGHT), "2026-11-28T07:29", True),
        (Quiet(hours=NIGHT), "2026-11-28T07:30", False),
        (Quiet(hours=(9 * 60, 17 * 60)), "2026-11-27T09:00", True),
        (Quiet(hours=(9 * 60, 17 * 60)), "2026-11-27T17:00", False),
        (Quiet(hours=(0, 0)), "2026-11-27T13:00", True),
    ],
)
def test_when_it_holds(quiet: Quiet, now: str, holds: bool) -> None:
    """From the first time up to the second."""
    assert quiet.holds(at(now)) is holds


def test_until_a_time() -> None:
    """Up to that moment, and not in it."""
    quiet = Quiet(until=ms("2026-11-27T13:00"))
    assert quiet.holds(at("2026-11-27T12:59:59"))
    assert not quiet.holds(at("2026-11-27T13:00"))
    assert quiet.ends(at("2026-11-27T12:00")) == at("2026-11-27T13:00")


@pytest.mark.parametrize(
    ("quiet", "now", "end"),
    [
        (Quiet(hours=NIGHT), "2026-11-27T23:00", "2026-11-28T07:30"),
        (Quiet(hours=NIGHT), "2026-11-28T01:00", "2026-11-28T07:30"),
        (Quiet(hours=NIGHT), "2026-03-28T23:00", "2026-03-29T07:30"),  # a night of 23 hours
        (Quiet(hours=NIGHT), "2026-10-24T23:00", "2026-10-25T07:30"),  # a night of 25 hours
        (Quiet(until=FOR_EVER), "2026-11-27T23:00", None),
        (Quiet(hours=(0, 0)), "2026-11-27T23:00", None),
        (Quiet(hours=NIGHT), "2026-11-27T12:00", None),
    ],
)
def test_when_it_ends(quiet: Quiet, now: str, end: str | None) -> None:
    """By the clock on the wall, whatever happens to it in the night."""
    assert quiet.ends(at(now)) == (None if end is None else at(end))


def test_a_time_that_comes_within_the_hours() -> None:
    """What ends last counts, also where the hours begin only meanwhile."""
    quiet = Quiet(until=ms("2026-11-27T22:30"), hours=NIGHT)
    assert quiet.ends(at("2026-11-27T21:30")) == at("2026-11-28T07:30")
    quiet = Quiet(until=ms("2026-11-28T08:00"), hours=NIGHT)
    assert quiet.ends(at("2026-11-27T23:30")) == at("2026-11-28T08:00")


def test_tomorrow_morning() -> None:
    """After midnight it is the same morning that one waits for."""
    assert tomorrow_morning(at("2026-11-27T18:00")) == at("2026-11-28T08:00")
    assert tomorrow_morning(at("2026-11-28T01:00")) == at("2026-11-28T08:00")
    assert tomorrow_morning(at("2026-11-28T08:00")) == at("2026-11-29T08:00")
    assert tomorrow_morning(at("2026-03-28T18:00")) == at("2026-03-29T08:00")


@pytest.mark.parametrize(
    ("until", "hours", "may"),
    [
        (0, None, False),
        (FOR_EVER, None, False),
        ("2026-03-10T11:59", None, False),
        ("2026-03-10T12:00", None, False),
        ("2026-03-10T12:01", None, True),
        (0, NIGHT, True),
        (FOR_EVER, NIGHT, True),
    ],
)
def test_whether_time_alone_may_change_it(
    until: int | str, hours: tuple[int, int] | None, may: bool
) -> None:
    """Only then somebody has to look at the clock."""
    quiet = Quiet(ms(until) if isinstance(until, str) else until, hours)
    assert quiet.may_change(at("2026-03-10T12:00")) == may
