"""Local times for display. On the wire and on disk they are milliseconds since 1970-01-01 UTC."""

from datetime import UTC, datetime

from common import limits


def local_time(milliseconds: int) -> datetime:
    """That time in this computer's time zone.

    A time out of range, which only a faulty program could have stored, becomes the nearest one that
    the protocol allows.
    """
    shown = min(max(0, milliseconds), limits.MAX_TIME)
    # Via UTC: Windows can't convert times before 1970 in the local time zone.
    return datetime.fromtimestamp(shown / 1000, UTC).astimezone()
