"""An event: one place in a room's log, as both programs hold it in memory.

It needs no pydantic: the window shows what is cached before the models of the wire are loaded.
`KINDS` in common/protocol/messages/events.py is the registry of kinds and their bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

MESSAGE: Final = "message"
JOIN: Final = "join"
ACCOUNT_DELETED: Final = "account_deleted"
"""Its sender has deleted the account; the body tells whether the account's messages stay."""
REMOVED: Final = "removed"
"""What is left of an event whose sender had the account's messages removed."""
KEPT: Final = "kept"
"""In the body of `account_deleted`: what became of the account's messages; or else REMOVED."""
WITHOUT_TEXT: Final = frozenset({JOIN, ACCOUNT_DELETED, REMOVED})
"""Kinds that hold no words of their senders, and stay when an account's messages are removed."""


class UnknownBody(dict[str, Any]):
    """A body that this program does not understand, kept as it came for one that does.

    Its kind is a newer one, or what it holds is.
    """


class PartOfBody(dict[str, Any]):
    """What this program understands of a body that has more in it; `whole` is as it came.

    A newer version of its kind has further fields, which are kept for a program that knows them.
    """

    def __init__(self, known: Mapping[str, Any], whole: Mapping[str, Any]) -> None:
        super().__init__(known)
        self.whole = whole


class Event(NamedTuple):
    """`seq` counts the events of a room without a gap, from 1 on; `cid` is its sender's id for it.

    `sent_at` is in milliseconds since 1970-01-01 UTC by the server's clock. What `body` holds
    depends on `kind`.
    """

    room: str
    seq: int
    kind: str
    sender: str
    sent_at: int
    cid: str
    body: Mapping[str, Any]

    @property
    def known(self) -> bool:
        """Whether this program knows its kind and body."""
        return not isinstance(self.body, UnknownBody)

    @property
    def is_message(self) -> bool:
        """Whether it is of kind `message`."""
        return self.kind == MESSAGE and self.known

    @property
    def removes_messages(self) -> bool:
        """Whether it tells that its sender's messages are removed, before it and in all rooms."""
        return self.kind == ACCOUNT_DELETED and self.known and self.body.get("messages") == REMOVED

    def without_text(self) -> Event:
        """What is left of it once its sender's messages are removed."""
        return self if self.kind in WITHOUT_TEXT else self._replace(kind=REMOVED, body={})

    @property
    def text(self) -> str:
        """The text of a message; "" for other kinds."""
        text = self.body.get("text")
        return text if self.known and isinstance(text, str) else ""
