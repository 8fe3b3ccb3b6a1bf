"""The server as a whole: it starts complete or not at all, and ends completely."""

from __future__ import annotations

import errno
import queue
import socket
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chat_server import service
from chat_server.identity import load_identity
from chat_server.invite_publisher import InvitePublisher
from chat_server.options import parse_options
from chat_server.rules.sanctions import Sanction, SanctionKind
from chat_server.rules.view import InviteRenewed, ViewEvent
from chat_server.service import PortBusyError, Server, StartError
from chat_server.store.sqlite.errors import unusable
from chat_server.store.sqlite.store import SqliteStore
from chat_server.store.store import StoreFullError
from common.domain.invite import parse_invite
from common.protocol.messages import (
    CreateInvite,
    Error,
    InviteCreated,
    InviteLink,
    NewInvite,
    Terminate,
    ToClient,
)


def server(folder: Path, *arguments: str) -> Server:
    """A server on loopback and any free port."""
    options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0", *arguments])
    shown: list[ViewEvent] = []
    return Server(options, folder, shown.extend)


@pytest.mark.parametrize("arguments", [(), ("--plaintext",)], ids=["tls", "plaintext"])
def test_a_started_server_tells_how_to_reach_it(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """The invite leads to it; after a restart it is the same server under the same name."""
    fingerprints: set[bytes | None] = set()
    for extra in (("--name", "Our home"), ()):
        house = server(tmp_path / "new" / "folder", *arguments, *extra)
        running = house.start()
        invite = parse_invite(running.invite)
        assert (invite.server_name, invite.port) == ("Our home", running.port)
        assert invite.hosts == running.addresses == ("127.0.0.1",)
        assert running.fingerprint == (invite.fingerprint or b"").hex()
        with socket.create_connection(("127.0.0.1", running.port), timeout=10):
            pass
        house.stop()
        fingerprints.add(invite.fingerprint)
    assert len(fingerprints) == 1
    assert (fingerprints == {None}) == bool(arguments)


def test_stopping_ends_every_thread_and_frees_port_and_folder(tmp_path: Path) -> None:
    """Twice is harmless, and the next server can start in its place at once."""
    before = threading.active_count()
    first = server(tmp_path)
    port = first.start().port
    replies: queue.SimpleQueue[ToClient] = queue.SimpleQueue()
    session = first.host_session()
    session.ask(lambda number: Terminate(id=number, connection=99), replies.put)
    reply = replies.get(timeout=10)
    assert isinstance(reply, Error)
    assert reply.code == "no_such_client"
    first.stop()
    first.stop()
    assert threading.active_count() == before
    assert not (tmp_path / "chat.db-wal").exists()
    second = server(tmp_path)
    assert second.start(port).port == port
    second.stop()


class Quick(Server):
    """A server that is asked for an invite as soon as that is possible, and at its end."""

    def __init__(self, folder: Path) -> None:
        options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0"])
        super().__init__(options, folder, lambda _: None)
        self.made: list[ToClient] = []

    def ask(self) -> None:
        """Make an invite; the answer has come when this returns."""
        replies: queue.SimpleQueue[ToClient] = queue.SimpleQueue()
        self.host_session().ask(lambda number: CreateInvite(id=number), replies.put)
        self.made.append(replies.get(timeout=10))

    def _start_ctl(self) -> None:
        super()._start_ctl()
        self.ask()
        stop = self._ctl.stop

        def ask_and_stop() -> None:
            self.ask()
            stop()

        self._ctl.stop = ask_and_stop  # type: ignore[method-assign]  # for this test


def test_an_invite_has_a_link_whenever_it_is_made(tmp_path: Path) -> None:
    """Its secret is told there and nowhere else: before the server runs, and while it ends."""
    quick = Quick(tmp_path)
    running = quick.start()
    quick.stop()
    assert len(quick.made) == 2
    for made in quick.made:
        assert isinstance(made, InviteCreated)
        assert parse_invite(made.link).place == parse_invite(running.invite).place


def test_a_busy_port_is_told_and_another_one_may_be_tried(tmp_path: Path) -> None:
    """The same server starts on another port as if nothing had happened."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        house = server(tmp_path)
        with pytest.raises(PortBusyError, match="another --port"):
            house.start(busy.getsockname()[1])
        house.start(0)
        house.stop()


def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second is told why, and starts once the first has ended."""
    first, second = server(tmp_path), server(tmp_path)
    first.start()
    with pytest.raises(StartError, match="another ChatServer"):
        second.start()
    first.stop()
    second.start()
    second.stop()


def _no_folder(folder: Path, _: pytest.MonkeyPatch) -> None:
    folder.write_text("a file")


def _foreign_database(folder: Path, _: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / "chat.db").write_bytes(b"a diary " * 999)


def _damaged_identity(folder: Path, _: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / "server.pem").write_bytes(b"nonsense")


def _damaged_key(folder: Path, _: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    load_identity(folder)
    path = folder / "server.pem"
    path.write_bytes(path.read_bytes().partition(b"-----BEGIN CERT")[1] + path.read_bytes()[300:])


def _failing_store(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreFullError("database or disk is full")

    monkeypatch.setattr(service, "_load_or_create", fail)


def _no_descriptors(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    # Last of all, when every thread runs.
    monkeypatch.setattr(service, "reachable_addresses", fail)


@pytest.mark.parametrize(
    "obstacle",
    [
        _no_folder,
        _foreign_database,
        _damaged_identity,
        _damaged_key,
        _failing_store,
        _no_descriptors,
    ],
)
def test_a_server_that_can_not_start_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: object
) -> None:
    """One sentence, no thread, no listening socket, no lock."""
    assert callable(obstacle)
    folder = tmp_path / "data"
    obstacle(folder, monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    before = threading.active_count()
    with pytest.raises(StartError, match=r"."):
        server(folder).start(port)
    assert threading.active_count() == before
    with socket.create_server(("127.0.0.1", port)):
        pass
    if folder.is_dir():
        (folder / "chat.db").unlink(missing_ok=True)
        (folder / "server.pem").unlink(missing_ok=True)
        monkeypatch.undo()
        again = server(folder)
        again.start()
        again.stop()


def test_a_damaged_page_is_not_called_a_folder(tmp_path: Path) -> None:
    """The database is named, and what to do; the folder can be written."""
    first = server(tmp_path)
    first.start()
    first.stop()
    database = tmp_path / "chat.db"
    content = bytearray(database.read_bytes())
    assert len(content) > 3 * 4096
    content[4096:] = b"\xa5" * (len(content) - 4096)
    database.write_bytes(content)
    with pytest.raises(StartError, match=r"chat\.db is damaged .*restore it from a backup"):
        server(tmp_path).start()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (sqlite3.SQLITE_CORRUPT | 1 << 8, "is damaged"),
        (sqlite3.SQLITE_NOTADB, "is damaged"),
        (sqlite3.SQLITE_BUSY, "in use by another program"),
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_READONLY | 8 << 8, "can't be written"),
        (sqlite3.SQLITE_IOERR, "can't be opened"),
    ],
)
def test_what_is_wrong_with_a_database_is_said(code: int, said: str) -> None:
    """By SQLite's code, whatever its words."""
    error = sqlite3.OperationalError("words")
    error.sqlite_errorcode = code
    assert said in str(unusable(Path("chat.db"), error))
    assert "can't be opened" in str(unusable(Path("chat.db"), OSError("gone")))


def test_a_planted_link_stops_the_start(tmp_path: Path) -> None:
    """One sentence that names it."""
    (tmp_path / "log.txt").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StartError, match=r"its log\.txt is a link"):
        server(tmp_path).start()
    assert not (tmp_path / "elsewhere").exists()


def test_a_start_deletes_the_bans_that_have_ended(tmp_path: Path) -> None:
    """Those that hold stay, as does what was done."""
    house = server(tmp_path)
    house.start()
    house.stop()
    store = SqliteStore(tmp_path / "chat.db")
    with store.transaction():
        for until in (1, None):
            store.add_sanction(
                Sanction(0, SanctionKind.BAN, None, frozenset(), "x", until, "", "(host)", 0)
            )
        store.add_audit(0, "(host)", "ban", {})
    store.close()
    house = server(tmp_path)
    house.start()
    house.stop()
    with closing(sqlite3.connect(tmp_path / "chat.db")) as database:
        assert database.execute("SELECT until FROM sanctions").fetchall() == [(None,)]
        assert database.execute("SELECT count(*) FROM audit").fetchone() == (1,)


def test_the_invite_is_the_one_that_was_committed_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """However slow the thread is that tells an earlier one, and whatever a batch is about to do."""
    shown: queue.SimpleQueue[Sequence[ViewEvent]] = queue.SimpleQueue()
    options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0", "--plaintext"])
    house = Server(options, tmp_path, shown.put)
    told, late = threading.Event(), threading.Event()
    update = InvitePublisher.update

    def slow_once(publisher: InvitePublisher, **facts: Any) -> None:
        if not told.is_set():
            told.set()
            assert late.wait(10)
        update(publisher, **facts)

    house.start()
    request.addfinalizer(house.stop)
    monkeypatch.setattr(InvitePublisher, "update", slow_once)
    session = house.host_session()
    replies: queue.SimpleQueue[ToClient] = queue.SimpleQueue()
    for _ in range(2):
        session.ask(lambda number: NewInvite(id=number), replies.put)
        while InviteRenewed() not in shown.get(timeout=10):
            pass
        assert told.wait(10)
    links = [replies.get(timeout=10) for _ in range(2)]
    # The slow one has facts that are old by now; and the next batch has not been committed.
    committed = house._world.facts
    house._world.facts = replace(committed, secret="x" * 22)
    publishing = [each for each in threading.enumerate() if each.name == "publish"]
    for thread in publishing[1:]:
        thread.join(0.2)  # without one lock for all it ends here
    late.set()
    for thread in publishing:
        thread.join(10)
    house._world.facts = committed
    assert house.running is not None
    assert [house.running.invite] == [
        each.link for each in links[1:] if isinstance(each, InviteLink)
    ]
