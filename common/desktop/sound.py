"""Plays the programs' sounds, by this computer's player.

On Linux and macOS the player is a process, on Windows the system's own function. No method blocks,
and no process is left: one that hangs is killed, and `stop` kills the current one.
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
"""Timeout in seconds of a player: no sound takes as long."""
QUIET: Final = 1.0
"""Seconds after a sound in which only a more important one is played (rate limit)."""
_STALE: Final = 2.0
"""Maximum delay of a sound in seconds; a later one is dropped."""

log = logging.getLogger(__name__)


class Sound(Enum):
    """The sounds, by increasing importance: a later one may replace an earlier one."""

    MESSAGE = "message"
    KNOCK = "knock"
    """A client asks to join, or was refused."""
    MENTION = "mention"
    FAILED = "failed"
    """A message could not be sent."""

    @property
    def rank(self) -> int:
        """The importance: greater for a more important sound."""
        return list(Sound).index(self)


class Player(NamedTuple):
    """A program that plays a WAV file, and its arguments for the volume."""

    name: str
    command: Callable[[Path, float], list[str]]
    scales: bool = False
    """It has no volume option: scaled samples are written to its standard input instead."""


_PULSE_FULL: Final = 65536
"""PulseAudio's full volume (PA_VOLUME_NORM); its scale is cubic already."""
PLAYERS: Final = (
    (Player("afplay", lambda file, volume: ["-v", f"{volume**3:.4f}", str(file)]),)
    if sys.platform == "darwin"
    else (
        # Of PipeWire, PulseAudio and ALSA: which one works depends on the running sound server.
        Player("pw-play", lambda file, volume: [f"--volume={volume**3:.4f}", str(file)]),
        Player("paplay", lambda file, volume: [f"--volume={volume * _PULSE_FULL:.0f}", str(file)]),
        Player("aplay", lambda _file, _volume: ["-q", "-"], scales=True),
    )
)
"""The players of this system, in order of preference."""


class Burst:
    """Coalesces bursts of sounds: only the first is played, or a more important one."""

    def __init__(self) -> None:
        self._until = 0.0
        self._rank = -1

    def lets(self, sound: Sound, length: float, now: float) -> bool:
        """Whether to play a sound now; `length` is its duration in seconds."""
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
    """Plays sounds. Thread-safe; no method blocks.

    A thread exists only while a sound is played.
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
        """The name of the player in use; "" if there is none."""
        if sys.platform == "win32":
            return "winsound"
        return next((player.name for player in self._order() if shutil.which(player.name)), "")

    def length(self, sound: Sound) -> float:
        """Duration of a sound in seconds; 0 if its file can't be read."""
        return _length(self._file(sound))

    def play(self, sound: Sound, volume: float = 1.0) -> None:
        """Play a sound, unless one that is as important was played just before.

        `volume` is from 0 to 1, relative to the computer's volume. As on the desktop's own sliders,
        0.5 sounds half as loud: the amplitude is the third power of the volume.
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
        """Stop playing, for good. The thread and the player's process end at once."""
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
        """Try the players in turn, until one has played the sound."""
        for player in self._order():
            path = shutil.which(player.name)
            if path is None:
                continue
            if self._clock() - wish.since > _STALE or self._tries(player, path, wish):
                return
            with self._lock:
                if self._wish is not None or self._stopped:
                    return
                # It failed: next time the others are tried first.
                self._players.remove(player)
                self._players.append(player)

    def _tries(self, player: Player, path: str, wish: _Wish) -> bool:
        """Whether the player has played the sound, or was stopped for another one."""
        file = self._file(wish.sound)
        given = _quieter(file, wish.volume**3) if player.scales else None
        try:
            process = subprocess.Popen(  # noqa: S603  # no shell, and nothing of others in it
                [path, *player.command(file, wish.volume)],
                stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # its children are killed with it
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
            # A sound is smaller than a pipe's buffer, so this does not block.
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
    """Kill a player and its children. The thread that waits for it reaps it."""
    if process is None or process.returncode is not None or sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


@cache
def _length(file: Path) -> float:
    """Duration of a WAV file in seconds; 0 if it can't be read."""
    try:
        with wave.open(str(file), "rb") as sound:
            return sound.getnframes() / sound.getframerate()
    except (OSError, EOFError, wave.Error):
        return 0.0


def _quieter(file: Path, volume: float) -> bytes:
    """The content of a 16-bit WAV file with its samples scaled by `volume`."""
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
    """Play it to its end; does nothing without a sound device."""
    if sys.platform == "win32":
        import winsound

        with contextlib.suppress(RuntimeError):
            winsound.PlaySound(sound, winsound.SND_MEMORY | winsound.SND_NODEFAULT)
