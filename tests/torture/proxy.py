"""A network that misbehaves, on loopback: it stands between a client and the server.

Each direction of each connection has a thread of its own that passes bytes on. What goes wrong
is set for the whole proxy, and but for `hold` meets all its connections, present and new ones.
Where bytes were thrown away, the connection is dead: `heal` cuts it, as its ends would in time.
"""

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

HOST: Final = "127.0.0.1"
_PIECE: Final = 4096
_TICK: Final = 0.02


class Way(Enum):
    """Where bytes are going."""

    TO_SERVER = auto()
    TO_CLIENT = auto()


@dataclass(eq=False, slots=True)
class _Link:
    """One connection through the proxy."""

    client: socket.socket
    server: socket.socket
    broken: bool = False
    """Bytes were thrown away."""
    held: set[Way] = field(default_factory=set)
    holding: set[Way] = field(default_factory=set)
    """Where bytes wait."""
    ended: set[Way] = field(default_factory=set)

    def cut(self) -> None:
        """End it both ways; its threads see that and go."""
        for end in (self.client, self.server):
            _shut(end)


class Proxy:
    """Listens on a port of its own; every method may be called from any thread."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._muted: set[Way] = set()
        self._delay = 0.0
        self._piece = _PIECE
        self._pause = 0.0
        self._links: list[_Link] = []
        self._threads: list[threading.Thread] = []
        self._ending = threading.Lock()
        self._closing = threading.Event()
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="proxy")
        self._thread.start()

    def cut(self) -> None:
        """End all connections."""
        for link in tuple(self._links):
            link.cut()

    def cut_clients(self) -> None:
        """The clients lose their connections; the server goes on believing in its own."""
        for link in tuple(self._links):
            _shut(link.client)

    def mute(self, way: Way) -> None:
        """Throw away what goes this way: the connection is half open."""
        self._muted.add(way)

    def hold(self, way: Way) -> None:
        """On the present connections, keep what goes this way, unread, until `release`."""
        for link in tuple(self._links):
            link.held.add(way)

    def holding(self, way: Way) -> bool:
        """Whether anything was held this way so far, and still is."""
        return any(way in link.holding for link in tuple(self._links))

    def release(self, way: Way) -> None:
        """Let it go."""
        for link in tuple(self._links):
            link.held.discard(way)

    def delay(self, seconds: float) -> None:
        """Every piece takes this much longer."""
        self._delay = seconds

    def trickle(self, pause: float) -> None:
        """Pass on a byte at a time, with so many seconds before the next one."""
        self._pause = pause
        self._piece = 1

    def heal(self) -> None:
        """A good network again."""
        self._muted.clear()
        self._delay = 0.0
        self._piece = _PIECE
        for link in tuple(self._links):
            link.held.clear()
            if link.broken:
                link.cut()

    def close(self) -> None:
        """End everything; returns when no thread is left."""
        self._closing.set()
        _shut(self._listening)
        self._listening.close()
        self._thread.join()
        self.heal()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((HOST, self._target), timeout=2.0)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.settimeout(None)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # Small, so that a client that reads nothing is soon felt at the server.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * _PIECE)
            link = _Link(client, server)
            self._links.append(link)
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            for way in Way:
                thread = threading.Thread(target=self._pass_on, args=(link, way), name="proxy link")
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, link: _Link, way: Way) -> None:
        ends = (link.client, link.server)
        source, sink = ends if way is Way.TO_SERVER else reversed(ends)
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                while way in link.held and not self._closing.wait(_TICK):
                    link.holding.add(way)
                link.holding.discard(way)
                self._transmit(link, sink, data, way)
        while way in link.held and not self._closing.wait(_TICK):
            pass  # What was held is on its way yet: the server must not see the end before.
        _shut(sink)
        self._leave(link, way)

    def _transmit(self, link: _Link, sink: socket.socket, data: bytes, way: Way) -> None:
        if self._delay:
            self._closing.wait(self._delay)
        while data:
            if way in self._muted:
                link.broken = True
                return
            piece, data = data[: self._piece], data[self._piece :]
            sink.sendall(piece)
            if self._piece == 1:
                self._closing.wait(self._pause)

    def _leave(self, link: _Link, way: Way) -> None:
        """The second of the two threads closes the sockets."""
        with self._ending:
            link.ended.add(way)
            if len(link.ended) == len(Way):
                self._links.remove(link)
                link.client.close()
                link.server.close()


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
