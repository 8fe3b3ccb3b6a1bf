"""A device that takes part in multicast DNS and has a service of another kind, until it is ended.

    python -m tests.process.device

It prints a line when it has begun (Linux only).
"""

from common.domain.dns_sd import ALL_SERVICES, PTR, Advert, read, reply
from tests.process.group_member import heard

if __name__ == "__main__":
    for _, link, datagram in heard():
        asked = read(datagram.data)
        if any(question.is_for(ALL_SERVICES, PTR) for question in asked.questions):
            answer = reply(asked, Advert(b"f" * 32, "Printer", 1), (), legacy=True)
            if answer is not None:
                link.reply(answer, datagram)
