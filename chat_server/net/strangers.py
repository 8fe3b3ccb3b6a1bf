"""Connections that have not signed in: how many there may be, and which of them goes first."""

from typing import Final

from chat_server.net.connection import Connection

STRANGERS: Final = 4096
"""Connections at most of which nobody knows yet whose they are."""


class Strangers:
    """Those that came and did not sign in yet, the oldest first. One I/O thread owns it.

    Above the bound the oldest that never sent a byte has to go, and without one the oldest of all:
    whoever wants in sends its first bytes at once and is through within a moment, so what is sent
    away is a flood's own.
    """

    def __init__(self, bound: int = STRANGERS) -> None:
        self._bound = bound
        self._silent: dict[int, Connection] = {}
        self._heard: dict[int, Connection] = {}

    def add(self, connection: Connection) -> None:
        """It has just come."""
        self._silent[connection.number] = connection

    def heard(self, connection: Connection) -> None:
        """Its first bytes are here."""
        if self._silent.pop(connection.number, None) is not None:
            self._heard[connection.number] = connection

    def forget(self, connection: Connection) -> None:
        """It is gone."""
        self._silent.pop(connection.number, None)
        self._heard.pop(connection.number, None)

    def superfluous(self) -> Connection | None:
        """The one that has to go, while there are too many."""
        while len(self._silent) + len(self._heard) > self._bound:
            waiting = self._silent or self._heard
            connection = next(iter(waiting.values()))
            if not connection.admitted:
                return connection
            self.forget(connection)
        return None

    def settle(self) -> None:
        """Forget those that have signed in; to be called now and then, for they count till then."""
        for connection in [each for each in self._heard.values() if each.admitted]:
            self.forget(connection)
