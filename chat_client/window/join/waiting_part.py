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
        self._theme = theme
        self._shown = ""
        self.digits = Label(column, theme, font="hero")
        self.tell = Label(column, theme, _TELL, tone="muted", wrap=_WIDTH)
        self.rows = (Row(self.digits, 24), Row(self.tell, 8))

    def show(self, digits: str) -> None:
        """Show the digits."""
        self._shown = digits
        self.digits.set(" ".join(digits))

    def fit(self, width: int) -> None:
        """Wrap the text to a width in screen pixels; the digits stand close where they must.

        Or are smaller: on a small screen with a large text.
        """
        self.tell.configure(wraplength=width)
        fonts, apart = self._theme.fonts, " ".join(self._shown)
        self.digits.set(apart if fonts.width("hero", apart) <= width else self._shown)
        fits = fonts.width("hero", self._shown) <= width
        self.digits.configure(font=fonts["hero" if fits else "hero_title"])
