"""The sounds are what the script makes, and pleasant as far as that can be computed."""

from __future__ import annotations

import io
import wave
from array import array
from itertools import pairwise
from pathlib import Path

import pytest

from build_specs.make_sounds import DESIGN, RATE, SOUNDS, make, write
from common.desktop import sound


@pytest.mark.parametrize("name", DESIGN)
def test_it_is_what_the_script_makes(name: str, tmp_path: Path) -> None:
    """Bit by bit: whoever changes one changes the other."""
    write(name, tmp_path / "made.wav")
    assert (tmp_path / "made.wav").read_bytes() == (SOUNDS / f"{name}.wav").read_bytes()


def test_there_is_one_for_everything_that_is_heard() -> None:
    """And no other; together they are small."""
    files = sorted(SOUNDS.iterdir())
    assert sound.SOUNDS == SOUNDS
    assert {path.stem for path in files} == {each.value for each in sound.Sound} == set(DESIGN)
    assert sum(path.stat().st_size for path in files) <= 200_000


@pytest.mark.parametrize("name", DESIGN)
def test_it_is_short_and_soft(name: str) -> None:
    """No click at the beginning or the end, no noise that is clipped, no offset."""
    samples = make(name)
    assert 0.15 <= len(samples) / RATE <= 0.6
    assert samples[0] == samples[-1] == 0
    assert 10_000 < max(map(abs, samples)) < 20_000
    assert max(abs(sample) for sample in samples[: RATE // 1000]) < 5000
    steps = [abs(after - before) for before, after in pairwise(samples)]
    assert max(steps) < 12_000
    assert abs(sum(samples) / len(samples)) < 100


def test_a_player_without_volume_gets_quieter_samples() -> None:
    """A whole WAV file, of the same length."""
    file = SOUNDS / "message.wav"
    quiet = sound._quieter(file, 0.25)
    assert len(quiet) == file.stat().st_size
    loud, soft = (max(map(abs, _samples(data))) for data in (file.read_bytes(), quiet))
    assert loud / 4 - 1 <= soft <= loud / 4
    assert sound._quieter(file, 1.0) == file.read_bytes()


def _samples(data: bytes) -> array[int]:
    with wave.open(io.BytesIO(data)) as file:
        return array("h", file.readframes(file.getnframes()))
