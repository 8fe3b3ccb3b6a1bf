"""Requests about one's own account and the chat's invites, as a front end makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from common.limits import INVITE_LIFE

if TYPE_CHECKING:
    from common.protocol.messages import Command

# The models are imported where they are used: a window, which makes these, starts without them.


class Request(Protocol):
    """What the server is asked to do. It is done now or not at all."""

    def command(self, *, id: int) -> Command:  # noqa: A002  # as the models call it
        """The same as a message."""


@dataclass(frozen=True, slots=True)
class CreateInvite:
    """An invite for newcomers; `expires_in` is in milliseconds, None for no end."""

    role: Literal["member", "moderator"] = "member"
    uses: int | None = None
    expires_in: int | None = INVITE_LIFE
    note: str = ""

    def command(self, *, id: int) -> Command:  # noqa: A002  # as the models call it
        """The same as a message."""
        from common.protocol import messages

        return messages.CreateInvite(
            id=id, role=self.role, uses=self.uses, expires_in=self.expires_in, note=self.note
        )


@dataclass(frozen=True, slots=True)
class AddDevice:
    """An invite for one more device of one's own."""

    def command(self, *, id: int) -> Command:  # noqa: A002  # as the models call it
        """The same as a message."""
        from common.protocol import messages

        return messages.AddDevice(id=id)


@dataclass(frozen=True, slots=True)
class RevokeInvite:
    """The end of an invite, by its number."""

    number: int

    def command(self, *, id: int) -> Command:  # noqa: A002  # as the models call it
        """The same as a message."""
        from common.protocol import messages

        return messages.RevokeInvite(id=id, number=self.number)


@dataclass(frozen=True, slots=True)
class RemoveDevice:
    """Signing out one of one's own devices, by its id."""

    device: str

    def command(self, *, id: int) -> Command:  # noqa: A002  # as the models call it
        """The same as a message."""
        from common.protocol import messages

        return messages.RemoveDevice(id=id, device=self.device)


@dataclass(frozen=True, slots=True)
class RenameMe:
    """Another display name for one's own account."""

    display_name: str

    def command(self, *, id: int) -> Command:  # noqa: A002  # as the models call it
        """The same as a message."""
        from common.protocol import messages

        return messages.RenameMe(id=id, display_name=self.display_name)


@dataclass(frozen=True, slots=True)
class DeleteMe:
    """The end of one's own account; its messages are kept, or removed everywhere."""

    messages: Literal["keep", "remove"]

    def command(self, *, id: int) -> Command:  # noqa: A002  # as the models call it
        """The same as a message."""
        from common.protocol import messages

        return messages.DeleteMe(id=id, messages=self.messages)
