"""Showing notifications on this computer's desktop, whichever it is.

`make_notifier` gives the one for the system. Nothing of it blocks: what is asked is done on a
thread of the notifier's own, which begins with the first question, and what becomes of it is told
by `tell`, on that thread.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Protocol

from common.desktop.notification import Notification


class App(NamedTuple):
    """The program, as desktops want to know it."""

    name: str
    """For people."""
    entry: str
    """Of its desktop file, without the ending."""
    category: str = "im.received"
    """Of its notifications (Desktop Notifications Specification, "Categories")."""
    icon: Path | None = None
    """A picture, for desktops that don't know the entry."""


class Code(Enum):
    """What was found."""

    UNKNOWN = "unknown"
    """Nobody has looked yet."""
    AVAILABLE = "available"
    NO_BUS = "no_bus"
    """There is no session bus (D-Bus), or it is gone."""
    NO_SERVER = "no_server"
    """No program of this desktop shows notifications."""
    NO_ANSWER = "no_answer"
    """There is one, and it does not answer in time."""
    REFUSED = "refused"
    """It answers with errors, or the person does not allow notifications."""
    UNSUPPORTED = "unsupported"
    """This system's notifications are unknown here, or the library for them is missing."""


class NotifierState(NamedTuple):
    """What was found, and what it can do."""

    code: Code = Code.UNKNOWN
    name: str = ""
    """How the notification server calls itself; cleaned, as all that it says."""
    version: str = ""
    actions: bool = False
    """Whether a notification can be clicked."""
    replies: bool = False
    """Whether it can be answered inside."""


class Activated(NamedTuple):
    """Somebody clicked the notification of `key`.

    `token` is an activation token (XDG Activation, $DESKTOP_STARTUP_ID) with which a window may
    come to the front; "" if there is none.
    """

    key: str
    token: str = ""


class Replied(NamedTuple):
    """Somebody wrote an answer inside the notification; as it was typed, not checked."""

    key: str
    text: str


class Dismissed(NamedTuple):
    """Somebody took the notification away."""

    key: str


class Found(NamedTuple):
    """The state is another one."""

    state: NotifierState


Event = Activated | Replied | Dismissed | Found
Tell = Callable[[Event], object]


class Notifier(Protocol):
    """Shows notifications. To be used by any thread; every method returns at once."""

    def look(self) -> None:
        """Find out what there is; `Found` tells, also when nothing has changed."""

    def show(self, notification: Notification) -> None:
        """Show it, in place of the one with the same key; as soon as it can be, or never."""

    def close(self, key: str) -> None:
        """Take it away, if it is there."""

    def stop(self) -> None:
        """Take everything away and end the thread, soon. May be called twice, and at any time."""


def make_notifier(app: App, tell: Tell) -> Notifier:
    """The notifier for this system. Loads nothing before there is something to do."""
    from common.desktop.late import LateNotifier

    return LateNotifier(app, tell)
