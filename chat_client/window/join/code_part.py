"""Joining with the code that a host says aloud."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from chat_client.window.join.titles import Row, Title
from common.domain.spoken_code import LENGTH, typed_code
from common.ui.look.theme import Theme
from common.ui.widgets.code_slots import CodeSlots

_NOTE: Final = "8 letters and digits, from the host"


class CodePart:
    """The slots; `on_change()` for each edit, `on_submit()` for Return."""

    def __init__(
        self,
        column: tk.Misc,
        theme: Theme,
        on_change: Callable[[], object],
        on_submit: Callable[[], object],
    ) -> None:
        self.title = Title(column, theme, "Code", _NOTE)
        self._on_change = on_change
        self.slots = CodeSlots(
            column,
            theme,
            typed_code,
            slots=LENGTH,
            on_change=self._typed,
            on_submit=on_submit,
            on_refuse=self._refused,
        )
        self.rows = (Row(self.title, 16), Row(self.slots, 8))

    def _typed(self, _: str) -> None:
        self.title.set_note(_NOTE)
        self._on_change()

    def _refused(self, text: str) -> None:
        letter = text[:1].upper()
        known = letter.isascii() and letter.isalpha()
        self.title.set_note(
            f"No code has the letter {letter}" if known else "Only letters and digits are in a code"
        )
