"""An invite's addresses are tried side by side, over real sockets on loopback addresses."""

from __future__ import annotations

import errno
import os
import queue
import socket
import ssl
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.net import connector
from chat_client.net.connector import ConnectError, Race, connect, in_order
from chat_client.state.attempts import (
    Attempt,
    Failure,
    is_wrong_server,
    worth_telling,
)
from chat_client.status_text import describe_attempt
from chat_server.identity import Identity, load_identity
from common.domain.invite import Invite
from common.system.interfaces import InterfaceAddress
from common.system.tls import server_context
from common.system.transport import Transport

DEADLINE = 20.0
FOR_EVER = 1000.0

if sys.platform == "darwin":
    pytest.skip("there 127.0.0.1 is the only loopback address", allow_module_level=True)


@cache
def identity(_which: str) -> Identity:
    """A server's key, made once."""
    return load_identity(Path(mkdtemp()))


class Network:
    """Servers of several kinds, all on one port, each at a loopback address of its own."""

    def __init__(self) -> None:
        self._held: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._next = 1
        # Kept as long as this network is there, so that no other program gets the port.
        kept = socket.socket()
        self._held.append(kept)
        kept.bind(("127.0.0.1", 0))
        self.port: int = kept.getsockname()[1]

    def right(self) -> str:
        """The server of the invite."""
        return self._serve(server_context(identity("right").path))

    def wrong(self) -> str:
        """Another server."""
        return self._serve(server_context(identity("wrong").path))

    def talker(self) -> str:
        """Something that speaks another protocol."""
        return self._serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    def rude(self) -> str:
        """Something that hangs up at once."""
        return self._serve(b"")

    def silent(self) -> str:
        """A program that was stopped: the system accepts for it, and nothing ever comes."""
        return self._listen()[0]

    def dead(self) -> str:
        """Nothing ever comes back, as from behind a firewall that drops."""
        address, _ = self._listen(0)
        for _ in range(8):  # until the queue is full, and the kernel drops what comes
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((address, self.port))
            self._held.append(filler)
        return address

    def closed(self) -> str:
        """A computer on which nothing listens."""
        self._next += 1
        return f"127.0.0.{self._next}"

    def invite(self, *hosts: str) -> Invite:
        """An invite of the right server."""
        return Invite(hosts, self.port, identity("right").fingerprint, "s" * 22, "Home")

    def close(self) -> None:
        """End all of it."""
        for held in self._held:
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
            held.close()
        for thread in self._threads:
            thread.join(DEADLINE)
            assert not thread.is_alive()

    def _listen(self, backlog: int = 50) -> tuple[str, socket.socket]:
        address = self.closed()
        listening = socket.create_server((address, self.port), backlog=backlog)
        self._held.append(listening)
        return address, listening

    def _serve(self, what: ssl.SSLContext | bytes) -> str:
        address, listening = self._listen()

        def serve() -> None:
            while True:
                try:
                    peer, _ = listening.accept()
                except OSError:
                    return
                peer.settimeout(DEADLINE)
                with peer, suppress(OSError):
                    if isinstance(what, bytes):
                        if what:
                            peer.recv(1)
                            peer.sendall(what)
                        continue
                    with what.wrap_socket(peer, server_side=True) as secured:
                        while secured.recv(1024):
                            pass

        self._threads.append(threading.Thread(target=serve))
        self._threads[-1].start()
        return address


class _Runner(connector._Runner):
    """A connection under way, noted."""

    made: ClassVar[list[connector._Runner]] = []

    def __init__(
        self, host: str, address: connector._Address, context: ssl.SSLContext | None, until: float
    ) -> None:
        super().__init__(host, address, context, until)
        self.made.append(self)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A network whose servers are gone afterwards; no connector and no connection is left."""
    monkeypatch.setattr(connector, "_Runner", _Runner)
    _Runner.made.clear()
    made = Network()
    try:
        yield made
    finally:
        made.close()
    assert "connector" not in {thread.name for thread in threading.enumerate()}
    assert [runner.host for runner in _Runner.made if runner.transport.socket.fileno() != -1] == []


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is given up and nothing follows by the passing of time."""
    monkeypatch.setattr(connector, "CONNECT_DEADLINE", FOR_EVER)
    monkeypatch.setattr(connector, "HANDSHAKE_DEADLINE", FOR_EVER)
    monkeypatch.setattr(connector, "STAGGER", FOR_EVER)


def failures(outcome: connector.Outcome) -> list[Failure]:
    """What came of each address."""
    assert isinstance(outcome, ConnectError)
    return [attempt.failure for attempt in outcome.attempts]


def reached(outcome: connector.Outcome) -> str:
    """The address of the connection that was made; it is closed."""
    assert isinstance(outcome, Transport), outcome
    with outcome.socket as connection:
        return str(connection.getpeername()[0])


def leads_to(outcome: connector.Outcome, address: str) -> None:
    """The outcome is a proven connection to that address, ready for the core."""
    assert isinstance(outcome, Transport), outcome
    assert outcome.is_secure
    with outcome.socket as connection:
        assert connection.getpeername()[0] == address
        assert not connection.getblocking()


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("kinds", [["dead"] * 2, ["silent"] * 3, ["dead", "silent", "wrong"]])
def test_what_does_not_answer_holds_nothing_up(
    network: Network, monkeypatch: pytest.MonkeyPatch, kinds: Sequence[str]
) -> None:
    """The right one is reached beside those in front of it, which are closed then."""
    monkeypatch.setattr(connector, "STAGGER", 0.001)
    hosts = [getattr(network, kind)() for kind in kinds]
    right = network.right()
    leads_to(connect(network.invite(*hosts, right)), right)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("kind", ["closed", "wrong", "talker", "rude"])
def test_what_fails_at_once_is_followed_at_once(network: Network, kind: str) -> None:
    """The next address then need not wait for its turn."""
    hosts = [getattr(network, kind)() for _ in range(3)]
    right = network.right()
    leads_to(connect(network.invite(*hosts, right)), right)


@pytest.mark.parametrize("other", ["closed", "dead", "talker", "rude"])
@pytest.mark.parametrize("first", [True, False])
def test_a_wrong_server_is_told_whatever_the_others_do(
    network: Network, monkeypatch: pytest.MonkeyPatch, other: str, first: bool
) -> None:
    """Neither its place nor an address that says nothing hides it."""
    monkeypatch.setattr(connector, "CONNECT_DEADLINE", 0.1)
    hosts = [network.wrong(), getattr(network, other)()]
    outcome = connect(network.invite(*(hosts if first else reversed(hosts))))
    assert isinstance(outcome, ConnectError)
    assert is_wrong_server(outcome.attempts)


def test_each_address_is_told_apart(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, in the invite's order, with what happened; each makes a clause of its own."""
    monkeypatch.setattr(connector, "CONNECT_DEADLINE", 0.1)
    kinds = {
        "closed": Failure.REFUSED,
        "wrong": Failure.WRONG_SERVER,
        "talker": Failure.NO_TLS,
        "rude": Failure.BROKE_OFF,
        "dead": Failure.TIMED_OUT,
    }
    hosts = [getattr(network, kind)() for kind in kinds]
    outcome = connect(network.invite(*hosts, hosts[0]))
    assert failures(outcome) == list(kinds.values())
    assert isinstance(outcome, ConnectError)
    assert [attempt.address for attempt in outcome.attempts] == hosts
    clauses = {describe_attempt(attempt).partition(" ")[2] for attempt in outcome.attempts}
    assert len(clauses) == len(kinds)
    monkeypatch.setattr(connector, "HANDSHAKE_DEADLINE", 0.05)
    assert failures(connect(network.invite(network.silent()))) == [Failure.TIMED_OUT]


def test_no_network_is_told(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system says of an address reaches the person."""
    codes = {
        "192.0.2.1": (errno.ENETUNREACH, Failure.NO_ROUTE),
        "192.0.2.2": (errno.EHOSTUNREACH, Failure.NO_HOST),
        "192.0.2.3": (errno.EPERM, Failure.FAILED),
        "192.0.2.4": (errno.EMFILE, Failure.FAILED),
    }
    real = socket.socket.connect_ex

    def connect_ex(sock: socket.socket, address: tuple[str, int]) -> int:
        code, _ = codes.get(address[0], (0, None))
        return code or real(sock, address)

    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex)
    outcome = connect(network.invite(*codes))
    assert failures(outcome) == [failure for _, failure in codes.values()]
    assert isinstance(outcome, ConnectError)
    assert os.strerror(errno.EPERM) in describe_attempt(outcome.attempts[2])
    right = network.right()
    leads_to(connect(network.invite(*codes, right)), right)


@pytest.mark.usefixtures("patient")
def test_only_names_are_looked_up(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address is none; a name's lookup holds nobody up, and its answer joins the race."""
    right, asked, answer = network.right(), [], threading.Event()

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        assert answer.wait(DEADLINE)
        if host == "nowhere.test":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (right, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    leads_to(connect(network.invite(right, "::1", "fe80::1", "fe80::1%lo")), right)
    assert asked == []
    leads_to(connect(network.invite("slow.test", right)), right)
    assert asked == ["slow.test"]
    answer.set()
    leads_to(connect(network.invite("nowhere.test", network.closed(), "there.test")), right)
    assert failures(connect(network.invite("nowhere.test"))) == [Failure.NO_NAME]
    monkeypatch.undo()
    assert failures(connect(network.invite("a..b"))) == [Failure.NO_NAME]  # no name at all


@pytest.mark.parametrize("other", ["closed", "rude"])
@pytest.mark.parametrize("first", [True, False])
def test_of_a_names_addresses_the_most_telling_counts(
    network: Network, monkeypatch: pytest.MonkeyPatch, other: str, first: bool
) -> None:
    """Another server behind one of them is not hidden by what the rest say, or do not."""
    hosts = [network.wrong(), getattr(network, other)()]
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, network.port))
        for host in (hosts if first else reversed(hosts))
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    outcome = connect(network.invite("there.test"))
    assert failures(outcome) == [Failure.WRONG_SERVER]


@pytest.mark.usefixtures("patient")
def test_a_race_can_be_called_off(network: Network) -> None:
    """Whatever it waits for: nothing is open when `cancel` returns, and nobody is told."""
    told: list[connector.Outcome] = []
    invite = network.invite(network.dead(), network.silent(), network.dead())
    for _ in range(3):
        race = Race(invite)
        race.start(told.append)
        race.cancel()
        race.cancel()
    assert told == []


def test_without_descriptors_it_is_an_outcome(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why, and is no exception that would end the core."""
    full = OSError(errno.EMFILE, "Too many open files")

    def fail(*_: object) -> None:
        raise full

    monkeypatch.setattr(connector, "Waker", fail)
    told: list[connector.Outcome] = []
    invite = network.invite("192.0.2.1", "192.0.2.2")
    assert connector.connect_in_background(invite, told.append) is None
    for outcome in (*told, connect(invite)):
        assert failures(outcome) == [Failure.FAILED] * 2
        assert "Too many open files" in str(outcome)
    assert len(told) == 1


def test_a_link_local_address_is_tried_on_every_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sender can't know our names for links; what it may cost is bounded."""
    links = [(index, f"eth{index}") for index in range(1, 100)]
    monkeypatch.setattr(connector, "_interfaces", lambda: links)
    targets = connector._targets("fe80::1", 5)
    assert targets[:2] == [("fe80::1", ("fe80::1", 5, 0, 1)), ("fe80::1", ("fe80::1", 5, 0, 2))]
    assert len(targets) == connector.MOST_SCOPES
    # Somebody else's name for a link is none of ours.
    assert len(connector._targets("fe80::1%en0", 5)) == connector.MOST_SCOPES
    for zone in ("7", "eth7"):
        assert connector._targets(f"fe80::1%{zone}", 5) == [
            (f"fe80::1%{zone}", ("fe80::1", 5, 0, 7))
        ]
    # Nor is one that is encoded for a URI (RFC 6874).
    for zone in ("257", "25eth7", "07"):
        assert len(connector._targets(f"fe80::1%{zone}", 5)) == connector.MOST_SCOPES
    assert connector._targets("169.254.0.1", 5) == [("169.254.0.1", ("169.254.0.1", 5))]


def test_the_links_to_other_computers_are_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dozens of bridges for containers, and what is down, leave no room for them else."""
    names = [(index, f"if{index}") for index in range(1, 100)]
    monkeypatch.setattr(socket, "if_nameindex", lambda: names)
    there = [InterfaceAddress("172.17.0.1", index, False, inner=True) for index in range(2, 90)]
    there += [InterfaceAddress("fe80::9", index, False) for index in (97, 95)]
    monkeypatch.setattr(connector, "interface_addresses", lambda: there)
    indices = [address[3] for _, address in connector._targets("fe80::1", 5) if len(address) == 4]
    assert indices == [95, 97, *range(1, connector.MOST_SCOPES - 1)]


def test_families_take_turns() -> None:
    """What is only for one link, or for one computer, comes last."""
    hosts = ("127.0.0.1", "192.0.2.1", "fe80::1", "192.0.2.2", "192.0.2.3", "2001:db8::1")
    assert in_order(hosts) == [
        *("192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3", "127.0.0.1", "fe80::1"),
    ]
    assert in_order(("fd00::1", "10.0.0.1", "fd00::2")) == ["fd00::1", "10.0.0.1", "fd00::2"]
    assert in_order(("::1",)) == ["::1"]


@given(st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2", "::1", "fe80::9"])))
def test_the_order_loses_nothing(hosts: list[str]) -> None:
    """Every address once, and those of a family as the invite has them."""
    order = in_order(hosts)
    assert sorted(order) == sorted(set(hosts))
    for ours in (["10.0.0.1", "10.0.0.2"], ["fd00::1", "fd00::2"]):
        given_order = [host for host in dict.fromkeys(hosts) if host in ours]
        assert [host for host in order if host in ours] == given_order


def test_what_is_worth_telling() -> None:
    """Not the loopback address of every invite, nor networks that this computer is not on."""

    def told(**failures: Failure) -> list[str]:
        names = {"lo": "127.0.0.1", "lan": "192.0.2.1", "vpn": "10.8.0.1"}
        attempts = [Attempt(names[name], 1, failure) for name, failure in failures.items()]
        return [attempt.address for attempt in worth_telling(attempts)]

    refused, away = Failure.REFUSED, Failure.NO_ROUTE
    assert told(lan=refused, vpn=away, lo=refused) == ["192.0.2.1"]
    assert told(lan=away, vpn=away, lo=refused) == ["192.0.2.1", "10.8.0.1"]
    assert told(lo=refused) == ["127.0.0.1"]
    assert told() == []


def test_this_computers_own_server_is_no_impostor() -> None:
    """A guest who hosts a chat too has it at the loopback address that is in every invite."""
    own = Attempt("127.0.0.1", 1, Failure.WRONG_SERVER)
    away = Attempt("192.0.2.1", 1, Failure.TIMED_OUT)
    other = Attempt("192.0.2.1", 1, Failure.WRONG_SERVER)
    assert not is_wrong_server([away, own])
    assert is_wrong_server([other, own])
    assert is_wrong_server([own])
    assert not is_wrong_server([])
    bridge = Attempt("172.17.0.1", 1, Failure.WRONG_SERVER, here=True)
    assert not is_wrong_server([away, bridge, own])
    assert is_wrong_server([bridge])
    assert worth_telling([away, bridge, own]) == [away]
    assert worth_telling([bridge, own]) == [bridge, own]


@pytest.mark.usefixtures("patient")
def test_where_a_server_was_found_is_tried_first(network: Network) -> None:
    """Before the addresses of the invite, at a port of its own."""
    right, found = network.right(), network.right()
    race = Race(network.invite(right), found=[(found, network.port)])
    assert reached(race.run()) == found


@pytest.mark.usefixtures("patient")
def test_a_place_that_is_found_later_is_tried_at_once(network: Network) -> None:
    """Whatever holds up the others; a second time it is not."""
    hosts = [network.silent(), network.dead()]
    right = network.right()
    race = Race(network.invite(*hosts))
    told: queue.SimpleQueue[connector.Outcome] = queue.SimpleQueue()
    race.start(told.put)
    for _ in range(3):
        race.add([(right, network.port)])
    assert reached(told.get(timeout=DEADLINE)) == right


@pytest.mark.parametrize("kind", ["closed", "wrong", "talker", "rude"])
def test_a_place_that_was_none_is_not_told(network: Network, kind: str) -> None:
    """Anybody may have said so: what becomes of it is neither an attempt nor a wrong server."""
    forged = [(getattr(network, kind)(), network.port) for _ in range(3)]
    race = Race(network.invite(network.closed()), found=forged)
    assert failures(race.run()) == [Failure.REFUSED]
    right = network.right()
    assert reached(Race(network.invite(right), found=forged).run()) == right
