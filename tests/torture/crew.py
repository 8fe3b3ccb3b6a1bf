"""The processes of a torture: one server and its clients, each through many lives.

All of them are children of this process, are only ever ended by their own handle, and are
gone after the crew's block. What they say on standard error is kept in a file for each.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from chat_client.accounts import Accounts, new_account
from chat_server.rules.directory import Device
from chat_server.store.sqlite.store import SqliteStore
from common.domain.invite import parse_invite
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


@dataclass(frozen=True, slots=True)
class Way:
    """How a crew is run. A connection that brings nothing for `silence` seconds is given up."""

    seed: int = 0
    bug: str | None = None
    silence: float = 3.0
    message_rate: float = 0.0
    """Messages per second that the server takes of one person in one room; 0 for any number."""
    real_outboxes: bool = False


class Server(Process):
    """ChatServer under the launcher."""

    def __init__(self, folder: Path, way: Way) -> None:
        super().__init__("server", folder / "server.err")
        self._way = way
        self.database = folder / "server" / "chat.db"
        self.record = folder / "server.record"
        self._ready = folder / "ready.json"
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
        way = self._way
        bug = () if way.bug is None else ("--bug", way.bug)
        real = ("--real-outboxes",) if way.real_outboxes else ()
        self.begin(
            [
                *("tests.torture.launcher", "--record", str(self.record), *bug, *real),
                *("--silence", str(way.silence), "--"),
                *("--headless", "--host", HOST, "--port", str(self.port)),
                *("--data-dir", str(self.database.parent), "--ready-file", str(self._ready)),
                *("--message-rate", str(way.message_rate), "--joins-per-minute", "0"),
            ]
        )

    def obeyed(self) -> int:
        """How many orders were carried out, in all lives."""
        obeyed = self.record.with_suffix(".obeyed")
        return obeyed.stat().st_size if obeyed.exists() else 0

    def fallen_behind(self) -> int:
        """A number that grows whenever the outbox of a session is full."""
        return self.record.stat().st_size if self.record.exists() else 0

    def complained(self, of: str, after: int) -> bool:
        """Whether it said this on standard error, behind so many bytes."""
        with self.errors.open("rb") as errors:
            errors.seek(after)
            return of.encode() in errors.read()


class Person(Process):
    """One device of somebody, perhaps behind a proxy: their client under the driver."""

    def __init__(
        self, folder: Path, name: str, device: str, others: Sequence[str], way: Way
    ) -> None:
        super().__init__(device, folder / f"{device}.err")
        self.name = name
        self.device = device
        self.data_dir = folder / device
        self.record = folder / f"{device}.record"
        self.proxy: Proxy | None = None
        self._others = others
        self._way = way

    def start(self, server: Server, pace: float = 0.0) -> None:
        """Begin a life on the same folder."""
        invite = parse_invite(server.invite)
        if self.proxy is not None:
            invite = replace(invite, port=self.proxy.port)
        bug = () if self._way.bug is None else ("--bug", self._way.bug)
        self.begin(
            [
                *("tests.torture.driver", "--data-dir", str(self.data_dir)),
                *("--record", str(self.record), "--invite", invite.link()),
                *("--name", self.name, "--device", self.device),
                *("--others", ",".join(self._others), "--life", str(self.lives + 1)),
                *("--seed", str(self._way.seed), "--pace", str(pace)),
                *("--silence", str(self._way.silence), *bug),
            ]
        )

    @property
    def cache(self) -> Path | None:
        """The client's database, once there is one."""
        return next(self.data_dir.glob("accounts/*/cache.db"), None)


class Host(Process):
    """The host's command line, and guests."""

    def __init__(self, folder: Path, server: Server, names: Sequence[str], way: Way) -> None:
        super().__init__("host", folder / "host.err")
        self.record = folder / "host.record"
        self._folder = folder
        self._server = server
        self._names = names
        self._way = way

    def start(self, two_devices: Sequence[str] = ()) -> None:
        """Begin a life."""
        self.record.touch()
        self.begin(
            [
                *("tests.torture.host", "--data-dir", str(self._server.database.parent)),
                *("--record", str(self.record), "--folder", str(self._folder)),
                *("--clock", str(self._server.record.with_suffix(".clock"))),
                *("--names", ",".join(self._names), "--seed", str(self._way.seed)),
                *(("--two-devices", ",".join(two_devices)) if two_devices else ()),
            ]
        )


class Crew:
    """Everyone; nobody is left after the block. `people` has each device by its name."""

    def __init__(self, folder: Path, names: Sequence[str], way: Way | None = None) -> None:
        self._folder = folder
        self._names = names
        self._way = way or Way()
        self.server = Server(folder, self._way)
        self.host = Host(folder, self.server, names, self._way)
        self.people = {name: self._person(name, name) for name in names}
        self.proxies: list[Proxy] = []

    def _person(self, name: str, device: str) -> Person:
        others = [other for other in self._names if other != name]
        return Person(self._folder, name, device, others, self._way)

    def add_device(self, name: str) -> Person:
        """A second device for somebody who has joined, while the server does not run.

        The store is told of it and the device has its token: as if it had signed in once.
        """
        assert not self.server.running
        person = self.people[f"{name}-2"] = self._person(name, f"{name}-2")
        account = new_account(parse_invite(self.server.invite), name, name.title())
        Accounts(person.data_dir).save(account.confirmed(name, name.title()))
        token = hashlib.sha256(bytes.fromhex(account.token)).digest()
        log = SqliteStore(self.server.database)
        try:
            with log.transaction():
                device = Device(name, account.installation, person.device, 0)
                log.add_device(log.load().accounts[name], token, device)
        finally:
            log.close()
        return person

    def copy_device(self, name: str) -> Person:
        """Somebody's device twice: another place with the same token, and all that it kept."""
        person = self.people[f"{name}-copy"] = self._person(name, f"{name}-copy")
        shutil.copytree(self.people[name].data_dir, person.data_dir)
        return person

    def put_behind_proxy(self, device: str) -> Proxy:
        """From the next life on, a device's connections go through a proxy."""
        proxy = Proxy(self.server.port)
        self.proxies.append(proxy)
        self.people[device].proxy = proxy
        return proxy

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.host, *self.people.values(), self.server):
            process.kill()
        for proxy in self.proxies:
            proxy.close()
