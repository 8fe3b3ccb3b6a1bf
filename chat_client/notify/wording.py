"""Labels and meaning of the choices for notifications and do not disturb. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from chat_client.notify.policy import Level
from chat_client.notify.quiet import FOR_EVER, Quiet, tomorrow_morning

LEVEL_NAMES: Final[dict[Level, str]] = {
    "everything": "Every message",
    "mentions": "Mentions only",
    "nothing": "Nothing",
}


def quiet_until(chosen: str) -> int:
    """`Quiet.until` for a choice: "off", "hour", "tomorrow" or "on"."""
    now = datetime.now().astimezone()
    match chosen:
        case "hour":
            return int((now + timedelta(hours=1)).timestamp() * 1000)
        case "tomorrow":
            return int(tomorrow_morning(now).timestamp() * 1000)
        case "on":
            return FOR_EVER
        case _:
            return 0


def chosen_quiet(quiet: Quiet, now: datetime) -> str:
    """The choice that is in effect at `now`."""
    if quiet.until == FOR_EVER:
        return "on"
    if not quiet.is_switched_on(now):
        return "off"
    is_morning = quiet.until == int(tomorrow_morning(now).timestamp() * 1000)
    return "tomorrow" if is_morning else "hour"


def describe_quiet(quiet: Quiet, now: datetime) -> str:
    """Whether do not disturb is on, and until when, as a sentence."""
    if not quiet.holds(now):
        return "Off: notifications and sounds come as chosen."
    end = quiet.ends(now)
    if end is None:
        return "On, until you turn it off."
    days = (end.date() - now.date()).days
    day = ("", "tomorrow ")[days] if days < 2 else f"{end.day} {end:%B} "
    return f"On, until {day}{end:%H:%M}."
