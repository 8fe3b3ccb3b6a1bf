"""Runs a command for each message: `listen --exec`.

One at a time, in the order in which the messages arrived, and never through a shell: what people
write is on the command's standard input and in none of its arguments. Messages are queued in the
cache, of which one page at a time is in memory: a slow command costs neither memory nor the
connection.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Event as Flag
from threading import Lock, Thread
from typing import Final

from common.protocol.events import Event, PartOfBody

PAGE: Final = 16
"""Maximum number of messages held in memory; each has up to 16 KiB of text."""
TIME_TO_END: Final = 5.0
"""Seconds that a running command has to end by itself when listening ends."""
_TERMINATION: Final = 2.0
"""Seconds between terminating a command (SIGTERM) and killing it (SIGKILL)."""
_LOOK_AGAIN: Final = 0.05
"""Polling interval in seconds for a command that does not read its input, or is to end."""

if sys.platform == "win32":
    _FLAGS: Final = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _FLAGS: Final = 0

Page = list[Event]

log = logging.getLogger(__name__)


class CommandError(Exception):
    """The command can't be started. The text is a reason for the person."""


def event_line(event: Event) -> str:
    """An event as one line of JSON, in ASCII, with its whole body as it was received."""
    body = event.body.whole if isinstance(event.body, PartOfBody) else event.body
    return json.dumps(event._replace(body=body)._asdict())


def find_command(name: str) -> str:
    """The path of an executable, searched for in PATH. Raises CommandError."""
    path = shutil.which(name)
    if path is None:
        why = "there is no such program, or it may not be executed"
        raise CommandError(f"the command {name} can't be started: {why}")
    return path


class CommandRunner:
    """Runs `command` for one message after the other, on a thread of its own.

    `fetch(reply)` requests the next messages, and calls `reply` with them on any thread, or never.
    `done` is called with each message whose command has ended by itself, with any status; not with
    one whose command was terminated by `stop`. `tell` gets lines for the person about commands that
    failed. `ended` is called once: with None after `limit` messages, or with the reason why the
    command can't be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        fetch: Callable[[Callable[[Page], object]], object],
        done: Callable[[Event], object],
        tell: Callable[[str], object],
        ended: Callable[[CommandError | None], object],
        limit: int | None = None,
    ) -> None:
        self._command = command
        self._fetch = fetch
        self._done = done
        self._tell = tell
        self._has_ended = ended
        self._left = limit
        self._pages: SimpleQueue[Page | None] = SimpleQueue()
        self._more = Flag()
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._terminated = False
        """Whether the running command was terminated by `stop`."""
        self._thread = Thread(target=self._run, name="commands")

    def start(self) -> None:
        """Start the thread, with the messages that are queued already."""
        self._thread.start()

    def wake(self) -> None:
        """Have the queue read again, as there may be more messages. Does not block."""
        self._more.set()

    def stop(self, hurried: Callable[[], bool] = lambda: False) -> None:
        """Start no further command, and return when none is running. Idempotent.

        The running one has TIME_TO_END, cut short by `hurried()`; then its process group is
        terminated, and at last killed.
        """
        with self._lock:
            self._stopping = True
        self._more.set()
        self._pages.put(None)
        if not self._thread.is_alive():
            return
        until = time.monotonic() + TIME_TO_END
        while self._thread.is_alive() and time.monotonic() < until and not hurried():
            self._thread.join(_LOOK_AGAIN)
        with self._lock:
            process = self._process
            self._terminated = process is not None
        if process is not None:
            self._tell(f"{self._command[0]} did not end; it is terminated")
            _end(process, kill=False)
            self._thread.join(_TERMINATION)
            # Kills also processes that it has started and that have outlived it.
            _end(process, kill=True)
        self._thread.join()

    # The thread

    def _run(self) -> None:
        try:
            self._take_pages()
        except Exception as error:
            log.exception("running the commands failed")
            self._has_ended(CommandError(f"the commands can't be run: {error}"))

    def _take_pages(self) -> None:
        while not self._stopping:
            # Before reading the queue: a message queued after that sets the flag again.
            self._more.clear()
            self._fetch(self._pages.put)
            page = self._pages.get()
            if page is None:
                return
            for event in page:
                if not self._hand(event):
                    return
            if not page:
                self._more.wait()

    def _hand(self, event: Event) -> bool:
        """Run the command for a message; returns whether to go on with the next one."""
        try:
            with self._lock:
                if self._stopping:
                    return False
                process = self._process = _start(self._command)
        except CommandError as error:
            self._has_ended(error)
            return False
        _feed(process, event_line(event).encode() + b"\n")
        status = process.wait()
        with self._lock:
            self._process = None
            if self._terminated:
                return False
        if status:
            self._tell(f"message {event.seq} of {event.room}: {self._command[0]} {_why(status)}")
        self._done(event)
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self._has_ended(None)
                return False
        return True


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start it in a process group of its own, so that Ctrl+C in a terminal does not reach it.

    Raises CommandError.
    """
    path = find_command(command[0])
    try:
        return subprocess.Popen(  # noqa: S603  # no shell, and nothing of others in it
            [path, *command[1:]],
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            creationflags=_FLAGS,
        )
    except OSError as error:
        why = error.strerror or error
        raise CommandError(f"the command {command[0]} can't be started: {why}") from error


def _end(process: subprocess.Popen[bytes], *, kill: bool) -> None:
    """Terminate or `kill` a command's process group: itself and what it has started."""
    if sys.platform == "win32":
        # Nothing else ends a process tree on Windows, and there is no gentler request like SIGTERM.
        subprocess.run(  # noqa: S603
            ["taskkill", "/F", "/T", "/PID", str(process.pid)],  # noqa: S607  # of the system
            check=False,
            capture_output=True,
        )
    else:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL if kill else signal.SIGTERM)


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Write its standard input and close it. It may end without reading it.

    A pipe holds 64 KiB on Linux, and a long text in JSON is more: a write would block on a command
    that has ended without reading, if a process that it has started keeps the pipe open.
    """
    pipe = process.stdin
    if pipe is None:
        return
    with contextlib.suppress(OSError), pipe:  # EPIPE, on Windows EINVAL: it was closed unread
        if sys.platform == "win32":
            pipe.write(data)
            return
        os.set_blocking(pipe.fileno(), False)
        poll = select.poll()
        poll.register(pipe, select.POLLOUT)
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(pipe.fileno(), rest) :]
            except BlockingIOError:
                if process.poll() is not None:
                    return
                poll.poll(1000 * _LOOK_AGAIN)


def _why(status: int) -> str:
    if status > 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
