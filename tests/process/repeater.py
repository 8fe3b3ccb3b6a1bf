"""Repeats packets of multicast DNS from each network on the others, until it is ended.

    python -m tests.process.repeater

As routers do between the networks of an office. It prints a line when it has begun (Linux only).
"""

import select

from common.domain.dns_sd import read
from common.system.multicast import Links, received

if __name__ == "__main__":
    links = Links(asks=False)
    links.refresh()
    sockets = {link.listening: link for link in links if link.listening is not None}
    print("begun", flush=True)  # noqa: T201 (its output)
    while True:
        for sock in select.select(list(sockets), [], [])[0]:
            for datagram in received(sock):
                own = datagram.host in {each for link in links for each in link.addresses}
                if own or not read(datagram.data).is_response:
                    continue
                for link in links:
                    if link is not sockets[sock]:
                        link.publish(datagram.data)
