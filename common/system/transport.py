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

    __slots__ = ("is_secure", "more", "socket", "wants_write")

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        """The socket to register with a selector; `secure` replaces it."""
        self.is_secure = isinstance(sock, ssl.SSLSocket)
        """Whether there is TLS, with its handshake done or still to be done."""
        self.more = False
        """Whether reading stopped at the budget: TLS may buffer data that no selector reports."""
        self.wants_write = False
        """Whether TLS has to write before the handshake, or reading, can go on."""

    def secure(self, context: ssl.SSLContext, *, server_side: bool) -> None:
        """Start TLS: from here on `handshake` is to be called."""
        self.socket = context.wrap_socket(
            self.socket, server_side=server_side, do_handshake_on_connect=False
        )
        self.is_secure = True

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
        """Received data, in pieces of `size` bytes at most. Raises EOFError at its end.

        It stops when nothing more is available, or after `budget` bytes, so that others get their
        turn. A TLS record is 16 KiB at most, and a read returns one: a short piece does not mean
        that there is no other. Without TLS it does, and the selector reports the rest.
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
        """Write without blocking; returns the number of bytes written, 0 if that is impossible now.

        Then the next write must start with the same bytes: OpenSSL may have encrypted them.
        """
        try:
            return self.socket.send(data)
        except (*_WOULD_BLOCK, ssl.SSLWantWriteError):
            return 0

    def shut(self) -> None:
        """Shut down our direction of the stream, without touching the TLS state.

        Closing immediately with unread bytes would reset the connection and could destroy what was
        written last.
        """
        socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket. Idempotent."""
        self.socket.close()
