"""The addresses of this computer's network interfaces, from the operating system alone.

No name is resolved and no packet is sent: resolving the own host name with `getaddrinfo` asks DNS
where the name is unknown, which takes seconds without a reply. On Linux the addresses come from
netlink (rtnetlink(7)), with the flags of each. On other systems, and where a sandbox forbids
that, a datagram socket is connected to a multicast group on each interface: this sends nothing
either, but makes the system choose a source address.
"""

import ipaddress
import socket
import struct
import sys
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from common.system.open_files import is_out_of_files


class InterfaceAddress(NamedTuple):
    """An address without a zone, the interface's index, and whether it is a tunnel (VPN).

    `prefix` is the length of its network's prefix in bits, None where the system does not tell.
    `inner` is whether the interface leads to nothing but containers and virtual machines of this
    computer: their bridge (docker0, virbr0) has no port by which other computers could come.
    """

    address: str
    interface: int
    tunnel: bool
    prefix: int | None = None
    inner: bool = False


def interface_addresses() -> list[InterfaceAddress]:
    """Addresses of every interface that is up and connected, except loopback interfaces.

    Empty if there are none. In the order of the interfaces' indices. Raises OSError if the process
    or system has too many open files.
    """
    if sys.platform == "linux":
        try:
            return sorted(_by_netlink(), key=lambda found: found.interface)
        except OSError as error:
            _unless_exhausted(error)
    return list(by_probe())


# Addresses reserved for documentation (RFC 5737, RFC 3849) stand for any host on the internet.
_SOMEWHERE: Final = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))


def default_sources() -> Collection[str]:
    """The source addresses of the default routes, IPv4 and IPv6; empty without a router.

    Connecting a datagram socket sends nothing: it only makes the system choose a route.
    """
    found: set[str] = set()
    for there, family in _SOMEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((there, 9))
                found.add(str(probe.getsockname()[0]))
        except OSError as error:
            _unless_exhausted(error)
    return found


def _unless_exhausted(error: OSError) -> None:
    """Raise an error about too many open files; ignore others, which are about one interface."""
    if is_out_of_files(error):
        raise error


# By connecting to multicast groups

_GROUP: Final = "224.0.0.251"
_GROUPS: Final = ("ff0e::fb", "ff02::fb")
"""Of global and of link-local scope: the source address chosen has the scope of the group."""
_PORT: Final = 5353
_TUNNELS: Final = ("tun", "utun", "tap", "wg", "ppp", "ipsec", "tailscale", "zt")
"""Prefixes of the names of tunnel interfaces."""
_INNER: Final = ("docker", "br-", "virbr", "vmnet", "vboxnet", "cni", "podman", "lxcbr", "lxdbr")
"""The same of interfaces for containers and virtual machines."""
_LOOPBACKS: Final = {"lo", "loopback_"}
"""Names of loopback interfaces without their number, on Unix and on Windows."""


def by_probe() -> Iterator[InterfaceAddress]:
    """Addresses by connecting sockets, on any system: one per interface, family and scope.

    An interface without an IPv4 address may be listed with that of another; the address exists.
    """
    for index, name in socket.if_nameindex():
        if name.rstrip("0123456789") in _LOOPBACKS:
            continue
        tunnel, inner = (name.lower().startswith(names) for names in (_TUNNELS, _INNER))
        addresses = [_probe_ipv4(index), *(_probe_ipv6(index, group) for group in _GROUPS)]
        for address in dict.fromkeys(addresses):
            if address is not None and not ipaddress.ip_address(address).is_loopback:
                yield InterfaceAddress(address, index, tunnel, inner=inner)


def _probe_ipv4(index: int) -> str | None:
    if sys.platform == "win32":
        # An interface index as an address of network 0 (Winsock, IP_MULTICAST_IF).
        option = struct.pack("!I", index)
    else:
        option = struct.pack("@4s4si", b"", b"", index)  # struct ip_mreqn
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, option)
            probe.connect((_GROUP, _PORT))
            return str(probe.getsockname()[0])
    except OSError as error:
        _unless_exhausted(error)
        return None  # the interface is down, or has no IPv4 address


def _probe_ipv6(index: int, group: str) -> str | None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            probe.connect((group, _PORT, 0, index))
            return str(probe.getsockname()[0]).partition("%")[0]
    except OSError as error:
        _unless_exhausted(error)
        return None  # the interface is down, has no such address, or there is no IPv6


# By netlink

if sys.platform == "linux":
    _HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence, port
    _ATTRIBUTE: Final = struct.Struct("=HH")  # length, type
    _LINK: Final = struct.Struct("=BxHiII")  # family, type, index, flags, change
    _ADDRESS: Final = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
    _DUMP: Final = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
    _ERROR, _DONE = 2, 3
    _NEW_LINK, _GET_LINK, _NEW_ADDRESS, _GET_ADDRESS = 16, 18, 20, 22
    _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_INFO_KIND = 10, 18, 1
    _NESTED = 0x8000
    """A flag of an attribute's type."""
    _INNER_PORTS: Final = {b"veth", b"tun"}
    """Kinds of interfaces that connect containers, and virtual machines, to a bridge."""
    _IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
    _LOOPBACK, _POINT_TO_POINT, _RUNNING = 0x8, 0x10, 0x40
    _TEMPORARY, _UNUSABLE = 0x01, 0x08 | 0x20 | 0x40
    """IPv6 flags: temporary (RFC 8981); duplicate, deprecated, or tentative (RFC 4862)."""
    _PATIENCE: Final = 2.0

    def _by_netlink() -> Iterator[InterfaceAddress]:
        """Addresses by netlink. Raises OSError if netlink is not available."""
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
            netlink.settimeout(_PATIENCE)
            links: dict[int, tuple[int, int | None, bytes]] = {}
            for message in _dump(netlink, _GET_LINK, _NEW_LINK, _LINK.size):
                _, _, index, flags, _ = _LINK.unpack_from(message)
                links[index] = flags, *_master_and_kind(_attributes(message[_LINK.size :]))
            # What has a port of another kind, such as a network card, leads to other computers.
            outer = {master for _, master, kind in links.values() if kind not in _INNER_PORTS}
            for message in _dump(netlink, _GET_ADDRESS, _NEW_ADDRESS, _ADDRESS.size):
                family, prefix, flags, _, index = _ADDRESS.unpack_from(message)
                state, master, kind = links.get(index, (0, None, b""))
                # Running: up, and with a carrier.
                if state & _LOOPBACK or not state & _RUNNING:
                    continue
                attributes = _attributes(message[_ADDRESS.size :])
                address = _address(family, flags, attributes)
                # Frames that arrive at a port of a bridge are handled by the bridge.
                if address is not None and not (master is not None and address.is_link_local):
                    tunnel = bool(state & _POINT_TO_POINT)
                    inner = kind == b"bridge" and index not in outer
                    yield InterfaceAddress(str(address), index, tunnel, prefix, inner)

    def _master_and_kind(attributes: dict[int, bytes]) -> tuple[int | None, bytes]:
        """The bridge, or the like, whose port an interface is; and its kind, b"" for a card."""
        master = attributes.get(_IFLA_MASTER)
        kind = _attributes(attributes.get(_IFLA_LINKINFO, b"")).get(_IFLA_INFO_KIND, b"")
        return None if master is None else int.from_bytes(master, sys.byteorder), kind.rstrip(b"\0")

    def _address(
        family: int, flags: int, attributes: dict[int, bytes]
    ) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The address in a netlink message, if it is usable and not temporary."""
        if _IFA_FLAGS in attributes:
            (flags,) = struct.unpack("=I", attributes[_IFA_FLAGS])
        if family == socket.AF_INET:
            # On a point-to-point link the other attribute is the peer's address.
            return ipaddress.IPv4Address(attributes.get(_IFA_LOCAL) or attributes[_IFA_ADDRESS])
        if family == socket.AF_INET6 and not flags & (_TEMPORARY | _UNUSABLE):
            return ipaddress.IPv6Address(attributes.get(_IFA_LOCAL) or attributes[_IFA_ADDRESS])
        return None

    def _dump(netlink: socket.socket, ask: int, answer: int, size: int) -> Iterator[bytes]:
        """The payloads of all messages of the kernel's reply to a dump request."""
        request = _HEADER.pack(_HEADER.size + size, ask, _DUMP, ask, 0) + bytes(size)
        netlink.send(request)
        while True:
            data = netlink.recv(1 << 17)
            while len(data) >= _HEADER.size:
                length, kind, *_ = _HEADER.unpack_from(data)
                if kind == _DONE:
                    return
                if kind == _ERROR or length < _HEADER.size:
                    raise OSError("netlink refuses to tell of the interfaces")
                if kind == answer:
                    yield data[_HEADER.size : length]
                data = data[_aligned(length) :]

    def _attributes(data: bytes) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        while len(data) >= _ATTRIBUTE.size:
            length, kind = _ATTRIBUTE.unpack_from(data)
            if length < _ATTRIBUTE.size:
                break
            found[kind & ~_NESTED] = data[_ATTRIBUTE.size : length]
            data = data[_aligned(length) :]
        return found

    def _aligned(length: int) -> int:
        return (length + 3) & ~3
