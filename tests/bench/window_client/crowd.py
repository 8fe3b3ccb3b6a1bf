"""Somebody who says thousands of things at once: a connection without a window or a cache.

It speaks the protocol with the programs' own models, and keeps many messages in flight, so that
what is measured is the client that listens and not the one that speaks.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from common.domain.invite import parse_invite
from common.domain.names import GENERAL
from tests.bench.screen import BenchError
from tests.process.wire import HungUpError, Session

_AT_ONCE: Final = 500
"""Messages in flight: enough to be quick, less than what the server would leave unread."""


class Speaker:
    """A member of the chat who only speaks. Raises BenchError, OSError."""

    def __init__(self, invite: str, name: str) -> None:
        username = name.lower().replace(" ", "-")
        with _for_people():
            self._session = Session(parse_invite(invite), username, display_name=name)

    def say(self, texts: Sequence[str], room: str = GENERAL) -> int:
        """Say all of it, in this order, as fast as the server takes it; all is in the room then.

        The place there of the last one.
        """
        last = 0
        for first in range(0, len(texts), _AT_ONCE):
            with _for_people():
                last = self._session.say_all(*texts[first : first + _AT_ONCE], room=room)[-1].seq
        return last

    def close(self) -> None:
        """Leave."""
        self._session.close()


@contextmanager
def _for_people() -> Iterator[None]:
    """Say in a sentence that the server did not do its part."""
    try:
        yield
    except HungUpError:
        raise BenchError("the server hung up on a speaker") from None
    except AssertionError as error:
        raise BenchError(f"the server refused what a speaker said: {error}") from None


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
