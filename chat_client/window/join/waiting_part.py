"""What a guest sees who has asked to join: four digits, and what is waited for."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from chat_client.window.join.titles import Row
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label

_WIDTH: Final = 380
_TELL: Final = (
    "Tell the host these digits. If the host's window shows the same ones beside your name, nobody "
    "is in between."
)


class WaitingPart:
    """The digits, big, and what to do with them."""

    def __init__(self, column: tk.Misc, theme: Theme) -> None:
        self.digits = Label(column, theme, font="hero")
        self.tell = Label(column, theme, _TELL, tone="muted", wrap=_WIDTH)
        self.rows = (Row(self.digits, 24), Row(self.tell, 8))

    def show(self, digits: str) -> None:
        """Show the digits."""
        self.digits.set(" ".join(digits))

    def fit(self, width: int) -> None:
        """Wrap the text to a width in screen pixels."""
        self.tell.configure(wraplength=width)
