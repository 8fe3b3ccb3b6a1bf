"""Waking a thread that waits in a selector."""

import socket


class Waker:
    """A socketpair: `wake` from any thread makes `receiver` readable for the one that owns it."""

    def __init__(self) -> None:
        self.receiver, self._sender = socket.socketpair()
        self.receiver.setblocking(False)
        self._sender.setblocking(False)
        self._signalled = False

    def wake(self) -> None:
        """Wake the owner. Coalesced: one byte, however often it is called."""
        if not self._signalled:
            self._signalled = True
            try:
                self._sender.send(b"\0")
            except OSError:
                # Full: it will wake anyway. Closed: nobody is left to be woken.
                return

    def clear(self) -> None:
        """Called by the owner before it reads its inbox."""
        # Read before clearing the flag: a wake-up between the two would otherwise be read
        # here while its flag stays set, and nobody would ever signal again.
        try:
            self.receiver.recv(4096)
        except BlockingIOError:
            pass
        finally:
            self._signalled = False

    def close(self) -> None:
        """Close both sockets."""
        self.receiver.close()
        self._sender.close()
