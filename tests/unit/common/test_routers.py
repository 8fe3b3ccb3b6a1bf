"""The router's address, from what each system tells of its routes."""

from __future__ import annotations

import sys

import pytest

from common.system import routers as module
from common.system.routers import of_listing, of_table, routers

_LINUX = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\tFEB2A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
damaged
eth1\tx\ty\tz\t0\t0\t-\t0\t0\t0\t0
"""
_MACOS = """Routing tables

Internet:
Destination        Gateway            Flags           Netif Expire
default            192.168.178.1      UGScg             en0
default            link#18            UCSIg       bridge100      !
127                127.0.0.1          UCS               lo0
192.168.178        link#11            UCS               en0      !
"""
_WINDOWS = """===========================================================================
IPv4 Route Table
===========================================================================
Active Routes:
Network Destination        Netmask          Gateway       Interface  Metric
          0.0.0.0          0.0.0.0      192.168.1.1    192.168.1.23     35
          0.0.0.0          0.0.0.0         On-link         10.8.0.2     55
===========================================================================
Persistent Routes:
  None
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the table is that of such a computer")
def test_the_table_of_linux() -> None:
    """The router of the route with the least metric first; routes without one have none."""
    assert list(of_table(_LINUX)) == ["10.0.0.1", "192.168.178.254"]
    assert list(of_table("")) == []


@pytest.mark.parametrize(
    ("listing", "found"),
    [(_MACOS, ["192.168.178.1"]), (_WINDOWS, ["192.168.1.1"]), ("", []), ("default 999.1.1.1", [])],
)
def test_what_other_systems_print(listing: str, found: list[str]) -> None:
    """Only addresses count."""
    assert list(of_listing(listing)) == found


def test_a_system_that_tells_nothing_has_no_router(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a file nor a program has to be there."""
    monkeypatch.setattr(module, "_COMMANDS", {sys.platform: ("/no/such/program",)})
    assert routers() == []
    monkeypatch.setattr(module, "_COMMANDS", {sys.platform: (sys.executable, "-c", "print(1)")})
    assert routers() == []
