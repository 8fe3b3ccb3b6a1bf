"""A toggle switch."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from common.ui.look.palette import rgb
from common.ui.look.shapes import rounded_mask, tinted
from common.ui.look.theme import Theme, surface_of

if TYPE_CHECKING:
    from PIL import Image

WIDTH, HEIGHT = 52, 30
KNOB: Final = "#ffffff"


class Switch(tk.Label):
    """A sliding switch, `WIDTH` × `HEIGHT` px at 96 dpi. A click, Space or Return toggles it.

    `on_change(on)` is called when the person toggles it, not by `set`.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        *,
        on: bool = False,
        on_change: Callable[[bool], object] | None = None,
    ) -> None:
        super().__init__(
            parent,
            borderwidth=0,
            highlightthickness=0,
            padx=0,
            pady=0,
            takefocus=True,
            cursor="hand2",
        )
        self._theme, self._on, self._enabled = theme, on, True
        self.on_change = on_change
        self.bind("<Button-1>", self._toggle)
        self.bind("<space>", self._toggle)
        self.bind("<Return>", self._toggle)
        self._ringed = False
        theme.focus.watch(self, self._ring)
        theme.subscribe(self, self._paint)

    @property
    def on(self) -> bool:
        """Whether it is on."""
        return self._on

    def set(self, on: bool) -> None:
        """Show it on or off, without a call to `on_change`."""
        if on != self._on:
            self._on = on
            self._paint()

    @property
    def enabled(self) -> bool:
        """Whether it can be toggled."""
        return self._enabled

    @enabled.setter
    def enabled(self, on: bool) -> None:
        self._enabled = on
        self.configure(cursor="hand2" if on else "", takefocus=on)
        self._paint()

    def _toggle(self, _event: tk.Event[tk.Misc]) -> str:
        if self._enabled:
            self.set(not self._on)
            if self.on_change:
                self.on_change(self._on)
        return "break"

    def _ring(self, on: bool) -> None:
        self._ringed = on
        self._paint()

    def _paint(self) -> None:
        theme, palette = self._theme, self._theme.palette
        fill = palette.switch_on if self._on else palette.switch_off
        if not self._enabled:
            fill = palette.track
        ring = palette.text if self._ringed else ""
        size = theme.px(WIDTH), theme.px(HEIGHT)
        key = ("switch", *size, self._on, fill, ring)
        image = theme.images.get(key, lambda: _draw(size, self._on, fill, ring, theme.scale))
        self.configure(background=palette.surface(surface_of(self.master)), image=image)


def _draw(size: tuple[int, int], on: bool, fill: str, ring: str, scale: float) -> Image.Image:
    from PIL import Image

    width, height = size
    body = Image.new("RGB", size, rgb(ring or fill))
    body.paste(rgb(fill), mask=rounded_mask(width, height, height / 2, 2 * scale if ring else 0))
    body.putalpha(rounded_mask(width, height, height / 2))
    knob = height - round(6 * scale)
    inset = (height - knob) // 2
    disc = tinted(rounded_mask(knob, knob, knob / 2), KNOB)
    body.alpha_composite(disc, (width - inset - knob if on else inset, inset))
    return body
