"""Somebody who says thousands of things at once: a connection without a window or a cache.

It speaks the protocol with the programs' own models, and keeps many messages in flight, so that
what is measured is the client that listens and not the one that speaks.
"""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from chat_client.accounts import new_account
from chat_client.net.connector import connect
from common import limits, messages
from common.ids import new_cid
from common.invite import parse_invite
from common.names import GENERAL
from common.protocol import Arrival, ClientEnd, encode
from tests.bench.screen import BenchError
from tests.events import send

DEADLINE: Final = 60.0
"""Seconds for an answer of the server; a loaded machine may take a while."""
_AT_ONCE: Final = 500
"""Messages in flight: enough to be quick, less than what the server would leave unread."""
_READ: Final = 256 * 1024

Answer = TypeVar("Answer", bound=messages.Reply)


class Speaker:
    """A member of the chat who only speaks. Raises BenchError, OSError."""

    def __init__(self, invite: str, name: str) -> None:
        account = new_account(parse_invite(invite), name.lower().replace(" ", "-"), name)
        outcome = connect(account.invite)
        if not isinstance(outcome, socket.socket):
            raise BenchError(f"{name} can't reach the server: {outcome}")
        outcome.settimeout(DEADLINE)
        self._socket = outcome
        self._end = ClientEnd()
        self._requests = 0
        self._heard = self._hear()
        self._ask(
            messages.Hello(id=1, protocol=limits.PROTOCOL_VERSION, program="bench"),
            messages.Welcome,
        )
        join = messages.Join(
            id=2,
            secret=account.invite.secret,
            username=account.username,
            display_name=name,
            token=account.token,
            device="bench",
            installation="0" * 32,
        )
        self._ask(join, messages.SignedIn)
        self._requests = 2

    def say(self, texts: Sequence[str], room: str = GENERAL) -> int:
        """Say all of it, in this order, as fast as the server takes it; all is in the room then.

        The place there of the last one.
        """
        last = 0
        for first in range(0, len(texts), _AT_ONCE):
            part = texts[first : first + _AT_ONCE]
            self._socket.sendall(b"".join(self._frame(text, room) for text in part))
            for _ in part:
                last = self._next(messages.Ack).seq
        return last

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def _frame(self, text: str, room: str) -> bytes:
        self._requests += 1
        return encode(send(self._requests, text, room=room, cid=new_cid()))

    def _ask(self, command: messages.ToServer, kind: type[Answer]) -> Answer:
        self._socket.sendall(self._end.send(command))
        return self._next(kind)

    def _next(self, kind: type[Answer]) -> Answer:
        """The next message of a kind; what is not of it is news of people."""
        for message in self._heard:
            if isinstance(message, kind):
                return message
            if isinstance(message, messages.Error | messages.Goodbye):
                raise BenchError(f"the server refused what a speaker said: {message.code}")
        raise BenchError("the server hung up on a speaker")

    def _hear(self) -> Iterator[Arrival]:
        while data := self._socket.recv(_READ):
            yield from self._end.receive(data)


def lines(count: int) -> list[str]:
    """Things to say, of a usual length and each its own."""
    return [
        f"This is the {number}. thing that was said here, and it is neither short nor long."
        for number in range(1, count + 1)
    ]


def main() -> None:
    """Join; then say as many things as each line of the standard input tells, and answer it."""
    speaker = Speaker(sys.argv[1], f"Guest {secrets.token_hex(4)}")
    sys.stdout.write(".")
    sys.stdout.flush()
    for order in sys.stdin:
        speaker.say(lines(int(order)))
        sys.stdout.write(".")
        sys.stdout.flush()
    speaker.close()


if __name__ == "__main__":
    main()
