"""The endpoint of command lines: who is let in, and what they are answered."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from chat_server import ctl, ctl_socket
from chat_server.ctl_socket import KEY_BYTES, KEY_FILE, SOCKET, connect
from chat_server.options import parse_options
from chat_server.service import Server
from chat_server.store.store import StoreFullError
from common.frames import FrameDecoder, encode_frame
from common.limits import FRAME_JSON

Captured = pytest.CaptureFixture[str]


@pytest.fixture(params=["a socket", "a port"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """A server that is reached in either way."""
    if request.param == "a port":
        monkeypatch.setattr(ctl_socket, "HAS_UNIX", False)
    monkeypatch.setattr("chat_server.service.sys.setswitchinterval", lambda _: None)
    options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0", "--plaintext"])
    made = Server(options, tmp_path, lambda _: None)
    made.start()
    yield made
    made.stop()
    assert not (tmp_path / KEY_FILE).exists()
    assert not (tmp_path / SOCKET).exists()


def ask(connection: socket.socket, command: dict[str, Any]) -> dict[str, Any]:
    """The reply to a command."""
    connection.sendall(encode_frame(json.dumps(command).encode()))
    decoder = FrameDecoder(FRAME_JSON)
    while True:
        data = connection.recv(65536)
        assert data
        for frame in decoder.frames(data):
            reply: dict[str, Any] = json.loads(frame.body)
            return reply


@pytest.mark.usefixtures("server")
def test_commands_are_answered_one_after_the_other(tmp_path: Path) -> None:
    """With the id that each came with; what is wrong costs only itself."""
    with closing(connect(tmp_path, 10)) as connection:
        status = ask(connection, {"type": "status", "id": 41})
        assert (status["type"], status["re"], status["connections"]) == ("server_status", 41, 0)
        wrong = ask(connection, {"type": "status", "id": 42, "colour": "red"})
        assert (wrong["code"], wrong["field"]) == ("malformed", "colour")
        nobody = ask(connection, {"type": "terminate", "id": 43, "username": "ada"})
        assert (nobody["code"], nobody["re"]) == ("no_such_person", 43)
        join = {"type": "sync", "id": 44, "positions": {"general": 0}}
        assert ask(connection, join)["code"] == "not_allowed"


@pytest.mark.usefixtures("server")
def test_the_key_is_asked_for(tmp_path: Path) -> None:
    """Where there is a port anybody could connect to."""
    file = tmp_path / KEY_FILE
    if not file.exists():
        assert (tmp_path / SOCKET).stat().st_mode & 0o777 == 0o600
        return
    facts = json.loads(file.read_text("ascii"))
    assert len(bytes.fromhex(facts["key"])) == KEY_BYTES == 32
    assert file.stat().st_mode & 0o077 == 0
    for key in (b"x" * KEY_BYTES, bytes.fromhex(facts["key"])[:-1] + b"\0"):
        with closing(socket.create_connection(("127.0.0.1", facts["port"]), 10)) as connection:
            connection.sendall(key + encode_frame(b'{"type":"status","id":1}'))
            with suppress(ConnectionResetError):
                assert connection.recv(100) == b""


@pytest.mark.usefixtures("server")
def test_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the files let in."""
    if not (tmp_path / SOCKET).exists():
        pytest.skip("of a port nobody tells whose process connects")
    monkeypatch.setattr("chat_server.net.endpoints.ctl.is_ours", lambda _: False)
    with closing(connect(tmp_path, 10)) as connection:
        connection.sendall(encode_frame(b'{"type":"status","id":1}'))
        with suppress(ConnectionResetError):
            assert connection.recv(100) == b""


@pytest.mark.usefixtures("errors_logged")
def test_a_full_disk_keeps_nobody_from_asking(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What reads nothing but memory is answered; what writes is refused with the reason."""

    def transaction() -> None:
        raise StoreFullError("no room")

    monkeypatch.setattr(server._store, "transaction", transaction)
    run: Callable[..., int] = lambda *order: ctl.main([*order, "--data-dir", str(tmp_path)])  # noqa: E731 (short)
    assert run("rename", "Garden") == 1
    assert "disk is full" in capsys.readouterr().err
    assert run("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["trouble"] == "disk_full"
    for verb in ("clients", "people", "sanctions", "audit", "invite"):
        assert run(verb) == 0, verb
