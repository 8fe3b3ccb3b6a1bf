"""The duration of a ban or a mute: options of a dialog, and the time that an option means."""

from typing import Final

from common.ui.widgets.option_row import Options

FOR_EVER: Final = ""
HOUR: Final = "60"
_MINUTE: Final = 60_000


def until_options(value: str) -> Options:
    """The row of options of a dialog; `value`, `FOR_EVER` or minutes, is selected at first."""
    times = (
        ("10", "10 minutes"),
        (HOUR, "1 hour"),
        (str(24 * 60), "1 day"),
        (str(7 * 24 * 60), "1 week"),
        (FOR_EVER, "Until lifted"),
    )
    return Options("For how long", times, value)


def until_time(option: str, now: int) -> int | None:
    """When an option chosen at `now` ends, None for never; milliseconds since 1970-01-01 UTC."""
    return None if option == FOR_EVER else now + int(option) * _MINUTE
