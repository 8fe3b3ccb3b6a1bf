"""State pills and count badges, drawn on a canvas or standing alone."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from window.palette import Ink, PillTone
from window.theme import Theme, surface_of

HEIGHT: Final = 22
"""Height of a state pill, px at 96 dpi."""


def pill_width(theme: Theme, text: str) -> int:
    """Width of a state pill in screen pixels."""
    return theme.px(19) + theme.fonts.width("label_bold", text) + theme.px(8)


def draw_pill(
    canvas: tk.Canvas, theme: Theme, x: int, middle: float, text: str, ink: Ink, tag: str = ""
) -> None:
    """Draw a state pill, a dot and a word, with its left edge at `x`, centred on `middle`."""
    width, height = pill_width(theme, text), theme.px(HEIGHT)
    ground = theme.images.rounded(width, height, height // 2, ink.fill)
    canvas.create_image(x, middle, image=ground, anchor="w", tags=tag)
    dot = theme.images.disc(theme.px(6), ink.text)
    canvas.create_image(x + theme.px(9), middle, image=dot, anchor="w", tags=tag)
    canvas.create_text(
        x + theme.px(19),
        middle,
        text=text,
        font=theme.fonts["label_bold"],
        fill=ink.text,
        anchor="w",
        tags=tag,
    )


def draw_count(
    canvas: tk.Canvas, theme: Theme, right: int, middle: float, text: str, tag: str = ""
) -> int:
    """Draw a count in a solid pill that ends at `right`; answer its width in screen pixels."""
    palette, height = theme.palette, theme.px(18)
    width = max(theme.px(22), theme.fonts.width("label_bold", text) + theme.px(14))
    ground = theme.images.rounded(width, height, height // 2, palette.primary)
    canvas.create_image(right, middle, image=ground, anchor="e", tags=tag)
    canvas.create_text(
        right - width / 2,
        middle,
        text=text,
        font=theme.fonts["label_bold"],
        fill=palette.on_primary,
        tags=tag,
    )
    return width


class Pill(tk.Canvas):
    """A state pill as a widget of its own."""

    def __init__(
        self, parent: tk.Misc, theme: Theme, text: str = "", tone: PillTone = "active"
    ) -> None:
        super().__init__(parent, highlightthickness=0, borderwidth=0, height=theme.px(HEIGHT))
        self._theme = theme
        self._text, self._tone = text, tone
        theme.subscribe(self, self._paint)

    def set(self, text: str, tone: PillTone) -> None:
        """Show another word in another tone."""
        if (text, tone) != (self._text, self._tone):
            self._text, self._tone = text, tone
            self._paint()

    def _paint(self) -> None:
        theme = self._theme
        self.delete("all")
        self.configure(
            width=pill_width(theme, self._text),
            background=theme.palette.surface(surface_of(self.master)),
        )
        ink = theme.palette.pill(self._tone)
        draw_pill(self, theme, 0, theme.px(HEIGHT) / 2, self._text, ink)
