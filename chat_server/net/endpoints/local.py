"""Sessions of the host: of the window, and of command lines on the host's computer.

They have no account and no socket of the chat's: what they ask goes straight to the hub, as the
same commands that everybody sends, and each gets its reply.
"""

import itertools
import threading
from collections.abc import Callable

from chat_server.hub.queue import HubQueue, Received
from chat_server.rules import effects, inputs
from common.protocol.messages import Error, Reply, ToClient, ToServer

OnReply = Callable[[ToClient], object]


class LocalEndpoint:
    """All sessions of the host. Their connections have negative numbers, unlike all others."""

    def __init__(self, queue: HubQueue) -> None:
        self._queue = queue
        self._numbers = itertools.count(-1, -1)
        self._sessions: dict[int, LocalSession] = {}

    def open(self) -> "LocalSession":
        """A new session, on any thread."""
        number = next(self._numbers)
        session = LocalSession(number, self._queue, lambda: self._sessions.pop(number, None))
        self._sessions[number] = session
        self._queue.post(inputs.Opened(number, "this computer", is_host=True))
        return session

    def carry_out(self, effect: effects.ToOne) -> None:
        """From the hub: a reply. Other effects for connections don't apply to the host's."""
        if isinstance(effect, effects.Tell):
            session = self._sessions.get(effect.connection)
            if session is not None:
                session.answered(effect.message)


class LocalSession:
    """One session. Every method may be called by any thread."""

    def __init__(self, number: int, queue: HubQueue, forget: Callable[[], object]) -> None:
        self._number = number
        self._queue = queue
        self._forget = forget
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._asked: dict[int, OnReply] = {}

    def ask(self, command: Callable[[int], ToServer], on_reply: OnReply) -> None:
        """Send what `command` makes with an id; `on_reply` gets the reply, on the hub's thread."""
        with self._lock:
            number = next(self._ids)
            self._asked[number] = on_reply
        self._queue.post(Received(self._number, (command(number),)))

    def answered(self, message: ToClient) -> None:
        """From the hub: a message for this session."""
        if isinstance(message, Reply | Error) and message.re is not None:
            with self._lock:
                on_reply = self._asked.pop(message.re, None)
            if on_reply is not None:
                on_reply(message)

    def close(self) -> None:
        """End the session."""
        self._forget()
        self._queue.post(inputs.Closed(self._number, "left"))
