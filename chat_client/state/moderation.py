"""A moderation command, as the window requests it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from common.protocol.messages import Command

Action = Literal["mute", "unmute", "ban", "unban", "terminate"]


@dataclass(frozen=True, slots=True)
class Moderation:
    """`until` is in milliseconds since 1970-01-01 UTC, None until it is lifted.

    `words` is the reason that the person gets.
    """

    action: Action
    username: str
    until: int | None = None
    words: str = ""

    def command(self, *, id: int) -> Command:  # noqa: A002  # as the models call it
        """The same as a message."""
        # Imported here: the window, which makes these, starts without the models.
        from common.protocol import messages

        match self.action:
            case "mute":
                return messages.MutePerson(
                    id=id, username=self.username, until=self.until, reason=self.words
                )
            case "unmute":
                return messages.Unmute(id=id, username=self.username)
            case "ban":
                return messages.Ban(
                    id=id, username=self.username, until=self.until, reason=self.words
                )
            case "unban":
                return messages.Unban(id=id, username=self.username)
            case "terminate":
                return messages.Terminate(id=id, username=self.username, reason=self.words)
