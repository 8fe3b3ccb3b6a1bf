"""The acceptor: one thread that owns the listening socket and hands each connection on."""

import errno
import itertools
import logging
import os
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from typing import Final

from chat_server.net.descriptors import first_reserved, out_of_files
from chat_server.net.io_thread import IoThread
from chat_server.thread_watch import Ended, ignore, watched
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.system.open_files import is_out_of_files
from common.system.waker import Waker

log = logging.getLogger(__name__)

BACKLOG: Final = 4096
"""With a short one, SYNs of a burst are dropped, and clients retry them after seconds."""
PAUSE: Final = 0.2
"""Seconds between two checks whether file descriptors are free again."""
FULL_AGAIN: Final = 60.0
"""Minimum seconds between two reports that file descriptors ran out: that may go on for hours."""


def listen(host: str | None, port: int) -> socket.socket:
    """A listening socket; all interfaces, IPv4 and IPv6, when there is no host.

    A host that is a name is looked up; an address is not. Raises OSError, with EADDRINUSE for a
    busy port.
    """
    if host is None:
        if socket.has_dualstack_ipv6():
            try:
                return socket.create_server(
                    ("", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True
                )
            except OSError as error:
                # A kernel may know IPv6 and have no address of it.
                if error.errno not in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
                    raise
        return socket.create_server(("", port), backlog=BACKLOG)
    family, *_, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    # All of the address: a link-local one has the interface's number in it.
    return socket.create_server(address, family=family, backlog=BACKLOG)


def ip_versions(listening: socket.socket) -> frozenset[int]:
    """The versions of IP that clients can come by: 4, 6 or both."""
    if listening.family != socket.AF_INET6:
        return frozenset({4})
    only = listening.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    return frozenset({6}) if only else frozenset({4, 6})


class Acceptor:
    """Accepts, and does nothing else: no handshake can delay the next connection.

    Some file descriptors are reserved for the rest of the server. When there are no others, `full`
    is called with a reason, at most once in FULL_AGAIN seconds, and new connections wait in the
    kernel's backlog. Raises OSError when not even a selector can be had.
    """

    def __init__(
        self,
        listening: socket.socket,
        io: Sequence[IoThread],
        ended: Ended = ignore,
        full: Callable[[Reason], object] = ignore,
    ) -> None:
        self._listening = listening
        self._io = io
        self._full = full
        self._selector = selectors.DefaultSelector()
        self._waker = Waker()
        self._numbers = itertools.count(1)
        self._reserved = first_reserved()
        self._next_told = 0.0
        self._stopping = False
        self._thread = watched(self._run, "acceptor", ended)

    def start(self) -> None:
        """Start accepting."""
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting; nobody is handed on after this returns. Harmless before `start`."""
        self._stopping = True
        if self._thread.ident is None:
            self._close()
        elif self._thread.is_alive():
            self._waker.wake()
            self._thread.join()

    def _run(self) -> None:
        try:
            self._listening.setblocking(False)
            self._selector.register(self._listening, selectors.EVENT_READ)
            self._selector.register(self._waker.receiver, selectors.EVENT_READ)
            while not self._stopping:
                self._selector.select()
                try:
                    self._accept_all()
                except OSError as error:
                    self._wait_for_room(error)
        finally:
            self._close()

    def _close(self) -> None:
        self._selector.close()
        self._listening.close()
        self._waker.close()

    def _accept_all(self) -> None:
        """Accept all pending connections. Raises OSError when file descriptors run out."""
        while not self._stopping:
            try:
                sock, peer = self._listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if is_out_of_files(error):
                    raise
                continue  # The peer was gone before it was accepted.
            number = next(self._numbers)
            descriptor = sock.fileno()
            self._io[number % len(self._io)].adopt(number, sock, readable_address(peer[0]))
            # The system gives the lowest free one: so this tells how many are in use.
            if self._reserved is not None and descriptor >= self._reserved:
                self._look_for_room()

    def _look_for_room(self) -> None:
        """Raise OSError unless the next connection leaves the reserve to others."""
        lowest = os.dup(self._listening.fileno())
        os.close(lowest)
        if self._reserved is not None and lowest >= self._reserved:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def _wait_for_room(self, error: OSError) -> None:
        """Wait until there is a descriptor again, rather than ask for one over and over."""
        now = time.monotonic()
        if now >= self._next_told:
            self._next_told = now + FULL_AGAIN
            why = out_of_files(error)
            log.warning("no more connections can be accepted for now: %s", sentence(why))
            self._full(why)
        # Without the listening socket, which would be ready all the time.
        self._selector.unregister(self._listening)
        while not self._stopping:
            self._selector.select(PAUSE)
            try:
                self._look_for_room()
            except OSError:
                continue
            break
        self._selector.register(self._listening, selectors.EVENT_READ)


def readable_address(host: str) -> str:
    """An IPv4 address as such, also when a dual-stack socket calls it ``::ffff:192.0.2.1``."""
    return host.removeprefix("::ffff:") if "." in host else host
