"""Playing sounds, with players that are scripts of a test."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.desktop import sound
from common.desktop.sound import QUIET, SOUNDS, Burst, Sound, SoundPlayer

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="players differ on other systems"
)


def ended(condition: Callable[[], bool]) -> None:
    """Wait for something that can only be looked at."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


class Desk:
    """A PATH of its own, a clock, and what was played."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.touch()
        self.now = 100.0
        self.player = SoundPlayer(clock=lambda: self.now)

    def has(self, name: str, what: str = "exit 0") -> None:
        """There is a player that notes how it was called, and then does this."""
        path = self.folder / name
        # Written beside it and moved: a file that is open for writing can't be run.
        made = self.folder / "made"
        made.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.log}\n{what}\n', "utf-8")
        made.chmod(0o755)
        made.rename(path)

    @property
    def played(self) -> list[str]:
        """Which players were called, how."""
        return self.log.read_text("utf-8").splitlines()

    def settle(self) -> None:
        """Wait until nothing is played."""
        ended(lambda: not threads())


def threads() -> list[threading.Thread]:
    """The threads of players."""
    return [thread for thread in threading.enumerate() if thread.name == "sound"]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Stopped at the end, without a thread or a process."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    real = shutil.which
    # Real players of this computer are not asked.
    monkeypatch.setattr("shutil.which", lambda name: real(name, path=str(tmp_path)))
    desk = Desk(tmp_path)
    yield desk
    desk.player.stop()
    desk.settle()


def test_the_first_that_is_there_plays(desk: Desk) -> None:
    """With the volume, in its own numbers."""
    desk.has("paplay")
    assert desk.player.found() == "paplay"
    desk.player.play(Sound.MESSAGE, 0.5)
    desk.settle()
    assert desk.played == [f"paplay --volume=32768 {SOUNDS}/message.wav"]
    desk.has("pw-play")
    assert desk.player.found() == "pw-play"
    desk.now += 60
    desk.player.play(Sound.KNOCK, 7.0)
    desk.settle()
    assert desk.played[1:] == [f"pw-play --volume=1.0000 {SOUNDS}/knock.wav"]


def test_one_without_volume_gets_the_samples(desk: Desk) -> None:
    """Made quieter."""
    desk.has("aplay", f"cat > {desk.folder}/heard")
    desk.player.play(Sound.FAILED, 0.5)
    desk.settle()
    assert desk.played == ["aplay -q -"]
    heard = (desk.folder / "heard").read_bytes()
    assert heard == sound._quieter(SOUNDS / "failed.wav", 0.125)


def test_without_a_player_it_is_silent(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """And no error."""
    caplog.set_level(logging.DEBUG)
    assert desk.player.found() == ""
    desk.player.play(Sound.MESSAGE)
    desk.settle()
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


def test_one_that_fails_is_followed_by_the_next(desk: Desk) -> None:
    """As where its server does not run; from then on the next comes first."""
    desk.has("pw-play", "exit 1")
    desk.has("paplay", "exit 0")
    desk.player.play(Sound.MESSAGE)
    desk.settle()
    assert [line.split()[0] for line in desk.played] == ["pw-play", "paplay"]
    desk.now += 60
    desk.player.play(Sound.MESSAGE)
    desk.settle()
    assert [line.split()[0] for line in desk.played] == ["pw-play", "paplay", "paplay"]
    assert desk.player.found() == "paplay"


def test_one_that_cannot_be_run_is_followed_by_the_next(desk: Desk) -> None:
    """As a program for another kind of processor."""
    (desk.folder / "pw-play").write_bytes(b"\x7fELF nothing")
    (desk.folder / "pw-play").chmod(0o755)
    desk.has("paplay")
    desk.player.play(Sound.MESSAGE)
    desk.settle()
    assert [line.split()[0] for line in desk.played] == ["paplay"]


def test_a_burst_is_one_sound(desk: Desk) -> None:
    """Until a second after it has ended."""
    desk.has("pw-play")
    for _ in range(100):
        desk.player.play(Sound.MESSAGE)
    desk.settle()
    desk.now += 0.32 + QUIET - 0.01
    desk.player.play(Sound.MESSAGE)
    desk.settle()
    assert len(desk.played) == 1
    desk.now += 0.02
    desk.player.play(Sound.MESSAGE)
    desk.settle()
    assert len(desk.played) == 2


def test_what_is_more_important_is_heard_instead(desk: Desk) -> None:
    """Of two that play at once nothing is understood."""
    desk.has("pw-play", 'case "$2" in *message*) exec sleep 60;; esac')
    desk.player.play(Sound.MESSAGE)
    ended(lambda: len(desk.played) == 1)
    desk.player.play(Sound.KNOCK)
    desk.settle()
    desk.player.play(Sound.MESSAGE)
    desk.settle()
    assert [line.split("/")[-1] for line in desk.played] == ["message.wav", "knock.wav"]
    assert desk.player.found() == "pw-play"  # it was ended, and did not fail


@pytest.mark.parametrize("scenario", ["program", "children"])
def test_nothing_is_left_at_the_end(desk: Desk, scenario: str) -> None:
    """Neither the player nor what it has started."""
    note = f"echo $$ >> {desk.folder}/numbers"
    started = f"sh -c '{note}; sleep 60' & {note}; wait" if scenario == "children" else ""
    desk.has("pw-play", started or f"{note}; exec sleep 60")
    desk.player.play(Sound.MESSAGE)
    numbers = desk.folder / "numbers"
    count = 2 if scenario == "children" else 1
    ended(lambda: numbers.exists() and len(numbers.read_text().split()) == count)
    begin = time.thread_time()
    desk.player.stop()
    assert time.thread_time() - begin < 0.5
    desk.settle()
    for number in numbers.read_text().split():
        ended(lambda number=number: not _runs(int(number)))  # type: ignore[misc]  # of a lambda
    desk.now += 60
    desk.player.play(Sound.FAILED)
    assert threads() == []


def _runs(number: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        os.kill(number, 0)
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_one_that_hangs_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sound is not heard late from another one, which comes first next time."""
    monkeypatch.setattr(sound, "PATIENCE", 0.1)
    desk.has("pw-play", "exec sleep 60")
    desk.has("paplay")
    desk.player.play(Sound.MESSAGE)
    ended(lambda: len(desk.played) == 1)
    desk.now += 5
    desk.settle()
    assert len(desk.played) == 1
    desk.now += 60
    desk.player.play(Sound.MESSAGE)
    desk.settle()
    assert desk.played[1].startswith("paplay")


def test_at_volume_0_nothing_is_started(desk: Desk) -> None:
    """And a sound that is silent takes no other's place."""
    desk.has("pw-play")
    desk.player.play(Sound.FAILED, 0)
    assert threads() == []
    desk.player.play(Sound.MESSAGE)
    desk.settle()
    assert len(desk.played) == 1


def test_the_most_important_of_a_burst_is_heard() -> None:
    """In the order in which sounds are listed; one of the same rank has to wait."""
    burst = Burst()
    assert burst.lets(Sound.MESSAGE, 0.3, 10.0)
    assert not burst.lets(Sound.MESSAGE, 0.3, 11.2)
    assert burst.lets(Sound.MENTION, 0.5, 11.2)
    assert not burst.lets(Sound.KNOCK, 0.3, 12.6)
    assert burst.lets(Sound.FAILED, 0.3, 12.6)
    assert not burst.lets(Sound.FAILED, 0.3, 13.8)
    assert burst.lets(Sound.MESSAGE, 0.3, 14.0)
