"""Commands run for messages: real ones, one after the other."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from threading import Event as Flag

import pytest

from chat_client import command_runner
from chat_client.command_runner import CommandError, CommandRunner, Page
from chat_client.headless import Interrupts
from common.limits import TEXT_BYTES
from common.protocol.events import Event
from tests.events import said

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the commands are a shell's")
DEADLINE = 20.0


class Bench:
    """A queue of messages, and a runner that takes them."""

    def __init__(self, *command: str, limit: int | None = None) -> None:
        self.waiting: list[Event] = []
        self.heard: list[int] = []
        self.told: list[str] = []
        self.pages = 0
        self.ends: SimpleQueue[CommandError | None] = SimpleQueue()
        self.looked = Flag()
        """Set when the runner has found nothing more."""
        self.runner = CommandRunner(
            command,
            fetch=self._fetch,
            done=self._hear,
            tell=self.told.append,
            ended=self.ends.put,
            limit=limit,
        )

    def _fetch(self, reply: Callable[[Page], object]) -> None:
        self.pages += 1
        page = self.waiting[:3]
        reply(page)
        if not page:
            self.looked.set()

    def _hear(self, event: Event) -> None:
        self.waiting.remove(event)
        self.heard.append(event.seq)

    def run(self, *events: Event) -> None:
        """Run the command for messages, until none waits."""
        self.waiting += events
        self.runner.start()
        assert self.looked.wait(DEADLINE)
        self.runner.stop()


@pytest.fixture
def ended() -> Iterator[list[CommandRunner]]:
    """Runners to be stopped after the test."""
    runners: list[CommandRunner] = []
    yield runners
    for runner in runners:
        runner.stop()


def appeared(path: Path) -> bool:
    """Whether a file appears in time."""
    end = time.monotonic() + DEADLINE
    while not path.exists():
        if time.monotonic() > end:
            return False
        Flag().wait(0.005)
    return True


def is_alive(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_each_message_is_on_the_commands_input(tmp_path: Path) -> None:
    """In its order, one line of JSON each, and nothing of it among the arguments."""
    out = tmp_path / "out"
    bench = Bench("sh", "-c", 'cat >> "$1"; echo "$#" >> "$1"', "bot", str(out))
    events = [said(1, text="$(touch x); `id`\n'"), *map(said, range(2, 9))]
    bench.run(*events)
    lines = out.read_text().splitlines()
    assert [json.loads(line) for line in lines[::2]] == [event._asdict() for event in events]
    assert set(lines[1::2]) == {"1"}
    assert bench.heard == list(range(1, 9))
    assert bench.told == []
    assert bench.pages == 4


def test_what_comes_later_is_looked_for_when_it_is_announced(ended: list[CommandRunner]) -> None:
    """There is nothing to do in between."""
    bench = Bench("true", limit=1)
    ended.append(bench.runner)
    bench.runner.start()
    assert bench.looked.wait(DEADLINE)
    bench.waiting.append(said(1))
    bench.runner.wake()
    assert bench.ends.get(timeout=DEADLINE) is None
    assert bench.heard == [1]


def test_a_command_that_fails_is_told_and_the_next_one_runs() -> None:
    """With its status, or what ended it; neither repeats a message."""
    bench = Bench("sh", "-c", 'case "$(cat)" in *kill*) kill -9 $$;; *) exit 3;; esac')
    bench.run(said(1), said(2, text="kill"))
    assert bench.told == [
        "message 1 of general: sh ended with status 3",
        "message 2 of general: sh was ended by SIGKILL",
    ]
    assert bench.heard == [1, 2]


def test_a_command_need_not_read(tmp_path: Path) -> None:
    """Neither does one that ends keep anybody waiting, nor what it has left with its input."""
    longest = said(1, text="\x01" * TEXT_BYTES)
    bench = Bench("sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; exit 0")
    try:
        bench.run(longest)
        assert bench.heard == [1]
        assert bench.told == []
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_long_message_arrives_whole(tmp_path: Path) -> None:
    """It is more than a pipe holds, and whoever reads it may take a while."""
    longest = said(1, text="\x01" * TEXT_BYTES)
    bench = Bench("sh", "-c", f"sleep 0.1; cat > {tmp_path}/out")
    bench.run(longest)
    assert json.loads((tmp_path / "out").read_text()) == longest._asdict()


@pytest.mark.parametrize("kind", ["missing", "a folder", "not executable", "no program"])
def test_a_command_that_can_not_be_started(
    tmp_path: Path, kind: str, ended: list[CommandRunner]
) -> None:
    """It ends the running of commands, and its message is not heard."""
    path = tmp_path / "bot"
    if kind == "a folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(b"\x7fELF nothing")
        path.chmod(0o700 if kind == "no program" else 0o600)
    bench = Bench(str(path))
    ended.append(bench.runner)
    bench.waiting.append(said(1))
    bench.runner.start()
    error = bench.ends.get(timeout=DEADLINE)
    assert str(error).startswith(f"the command {path} can't be started: ")
    assert str(error).count("\n") == 0
    assert bench.heard == []


def test_as_many_as_are_wanted() -> None:
    """Then no other command runs, though more waits."""
    bench = Bench("true", limit=2)
    bench.waiting += map(said, range(1, 6))
    bench.runner.start()
    assert bench.ends.get(timeout=DEADLINE) is None
    bench.runner.stop()
    assert bench.heard == [1, 2]


def test_a_command_has_time_to_end(tmp_path: Path) -> None:
    """When listening is ended; then its message is heard, and no other command runs."""
    bench = Bench(
        "sh", "-c", f"touch {tmp_path}/began; until test -e {tmp_path}/end; do sleep 0.01; done"
    )
    bench.waiting += [said(1), said(2)]
    bench.runner.start()
    assert appeared(tmp_path / "began")

    def hurried() -> bool:
        (tmp_path / "end").touch()
        return False

    bench.runner.stop(hurried)
    bench.runner.stop()
    assert bench.heard == [1]
    assert bench.told == []


def test_a_command_that_does_not_end_is_ended_with_all_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message is not heard: it comes again. What ignores to be terminated is killed."""
    monkeypatch.setattr(command_runner, "TIME_TO_END", 0.0)
    monkeypatch.setattr(command_runner, "_TERMINATION", 0.05)
    script = f"""
        trap "" TERM
        sh -c 'trap "" TERM; echo $$ > {tmp_path}/child; while :; do sleep 0.05; done' &
        echo $$ > {tmp_path}/pid.part
        until test -s {tmp_path}/child; do sleep 0.01; done
        mv {tmp_path}/pid.part {tmp_path}/pid
        while :; do sleep 0.05; done
    """
    bench = Bench("sh", "-c", script)
    bench.waiting.append(said(1))
    bench.runner.start()
    assert appeared(tmp_path / "pid")
    bench.runner.stop()
    assert bench.heard == []
    assert bench.told == ["sh did not end; it is terminated"]
    pids = [int((tmp_path / name).read_text()) for name in ("pid", "child")]
    end = time.monotonic() + DEADLINE
    while any(map(is_alive, pids)) and time.monotonic() < end:
        Flag().wait(0.005)
    assert not any(map(is_alive, pids))


def test_an_impatient_person_is_not_kept_waiting(tmp_path: Path) -> None:
    """A second Ctrl+C, while a command has its time to end."""
    bench = Bench("sh", "-c", f"touch {tmp_path}/began; exec sleep 60")
    bench.waiting.append(said(1))
    bench.runner.start()
    assert appeared(tmp_path / "began")
    asked = iter([False, True])
    bench.runner.stop(lambda: next(asked))
    assert bench.heard == []
    assert bench.told == ["sh did not end; it is terminated"]


def test_only_the_first_signal_breaks_off_what_is_done() -> None:
    """The others are counted."""
    interrupts = Interrupts()
    with pytest.raises(KeyboardInterrupt):
        interrupts.handle(signal.SIGINT, None)
    interrupts.handle(signal.SIGTERM, None)
    assert interrupts.count == 2
