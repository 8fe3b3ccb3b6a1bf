"""A notifier that is imported at the first use, as imports slow down the start."""

from __future__ import annotations

import sys
from threading import Lock

from common.desktop.notification import Notification
from common.desktop.notifier import App, Notifier, Tell


class LateNotifier:
    """The notifier for this system, created by the first call of `look` or `show`."""

    def __init__(self, app: App, tell: Tell) -> None:
        self._app, self._tell = app, tell
        self._lock = Lock()
        self._made: Notifier | None = None
        self._stopped = False

    def look(self) -> None:
        """See `Notifier.look`."""
        notifier = self._get()
        if notifier is not None:
            notifier.look()

    def show(self, notification: Notification) -> None:
        """See `Notifier.show`."""
        notifier = self._get()
        if notifier is not None:
            notifier.show(notification)

    def close(self, key: str) -> None:
        """See `Notifier.close`; does nothing before the first use."""
        if self._made is not None:
            self._made.close(key)

    def stop(self) -> None:
        """See `Notifier.stop`."""
        with self._lock:
            self._stopped = True
        if self._made is not None:
            self._made.stop()

    def _get(self) -> Notifier | None:
        with self._lock:
            if self._made is None and not self._stopped:
                self._made = load(self._app, self._tell)
            return self._made


def load(app: App, tell: Tell) -> Notifier:
    """Import and create the notifier for this system's desktop."""
    if sys.platform in {"win32", "darwin"}:
        from common.desktop.native import NativeNotifier

        return NativeNotifier(app, tell)
    from common.desktop.dbus import DBusNotifier

    return DBusNotifier(app, tell)
