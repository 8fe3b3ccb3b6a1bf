"""Parsing dates as people write them, and the start of a day. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Final

from common.domain.times import local_time
from common.limits import MAX_TIME

_NUMBERS: Final = (
    re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"),
    re.compile(r"(?P<d>\d{1,2})\. ?(?P<m>\d{1,2})\.? ?(?P<y>\d{4})?"),
)
_NAMED: Final = (
    re.compile(r"(?P<d>\d{1,2})\.? (?P<m>[a-z]{3,9})\.?(?:,? (?P<y>\d{4}))?"),
    re.compile(r"(?P<m>[a-z]{3,9})\.? (?P<d>\d{1,2})(?:,? (?P<y>\d{4}))?"),
)
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_LONGEST_GAP: Final = 2 * 24 * 3600
"""Seconds from what would have been midnight in which the day, or the next one, begins."""
_WORDS: Final = {"today": 0, "yesterday": 1}


def day_of(text: str, today: date) -> date | None:
    """The day that is meant: as in 2026-05-03, 3.5.2026, 3 May or yesterday; None for no day.

    Without a year it is the last one of that name that is not to come.
    """
    words = " ".join(text.lower().split())
    if words in _WORDS:
        return today - timedelta(days=_WORDS[words])
    for form in (*_NUMBERS, *_NAMED):
        found = form.fullmatch(words)
        if found is not None:
            month = _month(found["m"])
            if month is None:
                return None
            years = (int(found["y"]),) if found["y"] else range(today.year, today.year - 9, -1)
            return _latest(years, month, int(found["d"]), today, whole=bool(found["y"]))
    return None


def _month(text: str) -> int | None:
    if text.isdecimal():
        return int(text)
    names = [number for number, name in enumerate(_MONTHS, 1) if name.startswith(text)]
    return names[0] if len(names) == 1 else None


def _latest(
    years: tuple[int, ...] | range, month: int, day: int, today: date, *, whole: bool
) -> date | None:
    for year in years:
        with suppress(ValueError):
            found = date(year, month, day)
            if whole or found <= today:
                return found
    return None


def begins(day: date) -> int:
    """When a day begins on this computer, in ms since 1970-01-01 UTC, as near as a message can."""
    try:
        moment = datetime.combine(day, time.min).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):  # before 1970, on some systems; the year 1 or 9999
        moment = 0.0 if day.year < 1971 else MAX_TIME / 1000
    at = min(max(0, round(1000 * moment)), MAX_TIME)
    if local_time(at).date() < day:
        # Where clocks go forward at midnight there is none; and a day may be left out as a whole.
        seconds = range(at // 1000, at // 1000 + _LONGEST_GAP)
        began = bisect_left(seconds, day, key=lambda second: local_time(1000 * second).date())
        at = min(1000 * (seconds[0] + began), MAX_TIME)
    return at
