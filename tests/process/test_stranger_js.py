"""What docs/protocol.md promises, kept to a client in JavaScript that was written from it alone.

It has nothing but Node's own modules: stranger.mjs is the client, and stranger_play.mjs what it
checks on a real server.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.process.harness import ROOT, House

FOLDER: Final = Path(__file__).parent
STRANGER: Final = FOLDER / "stranger.mjs"
PLAY: Final = FOLDER / "stranger_play.mjs"
NODE: Final = shutil.which("node") or shutil.which("nodejs")
OLDEST: Final = 18
"""The first version of Node that has all that is used."""
NEW_INVITE: Final = "ChatServer ctl: there is a new invite link"
"""What the host's command line says beside its output when a ban has renewed the invite."""
PATIENCE: Final = 120.0
"""Seconds for the whole play, which takes about ten."""


def _version() -> int:
    if NODE is None:
        return 0
    told = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"v(\d+)", told)
    return int(found[1]) if found else 0


def play(link: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status, and what was checked."""
    version = _version()
    if version < OLDEST:
        why = f"Node.js {version} is older than {OLDEST}" if version else "Node.js is not installed"
        pytest.skip(why)
    assert NODE is not None
    done = subprocess.run(
        [NODE, STRANGER, "play", link, *options],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
    )
    assert [line for line in done.stderr.splitlines() if not line.startswith(NEW_INVITE)] == []
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_the_stranger_knows_nothing_of_the_project() -> None:
    """It imports Node's own modules alone, and of this folder only its other half."""
    for file in (STRANGER, PLAY):
        text = file.read_text("utf-8")
        imported = re.findall(r"^import .* from '(.+)';$", text, re.MULTILINE)
        imported += re.findall(r"\bimport\('(.+)'\)", text)
        assert imported
        assert {name for name in imported if not name.startswith("node:")} <= {
            f"./{STRANGER.name}",
            f"./{PLAY.name}",
        }


def test_a_client_in_another_language_finds_all_as_it_is_written(house: House) -> None:
    """From pasting the invite to moderating, with the host's command line beside it."""
    server = house.server()
    ctl = [sys.executable, "-m", "chat_server"]
    run = f'cd {shlex.quote(str(ROOT))} && exec {shlex.join(ctl)} "$@" --data-dir '
    run += shlex.quote(str(server.data_dir))
    status, checks = play(server.invite, "--host", f"sh -c {shlex.quote(run)} host")
    assert [each for each in checks if not each["ok"]] == []
    assert status == 0
    assert len(checks) > 130
    assert {"a ban is lifted", "pages forwards leave nothing out"} <= {
        each["check"] for each in checks
    }


def test_the_play_fails_where_the_server_is_another(house: House) -> None:
    """It is a test itself: what is not as the page says is told, and costs the exit status."""
    first, second = house.server(), house.server(name="other")
    fingerprint = re.search(r"fp=([\w-]{43})", second.invite)
    assert fingerprint is not None
    wrong = re.sub(r"fp=[\w-]{43}", fingerprint[0], first.invite)
    status, checks = play(wrong)
    assert status == 1
    assert not all(each["ok"] for each in checks)
