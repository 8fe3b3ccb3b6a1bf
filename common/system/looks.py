"""How a person wants the windows of a program to look."""

from dataclasses import dataclass
from typing import Any, Final, Literal

ThemeChoice = Literal["system", "light", "dark"]
TEXT_SIZES: Final = (80, 90, 100, 110, 125, 150, 175, 200)
"""Per cent of the usual size that are offered; any whole number between them may be in the file."""


@dataclass(frozen=True, slots=True)
class Looks:
    """The colours, and the size of text in per cent of the usual one."""

    theme: ThemeChoice = "system"
    text_size: int = 100

    def written(self) -> dict[str, Any]:
        """What a file of settings holds of it."""
        return {"theme": self.theme, "text_size": self.text_size}
