"""Unauthenticated connections: their time budget, their maximum number, and which to evict."""

import time
from collections.abc import Iterator
from typing import Final

from chat_server.net.connection import Connection
from chat_server.net.descriptors import first_reserved

MAX_UNAUTHENTICATED: Final = 1024
"""Maximum number of unauthenticated connections."""
HANDSHAKE_BUDGET: Final = 0.002
"""Time budget for their handshakes and greetings, in seconds per turn of the loop: a crowd that
connects must not starve those that are signed in."""
HANDSHAKE_BUDGET_SHARE: Final = 0.25
"""Or this share of what the previous turn took for all other work, whichever is larger: logins must
not starve either."""


class UnauthenticatedConnections:
    """Connections that have not signed in yet, the oldest first. One I/O thread owns it.

    Above the bound the oldest silent one is evicted, and if none is silent, the oldest of all but
    the newest. A real client sends its first bytes at once and is signed in within a moment, so a
    flood evicts its own connections. Those that wait for the host are not evicted; they are few.
    The bound is MAX_UNAUTHENTICATED, and at most half of the file descriptors that the system
    allows: a flood must leave some to members who reconnect.
    """

    def __init__(self, bound: int | None = None) -> None:
        self._bound = _most() if bound is None else bound
        self._silent: dict[int, Connection] = {}
        self._heard: dict[int, Connection] = {}
        self._waiting: dict[int, Connection] = {}

    def add(self, connection: Connection) -> None:
        """A new connection, which counts until it signs in or ends."""
        self._silent[connection.number] = connection

    def heard(self, connection: Connection) -> None:
        """It is readable: queue it for `serve`. It is silent no longer."""
        self._waiting[connection.number] = connection
        if self._silent.pop(connection.number, None) is not None:
            self._heard[connection.number] = connection

    def is_waiting(self, connection: Connection) -> bool:
        """Whether it is queued, so that a delay is the server's and not its own."""
        return connection.number in self._waiting

    def __bool__(self) -> bool:
        """Whether any is queued."""
        return bool(self._waiting)

    def serve(self, busy: float) -> Iterator[Connection]:
        """Those that are queued, first come first served, within the time budget.

        `busy`: seconds that the previous turn took for all other work.
        """
        until = time.monotonic() + max(HANDSHAKE_BUDGET, HANDSHAKE_BUDGET_SHARE * busy)
        while self._waiting and time.monotonic() < until:
            yield self._waiting.pop(next(iter(self._waiting)))

    def forget(self, connection: Connection) -> None:
        """It was closed."""
        self._waiting.pop(connection.number, None)
        self._silent.pop(connection.number, None)
        self._heard.pop(connection.number, None)

    def next_to_evict(self) -> Connection | None:
        """The connection to evict while over the limit: the oldest silent one, never the newest."""
        while len(self._silent) + len(self._heard) > self._bound:
            waiting = self._silent if len(self._silent) > 1 else self._heard or self._silent
            connection = next(iter(waiting.values()))
            if not (connection.admitted or connection.waits_until):
                return connection
            del waiting[connection.number]
        return None

    def drop_authenticated(self) -> None:
        """Stop counting those that have signed in. It scans all of them: call it once a tick."""
        for number in [number for number, each in self._heard.items() if each.admitted]:
            del self._heard[number]


def _most() -> int:
    """The bound that the system's number of file descriptors allows."""
    reserved = first_reserved()
    return (
        MAX_UNAUTHENTICATED if reserved is None else max(1, min(MAX_UNAUTHENTICATED, reserved // 2))
    )
