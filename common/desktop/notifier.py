"""Shows notifications on this computer's desktop, on every operating system.

`make_notifier` returns the one for the system. No method blocks: requests are carried out on a
thread of the notifier's own, which starts with the first request, and calls `tell` with the
results.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Protocol

from common.desktop.notification import Notification


class App(NamedTuple):
    """The program's identity for desktops."""

    name: str
    """The display name."""
    entry: str
    """The name of its desktop file, without the extension."""
    category: str = "im.received"
    """The category of its notifications (Desktop Notifications Specification, "Categories")."""
    icon: Path | None = None
    """An image file, for desktops that don't know the entry."""


class Code(Enum):
    """The state of this desktop's notifications."""

    UNKNOWN = "unknown"
    """Not queried yet."""
    AVAILABLE = "available"
    NO_BUS = "no_bus"
    """There is no session bus (D-Bus), or the connection to it was lost."""
    NO_SERVER = "no_server"
    """This desktop has no notification server."""
    NO_ANSWER = "no_answer"
    """The notification server does not reply in time."""
    REFUSED = "refused"
    """The notification server replies with errors, or the person does not allow notifications."""
    UNSUPPORTED = "unsupported"
    """The operating system is not supported, or the library for it is missing."""


class NotifierState(NamedTuple):
    """The state of this desktop's notifications, and its capabilities."""

    code: Code = Code.UNKNOWN
    name: str = ""
    """The notification server's name for itself, sanitized."""
    version: str = ""
    actions: bool = False
    """Whether a notification can be clicked."""
    replies: bool = False
    """Whether inline replies are supported."""


class Activated(NamedTuple):
    """The person clicked the notification of `key`.

    `token` is an activation token (XDG Activation, $DESKTOP_STARTUP_ID) with which a window may
    come to the front; "" if there is none.
    """

    key: str
    token: str = ""


class Replied(NamedTuple):
    """The person wrote an inline reply; the text is not validated."""

    key: str
    text: str


class Dismissed(NamedTuple):
    """The person closed the notification."""

    key: str


class Found(NamedTuple):
    """The state has changed, or was requested by `Notifier.look`."""

    state: NotifierState


Event = Activated | Replied | Dismissed | Found
Tell = Callable[[Event], object]


class Notifier(Protocol):
    """Shows notifications. Thread-safe; no method blocks."""

    def look(self) -> None:
        """Query the state, which is reported by `Found` even if it is unchanged."""

    def show(self, notification: Notification) -> None:
        """Show it as soon as possible, replacing the one with the same key.

        One that can't be shown within `conversation.TOO_OLD` seconds is dropped.
        """

    def close(self, key: str) -> None:
        """Close it, if it is shown or queued."""

    def stop(self) -> None:
        """Close all notifications and end the thread soon. Idempotent."""


def make_notifier(app: App, tell: Tell) -> Notifier:
    """The notifier for this system. Imports nothing before its first use."""
    from common.desktop.late import LateNotifier

    return LateNotifier(app, tell)
