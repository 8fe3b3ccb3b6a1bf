"""Sends adverts of chats that do not exist to the multicast group, each from another address.

    python -m tests.process.forger COUNT INTERFACE [FINGERPRINT NAME PORT [TTL]]

With a fingerprint all are of that server, and with a TTL of 0 goodbyes. It prints a line when it
has sent them, and needs a network namespace in which it may make packets (Linux only).
"""

import secrets
import socket
import struct
import sys
from typing import Final

from common.domain.dns_sd import GROUPS, PORT, TTL, Advert, announcement

_MULTICAST: Final = bytes.fromhex("01005e0000fb")
_OWN: Final = bytes.fromhex("020000000001")


def frame(number: int, content: bytes) -> bytes:
    """An Ethernet frame with a datagram from 10.77.0.0/16 to the group."""
    datagram = struct.pack(">4H", PORT, PORT, 8 + len(content), 0) + content
    source = socket.inet_aton(f"10.77.{1 + number // 250 % 250}.{1 + number % 250}")
    addresses = source + socket.inet_aton(GROUPS[4])
    fields = 0x45, 0, 20 + len(datagram), number & 0xFFFF, 0, 255, socket.IPPROTO_UDP
    header = struct.pack(">BBHHHBBH", *fields, 0) + addresses
    total = sum(struct.unpack(">10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    header = struct.pack(">BBHHHBBH", *fields, checksum) + addresses
    return _MULTICAST + _OWN + struct.pack(">H", 0x0800) + header + datagram


if __name__ == "__main__":
    count, interface, *one = sys.argv[1:]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((interface, 0))
        for number in range(int(count)):
            if one:
                pin, name, port, *ttl = one
                advert = Advert(bytes.fromhex(pin), name, int(port), int(ttl[0]) if ttl else TTL)
            else:
                advert = Advert(secrets.token_bytes(32), f"Forged {number}", 1 + number % 65535)
            sender.send(frame(number, announcement(advert, ())))
    print("sent", flush=True)  # noqa: T201 (its output)
