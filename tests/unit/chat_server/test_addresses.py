"""Which addresses this computer is said to have, and in which order they go into an invite."""

from __future__ import annotations

import socket
import sys
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server import addresses
from chat_server.addresses import in_order, listens_everywhere, reachable_addresses
from chat_server.net.acceptor import ip_versions, listen
from common.domain.invite import MOST_HOSTS, Invite, parse_invite
from common.system import interfaces
from common.system.interfaces import InterfaceAddress, by_probe, interface_addresses

NEEDS_IPV6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 here")
LAN, WIFI, BRIDGE, VPN = 2, 3, 4, 5
EVERYTHING = [
    InterfaceAddress("fe80::a", LAN, False),
    InterfaceAddress("10.8.0.2", VPN, True),
    InterfaceAddress("fd00::8:2", VPN, True),
    InterfaceAddress("169.254.1.1", WIFI, False),
    InterfaceAddress("fe80::a", BRIDGE, False),
    InterfaceAddress("172.17.0.1", BRIDGE, False, inner=True),
    InterfaceAddress("2001:db8::7", LAN, False),
    InterfaceAddress("9.8.7.6", LAN, False),
    InterfaceAddress("192.168.1.7", WIFI, False),
    InterfaceAddress("192.168.2.7", LAN, False),
]


def test_the_likeliest_address_comes_first() -> None:
    """The local network, the internet, IPv6, tunnels, and what leads no further than a link.

    Last what leads to containers of this computer only.
    """
    assert in_order(EVERYTHING, ()) == [
        *("192.168.2.7", "192.168.1.7", "9.8.7.6", "2001:db8::7"),
        *("10.8.0.2", "fd00::8:2", "169.254.1.1", "fe80::a", "172.17.0.1"),
    ]


@pytest.mark.parametrize(
    ("router", "first"),
    [
        ("192.168.1.7", "192.168.1.7"),  # where the router is, the guests are
        ("10.8.0.2", "192.168.2.7"),  # but not where only a VPN leads
        ("9.8.7.6", "192.168.2.7"),
    ],
)
def test_the_router_decides_among_equals(router: str, first: str) -> None:
    """It moves an address only within its kind."""
    assert in_order(EVERYTHING, {router})[0] == first
    assert sorted(in_order(EVERYTHING, {router})) == sorted(in_order(EVERYTHING, ()))


@given(st.lists(st.ip_addresses(), max_size=100), st.booleans())
def test_an_invite_with_any_addresses_can_be_read(found: list[object], tunnel: bool) -> None:
    """However many there are: as many as fit go in, loopback last, and all come out again."""
    with pytest.MonkeyPatch.context() as patch:
        there = [InterfaceAddress(str(each), 2, tunnel) for each in found]
        patch.setattr(addresses, "interface_addresses", lambda: there)
        hosts = reachable_addresses(None)
    assert len(hosts) == len(set(hosts)) <= MOST_HOSTS
    assert hosts[-1] == "127.0.0.1"
    invite = Invite(hosts, 65535, b"f" * 32, "s" * 22, "ü" * 64)
    assert parse_invite(invite.link()) == invite


@pytest.mark.parametrize(
    ("versions", "hosts"),
    [
        ({4}, ("10.0.0.1", "127.0.0.1")),
        ({6}, ("fd00::1", "::1")),
        ({4, 6}, ("10.0.0.1", "fd00::1", "127.0.0.1")),
    ],
)
def test_only_what_is_listened_to_is_told(
    monkeypatch: pytest.MonkeyPatch, versions: set[int], hosts: tuple[str, ...]
) -> None:
    """An address of the other version of IP leads to nobody."""
    there = [InterfaceAddress("fd00::1", 2, False), InterfaceAddress("10.0.0.1", 2, False)]
    monkeypatch.setattr(addresses, "interface_addresses", lambda: there)
    assert reachable_addresses(None, versions) == hosts


def test_one_address_is_told_as_it_was_given() -> None:
    """Without the zone, which is this computer's own name for the link."""
    assert reachable_addresses("fe80::5%eth0") == ("fe80::5",)
    assert reachable_addresses("house.test") == ("house.test",)
    everywhere = [None, "0.0.0.0", "::", "0::0"]  # noqa: S104 (nothing is bound)
    assert [host for host in everywhere if not listens_everywhere(host)] == []
    assert not listens_everywhere("house.test")


def test_nobody_is_asked_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the computer is called, and however it is found out which addresses it has."""

    def fail(*_: object) -> None:
        raise AssertionError("a name is looked up")

    for look_up in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "getfqdn", "gethostbyaddr"):
        monkeypatch.setattr(socket, look_up, fail)
    for addresses_of in (interface_addresses, by_probe):
        for found in addresses_of():
            address = ip_address(found.address)
            assert not address.is_loopback
            assert not address.is_unspecified
    assert len(reachable_addresses(None)) >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="netlink is Linux's")
def test_without_netlink_there_is_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where netlink is forbidden the other one takes its place."""

    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(interfaces, "_by_netlink", forbidden)
    assert interface_addresses() == list(by_probe())


@pytest.mark.parametrize(
    ("host", "versions"),
    [
        ("127.0.0.1", {4}),
        ("0.0.0.0", {4}),  # noqa: S104 (for a moment)
        pytest.param("::1", {6}, marks=NEEDS_IPV6),
        pytest.param("::", {6}, marks=NEEDS_IPV6),
        pytest.param(None, {4, 6}, marks=NEEDS_IPV6),
    ],
)
def test_the_socket_tells_its_versions(host: str | None, versions: set[int]) -> None:
    """What an invite may have depends on it."""
    with listen(host, 0) as listening:
        assert ip_versions(listening) == versions


def test_without_ipv6_there_is_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without it, and one that knows it but has no address of it."""
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with listen(None, 0) as listening:
        assert ip_versions(listening) == {4}
        with socket.create_connection(("127.0.0.1", listening.getsockname()[1]), timeout=10):
            pass
