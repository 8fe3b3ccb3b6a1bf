"""The programs' sounds, by whatever plays them on this computer.

On Linux and macOS that is a program of the system, as a process of its own; on Windows the system
itself. Nothing blocks, and nothing is left: a process that hangs is ended, and all are at `stop`.
The sounds are made by build_specs/make_sounds.py.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
import wave
from array import array
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Final, NamedTuple

SOUNDS: Final = Path(__file__).parents[1] / "assets" / "sounds"
PATIENCE: Final = 5.0
"""Seconds after which a player hangs: no sound takes as long."""
QUIET: Final = 1.0
"""Seconds after a sound in which no other is played that is not more important."""
_STALE: Final = 2.0
"""Seconds after which a sound would be heard too late to mean anything."""

log = logging.getLogger(__name__)


class Sound(Enum):
    """What is played. A later one is more important, and may be heard in place of an earlier."""

    MESSAGE = "message"
    KNOCK = "knock"
    """Somebody asks to join, or was refused."""
    MENTION = "mention"
    FAILED = "failed"
    """A message could not be sent."""

    @property
    def rank(self) -> int:
        """Greater for what is more important."""
        return list(Sound).index(self)


class Player(NamedTuple):
    """A program that plays a WAV file, and how it is told the volume."""

    name: str
    command: Callable[[Path, float], list[str]]
    scales: bool = False
    """It has no volume of its own: it gets the samples on its standard input, made quieter here."""


_PULSE_FULL: Final = 65536
"""PulseAudio's volume (PA_VOLUME_NORM), of which it takes the third power itself."""
PLAYERS: Final = (
    (Player("afplay", lambda file, volume: ["-v", f"{volume**3:.4f}", str(file)]),)
    if sys.platform == "darwin"
    else (
        # Of PipeWire, PulseAudio and ALSA: which of them works depends on what runs.
        Player("pw-play", lambda file, volume: [f"--volume={volume**3:.4f}", str(file)]),
        Player("paplay", lambda file, volume: [f"--volume={volume * _PULSE_FULL:.0f}", str(file)]),
        Player("aplay", lambda _file, _volume: ["-q", "-"], scales=True),
    )
)
"""The first that works is used."""


class Burst:
    """Which sounds are heard of many: one for a burst, or the most important."""

    def __init__(self) -> None:
        self._until = 0.0
        self._rank = -1

    def lets(self, sound: Sound, length: float, now: float) -> bool:
        """Whether a sound of this length, in seconds, is to be heard now."""
        if now < self._until and sound.rank <= self._rank:
            return False
        self._until = now + length + QUIET
        self._rank = sound.rank
        return True


class _Wish(NamedTuple):
    sound: Sound
    volume: float
    since: float


class SoundPlayer:
    """Plays sounds. To be used by any thread; every method returns at once.

    There is a thread while something is played, and none otherwise.
    """

    def __init__(
        self,
        players: Sequence[Player] = PLAYERS,
        folder: Path = SOUNDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._players = list(players)
        self._folder = folder
        self._clock = clock
        self._lock = Lock()
        self._burst = Burst()
        self._wish: _Wish | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: Thread | None = None
        self._stopped = False

    def found(self) -> str:
        """The program that plays, or "" where there is none and all is silent."""
        if sys.platform == "win32":
            return "winsound"
        return next((player.name for player in self._order() if shutil.which(player.name)), "")

    def length(self, sound: Sound) -> float:
        """Seconds that a sound takes; 0 if its file can't be read."""
        return _length(self._file(sound))

    def play(self, sound: Sound, volume: float = 1.0) -> None:
        """Have a sound heard, unless one was just heard that is as important.

        `volume` is from 0 to 1, of what the person has set for the computer. As on the desktop's
        own sliders, half of it sounds half as loud: the amplitude is its third power.
        """
        if volume <= 0:
            return
        length = self.length(sound)
        with self._lock:
            now = self._clock()
            if self._stopped or not self._burst.lets(sound, length, now):
                return
            self._wish = _Wish(sound, min(volume, 1.0), now)
            _end(self._process)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="sound")
                self._thread.start()

    def stop(self) -> None:
        """Silence, for good. The thread and its process end at once."""
        with self._lock:
            self._stopped = True
            self._wish = None
            _end(self._process)

    def _run(self) -> None:
        while True:
            with self._lock:
                wish, self._wish = self._wish, None
                if wish is None:
                    self._thread = None
                    return
            if sys.platform == "win32":
                _play_on_windows(_quieter(self._file(wish.sound), wish.volume**3))
            else:
                self._play(wish)

    def _play(self, wish: _Wish) -> None:
        """Try one player after the other, until one has played."""
        for player in self._order():
            path = shutil.which(player.name)
            if path is None:
                continue
            if self._clock() - wish.since > _STALE or self._tries(player, path, wish):
                return
            with self._lock:
                if self._wish is not None or self._stopped:
                    return
                # Next time the others come first.
                self._players.remove(player)
                self._players.append(player)

    def _tries(self, player: Player, path: str, wish: _Wish) -> bool:
        """Whether the player has played, or was ended for another sound."""
        file = self._file(wish.sound)
        given = _quieter(file, wish.volume**3) if player.scales else None
        try:
            process = subprocess.Popen(  # noqa: S603  # no shell, and nothing of others in it
                [path, *player.command(file, wish.volume)],
                stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # what it starts ends with it
            )
        except OSError as error:
            log.debug("%s did not start: %s", player.name, type(error).__name__)
            return False
        with self._lock:
            self._process = process
            superseded = self._stopped or self._wish is not None
        if superseded:
            _end(process)
        elif process.stdin is not None and given is not None:
            # A sound is less than what a pipe holds: this waits for nobody.
            with contextlib.suppress(OSError):
                process.stdin.write(given)
                process.stdin.close()
        return self._waits(player, process)

    def _waits(self, player: Player, process: subprocess.Popen[bytes]) -> bool:
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            log.debug("%s hangs", player.name)
            _end(process)
            process.wait()
            status = None
        finally:
            with self._lock:
                self._process = None
                ended = self._stopped or self._wish is not None
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
        if status not in {0, None} and not ended:
            log.debug("%s ended with status %s", player.name, status)
        return status == 0 or ended

    def _order(self) -> list[Player]:
        with self._lock:
            return list(self._players)

    def _file(self, sound: Sound) -> Path:
        return self._folder / f"{sound.value}.wav"


def _end(process: subprocess.Popen[bytes] | None) -> None:
    """End a player and what it has started. Who waits for it takes it off the system's list."""
    if process is None or process.returncode is not None or sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


@cache
def _length(file: Path) -> float:
    """Seconds that a sound takes; 0 if it can't be read."""
    try:
        with wave.open(str(file), "rb") as sound:
            return sound.getnframes() / sound.getframerate()
    except (OSError, EOFError, wave.Error):
        return 0.0


def _quieter(file: Path, volume: float) -> bytes:
    """A WAV file of 16 bits with all samples multiplied."""
    made = io.BytesIO()
    with wave.open(str(file), "rb") as sound, wave.open(made, "wb") as copy:
        samples = array("h", sound.readframes(sound.getnframes()))
        if sys.byteorder == "big":
            samples.byteswap()
        quieter = array("h", (int(sample * volume) for sample in samples))
        if sys.byteorder == "big":
            quieter.byteswap()
        copy.setparams(sound.getparams())
        copy.writeframes(quieter.tobytes())
    return made.getvalue()


def _play_on_windows(sound: bytes) -> None:
    """Play it to its end; silent where there is no device."""
    if sys.platform == "win32":
        import winsound

        with contextlib.suppress(RuntimeError):
            winsound.PlaySound(sound, winsound.SND_MEMORY | winsound.SND_NODEFAULT)
