"""A non-blocking connection, with TLS or without it, for a thread that waits in a selector.

No other thread may touch it: an SSLSocket used from two threads at once crashes CPython.
"""

import socket
import ssl
from collections.abc import Iterator
from typing import Final

_WOULD_BLOCK: Final = (BlockingIOError, ssl.SSLWantReadError)


class Transport:
    """Bytes in, bytes out. Failures raise OSError; ssl.SSLError is a subclass.

    `sock` must be connected, or about to be, and not block.
    """

    __slots__ = ("more", "socket", "wants_write")

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        """What to register with a selector, anew after `secure`."""
        self.more = False
        """Whether reading ended before all was read: TLS may hold what no selector announces."""
        self.wants_write = False
        """Whether TLS has to write before the handshake, or reading, can go on."""

    @property
    def is_secure(self) -> bool:
        """Whether there is TLS, with its handshake done or still to be done."""
        return isinstance(self.socket, ssl.SSLSocket)

    def secure(self, context: ssl.SSLContext, *, server_side: bool) -> None:
        """Begin with TLS: from here on the handshake is to be done."""
        self.socket = context.wrap_socket(
            self.socket, server_side=server_side, do_handshake_on_connect=False
        )

    def handshake(self) -> bool:
        """One step of the TLS handshake; whether it is done. Without TLS it is."""
        self.wants_write = False
        if isinstance(self.socket, ssl.SSLSocket):
            try:
                self.socket.do_handshake()
            except _WOULD_BLOCK:
                return False
            except ssl.SSLWantWriteError:
                self.wants_write = True
                return False
        return True

    def pieces(self, size: int, budget: int) -> Iterator[bytes]:
        """What has arrived, in pieces of `size` bytes at most. Raises EOFError at its end.

        It ends when there is nothing more for now, or after `budget` bytes, so that others get
        their turn. A TLS record is 16 KiB at most, and a read brings one: a short piece does not
        tell that there is no other. Without TLS it does, and the selector would tell otherwise.
        """
        self.more, self.wants_write = True, False
        while budget > 0:
            try:
                data = self.socket.recv(size)
            except _WOULD_BLOCK:
                self.more = False
                return
            except ssl.SSLWantWriteError:
                self.more, self.wants_write = False, True
                return
            if not data:
                self.more = False
                raise EOFError
            budget -= len(data)
            if len(data) < size and not self.is_secure:
                self.more = False
                budget = 0
            yield data

    def write(self, data: bytes | memoryview) -> int:
        """How many of these bytes the system took; 0 when it takes none for now.

        Then the next write must begin with the same bytes: OpenSSL may have encrypted them.
        """
        try:
            return self.socket.send(data)
        except (*_WOULD_BLOCK, ssl.SSLWantWriteError):
            return 0

    def shut(self) -> None:
        """Tell the other end that nothing follows, without touching the TLS state.

        Closing at once with unread bytes would reset the connection and could destroy what was
        written last on its way.
        """
        socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket. Idempotent."""
        self.socket.close()
