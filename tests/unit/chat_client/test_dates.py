"""Days as people write them."""

from __future__ import annotations

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
