"""The rounded background of a list's row: selected, hovered or focused."""

from __future__ import annotations

import tkinter as tk
from typing import NamedTuple

from common.ui.look.palette import Palette
from common.ui.look.theme import Theme


class RowBounds(NamedTuple):
    """Where a row's background lies on the canvas, in screen pixels, and the tag of its items."""

    left: int
    top: int
    right: int
    height: int
    tag: str


def row_fill(palette: Palette, sidebar: bool, ground: str) -> str | None:
    """The colour of the background for `ground`; None if there is none."""
    return {
        ("selected", True): palette.sidebar_selection,
        ("selected", False): palette.selection,
        ("hover", True): palette.sidebar_hover,
        ("hover", False): palette.hover,
    }.get((ground, sidebar))


def draw_row_background(
    canvas: tk.Canvas,
    theme: Theme,
    sidebar: bool,
    bounds: RowBounds,
    ground: str,
    *,
    ring: bool,
) -> None:
    """Draw the background for `ground` (`selected`, `hover` or "" for none), and a focus ring."""
    palette, radius = theme.palette, theme.px(8)
    left, top, right, height, tag = bounds
    fill = row_fill(palette, sidebar, ground)
    if fill:
        start = theme.images.cap(height, radius, fill, right=False)
        end = theme.images.cap(height, radius, fill, right=True)
        canvas.create_image(left, top, image=start, anchor="nw", tags=tag)
        canvas.create_image(right, top, image=end, anchor="ne", tags=tag)
        canvas.create_rectangle(
            left + radius, top, right - radius, top + height, fill=fill, width=0, tags=tag
        )
    if ring:
        image = theme.images.ring(right - left, height, radius, palette.focus, theme.px(2))
        canvas.create_image(left, top, image=image, anchor="nw", tags=tag)
