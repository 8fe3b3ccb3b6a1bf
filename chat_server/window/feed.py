"""The activity feed: the latest events as lines for the host, the newest first."""

from collections import deque
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from typing import Final

from chat_server.window.formats import clock_text, day_of

LINES: Final = 200
_NOT_STORED: Final = "Messages can’t be stored: "


class Kind(Enum):
    """The kind of a line; the window has an icon and a colour for each."""

    STARTED = auto()
    STOPPED = auto()
    CHANGED = auto()
    CAME = auto()
    LEFT = auto()
    TERMINATED = auto()
    SLOW = auto()
    CAUGHT_UP = auto()
    FAILED = auto()
    ROLE = auto()
    MUTED = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `time` as shown, and a sentence; `name`, if there is one, begins it in bold.

    `handle`, the unique `@username`, is shown muted after the name.
    """

    kind: Kind
    time: str
    name: str
    text: str
    handle: str = ""


_GONE: Final = {
    "left": "left",
    "terminated": "was disconnected",
    "banned": "was banned",
    "lost": "lost the connection",
    "silent": "was disconnected: no data received for 60 s",
    "stuck": "was disconnected: no data accepted for 60 s",
    "too_slow": "was disconnected: too many unread updates",
    "replaced": "connected again",
    "violation": "was disconnected: too many invalid messages",
    "busy": "was disconnected: messages can’t be stored",
    "unreadable": "was disconnected: messages can’t be read",
    "internal": "was disconnected by an internal error",
}
"""Code of the end of a connection → what the line says of the person."""


class Feed:
    """The lines of the latest events, at most `LINES`."""

    def __init__(self) -> None:
        self._lines: deque[tuple[int, Kind, str, str, str]] = deque(maxlen=LINES)
        self._shown: tuple[Line, ...] = ()
        self._shown_for: date | None = None

    def add(self, kind: Kind, at: int, name: str, text: str, handle: str = "") -> None:
        """Add an event at `at` (milliseconds since 1970-01-01 UTC)."""
        self._lines.appendleft((at, kind, name, text, handle))
        self._shown_for = None

    def gone(self, at: int, name: str, why: str, handle: str = "") -> None:
        """Somebody's connection ended; `why` is a code."""
        kind = Kind.TERMINATED if why in {"terminated", "banned"} else Kind.LEFT
        self.add(kind, at, name, _GONE.get(why, "was disconnected"), handle)

    def failed(self, at: int, reason: str) -> None:
        """Messages could not be stored; a repeated failure only updates the time of its line.

        One failure may have several reasons in turn, of which the last is shown.
        """
        if self._lines:
            _, kind, _, text, _ = self._lines[0]
            if kind is Kind.FAILED and text.startswith(_NOT_STORED):
                self._lines.popleft()
        self.add(Kind.FAILED, at, "", f"{_NOT_STORED}{reason}")

    def lines(self, now: int) -> tuple[Line, ...]:
        """All lines, the newest first; the same tuple as before while nothing changed."""
        day = day_of(now)
        if day != self._shown_for:
            self._shown_for = day
            self._shown = tuple(
                Line(kind, clock_text(at, now), name, text, handle)
                for at, kind, name, text, handle in self._lines
            )
        return self._shown
