"""Sockets for multicast DNS, on each of this computer's interfaces.

Each interface has sockets of its own for IPv4 and IPv6: so a reply leaves by the interface on which
the question came, and each learns the addresses that are valid there (RFC 6762 §14, §15). Several
programs of a computer may listen to the port.

Tunnels are left out, as what is at their other end is not the local network; and no packet is sent
beyond it: groups of link-local scope are not forwarded, and replies go to neighbours only.
"""

import ipaddress
import logging
import socket
import struct
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Final, NamedTuple

from common.domain.dns_sd import GROUPS, MOST_BYTES, PORT
from common.system.interfaces import InterfaceAddress, default_sources, interface_addresses

log = logging.getLogger(__name__)

MOST_INTERFACES: Final = 8
"""With two sockets each, or four in a program that asks; the number of the reserved descriptors in
chat_server/net/descriptors.py depends on it."""
READ_AT_ONCE: Final = 16
"""Packets read from a socket in one turn: others, which may have the replies, come next."""
FLOOD_PAUSE: Final = 0.02
"""Seconds for which a thread sleeps after a turn with so many packets. What the system can't store
meanwhile is lost: a flood costs a few percent of a processor, and questions are repeated."""
_HOPS: Final = 255
_FAMILIES: Final = {4: socket.AF_INET, 6: socket.AF_INET6}
_IP_MULTICAST_ALL: Final = 49  # Linux's own, without a name in the module socket
_IP_PKTINFO: Final = {"linux": 8, "darwin": 26}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Datagram(NamedTuple):
    """A received packet; `host` is the sender's address, with the zone of a link-local one."""

    data: bytes
    host: str
    port: int


class Link:
    """One interface in one version of IP: its addresses, and the sockets for it.

    `listening` gets what is sent to the group; None if another program has the port for itself.
    `asking` has a port of its own, where replies to its questions come; None unless asked for.
    """

    def __init__(self, version: int, found: Iterable[InterfaceAddress], source: str | None) -> None:
        found = tuple(found)
        self.version = version
        self.index = found[0].interface
        self.zone = _zone(self.index)
        self.addresses = tuple(each.address for each in found)
        self.advertised = self.addresses if source is None else (source.partition("%")[0],)
        """The addresses by which a server here can be reached on this link."""
        self.networks: tuple[Network, ...] = tuple(
            ipaddress.ip_network(f"{each.address}/{each.prefix}", strict=False)
            for each in found
            if each.prefix is not None
        )
        self.listening: socket.socket | None = None
        self.asking: socket.socket | None = None
        self._group = (GROUPS[4], PORT) if version == 4 else (GROUPS[6], PORT, 0, self.index)
        self._source = _source_option(version, source, self.index)

    def open(self, *, asks: bool) -> None:
        """Open the sockets. Raises OSError if not even one can be had."""
        error: OSError | None = None
        try:
            self.listening = self._socket(listens=True)
        except OSError as failed:
            error = failed
        if asks:
            self.asking = self._socket(listens=False)
            if error is not None:
                log.info(
                    "multicast DNS can't be listened to on interface %d: %s", self.index, error
                )
        elif error is not None:
            raise error

    def _socket(self, *, listens: bool) -> socket.socket:
        made = socket.socket(_FAMILIES[self.version], socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            if self.version == 6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if listens:
                self._listen(made)
                self._stay_on_link(made)
            else:
                made.bind(("", 0))
            self._send_here(made)
        except BaseException:
            made.close()
            raise
        return made

    def _stay_on_link(self, made: socket.socket) -> None:
        """Replies to one computer go to neighbours only."""
        made.setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, 1)
        if sys.platform == "win32":  # which may ignore that
            if self.version == 4:
                made.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
            else:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1)

    def _listen(self, made: socket.socket) -> None:
        """Join the group, and bind to it: what is sent to this computer alone goes to others."""
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform != "win32":
            # Some programs, browsers among them, share the port in this way only.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if sys.platform == "linux" and self.version == 4:
            # Else it would get what comes to any interface of which any program is a member.
            made.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        made.bind(("", PORT) if sys.platform == "win32" else self._group)
        if sys.platform == "linux":
            # Sockets that were bound with it to the same address share what comes: each packet
            # would get to one of them, of this interface or another, of this program or another.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
        if self.version == 4:
            # Every system knows an interface by its address; by its index some do not.
            member = socket.inet_aton(GROUPS[4]) + socket.inet_aton(self.addresses[0])
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        else:
            group = socket.inet_pton(socket.AF_INET6, GROUPS[6])
            member = group + struct.pack("@I", self.index)
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)

    def _send_here(self, made: socket.socket) -> None:
        """What is sent to the group leaves by this interface."""
        if self.version == 4:
            interface = socket.inet_aton(self.addresses[0])
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _HOPS)
        else:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self.index)
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _HOPS)

    @property
    def sockets(self) -> Iterator[socket.socket]:
        """The open ones; the one for replies to questions first."""
        return filter(None, (self.asking, self.listening))

    def ask(self, packet: bytes) -> None:
        """Send it to the group, from the port for replies. Raises OSError."""
        if self.asking is not None:
            self.asking.sendto(packet, self._group)

    def publish(self, packet: bytes) -> None:
        """Send it to the group, from the group's port. Raises OSError."""
        if self.listening is not None:
            self._send(self.listening, packet, self._group)

    def reply(self, packet: bytes, to: Datagram) -> None:
        """Send it to one neighbour, from the group's port. Raises OSError."""
        if self.listening is not None:
            host = to.host.partition("%")[0]
            address = (host, to.port) if self.version == 4 else (host, to.port, 0, self.index)
            self._send(self.listening, packet, address)

    def _send(self, sender: socket.socket, packet: bytes, to: tuple[str | int, ...]) -> None:
        if self._source and sys.platform != "win32":
            sender.sendmsg([packet], self._source, 0, to)
        else:
            sender.sendto(packet, to)

    def close(self) -> None:
        """Close the sockets. Idempotent."""
        for each in self.sockets:
            each.close()


class Links:
    """All of them, as they are at the last `refresh`. Of one thread.

    With `asks` each gets a socket with a port of its own. With `source`, an address of this
    computer, only its interface takes part, and what is sent comes from there.
    """

    def __init__(
        self, *, asks: bool, versions: Collection[int] = (4, 6), source: str | None = None
    ) -> None:
        self._asks = asks
        self._versions = versions
        self._source = source
        self._links: dict[tuple[int, int], Link] = {}
        self._failed: dict[tuple[int, int], str] = {}
        """Those that could not be opened, and why: it is logged once, and tried again."""

    def __iter__(self) -> Iterator[Link]:
        return iter(tuple(self._links.values()))

    def refresh(self) -> bool:
        """Look at the interfaces anew; returns whether anything is different.

        Sockets of an interface with other addresses are replaced: on some systems a membership
        ends with an address. Raises OSError if the process has too many open files.
        """
        found = self._found()
        changed = False
        for key, link in tuple(self._links.items()):
            addresses = tuple(each.address for each in found.get(key, ()))
            if addresses != link.addresses:
                del self._links[key]
                link.close()
                changed = True
        for key, addresses_there in found.items():
            if key not in self._links:
                changed |= self._open(key, Link(key[0], addresses_there, self._source))
        for key in self._failed.keys() - found.keys():
            del self._failed[key]
        return changed

    def _open(self, key: tuple[int, int], link: Link) -> bool:
        try:
            link.open(asks=self._asks)
        except OSError as error:
            link.close()
            if self._failed.get(key) != str(error):
                log.warning("multicast DNS can't be used on interface %d: %s", link.index, error)
            self._failed[key] = str(error)
            return False
        self._failed.pop(key, None)
        self._links[key] = link
        return True

    def _found(self) -> Mapping[tuple[int, int], tuple[InterfaceAddress, ...]]:
        """The addresses by version of IP and interface."""
        found: dict[tuple[int, int], tuple[InterfaceAddress, ...]] = {}
        for each in interface_addresses():
            version = 6 if ":" in each.address else 4
            if not each.tunnel and version in self._versions:
                key = version, each.interface
                found[key] = (*found.get(key, ()), each)
        if self._source is not None:
            there = ipaddress.ip_address(self._source.partition("%")[0])
            for key, addresses in tuple(found.items()):
                if not any(ipaddress.ip_address(each.address) == there for each in addresses):
                    del found[key]
        if len({index for _, index in found}) <= MOST_INTERFACES:
            return found
        routed = default_sources()

        def place(key: tuple[int, int]) -> tuple[bool, bool, int]:
            there = found[key]
            inner = all(each.inner for each in there)
            return not any(each.address in routed for each in there), inner, key[1]

        # The router's network first, and the bridges of virtual machines last, of which there may
        # be dozens: the guests are there, whatever number the interface has.
        first = dict.fromkeys(index for _, index in sorted(found, key=place))
        some = set(islice(first, MOST_INTERFACES))
        return {key: addresses for key, addresses in found.items() if key[1] in some}

    def is_neighbour(self, host: str) -> bool:
        """Whether an address, with its zone, is on one of these links. Nothing is sent."""
        plain, _, zone = host.partition("%")
        address = ipaddress.ip_address(plain)
        if address.version == 6 and address.is_link_local:
            return any(link.zone == zone for link in self._links.values() if link.version == 6)
        networks = [network for link in self._links.values() for network in link.networks]
        if networks:
            return any(address in network for network in networks)
        return address.version == 4 and _reached_directly(host)

    def close(self) -> None:
        """Close all sockets. Idempotent."""
        for link in self._links.values():
            link.close()
        self._links.clear()


def received(sock: socket.socket) -> Iterator[Datagram]:
    """What has arrived at a socket, READ_AT_ONCE at most. Errors are of what was sent before."""
    for _ in range(READ_AT_ONCE):
        try:
            data, sender = sock.recvfrom(MOST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            continue  # such as a port unreachable, which ICMP reports, or a packet too long
        host = str(sender[0]).partition("%")[0]
        if len(sender) == 4 and sender[3]:
            host += f"%{_zone(sender[3])}"
        yield Datagram(data, host, sender[1])


def _zone(index: int) -> str:
    with suppress(OSError):
        return socket.if_indextoname(index)
    return str(index)


def _source_option(version: int, source: str | None, index: int) -> list[tuple[int, int, bytes]]:
    """Ancillary data with the source address; without it the system chooses among several."""
    if source is None:
        return []
    address = ipaddress.ip_address(source.partition("%")[0]).packed
    if version == 6:
        return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, address + struct.pack("@I", index))]
    option = _IP_PKTINFO.get(sys.platform)
    if option is None:
        return []
    return [(socket.IPPROTO_IP, option, struct.pack("@i4s4s", index, address, b""))]


def _reached_directly(host: str) -> bool:
    """Whether the system would send to an address without a router; where it tells no prefixes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, 1)
        try:
            probe.connect((host, PORT))
        except OSError:
            return False
        return True
