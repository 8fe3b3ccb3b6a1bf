"""A clock for how much time has passed, which nobody sets and which no suspension stops.

And the time zone of this computer, which may become another one while a program runs.
"""

import time
from typing import Final

_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""The first on Linux. The second goes on during suspension on macOS, and is not there on Windows,
where `time.monotonic` goes on."""


def elapsed() -> float:
    """Seconds since some moment in the past, the same one for as long as the computer runs.

    `time.monotonic` stands still while a computer with Linux or macOS is suspended, and the wall
    clock jumps when it is set.
    """
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def notice_time_zone() -> None:
    """Take over another time zone of this computer, such as after a journey; costs a microsecond.

    POSIX systems read it once for each process: local times would stay those of the former zone.
    """
    if hasattr(time, "tzset"):
        time.tzset()
