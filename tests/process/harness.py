"""Real servers and real clients as processes, and what they said: the end-to-end tests' tools.

Nothing here waits for a time to pass: everything waits for a condition, with a deadline. Every
process is ended by its own handle, whatever happened to the test that started it.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from chat_server.service import Server as Service
from common.domain.invite import Invite, parse_invite
from common.protocol.events import Event
from common.protocol.messages import ToClient, ToServer

ROOT: Final = Path(__file__).resolve().parents[2]
DEADLINE: Final = 20.0
"""Seconds for anything that should happen at once; a loaded machine may take a while."""
_ALARMS: Final = (" ERROR ", " CRITICAL ", "Traceback", "Exception ignored")


def wait_until(condition: Callable[[], object], what: str, within: float = DEADLINE) -> None:
    """Return as soon as `condition()` holds; fail after `within` seconds."""
    if not holds_within(condition, within):
        raise AssertionError(f"waited {within:.0f} s for {what}")


def holds_within(condition: Callable[[], object], seconds: float) -> bool:
    """Whether `condition()` holds within so many seconds; returns as soon as it does."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > end:
            return False
        pause.wait(0.005)
    return True


def ask_as_host(server: Service, command: Callable[[int], ToServer]) -> ToClient:
    """The reply to what `command` makes with an id, from a server in this process."""
    replies: queue.SimpleQueue[ToClient] = queue.SimpleQueue()
    session = server.host_session()
    try:
        session.ask(command, replies.put)
        return replies.get(timeout=DEADLINE)
    finally:
        session.close()


class Child:
    """A Python program as a process; its output is read as it comes."""

    def __init__(
        self,
        title: str,
        arguments: Sequence[str | Path],
        *,
        stdin: str | bytes = "",
        environment: dict[str, str] | None = None,
        under: Sequence[str | Path] = (),
    ) -> None:
        """Start it; `under` is a command that itself runs the program, such as a tracer."""
        self.title = title
        self.out: list[str] = []
        self.err: list[str] = []
        self._news = threading.Condition()
        self._taken = 0
        # A file and not a pipe: nobody has to wait until the program has read it.
        with tempfile.TemporaryFile() as typed:
            typed.write(stdin.encode() if isinstance(stdin, str) else stdin)
            typed.seek(0)
            self.process = subprocess.Popen(
                [*map(str, under), sys.executable, "-m", *map(str, arguments)],
                cwd=ROOT,
                stdin=typed,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="backslashreplace",
                env={**os.environ, **(environment or {})},
            )
        self._readers = [
            threading.Thread(target=self._read, args=streams, daemon=True)
            for streams in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def line(self, within: float = DEADLINE) -> str:
        """The next line on standard output."""
        with self._news:
            self._news.wait_for(
                lambda: len(self.out) > self._taken or not self._readers[0].is_alive(), within
            )
            if len(self.out) > self._taken:
                self._taken += 1
                return self.out[self._taken - 1]
        why = f"said nothing for {within:.0f} s" if self._readers[0].is_alive() else "said no more"
        raise self._failure(why)

    def printed(self, count: int, within: float = DEADLINE) -> None:
        """Return once it has printed so many lines in all."""
        with self._news:
            self._news.wait_for(
                lambda: len(self.out) >= count or not self._readers[0].is_alive(), within
            )
        if len(self.out) < count:
            raise self._failure(f"printed {len(self.out)} lines instead of {count}")

    def complaint(self, containing: str, within: float = DEADLINE, after: int = 0) -> str:
        """The first line on standard error, from the one numbered `after` on, that has a text."""

        def found() -> str | None:
            return next((line for line in self.err[after:] if containing in line), None)

        with self._news:
            self._news.wait_for(lambda: found() or not self._readers[1].is_alive(), within)
            line = found()
        if line is None:
            raise self._failure(f"did not say {containing!r} on standard error")
        return line

    def status(self, within: float = DEADLINE) -> int:
        """The exit status, once the process has ended and all it said was read."""
        try:
            status = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise self._failure(f"did not end within {within:.0f} s") from None
        for reader in self._readers:
            reader.join()
        return status

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it without a chance to say or store anything more; all it said was read then."""
        self.process.kill()
        self.status()

    def close(self) -> None:
        """Leave nothing behind."""
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def transcript(self) -> str:
        """What it said on standard error, and the end of what it said on standard output."""
        said = [f"== {self.title} (status {self.process.poll()})"]
        said += [f"   err: {line}" for line in self.err[-60:]]
        said += [f"   out: {line[:200]}" for line in self.out[-10:]]
        return "\n".join(said)

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            with self._news:
                lines.append(line.rstrip("\n"))
                self._news.notify_all()
        # Whoever waits for another line wakes up; `is_alive` is False a moment after this, so
        # the end is told by a thread that sees it.
        threading.Thread(target=self._tell_end, args=(threading.current_thread(),)).start()

    def _tell_end(self, reader: threading.Thread) -> None:
        reader.join()
        with self._news:
            self._news.notify_all()

    def _failure(self, why: str) -> AssertionError:
        return AssertionError(f"{self.title} {why}\n{self.transcript()}")


class Listener(Child):
    """A `listen --json`."""

    def event(self, within: float = DEADLINE) -> Event:
        """The next event it prints."""
        return Event(**json.loads(self.line(within)))

    def message(self, within: float = DEADLINE) -> Event:
        """The next event that is a message."""
        while True:
            event = self.event(within)
            if event.is_message:
                return event

    def texts(self, count: int) -> list[str]:
        """The texts of the next messages."""
        return [self.message().text for _ in range(count)]

    @property
    def heard(self) -> list[Event]:
        """Everything it printed so far, also what was not asked for yet."""
        return [Event(**json.loads(line)) for line in tuple(self.out)]


class Server:
    """A ChatServer on one data folder, through as many lives as a test gives it."""

    def __init__(
        self,
        house: "House",
        folder: Path,
        flags: Sequence[str],
        under: Sequence[str | Path] = (),
        program: Sequence[str] = ("chat_server",),
    ) -> None:
        self.data_dir = folder / "data"
        self.ready_file = folder / "ready.json"
        self.port = 0
        self.invite = ""
        self._house = house
        self._flags = flags
        self._under = under
        self._program = program
        self._child: Child | None = None

    def start(self) -> None:
        """Start it, on the port of its former life if it had one; return once it accepts."""
        self.ready_file.unlink(missing_ok=True)
        child = self._house.child(
            f"server {self.data_dir.parent.name}",
            [
                *(*self._program, "--headless", "--host", "127.0.0.1", "--port", str(self.port)),
                *("--data-dir", str(self.data_dir), "--ready-file", str(self.ready_file)),
                # Later ones count.
                *("--message-rate", "0", "--joins-per-minute", "0"),
                *self._flags,
            ],
            under=self._under,
        )
        self._child = child
        wait_until(
            lambda: self.ready_file.exists() or not child.running,
            f"the ready file of\n{child.transcript()}",
        )
        assert self.ready_file.exists(), child.transcript()
        ready = json.loads(self.ready_file.read_bytes())
        self.port = int(ready["port"])
        self.invite = str(ready["invite"])

    @property
    def child(self) -> Child:
        """The process of its present or last life."""
        assert self._child is not None, "not started"
        return self._child

    @property
    def join(self) -> Invite:
        """The invite, taken apart."""
        return parse_invite(self.invite)

    def kill(self) -> None:
        """End it without a chance to write or say anything more."""
        self.child.kill()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        self.child.process.send_signal(how)
        return self.child.status()


class Client:
    """A person with a data folder: each verb is a process of its own."""

    def __init__(self, house: "House", folder: Path, name: str, invite: str) -> None:
        self.data_dir = folder
        self.name = name
        self.invite = invite
        self._house = house

    def run(
        self,
        verb: str,
        *flags: str,
        stdin: str | bytes = "",
        environment: dict[str, str] | None = None,
    ) -> Child:
        """Start a verb."""
        return self._house.child(
            f"{verb} of {self.name}",
            self.arguments(verb, *flags),
            stdin=stdin,
            environment=environment,
        )

    def listen(self, *flags: str) -> Listener:
        """Start listening, in JSON."""
        listener = Listener(f"listen of {self.name}", self.arguments("listen", "--json", *flags))
        self._house.children.append(listener)
        return listener

    def ask(self, verb: str, *flags: str, stdin: str = "") -> list[str]:
        """Run a verb to its end, which must be a good one; what it printed."""
        child = self.run(verb, *flags, stdin=stdin)
        assert child.status() == 0, child.transcript()
        return child.out

    def send(self, text: str, *flags: str) -> None:
        """Say one thing; it is on the server's disk when this returns."""
        self.ask("send", *flags, text)

    def arguments(self, verb: str, *flags: str) -> list[str]:
        """The command line of a verb, behind `python -m`."""
        return [
            "chat_client",
            verb,
            *("--data-dir", str(self.data_dir), "--join", self.invite, "--name", self.name),
            *flags,
        ]


class House:
    """All processes of one test, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: list[Child] = []

    def child(
        self,
        title: str,
        arguments: Sequence[str],
        *,
        stdin: str | bytes = "",
        environment: dict[str, str] | None = None,
        under: Sequence[str | Path] = (),
    ) -> Child:
        """Start any program of ours, by itself or `under` another."""
        child = Child(title, arguments, stdin=stdin, environment=environment, under=under)
        self.children.append(child)
        return child

    def server(
        self,
        *flags: str,
        name: str = "server",
        start: bool = True,
        under: Sequence[str | Path] = (),
        program: Sequence[str] = ("chat_server",),
    ) -> Server:
        """A server on a folder of its own; `program` is its module, and what that is given."""
        server = Server(self, self.folder / name, flags, under, program)
        server.data_dir.parent.mkdir(exist_ok=True)
        if start:
            server.start()
        return server

    def client(self, server: Server, name: str) -> Client:
        """A person who has the server's invite."""
        return Client(self, self.folder / f"client-{name}", name, server.invite)

    def close(self) -> None:
        """End every process. What they said is printed, for pytest to show if the test failed."""
        for child in self.children:
            child.close()
        for child in self.children:
            print(child.transcript())  # noqa: T201 (pytest captures it)

    def check(self) -> None:
        """No program met an error it did not expect."""
        for child in self.children:
            alarms = [line for line in child.err if any(alarm in line for alarm in _ALARMS)]
            assert not alarms, child.transcript()


@contextmanager
def a_house(folder: Path) -> Iterator[House]:
    """A house that is empty again afterwards, and was a quiet one."""
    house = House(folder)
    try:
        yield house
    finally:
        house.close()
    house.check()
