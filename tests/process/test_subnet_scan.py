"""A chat that multicast DNS can't find is found by trying each address, on real networks."""

from __future__ import annotations

import ipaddress
import json
import sys
from collections.abc import Iterator

import pytest

from common.domain.dns_sd import PORT
from common.limits import DEFAULT_PORT
from tests.process import networks as module
from tests.process.harness import House
from tests.process.host_and_guest import Host, host_and_guest
from tests.process.networks import NEEDS_NFT, Computer, Networks, some_networks

if WHY_NOT := module.why_not():
    pytest.skip(WHY_NOT, allow_module_level=True)

NEAR = ipaddress.ip_network("10.77.0.0/24")
_IGMP, _TCP = 2, 6
_SCAN = """
import json, threading, time
from chat_client.net.subnet_scan import SubnetScan
seen, told, done = [], [], threading.Event()
def tell(chats, tried):
    told[:] = [[each.name, each.hosts, each.port, each.fingerprint.hex()] for each in chats]
    if tried is not None:
        told.append(tried)
        done.set()
begun = time.monotonic()
scan = SubnetScan(tell)
scan.start()
done.wait(20)
print(json.dumps([told, time.monotonic() - begun]))
"""
_FIND = """
import threading
from chat_client.net.finder import Finder
found = []
finder = Finder(found.extend)
finder.start()
threading.Event().wait(4)
finder.stop()
print(len(found))
"""


@pytest.fixture
def networks() -> Iterator[Networks]:
    """Computers and cables, gone afterwards."""
    with some_networks() as made:
        yield made


def scan(computer: Computer) -> tuple[list[list[object]], int, float]:
    """What is found from there, the number of addresses that were tried, and the seconds."""
    told, seconds = json.loads(computer.run(sys.executable, "-c", _SCAN))
    print(told, f"{seconds:.2f} s")  # noqa: T201 (a figure)
    return told[:-1], told[-1], seconds


@NEEDS_NFT
def test_a_host_whose_firewall_drops_multicast_dns_is_found(
    house: House, networks: Networks
) -> None:
    """By one port, on this network alone, though there is another one behind the other computer."""
    here, there = host_and_guest(networks, "10.77.0.5/23", "10.77.0.200/23")
    here.ip("route add default via 10.77.0.200")
    here.firewall(f"udp dport {PORT} drop", f"udp sport {PORT} drop")
    host = Host(house, there, "--port", str(DEFAULT_PORT))
    assert here.run(sys.executable, "-c", _FIND).strip() == "0"
    sniffer = house.child("sniffer", ["tests.process.sniffer"], under=there.inside)
    sniffer.line()
    found, tried, seconds = scan(here)
    pin = host.invite.fingerprint
    assert pin is not None
    assert found == [["10.77.0.200", ["10.77.0.200"], DEFAULT_PORT, pin.hex()]]
    assert tried == 253
    assert seconds < 10, "three seconds, and what a loaded computer takes"
    packets = [json.loads(line) for line in tuple(sniffer.out)[1:]]
    # Without what the system still says of the groups that the finder has left.
    mine = [each for each in packets if each["from"] == "10.77.0.5" and each["protocol"] != _IGMP]
    assert {(each["protocol"], each["ports"][1]) for each in mine} == {(_TCP, DEFAULT_PORT)}
    assert all(ipaddress.ip_address(each["to"]) in NEAR for each in mine)


def test_where_nobody_hosts_nothing_is_found(networks: Networks) -> None:
    """Nor without a network, at once."""
    here, _ = host_and_guest(networks, "10.77.0.5/24", "10.77.0.6/24")
    found, tried, _ = scan(here)
    assert (found, tried) == ([], 253)
    assert scan(networks.computer())[:2] == ([], 0)
