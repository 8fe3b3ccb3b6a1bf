"""Arguments of ``ChatServer ctl`` and what it prints of them: names, numbers, times.

It imports nothing that is slow to load, as scripts call `ctl` often.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final, Protocol

from chat_server.chat_name import clean_chat_name
from common.domain.names import ROOM_PATTERN, NameRefusedError, fold_username
from common.limits import MAX_INTEGER, MAX_SLOW, MAX_TIME, REASON_LENGTH

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SPAN: Final = re.compile(r"(\d+)([smhdw])")
_ROOM: Final = re.compile(ROOM_PATTERN)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_QUOTED: Final = 40
"""Characters of an argument that a message quotes."""
_DIGITS: Final = 18
"""Of a number that is counted down: more entries than any log has."""

Fields = dict[str, Any]


NULL: Final = object()
"""Stands for null as the value of a field; with None a field is left out."""


class Server(Protocol):
    """What the verbs need of the connection to the server. Both raise CtlError."""

    def ask(self, kind: str, **fields: Any) -> Fields:
        """The reply to a command."""

    def pages(self, kind: str, place: str, last: Callable[[Fields], Any], of: str) -> Iterator[Any]:
        """All entries of a list, page by page. `last` returns the cursor for the next page."""


class CtlError(Exception):
    """The command failed; the text says why."""


def parse_whom(text: str) -> Fields:
    """A person by username, or `#7` for a connection of `clients`."""
    if not text.startswith("#"):
        return {"username": parse_username(text)}
    try:
        number = int(text[1:])
    except ValueError:  # also of thousands of digits
        number = 0
    if not 1 <= number <= MAX_INTEGER:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no connection; use #7")
    return {"connection": number}


def parse_username(text: str) -> str:
    """A username, perhaps written as people are mentioned: `@ada`."""
    try:
        return fold_username(text.removeprefix("@"))
    except NameRefusedError as error:
        raise argparse.ArgumentTypeError(f"{quoted(text)}: {error}") from error


def parse_count(text: str) -> int:
    """How many entries to print at most."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no number of entries")
    return int(text[:_DIGITS])


def parse_text(text: str) -> str:
    """What was typed, if it is Unicode: a shell hands over any bytes."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not in UTF-8") from error
    return text


def parse_chat_name(text: str) -> str:
    """The chat's name."""
    try:
        return clean_chat_name(parse_text(text))
    except NameRefusedError as error:
        raise argparse.ArgumentTypeError(f"{quoted(text)}: {error}") from error


def parse_line(text: str, most: int = REASON_LENGTH, what: str = "a reason") -> str:
    """Words as the protocol takes them: one line of at most so many characters."""
    line = " ".join(_CONTROL.sub(" ", parse_text(text)).split())
    if len(line) > most:
        raise argparse.ArgumentTypeError(f"{what} has at most {most} characters")
    return line


def parse_until(text: str) -> int:
    """A time in ms since 1970 UTC: in `30m`, `12h`, `7d`, or at an ISO date and time."""
    try:
        span = _SPAN.fullmatch(text)
        if span is not None:
            until = time.time() + int(span[1]) * _SECONDS[span[2]]
        else:
            until = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        why = f"{quoted(text)} is no time; use 30m, 12h, 7d or 2027-01-31T18:00"
        raise argparse.ArgumentTypeError(why) from error
    if until <= time.time():
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not in the future")
    if until > MAX_TIME / 1000:
        why = f"{quoted(text)} is too far away; without --until it holds until it is lifted"
        raise argparse.ArgumentTypeError(why)
    return int(until * 1000)


def parse_number(text: str) -> int:
    """The number of an entry of a list."""
    number = int(text) if text.isdecimal() and len(text) <= _DIGITS else 0
    if not 1 <= number <= MAX_INTEGER:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no number of an entry")
    return number


def parse_span(text: str) -> int:
    """Milliseconds, given as `30m`, `12h` or `7d`."""
    span = _SPAN.fullmatch(text)
    if span is None:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no span of time; use 30m, 12h or 7d")
    return int(span[1][:_DIGITS]) * _SECONDS[span[2]] * 1000


def parse_interval(text: str) -> int:
    """The seconds of slow mode: `30s`, `5m`, `6h`, or `off`."""
    if text == "off":
        return 0
    span = _SPAN.fullmatch(text)
    if span is None:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no interval; use 30s, 5m, 6h or off")
    seconds = int(span[1][:_DIGITS]) * _SECONDS[span[2]]
    if seconds > MAX_SLOW:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is too long; {MAX_SLOW // 3600}h at most")
    return seconds


def parse_room(text: str) -> str:
    """A room's name, perhaps written as `#general`."""
    room = text.removeprefix("#")
    if not _ROOM.fullmatch(room):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no room")
    return room


def quoted(text: str) -> str:
    """What was typed, quoted, in a message of one line."""
    return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…")
