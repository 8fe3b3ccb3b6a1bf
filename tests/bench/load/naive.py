"""The floor: a thread for each client, which hands every line on with `sendall`. Nothing is kept.

Started as a program with the port; a client is told "in" when it is among the others.
"""

import socket
import sys
import threading
from contextlib import suppress

everyone: dict[socket.socket, threading.Lock] = {}
guard = threading.Lock()


def write(sock: socket.socket, data: bytes) -> None:
    """The whole of it, not mixed with what another thread writes; the gone are passed over."""
    lock = everyone.get(sock)
    if lock is not None:
        with lock, suppress(OSError):
            sock.sendall(data)


def serve(sock: socket.socket) -> None:
    """One client: its first line says that it is there, all others are for everyone else."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with sock, suppress(OSError), sock.makefile("rb") as lines:
        lines.readline()
        with guard:
            everyone[sock] = threading.Lock()
        write(sock, b"in\n")
        for line in lines:
            with guard:
                others = [other for other in everyone if other is not sock]
            for other in others:
                write(other, line)
    with guard:
        everyone.pop(sock, None)


def main() -> None:
    """Until the process is ended from outside."""
    threading.stack_size(256 * 1024)
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096) as listening:
        while True:
            sock, _ = listening.accept()
            threading.Thread(target=serve, args=(sock,), daemon=True).start()


if __name__ == "__main__":
    main()
