"""Prints every IP packet that passes this computer, until it is ended.

    python -m tests.process.sniffer

One JSON object a line: version and protocol of IP, source, destination, and the ports of UDP and
TCP. The first line is an empty object, printed when it has begun. It needs a network namespace in
which it may do so (Linux only).
"""

import ipaddress
import json
import socket
import struct
from typing import Any, Final

_EVERYTHING: Final = 0x0003  # ETH_P_ALL
_IPV4, _IPV6 = 0x0800, 0x86DD
_TCP, _UDP = 6, 17


def described(kind: int, packet: bytes) -> dict[str, Any] | None:
    """An IP packet, without its link-layer header; None for another one."""
    if kind == _IPV4:
        version, protocol, addresses = 4, packet[9], (packet[12:16], packet[16:20])
        payload = packet[(packet[0] & 15) * 4 :]
    elif kind == _IPV6:
        version, protocol, addresses = 6, packet[6], (packet[8:24], packet[24:40])
        payload = packet[40:]
    else:
        return None
    source, to = (str(ipaddress.ip_address(each)) for each in addresses)
    ports = struct.unpack_from(">HH", payload) if protocol in {_TCP, _UDP} else (0, 0)
    return {"ip": version, "protocol": protocol, "from": source, "to": to, "ports": ports}


if __name__ == "__main__":
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EVERYTHING)) as sniffer:
        print("{}", flush=True)  # noqa: T201 (its output)
        while True:
            content, (_, ethertype, *_) = sniffer.recvfrom(65536)
            packet = described(ethertype, content)
            if packet is not None:
                print(json.dumps(packet), flush=True)  # noqa: T201 (its output)
