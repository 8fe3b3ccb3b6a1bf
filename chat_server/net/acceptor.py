"""The acceptor: one thread that owns the listening socket and hands each connection on."""

import errno
import itertools
import logging
import selectors
import socket
from collections.abc import Sequence
from typing import Final

from chat_server.net.io_thread import IoThread
from chat_server.net.wake import Waker
from chat_server.watch import Ended, ignore, watched

log = logging.getLogger(__name__)

BACKLOG: Final = 4096
"""A shallow one makes a crowd that connects at once wait for retries of seconds."""
_OUT_OF_FILES: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_PAUSE: Final = 0.2
"""Seconds to wait for descriptors to come free, rather than to spin."""


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
    """Accepts, and does nothing else: no handshake can hold up the next one."""

    def __init__(
        self, listening: socket.socket, io: Sequence[IoThread], ended: Ended = ignore
    ) -> None:
        self._listening = listening
        self._io = io
        self._waker = Waker()
        self._numbers = itertools.count(1)
        self._stopping = False
        self._thread = watched(self._run, "acceptor", ended)

    def start(self) -> None:
        """Start accepting."""
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting; nobody is handed on after this returns."""
        self._stopping = True
        if self._thread.is_alive():
            self._waker.wake()
            self._thread.join()

    def _run(self) -> None:
        self._listening.setblocking(False)
        with selectors.DefaultSelector() as selector, self._listening:
            selector.register(self._listening, selectors.EVENT_READ)
            selector.register(self._waker.receiver, selectors.EVENT_READ)
            while not self._stopping:
                selector.select()
                self._accept_all()
        self._waker.close()

    def _accept_all(self) -> None:
        while not self._stopping:
            try:
                sock, peer = self._listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _OUT_OF_FILES:
                    log.warning("no more connections can be accepted for now: %s", error)
                    with selectors.DefaultSelector() as waiting:
                        waiting.register(self._waker.receiver, selectors.EVENT_READ)
                        waiting.select(_PAUSE)
                    return
                continue  # The peer was gone before it was accepted.
            number = next(self._numbers)
            self._io[number % len(self._io)].adopt(number, sock, readable_address(peer[0]))


def readable_address(host: str) -> str:
    """An IPv4 address as such, also when a dual-stack socket calls it ``::ffff:192.0.2.1``."""
    return host.removeprefix("::ffff:") if "." in host else host
