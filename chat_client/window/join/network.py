"""What the join screen uses of the network, loaded when the screen is shown.

The models of the protocol alone take longer to import than the first window takes to appear: so
each part is imported on a thread, when it is wanted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from chat_client.options import Name
from chat_client.state.account import Account
from common.domain.invite import Place
from common.domain.reasons import Reason
from common.system.gc_pause import gc_paused

if TYPE_CHECKING:
    from chat_client.state.discovery import FoundChat
    from chat_client.state.joining import JoiningNews


class Running(Protocol):
    """Something on a thread of its own."""

    def start(self) -> None:
        """Start it, once."""

    def stop(self) -> None:
        """Stop it; idempotent. Nothing is told afterwards."""


class Presence(Running, Protocol):
    """Looks at known chats again and again."""

    def skip(self, fingerprints: Collection[bytes]) -> None:
        """Leave out the servers that were found otherwise."""


class Connection(Protocol):
    """One attempt to be let into a chat; see `chat_client.net.joining.JoinConnection`."""

    def knock(self, name: Name) -> None:
        """Ask the host to be let in."""

    def code(self, code: str) -> None:
        """Join by a spoken code."""

    def close(self) -> None:
        """Disconnect."""


class Network:
    """Makes these parts. Every method imports: call it on a thread that may wait."""

    def finder(
        self, tell: Callable[[Sequence[FoundChat]], object], known: Collection[bytes]
    ) -> Running:
        """Looks for chats on this network; `known` are the pins that matter most."""
        from chat_client.net.finder import Finder

        return Finder(tell, known)

    def presence(
        self, accounts: Sequence[Account], tell: Callable[[Mapping[str, bool]], object]
    ) -> Presence:
        """Looks which of the known chats are there; told by their accounts' keys."""
        from chat_client.net.presence_probe import PresenceProbe

        return PresenceProbe(accounts, tell)

    def scan(self, tell: Callable[[Sequence[FoundChat], int | None], object]) -> Running:
        """Looks at each address of this network; told what was found, at last how many there are.

        Raises OSError without file descriptors.
        """
        from chat_client.net.subnet_scan import SubnetScan

        return SubnetScan(tell)

    def why_nothing(self) -> Sequence[Reason]:
        """Why no chat was found; takes up to 4 s."""
        from chat_client.net.diagnosis import why_nothing

        return why_nothing()

    def connect(
        self,
        place: Place,
        installation: Callable[[Place], str],
        tell: Callable[[JoiningNews], object],
    ) -> Connection:
        """Connects to the server at `place`, to be let in.

        `installation` gives the id of this data folder for a place whose certificate is known.
        """
        from chat_client.net.joining import JoinConnection

        return JoinConnection(place, installation, tell)


class LazyConnection:
    """An attempt that is loaded first; what is asked meanwhile follows then. Never blocks."""

    def __init__(self, make: Callable[[], Connection]) -> None:
        self._make = make
        self._connection: Connection | None = None
        self._orders: list[Callable[[Connection], object]] = []
        self._closed = False
        self._changing = threading.Lock()
        threading.Thread(target=self._load, name="joining loading", daemon=True).start()

    def ask(self, order: Callable[[Connection], object]) -> None:
        """Call `order` with the attempt, now or as soon as it is there."""
        with self._changing:
            if self._connection is None:
                self._orders.append(order)
                return
        order(self._connection)

    def close(self) -> None:
        """Disconnect, or don't begin."""
        with self._changing:
            self._closed = True
            connection = self._connection
        if connection is not None:
            connection.close()

    def _load(self) -> None:
        with gc_paused():
            connection = self._make()
        with self._changing:
            if not self._closed:
                self._connection = connection
                for order in self._orders:
                    order(connection)
                return
        connection.close()
