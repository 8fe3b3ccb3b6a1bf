"""Connections that have not signed in: what they may cost, and which goes when they are many."""

import time
from collections.abc import Iterator
from typing import Final

from chat_server.net.connection import Connection
from chat_server.net.descriptors import first_reserved

MAX_UNAUTHENTICATED: Final = 1024
"""Connections at most of which nobody knows yet whose they are."""
HANDSHAKE_BUDGET: Final = 0.002
"""Seconds for their handshakes and greetings in each turn, so that a crowd holds up nobody."""
HANDSHAKE_BUDGET_SHARE: Final = 0.25
"""Or this part of what the turn before took for all else: else a crowd never gets in."""


class UnauthenticatedConnections:
    """Those that came and did not sign in yet, the oldest first. One I/O thread owns it.

    Above the bound the oldest that never sent a byte has to go, and without one the oldest of all
    but the newest: whoever wants in sends its first bytes at once and is through within a moment,
    so what is sent away is a flood's own. The bound is STRANGERS, and at most half of what the
    system allows: a flood must not take the descriptors that members would come by.
    """

    def __init__(self, bound: int | None = None) -> None:
        self._bound = _most() if bound is None else bound
        self._silent: dict[int, Connection] = {}
        self._heard: dict[int, Connection] = {}
        self._waiting: dict[int, Connection] = {}

    def add(self, connection: Connection) -> None:
        """It has just come."""
        self._silent[connection.number] = connection

    def heard(self, connection: Connection) -> None:
        """There is something to do for it."""
        self._waiting[connection.number] = connection
        if self._silent.pop(connection.number, None) is not None:
            self._heard[connection.number] = connection

    def is_waiting(self, connection: Connection) -> bool:
        """Whether it waits for us."""
        return connection.number in self._waiting

    def __bool__(self) -> bool:
        """Whether any waits for us."""
        return bool(self._waiting)

    def serve(self, busy: float) -> Iterator[Connection]:
        """Those that wait, one after the other, for a bounded time.

        `busy`: the seconds that the last turn took for all else.
        """
        until = time.monotonic() + max(HANDSHAKE_BUDGET, HANDSHAKE_BUDGET_SHARE * busy)
        while self._waiting and time.monotonic() < until:
            yield self._waiting.pop(next(iter(self._waiting)))

    def forget(self, connection: Connection) -> None:
        """It is gone."""
        self._waiting.pop(connection.number, None)
        self._silent.pop(connection.number, None)
        self._heard.pop(connection.number, None)

    def next_to_evict(self) -> Connection | None:
        """The one that has to go, while there are too many; never the one that has just come."""
        while len(self._silent) + len(self._heard) > self._bound:
            waiting = self._silent if len(self._silent) > 1 else self._heard or self._silent
            connection = next(iter(waiting.values()))
            if not connection.admitted:
                return connection
            del waiting[connection.number]
        return None

    def drop_authenticated(self) -> None:
        """Forget those that have signed in; to be called now and then, for they count till then."""
        for number in [number for number, each in self._heard.items() if each.admitted]:
            del self._heard[number]


def _most() -> int:
    reserved = first_reserved()
    return (
        MAX_UNAUTHENTICATED if reserved is None else max(1, min(MAX_UNAUTHENTICATED, reserved // 2))
    )
