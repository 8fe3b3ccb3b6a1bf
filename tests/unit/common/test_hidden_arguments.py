"""Secrets among a program's arguments and in its environment are overwritten in its memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.system import hidden_arguments
from common.system.hidden_arguments import hide_arguments

ROOT = Path(__file__).parents[3]
LINK = "chat://10.0.0.1:1/join?secret=c2VjcmV0-Äß☃"
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
# Hides what it gets by its input, says so, and waits for the end of its input.
_PROGRAM = """
import os, sys
print("started", flush=True)
from common.system.hidden_arguments import hide_arguments
secret = sys.stdin.readline().rstrip("\\n")
done = hide_arguments([secret], "CHAT_INVITE")
print(done, secret in " ".join([*sys.argv, *sys.orig_argv]), os.environ["AFTER"], flush=True)
sys.stdin.read()
"""


def shown(pid: int | str) -> bytes:
    """What `ps` shows of a process, with its environment."""
    folder = Path(f"/proc/{pid}")
    return (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()


@pytest.fixture
def program() -> Iterator[subprocess.Popen[bytes]]:
    """A program with a secret among its arguments and in its environment."""
    environment = {**os.environ, "CHAT_INVITE": LINK, "AFTER": f"kept:{LINK[:9]}"}
    arguments = ["--join", LINK, f"--join={LINK}", "last one"]
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as program:
        yield program


@linux
def test_a_secret_is_gone_from_both(program: subprocess.Popen[bytes]) -> None:
    """Wherever it stands, and nothing else is; the program's own view of all else stays."""
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stdout.readline() == b"started\n"
    before = shown(program.pid)
    assert before.count(LINK.encode()) == 3
    program.stdin.write(LINK.encode() + b"\n")
    program.stdin.flush()
    assert program.stdout.readline().split() == [b"True", b"False", b"kept:chat://10"]
    after = shown(program.pid)
    assert after == before.replace(LINK.encode(), b"*" * len(LINK.encode()))
    program.stdin.close()
    assert program.wait() == 0


@linux
def test_a_loader_that_may_not_be_touched_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A single file's loader has the same arguments; without the right to change it, say so."""
    touched: list[int | str] = []

    def overwrite(process: int | str, *_: object) -> bool:
        touched.append(process)
        return process == "self"

    monkeypatch.setattr(hidden_arguments, "_overwrite", overwrite)
    monkeypatch.setattr(hidden_arguments, "_arguments_of", lambda _: b"the same")
    assert hide_arguments(["x"], "V")
    assert touched == ["self"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert not hide_arguments(["x"], "V")
    assert touched == ["self", "self", os.getppid()]


@linux
def test_another_parent_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder's program has a parent with other arguments: whoever started it."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    before = shown(os.getppid())
    assert hide_arguments(["/"], "PATH")
    assert shown(os.getppid()) == before


def test_what_cannot_be_read_is_no_error() -> None:
    """A process that is no more, or a system without /proc."""
    assert not hidden_arguments._overwrite(0, ["x"], "V")


@pytest.mark.parametrize(
    ("argument", "masked"),
    [
        ("secret", "******"),
        ("--join=secret", "--join=******"),
        ("--join=sec", "--join=***"),
        ("secretly", "secretly"),
        ("a secret", "a secret"),
        ("", ""),
    ],
)
def test_only_whole_arguments_are_masked(argument: str, masked: str) -> None:
    """Something damaged may be any word, which others may contain."""
    assert hidden_arguments._masked(argument, ["secret", "sec"], "=", "*") == masked


def test_only_one_variable_loses_its_value() -> None:
    """Programs that are started later inherit the others."""
    before = [b"HOME=/home/secret", b"CHAT=secret", b"CHATS=secret", b"CHAT", b""]
    after = [hidden_arguments._without_value(each, b"CHAT=") for each in before]
    assert after == [before[0], b"CHAT=******", *before[2:]]
