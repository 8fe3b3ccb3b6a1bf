"""A slim scrollbar that is only there when there is something to scroll."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final, Protocol

from window.theme import Theme, surface_of

WIDTH: Final = 10
"""Width of the widget, px at 96 dpi; the thumb is `THUMB` wide in its middle."""
THUMB: Final = 6
SHORTEST: Final = 28
"""The thumb is never shorter, however much there is to scroll."""


class Scrollable(Protocol):
    """What a canvas, a text or a list can do."""

    def yview(self, *args: object) -> object:
        """Answer the view, or move it as Tk's `yview` command says."""


class Scrollbar(tk.Canvas):
    """Give `set` to the widget as `yscrollcommand`; `command` is its `yview`.

    Drag the thumb, or click above or below it for a page. With everything in view the
    thumb vanishes; the width stays, so that nothing jumps.
    """

    def __init__(
        self, parent: tk.Misc, theme: Theme, command: Callable[..., object] | None = None
    ) -> None:
        super().__init__(parent, width=theme.px(WIDTH), highlightthickness=0, borderwidth=0)
        self.command = command
        self._theme, self._first, self._last = theme, 0.0, 1.0
        self._grip: float | None = None
        self._over = False
        self.bind("<Configure>", lambda _: self._draw())
        self.bind("<Button-1>", self._pressed)
        self.bind("<B1-Motion>", self._dragged)
        self.bind("<ButtonRelease-1>", lambda _: self._released())
        self.bind("<Enter>", lambda _: self._hover(True))
        self.bind("<Leave>", lambda _: self._hover(False))
        if command:
            bind_wheel(self, lambda units: self._scroll("scroll", units, "units"))
        theme.subscribe(self, self._paint)

    @property
    def needed(self) -> bool:
        """Whether there is more than the view shows."""
        return self._first > 0 or self._last < 1

    def set(self, first: float | str, last: float | str) -> None:
        """Take the visible part, each end from 0 to 1, as Tk's `yscrollcommand` gives it."""
        view = float(first), float(last)
        if view != (self._first, self._last):
            self._first, self._last = view
            self._draw()

    def thumb(self) -> tuple[int, int]:
        """Top and bottom of the thumb in screen pixels."""
        height = self.winfo_height()
        length = max(round((self._last - self._first) * height), self._theme.px(SHORTEST))
        room = max(0, height - length)
        hidden = 1 - (self._last - self._first)
        top = round(self._first / hidden * room) if hidden > 0 else 0
        return top, min(height, top + length)

    def _scroll(self, *args: object) -> None:
        if self.command:
            self.command(*args)

    def _pressed(self, event: tk.Event[tk.Misc]) -> None:
        top, bottom = self.thumb()
        if top <= event.y <= bottom:
            self._grip = event.y - top
            self._draw()
        else:
            self._scroll("scroll", -1 if event.y < top else 1, "pages")

    def _dragged(self, event: tk.Event[tk.Misc]) -> None:
        if self._grip is None:
            return
        top, bottom = self.thumb()
        room = self.winfo_height() - (bottom - top)
        if room > 0:
            hidden = 1 - (self._last - self._first)
            part = max(0.0, (event.y - self._grip) / room)
            # A text is never sure of its own height: the very end is asked for as such.
            self._scroll("moveto", part * hidden if part < 1 else 1.0)

    def _released(self) -> None:
        self._grip = None
        self._draw()

    def _hover(self, over: bool) -> None:
        self._over = over
        self._draw()

    def _paint(self) -> None:
        self.configure(background=self._theme.palette.surface(surface_of(self.master)))
        self._draw()

    def _draw(self) -> None:
        self.delete("all")
        if not self.needed:
            return
        theme, palette = self._theme, self._theme.palette
        active = self._over or self._grip is not None
        colour = palette.scrollbar_hover if active else palette.scrollbar
        top, bottom = self.thumb()
        wide = theme.px(THUMB)
        left = (self.winfo_width() - wide) // 2
        disc = theme.images.disc(wide, colour)
        # Round ends from a disc and a plain middle: any length, one picture.
        self.create_image(left, top, image=disc, anchor="nw")
        self.create_image(left, bottom - wide, image=disc, anchor="nw")
        half = wide // 2
        self.create_rectangle(
            left, top + half, left + wide, bottom - half, fill=colour, outline="", width=0
        )


def bind_wheel(widget: tk.Misc, scroll: Callable[[int], object]) -> None:
    """Call `scroll(units)` for the wheel over `widget`; negative is up, 3 units a notch.

    X11 sends buttons 4 and 5, Windows multiples of 120, macOS small numbers.
    """
    aqua = widget.tk.call("tk", "windowingsystem") == "aqua"

    def wheel(event: tk.Event[tk.Misc]) -> None:
        scroll(-event.delta if aqua else -round(event.delta / 40) or (-1 if event.delta > 0 else 1))

    widget.bind("<MouseWheel>", wheel, add="+")
    widget.bind("<Button-4>", lambda _: scroll(-3), add="+")
    widget.bind("<Button-5>", lambda _: scroll(3), add="+")
