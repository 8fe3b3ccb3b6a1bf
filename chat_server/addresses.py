"""Which addresses go into an invite, and in which order."""

from collections.abc import Collection, Iterable
from ipaddress import ip_address
from typing import Final

from common.domain.invite import MOST_HOSTS, is_unspecified
from common.system.interfaces import InterfaceAddress, default_sources, interface_addresses

_LOOPBACK: Final = {4: "127.0.0.1", 6: "::1"}
EVERY_VERSION: Final = frozenset({4, 6})


def listens_everywhere(host: str | None) -> bool:
    """Whether `host` is a wildcard address, which stands for all interfaces."""
    return host is None or is_unspecified(host)


def reachable_addresses(
    host: str | None, versions: Collection[int] = EVERY_VERSION
) -> tuple[str, ...]:
    """The addresses to put into an invite, the likeliest first.

    A server that listens on one address has that one. Else they are those of every interface of
    the versions of IP that it listens to (4, 6), and last the loopback address for clients on the
    same computer; MOST_HOSTS at most. Nothing is sent and no name is looked up.
    """
    if host is not None and not listens_everywhere(host):
        return (host.partition("%")[0],)  # the zone is this computer's own
    found = in_order(interface_addresses(), default_sources())
    loopback = _LOOPBACK[4 if 4 in versions else 6]
    usable = [
        address
        for address in found
        if ip_address(address).version in versions and address != loopback
    ]
    return (*usable[: MOST_HOSTS - 1], loopback)


def in_order(found: Iterable[InterfaceAddress], preferred: Collection[str]) -> list[str]:
    """Each address once, the likeliest to be shared with a guest first.

    That is the local network: private IPv4, other IPv4, IPv6; then addresses of tunnels, and
    link-local addresses, which need no router but reach one link only. Last are those that only
    virtual machines of this computer can reach: there may be dozens, and each computer with the
    same software has the same ones. Among equals, those in `preferred` come first: those of
    interfaces with a default route.
    """

    def place(each: InterfaceAddress) -> tuple[int, bool, int]:
        return _kind(each), each.address not in preferred, each.interface

    return list(dict.fromkeys(each.address for each in sorted(found, key=place)))


def _kind(found: InterfaceAddress) -> int:
    address = ip_address(found.address)
    if found.inner:
        return 6
    if address.is_link_local:
        return 5 if address.version == 6 else 4
    if found.tunnel:
        return 3
    if address.version == 6:
        return 2
    return 0 if address.is_private else 1
