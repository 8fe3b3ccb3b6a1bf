"""Which of the known chats are there, and that looking costs a bounded number of connections."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from chat_client.accounts import new_account
from chat_client.net import presence_probe as module
from chat_client.net.connector import ConnectError, Outcome
from chat_client.net.loopback import Echo
from chat_client.net.presence_probe import MOST_AT_ONCE, PresenceProbe
from chat_client.state.account import Account
from common.domain.invite import Invite

DEADLINE = 20.0
Done = Callable[[Outcome], object]


def account(number: int, username: str = "ada") -> Account:
    """An account on a server of its own."""
    invite = Invite(("10.0.0.5",), 4000 + number, b"%032d" % number, "s" * 22, "Home")
    return new_account(invite, username, username)


class Told:
    """What the probe told."""

    def __init__(self) -> None:
        self._box: queue.SimpleQueue[Mapping[str, bool]] = queue.SimpleQueue()

    def __call__(self, online: Mapping[str, bool]) -> None:
        """It is told."""
        self._box.put(online)

    def next(self) -> Mapping[str, bool]:
        """The next one."""
        return self._box.get(timeout=DEADLINE)


class Connector:
    """Stands for the connector: a test decides what becomes of each attempt."""

    def __init__(self) -> None:
        self.attempts: queue.SimpleQueue[tuple[int, Done]] = queue.SimpleQueue()
        self.cancelled: list[int] = []

    def __call__(self, invite: Invite, done: Done) -> _Race:
        """An attempt begins."""
        self.attempts.put((invite.port - 4000, done))
        return _Race(self, invite.port - 4000)

    def next(self) -> tuple[int, Done]:
        """The next attempt, and how to end it."""
        return self.attempts.get(timeout=DEADLINE)


class _Race:
    def __init__(self, connector: Connector, number: int) -> None:
        self._connector, self._number = connector, number

    def cancel(self) -> None:
        self._connector.cancelled.append(self._number)


@pytest.fixture
def connector(monkeypatch: pytest.MonkeyPatch) -> Connector:
    """In place of the real one."""
    made = Connector()
    monkeypatch.setattr(module, "connect_in_background", made)
    return made


@pytest.fixture
def probes() -> Iterator[list[PresenceProbe]]:
    """Those of a test, stopped afterwards."""
    made: list[PresenceProbe] = []
    yield made
    for probe in made:
        probe.stop()


def started(probes: list[PresenceProbe], *accounts: Account) -> tuple[PresenceProbe, Told]:
    """A probe that has begun."""
    told = Told()
    probe = PresenceProbe(accounts, told)
    probes.append(probe)
    probe.start()
    return probe, told


def test_a_server_is_there_if_it_proves_its_certificate(probes: list[PresenceProbe]) -> None:
    """Over a real connection; another certificate at the same address does not count."""
    with Echo() as there:
        _, told = started(probes, replace(account(1), invite=there.invite))
        assert list(told.next().values()) == [True]
    with Echo() as other:
        impostor = replace(other.invite, fingerprint=b"f" * 32)
        _, told = started(probes, replace(account(2), invite=impostor))
        assert list(told.next().values()) == [False]


def test_each_server_is_asked_once_for_all_of_its_accounts(
    connector: Connector, probes: list[PresenceProbe]
) -> None:
    """And each answer is told when it comes."""
    ada, bob, other = account(1), account(1, "bob"), account(2)
    _, told = started(probes, ada, bob, other)
    attempts = dict(connector.next() for _ in range(2))
    attempts[2](ConnectError([]))
    assert told.next() == {other.key: False}
    attempts[1](ConnectError([]))
    assert told.next() == {ada.key: False, bob.key: False}
    assert connector.attempts.empty()


def test_few_are_asked_at_once(connector: Connector, probes: list[PresenceProbe]) -> None:
    """The next one when another one has been answered; those that still run are cancelled."""
    probe, told = started(probes, *(account(number) for number in range(30)))
    running = [connector.next() for _ in range(MOST_AT_ONCE)]
    assert connector.attempts.empty()
    running[3][1](ConnectError([]))
    told.next()
    assert connector.next()[0] == MOST_AT_ONCE
    probe.stop()
    assert sorted(connector.cancelled) == [0, 1, 2, 4, 5, 6, 7, 8]
    running[0][1](ConnectError([]))
    assert told._box.empty()


def test_it_is_repeated_but_not_for_what_was_found(
    connector: Connector, probes: list[PresenceProbe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discovery tells of those sooner, and at no cost."""
    monkeypatch.setattr(module, "INTERVAL", 0.001)
    probe, told = started(probes, account(1), account(2))
    for _ in range(2):
        number, done = connector.next()
        if number == 1:
            probe.skip([b"%032d" % 1])
        done(ConnectError([]))
        told.next()
    for _ in range(3):
        number, done = connector.next()
        assert number == 2
        done(ConnectError([]))
        told.next()


def test_it_may_be_stopped_before_it_starts_and_by_what_it_tells(connector: Connector) -> None:
    """As a window does that is closed at once."""
    PresenceProbe([account(1)], lambda _: None).stop()
    stopped = threading.Event()

    def tell(_: Mapping[str, bool]) -> None:
        probe.stop()
        stopped.set()

    probe = PresenceProbe([account(1)], tell)
    probe.start()
    connector.next()[1](ConnectError([]))
    assert stopped.wait(DEADLINE)
    probe.stop()
