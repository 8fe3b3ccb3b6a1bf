"""The servers that are compared: how each is configured, started and found to be ready."""

from __future__ import annotations

import getpass
import grp
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit

from common.limits import MAX_JOINS_PER_MINUTE, MAX_MESSAGE_RATE
from tests.bench.programs import ROOT, Order, Program
from tests.bench.screen import BenchError

READY_WITHIN: Final = 30.0
HERE: Final = Path(__file__).parent
Dialect = Literal["chat", "irc", "mqtt", "line"]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts connections. `started_s`: seconds from its start until it did."""

    pid: int
    port: int
    secret: str = ""
    started_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server to be measured. `program` is what has to be installed, and `package` has it."""

    title: str
    dialect: Dialect
    tls: bool
    program: str = sys.executable
    package: str = ""

    @property
    def ours(self) -> bool:
        """Whether this is ChatServer."""
        return self.dialect == "chat"

    @property
    def at_once(self) -> int:
        """How many members may come at a time without being kept waiting for seconds.

        ngIRCd's backlog is shallow, InspIRCd lets newcomers in once a second, and ours tells
        everyone of everyone: thousands of them must not meet a handshake's deadline.
        """
        return 8 if self.program == "ngircd" else 32 if self.ours else 250

    @property
    def peer(self) -> bool:
        """Whether this is one to compare with; the naive server is only the floor."""
        return self.dialect in {"irc", "mqtt"}

    @property
    def path(self) -> str | None:
        """Where its program is, None when it isn't installed."""
        return shutil.which(self.program, path=f"{os.get_exec_path()[0]}:{_PATH}")

    @contextmanager
    def start(
        self, place: Path, certificate: Path, prepare: Callable[[Path], None] | None = None
    ) -> Iterator[Running]:
        """Run it in the new folder `place` until the block is left. Raises BenchError.

        `certificate` is a PEM file of a key and its certificate, for those that don't make theirs.
        `prepare` makes a data folder of ours, given its path.
        """
        place.mkdir()
        if prepare is not None:
            prepare(place / "data")
        port = _free_port()
        command = _COMMANDS[self.program if self.peer else self.dialect]
        folder = place if self.peer else ROOT  # where a crash leaves what it has to say
        order = Order(self.title, command(self, place, port, certificate), folder)
        program = Program(order, _environment(place), place / "said.txt")
        try:
            yield _ready(program, place, port, ours=self.ours)
            if self.ours:
                program.end()  # well, or something is wrong; how the others end is their affair
        finally:
            program.close()


def servers() -> list[Server]:
    """All of them: ourselves, the peers, and the floor."""
    found = [Server(f"Chat, {_form(tls=tls)}", "chat", tls) for tls in (True, False)]
    for name, dialect, program in _PEERS:
        found += [
            Server(f"{name}, {_form(tls=tls)}", dialect, tls, program, program)
            for tls in (True, False)
        ]
    return [*found, Server("naive, plaintext", "line", tls=False)]


_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/inspircd"
_PEERS: Final[tuple[tuple[str, Dialect, str], ...]] = (
    ("ngIRCd", "irc", "ngircd"),
    ("InspIRCd", "irc", "inspircd"),
    ("Mosquitto", "mqtt", "mosquitto"),
)


def _form(*, tls: bool) -> str:
    return "TLS" if tls else "plaintext"


def _free_port() -> int:
    """A port of the loopback that is free now; not all servers can be told to take any."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def _environment(place: Path) -> Mapping[str, str]:
    return {"HOME": str(place), "LANG": "C.UTF-8", "PATH": _PATH}


def _ready(program: Program, place: Path, port: int, *, ours: bool) -> Running:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        pids = program.pids()
        if not pids:
            raise program.failure("ended at its start")
        if not ours:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return Running(min(pids), port, "", time.perf_counter() - program.started)
        with suppress(OSError, ValueError):
            ready = json.loads((place / "ready.json").read_text("utf-8"))
            secret = parse_qs(urlsplit(ready["invite"]).query)["secret"][0]
            started_s = time.perf_counter() - program.started
            return Running(ready["pid"], ready["port"], secret, started_s)
        time.sleep(0.01)
    raise program.failure(f"is not ready within {READY_WITHIN:g} s")


def _chat(server: Server, place: Path, _port: int, _certificate: Path) -> tuple[str | Path, ...]:
    return (
        *(sys.executable, "-m", "chat_server", "--headless", "--host", "127.0.0.1", "--port", "0"),
        *("--data-dir", place / "data", "--ready-file", place / "ready.json"),
        # As with the peers, whose limits are lifted; the check is made all the same.
        *("--log-level", "warning", "--message-rate", f"{MAX_MESSAGE_RATE:g}"),
        *("--joins-per-minute", str(MAX_JOINS_PER_MINUTE)),
        *(() if server.tls else ("--plaintext",)),
    )


def _naive(_server: Server, _place: Path, port: int, _certificate: Path) -> tuple[str | Path, ...]:
    return (sys.executable, HERE / "naive.py", str(port))


def _ngircd(server: Server, place: Path, port: int, certificate: Path) -> tuple[str | Path, ...]:
    lines = f"CertFile = {certificate}\nKeyFile = {certificate}\nPorts = {port}"
    config = _filled(
        "ngircd.conf",
        place,
        # It wants a port without TLS in any case.
        plain_port=str(_free_port() if server.tls else port),
        tls_lines=lines if server.tls else "",
    )
    return (str(server.path), "--nodaemon", "--config", config)


def _inspircd(server: Server, place: Path, port: int, certificate: Path) -> tuple[str | Path, ...]:
    lines = (
        f'<module name="ssl_gnutls">\n<sslprofile name="bench" provider="gnutls" '
        f'certfile="{certificate}" keyfile="{certificate}">'
    )
    config = _filled(
        "inspircd.conf",
        place,
        port=str(port),
        tls_bind=' ssl="bench"' if server.tls else "",
        tls_lines=lines if server.tls else "",
        folder=str(place),
    )
    as_root = ("--runasroot",) if os.geteuid() == 0 else ()
    return (str(server.path), "--nofork", "--nopid", *as_root, "--config", config)


def _mosquitto(server: Server, place: Path, port: int, certificate: Path) -> tuple[str | Path, ...]:
    lines = f"certfile {certificate}\nkeyfile {certificate}\ntls_version tlsv1.3"
    config = _filled("mosquitto.conf", place, port=str(port), tls_lines=lines if server.tls else "")
    return (str(server.path), "-c", config)


_COMMANDS: Final[dict[str, Callable[[Server, Path, int, Path], tuple[str | Path, ...]]]] = {
    "chat": _chat,
    "line": _naive,
    "ngircd": _ngircd,
    "inspircd": _inspircd,
    "mosquitto": _mosquitto,
}


def _filled(name: str, place: Path, **values: str) -> Path:
    """A configuration with its blanks filled in; whoever measures runs the server."""
    group = grp.getgrgid(os.getegid()).gr_name
    text = Template((HERE / name).read_text("utf-8"))
    config = place / name
    config.write_text(text.substitute(values, user=getpass.getuser(), group=group), "utf-8")
    return config


def installed(candidates: list[Server], say: Callable[[str], None]) -> list[Server]:
    """Those that can be started; what is missing is said. Raises BenchError for none."""
    found = [server for server in candidates if server.path is not None]
    for package in {server.package for server in candidates if server.path is None}:
        say(f"going on without {package}: it is not installed (apt-get install {package})")
    if not found:
        raise BenchError("none of these servers is installed")
    return found
