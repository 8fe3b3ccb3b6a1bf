"""Who has to go when too many come that nobody knows."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from chat_server.net.connection import Connection
from chat_server.net.unauthenticated import UnauthenticatedConnections
from common.protocol.codec import ServerEnd


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    """A socket for connections that nothing is done with."""
    with socket.socket() as made:
        yield made


def come(
    strangers: UnauthenticatedConnections, sock: socket.socket, *numbers: int
) -> list[Connection]:
    """New connections."""
    made = [Connection(number, sock, "127.0.0.1", 0.0, ServerEnd()) for number in numbers]
    for connection in made:
        strangers.add(connection)
    return made


def test_the_oldest_silent_one_goes_first(sock: socket.socket) -> None:
    """Whoever sent something stays as long as there is one that did not."""
    strangers = UnauthenticatedConnections(2)
    first, second = come(strangers, sock, 1, 2)
    assert strangers.next_to_evict() is None
    strangers.heard(first)
    (third,) = come(strangers, sock, 3)
    assert strangers.next_to_evict() is second
    strangers.forget(second)
    assert strangers.next_to_evict() is None
    strangers.heard(third)
    come(strangers, sock, 4)
    strangers.heard(come(strangers, sock, 5)[0])
    strangers.forget(third)
    assert strangers.next_to_evict() is first, "the only silent one may have just come"


def test_without_a_silent_one_the_oldest_goes(sock: socket.socket) -> None:
    """Those that stopped in the midst of it make room for those who come now."""
    strangers = UnauthenticatedConnections(1)
    first, second = come(strangers, sock, 1, 2)
    strangers.heard(first)
    strangers.heard(second)
    assert strangers.next_to_evict() is first


def test_whoever_signed_in_is_no_stranger(sock: socket.socket) -> None:
    """They never go, and don't count once that was noticed."""
    strangers = UnauthenticatedConnections(1)
    members = come(strangers, sock, 1, 2, 3)
    for member in members:
        strangers.heard(member)
        member.admitted = True
    assert strangers.next_to_evict() is None
    for member in come(strangers, sock, 4, 5):
        strangers.heard(member)
        member.admitted = True
    strangers.drop_authenticated()
    come(strangers, sock, 6)
    assert strangers.next_to_evict() is None


def test_who_waits_for_the_host_does_not_go(sock: socket.socket) -> None:
    """A flood evicts its own connections, and not those whom the host sees."""
    strangers = UnauthenticatedConnections(1)
    (waiting,) = come(strangers, sock, 1)
    strangers.heard(waiting)
    waiting.may_wait(600, 0.0)
    first, second, third = come(strangers, sock, 2, 3, 4)
    for each in (first, second):
        assert strangers.next_to_evict() is each
        strangers.forget(each)
    strangers.heard(third)
    assert strangers.next_to_evict() is None
