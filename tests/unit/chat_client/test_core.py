"""The core's thread: what comes too late for it."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from chat_client import core
from chat_client.accounts import new_account
from chat_client.cache.cache import Cache
from chat_client.net.connector import Outcome
from chat_client.state import controller
from chat_client.state.suspension import SuspensionDetector
from common.domain.invite import Invite
from common.protocol.codec import ServerEnd
from common.protocol.messages import Hello
from common.system.transport import Transport

Connectors = queue.SimpleQueue[Callable[[Outcome], None]]


@pytest.fixture
def connectors(monkeypatch: pytest.MonkeyPatch) -> Connectors:
    """What a connector would call when it is done; none is started."""
    held: Connectors = queue.SimpleQueue()
    monkeypatch.setattr(core, "connect_in_background", lambda _, done, *__: held.put(done))
    return held


def ended_core() -> core.Core:
    """A core that was stopped as soon as it had begun."""
    invite = Invite(("127.0.0.1",), 1, None, "k" * 22, "a server")
    ended = core.Core(new_account(invite, "ada", "Ada"), Cache(None), lambda _: None)
    ended.start()
    return ended


@pytest.mark.parametrize("late", [True, False])
def test_a_connection_made_too_late_is_closed(connectors: Connectors, late: bool) -> None:
    """Whoever closes the window while it connects leaves no connection open behind it."""
    ended = ended_core()
    done = connectors.get()
    ours, theirs = socket.socketpair()
    with theirs:
        if not late:
            ended._stopping = True  # not woken yet: it will find both at once
            done(Transport(ours))
        ended.stop()
        if late:
            done(Transport(ours))
        assert ours.fileno() == -1
        assert theirs.recv(1) == b""


def test_the_core_ends_while_it_connects() -> None:
    """However long the network would have let it wait; nothing is under way any more."""
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = silent.getsockname()[1]
        invite = Invite(("127.0.0.1",), port, b"f" * 32, "k" * 22, "a server")
        connecting = core.Core(new_account(invite, "ada", "Ada"), Cache(None), lambda _: None)
        connecting.start()
        peer = stack.enter_context(silent.accept()[0])
        connecting.stop()
        assert "connector" not in {thread.name for thread in threading.enumerate()}
        while peer.recv(4096):
            pass  # what was sent of a handshake; then it is over


def test_a_suspension_is_noticed(monkeypatch: pytest.MonkeyPatch, connectors: Connectors) -> None:
    """The wall clock went on by itself: the controller is told, at the next turn."""
    told: queue.SimpleQueue[float] = queue.SimpleQueue()
    monkeypatch.setattr(controller.Controller, "resumed", lambda _, now: told.put(now))
    running = ended_core()
    try:
        connectors.get()
        running._suspension = SuspensionDetector(time.time() - 3600, time.monotonic())
        running.connect_now()  # any turn will do
        assert told.get(timeout=20) > 0
    finally:
        running.stop()
    assert told.empty(), "it was told twice of one suspension"


@pytest.mark.parametrize(("follow", "capabilities"), [(None, ("presence",)), ({"general"}, ())])
def test_only_a_window_wants_to_hear_who_comes_and_goes(
    follow: set[str] | None, capabilities: tuple[str, ...]
) -> None:
    """A script that follows a room has no use for it; the hello says so."""
    invite = Invite(("127.0.0.1",), 1, None, "k" * 22, "a server")
    made = core.Core(new_account(invite, "ada", "Ada"), Cache(None), lambda _: None, follow=follow)
    made._controller.connected(0.0)
    (hello,) = ServerEnd().receive(made._controller.take_frames())
    assert isinstance(hello, Hello)
    assert hello.capabilities == capabilities
    made.start()
    made.stop()
