"""How connections end, by the host or a shutdown, and how clients reconnect."""

import logging
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from chat_server.options import Options
from chat_server.rules.view import ClientDisconnected, ClientSignedIn, ViewEvent
from chat_server.service import Server as InProcess
from common.domain.invite import parse_invite
from common.protocol.messages import Error, Terminate, ToClient
from tests.process.harness import Client, House, Server, ask_as_host, wait_until
from tests.process.wire import HungUpError, Session


class Host:
    """A server in this process, as the host's window has it, and what it was shown."""

    def __init__(self, folder: Path) -> None:
        self.shown: list[ViewEvent] = []
        options = Options(
            headless=True,
            host="127.0.0.1",
            port=0,
            data_dir=folder,
            name="In process",
            ready_file=None,
            plaintext=False,
            log_level="info",
        )
        self.server = InProcess(options, folder, self._show)
        self.running = self.server.start()

    def connections(self, username: str) -> list[int]:
        """The connections that somebody ever had."""
        return [
            event.connection
            for event in tuple(self.shown)
            if isinstance(event, ClientSignedIn) and event.username == username
        ]

    def gone(self) -> dict[int, str]:
        """The connections that ended, and why."""
        return {
            event.connection: event.why
            for event in tuple(self.shown)
            if isinstance(event, ClientDisconnected)
        }

    def _show(self, events: Sequence[ViewEvent]) -> None:
        self.shown += events


@pytest.fixture
def host(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Host]:
    """A host's server; its threads are gone afterwards, and it met no error."""
    interval = sys.getswitchinterval()
    host = Host(tmp_path / "host")
    yield host
    host.server.stop()
    sys.setswitchinterval(interval)
    left = {thread.name for thread in threading.enumerate()}
    assert not left & {"acceptor", "hub", "io-0", "reader-0", "reader-1"}, left
    errors = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert errors == []


def terminate(host: Host, connection: int, reason: str) -> ToClient:
    """What the host is answered who ends a connection."""
    return ask_as_host(
        host.server,
        lambda number: Terminate(id=number, connection=connection, reason=reason),
    )


def test_a_terminated_client_says_why_and_stays_away(host: Host, house: House) -> None:
    """`listen` ends with status 1 and the host's reason; the others notice nothing."""
    ada, ben = (
        Client(house, house.folder / name, name, host.running.invite) for name in ("ada", "ben")
    )
    hearing, staying = ada.listen(), ben.listen()
    assert hearing.event().kind == staying.event().kind == "join"
    wait_until(lambda: host.connections("ada"), "ada to appear")
    (connection,) = host.connections("ada")
    terminate(host, connection, "Please come back tomorrow")
    assert hearing.status() == 1
    assert [line for line in hearing.err if "Please come back tomorrow" in line] == hearing.err
    assert len(hearing.err) == 1
    assert host.gone() == {connection: "terminated"}
    assert host.connections("ada") == [connection]  # It did not try again.
    ben.send("still here")
    assert staying.texts(1) == ["still here"]
    # Ended is not banned: whoever asks again is let in, and has missed nothing.
    assert hearing.heard[-1].seq <= 2
    assert ada.listen("--count", "1").texts(1) == ["still here"]


def test_terminating_one_session_leaves_the_accounts_others(host: Host, house: House) -> None:
    """The host ends a connection, not a person; a connection that is gone is no matter."""
    client = Client(house, house.folder / "ben", "ben", host.running.invite)
    invite = client.listen("--count", "1")
    assert invite.event().kind == "join"
    with Session(parse_invite(host.running.invite), "ada") as one:
        with Session(parse_invite(host.running.invite), "ada", one.token) as other:
            wait_until(lambda: len(host.connections("ada")) == 2, "both sessions")
            terminate(host, host.connections("ada")[1], "x" * 500)
            goodbye = other.expect_goodbye()
            assert (goodbye.code, goodbye.params) == ("terminated", {"reason": "x" * 500})
            with pytest.raises(HungUpError):
                other.message()
        for gone in (host.connections("ada")[1], 10**9):
            reply = terminate(host, gone, "again")
            assert isinstance(reply, Error)
            assert reply.code == "no_such_client"
        one.say("I am still here")
        assert invite.texts(1) == ["I am still here"]
    assert invite.status() == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_shutdown_is_announced_and_clean(
    house: House, server: Server, how: signal.Signals
) -> None:
    """Goodbye for everyone, status 0, no ready file, no write-ahead log; then it goes on.

    The listener says what happened, comes back by itself, and hears what it missed.
    """
    listener = house.client(server, "ada").listen()
    assert listener.event().kind == "join"
    with Session(server.join, "ben") as ben:
        ben.say("before")
        assert listener.texts(1) == ["before"]
        server.child.process.send_signal(how)
        assert ben.expect_goodbye().code == "server_closing"
        with pytest.raises(HungUpError):
            ben.message()
    assert server.child.status() == 0
    assert not server.ready_file.exists()
    left = {path.name for path in server.data_dir.iterdir()}
    assert not {name for name in left if name.endswith(("-wal", "-shm"))}, left
    said = listener.complaint("trying again")
    assert "the host closed the server" in said
    with closing(sqlite3.connect(server.data_dir / "chat.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    server.start()
    with Session(server.join, "ben", ben.token) as ben:
        ben.say("after")
        assert listener.texts(1) == ["after"]
        assert listener.running
    assert [event.seq for event in listener.heard] == list(range(1, len(listener.heard) + 1))
    assert len([line for line in listener.err if "trying again" in line]) == 1, listener.err


def test_a_shutdown_does_not_wait_for_the_deaf(house: House, server: Server) -> None:
    """Clients that don't hang up, don't read or never shook hands hold it up for seconds only."""
    with (
        Session(server.join, "ada") as ada,
        socket.create_connection((server.join.hosts[0], server.port)),
    ):
        ada.settle()
        server.child.process.send_signal(signal.SIGTERM)
        assert server.child.status(within=8) == 0
    assert house.children == [server.child]


def test_a_second_signal_changes_nothing(house: House, server: Server) -> None:
    """Ctrl+C twice, as people do: still an orderly end."""
    listener = house.client(server, "ada").listen()
    assert listener.event().kind == "join"
    server.child.process.send_signal(signal.SIGINT)
    server.child.process.send_signal(signal.SIGINT)
    server.child.process.send_signal(signal.SIGTERM)
    assert server.child.status() == 0
    assert not server.ready_file.exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_listener_that_is_asked_to_end_ends_well(
    house: House, server: Server, how: signal.Signals
) -> None:
    """Status 0 and nothing on standard error: it listened for as long as it was wanted."""
    ada = house.client(server, "ada")
    listener = ada.listen()
    assert listener.event().kind == "join"
    ada.send("hello")
    assert listener.texts(1) == ["hello"]
    listener.process.send_signal(how)
    assert listener.status() == 0, listener.transcript()
    assert listener.err == []
