"""Somebody who starts the frozen programs, with nothing of this checkout around them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from tests.process.networks import Computer

DEADLINE: Final = 30.0
"""Seconds for anything that should happen at once; a loaded machine may take a while."""
PATIENCE: Final = 2.0
"""Seconds after which a key or a click that led to nothing is repeated."""


def wait_for(condition: Callable[[], object], what: str, within: float = DEADLINE) -> None:
    """Look again and again until it holds; fail after `within` seconds."""
    if not holds_within(condition, within):
        pytest.fail(f"waited {within:.0f} s for {what}")


def holds_within(condition: Callable[[], object], seconds: float) -> bool:
    """Look again and again until it holds, for so long; whether it did.

    For keys and clicks, which are lost where the keyboard or a window just moves: whoever uses this
    presses again.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Program:
    """A program that runs. What it says is in `said`."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path | None) -> None:
        self.process = process
        self._output = output

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self.process.pid

    @property
    def said(self) -> str:
        """What came on standard output and standard error until now."""
        return self._output.read_text(errors="replace") if self._output else ""

    def ended(self, within: float = DEADLINE) -> int:
        """Wait for its end; the exit status."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            pytest.fail(f"it does not end; it said: {self.said}")

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)


def command_on(computer: Computer, user: int | None) -> list[str]:
    """A command that runs another one on a computer, as this user."""
    enter = [_tool("nsenter"), f"--target={computer.pid}", "--net", "--mount", "--uts"]
    if user is None:
        return [*enter, "--user", "--preserve-credentials"]
    become = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return [*enter, _tool("setpriv"), *become]


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


class Person:
    """Starts programs in `home`. With `user`, as that user, who then owns the home.

    `computer` is a command that runs another one on another computer, as that user.
    """

    def __init__(self, home: Path, user: int | None, computer: Sequence[str] = ()) -> None:
        self.home = home
        self.temporary = home / "tmp"
        """Where single files unpack themselves."""
        self.tools = home / "bin"
        """The only folder in which a program finds other programs."""
        self._user = user
        self._computer = list(computer)
        self._programs: list[Program] = []
        for folder in (self.temporary, self.tools):
            folder.mkdir()
        allowed = os.environ.get("XAUTHORITY")
        if allowed and Path(allowed).exists():
            shutil.copy(allowed, home / ".Xauthority")  # where X looks by itself
        self.own(home)

    @property
    def environment(self) -> dict[str, str]:
        """All that a program of theirs knows."""
        kept = {name: os.environ[name] for name in ("DISPLAY", "SYSTEMROOT") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "LANG": "C.UTF-8",
            "PATH": str(self.tools),
            "TMPDIR": str(self.temporary),
        }

    def own(self, *folders: Path) -> None:
        """Give folders, with what is in them, to this person."""
        if self._user is not None:
            for folder in folders:
                for path in (folder, *folder.rglob("*")):
                    os.chown(path, self._user, self._user)

    def start(
        self, *command: object, console: bool = True, environment: dict[str, str] | None = None
    ) -> Program:
        """Start a program. Without a console it has no streams at all, as on a double-click."""
        output = self.home / f"said-{len(self._programs)}.txt" if console else None
        words = [str(word) for word in command]
        if output is not None:
            output.touch()
            self.own(output)
            process = self._popen(words, environment, output)
        else:
            # Python can't close the three streams; a shell can.
            process = self._popen(
                ["/bin/sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', *words], environment, None
            )
        program = Program(process, output)
        self._programs.append(program)
        return program

    def run(self, *command: object) -> tuple[int, str]:
        """Start a program and wait for it; its exit status and what it said."""
        program = self.start(*command)
        return program.ended(), program.said

    def write(self, path: Path, content: str, *, executable: bool = False) -> None:
        """Make a file of theirs."""
        path.write_text(content)
        path.chmod(0o755 if executable else 0o644)
        self.own(path)

    def leave(self) -> None:
        """End whatever still runs."""
        for program in self._programs:
            if program.process.poll() is None:
                # With all it started: a single file runs as two processes.
                os.killpg(program.pid, signal.SIGKILL)
                program.process.wait()
        # And what is no child of theirs, as the desktop has opened it.
        for pid in self.processes() if sys.platform == "linux" else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self) -> list[int]:
        """Everything of theirs that still runs, found by its environment (Linux)."""
        mine = f"HOME={self.home}\0".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mine in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue  # it has just ended, or is not ours to look at
        return found

    def _popen(
        self, words: list[str], environment: dict[str, str] | None, output: Path | None
    ) -> subprocess.Popen[bytes]:
        # Not in the source: what works there alone must fail here.
        where = "/" if os.name == "posix" else str(self.home)
        file = output.open("wb") if output else None
        user = None if self._computer else self._user
        try:
            return subprocess.Popen(
                [*self._computer, *words],
                cwd=where,
                env=environment or self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                start_new_session=True,
            )
        finally:
            if file:
                file.close()
