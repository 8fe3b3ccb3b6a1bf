"""Rounded, bordered surfaces that stretch."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from common.ui.look.palette import Surface
from common.ui.look.theme import Theme, surface_of

MIDDLE = 48
"""Stretch of a nine-patch picture between its corners, in screen pixels: what ttk tiles."""


class Card(ttk.Frame):
    """A rounded frame with a border; children are put directly into it, `padding` from its edge.

    `radius` and `padding` are px at 96 dpi; `padding` may be `(x, y)`. `field` gives it the
    border of an input field.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        surface: Surface = "card",
        *,
        radius: int = 10,
        padding: int | tuple[int, int] = 16,
        field: bool = False,
    ) -> None:
        across, down = padding if isinstance(padding, tuple) else (padding, padding)
        super().__init__(parent, padding=(theme.px(across), theme.px(down)))
        self.surface: Surface = surface
        behind = surface_of(parent)

        def paint() -> None:
            self.configure(style=rounded_style(theme, behind, surface, radius, field=field))

        theme.subscribe(self, paint)


def rounded_style(
    theme: Theme, behind: Surface, fill: Surface, radius: int, *, field: bool = False
) -> str:
    """The ttk frame style of a rounded, bordered box with fill `fill` on `behind`.

    The states `focus` and `invalid` give it a border of the focus or danger colour; `field`
    one that shows where it is.
    """
    palette, corner = theme.palette, theme.px(radius)
    size, one = corner * 2 + MIDDLE, theme.px(1)

    def box(border: str, line: int) -> tk.PhotoImage:
        return theme.images.rounded(size, size, corner, palette.surface(fill), border, line)

    def define(style: ttk.Style) -> None:
        element = f"{name}.box"
        style.element_create(
            element,
            "image",
            box(palette.field_border if field else palette.border, one),
            ("invalid", box(palette.danger, one)),
            ("focus", box(palette.focus, max(2, theme.px(2)))),
            border=corner,
            sticky="nsew",
            width=corner * 2,
            height=corner * 2,
            padding=0,
        )
        style.layout(name, [(element, {"sticky": "nsew"})])
        style.configure(name, background=palette.surface(behind))

    name = f"{behind}-{fill}-{radius}-{field:d}.Rounded.TFrame"
    return theme.style(name, define)
