"""Starts the real ChatServer with what a torture needs: `python -m tests.torture.launcher`.

    launcher --record FILE [--bug NAME] [--silence SECONDS] -- OPTIONS OF CHATSERVER

Orders come on standard input, one a line:

    die POINT COUNT     die as of kill -9 at a point: before-commit, after-commit, after-ack
    full pages          the database can't grow any more: SQLite says that the disk is full
    full files          no file can: the system refuses what is written
    free                both can again
    jump SECONDS        the wall clock jumps
    terminate NAME      the host ends somebody's connections

The server is hurried: its outboxes are small and its deadlines short, so that in a minute it
meets what otherwise takes an hour. No rule is changed by that. With `--bug` one is.
"""

import argparse
import contextlib
import os
import resource
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any, Final

from chat_server import __main__ as program
from chat_server import service
from chat_server.net import connection, io_thread, outgoing
from chat_server.rules import connections, inputs, table
from chat_server.store import pages
from chat_server.store.log import SqliteLog
from tests.torture.bugs import BUGS
from tests.torture.hooks import Orders, Points, wrap, wrap_context
from tests.torture.points import place_points

OUTBOX: Final = 48 * 1024
"""Bytes that may wait for a client here; a page must fit in four of these."""
_FILE: Final = 256 * 1024
"""Bytes that every file may have in any case: the test's own are not to fail."""
_NO_LIMIT: Final = 0xFFFFFFFE
"""SQLite's own largest max_page_count."""


def hurry(silence: float) -> None:
    """Small outboxes and short deadlines."""
    settings: list[tuple[Any, str, float]] = [
        (connection, "OUTBOX_LIMIT", OUTBOX),
        (outgoing, "OUTBOX_LIMIT", OUTBOX),
        (io_thread, "LOW_WATER", OUTBOX // 4),
        (pages, "PAGE_BYTES", OUTBOX // 2),
        (connection, "SILENCE_DEADLINE", silence),
        (connection, "HANDSHAKE_DEADLINE", 2.0),
        (connection, "SIGN_IN_DEADLINE", 4.0),
    ]
    for module, name, value in settings:
        assert hasattr(module, name)
        setattr(module, name, value)

    def opened(original: Any, self: Any, number: int, raw: Any, *rest: object) -> None:
        # The kernel's buffer is an outbox too: left large, ours would never be full.
        raw.setsockopt(SOL_SOCKET, SO_SNDBUF, OUTBOX // 4)
        original(self, number, raw, *rest)

    wrap(io_thread.IoThread, "_open", opened)


def record_who_falls_behind(path: Path) -> None:
    """A name for each outbox that was full: its owner is caught up from the log then."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def fell_behind(world: Any, happening: inputs.FellBehind, now: int) -> Any:
        session = world.sessions.get(happening.connection)
        if session is not None and session.username is not None:
            os.write(file, f"{session.username}\n".encode())
        return connections.fell_behind(world, happening, now)

    handlers: Any = table._INPUTS
    handlers[inputs.FellBehind] = fell_behind


class Control:
    """Carries out the orders."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._offset = 0
        self._pages: int | None = None
        """The max_page_count to be set: 1 is as few as there are now."""
        self._server: Any = None
        clock = time.time_ns
        time.time_ns = lambda: clock() + self._offset
        time.time = lambda: time.time_ns() / 1e9
        wrap(service.Server, "start", self._started)
        wrap_context(SqliteLog, "transaction", self._limit)

    def start(self) -> None:
        """Obey until the runner goes away."""
        threading.Thread(target=self._obey, name="control", daemon=True).start()

    def _obey(self) -> None:
        orders = Orders()
        while (lines := orders.read()) is not None:
            for verb, *words in lines:
                self._carry_out(verb, words)
        # Without the runner nobody would end it: it is not to stay behind.
        os.kill(os.getpid(), signal.SIGTERM)

    def _carry_out(self, verb: str, words: list[str]) -> None:
        match verb, words:
            case "die", [point, count]:
                self._points.arm(point, int(count))
            case "full", ["pages"]:
                self._pages = 1
            case "full", ["files"]:
                self._limit_files(max(self._wal_size(), _FILE))
            case "free", []:
                self._pages = _NO_LIMIT
                self._limit_files(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
            case "jump", [seconds]:
                self._offset += int(float(seconds) * 1e9)
            case "terminate", [name]:
                self._terminate(name)
            case _:
                raise ValueError(f"no such order: {verb} {words}")

    def _wal_size(self) -> int:
        try:
            return int((self._server._data_dir / "chat.db-wal").stat().st_size)
        except (OSError, AttributeError):
            return 0  # Not there yet, or no server.

    @staticmethod
    def _limit_files(size: int) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    def _terminate(self, name: str) -> None:
        # The hub's own data, looked at from here: a change in the middle of it may be met.
        with contextlib.suppress(RuntimeError, KeyError, AttributeError):
            for session in self._server._hub._world.sessions.of(name):
                self._server.terminate(session.connection, "For the sake of a test.")

    def _started(self, original: Any, server: Any, *rest: object) -> Any:
        self._server = server
        return original(server, *rest)

    def _limit(self, log: SqliteLog) -> None:
        """On the hub's thread, between two transactions: the connection is its own."""
        if self._pages is not None:
            limit, self._pages = self._pages, None
            # Fewer than there are means: as many as there are (SQLite, max_page_count).
            with contextlib.suppress(sqlite3.Error):
                log._connection.execute(f"PRAGMA max_page_count = {limit}")


def main() -> int:
    """Run the server until it is closed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--bug", choices=BUGS)
    parser.add_argument("--silence", type=float, default=4.0)
    parser.add_argument("arguments", nargs="+")
    options = parser.parse_args()
    points = Points()
    hurry(options.silence)
    record_who_falls_behind(options.record)
    if options.bug is not None:
        BUGS[options.bug](points)
    place_points(points)
    Control(points).start()
    return program.main(options.arguments)


if __name__ == "__main__":
    sys.exit(main())
