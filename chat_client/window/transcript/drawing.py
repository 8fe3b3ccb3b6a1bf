"""How each kind of event is drawn in the message list, by its name in the registry of kinds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from common.protocol.events import ACCOUNT_DELETED, JOIN, MESSAGE, REMOVED, Event


@dataclass(frozen=True, slots=True)
class Drawing:
    """`note` is a muted line about the sender, such as "{} joined"; if empty, the text is drawn."""

    note: str = ""

    def note_about(self, who: str) -> str:
        """The line with the sender's name in it."""
        return self.note.format(who)


DRAWN: Final[Mapping[str, Drawing]] = {
    MESSAGE: Drawing(),
    JOIN: Drawing(note="{} joined"),
    ACCOUNT_DELETED: Drawing(note="{} left: the account was deleted"),
    REMOVED: Drawing(note="{}’s message was removed"),
}
UNKNOWN: Final = Drawing(note="{} did something that only a newer ChatClient can show")


def drawing_of(event: Event) -> Drawing:
    """How an event is drawn; one of an unknown kind, or with an unknown body, as `UNKNOWN`."""
    return DRAWN.get(event.kind, UNKNOWN) if event.known else UNKNOWN
