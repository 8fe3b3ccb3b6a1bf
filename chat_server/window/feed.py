"""The activity feed: the latest events as lines for the host, the newest first."""

from collections import deque
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from typing import Final, NamedTuple

from chat_server.window.formats import clock_text, day_of

LINES: Final = 200
REFUSALS: Final = 20
"""At most so many lines tell of people who were refused: those may try all day."""
_ONE_TRY: Final = 60 * 60 * 1000
"""Milliseconds for which the same refusal again is counted in the line that is there."""
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
    REFUSED = auto()


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
    "device_removed": "was signed out on a device",
    "busy": "was disconnected: messages can’t be stored",
    "unreadable": "was disconnected: messages can’t be read",
    "internal": "was disconnected by an internal error",
}
"""Code of the end of a connection → what the line says of the person."""


REFUSED: Final = {
    "bad_secret": "invalid invite link",
    "invite_expired": "expired invite link",
    "invite_used": "used invite link",
    "invite_needed": "no invite",
    "ask_first": "only by asking",
    "too_many_devices": "too many devices",
    "displaced": "too many people asked to join at once",
    "bad_code": "wrong code",
    "banned": "banned",
    "not_recognized": "unknown device",
    "version": "their ChatClient is too old",
}
"""Code of a refusal → why, for the host."""


class _Refusals(NamedTuple):
    """The refusals that a line tells of: of one address, for one reason."""

    address: str
    code: str
    username: str
    """Whom they said they were; "" if they did not, or said several things."""
    times: int


class _Entry(NamedTuple):
    at: int
    kind: Kind
    name: str
    text: str
    handle: str = ""
    refusals: _Refusals | None = None


class Feed:
    """The lines of the latest events, at most `LINES`."""

    def __init__(self) -> None:
        self._lines: deque[_Entry] = deque(maxlen=LINES)
        self._shown: tuple[Line, ...] = ()
        self._shown_for: date | None = None

    def add(self, kind: Kind, at: int, name: str, text: str, handle: str = "") -> None:
        """Add an event at `at` (milliseconds since 1970-01-01 UTC)."""
        self._add(_Entry(at, kind, name, text, handle))

    def gone(self, at: int, name: str, why: str, handle: str = "") -> None:
        """Somebody's connection ended; `why` is a code."""
        kind = Kind.TERMINATED if why in {"terminated", "banned"} else Kind.LEFT
        self.add(kind, at, name, _GONE.get(why, "was disconnected"), handle)

    def failed(self, at: int, reason: str) -> None:
        """Messages could not be stored; a repeated failure only updates the time of its line.

        One failure may have several reasons in turn, of which the last is shown.
        """
        if self._lines:
            last = self._lines[0]
            if last.kind is Kind.FAILED and last.text.startswith(_NOT_STORED):
                self._lines.popleft()
        self.add(Kind.FAILED, at, "", f"{_NOT_STORED}{reason}")

    def refused(self, at: int, address: str, code: str, username: str, count: int) -> None:
        """Somebody was not let in; `code` says why. An `address` "" stands for several.

        The same again, within an hour, only counts up its line and moves it to the top.
        """
        earlier = [entry for entry in self._lines if entry.refusals is not None]
        for entry in earlier:
            same = entry.refusals
            if same is not None and same[:2] == (address, code) and at - entry.at < _ONE_TRY:
                self._lines.remove(entry)
                earlier.remove(entry)
                count += same.times
                username = username if username == same.username else ""
                break
        if len(earlier) >= REFUSALS:
            self._lines.remove(earlier[-1])
        refusals = _Refusals(address, code, username, count)
        self._add(_Entry(at, Kind.REFUSED, "Somebody", _refused_text(refusals), "", refusals))

    def _add(self, entry: _Entry) -> None:
        self._lines.appendleft(entry)
        self._shown_for = None

    def lines(self, now: int) -> tuple[Line, ...]:
        """All lines, the newest first; the same tuple as before while nothing changed."""
        day = day_of(now)
        if day != self._shown_for:
            self._shown_for = day
            self._shown = tuple(
                Line(entry.kind, clock_text(entry.at, now), entry.name, entry.text, entry.handle)
                for entry in self._lines
            )
        return self._shown


def _refused_text(refusals: _Refusals) -> str:
    where = refusals.address or "several addresses"
    claimed = f" as @{refusals.username}" if refusals.username else ""
    why = REFUSED.get(refusals.code, refusals.code)
    times = f" ({refusals.times} times)" if refusals.times > 1 else ""
    return f"at {where} was refused{claimed}: {why}{times}"
