"""The layout of the message list, computed from events: days, groups and times. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from chat_client.state.outbox_message import OutboxMessage
from chat_client.window.transcript.drawing import Drawing, drawing_of
from common.domain.times import local_time
from common.protocol.events import Event

GROUP_MILLISECONDS: Final = 5 * 60 * 1000
"""Maximum milliseconds between messages of one sender that are grouped under one name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it is shown. `day` and `name` are set where a day or a group begins."""

    seq: int
    drawing: Drawing
    sender: str
    name: str
    handle: str
    """`@username` if another person's name looks the same; otherwise ""."""
    time: str
    text: str
    day: str | None
    heads_group: bool
    unread: str = ""
    """The words of the unread line above it, if it is the first unread event; otherwise ""."""


class Unread(NamedTuple):
    """The line above the unread messages: the `seq` it follows, and its words."""

    after: int
    label: str


def lay_out(
    events: Iterable[Event],
    previous: Event | None,
    name_of: Callable[[str], str],
    today: date,
    *,
    handle_of: Callable[[str], str] = lambda _: "",
    unread: Unread | None = None,
) -> list[Entry]:
    """The entries of consecutive events, of which the first follows `previous`.

    The first one after `unread`, if it is among them, has the unread line above it. Names and texts
    are as they were received: whoever draws them sanitizes them.
    """
    entries: list[Entry] = []
    for event in events:
        at = local_time(event.sent_at)
        first_new = unread is not None and event.seq == unread.after + 1
        new_day = previous is None or local_time(previous.sent_at).date() != at.date()
        entries.append(
            Entry(
                seq=event.seq,
                drawing=drawing_of(event),
                sender=event.sender,
                name=name_of(event.sender),
                handle=handle_of(event.sender),
                time=f"{at:%H:%M}",
                text=event.text,
                day=_day(at.date(), today) if new_day else None,
                heads_group=new_day or first_new or not _same_group(previous, event),
                unread=unread.label if unread is not None and first_new else "",
            )
        )
        previous = event
    return entries


def as_event(out: OutboxMessage, sender: str) -> Event:
    """An outbox message as the event that it will become; its `seq` is not known yet."""
    return Event(out.room, 0, out.kind, sender, out.written_at, out.cid, out.body)


def _same_group(previous: Event | None, event: Event) -> bool:
    return (
        previous is not None
        and previous.is_message
        and event.is_message
        and previous.sender == event.sender
        and abs(event.sent_at - previous.sent_at) < GROUP_MILLISECONDS  # clocks are set back
    )


def _day(day: date, today: date) -> str:
    days_ago = (today - day).days
    if days_ago == 0:
        return "Today"
    if days_ago == 1:
        return "Yesterday"
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day:%A}, {day.day} {day:%B}{year}"
