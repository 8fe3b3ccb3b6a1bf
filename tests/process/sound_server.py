"""A sound server without a device, which records what is heard; and sounds in a recording."""

from __future__ import annotations

import os
import shutil
import subprocess
import wave
from array import array
from pathlib import Path
from typing import IO, Final, NamedTuple

import pytest

from common.desktop.sound import SOUNDS, Sound
from tests.process.harness import wait_until

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


class SoundServer:
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
        wait_until(
            lambda: "heard" in self._ask("pactl", "list", "short", "sinks"), "the sound server"
        )
        with self._file.open("wb") as file:
            record = ["parec", "--device=heard.monitor", "--format=s16ne", f"--rate={RATE}"]
            self._start(*record, "--channels=1", "--latency-msec=20", stdout=file)
        wait_until(lambda: self._file.stat().st_size > 0, "the recording")

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
        """What was heard, once silence was recorded from now on."""
        begin = len(self.recorded())
        wait_until(lambda: len(self.recorded()) > begin + 2 * _GAP, "silence")
        wait_until(lambda: not any(abs(one) > _QUIET for one in self.recorded()[-_GAP:]), "silence")
        return heard(self.recorded())

    def until_heard(self, count: int, silence: float) -> list[Heard]:
        """What was heard, once it was so many sounds, with so many seconds of silence behind."""
        wait_until(lambda: len(heard(self.recorded())) >= count, f"{count} sounds")
        begin = len(self.recorded())
        wait_until(lambda: len(self.recorded()) > begin + silence * RATE, "silence")
        return self.until_silence()

    def stop(self) -> None:
        """End it."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()
