"""Labels, surfaces and rules: the plain widgets that follow the theme."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Literal

from common.ui.look.fonts import Role
from common.ui.look.icons import IconName
from common.ui.look.palette import Palette, Surface, Tone
from common.ui.look.theme import Theme, surface_of


def bare_label(parent: tk.Misc) -> tk.Label:
    """A Tk label without any border or padding."""
    return tk.Label(parent, borderwidth=0, highlightthickness=0, padx=0, pady=0)


class Panel(tk.Frame):
    """A frame with a surface of its own, whose background its children take."""

    def __init__(self, parent: tk.Misc, theme: Theme, surface: Surface | None = None) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self.surface: Surface = surface or surface_of(parent)
        self._theme = theme
        self._ringed = False
        theme.subscribe(self, lambda: self._paint(theme.palette))

    def ring_for(self, widget: tk.Misc) -> None:
        """Show the focus ring of `widget`, a child, around this panel (`common.ui.widgets.focus`).

        Call it after the widget's bindtags are set.
        """
        self.configure(highlightthickness=self._theme.px(2))
        self._theme.focus.watch(widget, self._ring)

    def _ring(self, on: bool) -> None:
        self._ringed = on
        self._paint(self._theme.palette)

    def _paint(self, palette: Palette) -> None:
        ground = palette.surface(self.surface)
        edge = palette.focus if self._ringed else ground
        self.configure(background=ground, highlightbackground=edge, highlightcolor=edge)


class Label(tk.Label):
    """A line of text in a role's font and a tone's colour, with an icon before it if given.

    Change it with `set`. `wrap` is a width in px at 96 dpi. The text is never evaluated as Tcl.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        text: str = "",
        *,
        font: Role = "body",
        tone: Tone = "text",
        icon: IconName | None = None,
        wrap: int = 0,
        justify: Literal["left", "center", "right"] = "left",
    ) -> None:
        super().__init__(
            parent,
            text=text,
            font=theme.fonts[font],
            borderwidth=0,
            highlightthickness=0,
            padx=0,
            pady=0,
            anchor="w",
            justify=justify,
            wraplength=theme.px(wrap),
        )
        self._theme = theme
        self._tone: Tone = tone
        self._icon = icon
        theme.subscribe(self, self._paint)

    def set(self, text: str, tone: Tone | None = None) -> None:
        """Show `text`, in another tone if one is given."""
        if text != self.cget("text"):
            self.configure(text=text)
        if tone is not None and tone != self._tone:
            self._tone = tone
            self._paint()

    def set_icon(self, icon: IconName | None, tone: Tone | None = None) -> None:
        """Show another icon, or none."""
        self._icon, self._tone = icon, tone or self._tone
        self._paint()

    def _paint(self) -> None:
        palette = self._theme.palette
        ink = palette.tone(self._tone)
        self.configure(background=palette.surface(surface_of(self.master)), foreground=ink)
        if self._icon is None:
            self.configure(image="", compound="none")
            return
        image = self._theme.icon(self._icon, ink, gap=8 if self.cget("text") else 0)
        self.configure(image=image, compound="left")


class Picture(tk.Label):
    """An image that `draw` makes for the theme as it is, such as an avatar or a pill."""

    def __init__(self, parent: tk.Misc, theme: Theme, draw: Callable[[], tk.PhotoImage]) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0, padx=0, pady=0)
        self._theme, self._draw = theme, draw
        theme.subscribe(self, self._paint)

    def set(self, draw: Callable[[], tk.PhotoImage]) -> None:
        """Show what `draw` makes, now and after each switch."""
        self._draw = draw
        self._paint()

    def _paint(self) -> None:
        behind = self._theme.palette.surface(surface_of(self.master))
        self.configure(background=behind, image=self._draw())


class Hairline(tk.Frame):
    """A rule one pixel thick; pack or grid it with `fill="x"` or `"y"`."""

    def __init__(self, parent: tk.Misc, theme: Theme, *, vertical: bool = False) -> None:
        one = theme.px(1)
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self.configure(width=one) if vertical else self.configure(height=one)
        theme.subscribe(self, lambda: self._paint(theme.palette))

    def _paint(self, palette: Palette) -> None:
        self.configure(background=palette.border)
