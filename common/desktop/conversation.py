"""The protocol of a notification server, without I/O: replies in, method calls out.

It follows the Desktop Notifications Specification 1.3, with activation tokens and, from KDE,
replies inside a notification. `common/desktop/dbus.py` does the I/O, and passes the time.

A server may hang, refuse, crash and be restarted. So calls are made one at a time; a notification
whose call timed out is not sent again before the server has replied to something else, as a server
that was only busy would show it twice; and a late reply is used.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from common.desktop.notification import Notification, clean
from common.desktop.notifier import (
    Activated,
    App,
    Code,
    Dismissed,
    Event,
    Found,
    NotifierState,
    Replied,
    Tell,
)

DEADLINE: Final = 5.0
"""Timeout of a call in seconds; a server that the bus has to start first needs some of them."""
TOO_OLD: Final = 60.0
"""Maximum age in seconds of a notification that could not be shown; older ones are dropped."""
PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Backoff: seconds between attempts. There are no attempts while nothing is to be shown."""
MOST_WAITING: Final = 32
"""Maximum number of queued notifications; beyond it the oldest is dropped."""
_MOST_LATE: Final = 16
_MOST_GONE: Final = 64
"""Number of closed notifications whose clicks are still handled: some servers signal them late."""
_DEFAULT: Final = "default"
"""The action key of a click on the notification itself."""
_REPLY: Final = "inline-reply"
_DISMISSED: Final = 2
"""The reason code of a notification that was closed by the user."""
_LONGEST_TOKEN: Final = 1024
_NO_SERVER: Final = ("ServiceUnknown", "NameHasNoOwner", "Spawn", "NoReply", "TimedOut", "Timeout")
"""Errors of the bus itself (org.freedesktop.DBus.Error): no server, or it can't be started."""

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Call:
    """A method call to the server; replies are matched to this object."""

    member: str
    body: tuple[object, ...] = ()
    signature: str = ""
    notification: Notification | None = None
    """The notification that a `Notify` call shows."""
    since: float = 0.0
    """When the notification was requested."""
    unwanted: bool = False
    """Whether the notification was closed before the server had returned its id."""
    deadline: float = 0.0
    """When the call times out; 0 if no reply is expected, or it has timed out."""


class Backoff:
    """When a failed action is tried again; see `PAUSES`."""

    def __init__(self) -> None:
        self._failures = 0
        self.until = 0.0

    def failed(self, now: float) -> None:
        """Record a failure: `until` is after the next, longer pause."""
        self.until = now + PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1

    def worked(self) -> None:
        """Record a success: there is no pause any more."""
        self._failures = 0
        self.until = 0.0


class Conversation:
    """The state of the exchange: queued and shown notifications, and the server's properties.

    `calls` yields the calls to send. All times are in seconds of one monotonic clock.
    """

    def __init__(self, app: App, tell: Tell) -> None:
        self._app = app
        self._tell = tell
        self.state = NotifierState()
        self._waiting: OrderedDict[str, tuple[Notification, float]] = OrderedDict()
        """Key → notification that is to be shown, and when it was requested."""
        self._numbers: dict[str, int] = {}
        """Key → the server's id of the notification that is shown."""
        self._keys: dict[int, str] = {}
        self._gone: OrderedDict[int, str] = OrderedDict()
        self._tokens: dict[int, str] = {}
        self._out: list[Call] = []
        self._current: Call | None = None
        """The latest call without a reply, if there is one."""
        self._late: list[Call] = []
        """Calls that have timed out; a server that was only busy replies to them late."""
        self._known: NotifierState | None = None
        """The server's name and version, once it has replied."""
        self._capabilities: frozenset[str] = frozenset()
        self._asked = False
        """Whether to report the state even if it is unchanged."""
        self._connected = False
        self._owner = ""
        """The server's unique name on the bus."""
        self._server = Backoff()

    # --- requests of the program --------------------------------------------------------------

    def look(self, now: float) -> None:
        """Query the server, and report its state even if it is unchanged."""
        self._asked = True
        if self._connected and not self._is_waiting:
            self._greet(now)

    def show(self, notification: Notification, now: float) -> None:
        """Queue a notification, which is shown as soon as the server takes it."""
        cleaned = notification.cleaned()
        # An earlier one of the same key that is still queued is replaced, in its position.
        self._waiting[cleaned.key] = (cleaned, now)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
        self.tick(now)

    def close(self, key: str) -> None:
        """Close a notification, or remove it from the queue."""
        self._waiting.pop(key, None)
        for call in self._unanswered():
            if call.notification is not None and call.notification.key == key:
                call.unwanted = True
        number = self._numbers.get(key)
        if number is not None:
            self._forget(number)
            self._take_away(number)

    def close_all(self) -> None:
        """Close all notifications, as the program ends."""
        for key in [*self._waiting, *self._numbers]:
            self.close(key)
        for call in self._unanswered():
            call.unwanted = True

    # --- what the connection reports ----------------------------------------------------------

    @property
    def wants_connection(self) -> bool:
        """Whether a connection is needed now."""
        return bool(self._waiting) or self._asked

    @property
    def ends_soon(self) -> bool:
        """Whether a `Notify` call is pending, whose reply has the id that closing it needs."""
        call = self._current
        return self._is_waiting and call is not None and call.notification is not None

    def calls(self) -> Iterator[Call]:
        """Yield the calls to send now, in order."""
        while self._out:
            yield self._out.pop(0)

    def wakes_at(self, now: float) -> float | None:
        """When to call `tick` next, if nothing else happens before; None for never."""
        times = [self._current.deadline] if self._current and self._current.deadline else []
        if self._waiting:
            times.append(min(since for _, since in self._waiting.values()) + TOO_OLD)
            if self._connected and self._server.until > now:
                times.append(self._server.until)
        return min(times, default=None)

    def connected(self, now: float) -> None:
        """Handle a new connection to the bus."""
        self._connected = True
        self._server.worked()
        self._greet(now)

    def no_connection(self, code: Code) -> None:
        """Handle a failed connection, or the loss of one."""
        self._connected = False
        self._forget_server()
        self._out.clear()
        self._find(NotifierState(code))

    def tick(self, now: float) -> None:
        """Handle timeouts, drop notifications that are too old, and send what may be sent."""
        for key, (_, since) in list(self._waiting.items()):
            if now - since >= TOO_OLD:
                del self._waiting[key]
        call = self._current
        if call is not None and call.deadline and now >= call.deadline:
            call.deadline = 0.0
            self._server.failed(now)
            self._find(NotifierState(Code.NO_ANSWER, *self._name()))
        self._go_on(now)

    def owner_changed(self, owner: str, now: float) -> None:
        """Handle a new owner of the server's bus name; "" is for none.

        Pending calls are replied to all the same: by the bus with an error if the server has
        exited, and by the new server if the bus has started it for just this call.
        """
        self._forget_numbers()
        self._owner = owner
        self._known = None
        self._server.worked()
        if not owner and self.state.code is not Code.UNKNOWN:
            # The bus may be able to start one, which is tried when there is something to show.
            self._find(NotifierState(Code.NO_SERVER))
        elif owner and not self._is_waiting:
            self._greet(now)

    def answered(self, call: Call, body: Sequence[object], sender: str, now: float) -> None:
        """Handle the server's reply to `call`."""
        if call in self._late:
            self._late.remove(call)
            self._is_shown(call, body, sender, late=True)
        if call is not self._current:
            return
        self._current = None
        self._owner = self._owner or sender
        if call.member == "GetServerInformation":
            self._known = NotifierState(Code.AVAILABLE, _word(body, 0), _word(body, 2))
            self._call(Call("GetCapabilities"), now)
            return
        if call.member == "GetCapabilities":
            self._capabilities = _words(body)
        else:
            self._is_shown(call, body, sender)
        self._server.worked()
        if self._known is None:
            self._greet(now)  # the reply is from a new server, which is not known yet
            return
        self._find(self._available())
        self._go_on(now)

    def failed(self, call: Call, error: str, now: float) -> None:
        """Handle an error reply to `call`, by its name, from the server or the bus."""
        if call in self._late:
            self._late.remove(call)
            if _tells_absence(error):
                self._again(call)
                self._go_on(now)
        if call is not self._current:
            return
        self._current = None
        log.debug("%s was answered with an error: %s", call.member, clean(error))
        if _tells_absence(error):
            unanswered = [call, *self._late]
            self._forget_server()
            for each in unanswered:
                self._again(each)
            self._server.failed(now)
            self._find(NotifierState(Code.NO_SERVER))
        elif call.member == "GetCapabilities":
            # Assume that the server has no optional capabilities.
            self._capabilities = frozenset()
            self._find(self._available())
        elif call.notification is not None and call.notification.key in self._numbers:
            # Perhaps the server does not know the id to be replaced: retry without it.
            self._forget(self._numbers[call.notification.key])
            self._again(call)
        else:
            self._server.failed(now)
            self._known = None
            self._find(NotifierState(Code.REFUSED, *self._name()))
        self._go_on(now)

    def signalled(self, member: str, body: Sequence[object], sender: str) -> None:
        """Handle a signal of the server: a click, a reply, or a closing."""
        if not body or not isinstance(body[0], int) or sender != self._owner:
            return
        number = body[0]
        key = self._keys.get(number) or self._gone.get(number)
        if key is None:
            return  # a notification of another program
        if member == "ActivationToken":
            self._tokens[number] = _token(body)
        elif member == "NotificationClosed":
            self._forget(number)
            if len(body) > 1 and body[1] == _DISMISSED and not self._has_newer(key):
                self._tell(Dismissed(key))
        elif member == "ActionInvoked" and _word(body, 1) == _DEFAULT:
            self._done(number, Activated(key, self._tokens.pop(number, "")))
        elif member == "NotificationReplied" and len(body) > 1 and isinstance(body[1], str):
            self._done(number, Replied(key, body[1]))

    # --- sending, and the state ---------------------------------------------------------------

    def _greet(self, now: float) -> None:
        """Query the server's name and version. The reply also shows that it is responsive."""
        self._call(Call("GetServerInformation"), now)

    def _go_on(self, now: float) -> None:
        """Send the next notification, unless a call is pending or paused."""
        if not self._waiting or not self._connected or self._is_waiting:
            return
        if now < self._server.until:
            return
        if self._known is None or self._current is not None:
            self._greet(now)
            return
        _, (notification, since) = self._waiting.popitem(last=False)
        replaced = self._numbers.get(notification.key, 0)
        body = notify(self._app, notification, replaced, self._capabilities)
        self._call(Call("Notify", body, "susssasa{sv}i", notification, since), now)

    def _call(self, call: Call, now: float) -> None:
        if self._current is not None:
            self._late = [*self._late, self._current][-_MOST_LATE:]
        call.deadline = now + DEADLINE
        self._current = call
        self._out.append(call)

    def _is_shown(
        self, call: Call, body: Sequence[object], sender: str, *, late: bool = False
    ) -> None:
        notification = call.notification
        if notification is None or not body or not isinstance(body[0], int):
            return
        if sender != self._owner:
            return  # from a program that is not the server any more
        number = body[0]
        former = self._numbers.get(notification.key)
        if call.unwanted or (late and former not in {None, number}):
            self._take_away(number)
            return
        if former is not None and former != number:
            self._forget(former)
            self._take_away(former)  # the server has not replaced it
        self._numbers[notification.key] = number
        self._keys[number] = notification.key
        self._gone.pop(number, None)

    def _done(self, number: int, event: Event) -> None:
        """Report a click or reply, and close the notification: not every server does by itself."""
        if number in self._keys:
            self._forget(number)
            self._take_away(number)
        self._gone.pop(number, None)
        self._tokens.pop(number, None)
        self._tell(event)

    def _has_newer(self, key: str) -> bool:
        """Whether a newer notification of a key than the closed one is shown or queued."""
        return (
            key in self._numbers
            or key in self._waiting
            or any(
                call.notification is not None and call.notification.key == key and not call.unwanted
                for call in self._unanswered()
            )
        )

    def _take_away(self, number: int) -> None:
        self._out.append(Call("CloseNotification", (number,), "u"))

    def _forget(self, number: int) -> None:
        key = self._keys.pop(number, None)
        if key is None:
            return
        if self._numbers.get(key) == number:
            del self._numbers[key]
        self._gone[number] = key
        if len(self._gone) > _MOST_GONE:
            old, _ = self._gone.popitem(last=False)
            self._tokens.pop(old, None)

    def _forget_server(self) -> None:
        self._forget_numbers()
        self._known = None
        self._current = None
        self._late.clear()
        self._owner = ""

    def _forget_numbers(self) -> None:
        """Forget the server's ids: the next server may assign them to other programs."""
        self._numbers.clear()
        self._keys.clear()
        self._gone.clear()
        self._tokens.clear()

    def _again(self, call: Call) -> None:
        """Queue a call's notification again, unless there is a newer one of its key."""
        notification = call.notification
        if notification is None or call.unwanted:
            return
        _, since = self._waiting.get(notification.key, (None, float("-inf")))
        if since >= call.since:
            return
        self._waiting[notification.key] = (notification, call.since)
        self._waiting.move_to_end(notification.key, last=False)

    @property
    def _is_waiting(self) -> bool:
        """Whether a call is pending that has not timed out."""
        return self._current is not None and self._current.deadline > 0

    def _unanswered(self) -> list[Call]:
        return [*self._late, *([self._current] if self._current is not None else [])]

    def _available(self) -> NotifierState:
        return NotifierState(
            Code.AVAILABLE,
            *self._name(),
            actions="actions" in self._capabilities,
            replies=_REPLY in self._capabilities,
        )

    def _name(self) -> tuple[str, str]:
        known = self._known or self.state
        return known.name, known.version

    def _find(self, state: NotifierState) -> None:
        if state == self.state and not self._asked:
            return
        if state.code is not self.state.code:
            log.info("notifications: %s", state.code.value)
        self.state = state
        self._asked = False
        self._tell(Found(state))


def notify(
    app: App, notification: Notification, replaced: int, capabilities: Collection[str]
) -> tuple[object, ...]:
    """The arguments of `Notify`; `replaced` is the id of the notification to replace, or 0."""
    body = escape(notification.body) if "body-markup" in capabilities else notification.body
    actions: list[str] = []
    if "actions" in capabilities:
        actions += [_DEFAULT, "Open"]
        if notification.can_reply and _REPLY in capabilities:
            actions += [_REPLY, "Reply"]
    hints: dict[str, tuple[str, object]] = {
        "desktop-entry": ("s", app.entry),
        "urgency": ("y", 2 if notification.urgent else 1),
        # The program has sounds of its own, which follow its settings.
        "suppress-sound": ("b", True),
    }
    if app.category:
        hints["category"] = ("s", app.category)
    icon = str(app.icon) if app.icon is not None else ""
    title = notification.title or app.name
    return (app.name, replaced, icon, title, body, actions, hints, -1)


def escape(text: str) -> str:
    """Escape `text` as markup. Quotation marks need no escape outside of tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _word(body: Sequence[object], at: int) -> str:
    """The text at an index of the server's reply, cleaned; "" if there is none."""
    found = body[at] if at < len(body) else ""
    return clean(found) if isinstance(found, str) else ""


def _token(body: Sequence[object]) -> str:
    """The activation token of a signal; "" if it is invalid."""
    found = body[1] if len(body) > 1 else ""
    fits = isinstance(found, str) and found.isprintable() and len(found) <= _LONGEST_TOKEN
    return str(found) if fits else ""


def _tells_absence(error: str) -> bool:
    """Whether an error means that there is no server: the bus has replied in its place."""
    name = error.removeprefix("org.freedesktop.DBus.Error.")
    return name != error and name.partition(".")[0] in _NO_SERVER


def _words(body: Sequence[object]) -> frozenset[str]:
    found = body[0] if body else ()
    return frozenset(map(str, found)) if isinstance(found, list | tuple) else frozenset()
