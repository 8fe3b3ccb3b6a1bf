"""The processes of a torture: one server and its clients, each through many lives.

All of them are children of this process, are only ever ended by their own handle, and are
gone after `close`. What they say on standard error is kept in a file for each.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from common.invite import parse_invite
from tests.torture.proxy import HOST, Proxy

ROOT: Final = Path(__file__).resolve().parents[2]
START_WITHIN: Final = 20.0
END_WITHIN: Final = 15.0
_TRIES: Final = 5
_POLL: Final = 0.03


class TortureError(Exception):
    """The run itself could not be carried out; that says nothing about the programs."""


def wait_until(condition: Callable[[], object], within: float) -> bool:
    """Whether `condition` came true within so many seconds."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(_POLL)
    return True


class Process:
    """A program of ours, obeying orders on standard input."""

    def __init__(self, title: str, errors: Path) -> None:
        self.title = title
        self.errors = errors
        self.lives = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it lives; a stopped one does."""
        return self._process is not None and self._process.poll() is None

    def begin(self, arguments: Sequence[str]) -> None:
        """Begin a life."""
        assert not self.running
        self._reap()
        self.lives += 1
        with self.errors.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )

    def order(self, line: str) -> None:
        """Tell it something; a dead one hears nothing."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.write(line.encode() + b"\n")
                self._process.stdin.flush()

    def kill(self) -> None:
        """End it without a chance to do anything more."""
        if self._process is not None:
            self._process.kill()
        self._reap()

    def stop(self) -> None:
        """Freeze it."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again."""
        self._signal(signal.SIGCONT)

    def end(self, how: signal.Signals | None = None) -> int:
        """Ask it to end, by a signal or by the end of its orders; its exit status."""
        if self._process is None:
            return 0
        self.go_on()
        if how is not None:
            self._signal(how)
        elif self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_WITHIN)
        status = self._process.poll()
        self.kill()
        return -signal.SIGKILL if status is None else status

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, number)

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            if self._process.stdin is not None:
                with suppress(OSError):
                    self._process.stdin.close()


class Server(Process):
    """ChatServer under the launcher."""

    def __init__(self, folder: Path, bug: str | None, silence: float) -> None:
        super().__init__("server", folder / "server.err")
        self._silence = silence
        self.database = folder / "server" / "chat.db"
        self.record = folder / "server.record"
        self._ready = folder / "ready.json"
        self._bug = bug
        self.port = 0
        self.invite = ""

    def start(self) -> None:
        """Start it on its former port; return once it accepts. Raises TortureError.

        While it was away, a connection that was tried may have got its port for a moment.
        """
        self._ready.unlink(missing_ok=True)
        for _ in range(_TRIES):
            self._start()
            wait_until(lambda: self._ready.exists() or not self.running, START_WITHIN)
            if self._ready.exists():
                ready = json.loads(self._ready.read_bytes())
                self.port = int(ready["port"])
                self.invite = str(ready["invite"])
                return
            self.kill()
        raise TortureError(f"the server did not start; see {self.errors}")

    def _start(self) -> None:
        bug = () if self._bug is None else ("--bug", self._bug)
        self.begin(
            [
                *("tests.torture.launcher", "--record", str(self.record), *bug),
                *("--silence", str(self._silence), "--"),
                *("--headless", "--host", HOST, "--port", str(self.port)),
                *("--data-dir", str(self.database.parent), "--ready-file", str(self._ready)),
            ]
        )


class Person(Process):
    """Somebody's client under the driver, perhaps behind a proxy."""

    def __init__(
        self, folder: Path, name: str, seed: int, others: Sequence[str], silence: float
    ) -> None:
        super().__init__(name, folder / f"{name}.err")
        self.name = name
        self.data_dir = folder / name
        self.record = folder / f"{name}.record"
        self.proxy: Proxy | None = None
        self._seed = seed
        self._others = others
        self._silence = silence

    def start(self, server: Server, pace: float = 0.0) -> None:
        """Begin a life on the same folder."""
        invite = parse_invite(server.invite)
        if self.proxy is not None:
            invite = replace(invite, port=self.proxy.port)
        self.begin(
            [
                *("tests.torture.driver", "--data-dir", str(self.data_dir)),
                *("--record", str(self.record), "--invite", invite.link()),
                *("--name", self.name, "--others", ",".join(self._others)),
                *("--life", str(self.lives + 1), "--seed", str(self._seed)),
                *("--pace", str(pace), "--silence", str(self._silence)),
            ]
        )

    @property
    def cache(self) -> Path | None:
        """The client's database, once there is one."""
        return next(self.data_dir.glob("accounts/*/cache.db"), None)


class Crew:
    """Everyone; nobody is left after the block.

    A connection that brings nothing for `silence` seconds is given up by either end.
    """

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        seed: int = 0,
        bug: str | None = None,
        silence: float = 3.0,
    ) -> None:
        self.server = Server(folder, bug, silence)
        self.people = {
            name: Person(folder, name, seed, [other for other in names if other != name], silence)
            for name in names
        }
        self.proxies: list[Proxy] = []

    def put_behind_proxy(self, name: str) -> Proxy:
        """From the next life on, a person's connections go through a proxy."""
        proxy = Proxy(self.server.port)
        self.proxies.append(proxy)
        self.people[name].proxy = proxy
        return proxy

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.people.values(), self.server):
            process.kill()
        for proxy in self.proxies:
            proxy.close()
