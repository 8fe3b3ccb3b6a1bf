"""The thread that starts and stops the server, so that the window never waits.

It reports to the Tk thread through `post` (a mailbox), in order: all news of a run of the server
come before the `Stopped` of that run.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chat_server.options import Options
from chat_server.ready_file import Running
from chat_server.rules import view
from common.system import logs
from common.system.gc_pause import gc_paused

if TYPE_CHECKING:
    from chat_server.net.endpoints.local import LocalSession, OnReply
    from chat_server.service import Server  # loading it loads everything the server needs
    from common.domain.reasons import Reason
    from common.protocol.messages import ToClient, ToServer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """The server accepts clients."""

    running: Running


@dataclass(frozen=True, slots=True)
class Changed:
    """Facts about the running server have changed, such as its addresses."""

    running: Running


@dataclass(frozen=True, slots=True)
class StartFailed:
    """The server could not start. `busy_port` is its port if another program uses it, else None."""

    reason: str
    busy_port: int | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """The server has stopped; all its threads have ended."""


@dataclass(frozen=True, slots=True)
class Aborted:
    """The server failed and was stopped; `reason` says why."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Replied:
    """The reply to a command, and the callback for it."""

    reply: ToClient
    on_reply: OnReply


@dataclass(frozen=True, slots=True)
class UrgentEvents:
    """Events to show at once."""

    events: Sequence[view.ViewEvent]


@dataclass(frozen=True, slots=True)
class CountsChanged:
    """Counters have changed: call `ServerThread.counts.take()` at the next redraw."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The thread has stopped the server for good and is about to end."""


ServerNews = (
    Started
    | Changed
    | StartFailed
    | Stopped
    | Aborted
    | Replied
    | UrgentEvents
    | CountsChanged
    | Ended
)


Counted = view.TrafficChanged | view.MessagesStored | view.ClientRefused
"""What happens so often that it is summed up."""
_MOST_REFUSALS: Final = 50
"""Refusals of different people that are kept apart; as many more addresses are; those beyond are
summed up by their reason."""


class Counts:
    """Messages, traffic and refusals, summed up until the Tk thread takes them.

    A busy server commits messages thousands of times a second; a wake-up for each would cost it
    more than the messages do. And whoever has no invite may try as often.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said, self._at = 0, 0
        self._totals: dict[int, tuple[int, int]] = {}
        self._refused: dict[tuple[str, str, str], view.ClientRefused] = {}
        self._waiting = False

    def add(self, event: Counted) -> bool:
        """Add an event; returns whether it is the first since the last `take`."""
        with self._lock:
            if isinstance(event, view.TrafficChanged):
                self._totals.update(event.totals)
            elif isinstance(event, view.ClientRefused):
                self._add_refusal(event)
            else:
                self._said += event.count
                self._at = event.at
            first, self._waiting = not self._waiting, True
            return first

    def take(self) -> list[view.ViewEvent]:
        """Return the sums as events, and reset them."""
        with self._lock:
            totals, self._totals = self._totals, {}
            said, self._said = self._said, 0
            refused, self._refused = self._refused, {}
            self._waiting = False
            events: list[view.ViewEvent] = [*refused.values()]
            if totals:
                events.append(view.TrafficChanged(totals))
            if said:
                events.append(view.MessagesStored(said, self._at))
            return events

    def _add_refusal(self, event: view.ClientRefused) -> None:
        key = event.address, event.username, event.code
        # Whoever says another name each time is still at one address.
        for rougher, most in ((event.address, _MOST_REFUSALS), ("", 2 * _MOST_REFUSALS)):
            if key not in self._refused and len(self._refused) >= most:
                key = rougher, "", event.code
        before = self._refused.get(key)
        count = event.count + (before.count if before is not None else 0)
        self._refused[key] = view.ClientRefused(*key, event.at, count)


class _Order(Enum):
    STOP = auto()
    GIVE_UP = auto()
    QUIT = auto()


class ServerThread:
    """Carries out requests one after the other. `post` must be thread-safe."""

    def __init__(
        self, options: Options, data_dir: Path, post: Callable[[ServerNews], object]
    ) -> None:
        self.counts = Counts()
        self._options = options
        self._data_dir = data_dir
        self._post = post
        self._orders: queue.SimpleQueue[int | _Order | None] = queue.SimpleQueue()
        self._server: Server | None = None
        self._session: LocalSession | None = None
        """The host's session on the running server."""
        # Not a daemon: the interpreter must not end before the log is closed.
        self._thread = threading.Thread(target=self._run, name="server")

    # From the Tk thread

    def begin(self) -> None:
        """Start the thread, and the server on the port of the options."""
        self.start_server(None)
        self._thread.start()

    def start_server(self, port: int | None) -> None:
        """Start a new server, on the port of the options if that is None."""
        self._orders.put(port)

    def stop_server(self) -> None:
        """Stop the server if there is one."""
        self._orders.put(_Order.STOP)

    def quit(self) -> None:
        """Stop the server and end the thread."""
        self._orders.put(_Order.QUIT)

    def join(self) -> None:
        """Wait for the thread's end, after `quit`."""
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether its thread runs: only then `Ended` follows `quit`."""
        return self._thread.is_alive()

    @property
    def running(self) -> Running | None:
        """The facts of the server, None while there is none."""
        server = self._server
        return None if server is None else server.running

    @property
    def asked_at(self) -> int | None:
        """When another computer asked which chats there are; see `Server.asked_at`."""
        server = self._server
        return None if server is None else server.asked_at

    def ask(self, command: Callable[[int], ToServer], on_reply: OnReply) -> None:
        """Send the command that `command` makes with an id; `Replied` brings the reply.

        Does nothing without a running server.
        """
        session = self._session
        if session is not None:
            session.ask(command, lambda reply: self._post(Replied(reply, on_reply)))

    # The thread itself

    def _run(self) -> None:
        while True:
            order = self._orders.get()
            if order is _Order.QUIT:
                self._stop()
                self._post(Ended())
                return
            if order is _Order.STOP:
                self._stop()
                self._post(Stopped())
            elif order is _Order.GIVE_UP:
                self._give_up()
            elif not isinstance(order, _Order):
                self._post(self._start(order))
                self._catch_up()

    def _start(self, port: int | None) -> Started | StartFailed:
        try:
            return self._started(port)
        except Exception:
            log.exception("the server could not start")
            log_file = self._data_dir / logs.FILE
            return StartFailed(f"something unexpected went wrong; {log_file} has the details", None)

    def _started(self, port: int | None) -> Started | StartFailed:
        # Here, so that the window is on the screen before pydantic and ssl are loaded.
        with gc_paused():
            from chat_server.service import PortBusyError, Server, StartError

        server = Server(
            self._options, self._data_dir, self._show, lambda now: self._post(Changed(now))
        )
        try:
            running = server.start(port)
        except PortBusyError as error:
            return StartFailed(str(error), self._options.port if port is None else port)
        except StartError as error:
            return StartFailed(str(error), None)
        self._server = server
        self._session = server.host_session()
        if self._options.ready_file is not None:
            try:
                server.publish_to(self._options.ready_file)
            except OSError as error:
                # No reason to end a server that works; a traceback would say no more.
                log.error("the ready file can't be written: %s", error)  # noqa: TRY400
        return Started(running)

    def _catch_up(self) -> None:
        """Post the facts again after `Started`: a change before it was ignored."""
        running = self.running
        if running is not None:
            self._post(Changed(running))

    def _give_up(self) -> None:
        """Stop a server of which a thread failed; a new one may have been started meanwhile."""
        server = self._server
        if server is not None and server.failure is not None:
            self._stop()
            self._post(Aborted(server.failure))

    def _stop(self) -> None:
        server, self._server = self._server, None
        self._session = None
        if server is None:
            return
        try:
            server.stop()
        except Exception:
            # The window must be able to close in any case.
            log.exception("the server did not stop as it should")

    def _show(self, events: Sequence[view.ViewEvent]) -> None:
        """From the server's threads: post urgent events immediately, sum up the others."""
        urgent: list[view.ViewEvent] = []
        for event in events:
            if isinstance(event, view.Renamed):
                # The next start must not revert to the name of the command line.
                self._options = self._options._replace(name=None)
            if not isinstance(event, Counted):
                urgent.append(event)
            elif self.counts.add(event):
                self._post(CountsChanged())
        if urgent:
            self._post(UrgentEvents(urgent))
        if any(isinstance(event, view.ServerFailed) for event in urgent):
            self._orders.put(_Order.GIVE_UP)
