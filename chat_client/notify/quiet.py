"""Do not disturb: until it is turned off, until a time, or during fixed hours each day. Pure.

Times of the day are those of this computer's time zone; every `now` is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from common.domain.times import local_time

MORNING: Final = time(8)
"""When "until tomorrow" ends, local time."""
FOR_EVER: Final = -1
"""In place of a time: until it is turned off."""
DAY: Final = 24 * 60
"""Minutes of a day."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """When notifications and sounds are suppressed; never, if nothing is set.

    `until` is in milliseconds since 1970-01-01 UTC, FOR_EVER or 0 for not at all. `hours` are
    two local times of the day in minutes after midnight: from the first up to the second, which
    may be on the next day; None for no hours, and two equal ones are the whole day. With
    `mentions_pass`, messages that mention the person are not suppressed.
    """

    until: int = 0
    hours: tuple[int, int] | None = None
    mentions_pass: bool = False

    def holds(self, now: datetime) -> bool:
        """Whether do not disturb is on at that time."""
        return self.is_switched_on(now) or self._in_hours(now)

    def is_switched_on(self, now: datetime) -> bool:
        """Whether it is on at that time by `until` alone, without the hours."""
        return self.until == FOR_EVER or self.until > _milliseconds(now)

    def may_change(self, now: datetime) -> bool:
        """Whether it may turn on or off by itself, after that time."""
        return self.hours is not None or self.until > _milliseconds(now)

    def ends(self, now: datetime) -> datetime | None:
        """When it turns off by itself; None if it is off, or has no end."""
        if self.until == FOR_EVER or not self.holds(now):
            return None
        at = now
        # The hours may begin before `until`, and `until` may be reached during the hours.
        while self.holds(at):
            later = []
            if self.is_switched_on(at):
                later.append(local_time(self.until))
            if self._in_hours(at):
                later.append(self._end_of_hours(at))
            latest = max(later)
            if latest <= at or latest - now > timedelta(days=366):
                return None
            at = latest
        return at

    def _in_hours(self, now: datetime) -> bool:
        if self.hours is None:
            return False
        begin, end = self.hours
        minute = now.hour * 60 + now.minute
        if begin < end:
            return begin <= minute < end
        return minute >= begin or minute < end

    def _end_of_hours(self, now: datetime) -> datetime:
        """The next time at which the hours end."""
        _, end = self.hours or (0, 0)
        day = now.date() if now.hour * 60 + now.minute < end else now.date() + timedelta(days=1)
        return datetime.combine(day, time(end // 60, end % 60)).astimezone()


def tomorrow_morning(now: datetime) -> datetime:
    """The next 8:00 local time: today's if it is still to come, else tomorrow's."""
    day = now.date() if now.time() < MORNING else now.date() + timedelta(days=1)
    return datetime.combine(day, MORNING).astimezone()


def _milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)
