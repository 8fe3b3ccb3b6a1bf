"""Small indicators: a chart of values, and a spinner."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from typing import TYPE_CHECKING

from common.ui.look.shapes import OVER, chart, photo, tinted
from common.ui.look.theme import Theme, surface_of

if TYPE_CHECKING:
    from PIL import Image


class Sparkline(tk.Label):
    """A line over a filled area with a dot at the newest value; sizes are px at 96 dpi.

    The scale goes from zero to the highest value, but at least to `least_top`, so that an
    idle server does not look like a busy one.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        *,
        width: int = 110,
        height: int = 40,
        least_top: float = 1.0,
    ) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0, padx=0, pady=0)
        self._theme, self._least_top = theme, least_top
        self._size = theme.px(width), theme.px(height)
        self._values: tuple[float, ...] = (0.0, 0.0)
        self._image: tk.PhotoImage | None = None
        theme.subscribe(self, self._paint)

    def set(self, values: Sequence[float]) -> None:
        """Show these values, oldest first; fewer than two are padded with zeros."""
        wanted = (0.0,) * (2 - len(values)) + tuple(values)
        if wanted != self._values:
            self._values = wanted
            self._paint()

    def _paint(self) -> None:
        theme, palette = self._theme, self._theme.palette
        top = max(self._least_top, *self._values)
        values = tuple(max(0.0, value) / top for value in self._values)
        picture = chart(*self._size, values, palette.accent, palette.spark_fill, theme.scale)
        # Not cached: each one is different.
        self._image = photo(self, picture)
        self.configure(image=self._image, background=palette.surface(surface_of(self.master)))


class Spinner(tk.Label):
    """An arc that turns while `running`; 16 px at 96 dpi. It costs nothing when stopped."""

    STEPS = 12

    def __init__(self, parent: tk.Misc, theme: Theme, *, size: int = 16) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0, padx=0, pady=0)
        self._theme, self._size, self._step = theme, theme.px(size), 0
        self._timer: str | None = None
        self.bind("<Destroy>", lambda _: self.stop(), add="+")
        theme.subscribe(self, self._paint)

    @property
    def running(self) -> bool:
        """Whether it turns."""
        return self._timer is not None

    def start(self) -> None:
        """Turn until `stop`; calling it again changes nothing."""
        if self._timer is None:
            self._turn()

    def stop(self) -> None:
        """Stop turning."""
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None

    def _turn(self) -> None:
        self._step = (self._step + 1) % self.STEPS
        self._paint()
        self._timer = self.after(80, self._turn)

    def _paint(self) -> None:
        palette, size = self._theme.palette, self._size
        turn = self._step * 360 // self.STEPS
        key = ("spinner", size, turn, palette.accent, palette.track)
        image = self._theme.images.get(
            key, lambda: _spinner(size, turn, palette.accent, palette.track)
        )
        self.configure(image=image, background=palette.surface(surface_of(self.master)))


def _spinner(size: int, turn: int, ink: str, track: str) -> Image.Image:
    from PIL import Image, ImageDraw

    big, line = size * OVER, round(size * OVER / 8)
    box = (line, line, big - line - 1, big - line - 1)
    rail, arc = Image.new("L", (big, big)), Image.new("L", (big, big))
    ImageDraw.Draw(rail).arc(box, 0, 360, fill=255, width=line)
    ImageDraw.Draw(arc).arc(box, turn, turn + 110, fill=255, width=line)
    image = tinted(rail.reduce(OVER), track)
    image.alpha_composite(tinted(arc.reduce(OVER), ink))
    return image
