"""Starts the real ChatServer with what a torture needs: `python -m tests.torture.launcher`.

    launcher --record FILE [--bug NAME] [--silence SECONDS] [--real-outboxes] -- OPTIONS...

Orders come on standard input, one a line:

    die POINT COUNT     die as of kill -9 at a point: before-commit, after-commit, after-ack
    full pages          the database can't grow any more: SQLite says that the disk is full
    full files          no file can: the system refuses what is written
    free                both can again
    jump SECONDS        the wall clock jumps

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
from typing import Final

from chat_server import __main__ as program
from chat_server.store.sqlite.store import SqliteStore
from tests.torture import clock, inside
from tests.torture.hooks import Orders, Points
from tests.torture.points import place_points

_FILE: Final = 256 * 1024
"""Bytes by which the logs may grow: the test's own files, and what tells of faults, don't fail."""
_NO_LIMIT: Final = 0xFFFFFFFE
"""SQLite's own largest max_page_count."""


def record_sessions(path: Path) -> None:
    """By their keys: those whose outbox was full, which are caught up from the log then.

    Beside it, before they are told, all that were admitted: what they hear is of the history that
    the database has now.
    """
    fell_behind, admitted = (
        os.open(each, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for each in (path, path.with_suffix(".admitted"))
    )
    inside.on_fell_behind(lambda session: os.write(fell_behind, f"{session.key}\n".encode()))
    inside.on_admitted(lambda session, _: os.write(admitted, f"{session.key}\n".encode()))


class Control:
    """Carries out the orders."""

    def __init__(self, points: Points, obeyed: Path) -> None:
        """A byte for each order that was carried out is added to the file `obeyed`."""
        self._points = points
        self._obeyed = os.open(obeyed, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._offset = 0
        self._clock = os.open(
            obeyed.with_suffix(".clock"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
        )
        self._pages: int | None = None
        """The max_page_count to be set: 1 is as few as there are now."""
        self._wal: Path | None = None
        real = time.time_ns
        time.time_ns = lambda: real() + self._offset
        time.time = lambda: time.time_ns() / 1e9
        self._tell_time()
        inside.on_opened(self._opened)
        inside.before_transaction(self._limit)

    def start(self) -> None:
        """Obey until the runner goes away."""
        threading.Thread(target=self._obey, name="control", daemon=True).start()

    def _obey(self) -> None:
        orders = Orders()
        while (lines := orders.read()) is not None:
            for verb, *words in lines:
                self._carry_out(verb, words)
                os.write(self._obeyed, b".")
        # Without the runner nobody would end it: it is not to stay behind.
        os.kill(os.getpid(), signal.SIGTERM)

    def _carry_out(self, verb: str, words: list[str]) -> None:
        match verb, words:
            case "die", [point, count]:
                self._points.arm(point, int(count))
            case "full", ["pages"]:
                self._pages = 1
            case "full", ["files"]:
                self._limit_files(max(self._wal_size(), self._log_size() + _FILE))
            case "free", []:
                self._pages = _NO_LIMIT
                self._limit_files(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
            case "jump", [seconds]:
                os.write(self._clock, clock.unsure())
                self._offset += int(float(seconds) * 1e9)
                self._tell_time()
            case _:
                raise ValueError(f"no such order: {verb} {words}")

    def _tell_time(self) -> None:
        os.write(self._clock, clock.sure())

    def _wal_size(self) -> int:
        with contextlib.suppress(OSError):  # Not there yet.
            return 0 if self._wal is None else self._wal.stat().st_size
        return 0

    def _log_size(self) -> int:
        logs = [] if self._wal is None else self._wal.parent.glob("log.txt")
        return max(os.fstat(2).st_size, *(each.stat().st_size for each in logs), 0)

    @staticmethod
    def _limit_files(size: int) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    def _opened(self, _log: SqliteStore, path: Path) -> None:
        self._wal = path.with_name(f"{path.name}-wal")

    def _limit(self, log: SqliteStore) -> None:
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
    parser.add_argument("--bug")
    parser.add_argument("--silence", type=float, default=4.0)
    parser.add_argument("--real-outboxes", action="store_true")
    parser.add_argument("arguments", nargs="+")
    options = parser.parse_args()
    points = Points()
    inside.short_deadlines(options.silence)
    inside.small_kernel_buffers()
    if not options.real_outboxes:
        inside.small_outboxes()
    record_sessions(options.record)
    place_points(points)
    if options.bug is not None:
        from tests.torture.bugs import BUGS  # which needs the client, too

        if options.bug in BUGS:
            BUGS[options.bug](points)
    Control(points, options.record.with_suffix(".obeyed")).start()
    return program.main(options.arguments)


if __name__ == "__main__":
    sys.exit(main())
