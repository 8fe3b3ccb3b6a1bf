"""The drafts of all rooms: stored in the cache when the typing pauses. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

PAUSE: Final = 1.0
"""Seconds without a change after which a draft is stored."""
LATEST: Final = 3.0
"""Maximum seconds from a change until it is stored."""


class Drafts:
    """`kept` has the stored draft of each room; `keep(room, text)` stores another one."""

    def __init__(self, kept: Mapping[str, str], keep: Callable[[str, str], object]) -> None:
        self._elsewhere = dict(kept)
        """Room → draft, of the rooms that are not open."""
        self._saved = dict(kept)
        """Room → draft, as it was handed to `keep` last."""
        self._keep = keep
        self._unsaved_since: float | None = None

    def of(self, room: str) -> str:
        """The draft of a room that is not open."""
        return self._elsewhere.get(room, "")

    def leave(self, room: str, text: str) -> None:
        """Close a room, with the text of its composer."""
        self.save(room, text)
        self._elsewhere[room] = text

    def enter(self, room: str) -> str:
        """Open a room; returns the draft for its composer."""
        return self._elsewhere.pop(room, "")

    def pause(self, now: float) -> float:
        """Note a change; returns the seconds after which to `save`, if nothing else is typed."""
        if self._unsaved_since is None:
            self._unsaved_since = now
        return max(0.0, min(PAUSE, self._unsaved_since + LATEST - now))

    def save(self, room: str, text: str) -> None:
        """Store the draft of a room, if it has changed."""
        self._unsaved_since = None
        text = text if text.strip() else ""
        if text != self._saved.get(room, ""):
            self._saved[room] = text
            self._keep(room, text)

    def sent(self, room: str) -> None:
        """Note that a room's draft was sent, which has deleted the stored one."""
        self._saved[room] = ""

    def not_sent(self, room: str) -> None:
        """Note that sending failed: it is unknown whether the draft is still stored."""
        self._saved.pop(room, None)

    def give_back(self, room: str, text: str) -> None:
        """Put a text before the draft of a room that is not open."""
        self._elsewhere[room] = "\n".join(filter(None, (text, self._elsewhere.get(room))))
        self.save(room, self._elsewhere[room])

    def differ_from(self, kept: Mapping[str, str], room: str, text: str) -> bool:
        """Whether any draft differs from the stored one; `text` is in the composer of `room`."""
        written = {**self._elsewhere, room: text}
        return any(text.strip() and text != kept.get(room) for room, text in written.items())
