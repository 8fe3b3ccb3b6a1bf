"""Why nothing is found, or can't be reached, on real networks: each cause is told as what it is."""

from __future__ import annotations

import json
import os
import sys

import pytest

from chat_client.state.network_facts import CAUSES
from tests.process.harness import House
from tests.process.host_and_guest import Host, host_and_guest
from tests.process.networks import NEEDS_NFT, Computer, Networks


def told(computer: Computer) -> list[str]:
    """The codes of the causes that the client tells there, and that it took less than 5 s."""
    code = (
        "import json, time; begun = time.monotonic();"
        "from chat_client.net.diagnosis import why_nothing;"
        "print(json.dumps([[reason.code for reason in why_nothing()], time.monotonic() - begun]))"
    )
    causes, seconds = json.loads(computer.run(sys.executable, "-c", code))
    print(causes, f"{seconds:.2f} s")  # noqa: T201 (a figure)
    assert {*causes} <= CAUSES
    found: list[str] = causes
    return found


def why_not_there(computer: Computer) -> str:
    """The code of why the one chat that is found from there can't be reached."""
    code = (
        "import threading;"
        "from chat_client.net.connector import connect; from chat_client.net.finder import Finder;"
        "from chat_client.state.network_facts import why_not_reached;"
        "from common.domain.invite import Invite; found = []; done = threading.Event();"
        "finder = Finder(lambda chats: (found.extend(chats), done.set())); finder.start();"
        "done.wait(20); finder.stop(); chat = found[0];"
        "invite = Invite(chat.hosts, chat.port, chat.fingerprint, 's' * 22, chat.name);"
        "print(why_not_reached(chat.name, connect(invite).attempts).code)"
    )
    return computer.run(sys.executable, "-c", code).strip()


def test_no_network(networks: Networks) -> None:
    """Neither a cable nor an address."""
    alone, other = networks.computer(), networks.computer()
    assert told(alone) == ["no_network"]
    networks.cable(alone, other)
    alone.ip("link set eth1 up")
    other.ip("link set eth1 up")
    assert told(alone) == ["no_network"]


def test_containers_are_no_network(house: House, networks: Networks) -> None:
    """What runs on this computer itself says nothing about the network, even if it answers."""
    here, container, other = (networks.computer() for _ in range(3))
    networks.cable(here, container)
    here.ip("link add br-0 type bridge")
    here.ip("link set eth1 master br-0")
    here.ip("link set eth1 up")
    here.up("br-0", "172.17.0.1/16")
    container.up("eth1", "172.17.0.2/16")
    Host(house, container)
    assert told(here) == ["no_network"]
    networks.cable(here, other)
    here.up("eth2", "10.77.0.5/24")
    other.up("eth2", "10.77.0.6/24")
    assert told(here) == ["nobody_answers"]


def test_nobody_answers(networks: Networks) -> None:
    """Two computers on a cable, and the other one is silent."""
    here, _ = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    assert told(here) == ["nobody_answers"]


def test_only_the_router_answers(house: House, networks: Networks) -> None:
    """A host behind the router is as if there were none: no packet of discovery gets there."""
    here, far = networks.computer(), networks.computer()
    networks.router(here, far)
    here.up("eth1", "10.77.1.5/24")
    here.ip("route add default via 10.77.1.1")
    far.up("eth2", "10.77.2.6/24")
    far.ip("route add default via 10.77.2.1")
    Host(house, far)
    assert told(here) == ["only_router_answers"]


@NEEDS_NFT
def test_a_router_that_is_silent(networks: Networks) -> None:
    """Then it is as if nobody were there at all."""
    here, far = networks.computer(), networks.computer()
    router = networks.router(here, far)
    here.up("eth1", "10.77.1.5/24")
    here.ip("route add default via 10.77.1.1")
    router.firewall("drop")
    assert told(here) == ["nobody_answers"]


def test_other_devices_answer(house: House, networks: Networks) -> None:
    """So the network is no hindrance; but the router's own answer tells nothing."""
    here, far, neighbour = (networks.computer() for _ in range(3))
    router = networks.router(here, far)
    here.up("eth1", "10.77.1.5/24")
    here.ip("route add default via 10.77.1.1")
    device = house.child("device", ["tests.process.device"], under=router.inside)
    device.line()
    assert told(here) == ["only_router_answers"]
    networks.cable(here, neighbour, "eth3")
    here.up("eth3", "10.77.3.5/24")
    neighbour.up("eth3", "10.77.3.6/24")
    device = house.child("device", ["tests.process.device"], under=neighbour.inside)
    device.line()
    assert told(here) == ["nobody_hosts"]


@NEEDS_NFT
def test_no_question_gets_out(networks: Networks) -> None:
    """As on a system that asks for permission, and did not get it."""
    here, _ = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    here.run("nft", "add table inet test")
    here.run("nft", "add chain inet test out { type filter hook output priority 0; }")
    here.run("nft", "add rule inet test out udp dport 5353 drop")
    assert told(here) == ["asks_nobody"]


def test_a_vpn_takes_the_traffic(house: House, networks: Networks) -> None:
    """It may hide the local network; but that may be empty as well, and both are told."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("tunnels are not allowed here")
    here, _ = host_and_guest(networks, "192.168.5.5/24", "192.168.5.6/24")
    tunnel = house.child("tunnel", ["tests.process.tunnel", "tun7"], under=here.inside)
    assert tunnel.line() == "open"
    here.up("tun7", "10.9.0.2/32")
    here.ip("route add default dev tun7")
    assert told(here) == ["vpn_on", "nobody_answers"]
    here.ip("link set eth1 down")
    assert told(here) == ["vpn_on", "nobody_answers"]


@NEEDS_NFT
@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("drop", "found_dropped"),
        ("reject with tcp reset", "found_refused"),
        ("reject", "found_refused"),
        ("reject with icmp admin-prohibited", "found_dropped"),
    ],
)
def test_a_closed_port_of_a_host_that_is_found(
    house: House, networks: Networks, rule: str, code: str
) -> None:
    """It is told as what it looks like from outside."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    host = Host(house, here)
    here.firewall(f"tcp dport {host.invite.port} {rule}")
    assert why_not_there(there) == code


def test_a_found_host_on_another_subnet(networks: Networks, house: House) -> None:
    """Its announcement is heard on the same wire, but no packet would get there."""
    here, there = host_and_guest(networks, "10.77.0.5/24", "10.78.0.6/24")
    Host(house, here)
    assert why_not_there(there) == "found_elsewhere"
