"""Waking the core's thread out of its selector."""

import contextlib
import socket


class Waker:
    """A socketpair: `wake` from any thread makes `receiver` readable for the one that owns it."""

    def __init__(self) -> None:
        self.receiver, self._sender = socket.socketpair()
        self.receiver.setblocking(False)
        self._sender.setblocking(False)

    def wake(self) -> None:
        """Make the owner look at its inbox."""
        # Full: it wakes anyway. Closed: nobody is left to be woken.
        with contextlib.suppress(OSError):
            self._sender.send(b"\0")

    def clear(self) -> None:
        """To be called by the owner before it looks at its inbox."""
        with contextlib.suppress(BlockingIOError):
            self.receiver.recv(4096)

    def close(self) -> None:
        """Let go of both sockets."""
        self.receiver.close()
        self._sender.close()
