"""A slim scrollbar that is hidden when there is nothing to scroll, and a scrolled page."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from common.ui.look.palette import Palette
from common.ui.look.theme import Theme, surface_of
from common.ui.widgets.basics import Panel

WIDTH: Final = 10
"""Width of the widget, px at 96 dpi; the thumb is `THUMB` wide in its middle."""
THUMB: Final = 6
SHORTEST: Final = 28
"""Minimum length of the thumb, px at 96 dpi."""


class Scrollbar(tk.Canvas):
    """Give `set` to the widget as `yscrollcommand`; `command` is its `yview`.

    Drag the thumb, or click above or below it to scroll by a page. With everything in view the
    thumb is hidden; the width stays, so that nothing moves.
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
            # A Text only estimates its height: its end is requested as such.
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


class ScrollPane(Panel):
    """A page that is scrolled where the window is too low for it.

    Create one panel in `inside`, call `adopt` when it is complete, and `put` whenever its size or
    the pane's may have changed. `on_resize(width, height)` gets the size of the visible part.
    """

    def __init__(
        self, parent: tk.Misc, theme: Theme, on_resize: Callable[[int, int], object]
    ) -> None:
        super().__init__(parent, theme)
        self._height = 0
        self._adopted = False
        self.canvas = tk.Canvas(
            self, width=1, height=1, highlightthickness=0, borderwidth=0, yscrollincrement=1
        )
        self.canvas.pack(fill="both", expand=True)
        self.inside = Panel(self.canvas, theme)
        self._item = self.canvas.create_window(0, 0, anchor="nw", window=self.inside)
        self._scrollbar = Scrollbar(self, theme, self.canvas.yview)
        self.canvas.configure(yscrollcommand=self._scrollbar.set)
        self.canvas.bind("<Configure>", lambda event: on_resize(event.width, event.height))
        # The canvas is visible only at its edges, and before the first `put`.
        theme.subscribe(self.canvas, lambda: self._paint_canvas(theme.palette))

    def _paint_canvas(self, palette: Palette) -> None:
        self.canvas.configure(background=palette.surface(self.surface))

    def put(self, content: Panel, above: float, margin: int, width: int = 0) -> None:
        """Centre `content` horizontally, with `above` of the spare height (0 to 1) above it.

        There are at least `margin` screen pixels above and below. Without a `width` it takes the
        whole width.
        """
        view = self.canvas.winfo_width(), self.canvas.winfo_height()
        needed = content.winfo_reqheight() + 2 * margin
        self._height = max(view[1], needed)
        self.canvas.itemconfigure(self._item, width=view[0], height=self._height)
        self.canvas.configure(scrollregion=(0, 0, view[0], self._height))
        top = margin + round((self._height - needed) * above)
        wide = width or view[0]
        content.place(x=(view[0] - wide) // 2, y=top, width=wide)
        if needed > view[1]:
            # Over the margin: beside the page it would make that narrower, and so higher.
            self._scrollbar.place(relx=1, anchor="ne", relheight=1)
            tk.Misc.lift(self._scrollbar)
        else:
            self._scrollbar.place_forget()

    def adopt(self) -> None:
        """Scroll by the wheel over everything inside, and to the widget that gets the focus.

        Call it again when there is more inside.
        """
        if not self._adopted:
            self._adopted = True
            self.bind("<FocusIn>", lambda event: self._see(event.widget))
            bind_wheel(self, self._wheel)
        waiting: list[tk.Misc] = [self.canvas]
        while waiting:
            widget = waiting.pop()
            tags = widget.bindtags()
            # This widget's own bindings, which are removed with it, apply to those inside as well.
            if str(self) not in tags:
                widget.bindtags((*tags, str(self)))
            waiting += widget.winfo_children()

    def _wheel(self, units: int) -> None:
        if self._scrollbar.winfo_manager():
            self.canvas.yview_scroll(units * self._theme.px(16), "units")

    def _see(self, widget: tk.Misc) -> None:
        """Scroll as little as needed to show a widget, with some space around it."""
        space = self._theme.px(12)
        top = widget.winfo_rooty() - self.inside.winfo_rooty() - space
        bottom = top + widget.winfo_height() + 2 * space
        first, height = self.canvas.canvasy(0), self.canvas.winfo_height()
        to = top if top < first else bottom - height if bottom > first + height else None
        if to is not None and self._height > 0:
            self.canvas.yview_moveto(max(0, to) / self._height)


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
