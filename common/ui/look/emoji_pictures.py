"""The pictures of emoji in one Text widget, drawn on the widget's background.

On X11 Tk asks the X server what is behind each picture with translucent pixels, whenever it
draws one: 900 emoji in view take 70 ms, and 4 ms without such pixels. So their edges are mixed
with the background beforehand, and are drawn again when that changes.
"""

from __future__ import annotations

import time
import tkinter as tk
from collections import deque
from typing import TYPE_CHECKING, Final

from common.ui.look import emoji
from common.ui.look.shapes import on_ground, photo, png
from common.ui.look.theme import Theme

if TYPE_CHECKING:
    from PIL.Image import Image

_SIZE: Final = 20
"""Width of an emoji in a line of text, px at 96 dpi."""
_BUDGET: Final = 0.008
"""Time budget in seconds for redrawing stale pictures in one callback of Tk's loop."""


class EmojiPictures:
    """Makes and caches the pictures, one for each spelling: a picture's name leads back to it."""

    def __init__(self, widget: tk.Text, theme: Theme) -> None:
        self._widget = widget
        self._theme = theme
        self._pictures: dict[str, tuple[tk.PhotoImage, int]] = {}
        """Spelling → its picture, and its cell."""
        self._spellings: dict[str, str] = {}
        """Name of a picture → its spelling."""
        self._ground = ""
        """The background that they are drawn on."""
        self._stale: deque[str] = deque()
        """Spellings whose pictures still have the former background."""
        self._timer: str | None = None
        widget.bind("<Destroy>", self._end, add="+")

    def picture(self, spelling: str, cell: int) -> tk.PhotoImage:
        """The picture of a spelling; it is drawn if it is not cached."""
        known = self._pictures.get(spelling)
        if known is not None:
            return known[0]
        self._ground = self._ground or self._background()
        picture = photo(self._widget, self._draw(cell))
        self._pictures[spelling] = picture, cell
        self._spellings[str(picture)] = spelling
        return picture

    def spelling(self, name: str) -> str:
        """The characters that a picture in the widget stands for; "" if it is not one of these."""
        # Tk names each use of a picture: the picture's name, and a number if needed.
        return self._spellings.get(name.partition("#")[0], "")

    def repaint(self) -> None:
        """Redraw the pictures if the widget's background has changed, those in view first."""
        ground = self._background()
        if ground == self._ground or not self._pictures:
            return
        self._ground = ground
        seen = dict.fromkeys(filter(None, map(self.spelling, self._in_view())))
        self._stale = deque(dict.fromkeys([*seen, *self._pictures]))
        if self._timer is None:
            self._draw_stale()

    def _background(self) -> str:
        """As `#rrggbb`, as it may have a name."""
        colour = self._widget.winfo_rgb(str(self._widget.cget("background")))
        return "#" + "".join(f"{part >> 8:02x}" for part in colour)

    def _in_view(self) -> list[str]:
        widget = self._widget
        end = f"@{widget.winfo_width()},{widget.winfo_height()}"
        dumped = widget.tk.call(str(widget), "dump", "-image", "@0,0", end)
        return [str(value) for value in widget.tk.splitlist(dumped)[1::3]]

    def _draw_stale(self) -> None:
        self._timer = None
        until = time.perf_counter() + _BUDGET
        while self._stale:
            picture, cell = self._pictures[self._stale.popleft()]
            picture.configure(data=png(self._draw(cell)))
            if time.perf_counter() > until:
                self._timer = self._widget.after(1, self._draw_stale)
                return

    def _draw(self, cell: int) -> Image:
        return on_ground(emoji.draw(cell, self._theme.px(_SIZE)), self._ground)

    def _end(self, _: object) -> None:
        if self._timer is not None:
            self._widget.after_cancel(self._timer)
            self._timer = None
