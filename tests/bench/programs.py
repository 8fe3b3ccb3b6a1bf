"""Programs as processes: started, weighed and ended. Linux only, as it reads /proc."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.screen import BenchError

ROOT: Final = Path(__file__).resolve().parents[2]
ENDED_WITHIN: Final = 20.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
"""Clock ticks in a second: the unit of processor time in /proc."""


@dataclass(frozen=True, slots=True)
class Build:
    """One way in which both programs can be started: by what, and in which folder."""

    title: str
    server: tuple[str, ...]
    client: tuple[str, ...]
    folder: Path

    @property
    def frozen(self) -> bool:
        """Whether it needs no Python of the computer's own."""
        return self.server[0] != sys.executable


def builds_in(dist: Path) -> list[Build]:
    """The three forms of the programs. Raises BenchError when something was not built."""
    folder, single = dist / "Chat", dist
    for each in (folder, single):
        for program in ("ChatServer", "ChatClient"):
            if not os.access(each / program, os.X_OK) or (each / program).is_dir():
                raise BenchError(
                    f"there is no {each / program}: build first with `python3 dev.py build`"
                )
    frozen = [
        Build(title, (str(each / "ChatServer"),), (str(each / "ChatClient"),), dist)
        for title, each in (("folder", folder), ("single file", single))
    ]
    return [*frozen, from_source()]


def from_source() -> Build:
    """The programs as they stand in the working tree."""
    python = (sys.executable, "-m")
    return Build("source", (*python, "chat_server"), (*python, "chat_client"), ROOT)


def clean_environment(home: Path) -> dict[str, str]:
    """What a program is told by a fresh login, and nothing of who measures."""
    temporary = home / "tmp"
    temporary.mkdir(parents=True)
    return {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": str(temporary),  # a single file unpacks itself there
    }


@dataclass(frozen=True, slots=True)
class Order:
    """What to start: its name for people, its command line, where, and what it reads."""

    title: str
    command: tuple[str | Path, ...]
    folder: Path
    stdin: Path = Path(os.devnull)


class Program:
    """A program and whatever it starts itself: a single file is two processes.

    `started` is the time of `time.perf_counter` just before the fork.
    """

    def __init__(self, order: Order, environment: Mapping[str, str], log: Path) -> None:
        self.title = order.title
        self._log = log
        with log.open("wb") as said, order.stdin.open("rb") as read:
            self.started = time.perf_counter()
            self._process = subprocess.Popen(
                list(map(str, order.command)),
                cwd=order.folder,
                env=dict(environment),
                stdin=read,
                stdout=said,
                stderr=said,
            )

    def pids(self) -> set[int]:
        """Its processes; empty once it has ended."""
        return _tree(self._process.pid) if self._process.poll() is None else set()

    def memory(self) -> float:
        """Memory of its own in MiB: pages it shares with others count by its part (PSS)."""
        kilobytes = 0
        for pid in self.pids():
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes += next(
                int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
            )
        return kilobytes / 1024

    def processor_time(self) -> float:
        """Seconds of a processor that it used so far."""
        ticks = 0
        for pid in self.pids():
            # Behind the name, which may hold anything: state, parent, …, utime, stime.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / _TICKS

    def wait(self, within: float = ENDED_WITHIN) -> None:
        """Until it has done what it is there for. Raises BenchError when that went wrong."""
        try:
            self._ended(self._process.wait(within), {0})
        except subprocess.TimeoutExpired:
            raise self.failure("does not come to an end") from None

    def end(self, *, by_signal: bool = False) -> None:
        """Ask it to end. Raises BenchError when that takes long, or its status is not 0.

        `by_signal`: it does not know of SIGTERM, which simply ends it.
        """
        if self._process.poll() is not None:
            raise self.failure("ended by itself")
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(ENDED_WITHIN)
        except subprocess.TimeoutExpired:
            raise self.failure("does not end") from None
        self._ended(status, {-signal.SIGTERM} if by_signal else {0})

    def close(self) -> None:
        """Leave nothing behind; harmless after its end."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def failure(self, why: str) -> BenchError:
        """An error that shows what the program said."""
        said = self._log.read_text(errors="replace").strip()[-2000:]
        return BenchError(f"{self.title} {why}" + (f"; it said:\n{said}" if said else ""))

    def _ended(self, status: int, well: set[int]) -> None:
        if status not in well:
            raise self.failure(f"ended with status {status}")


def bare_frozen(folder: Path, environment: Mapping[str, str]) -> Path:
    """Freeze a bare Tk window as the programs are frozen; the folder that it is in.

    Raises BenchError.
    """
    log = folder / "pyinstaller.log"
    with log.open("wb") as said:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "PyInstaller", "--noconfirm"),
                *("--distpath", str(folder / "dist"), "--workpath", str(folder / "work")),
                str(ROOT / "build_specs" / "bare.spec"),
            ],
            # Its own cache: several builds at a time must not clear each other's.
            env={**environment, "PYINSTALLER_CONFIG_DIR": str(folder / "cache")},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            check=False,
        )
    if done.returncode:
        raise BenchError(f"PyInstaller failed:\n{log.read_text(errors='replace')[-2000:]}")
    shutil.rmtree(folder / "work")
    return folder / "dist" / "bare"


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; a link counts as what it takes itself."""
    if path.is_dir() and not path.is_symlink():
        return sum(size(each) for each in path.iterdir())
    return path.lstat().st_size


def _tree(root: int) -> set[int]:
    """A process and its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                stat = (entry / "stat").read_text()
                parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found
