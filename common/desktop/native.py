"""Notifications on Windows and macOS, by the library desktop-notifier.

It uses asyncio, so a loop runs on a thread of the notifier's own, which starts with the first
request, imports both then, and ends with `stop`. None of this was ever run on these systems: it
is checked against the library's types, and tested with a fake of the library.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final, TypeVar

from common.desktop.conversation import TOO_OLD
from common.desktop.notification import Notification
from common.desktop.notifier import (
    Activated,
    App,
    Code,
    Dismissed,
    Found,
    NotifierState,
    Replied,
    Tell,
)

if TYPE_CHECKING:
    from asyncio import Event as AsyncEvent

    from desktop_notifier import DesktopNotifier

PATIENCE: Final = 5.0
"""Timeout in seconds of a call to the system."""
ALLOWING: Final = 120.0
"""Timeout in seconds of the system's question whether notifications are allowed."""
_ENDING: Final = 0.5
"""Maximum seconds for closing all notifications when the program ends."""

log = logging.getLogger(__name__)

_T = TypeVar("_T")
Order = Callable[["_Worker"], Awaitable[None]]


class NativeNotifier:
    """Shows notifications by the operating system; see `notifier.Notifier`."""

    def __init__(self, app: App, tell: Tell) -> None:
        self._app = app
        self._tell = tell
        self._lock = Lock()
        self._orders: deque[Order | None] = deque()
        self._thread: Thread | None = None
        self._wake: Callable[[], object] | None = None
        """Wakes the thread for new orders; None before its loop runs, and afterwards."""
        self._stopped = False

    def look(self) -> None:
        """See `Notifier.look`."""
        self._ask(lambda worker: worker.look())

    def show(self, notification: Notification) -> None:
        """See `Notifier.show`."""
        since = time.monotonic()
        self._ask(lambda worker: worker.show(notification.cleaned(), since))

    def close(self, key: str) -> None:
        """See `Notifier.close`. Does not start the thread."""
        with self._lock:
            if self._thread is None:
                return
        self._ask(lambda worker: worker.close(key))

    def stop(self) -> None:
        """See `Notifier.stop`."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            self._orders.append(None)
            if self._wake is not None:
                self._wake()

    def _ask(self, order: Order) -> None:
        with self._lock:
            if self._stopped:
                return
            self._orders.append(order)
            if self._thread is None:
                # A daemon: a call to the system may hang, which must not delay the program's end.
                self._thread = Thread(target=self._run, name="notifications", daemon=True)
                self._thread.start()
            elif self._wake is not None:
                self._wake()

    def _run(self) -> None:
        import asyncio

        loop = asyncio.new_event_loop()
        news = asyncio.Event()
        with self._lock:
            self._wake = lambda: loop.call_soon_threadsafe(news.set)
        try:
            loop.run_until_complete(_Worker(self._app, self._tell).serve(self._orders, news))
        finally:
            with self._lock:
                self._stopped = True
                self._wake = None
            loop.close()


class _Worker:
    """The state of the thread: the library, and the notifications that are shown."""

    def __init__(self, app: App, tell: Tell) -> None:
        self._app = app
        self._tell = tell
        self._state = NotifierState()
        self._notifier: DesktopNotifier | None = None
        self._shown: dict[str, str] = {}
        """Key → the library's identifier of the notification that is shown."""

    async def serve(self, orders: deque[Order | None], news: AsyncEvent) -> None:
        """Carry out orders, in sequence, until None."""
        while True:
            news.clear()
            while orders:
                order = orders.popleft()
                if order is None:
                    with _errors_logged():
                        await _within(_ENDING, self._close_all())
                    return
                await order(self)
            await news.wait()

    async def look(self) -> None:
        """Query the system, and report its state."""
        self._state = await self._found()
        self._tell(Found(self._state))

    async def show(self, notification: Notification, since: float) -> None:
        """Show it, replacing the one with the same key, unless it is older than TOO_OLD."""
        found = await self._found()
        if found != self._state:
            self._state = found
            self._tell(Found(found))
        expired = time.monotonic() - since > TOO_OLD  # such as during the system's question
        if self._notifier is None or found.code is not Code.AVAILABLE or expired:
            return
        await self.close(notification.key)
        with _errors_logged():
            await _within(PATIENCE, self._send(self._notifier, notification))

    async def _send(self, notifier: DesktopNotifier, notification: Notification) -> None:
        from desktop_notifier import ReplyField, Urgency

        key = notification.key
        reply = ReplyField(on_replied=lambda text: self._gone(key, Replied(key, text)))
        # No `thread`: Windows would display it.
        self._shown[key] = await notifier.send(
            title=notification.title or self._app.name,
            message=notification.body,
            urgency=Urgency.Critical if notification.urgent else Urgency.Normal,
            reply_field=reply if notification.can_reply and self._state.replies else None,
            on_clicked=lambda: self._gone(key, Activated(key)),
            on_dismissed=lambda: self._gone(key, Dismissed(key)),
        )

    async def close(self, key: str) -> None:
        """Close it, if it is shown."""
        called = self._shown.pop(key, None)
        if called is not None and self._notifier is not None:
            with _errors_logged():
                await _within(PATIENCE, self._notifier.clear(called))

    async def _close_all(self) -> None:
        for key in list(self._shown):
            await self.close(key)

    async def _found(self) -> NotifierState:
        """Import the library once, and query capabilities and permission."""
        try:
            from desktop_notifier import Capability, DesktopNotifier, Icon
        except ImportError:
            return NotifierState(Code.UNSUPPORTED)
        # The library logs texts of notifications, and warns about what is a state here.
        logging.getLogger("desktop_notifier").setLevel(logging.CRITICAL + 1)
        state = NotifierState(Code.NO_ANSWER)
        with _errors_logged():
            if self._notifier is None:
                icon = Icon(path=self._app.icon) if self._app.icon is not None else None
                self._notifier = DesktopNotifier(self._app.name, icon)
            abilities = await _within(PATIENCE, self._notifier.get_capabilities())
            if Capability.TITLE not in abilities:
                # The library's dummy backend, as on macOS outside of an application bundle.
                state = NotifierState(Code.UNSUPPORTED)
            elif not await _within(ALLOWING, self._notifier.request_authorisation()):
                state = NotifierState(Code.REFUSED)
            else:
                state = NotifierState(
                    Code.AVAILABLE,
                    actions=Capability.ON_CLICKED in abilities,
                    replies=Capability.REPLY_FIELD in abilities,
                )
        return state

    def _gone(self, key: str, event: Activated | Dismissed | Replied) -> None:
        self._shown.pop(key, None)
        self._tell(event)


async def _within(seconds: float, call: Awaitable[_T]) -> _T:
    """Await a call. Raises TimeoutError after `seconds`."""
    import asyncio

    return await asyncio.wait_for(call, seconds)


@contextlib.contextmanager
def _errors_logged() -> Iterator[None]:
    """Log and suppress any exception of the library, which binds to frameworks of all sorts."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # see above; and its text may have texts of people
        log.debug("the system's notifications failed: %s", type(error).__name__)
