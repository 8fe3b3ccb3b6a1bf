"""A server on a disk that gets full, in a process of its own: run by test_full_disk.py.

The data folder is a small disk of its own. Each line of what is printed is something that held;
the first thing that does not ends the process with a traceback.
"""

from __future__ import annotations

import os
import queue
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from chat_server.options import parse_options
from chat_server.rules.view import StoreFailed, ViewEvent
from chat_server.service import Server
from chat_server.store import reserve
from common.domain.invite import Invite, parse_invite
from common.domain.sentences import sentence
from common.protocol.messages import Ack, Ban, Done, Error, ToClient
from tests.process.harness import DEADLINE
from tests.process.wire import Session


def main(folder: Path) -> None:
    """The whole story of one evening on that disk."""
    told: list[str] = []

    def show(events: Sequence[ViewEvent]) -> None:
        told.extend(sentence(event.reason) for event in events if isinstance(event, StoreFailed))

    server = Server(parse_options(["--host", "127.0.0.1", "--port", "0"]), folder, show)
    invite = parse_invite(server.start().invite)
    held = folder / "reserve"
    assert held.stat().st_size == reserve.SIZE
    with (
        Session(invite, "ada") as ada,
        Session(invite, "bob") as bob,
        Session(invite, "eve", installation="e" * 32) as eve,
    ):
        said = say_until_full(ada, folder)
        assert said > 10
        print("messages were acknowledged until the disk was full")
        assert not held.exists()
        wait_for(lambda: told == ["this computer's disk is full"], f"the host's news, {told}")
        assert say(bob, "is there room?") == "disk_full"
        print("then they are refused, to be tried again")
        assert heard(invite, bob.token) == said
        print("all that was acknowledged can be read")
        replies: queue.SimpleQueue[ToClient] = queue.SimpleQueue()
        ban = Ban(id=1, username="eve", reason="Enough.")
        server.host_session().ask(lambda number: ban.model_copy(update={"id": number}), replies.put)
        assert isinstance(replies.get(timeout=DEADLINE), Done)
        assert eve.expect_goodbye().code == "banned"
        assert say(bob, "is there now?") == "disk_full"
        print("the host can ban who fills it, in the space that was kept back")
        (folder / "ballast").unlink()
        wait_for(lambda: say(ada, "again") == "ack", "the room to be used")
        assert held.stat().st_size == reserve.SIZE
        print("with room again they are taken, and the reserve is back")
        assert heard(invite, bob.token) == said + 1
    server.stop()
    assert not held.exists()
    print("nothing of the reserve is left after the end")


def say_until_full(session: Session, folder: Path) -> int:
    """Fill the disk but for a little, and say things until one is refused; how many were not."""
    ballast = os.open(folder / "ballast", os.O_CREAT | os.O_WRONLY)
    free = os.statvfs(folder)
    os.posix_fallocate(ballast, 0, free.f_bavail * free.f_frsize - 512 * 1024)
    os.close(ballast)
    said = 0
    while say(session, f"{said} {'x' * 8000}") == "ack":
        said += 1
    return said


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Look again and again until it holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.05)


def say(session: Session, text: str) -> str:
    """Send a message: "ack", or the code of the refusal."""
    session.say(text)
    while True:
        answer = session.message()
        if isinstance(answer, Ack):
            return "ack"
        if isinstance(answer, Error):
            assert answer.retryable
            return answer.code


def heard(invite: Invite, token: str) -> int:
    """How many messages bob gets who comes again and asks for all of them."""
    with Session(invite, "bob", token) as again:
        return sum(event.is_message for event in again.everything())


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except BaseException:  # noqa: BLE001  # printed, and the end of the process
        traceback.print_exc()
        os._exit(1)  # the server's threads would go on
