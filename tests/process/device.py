"""A device that takes part in multicast DNS and has a service of another kind, until it is ended.

    python -m tests.process.device

It prints a line when it has begun (Linux only).
"""

import select

from common.domain.dns_sd import ALL_SERVICES, PTR, Advert, read, reply
from common.system.multicast import Links, received

if __name__ == "__main__":
    links = Links(asks=False)
    links.refresh()
    sockets = {link.listening: link for link in links if link.listening is not None}
    print("begun", flush=True)  # noqa: T201 (its output)
    while True:
        for sock in select.select(list(sockets), [], [])[0]:
            for datagram in received(sock):
                asked = read(datagram.data)
                if any(question.is_for(ALL_SERVICES, PTR) for question in asked.questions):
                    answer = reply(asked, Advert(b"f" * 32, "Printer", 1), (), legacy=True)
                    if answer is not None:
                        sockets[sock].reply(answer, datagram)
