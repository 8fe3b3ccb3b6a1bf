"""What a program asks of the system, in which order: the record of `strace`, read.

Linux only. The record has one order for all threads: strace writes a call down when it begins and
again when it returns if others came in between, and the thread goes on only after that. So what
stands behind a call's return in the record may have been caused by it, and what stands before
it can't.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

STRINGS: Final = 1 << 20
"""Bytes of an argument that are recorded; more than any one write of the server's."""
_PATH: Final = r"(?:\\x[0-9a-f]{2})+"
_OTHER: Final = r"[\w-]+:\[[^>]*(?:->[^>]*)?\][^>]*"
_BEGUN: Final = re.compile(
    rf"(?P<thread>\d+) +(?P<name>\w+)\(\d+<(?:(?P<path>{_PATH})(?:<[^>]*>)?|(?P<other>{_OTHER}))>"
    r'(?:\(deleted\))?(?:, "(?P<data>(?:\\x[0-9a-f]{2})*)"(?P<cut>\.\.\.)?)?'
)
_UNFINISHED: Final = "<unfinished ...>"
_RESUMED: Final = re.compile(r"(?P<thread>\d+) +<\.\.\. (?P<name>\w+) resumed>")
_RESULT: Final = re.compile(r" = (?P<result>-?\d+)[^=]*$")


@dataclass(frozen=True, slots=True)
class Call:
    """A system call on a file, named by its path, or on a socket: `TCP:[this end->that end]`.

    `begun` and `done` are places in the one order of the record; `done` is None, like `result`,
    for a call that had not returned when the record ended.
    """

    name: str
    file: str
    data: bytes
    begun: int
    done: int | None = None
    result: int | None = None


def tracer(calls: Iterable[str], record: Path) -> list[str | Path]:
    """A command that runs a program, as this process's own child, and records these calls."""
    return [
        *("strace", "-D", "-f", "-qq", "-yy", "-xx", "-s", str(STRINGS)),
        *("-e", f"trace={','.join(calls)}", "-e", "signal=none", "-o", record),
    ]


def why_not() -> str | None:
    """Why calls can't be recorded here, if they can't."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-qq", "true"], capture_output=True, text=True, check=False)
    return f"strace may not trace here: {tried.stderr.strip()}" if tried.returncode else None


def read(lines: Iterable[str]) -> list[Call]:
    """The calls of a record, in the order in which they began. Fails on what it can't read."""
    calls: list[Call] = []
    unfinished: dict[str, int] = {}
    for place, line in enumerate(lines):
        resumed = _RESUMED.match(line)
        if resumed is not None:
            number = unfinished.pop(resumed["thread"])
            assert calls[number].name == resumed["name"], line
            calls[number] = replace(calls[number], done=place, result=_result(line))
            continue
        begun = _BEGUN.match(line)
        assert begun is not None, f"not a system call: {line[:200]}"
        assert begun["cut"] is None, "an argument was longer than what is recorded"
        file = begun["other"] or _unquoted(begun["path"]).decode()
        call = Call(begun["name"], file, _unquoted(begun["data"] or ""), place)
        if line.rstrip().endswith(_UNFINISHED):
            unfinished[begun["thread"]] = len(calls)
        else:
            call = replace(call, done=place, result=_result(line))
        calls.append(call)
    return calls


def _result(line: str) -> int:
    found = _RESULT.search(line)
    assert found is not None, f"without a result: {line[-200:]}"
    return int(found["result"])


def _unquoted(string: str) -> bytes:
    return bytes.fromhex(string.replace("\\x", ""))
