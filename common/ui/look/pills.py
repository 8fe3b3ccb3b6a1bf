"""State pills and count badges, drawn on a canvas."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from common.ui.look.palette import Ink
from common.ui.look.theme import Theme

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
    canvas: tk.Canvas,
    theme: Theme,
    right: int,
    middle: float,
    text: str,
    ink: Ink | None = None,
    *,
    tag: str = "",
) -> int:
    """Draw a count in a pill that ends at `right`; returns its width in screen pixels.

    Without an `ink` it is in the primary colour.
    """
    palette, height = theme.palette, theme.px(18)
    ink = ink or Ink(palette.on_primary, palette.primary)
    width = max(theme.px(22), theme.fonts.width("label_bold", text) + theme.px(14))
    ground = theme.images.rounded(width, height, height // 2, ink.fill)
    canvas.create_image(right, middle, image=ground, anchor="e", tags=tag)
    canvas.create_text(
        right - width / 2,
        middle,
        text=text,
        font=theme.fonts["label_bold"],
        fill=ink.text,
        tags=tag,
    )
    return width
