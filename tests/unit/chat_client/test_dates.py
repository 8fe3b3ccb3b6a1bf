"""Days as people write them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.window.dates import begins, day_of
from common.domain.times import local_time
from common.limits import MAX_TIME

TODAY = date(2026, 5, 20)

WRITTEN = {
    "2026-05-03": date(2026, 5, 3),
    "2025/1/9": date(2025, 1, 9),
    " 2024.02.29 ": date(2024, 2, 29),
    "3.5.2026": date(2026, 5, 3),
    "03. 05. 2026": date(2026, 5, 3),
    "3.5.": date(2026, 5, 3),
    "31.12.": date(2025, 12, 31),
    "29.2.": date(2024, 2, 29),
    "3 May": date(2026, 5, 3),
    "3. may 2019": date(2019, 5, 3),
    "May 3": date(2026, 5, 3),
    "december 24, 2025": date(2025, 12, 24),
    "Dec. 24": date(2025, 12, 24),
    "24  DEC": date(2025, 12, 24),
    "today": TODAY,
    "Yesterday": date(2026, 5, 19),
    "20 may": TODAY,
    "21 may": date(2025, 5, 21),
    "2027-01-01": date(2027, 1, 1),
}
NONE = (
    *("", " ", "tomorrow", "3", "2026", "2026-05", "2026-13-01", "2026-02-30", "0000-01-01"),
    *(
        "32.1.",
        "3 Mai",
        "3 ju",
        "5/3/2026",
        "may",
        "3 may 20266",
        "99999-01-01",
        "x" * 99,
    ),
)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_day_is_understood(text: str) -> None:
    """However it is written; without a year it is not one to come."""
    assert day_of(text, TODAY) == WRITTEN[text]


@pytest.mark.parametrize("text", NONE)
def test_no_day_is_guessed(text: str) -> None:
    """What may mean two days, or none."""
    assert day_of(text, TODAY) is None


@given(st.text(max_size=30))
def test_whatever_somebody_types_is_a_day_or_none(text: str) -> None:
    """Nothing fails."""
    found = day_of(text, TODAY)
    assert found is None or isinstance(found, date)


@given(st.dates(date(1971, 1, 2), date(2100, 1, 1)))
def test_a_day_begins_with_its_first_moment(day: date) -> None:
    """A millisecond before is the day before."""
    at = begins(day)
    assert local_time(at).date() == day
    assert local_time(at - 1).date() == day - timedelta(days=1)


@pytest.mark.parametrize("day", [date.min, date(1969, 7, 20), date(1970, 1, 1), date.max])
def test_days_of_other_times_are_as_near_as_can_be(day: date) -> None:
    """Within what the protocol has for times."""
    at = begins(day)
    assert 0 <= at <= MAX_TIME
    assert (at > datetime(2026, 1, 1).astimezone().timestamp() * 1000) == (day == date.max)


BEGINNINGS = {
    # Clocks go forward at midnight: the day begins at one.
    ("America/Havana", "2024-03-10"): "2024-03-10T01:00-04:00",
    ("America/Santiago", "2024-09-08"): "2024-09-08T01:00-03:00",
    ("America/Sao_Paulo", "2018-11-04"): "2018-11-04T01:00-02:00",
    ("Asia/Beirut", "2024-03-31"): "2024-03-31T01:00+03:00",
    # They go back to midnight, or to the hour before it.
    ("America/Havana", "2024-11-03"): "2024-11-03T00:00-04:00",
    ("America/Sao_Paulo", "2018-02-18"): "2018-02-18T00:00-03:00",
    ("Asia/Beirut", "2024-10-27"): "2024-10-27T00:00+02:00",
    # The same in the night, as in most places.
    ("Europe/Berlin", "2024-03-31"): "2024-03-31T00:00+01:00",
    ("Europe/Berlin", "2024-10-28"): "2024-10-28T00:00+01:00",
    # Far from UTC, with minutes; and a day that there was not.
    ("Asia/Kathmandu", "2024-01-01"): "2024-01-01T00:00+05:45",
    ("Pacific/Apia", "2011-12-29"): "2011-12-29T00:00-10:00",
    ("Pacific/Apia", "2011-12-30"): "2011-12-31T00:00+14:00",
}


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Has this computer be in a time zone."""
    if sys.platform == "win32":
        pytest.skip("a process has the system's time zone")

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(("place", "day"), BEGINNINGS)
def test_a_day_begins_where_one_is(place: str, day: str, zone: Callable[[str], None]) -> None:
    """By the clocks there, whatever is done to them that night."""
    zone(place)
    began = datetime.fromisoformat(BEGINNINGS[place, day])
    assert begins(date.fromisoformat(day)) == round(1000 * began.timestamp())
