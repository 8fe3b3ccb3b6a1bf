"""The sounds as they are heard: by a sound server without a device, which records."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.desktop.sound import PLAYERS, Sound, SoundPlayer
from tests.process.harness import wait_until
from tests.process.sound_server import Heard, SoundServer, heard, original

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="these are Linux's sound servers"
)


def is_silent() -> bool:
    """Whether nothing is played any more."""
    return not any(thread.name == "sound" for thread in threading.enumerate())


class Server(SoundServer):
    """For players of this process."""

    def until_silence(self) -> list[Heard]:
        """What was heard, once nothing is played and silence was recorded behind it."""
        wait_until(is_silent, "the player to end")
        return super().until_silence()


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
    wait_until(is_silent, "the player to end")
    player.stop()
    samples = array("h", made.read_bytes()[44:])  # its head says that it has no end
    (played,) = heard(samples)
    expected = original(sound)
    assert played.peak == pytest.approx(expected.peak * 0.7**3, abs=2)
    assert played.length == pytest.approx(expected.length, abs=0.08)
