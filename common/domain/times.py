"""Times as people see them. On the wire and on disk they are milliseconds since 1970-01-01 UTC."""

from datetime import UTC, datetime

from common import limits


def local_time(milliseconds: int) -> datetime:
    """That moment in this computer's time zone.

    What no calendar can show, as only a foreign program could have stored it, is shown as the
    nearest time that the protocol allows.
    """
    shown = min(max(0, milliseconds), limits.MAX_TIME)
    # By way of UTC: Windows has no local time for what lies before 1970 there.
    return datetime.fromtimestamp(shown / 1000, UTC).astimezone()
