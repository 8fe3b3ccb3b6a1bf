"""Has the port of multicast DNS, as a browser or the system's responder would, until it is ended.

    python -m tests.process.port_holder [SO_REUSEADDR] [SO_REUSEPORT]

It prints a line when it has it.
"""

import socket
import sys
import threading

from common.domain.dns_sd import PORT

if __name__ == "__main__":
    held = []
    for family in (socket.AF_INET, socket.AF_INET6):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        held.append(sock)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in sys.argv[1:]:
            sock.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
        sock.bind(("", PORT))
    print("held", flush=True)  # noqa: T201 (its output)
    threading.Event().wait()
