"""A disk that can be neither written nor read for a while, as a stick that is pulled out."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.messages import Ack, Error, Pong, Rooms, Synced
from tests.process.harness import House, wait_until
from tests.process.wire import Session

_SOURCE = Path(__file__).with_name("pulled_disk.c")


@pytest.fixture
def fault(tmp_path: Path) -> Path:
    """A library that has the system's calls fail."""
    compiler = shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("a fault of a disk is made by a preloaded library (Linux, a C compiler)")
    library = tmp_path / "pulled_disk.so"
    command = [compiler, "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no library can be made here: {done.stderr}")
    return library


def test_a_pulled_disk_ends_nothing_and_loses_nothing(tmp_path: Path, fault: Path) -> None:
    """Messages are refused, to be tried again; all else goes on; with the disk back they are taken.

    No command but those that write gets another answer than before, and the same process serves
    on, with its log unwritable as well.
    """
    house, flag = House(tmp_path), tmp_path / "pulled"
    settings = [
        f"LD_PRELOAD={fault}",
        f"PULLED_FLAG={flag}",
        f"PULLED_DISK={tmp_path / 'server' / 'data'}",
    ]
    try:
        server = house.server(under=["env", *settings])
        with Session(server.join, "ada") as ada, Session(server.join, "bob") as bob:
            assert answer(ada, "before") == "ack"
            bob.follow()
            flag.touch()
            # One of them may still be written, or the log's file may be what notices first.
            refused = [answer(ada, f"while it is away {number}") for number in range(8)]
            assert set(refused[1:]) == {"busy"}
            bob.command(messages.Ping)
            bob.expect(Pong)
            bob.command(messages.ListRooms)
            (room,) = bob.expect(Rooms).rooms
            bob.command(messages.Sync, positions={GENERAL: room.head})
            assert bob.expect(Synced).heads == {GENERAL: room.head}
            flag.unlink()
            wait_until(lambda: answer(ada, "and back") == "ack", "the disk to be used again")
            bob.hear("and back")
            assert server.child.running
            bob_token = bob.token
        server.stop()
        server.start()
        with Session(server.join, "bob", bob_token) as bob:
            texts = [event.text for event in bob.everything() if event.is_message]
        acknowledged = ["before", *(["while it is away 0"] if refused[0] == "ack" else [])]
        assert texts == [*acknowledged, "and back"]
        assert server.stop() == 0
    finally:
        house.close()


def answer(session: Session, text: str) -> str:
    """Say something: "ack", or the code of the refusal, which is one to try again after."""
    session.say(text)
    while True:
        message = session.message()
        if isinstance(message, Ack):
            return "ack"
        if isinstance(message, Error):
            assert message.retryable
            return message.code
