"""Repeats packets of multicast DNS from each network on the others, until it is ended.

    python -m tests.process.repeater

As routers do between the networks of an office. It prints a line when it has begun (Linux only).
"""

from common.domain.dns_sd import read
from tests.process.group_member import heard

if __name__ == "__main__":
    for links, link, datagram in heard():
        own = datagram.host in {each for other in links for each in other.addresses}
        if own or not read(datagram.data).is_response:
            continue
        for other in links:
            if other is not link:
                other.publish(datagram.data)
