"""Trying every address of this network: which ones, how many at once, and that it can be ended."""

from __future__ import annotations

import queue
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from chat_client.net import subnet_scan as module
from chat_client.net.subnet_scan import DEADLINE, MOST_AT_ONCE, MOST_NETWORKS, SubnetScan, targets
from chat_client.state.discovery import FoundChat
from chat_server.options import parse_options
from chat_server.service import Server
from common.domain.invite import parse_invite
from common.system.interfaces import InterfaceAddress

TELL = 20.0
"""Seconds for what comes within three on a computer with nothing else to do."""


def at(
    address: str, prefix: int | None = 24, *, tunnel: bool = False, inner: bool = False
) -> InterfaceAddress:
    """An address of this computer."""
    return InterfaceAddress(address, 2, tunnel, prefix, inner)


def test_all_of_ones_own_network_is_tried_but_oneself() -> None:
    """Neither its first nor its last address, which are nobody's."""
    found = targets([at("10.0.5.7"), at("fe80::5", 64), at("10.0.5.9")])
    assert len(found) == 252
    assert (found[0], found[-1]) == ("10.0.5.1", "10.0.5.254")
    assert not {"10.0.5.7", "10.0.5.9", "10.0.5.0", "10.0.5.255"} & {*found}


@pytest.mark.parametrize(
    ("address", "first", "last", "count"),
    [
        (at("172.16.9.3", 12), "172.16.9.1", "172.16.9.254", 253),
        (at("192.168.1.130", 26), "192.168.1.129", "192.168.1.190", 61),
        (at("10.0.0.1", 31), "10.0.0.0", "10.0.0.0", 1),
        (at("169.254.3.4", 16), "169.254.3.1", "169.254.3.254", 253),
        (at("10.0.0.5", None), "10.0.0.1", "10.0.0.254", 253),
        (at("10.0.0.5", 0), "10.0.0.1", "10.0.0.254", 253),
    ],
)
def test_of_a_large_network_the_part_around(
    address: InterfaceAddress, first: str, last: str, count: int
) -> None:
    """At most 254 addresses; of a small one those that there are."""
    found = targets([address])
    assert (found[0], found[-1], len(found)) == (first, last, count)


@pytest.mark.parametrize(
    "address",
    [
        at("203.0.114.7"), at("8.8.8.8"), at("fd00::7", 64), at("10.0.0.1", 32),
        at("10.8.0.2", tunnel=True), at("172.17.0.1", 16, inner=True),
    ],
)  # fmt: skip
def test_no_other_network_is_tried(address: InterfaceAddress) -> None:
    """Nothing public, nothing behind a VPN, no containers, and IPv6 has too many."""
    assert targets([address]) == []


def test_there_is_a_limit_to_networks() -> None:
    """Whatever this computer is connected to; and one of two interfaces is tried once."""
    many = [at(f"10.0.{number}.7") for number in range(40)]
    assert len(targets(many)) == MOST_NETWORKS * 253
    assert len(targets([at("10.0.0.7"), at("10.0.0.8")])) == 252


@pytest.mark.parametrize("count", [0, 1, 64, 65, 254, MOST_NETWORKS * 254])
def test_all_have_their_turn(count: int) -> None:
    """Also if none of them answers; and a slow wireless network may take a third of a second."""
    rounds = -(-count // MOST_AT_ONCE)
    assert rounds * module._patience(count) < DEADLINE
    assert module._patience(count) > 0.33


class Box:
    """What was told."""

    def __init__(self) -> None:
        self.told: queue.SimpleQueue[tuple[Sequence[FoundChat], int | None]] = queue.SimpleQueue()

    def __call__(self, chats: Sequence[FoundChat], tried: int | None) -> None:
        """It is told."""
        self.told.put((chats, tried))

    def end(self) -> tuple[Sequence[FoundChat], int]:
        """What was found, and how many addresses were tried."""
        while True:
            chats, tried = self.told.get(timeout=TELL)
            if tried is not None:
                return chats, tried


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A chat at one address of the loopback network, all of which is tried."""
    monkeypatch.setattr("chat_server.service.sys.setswitchinterval", lambda _: None)
    options = parse_options(["--headless", "--host", "127.0.0.77", "--port", "0", "--name", "Home"])
    made = Server(options, tmp_path / "server", lambda _: None)
    monkeypatch.setattr(module, "interface_addresses", lambda: [at("127.0.0.1")])
    yield made
    made.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.1 is the whole network")
def test_a_chat_is_found_by_its_certificate(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never more than 64 connections at once; beside it is a service that speaks no TLS."""
    invite = parse_invite(server.start().invite)
    running, most = set[str](), 0

    class Probe(module._Probe):
        def __init__(self, host: str, port: int, until: float) -> None:
            nonlocal most
            super().__init__(host, port, until)
            running.add(host)
            most = max(most, len(running))

    def end(selector: object, probe: Probe) -> None:
        running.remove(probe.host)
        real(selector, probe)  # type: ignore[arg-type]  # it is a selector

    real = module._end
    monkeypatch.setattr(module, "_Probe", Probe)
    monkeypatch.setattr(module, "_end", end)
    box = Box()
    with closing(socket.create_server(("127.0.0.78", invite.port))) as other:
        scan = SubnetScan(box, invite.port)
        scan.start()
        connection, _ = other.accept()
        connection.close()
        chats, tried = box.end()
        scan.stop()
    (chat,) = chats
    assert (chat.fingerprint, chat.hosts, chat.port) == (
        invite.fingerprint, ("127.0.0.77",), invite.port
    )  # fmt: skip
    assert tried == 253
    assert most == MOST_AT_ONCE
    assert not running


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.1 is the whole network")
def test_it_ends_when_it_is_told_to(server: Server) -> None:
    """Though somebody answers nothing: no connection is left, and nothing is told any more."""
    del server
    box = Box()
    with closing(socket.create_server(("127.0.0.78", 0))) as silent:
        scan = SubnetScan(box, silent.getsockname()[1])
        scan.start()
        connection, _ = silent.accept()
        scan.stop()
        scan.stop()
        connection.settimeout(TELL)
        data = connection.recv(1 << 16)
        while data:
            data = connection.recv(1 << 16)
        connection.close()
    assert box.told.empty()
    never = SubnetScan(box)
    never.stop()
    assert box.told.empty()
