"""The endpoint of command lines: who is let in, and what they are answered."""

from __future__ import annotations

import argparse
import errno
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from textwrap import dedent
from typing import Any, Final, cast

import pytest

from chat_server import ctl, ctl_socket
from chat_server.ctl_socket import FACTS_FILE, KEY_BYTES, LONGEST_PATH, connect, socket_path
from chat_server.hub.queue import HubQueue
from chat_server.net.endpoints import ctl as ctl_endpoint
from chat_server.net.endpoints.ctl import CtlEndpoint
from chat_server.net.endpoints.local import LocalEndpoint
from chat_server.options import parse_options
from chat_server.service import Server
from chat_server.store.store import StoreFullError
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.limits import FRAME_JSON
from common.protocol.frames import FrameDecoder, encode_frame

Captured = pytest.CaptureFixture[str]


ROOT: Final = Path(__file__).parents[4]
WAYS: Final = ("a socket", "a port", "a long path")


@pytest.fixture(autouse=True)
def _runtime(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for sockets of these tests alone."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))


@pytest.fixture(params=WAYS)
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """A server that is reached in each way; where a socket's path is too long, by a port."""
    if request.param == "a port":
        monkeypatch.setattr(ctl_socket, "HAS_UNIX", False)
    if request.param == "a long path":
        long = tmp_path / ("x" * LONGEST_PATH)
        long.mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    monkeypatch.setattr("chat_server.service.sys.setswitchinterval", lambda _: None)
    options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0", "--plaintext"])
    made = Server(options, tmp_path, lambda _: None)
    made.start()
    path = socket_path(tmp_path)
    assert (path is not None and path.is_socket()) == (request.param == "a socket")
    yield made
    made.stop()
    assert not (tmp_path / FACTS_FILE).exists()
    assert path is None or not path.exists()


@pytest.fixture
def _one_server(tmp_path: Path) -> Iterator[None]:
    """A server that is reached in whatever way this system has."""
    options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0", "--plaintext"])
    made = Server(options, tmp_path, lambda _: None)
    made.start()
    yield
    made.stop()


def ask(connection: socket.socket, command: dict[str, Any]) -> dict[str, Any]:
    """The reply to a command."""
    connection.sendall(encode_frame(json.dumps(command).encode()))
    decoder = FrameDecoder(FRAME_JSON)
    while True:
        data = connection.recv(65536)
        assert data
        for frame in decoder.frames(data):
            reply: dict[str, Any] = json.loads(frame)
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


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("Too loud.", "Too loud."),
        (" two\nlines\x7f\u2028", "two lines"),
        ("\n", ""),
        ("Ω –", "Ω –"),
    ],
)
def test_a_reason_is_sent_as_one_line(typed: str, sent: str) -> None:
    """As the protocol takes it; whatever a shell hands over."""
    for order in (["mute", "ada"], ["ban", "ada"], ["terminate", "ada"]):
        assert ctl.argument_parser().parse_args([*order, "--reason", typed]).reason == sent
        assert ctl.argument_parser().parse_args(order).reason == ""


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (["ban", "ada", "--until", "9" * 400 + "d"], "is no time"),
        (["ban", "ada", "--until", "9" * 5000 + "d"], "is no time"),
        (["ban", "ada", "--until", "99999999d"], "is too far away"),
        (["mute", "ada", "--until", "3000-01-01"], "is too far away"),
        (["mute", "ada", "--until", "0m"], "is not in the future"),
        (["mute", "ada", "--until", "1999-12-31"], "is not in the future"),
        (["ban", "#0"], "is no connection"),
        (["ban", "#" + "9" * 5000], "is no connection"),
        (["terminate", "#-1"], "is no connection"),
        (["terminate", "Ada Lindqvist"], "a username has"),
        (["mute", ""], "a username has"),
        (["unban", "x" * 40], "a username has"),
        (["role", "ada:", "member"], "a username has"),
        (["mute", "ada", "--reason", "x" * 501], "at most 500 characters"),
        (["mute", "ada", "--reason", "\udcff"], "not in UTF-8"),
        (["rename", "\udcff"], "not in UTF-8"),
        (["delete-account", "ada"], "required: --messages"),
        (["delete-account", "ada", "--messages", "some"], "invalid choice"),
        (["slow-mode", "soon"], "is no interval"),
        (["slow-mode", "7h"], "is too long; 6h at most"),
        (["slow-mode", "9" * 5000 + "s"], "is too long; 6h at most"),
        (["slow-mode", "0" * 15 + "30sjunk"], "is no interval"),
        (["slow-mode", "30s", "--room", "no room"], "is no room"),
        (["audit", "--count", "-5"], "is no number"),
        (["audit", "--count", "many"], "is no number"),
        (["create-invite", "--uses", "0"], "is not between 1 and 1000"),
        (["create-invite", "--uses", "1001"], "is not between 1 and 1000"),
        (["create-invite", "--uses", "9" * 5000], "is not between 1 and 1000"),
        (["create-invite", "--uses", "0" * 8 + "1999"], "is not between 1 and 1000"),
        (["create-invite", "--uses", "-1"], "is not between 1 and 1000"),
        (["create-invite", "--expires", "soon"], "is no span of time"),
        (["create-invite", "--expires", "59s"], "is not between 1m and 366d"),
        (["create-invite", "--expires", "367d"], "is not between 1m and 366d"),
        (["create-invite", "--expires", "9" * 5000 + "d"], "is not between 1m and 366d"),
        (["create-invite", "--note", "x" * 65], "a note has at most 64 characters"),
        (["create-invite", "--note", "\udcff"], "not in UTF-8"),
        (["revoke", "0"], "“ctl invite new” replaces that link"),
        (["revoke", "ada"], "is no number of an entry"),
        (["revoke", "9" * 5000], "is no number of an entry"),
        (["revoke", "0" * 17 + "12"], "is no number of an entry"),
        (["add-device", "Ada Lindqvist"], "a username has"),
        (["devices", ""], "a username has"),
        (["remove-device", "ada", "xyz"], "is no device"),
        (["remove-device", "ada", "abc"], "is no device"),
        (["remove-device", "ada", "a" * 17], "is no device"),
    ],
)
def test_wrong_arguments_are_said_in_one_line(
    order: list[str], said: str, capsys: Captured
) -> None:
    """Before a server is looked for, with what is wrong and the status of a wrong order."""
    with pytest.raises(SystemExit) as ended:
        ctl.main([*order, "--data-dir", "/nowhere"])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert len(error) < 300


def _fields() -> Iterator[tuple[str, str, list[str]]]:
    """Every verb with each of its arguments, which `…` stands for, and valid ones for the rest."""
    valid = {
        "whom": "ada", "interval": "30s", "name": "Home", "request": "1", "number": "1",
        "device": "abcdef01", "--reason": "Too loud.", "--until": "30m", "--count": "5",
        "--room": "general", "--uses": "5", "--expires": "7d", "--note": "Ada", "--username": "ada",
    }  # fmt: skip
    verbs = next(
        action
        for action in ctl.argument_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    for verb, parser in verbs.choices.items():
        actions = [each for each in parser._actions if each.nargs != 0]
        for action in actions:
            order = [verb]
            for other in actions:
                if other is not action and not (other.required or not other.option_strings):
                    continue
                name = other.option_strings[-1] if other.option_strings else other.dest
                given = "…" if other is action else valid.get(name, "")
                if other is not action and other.choices is not None:
                    given = next(iter(other.choices))
                order += [name, given] if other.option_strings else [given]
            yield verb, (action.option_strings or [action.dest])[-1], order


_FIELDS: Final = tuple(_fields())
_LONG: Final = ("x" * 5000, "7" * 5000, "long " * 1000, "Ω" * 501 + "\n" * 5000)
_SAID: Final = (
    *("characters", "a username has", "is no", "choose from", "is not between", "too long"),
    *("too far away", "folder"),
)


@pytest.mark.usefixtures("_one_server")
@pytest.mark.parametrize("verb", sorted({verb for verb, _, _ in _FIELDS}))
def test_what_is_too_long_is_said_in_plain_words(
    verb: str, tmp_path: Path, capsys: Captured
) -> None:
    """For each field of each verb: in one short line, with what it may be, and no code."""
    for field, order, long in (
        (field, order, long) for name, field, order in _FIELDS for long in _LONG if name == verb
    ):
        given = [long if each == "…" else each for each in order]
        folder = [] if field == "--data-dir" else ["--data-dir", str(tmp_path)]
        try:
            status: object = ctl.main([*given, *folder])
        except SystemExit as ended:
            status = ended.code
        error = capsys.readouterr().err
        if (field, long[0]) == ("--count", "7"):
            assert not error, "as many as there are"
            continue
        assert status in {1, 2}, (field, error)
        assert error.count("\n") == 1
        assert len(error) < 500
        for code in ("malformed", "string_", "too_long", "mismatch", "Traceback", "Errno"):
            assert code not in error
        assert any(said in error for said in _SAID), error


@pytest.mark.usefixtures("_one_server")
def test_what_only_the_server_finds_too_long_is_said_too(tmp_path: Path) -> None:
    """Another program may ask it as well: the field and how long it may be are in the answer."""
    with closing(connect(tmp_path, 10)) as connection:
        for fields, field, most in (
            ({"type": "rename_chat", "name": "x" * 65}, "name", 64),
            ({"type": "create_invite", "note": "x" * 65}, "note", 64),
            ({"type": "ban", "username": "ada", "reason": "x" * 501}, "reason", 500),
            ({"type": "set_slow_mode", "room": "x" * 81, "seconds": 0}, "room", 80),
        ):
            error = ask(connection, {"id": 5, **fields})
            assert (error["code"], error["field"], error["re"]) == ("malformed", field, 5)
            said = sentence(Reason(error["code"], error["params"]))
            assert said == f"this is too long: it has at most {most} characters"


def test_the_field_of_a_malformed_command_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """Where a server is older or newer than what this one checks beforehand."""
    near, far = socket.socketpair()
    monkeypatch.setattr(ctl, "connect", lambda *_: near)
    error = {
        "type": "error", "re": 1, "code": "malformed", "field": "name", "retry_after": None,
        "params": {"why": "string_too_long", "most": 64},
    }  # fmt: skip
    with closing(far):
        far.sendall(encode_frame(json.dumps(error).encode()))
        assert ctl.main(["status"]) == 1
    told = capsys.readouterr().err
    assert told == "ChatServer ctl: name: this is too long: it has at most 64 characters\n"


@pytest.mark.usefixtures("server")
def test_what_is_asked_for_is_said_when_it_is_not_there(tmp_path: Path, capsys: Captured) -> None:
    """A number that no ban can have is none; a person may be written as people are mentioned."""
    for order, said in (
        (["unban", "9" * 30], "there is no such ban or mute"),
        (["unban", "0"], "there is no such ban or mute"),
        (["ban", "@Ada"], "nobody here is called ada"),
        (["delete-account", "@Ada", "--messages", "keep"], "nobody here is called ada"),
        (["audit", "--count", "9" * 30], ""),
        (["audit", "--count", "0"], ""),
    ):
        assert ctl.main([*order, "--data-dir", str(tmp_path)]) == bool(said)
        assert said in capsys.readouterr().err


def test_slow_mode_is_set_and_ended(server: Server, tmp_path: Path, capsys: Captured) -> None:
    """In the room that is named; and where there is none, that is said."""
    assert server.running is not None
    for order, slow, said in (
        (["30s"], 30, ""),
        (["6h", "--room", "#general"], 6 * 3600, ""),
        (["5m", "--room", "garden"], 6 * 3600, "there is no room garden"),
        (["off"], 0, ""),
    ):
        assert ctl.main(["slow-mode", *order, "--data-dir", str(tmp_path)]) == bool(said)
        assert said in capsys.readouterr().err
        assert server._world.directory.rooms["general"].slow == slow
        assert ctl.main(["status", "--data-dir", str(tmp_path)]) == 0
        told = capsys.readouterr().out
        assert ("slow mode in general: one message in" in told) == bool(slow)


def test_an_error_says_when_to_try_again(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """If the server says it: a script may wait so long."""
    for retry_after, said in ((None, ""), (0, ""), (1200, "; try again in 2 s")):
        near, far = socket.socketpair()
        monkeypatch.setattr(ctl, "connect", lambda *_, near=near: near)
        fields: dict[str, Any] = {"code": "busy", "params": {}, "retry_after": retry_after}
        with closing(far):
            far.sendall(encode_frame(json.dumps({"type": "error", "re": 1, **fields}).encode()))
            assert ctl.main(["status"]) == 1
        told = capsys.readouterr().err
        assert told == f"ChatServer ctl: the host's computer can't store messages now{said}\n"


def test_a_person_who_changes_between_two_pages_is_listed_once(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """As it is on the later page."""
    ada = {
        "username": "ada", "display_name": "Ada", "role": "member", "change": 1, "former": False,
    }  # fmt: skip
    gone = {**ada, "username": "zoe", "former": True}
    pages = [
        {"online": ["ada"], "more": False},
        {"people": [ada, {**ada, "username": "bob", "change": 2}, gone], "more": True},
        {"people": [{**ada, "role": "moderator", "change": 3}], "more": False},
    ]

    class Asked(ctl._Server):
        def __init__(self, _: Path) -> None:
            """Of no server."""

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

        def ask(self, kind: str, **_: Any) -> dict[str, Any]:
            page = pages.pop(0)
            assert kind.removeprefix("list_") in page
            return page

    monkeypatch.setattr(ctl, "_Server", Asked)
    assert ctl.main(["people", "--json"]) == 0
    people = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["username"], each["role"]) for each in people] == [
        ("ada", "moderator"), ("bob", "member"),
    ]  # fmt: skip


@pytest.mark.usefixtures("server")
def test_any_name_is_printed_whatever_the_output_takes(tmp_path: Path) -> None:
    """Escaped, where a terminal or a pipe has no such letters."""

    def run(encoding: str, *order: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        return subprocess.run(
            [sys.executable, "-m", "chat_server", "ctl", *order, "--data-dir", str(tmp_path)],
            cwd=ROOT, check=False, capture_output=True, encoding=encoding, env=environment,
            timeout=60,
        )  # fmt: skip

    assert run("ascii", "rename", "Дом 🏠").returncode == 0
    for encoding in ("ascii", "latin-1", "cp1252"):
        status = run(encoding, "status")
        assert (status.returncode, status.stderr) == (0, ""), encoding
        assert "\\u0414\\u043e\\u043c \\U0001f3e0" in status.stdout, encoding


@pytest.mark.usefixtures("server")
def test_the_key_is_asked_for(tmp_path: Path) -> None:
    """Where there is a port anybody could connect to."""
    file = tmp_path / FACTS_FILE
    facts = json.loads(file.read_text("ascii"))
    assert file.stat().st_mode & 0o077 == 0
    if "socket" in facts:
        assert Path(facts["socket"]).stat().st_mode & 0o777 == 0o600
        return
    assert len(bytes.fromhex(facts["key"])) == KEY_BYTES == 32
    right = bytes.fromhex(facts["key"])
    for key in (b"x" * KEY_BYTES, right[:-1] + bytes([right[-1] ^ 1])):
        connection = socket.create_connection(("127.0.0.1", facts["port"]), 10)
        with closing(connection), suppress(ConnectionError):
            connection.sendall(key + encode_frame(b'{"type":"status","id":1}'))
            assert connection.recv(100) == b""


@pytest.mark.usefixtures("server")
def test_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the files let in."""
    if socket_path(tmp_path) is None:
        pytest.skip("of a port nobody tells whose process connects")
    monkeypatch.setattr("chat_server.net.endpoints.ctl.is_ours", lambda _: False)
    with suppress(ConnectionError), closing(connect(tmp_path, 10)) as connection:
        connection.sendall(encode_frame(b'{"type":"status","id":1}'))
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


unix: Final = pytest.mark.skipif(not ctl_socket.HAS_UNIX, reason="there are no Unix sockets")


def _server(folder: Path) -> Server:
    options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0", "--plaintext"])
    return Server(options, folder, lambda _: None)


@unix
@pytest.mark.parametrize("where", ["set", "missing", "somebody else's", "relative", "not there"])
def test_the_socket_is_in_a_private_folder(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the session where there is one that is ours; else among temporary files."""
    runtime, temporary = tmp_path / "run", tmp_path / "tmp"
    for folder in (runtime, temporary):
        folder.mkdir()
    monkeypatch.setattr(ctl_socket, "LONGEST_PATH", 4096)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    if where == "missing":
        monkeypatch.delenv("XDG_RUNTIME_DIR")
    elif where == "somebody else's":
        (runtime / "ChatServer").mkdir(mode=0o700)
        (runtime / "ChatServer").chmod(0o777)
    elif where == "relative":
        monkeypatch.setenv("XDG_RUNTIME_DIR", "run")
    elif where == "not there":
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    path = socket_path(tmp_path)
    assert path is not None
    assert path.parent == (
        runtime / "ChatServer" if where == "set" else temporary / f"ChatServer-{os.geteuid()}"
    )
    assert path.parent.stat().st_mode & 0o777 == 0o700
    # Where others could put something in our way nothing is bound: there is a port.
    path.parent.rmdir()
    path.parent.symlink_to(tmp_path)
    if where != "set":
        assert socket_path(tmp_path) is None


@unix
def test_what_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    """The socket and the file: until then it is said that none runs; then orders are taken."""
    path = socket_path(tmp_path)
    assert path is not None
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(os.fspath(path))
    (tmp_path / FACTS_FILE).write_bytes(ctl_socket.facts_of_socket(tmp_path, path))
    with pytest.raises(ConnectionRefusedError):
        connect(tmp_path, 10)
    server = _server(tmp_path)
    server.start()
    with closing(connect(tmp_path, 10)) as connection:
        assert ask(connection, {"type": "status", "id": 1})["type"] == "server_status"
    server.stop()
    assert not path.exists()


def _status_soon(data_dir: Path) -> dict[str, Any]:
    """Of a server that may have to notice first that it can't be reached."""
    end = time.monotonic() + 30
    while True:
        try:
            with closing(connect(data_dir, 10)) as connection:
                return ask(connection, {"type": "status", "id": 1})
        except OSError:
            assert time.monotonic() < end


@unix
def test_a_socket_that_is_taken_away_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at a person's last logout: in the same folder, or if that is gone, wherever it can be."""
    monkeypatch.setattr(ctl_endpoint, "LOOK", 0.01)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    runtime = Path(os.environ["XDG_RUNTIME_DIR"])
    server = _server(tmp_path / "data")
    server.start()
    try:
        for gone in (runtime / "ChatServer", runtime):
            shutil.rmtree(gone)
            assert _status_soon(tmp_path / "data")["type"] == "server_status"
    finally:
        server.stop()
    left = [path for path in tmp_path.rglob("*") if path.is_socket() or path.name == FACTS_FILE]
    assert left == []


def test_running_out_of_files_ends_no_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, tried again, and orders are taken when there are some."""
    endpoint = CtlEndpoint(tmp_path, LocalEndpoint(HubQueue()))
    monkeypatch.setattr(ctl_endpoint, "PAUSE", 0.001)
    accepted: list[object] = []
    tries = [OSError(errno.EMFILE, "Too many open files")] * 3

    class Listening:
        """Of which nothing can be accepted at first."""

        @staticmethod
        def accept() -> tuple[socket.socket, None]:
            if tries:
                raise tries.pop()
            endpoint._listening = None
            return cast("socket.socket", "a connection"), None

    monkeypatch.setattr(endpoint, "_accept", accepted.append)
    endpoint._listening = cast("socket.socket", Listening)
    endpoint._run()
    assert accepted == ["a connection"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_who_only_connects_to_a_port_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user can: the key has to come at once, also byte by byte."""
    monkeypatch.setattr(ctl_socket, "HAS_UNIX", False)
    monkeypatch.setattr(ctl_endpoint, "KEY_PATIENCE", 0.05)
    server = _server(tmp_path)
    server.start()
    port = json.loads((tmp_path / FACTS_FILE).read_bytes())["port"]
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(ctl_endpoint.AT_ONCE)]
    try:
        for each in idle:
            each.settimeout(30)
            with suppress(ConnectionError):
                assert each.recv(1) == b""
        with closing(connect(tmp_path, 10)) as connection:
            assert ask(connection, {"type": "status", "id": 1})["type"] == "server_status"
    finally:
        for each in idle:
            each.close()
        server.stop()


@unix
def test_on_a_full_disk_it_is_found_without_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that starts there has no room to tell where it is reached."""

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr("chat_server.net.endpoints.ctl.write_private", no_room)
    server = _server(tmp_path)
    server.start()
    assert not (tmp_path / FACTS_FILE).exists()
    assert ctl.main(["status", "--data-dir", str(tmp_path)]) == 0
    server.stop()
    assert ctl.main(["status", "--data-dir", str(tmp_path)]) == 1


@pytest.mark.parametrize("facts", [b"", b"{}", b"[1]", b'{"folder": 1}', b"\xff", b'{"port": 1}'])
def test_a_damaged_file_is_no_server(
    facts: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said so in one line."""
    (tmp_path / FACTS_FILE).write_bytes(facts)
    assert ctl.main(["status", "--data-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("no ChatServer runs") == 1


@unix
def test_the_user_of_the_other_end_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours and root are let in; on macOS it is asked otherwise (sys/ucred.h)."""
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        if hasattr(socket, "SO_PEERCRED") or sys.platform == "darwin":
            assert ctl_socket.peer(one) == os.geteuid()
        for user, let_in in ((os.geteuid(), True), (0, True), (4_000_000, False), (None, True)):
            monkeypatch.setattr(ctl_socket, "peer", {one: user}.__getitem__)
            assert ctl_socket.is_ours(one) == let_in
    asked = []

    def getsockopt(level: int, name: int, size: int) -> bytes:
        asked.append((level, name, size))
        return struct.pack("=IIhh16I", 0, 501, 1, 0, 20, *[0] * 15)

    assert ctl_socket._xucred_user(getsockopt) == 501
    assert asked == [(0, 1, 76)]


def test_a_command_line_loads_nothing_that_takes_long() -> None:
    """Scripts call it often: neither models, TLS, a database nor Tk."""
    program = """
        import sys
        from chat_server.__main__ import main
        try:
            main(["ctl", "status", "--data-dir", sys.argv[1] + "/nothing"])
        finally:
            print(*sys.modules)
    """
    ran = subprocess.run(
        [sys.executable, "-c", dedent(program), "/nowhere"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "no ChatServer runs" in ran.stderr
    loaded = set(ran.stdout.split())
    assert "chat_server.ctl" in loaded
    assert loaded.isdisjoint(
        {"pydantic", "ssl", "sqlite3", "tkinter", "asyncio", "chat_server.service"}
    )


def _endpoint(data_dir: Path) -> CtlEndpoint:
    """One that nobody talks to."""
    data_dir.mkdir()
    return CtlEndpoint(data_dir, LocalEndpoint(HubQueue()))


@pytest.mark.skipif(not ctl_socket.HAS_UNIX, reason="there are only ports")
def test_the_last_of_a_persons_servers_takes_the_folder_with_it(tmp_path: Path) -> None:
    """Where sockets are, nothing stays behind; another server's stays, and can be reached."""
    first, second = _endpoint(tmp_path / "first"), _endpoint(tmp_path / "second")
    first.start()
    second.start()
    try:
        path = socket_path(tmp_path / "second")
        assert path is not None
        first.stop()
        assert [each.name for each in path.parent.iterdir()] == [path.name]
        connect(tmp_path / "second", 10).close()
    finally:
        first.stop()
        second.stop()
    assert not path.parent.exists()


@pytest.mark.skipif(not ctl_socket.HAS_UNIX, reason="there are only ports")
def test_a_folder_that_goes_while_a_server_starts_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server of the same person ended between two steps."""
    endpoint = _endpoint(tmp_path / "data")
    ended = False

    def path_of(data_dir: Path) -> Path | None:
        nonlocal ended
        path = socket_path(data_dir)
        if path is not None and not ended:
            ended = True
            path.parent.rmdir()
        return path

    monkeypatch.setattr(ctl_endpoint, "socket_path", path_of)
    endpoint.start()
    try:
        assert ended
        connect(tmp_path / "data", 10).close()
    finally:
        endpoint.stop()
