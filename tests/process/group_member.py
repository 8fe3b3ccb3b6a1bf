"""What a computer hears of the group of multicast DNS, for programs that answer it."""

import select
from collections.abc import Iterator

from common.system.multicast import Datagram, Link, Links, received


def heard() -> Iterator[tuple[Links, Link, Datagram]]:
    """Each packet, on which link it came, and all links; a line is printed at the beginning."""
    links = Links(asks=False)
    links.refresh()
    by_socket = {link.listening: link for link in links if link.listening is not None}
    print("begun", flush=True)  # noqa: T201 (its output)
    while True:
        for sock in select.select(list(by_socket), [], [])[0]:
            for datagram in received(sock):
                yield links, by_socket[sock], datagram
