"""Local times for display. On the wire and on disk they are milliseconds since 1970-01-01 UTC."""

from datetime import UTC, date, datetime
from typing import Final

from common import limits

_UNITS: Final = (("h", 3600), ("min", 60), ("s", 1))
# Not strftime's %b, which follows the locale: everything around it is in English.
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def local_time(milliseconds: int) -> datetime:
    """That time in this computer's time zone.

    A time out of range, which only a faulty program could have stored, becomes the nearest one that
    the protocol allows.
    """
    shown = min(max(0, milliseconds), limits.MAX_TIME)
    # Via UTC: Windows can't convert times before 1970 in the local time zone.
    return datetime.fromtimestamp(shown / 1000, UTC).astimezone()


def minute_text(milliseconds: int) -> str:
    """A time to the minute in this computer's time zone, for lists: `2027-01-31 18:00`."""
    return f"{local_time(milliseconds):%Y-%m-%d %H:%M}"


def date_text(day: date) -> str:
    """A day of this year or a near one: `3 May`."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def until_text(at: int, now: int) -> str:
    """A time in the future: `14:30` today, `3 May, 14:30` later, with the year if it differs."""
    there, here = local_time(at), local_time(now)
    if there.date() == here.date():
        return f"{there:%H:%M}"
    year = f" {there.year}" if there.year != here.year else ""
    return f"{date_text(there)}{year}, {there:%H:%M}"


def duration_text(seconds: int) -> str:
    """A duration for display, such as `1 h 30 min` or `45 s`; a negative one counts as none."""
    parts = []
    left = max(0, seconds)
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"
