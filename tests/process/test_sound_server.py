"""The sounds as they are heard: by a sound server without a device, which records."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
import wave
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

import pytest

from common.desktop.sound import PLAYERS, SOUNDS, Sound, SoundPlayer

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="these are Linux's sound servers"
)

DEADLINE: Final = 20.0
RATE: Final = 22050
_QUIET: Final = 300
"""Of 32,768: less is silence."""
_GAP: Final = RATE // 5
"""Samples of silence between two sounds. Those within one are closer together."""


class Heard(NamedTuple):
    """One sound in a recording."""

    begin: int
    length: float
    """Seconds from its first to its last sample that can be heard."""
    peak: int


def heard(samples: array[int]) -> list[Heard]:
    """The sounds in a recording, with silence around each."""
    loud = [at for at, sample in enumerate(samples) if abs(sample) > _QUIET]
    parts: list[list[int]] = []
    for at in loud:
        if not parts or at - parts[-1][-1] > _GAP:
            parts.append([])
        parts[-1].append(at)
    return [
        Heard(part[0], (part[-1] - part[0]) / RATE, max(abs(samples[at]) for at in part))
        for part in parts
    ]


def original(sound: Sound) -> Heard:
    """As it is in the file."""
    with wave.open(str(SOUNDS / f"{sound.value}.wav")) as file:
        (found,) = heard(array("h", file.readframes(file.getnframes())))
    return found


def wait(condition: Callable[[], bool], what: str) -> None:
    """Until the condition holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {DEADLINE:.0f} s for {what}")
        time.sleep(0.02)


def is_silent() -> bool:
    """Whether nothing is played any more."""
    return not any(thread.name == "sound" for thread in threading.enumerate())


class Server:
    """PulseAudio with a sink that is no device, and what is recorded of it."""

    def __init__(self, folder: Path) -> None:
        for tool in ("pulseaudio", "pactl", "paplay", "parec"):
            if shutil.which(tool) is None:
                pytest.skip(f"{tool} is not installed")
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": f"unix:{folder}/pulse.socket",
        }
        self._file = folder / "heard.raw"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._start(
            *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
            *("--load", f"module-native-protocol-unix socket={folder}/pulse.socket"),
            *("--load", "module-null-sink sink_name=heard"),
        )
        wait(lambda: "heard" in self._ask("pactl", "list", "short", "sinks"), "the sound server")
        with self._file.open("wb") as file:
            record = ["parec", "--device=heard.monitor", "--format=s16ne", f"--rate={RATE}"]
            self._start(*record, "--channels=1", "--latency-msec=20", stdout=file)
        wait(lambda: self._file.stat().st_size > 0, "the recording")

    def _start(self, *command: str, stdout: int | IO[bytes] = subprocess.DEVNULL) -> None:
        process = subprocess.Popen(
            command,
            env=self._environment,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)

    def _ask(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    @property
    def address(self) -> str:
        """For $PULSE_SERVER."""
        return self._environment["PULSE_SERVER"]

    def recorded(self) -> array[int]:
        """All until now."""
        data = self._file.read_bytes()
        return array("h", data[: len(data) // 2 * 2])

    def until_silence(self) -> list[Heard]:
        """What was heard, once nothing is played and silence was recorded behind it."""
        wait(is_silent, "the player to end")
        begin = len(self.recorded())
        wait(lambda: len(self.recorded()) > begin + 2 * _GAP, "silence")
        wait(lambda: not any(abs(one) > _QUIET for one in self.recorded()[-_GAP:]), "silence")
        return heard(self.recorded())

    def stop(self) -> None:
        """End it."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A sound server, which players of this process use."""
    server = Server(tmp_path)
    monkeypatch.setenv("PULSE_SERVER", server.address)
    monkeypatch.setenv("HOME", str(tmp_path))  # where its key is
    yield server
    server.stop()


class _Clock:
    """Monotonic time that can be set forward."""

    def __init__(self) -> None:
        self.late = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.late


def test_each_sound_is_heard_once(server: Server) -> None:
    """Whole, as it is in its file, and as loud as it was asked for."""
    clock = _Clock()
    player = SoundPlayer([each for each in PLAYERS if each.name == "paplay"], clock=clock)
    for count, sound in enumerate(Sound):
        clock.late += 60
        player.play(sound)
        played = server.until_silence()
        assert len(played) == count + 1
        expected = original(sound)
        assert played[-1].length == pytest.approx(expected.length, abs=0.03)
        assert played[-1].peak == pytest.approx(expected.peak, rel=0.1)
    player.stop()


def test_a_burst_is_heard_as_one_and_more_quietly(server: Server) -> None:
    """At the volume that was asked for; what is no sound of the program's is not heard."""
    player = SoundPlayer([each for each in PLAYERS if each.name == "paplay"])
    for _ in range(100):
        player.play(Sound.MESSAGE, 0.7)
    played = server.until_silence()
    assert len(played) == 1
    assert played[0].peak == pytest.approx(original(Sound.MESSAGE).peak * 0.7**3, rel=0.15)
    player.stop()
    player.play(Sound.FAILED)
    assert len(server.until_silence()) == 1


def test_a_sound_that_is_stopped_is_not_heard_to_its_end(server: Server) -> None:
    """And what is more important is heard instead of it."""
    player = SoundPlayer([each for each in PLAYERS if each.name == "paplay"])
    player.play(Sound.MESSAGE)
    player.play(Sound.FAILED)
    played = server.until_silence()
    player.stop()
    assert played[-1].length == pytest.approx(original(Sound.FAILED).length, abs=0.35)
    assert sum(each.length for each in played) < 0.9


@pytest.mark.parametrize("sound", list(Sound))
def test_alsa_plays_what_it_is_given(
    sound: Sound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole file on standard input, made quieter; here into a file in place of a device."""
    if shutil.which("aplay") is None:
        pytest.skip("aplay is not installed")
    made = tmp_path / "heard.wav"
    (tmp_path / ".asoundrc").write_text(
        f'pcm.!default {{ type file slave.pcm "null" file "{made}" format "wav" }}\n', "utf-8"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    player = SoundPlayer([each for each in PLAYERS if each.name == "aplay"])
    player.play(sound, 0.7)
    wait(is_silent, "the player to end")
    player.stop()
    samples = array("h", made.read_bytes()[44:])  # its head says that it has no end
    (played,) = heard(samples)
    expected = original(sound)
    assert played.peak == pytest.approx(expected.peak * 0.7**3, abs=2)
    assert played.length == pytest.approx(expected.length, abs=0.08)
