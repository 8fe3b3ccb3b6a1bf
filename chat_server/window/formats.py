"""Numbers and times as text for people. Times are milliseconds since 1970-01-01 UTC."""

from datetime import date
from typing import Final

from common.domain.times import date_text, local_time

_STEP: Final = 1000
_UNITS: Final = ("kB", "MB", "GB", "TB")
_MINUTE: Final = 60_000


def handle_text(name: str, username: str) -> str:
    """`@username`, unless it equals the name: display names may be equal, usernames not."""
    same = name.isascii() and name.lower() == username
    return "" if same else f"@{username}"


def size_text(count: int) -> str:
    """Bytes with two or three digits and a decimal (SI) unit: `312 B`, `4.2 MB`, `118 GB`."""
    if count < _STEP:
        return f"{count} B"
    value, place = count / _STEP, 0
    # 999.5 would round to 1000, which is 1 of the next unit.
    while value >= _STEP - 0.5 and place + 1 < len(_UNITS):
        value, place = value / _STEP, place + 1
    unit = _UNITS[place]
    return f"{value:.1f} {unit}" if value < 99.95 else f"{value:.0f} {unit}"


def day_of(at: int) -> date:
    """The local day of a time; a result of `clock_text` is valid for one day."""
    return local_time(at).date()


def clock_text(at: int, now: int) -> str:
    """The local time of day, `09:02`; the date, `3 May`, for another day than that of `now`."""
    there = local_time(at)
    if there.date() == day_of(now):
        return f"{there:%H:%M}"
    return date_text(there)


def uptime_text(milliseconds: int) -> str:
    """A duration in minutes, hours or days: `12 min`, `3 h 12 min`, `2 d 4 h`."""
    minutes = max(0, milliseconds) // _MINUTE
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else "< 1 min"
