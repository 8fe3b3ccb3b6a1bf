"""A program that knows a kind of event more: `python -m tests.process.topics PROGRAM …`.

The kind is in the registry and nowhere else: whatever handles events has to take it as it is.
"""

import runpy
import sys
from typing import Final

from common.protocol.messages import KINDS, SENDABLE, Message, Number, Text, events

TOPIC: Final = "topic"


class TopicBody(Message):
    """Nothing in it is called `text`."""

    topic: Text
    n: Number
    of: tuple[Text, ...] = ()


def main() -> None:
    """Register the kind, and be the program."""
    KINDS[TOPIC] = TopicBody  # type: ignore[index]  # it is a mapping for everybody else
    events.SENDABLE = SENDABLE | {TOPIC}  # type: ignore[misc]  # the next version's
    _, *sys.argv = sys.argv
    if sys.argv[0] == "chat_server":
        from chat_server.rules.commands import SENDERS
        from chat_server.rules.roles import Role

        SENDERS[TOPIC] = Role.MEMBER  # type: ignore[index]  # as above
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
