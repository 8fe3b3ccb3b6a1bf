"""Copying from the message list: the original text, and for several messages sender and time."""

import tkinter as tk
from collections.abc import Iterable
from typing import NamedTuple

from chat_client.window.transcript.places import Places
from common.domain.times import local_time
from common.ui.widgets.richtext import RichText


class Said(NamedTuple):
    """The message that is drawn from the mark `mark` to the index `stop`."""

    mark: str
    stop: str
    name: str
    sent_at: int
    text: str
    drawn: int
    """Number of portions of the text that are drawn."""
    note: str = ""
    """The line that is drawn instead of a text."""


def selected(text: tk.Text, places: Places, rich: RichText, said: Iterable[Said]) -> str:
    """The selected text as it was sent; "" for none.

    Within one message it is a part of the original text, whatever is drawn for it. Of several it is
    a paragraph each: "name, time: text".
    """
    ranges = text.tag_ranges("sel")
    if not ranges:
        return ""
    first, last = str(ranges[0]), str(ranges[-1])
    parts: list[tuple[Said, str]] = []
    for item in said:
        if text.compare(item.mark, ">=", last):
            break
        if text.compare(item.stop, ">", first):
            part = _part(text, places, item, first, last)
            if part or item.note:
                parts.append((item, part))
    if not parts or (len(parts) == 1 and parts[0][0].note):
        return rich.selected()  # a name, a time or a day
    if len(parts) == 1:
        return parts[0][1]
    several_days = len({local_time(item.sent_at).date() for item, _ in parts}) > 1
    return "\n".join(_paragraph(item, part, dated=several_days) for item, part in parts)


def _part(text: tk.Text, places: Places, item: Said, first: str, last: str) -> str:
    """The selected part of a message's text."""
    body = places.body(item.mark, item.stop)
    if body is None:
        return ""
    begin = first if text.compare(first, ">", body) else body
    end = last if text.compare(last, "<", item.stop) else item.stop
    if text.compare(begin, ">=", end):
        return ""
    start = places.original(item.text, item.drawn, body, begin)
    return item.text[start : places.original(item.text, item.drawn, body, end, end=True)]


def _paragraph(item: Said, part: str, *, dated: bool) -> str:
    at = local_time(item.sent_at)
    when = f"{at:%Y-%m-%d %H:%M}" if dated else f"{at:%H:%M}"
    return f"{item.note}, {when}" if item.note else f"{item.name}, {when}: {part}"
