"""Joining on networks of all kinds, with the real programs on computers of their own.

The computers are network namespaces. The host's server is started there without any choice of
an address, and a guest on another computer has nothing but the link.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from common.domain.invite import MOST_HOSTS, parse_invite
from tests.process import system_calls
from tests.process.harness import House
from tests.process.host_and_guest import Guest, Host, host_and_guest
from tests.process.networks import Networks, in_place_of


@pytest.mark.parametrize(
    ("mine", "yours"),
    [
        ("10.77.0.5/24", "10.77.0.6/24"),
        ("169.254.7.5/16", "169.254.90.6/16"),
        ("fd00:77::5/64", "fd00:77::6/64"),
        ("fe80::77:5/64", "fe80::77:6/64"),
    ],
    ids=["without a router", "without DHCP", "only IPv6", "only link-local IPv6"],
)
def test_two_computers_and_a_cable(house: House, networks: Networks, mine: str, yours: str) -> None:
    """Whatever addresses they have, the link leads from one to the other."""
    here, there = host_and_guest(networks, mine, yours)
    host = Host(house, here)
    assert host.invite.hosts == (mine.partition("/")[0], "127.0.0.1")
    Guest(house, there, "ada").say(host.told["invite"], "hello")
    # A program on the host's own computer comes in by the same link.
    Guest(house, here, "own").say(host.told["invite"], "hello")


def test_a_guest_may_have_several_links(house: House, networks: Networks) -> None:
    """The host's link-local address is found behind the right one; the others are no hindrance."""
    here, there, other = (networks.computer() for _ in range(3))
    for one in (other, here, other):
        name = networks.cable(one, there)
        one.up(name, "fe80::1/64" if one is other else "fe80::77:5/64")
        there.up(name, "fe80::77:6/64")
    host = Host(house, here)
    assert host.invite.hosts == ("fe80::77:5", "127.0.0.1")
    Guest(house, there, "ada").say(host.told["invite"], "hello")


def test_two_networks_at_once(house: House, networks: Networks) -> None:
    """The link leads to the server from each, though its other half leads nowhere from there."""
    here, left, right = (networks.computer() for _ in range(3))
    for number, there in ((1, left), (2, right)):
        name = networks.cable(here, there)
        here.up(name, f"10.77.{number}.5/24", f"fd00:{number}::5/64", "fe80::5/64")
        there.up(name, f"10.77.{number}.6/24")
    host = Host(house, here)
    assert host.invite.hosts == (
        *("10.77.1.5", "10.77.2.5", "fd00:1::5", "fd00:2::5", "fe80::5", "127.0.0.1"),
    )
    for there, name in ((left, "ada"), (right, "bob")):
        Guest(house, there, name).say(host.told["invite"], f"hello from {name}")


def test_addresses_can_be_had_without_netlink(networks: Networks) -> None:
    """As on systems that have none: the same, where no interface has two of a kind."""
    here, there = host_and_guest(networks)
    here.up("eth1", "10.77.0.5/24", "fd00:1::5/64", "fe80::5/64")
    networks.cable(here, there)
    here.up("eth2", "169.254.7.5/16")
    there.up("eth2")
    networks.cable(here, there)  # which is down
    for way in ("interface_addresses", "by_probe"):
        ask = f"from common.system.interfaces import {way} as ask"
        told = here.run(sys.executable, "-c", f"{ask}; print(*(each.address for each in ask()))")
        # An interface that has no address borrows another one's.
        assert set(told.split()) == {"10.77.0.5", "169.254.7.5", "fd00:1::5", "fe80::5"}


def test_a_network_beside_a_vpn(house: House, networks: Networks) -> None:
    """The default route leads elsewhere, and yet the local network's address is in the link."""
    here, there = host_and_guest(networks, "192.168.5.5/24", "192.168.5.6/24")
    gateway = networks.computer()
    networks.cable(here, gateway, "vpn0")
    gateway.up("vpn0", "10.8.0.1/24")
    here.up("vpn0", "10.8.0.2/24")
    here.ip("route add default via 10.8.0.1")
    host = Host(house, here)
    assert set(host.invite.hosts) == {"192.168.5.5", "10.8.0.2", "127.0.0.1"}
    Guest(house, there, "ada").say(host.told["invite"], "hello")
    Guest(house, gateway, "bob").say(host.told["invite"], "hello")


def test_a_tunnel_comes_after_the_local_network(house: House, networks: Networks) -> None:
    """Though all traffic goes through it: guests are mostly not at its other end."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("tunnels are not allowed here")
    here, there = host_and_guest(networks, "192.168.5.5/24", "192.168.5.6/24")
    tunnel = house.child("tunnel", ["tests.process.tunnel", "tun7"], under=here.inside)
    assert tunnel.line() == "open"
    here.up("tun7", "10.9.0.2/32")
    here.ip("route add default dev tun7")
    host = Host(house, here)
    assert host.invite.hosts == ("192.168.5.5", "10.9.0.2", "127.0.0.1")
    Guest(house, there, "ada").say(host.told["invite"], "hello")


def test_dozens_of_networks_for_containers(house: House, networks: Networks) -> None:
    """The only one with people comes first in the link, though its interface is the newest."""
    here, there = networks.computer(), networks.computer()
    here.containers(MOST_HOSTS + 2)
    name = networks.cable(here, there)
    here.up(name, "192.168.5.5/24", "fd00::5/64", "fe80::5/64")
    there.up(name, "192.168.5.6/24")
    host = Host(house, here)
    assert host.invite.hosts[:4] == ("192.168.5.5", "fd00::5", "fe80::5", "172.17.0.1")
    Guest(house, there, "ada").say(host.told["invite"], "hello")


def test_a_bridge_with_a_port_of_another_kind_is_a_network(networks: Networks) -> None:
    """Other computers may be behind it; and one without is known by the ports it has."""
    here, switch = networks.computer(), networks.computer()
    here.containers(1)
    here.ip("link add outer type bridge")
    networks.cable(here, switch)
    for computer in (here, switch):
        computer.up("eth1")
    here.ip("link add link eth1 name card type macvlan")  # as there is no network card
    here.ip("link set card master outer")
    here.up("card")
    here.up("outer", "10.77.0.5/24")
    ask = "from common.system.interfaces import interface_addresses as ask"
    told = here.run(sys.executable, "-c", f"{ask}; print(*((a.address, a.inner) for a in ask()))")
    assert told.split("\n")[0] == "('172.17.0.1', True) ('10.77.0.5', False)"


@pytest.mark.parametrize("carrier", [True, False])
def test_a_guests_own_server_is_no_impostor(
    house: House, networks: Networks, carrier: bool
) -> None:
    """The host's bridge for containers has the same address as the guest's, where a server is."""
    here, there = host_and_guest(networks, "192.168.5.5/24", "192.168.5.6/24")
    here.containers(1)
    there.containers(1)
    own = House(house.folder / "own")
    own.folder.mkdir()
    guests = Host(own, there)
    house.children.append(guests.child)
    host = Host(house, here, "--port", str(guests.invite.port))
    link = host.told["invite"]
    assert host.invite.hosts == ("192.168.5.5", "172.17.0.1", "127.0.0.1")
    host.child.process.terminate()
    assert host.child.status() == 0
    if not carrier:
        there.ip("link set out0 down")
    child = Guest(house, there, "ada").start("send", link, "--timeout", "0.2", "hello")
    assert child.status() == 1
    assert "192.168.5.5 refused" in child.err[0]
    assert "172.17.0.1" not in child.transcript()


def test_an_address_that_changes(house: House, networks: Networks) -> None:
    """Also from none and to none: ready file and `running.json` follow, and the new link leads."""
    here, there = host_and_guest(networks, yours="10.77.0.6/24")
    there.up("eth1", "10.78.0.6/24")
    host = Host(house, here)
    host.has("127.0.0.1")
    here.up("eth1", "10.77.0.5/24")
    host.has("10.77.0.5", "127.0.0.1")
    ada = Guest(house, there, "ada")
    ada.say(host.told["invite"], "hello")
    here.up("eth1", "10.78.0.5/24")
    host.has("10.77.0.5", "10.78.0.5", "127.0.0.1")
    here.ip("addr del 10.77.0.5/24 dev eth1")
    host.has("10.78.0.5", "127.0.0.1")
    ada.say(host.told["invite"], "hello again")
    there.ip("link set eth1 down")  # the cable is pulled out at the other end
    host.has("127.0.0.1")
    there.ip("link set eth1 up")
    host.has("10.78.0.5", "127.0.0.1")
    ada.say(host.told["invite"], "and again")


def test_who_is_signed_in_finds_another_address_of_the_invite(
    house: House, networks: Networks
) -> None:
    """The server comes back without the address that a client had connected to."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    second = networks.cable(here, there)
    here.up(second, "fd00:2::5/64")
    there.up(second, "fd00:2::6/64")
    host = Host(house, here)
    invite = host.invite
    assert invite.hosts == ("10.77.0.5", "fd00:2::5", "127.0.0.1")
    listener = Guest(house, there, "ada").listen(host.told["invite"])
    assert listener.event().kind == "join"
    host.child.process.terminate()
    assert host.child.status() == 0
    listener.complaint("trying again")
    here.ip("link set eth1 down")
    host = Host(house, here, "--port", str(invite.port))
    host.has("fd00:2::5", "127.0.0.1")
    Guest(house, here, "bob").say(host.told["invite"], "hello")
    assert listener.message().text == "hello"


def test_without_ipv6(house: House, networks: Networks) -> None:
    """Where it is switched off the server listens to IPv4 all the same."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    here.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
    host = Host(house, here)
    assert host.invite.hosts == ("10.77.0.5", "127.0.0.1")
    Guest(house, there, "ada").say(host.told["invite"], "hello")


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        ("0.0.0.0", ("10.77.0.5", "127.0.0.1")),  # noqa: S104 (a computer of the test's own)
        ("::", ("fd00::5", "::1")),
        ("fe80::5%eth1", ("fe80::5",)),
    ],
)
def test_what_is_listened_to_is_what_is_told(
    house: House, networks: Networks, address: str, hosts: tuple[str, ...]
) -> None:
    """No address of a version of IP, or of a link, by which the server can't be had."""
    here, there = networks.computer(), networks.computer()
    name = networks.cable(here, there)
    here.up(name, "10.77.0.5/24", "fd00::5/64")
    there.up(name, "10.77.0.6/24", "fd00::6/64", "fe80::6/64")
    if "fe80" in address:
        here.up(name, "fe80::5/64")
    host = Host(house, here, "--port", "0", "--host", address)
    assert host.invite.hosts == hosts
    Guest(house, there, "ada").say(host.told["invite"], "hello")


def test_each_address_that_was_tried_is_told(house: House, networks: Networks) -> None:
    """The command line says what came of which, and leaves out what would only confuse."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    host = Host(house, here)
    link = host.told["invite"]
    port = host.invite.port
    host.child.process.terminate()
    assert host.child.status() == 0
    child = Guest(house, there, "ada").start("send", link, "--timeout", "0.2", "hello")
    assert child.status() == 1
    assert f"10.77.0.5 refused: no ChatServer is open there on port {port}" in child.err[0]
    assert "127.0.0.1" not in child.err[0]
    there.ip("addr flush dev eth1")
    child = Guest(house, there, "bob").start("send", link, "--timeout", "0.2", "hello")
    assert child.status() == 1
    assert "10.77.0.5 is on a network that this computer is not on" in child.err[0]


def asks_for_names(record: Path) -> list[str]:
    """The calls in a record by which DNS is asked, or prepared to be; and datagrams that go out.

    But to the groups of multicast DNS, which stay on the link.
    """
    lines = record.read_text().splitlines()
    assert any("socket(" in line for line in lines)  # it is a record of what is looked for
    names = re.compile(r"/etc/hosts|/etc/resolv\.conf|htons\(53\)")
    datagram = re.compile(r"send\w*\(\d+<UDP")
    group = re.compile(r'htons\(5353\), .*"(224\.0\.0\.251|ff02::fb)"')
    return [
        line
        for line in lines
        if names.search(line) or (datagram.search(line) and not group.search(line))
    ]


def test_no_name_is_ever_looked_up(house: House, networks: Networks, tmp_path: Path) -> None:
    """Neither program asks DNS, or even reads who would be asked, on its whole way.

    The computers' own names are known to nobody, and their name server never answers.
    """
    if (why := system_calls.why_not()) is not None:
        pytest.skip(why)
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    for computer, at in ((here, "10.77.0.6"), (there, "10.77.0.5")):
        computer.run("hostname", "nobody-knows-me.invalid")
        computer.ip(f"route add default via {at}")
        (tmp_path / at).mkdir()
        in_place_of(computer, "/etc/hosts", "127.0.0.1 localhost\n", tmp_path / at)
        in_place_of(computer, "/etc/resolv.conf", f"nameserver {at}\n", tmp_path / at)
    records = {name: tmp_path / f"{name}.calls" for name in ("server", "client", "proof")}

    def traced(name: str) -> tuple[str | Path, ...]:
        watched = ("-e", "trace=%network,openat", "-e", "signal=none")
        return ("strace", "-D", "-f", "-qq", "-yy", *watched, "-o", records[name])

    host = Host(house, here, "--port", "0", under=traced("server"))
    assert host.invite.hosts == ("10.77.0.5", "127.0.0.1")
    here.ip("addr add 10.77.0.7/24 dev eth1")
    host.has("10.77.0.5", "10.77.0.7", "127.0.0.1")
    link = host.told["invite"]
    child = Guest(house, there, "ada").start("send", link, "hello", under=traced("client"))
    assert child.status() == 0, child.transcript()
    host.child.process.terminate()
    assert host.child.status() == 0
    for name in ("server", "client"):
        assert asks_for_names(records[name]) == []
    # And the server connects to nobody.
    assert not re.search(r"connect\(\d+<TCP", records["server"].read_text())
    assert re.search(r"connect\(\d+<TCP", records["client"].read_text())
    # The check is no formality: a name in an invite has to be looked up.
    named = replace(parse_invite(link), hosts=("somewhere.invalid",)).link()
    child = Guest(house, there, "bob").start(
        "send", named, "hello", "--timeout", "0.1", under=traced("proof")
    )
    assert child.status() == 1
    assert asks_for_names(records["proof"])
