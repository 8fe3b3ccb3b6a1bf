"""Undo and redo for one text, as a list of replacements with the cursor before each.

It is independent of widgets. Tk's own undo is not used: it ignores the pictures that stand for
emoji (a text with one in it grows with each undo), and an Entry has no undo.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

PAUSE: Final = 1.0
"""Seconds without a change after which the next one is a step of its own."""
STEPS: Final = 1000
"""Maximum number of steps that can be undone."""
CHARACTERS: Final = 1_000_000
"""Maximum number of characters in all steps together; the oldest steps are evicted first."""


class Step(NamedTuple):
    """An edit to apply: replace `start` to `end` by `text`, then select `selection`.

    All offsets count characters. An empty selection is a cursor.
    """

    start: int
    end: int
    text: str
    selection: tuple[int, int]


@dataclass(slots=True)
class _Change:
    """`removed` at `at` became `inserted`; `before` was the selection before that."""

    at: int
    removed: str
    inserted: str
    before: tuple[int, int]

    @property
    def size(self) -> int:
        return len(self.removed) + len(self.inserted)


class UndoHistory:
    """The steps that lead to `text`, and those that were undone.

    Typing and deleting is grouped: a step ends with a word, with a pause of `PAUSE` seconds, where
    the cursor is moved, and where typing turns into deleting.
    """

    def __init__(self, text: str = "") -> None:
        self.text = text
        """The text as it was recorded last."""
        self._done: deque[_Change] = deque()
        self._undone: list[_Change] = []
        self._size = 0
        self._before: tuple[int, int] | None = None
        self._open = False
        """Whether the next change may be merged into the last step."""
        self._last = 0.0

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step that was undone, and no change since."""
        return bool(self._undone)

    def reset(self, text: str) -> None:
        """Clear the history, and start with a text that was set by the program."""
        self.text = text
        self._done.clear()
        self._undone.clear()
        self._size = 0
        self._before = None
        self._open = False

    def note(self, start: int, end: int) -> None:
        """Set the selection right before a change; undoing the change restores it."""
        self._before = (start, end)

    def record(self, text: str, cursor: int, now: float, *, whole: bool = False) -> None:
        """Record the text after a change, and the position of its cursor.

        `now` is in seconds, on a monotonic clock. `whole` makes it a step of its own, as for
        pasting. Does nothing if nothing changed.
        """
        noted, self._before = self._before, None
        if text == self.text:
            return
        change = _difference(self.text, text, cursor)
        if noted is not None and noted[1] <= len(self.text):
            change.before = noted
        self.text = text
        self._undone.clear()
        last = self._done[-1] if self._done else None
        joins = self._open and not whole and now - self._last <= PAUSE
        if last is None or not joins or not _join(last, change):
            self._done.append(change)
        self._size += change.size
        self._last = now
        self._open = not whole
        while self._done and (len(self._done) > STEPS or self._size > CHARACTERS):
            self._size -= self._done.popleft().size

    def undo(self) -> Step | None:
        """The edit that undoes the last step, or None if there is none."""
        if not self._done:
            return None
        change = self._done.pop()
        self._size -= change.size
        self._undone.append(change)
        return self._replaced(change.at, change.inserted, change.removed, change.before)

    def redo(self) -> Step | None:
        """The edit that redoes the step undone last, or None."""
        if not self._undone:
            return None
        change = self._undone.pop()
        self._size += change.size
        self._done.append(change)
        after = change.at + len(change.inserted)
        return self._replaced(change.at, change.removed, change.inserted, (after, after))

    def _replaced(self, at: int, old: str, new: str, selection: tuple[int, int]) -> Step:
        end = at + len(old)
        self.text = self.text[:at] + new + self.text[end:]
        self._before = None
        self._open = False
        return Step(at, end, new, selection)


def _difference(old: str, new: str, cursor: int) -> _Change:
    """The replacement that leads from `old` to `new`, ending at the cursor where possible.

    In "aaa" another "a" may have been inserted at several offsets: it is the one at the cursor.
    """
    behind = len(new) - cursor
    if not (0 <= behind <= len(old) and old.endswith(new[cursor:])):
        behind = _common(old[::-1], new[::-1])
    old_end, new_end = len(old) - behind, len(new) - behind
    at = _common(old[:old_end], new[:new_end])
    return _Change(at, old[at:old_end], new[at:new_end], (old_end, old_end))


def _common(one: str, other: str) -> int:
    """Length of the common prefix; by bisection, as slices are quick to compare."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _join(last: _Change, change: _Change) -> bool:
    """Merge `change` into `last` if it continues it and starts no other word."""
    if change.inserted and not change.removed and last.inserted:
        goes_on = change.at == last.at + len(last.inserted)
        if goes_on and not _begins(last.inserted[-1], change.inserted[0]):
            last.inserted += change.inserted
            return True
    elif change.removed and not change.inserted and not last.inserted:
        backwards = change.at + len(change.removed) == last.at
        if backwards and not _begins(last.removed[0], change.removed[-1]):  # BackSpace
            last.at = change.at
            last.removed = change.removed + last.removed
            return True
        if change.at == last.at and not _begins(last.removed[-1], change.removed[0]):  # Delete
            last.removed += change.removed
            return True
    return False


def _begins(before: str, character: str) -> bool:
    """Whether a character next to another, in the direction of the edits, starts a word."""
    return before.isspace() and not character.isspace()
