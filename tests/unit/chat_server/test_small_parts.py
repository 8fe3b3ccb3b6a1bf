"""The server's smaller parts: command line, addresses, identity, ready file."""

from __future__ import annotations

import ipaddress
import json
import os
import sys
from pathlib import Path

import pytest

from chat_server.addresses import reachable_addresses
from chat_server.identity import IdentityError, load_identity
from chat_server.options import Options, parse_options
from chat_server.ready_file import Running, remove_ready_file, write_ready_file
from common.limits import DEFAULT_PORT
from common.system.tls import server_context


def test_without_options_the_server_is_for_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A double click: a window, every interface, the usual port, TLS."""
    monkeypatch.setattr(sys, "argv", ["ChatServer"])
    options = parse_options()
    assert (options.headless, options.host, options.port) == (False, None, DEFAULT_PORT)
    assert (options.plaintext, options.data_dir, options.name) == (False, None, None)


def test_every_option(tmp_path: Path) -> None:
    """Each one arrives where it belongs."""
    line = f"--headless --host ::1 --port 0 --data-dir {tmp_path} --ready-file r.json"
    options = parse_options(
        [
            *(*line.split(), "--name", "  Our   home ", "--plaintext", "--log-level", "debug"),
            *("--message-rate", "2.5", "--joins-per-minute", "30"),
        ]
    )
    assert options == Options(
        headless=True,
        host="::1",
        port=0,
        data_dir=tmp_path,
        name="Our home",
        ready_file=Path("r.json"),
        plaintext=True,
        log_level="debug",
        message_rate=2.5,
        joins_per_minute=30,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "65536"],
        ["--port", "-1"],
        ["--port", "http"],
        ["--name", " "],
        ["--name", "x" * 65],
        ["--name", "a\x1b[31m"],
        ["--plaintext"],
        ["--plaintext", "--host", "0.0.0.0"],  # noqa: S104 (that it is refused is the point)
        ["--plaintext", "--host", "192.0.2.1"],
        ["--log-level", "loud"],
        ["--message-rate", "fast"],
        ["--message-rate", "-1"],
        ["--message-rate", "0.01"],
        ["--message-rate", "nan"],
        ["--message-rate", "1e7"],
        ["--joins-per-minute", "many"],
        ["--joins-per-minute", "-1"],
        ["--joins-per-minute", "1000001"],
        ["--joins-per-minute", "٣"],
        ["surplus"],
    ],
)
def test_wrong_options_end_with_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """And say in a line what is wrong."""
    with pytest.raises(SystemExit) as ended:
        parse_options(arguments)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("ChatServer: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("host", ["192.0.2.7", "::1", "localhost"])
def test_a_server_on_one_address_has_that_one(host: str) -> None:
    """No other address would lead to it."""
    assert reachable_addresses(host) == (host,)


@pytest.mark.parametrize("host", [None, "0.0.0.0", "::"])  # noqa: S104 (nothing is bound)
def test_a_server_on_all_interfaces_names_lawful_addresses(host: str | None) -> None:
    """Each once; link-local ones late, and loopback last for clients on this computer."""
    addresses = reachable_addresses(host)
    assert addresses[-1] == "127.0.0.1"
    assert len(set(addresses)) == len(addresses)
    told = [*map(ipaddress.ip_address, addresses[:-1])]
    assert not any(address.is_loopback or address.is_unspecified for address in told)
    assert sorted(told, key=lambda address: address.is_link_local) == told


def test_an_identity_is_made_once_and_kept(tmp_path: Path) -> None:
    """Restarts keep the fingerprint that invites pin; another folder gets another one."""
    (tmp_path / "other").mkdir()
    first = load_identity(tmp_path)
    content = first.path.read_bytes()
    assert load_identity(tmp_path) == first
    assert first.path.read_bytes() == content
    assert len(first.fingerprint) == 32
    assert load_identity(tmp_path / "other").fingerprint != first.fingerprint
    server_context(first.path)
    if sys.platform != "win32":
        assert first.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"not PEM", None])
def test_a_damaged_identity_is_refused_and_kept(tmp_path: Path, damage: bytes | None) -> None:
    """It is never replaced by itself: that would lock everyone out. None stands for half a file."""
    path = load_identity(tmp_path).path
    content = path.read_bytes()[:-60] if damage is None else damage
    path.write_bytes(content)
    with pytest.raises(IdentityError, match="restore"):
        load_identity(tmp_path)
    assert path.read_bytes() == content


RUNNING = Running("Home", ("192.0.2.7", "127.0.0.1"), 4000, "ab", "chat://…", "0" * 32)


def test_the_ready_file_tells_how_to_reach_the_server(tmp_path: Path) -> None:
    """Everything a script needs, for its owner alone; gone after the end, twice is harmless."""
    path = tmp_path / "new" / "ready.json"
    write_ready_file(path, RUNNING)
    content = json.loads(path.read_bytes())
    assert content == {
        "pid": os.getpid(),
        "name": "Home",
        "addresses": ["192.0.2.7", "127.0.0.1"],
        "port": 4000,
        "fingerprint": "ab",
        "invite": "chat://…",
        "epoch": "0" * 32,
    }
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o077 == 0
    remove_ready_file(path)
    remove_ready_file(path)
    assert not path.exists()


@pytest.mark.parametrize("content", [b'{"pid": 1}', b"{}", b"", b"{", b"[]", b"7", b"\xff"])
def test_another_servers_ready_file_stays(tmp_path: Path, content: bytes) -> None:
    """What this server did not write it does not remove, nor does it stumble over it."""
    path = tmp_path / "ready.json"
    path.write_bytes(content)
    remove_ready_file(path)
    assert path.read_bytes() == content
