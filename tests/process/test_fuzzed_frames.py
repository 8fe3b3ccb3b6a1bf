"""Whatever anybody says: a typed reply to each frame, and nothing is left of who has gone.

The seed is the same each time, so that a failure is there again; `Arena.run` may be given any
number of frames, and other seeds.
"""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from common.protocol.messages import to_server
from tests.process.frame_fuzzer import COMMANDS, FrameFuzzer
from tests.process.fuzzing import Arena

SEED: Final = 12
FRAMES: Final = 250


def test_every_command_is_among_them() -> None:
    """In a form that the server understands; and the same seed says the same."""
    fuzzer, other = FrameFuzzer(SEED), FrameFuzzer(SEED)
    for command in COMMANDS:
        understood = 0
        for _ in range(200):
            body = fuzzer.body([command], spoil=0.3)
            assert body == other.body([command], spoil=0.3)
            try:
                assert type(to_server().validate_json(body)) in COMMANDS
            except ValueError:
                continue
            understood += 1
        assert 2 <= understood < 200, command


def test_nothing_of_it_harms_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Strangers, guests who ask or type codes, members, moderators, and the host's command lines.

    When they are gone there are no sessions, requests, guesses or connections any more.
    """
    monkeypatch.setattr("chat_server.service.sys.setswitchinterval", lambda _: None)
    with closing(Arena(tmp_path / "host", SEED)) as arena:
        arena.run(FRAMES)
        assert arena.frames >= FRAMES
        # It got as far as that.
        assert {"welcome", "signed_in", "done", "malformed"} <= arena.heard.keys()
    alarms = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert not alarms, alarms[0].getMessage()
