"""What takes live state back to what is stored, after a transaction failed."""

from collections.abc import Callable


class Undo:
    """Changes since the last commit, each with what takes it back.

    It asks nothing of the store: a disk that can be neither written nor read must not leave
    anything in memory that was never stored.
    """

    def __init__(self) -> None:
        self._steps: list[Callable[[], object]] = []

    def note(self, step: Callable[[], object]) -> None:
        """Something was changed, which `step` takes back."""
        self._steps.append(step)

    def keep(self) -> None:
        """All is stored: it is not taken back any more."""
        self._steps.clear()

    def mark(self) -> int:
        """A place among the changes, for `roll_back`."""
        return len(self._steps)

    def roll_back(self, mark: int = 0) -> None:
        """Undo what was changed since the mark, or since the last `keep`; the newest first."""
        while len(self._steps) > mark:
            self._steps.pop()()
