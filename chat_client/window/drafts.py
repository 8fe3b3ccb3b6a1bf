"""The drafts of all rooms: stored in the cache when the typing pauses. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

PAUSE: Final = 1.0
"""Seconds without a change after which a draft is stored."""
LATEST: Final = 3.0
"""Maximum seconds from a change until it is stored."""


class Drafts:
    """`kept` is what the cache has of each room; `keep(room, text)` stores another text there."""

    def __init__(self, kept: Mapping[str, str], keep: Callable[[str, str], object]) -> None:
        self._elsewhere = dict(kept)
        """What is written in the rooms that are not shown."""
        self._saved = dict(kept)
        """What was given to be kept."""
        self._keep = keep
        self._unsaved_since: float | None = None

    def of(self, room: str) -> str:
        """What is written in a room that is not shown."""
        return self._elsewhere.get(room, "")

    def leave(self, room: str, text: str) -> None:
        """A room with this in its composer is not shown any more."""
        self.save(room, text)
        self._elsewhere[room] = text

    def enter(self, room: str) -> str:
        """A room is shown: what belongs into its composer."""
        return self._elsewhere.pop(room, "")

    def pause(self, now: float) -> float:
        """Something was typed: after so many seconds it is to be kept, if nothing else is."""
        if self._unsaved_since is None:
            self._unsaved_since = now
        return max(0.0, min(PAUSE, self._unsaved_since + LATEST - now))

    def save(self, room: str, text: str) -> None:
        """Keep what is written in a room, if it is another text."""
        self._unsaved_since = None
        text = text if text.strip() else ""
        if text != self._saved.get(room, ""):
            self._saved[room] = text
            self._keep(room, text)

    def sent(self, room: str) -> None:
        """What was written there was sent, which erases what is kept."""
        self._saved[room] = ""

    def not_sent(self, room: str) -> None:
        """It could not be stored: nobody knows what is kept."""
        self._saved.pop(room, None)

    def give_back(self, room: str, text: str) -> None:
        """Put a text before what is written in a room that is not shown."""
        self._elsewhere[room] = "\n".join(filter(None, (text, self._elsewhere.get(room))))
        self.save(room, self._elsewhere[room])

    def differ_from(self, kept: Mapping[str, str], room: str, text: str) -> bool:
        """Whether anything is written that is not kept; `text` is in the composer of `room`."""
        written = {**self._elsewhere, room: text}
        return any(text.strip() and text != kept.get(room) for room, text in written.items())
