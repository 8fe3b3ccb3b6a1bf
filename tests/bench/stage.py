"""What has to be there before anything is measured: a chat in which two people have talked.

Everything is prepared by the programs themselves. Each start that is measured gets copies
of the data folders, so that the hundredth finds what the first one found.
"""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.programs import Build, Order, Program
from tests.bench.screen import DEADLINE, BenchError, NotSeenError, Screen, Window
from tests.bench.xwire import XError

_PLACES: Final = {"server": "+10+850", "ada": "+10+10", "bruno": "+1300+10"}
"""Where on the screen the windows were the last time: none covers another."""
_WINDOW: Final = "1180x760"
_LINES: Final = 20
"""What each of the two has said."""
_QUIET: Final = 0.5
"""Seconds, and in them at most this part of a processor: then a program has come to rest."""
_HARDLY: Final = 0.021


@dataclass(frozen=True)
class Stage:
    """The screen, the prepared folders, and the two ports on which servers are started.

    The clients know the server on `port`; a server that is measured alone has `other_port`.
    """

    screen: Screen
    environment: dict[str, str]
    folder: Path
    port: int
    other_port: int
    _numbers: Iterator[int]

    @property
    def _said(self) -> Path:
        return self.folder / "said.txt"

    @contextmanager
    def start(self, *orders: Order) -> Iterator[list[Program]]:
        """Start programs at the same time. Raises BenchError.

        Those that still run when the block is left, because something failed, are killed. When
        it failed because of what is or is not on the screen, the error tells what they said.
        """
        with ExitStack() as stack:
            programs = []
            for order in orders:
                log = self.folder / f"said-{next(self._numbers)}.txt"
                programs.append(Program(order, self.environment, log))
                stack.callback(programs[-1].close)
            try:
                yield programs
            except (NotSeenError, XError) as error:
                said = [each.failure("runs" if each.pids() else "ended") for each in programs]
                raise BenchError("\n".join(map(str, (error, *said)))) from error

    @contextmanager
    def copy(self, *names: str) -> Iterator[list[Path]]:
        """Copies of prepared folders, as long as the block lasts."""
        place = self.folder / f"copy-{next(self._numbers)}"
        copies = [place / name for name in names]
        for name, copy in zip(names, copies, strict=True):
            shutil.copytree(self.folder / "prepared" / name, copy)
        yield copies
        shutil.rmtree(place)

    def window(self, program: Program) -> Window:
        """Wait for the program's window. Raises BenchError."""
        window = self.screen.window(program.pids)
        if window is None:
            raise program.failure("shows no window" if program.pids() else "ended too early")
        return window

    def settle(self, *programs: Program) -> None:
        """Wait until the programs have nothing left to do, or so long that they never will."""
        end = time.monotonic() + DEADLINE / 4
        used = [program.processor_time() for program in programs]
        while time.monotonic() < end:
            self.screen.rest(_QUIET)
            before, used = used, [program.processor_time() for program in programs]
            if all(now - then <= _HARDLY for then, now in zip(before, used, strict=True)):
                return

    @contextmanager
    def server_behind(self, build: Build) -> Iterator[None]:
        """A server without a window, on `port`, for clients that are measured alone.

        A frozen one runs from a copy of its own, so that the clients share no memory with it.
        """
        command = build.server
        if build.frozen:
            program = self.folder / "behind"
            shutil.copytree(Path(command[0]).parent, program, symlinks=True)
            command = (str(program / Path(command[0]).name),)
        with self.copy("server") as [data], self.server(build, data, command=command):
            yield

    def prepare(self, build: Build) -> None:
        """Make the chat, and let two people join, talk, and read it all."""
        said = (f"The {number}. thing that was said here.\n" for number in range(1, _LINES + 1))
        self._said.write_text("".join(said))
        prepared = self.folder / "prepared"
        folders = {name: prepared / name for name in _PLACES}
        with self.server(build, folders["server"]) as invite:
            for name in ("ada", "bruno"):
                account = ("--data-dir", folders[name], "--join", invite, "--name", name.title())
                self._run(build, "send", "--lines", *account)
            for name in ("ada", "bruno"):
                count = str(2 * _LINES)
                self._run(build, "listen", "--count", count, "--data-dir", folders[name])
        for name, place in _PLACES.items():
            remembered = json.dumps({"geometry": _WINDOW + place})
            (folders[name] / "window.json").write_text(remembered)

    @contextmanager
    def server(
        self, build: Build, data: Path, *, command: tuple[str, ...] | None = None
    ) -> Iterator[str]:
        """Run a server without a window on `port`; gives its invite."""
        ready = self.folder / f"ready-{next(self._numbers)}.json"
        flags = (
            *("--headless", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--name", "Harbour Team", "--data-dir", data, "--ready-file", ready),
            # Those that are packed may be of a former version, which has no limit.
            *(() if build.frozen else ("--message-rate", "0", "--joins-per-minute", "0")),
        )
        order = Order("the server behind", (*(command or build.server), *flags), build.folder)
        with self.start(order) as [server]:
            end = time.monotonic() + DEADLINE
            while not ready.exists():
                if not server.pids() or time.monotonic() > end:
                    raise server.failure("did not start")
                time.sleep(0.02)
            yield str(json.loads(ready.read_bytes())["invite"])
            server.end()

    def _run(self, build: Build, *arguments: str | Path) -> None:
        """Run a verb of the client to its end."""
        command = (*build.client, *arguments)
        order = Order(f"ChatClient {arguments[0]}", command, build.folder, self._said)
        with self.start(order) as [program]:
            program.wait()


def make_stage(screen: Screen, environment: dict[str, str], folder: Path) -> Stage:
    """A stage in a folder of its own; `prepare` comes next. Raises BenchError."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        ports = [int(each.getsockname()[1]) for each in sockets]
    try:
        (folder / "prepared").mkdir(parents=True)
    except OSError as error:
        raise BenchError(f"{folder} can't be used: {error}") from error
    for_programs = {**environment, "DISPLAY": screen.name}
    return Stage(screen, for_programs, folder, ports[0], ports[1], itertools.count())
