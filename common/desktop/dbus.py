"""Notifications on Linux: the session bus (D-Bus), and the notification server on it.

A thread of its own owns the connection. It starts with the first request, imports jeepney then, and
waits in a selector: requests arrive by a queue and a waker, and callers never block. The bus may be
missing, hang, or disconnect; each of these is a state (`NotifierState`), not an error.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from common.desktop.conversation import Backoff, Call, Conversation
from common.desktop.notification import Notification
from common.desktop.notifier import App, Code, Tell
from common.system.waker import Waker

if TYPE_CHECKING:
    from jeepney import Message

SERVER: Final = "org.freedesktop.Notifications"
PATH: Final = "/org/freedesktop/Notifications"
_BUS: Final = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
"""Name, object path and interface of the bus itself."""
_SIGNALS: Final = (
    "ActionInvoked",
    "ActivationToken",
    "NotificationClosed",
    "NotificationReplied",
)
_CONNECTING: Final = 2.0
"""Timeout in seconds for connecting to the bus, and for sending to it."""
_ENDING: Final = 0.5
"""Maximum seconds for closing all notifications when the program ends."""

log = logging.getLogger(__name__)

Order = Callable[[Conversation, float], object]


class DBusNotifier:
    """Shows notifications by this desktop's notification server; see `notifier.Notifier`."""

    def __init__(self, app: App, tell: Tell, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._tell = tell
        self._clock = clock
        self._inbox: SimpleQueue[Order | None] = SimpleQueue()
        self._lock = Lock()
        self._waker: Waker | None = None
        self._stopped = False

    def look(self) -> None:
        """See `Notifier.look`."""
        self._ask(Conversation.look)

    def show(self, notification: Notification) -> None:
        """See `Notifier.show`."""
        self._ask(lambda conversation, now: conversation.show(notification, now))

    def close(self, key: str) -> None:
        """See `Notifier.close`. Does not start the thread."""
        with self._lock:
            if self._waker is None:
                return
        self._ask(lambda conversation, _: conversation.close(key))

    def stop(self) -> None:
        """Close all; the thread ends within half a second, or two if the bus hangs."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            self._inbox.put(None)
            if self._waker is not None:
                self._waker.wake()

    def _ask(self, order: Order) -> None:
        with self._lock:
            if self._stopped:
                return
            self._inbox.put(order)
            if self._waker is None:
                self._waker = Waker()
                Thread(target=self._run, args=(self._waker,), name="notifications").start()
            else:
                self._waker.wake()

    def _run(self, waker: Waker) -> None:
        try:
            _Worker(Conversation(self._app, self._tell), self._inbox, waker, self._clock).run()
        finally:
            with self._lock:
                # No further requests: no thread may wake the waker that is closed below.
                self._stopped = True
            waker.close()


class _Worker:
    """The state of the thread: the conversation, and the connection while there is one."""

    def __init__(
        self,
        conversation: Conversation,
        inbox: SimpleQueue[Order | None],
        waker: Waker,
        clock: Callable[[], float],
    ) -> None:
        self._conversation = conversation
        self._inbox = inbox
        self._waker = waker
        self._clock = clock
        self._bus: _Bus | None = None
        self._connecting = Backoff()
        self._stopping = False

    def run(self) -> None:
        """Run until `stop`."""
        try:
            while True:
                self._take_orders()
                if self._stopping:
                    break
                self._turn()
                self._wait(self._timeout())
            self._end()
        finally:
            self._hang_up()

    def _timeout(self) -> float | None:
        now = self._clock()
        times = [self._conversation.wakes_at(now)]
        if self._bus is None and self._conversation.wants_connection:
            times.append(self._connecting.until)
        due = [each for each in times if each is not None]
        return max(0.0, min(due) - now) if due else None

    def _wait(self, timeout: float | None) -> None:
        """Wait for a request, a message of the bus, or the timeout; handle messages of the bus."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._waker.receiver, selectors.EVENT_READ)
            if self._bus is not None:
                selector.register(self._bus.socket, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(timeout)}
        if self._waker.receiver in ready:
            self._waker.clear()
        if self._bus is not None and self._bus.socket in ready:
            self._receive(self._bus)

    def _take_orders(self) -> None:
        with contextlib.suppress(Empty):
            while not self._stopping:
                order = self._inbox.get_nowait()
                if order is None:
                    self._stopping = True
                    return
                if order is Conversation.look:
                    self._connecting.worked()  # the state is requested now: connect without a pause
                order(self._conversation, self._clock())

    def _turn(self) -> None:
        """Connect if needed, handle timeouts, and send calls."""
        now = self._clock()
        wants = self._conversation.wants_connection
        if self._bus is None and wants and now >= self._connecting.until:
            self._connect()
        self._conversation.tick(self._clock())
        self._send()

    def _connect(self) -> None:
        code = Code.NO_BUS
        try:
            self._bus = _Bus(session_bus())
        except ImportError:
            code = Code.UNSUPPORTED
        except (OSError, ValueError, LookupError, RuntimeError) as error:
            log.debug("no session bus: %s", type(error).__name__)
        if self._bus is None:
            self._connecting.failed(self._clock())
            self._conversation.no_connection(code)
            return
        self._connecting.worked()
        self._conversation.connected(self._clock())

    def _send(self) -> None:
        for call in self._conversation.calls():
            if self._bus is None:
                return
            try:
                self._bus.call(call)
            except OSError:
                self._lose()

    def _receive(self, bus: _Bus) -> None:
        try:
            messages = bus.receive()
        except OSError:
            self._lose()
            return
        for message in messages:
            self._understand(bus, message)

    def _understand(self, bus: _Bus, message: Message) -> None:
        from jeepney import HeaderFields, MessageType

        fields = message.header.fields
        kind = message.header.message_type
        member, sender = str(fields.get(HeaderFields.member)), str(fields.get(HeaderFields.sender))
        now = self._clock()
        if kind in {MessageType.method_return, MessageType.error}:
            call = bus.calls.pop(fields.get(HeaderFields.reply_serial, 0), None)
            if call is None:
                return
            if kind is MessageType.error:
                self._conversation.failed(call, str(fields.get(HeaderFields.error_name)), now)
            else:
                self._conversation.answered(call, message.body, sender, now)
        elif kind is MessageType.signal and member == "NameOwnerChanged" and sender == _BUS[0]:
            name, _, owner = message.body
            if name == SERVER:
                self._conversation.owner_changed(owner, now)
        elif kind is MessageType.signal and fields.get(HeaderFields.interface) == SERVER:
            self._conversation.signalled(member, message.body, sender)

    def _lose(self) -> None:
        """Handle a lost connection. The next one is made when there is something to show."""
        self._hang_up()
        self._connecting.failed(self._clock())
        self._conversation.no_connection(Code.NO_BUS)

    def _hang_up(self) -> None:
        if self._bus is not None:
            self._bus.close()
            self._bus = None

    def _end(self) -> None:
        """Close all notifications: without the program, clicks on them would do nothing."""
        end = self._clock() + _ENDING
        self._conversation.close_all()
        self._send()
        # The reply to the latest `Notify`, with the id to close, may still be pending.
        while self._conversation.ends_soon and self._is_connected and self._clock() < end:
            self._wait(end - self._clock())
            self._send()
        # The bus replies in order: with this reply it has forwarded all calls before.
        last = Call("GetId")
        if self._bus is not None:
            with contextlib.suppress(OSError):
                self._bus.call(last, *_BUS)
        while self._is_unanswered(last) and self._clock() < end:
            self._wait(end - self._clock())

    @property
    def _is_connected(self) -> bool:
        return self._bus is not None

    def _is_unanswered(self, call: Call) -> bool:
        return self._bus is not None and call in self._bus.calls.values()


class _Bus:
    """A connection to the session bus. Methods raise OSError when it is lost."""

    def __init__(self, address: str) -> None:
        from jeepney import DBusAddress, MatchRule, Parser, message_bus
        from jeepney.io.blocking import prep_socket

        self.calls: dict[int, Call] = {}
        """Serial number → call without a reply."""
        self._serial = 0
        self._address = DBusAddress
        self._parser = Parser()
        self.socket = prep_socket(address, timeout=_CONNECTING)
        # For sending; receiving begins when the socket is readable.
        self.socket.settimeout(_CONNECTING)
        changes = MatchRule(
            type="signal", sender=_BUS[0], interface=_BUS[2], member="NameOwnerChanged"
        )
        changes.add_arg_condition(0, SERVER)
        rules = [
            changes,
            *(
                MatchRule(type="signal", sender=SERVER, interface=SERVER, member=each)
                for each in _SIGNALS
            ),
        ]
        try:
            self._send(message_bus.Hello())
            for rule in rules:
                self._send(message_bus.AddMatch(rule))
        except OSError:
            self.socket.close()
            raise

    def call(
        self, call: Call, name: str = SERVER, path: str = PATH, interface: str = SERVER
    ) -> None:
        """Send a call, which is in `calls` until its reply arrives."""
        from jeepney import new_method_call

        address = self._address(path, bus_name=name, interface=interface)
        message = new_method_call(address, call.member, call.signature or None, call.body)
        self.calls[self._send(message)] = call

    def _send(self, message: Message) -> int:
        self._serial += 1
        self.socket.sendall(message.serialise(self._serial))
        return self._serial

    def receive(self) -> list[Message]:
        """Receive all available messages. Call this when the socket is readable."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError
        try:
            return list(self._parser.feed(data))
        except Exception as error:  # a malformed message can raise anything in the parser
            raise ConnectionAbortedError("the bus said what is no D-Bus") from error

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()


def session_bus() -> str:
    """The address of the session bus, as for connect(). Raises LookupError, ValueError.

    Without $DBUS_SESSION_BUS_ADDRESS it is in the user's runtime folder, where systemd puts it. A
    bus is never started.
    """
    from jeepney.bus import get_connectable_addresses

    stated = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    if stated:
        found: Any = next(get_connectable_addresses(stated), None)
        if found is None:
            raise LookupError("no address of the session bus is known here")
        return str(found)
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if not runtime:
        raise LookupError("no session bus is stated")
    return str(Path(runtime) / "bus")
