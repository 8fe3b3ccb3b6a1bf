"""What a process has in use, as the system counts it. Linux only: it reads /proc."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.screen import BenchError

_TICKS: Final = os.sysconf("SC_CLK_TCK")
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Vitals:
    """One moment of a process.

    `at`: seconds on the monotonic clock. `memory`: resident bytes; `own` are those of them that
    belong to no file. `files`: open files, sockets included. `cpu`: seconds of a processor used
    so far.
    """

    at: float
    memory: int
    own: int
    threads: int
    files: int
    cpu: float


def vitals(pid: int) -> Vitals:
    """Those of a process now. Raises BenchError when it has ended."""
    try:
        status = _status(pid)
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
        files = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 (8,000 paths are not needed)
    except OSError as error:
        raise BenchError(f"the process {pid} has ended") from error
    # Behind the name, which may hold anything: state, parent, …, utime, stime.
    fields = stat.rpartition(")")[2].split()
    return Vitals(
        at=time.monotonic(),
        memory=status["VmRSS"],
        own=status["RssAnon"],
        threads=status["Threads"],
        files=files,
        cpu=(int(fields[11]) + int(fields[12])) / _TICKS,
    )


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of all files in a folder and below, by their path in it."""
    found = {}
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                found[str(path.relative_to(folder))] = path.stat().st_size
        except FileNotFoundError:
            continue  # Gone in the meantime.
    return found


def _status(pid: int) -> dict[str, int]:
    """The lines with a number: sizes in bytes, the rest as they are."""
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        number, _, unit = value.strip().partition(" ")
        if number.isdigit():
            found[name] = int(number) * (1024 if unit == "kB" else 1)
    return found
