"""Make the four sounds of the programs: `python3 build_specs/make_sounds.py` writes them.

They are worked out, and nobody's recording. Each is a few notes of a struck bar: a tone with its
overtones, which begins softly and fades, so that none begins or ends with a click. The same script
gives the same bytes, and a test makes them anew.
"""

from __future__ import annotations

import math
import sys
import wave
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

SOUNDS: Final = Path(__file__).parents[1] / "common" / "assets" / "sounds"
RATE: Final = 22050
"""Samples a second, of 16 bits, on one channel: more than the highest overtone needs."""
_PEAK: Final = 0.5
"""Of what a sample can hold: a sound for the desk, that leaves music as it is."""
_ATTACK: Final = 0.006
"""Seconds until a note is as loud as it gets."""
_RELEASE: Final = 0.03
"""Seconds at the end in which a sound becomes silence."""


class Note(NamedTuple):
    """One note: when it begins, its frequency in Hz, how loud it is, and how long it rings."""

    begin: float
    pitch: float
    loudness: float
    ring: float
    """Seconds until it is a third as loud."""
    overtones: tuple[tuple[float, float], ...] = ((2.0, 0.25), (3.01, 0.1))
    """Each with its multiple of the pitch and its share of the loudness."""


_WOOD: Final = ((2.4, 0.5), (3.9, 0.2))
"""What makes a knock of a tone."""
DESIGN: Final[Mapping[str, tuple[float, Sequence[Note]]]] = {
    # Two notes up: somebody has said something.
    "message": (0.32, (Note(0.0, 659.26, 0.8, 0.07), Note(0.07, 880.0, 1.0, 0.08))),
    # Three up, higher: it is meant for you.
    "mention": (
        0.46,
        (
            Note(0.0, 783.99, 0.8, 0.07),
            Note(0.08, 987.77, 0.9, 0.08),
            Note(0.16, 1318.51, 1.0, 0.09),
        ),
    ),
    # Two down, low: it did not go out.
    "failed": (0.42, (Note(0.0, 392.0, 1.0, 0.09), Note(0.13, 293.66, 1.0, 0.1))),
    # Two knocks: somebody is at the door.
    "knock": (0.38, (Note(0.0, 196.0, 1.0, 0.028, _WOOD), Note(0.17, 185.0, 0.9, 0.03, _WOOD))),
}
"""By name, the length in seconds and the notes."""


def make(name: str) -> array[int]:
    """The samples of a sound."""
    length, notes = DESIGN[name]
    count = round(length * RATE)
    wave_ = [sum(_heard(note, at / RATE) for note in notes) for at in range(count)]
    faded = [
        value * min(1.0, (count - 1 - at) / (_RELEASE * RATE)) for at, value in enumerate(wave_)
    ]
    scale = _PEAK * 32767 / max(map(abs, faded))
    return array("h", (round(scale * value) for value in faded))


def _heard(note: Note, at: float) -> float:
    """What of a note is heard at a time, in seconds."""
    since = at - note.begin
    if since <= 0:
        return 0.0
    loudness = note.loudness * min(1.0, since / _ATTACK) * math.exp(-since / note.ring)
    tones = ((1.0, 1.0), *note.overtones)
    return loudness * sum(
        share * math.sin(2 * math.pi * note.pitch * multiple * since) for multiple, share in tones
    )


def write(name: str, path: Path) -> None:
    """Make a sound and write it as WAV."""
    samples = make(name)
    if sys.byteorder == "big":
        samples.byteswap()  # WAV is little-endian
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def main() -> None:
    """Write all of them."""
    SOUNDS.mkdir(parents=True, exist_ok=True)
    for name in DESIGN:
        path = SOUNDS / f"{name}.wav"
        write(name, path)
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
