"""`listen --exec`: a command for each message, in order, none lost, whatever becomes of whom."""

from __future__ import annotations

import json
import shlex
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.process.harness import Child, Client, House, Server, wait_until
from tests.process.wire import Session

RELEASED = "until test -e {go} || ! kill -0 $PPID; do sleep 0.01; done 2> /dev/null"
"""A shell's way to wait until a test lets it go on, or until there is no listener any more."""


class Bot:
    """Somebody whose listener runs a shell script for each message, and what the script wrote."""

    def __init__(self, house: House, server: Server, folder: Path) -> None:
        self.client: Client = house.client(server, "robot")
        self.out = folder / "out"
        self.go = folder / "go"
        self.house = house

    def listen(self, script: str, *flags: str, under: tuple[str, ...] = ()) -> Child:
        """Listen; the script gets the message, and what it prints is kept."""
        words = script.format(out=self.out, go=self.go)
        return self.house.child(
            "listen --exec of robot",
            self.client.arguments("listen", *flags, "--exec", "sh", "-c", words),
            under=under,
        )

    @property
    def texts(self) -> list[str]:
        """The texts of the messages that the script has written."""
        if not self.out.exists():
            return []
        lines = self.out.read_text().splitlines()
        return [str(json.loads(line)["body"]["text"]) for line in lines]

    def position(self) -> int:
        """How far the room has been received and stored."""
        found = list(self.client.data_dir.glob("accounts/*/cache.db"))
        if not found:
            return 0
        with closing(sqlite3.connect(found[0])) as cache:
            try:
                (position,) = cache.execute("SELECT max(position) FROM rooms").fetchone()
            except sqlite3.OperationalError:
                return 0  # It is being made.
        return int(position or 0)


def _runs(pid: str) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def bot(house: House, server: Server, tmp_path: Path) -> Bot:
    """Nobody listens yet."""
    return Bot(house, server, tmp_path)


def test_each_message_of_others_runs_the_command(bot: Bot, server: Server) -> None:
    """As `--json` prints it; nothing for joins and for one's own, and what was printed is heard."""
    bot.client.send("mine")
    with Session(server.join, "ben") as ben:
        ben.say_all(*(f"line {number}" for number in range(20)), "$(touch x) `id` ; \n'\"")
        log = ben.everything()
        listening = bot.listen("tee -a {out}", "--count", "21")
        assert listening.status() == 0, listening.transcript()
        said = [json.dumps(event._asdict()) for event in log if event.sender == "ben"][1:]
        assert bot.out.read_text().splitlines() == said
        assert listening.out == said  # what the command prints is printed
        assert listening.err == []
        ben.say_all("later")
    assert bot.client.listen("--count", "1").texts(1) == ["later"]


def test_a_slow_command_holds_up_nobody(bot: Bot, server: Server) -> None:
    """All is received and stored meanwhile, over one connection, and handed on in order."""
    listening = bot.listen(RELEASED + "; cat >> {out}", "--count", "300")
    with Session(server.join, "ben") as ben:
        wait_until(bot.position, "the robot to listen")
        ben.say_all(*(f"{number} {'x' * 4000}" for number in range(300)))
        (*_, last) = ben.everything()
        wait_until(lambda: bot.position() == last.seq, "all to be received")
        assert not bot.out.exists()
        bot.go.touch()
        assert listening.status(within=50) == 0, listening.transcript()
    assert [text.split()[0] for text in bot.texts] == [str(number) for number in range(300)]
    assert listening.err == []


def test_a_listener_that_is_killed_loses_nothing(bot: Bot, server: Server) -> None:
    """What its command was running for comes again; what waits comes once, and in order."""
    script = "cat >> {out}; tail -1 {out} | grep -q 'line 5' || exit 0; " + RELEASED
    with Session(server.join, "ben") as ben:
        ben.say_all(*(f"line {number}" for number in range(10)))
        (*_, last) = ben.everything()
        listening = bot.listen(script)
        wait_until(lambda: len(bot.texts) == 6, "the command to be in the middle")
        wait_until(lambda: bot.position() >= last.seq, "all to be received")
        listening.kill()
        bot.go.touch()
        ben.say_all("line 10")
        assert bot.listen(script, "--count", "6").status() == 0
    assert bot.texts == [f"line {number}" for number in [*range(6), *range(5, 11)]]


def test_a_listener_that_is_asked_to_end_ends_its_command(bot: Bot, server: Server) -> None:
    """A second time, it does not wait for it. No process is left, and the message comes again."""
    with Session(server.join, "ben") as ben:
        ben.say_all("one", "two")
        listening = bot.listen("sleep 60 & echo $$ $! > {out}.pid; wait")
        pid_file = bot.out.with_name("out.pid")
        wait_until(lambda: pid_file.exists() and pid_file.read_text(), "the command")
        pids = pid_file.read_text().split()
        for number in (signal.SIGTERM, signal.SIGINT):
            listening.process.send_signal(number)
        assert listening.status() == 0, listening.transcript()
        assert listening.err == ["ChatClient: sh did not end; it is terminated"]
        wait_until(lambda: not any(map(_runs, pids)), "both processes to end")
        assert bot.client.listen("--count", "2").texts(2) == ["one", "two"]


def test_a_command_that_ends_in_time_is_waited_for(bot: Bot, server: Server) -> None:
    """Its message is heard, and the next one waits for the next listener."""
    with Session(server.join, "ben") as ben:
        ben.say_all("one", "two")
        listening = bot.listen("cat >> {out}; " + RELEASED)
        wait_until(lambda: bot.texts == ["one"], "the command")
        listening.process.send_signal(signal.SIGINT)
        bot.go.touch()
        assert listening.status() == 0, listening.transcript()
        assert listening.err == []
        assert bot.texts == ["one"]
        assert bot.client.listen("--count", "1").texts(1) == ["two"]


def test_a_command_that_fails_does_not_end_the_listening(bot: Bot, server: Server) -> None:
    """It is told on standard error. One that can't be started ends it, with its reason."""
    with Session(server.join, "ben") as ben:
        ben.say_all("one", "two")
        listening = bot.listen("cat >> {out}; exit 7", "--count", "2")
        assert listening.status() == 0
        assert [line.partition(": sh ")[2] for line in listening.err] == ["ended with status 7"] * 2
        assert bot.texts == ["one", "two"]
    missing = bot.client.run("listen", "--exec", "./no such bot")
    assert missing.status() == 1
    (line,) = missing.err
    assert line.startswith("ChatClient: the command ./no such bot can't be started: ")


def test_a_robot_that_answers_does_not_answer_itself(bot: Bot, server: Server) -> None:
    """Its command is this program again, for the same account."""
    answer = shlex.join(
        [sys.executable, "-m", *bot.client.arguments("send", "--room", "general", "yes?")]
    )
    with Session(server.join, "ben") as ben:
        listening = bot.listen(f"cat >> {{out}}; {answer}", "--mentions", "--count", "2")
        ben.follow()
        ben.say_all("nothing", "@robot")
        ben.hear("yes?")
        ben.say_all("@Robot!")
        assert listening.status() == 0, listening.transcript()
        assert bot.texts == ["@robot", "@Robot!"]
        said = [event.text for event in ben.everything() if event.sender == "robot"][1:]
        assert said == ["yes?", "yes?"]


def test_without_standard_streams(bot: Bot, server: Server) -> None:
    """The command gets its message all the same, and nobody gets another's descriptors."""
    with Session(server.join, "ben") as ben:
        ben.say_all("one")
        none = ("sh", "-c", 'exec "$@" <&- >&-', "sh")
        listening = bot.listen("cat >> {out}; ls /proc/$$/fd >&2", "--count", "1", under=none)
        assert listening.status() == 0, listening.transcript()
        assert bot.texts == ["one"]
        if Path("/proc/self/fd").exists():
            assert set(listening.err) <= {"0", "1", "2"}


def test_from_a_place_nothing_is_kept(bot: Bot, server: Server) -> None:
    """With `--after` the queue is in memory, beside whoever listens otherwise."""
    bot.client.send("mine")
    with Session(server.join, "ben") as ben:
        ben.say_all("one", "two")
        second = next(event.seq for event in ben.everything() if event.text == "two")
        for _ in range(2):
            listening = bot.listen("cat >> {out}", "--after", str(second - 1), "--count", "1")
            assert listening.status() == 0, listening.transcript()
    assert bot.texts == ["two", "two"]
