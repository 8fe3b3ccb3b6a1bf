"""Tooltips: shown when the pointer rests on a widget."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from common.ui.look.theme import Theme

DELAY: Final = 500
"""Milliseconds for which the pointer must rest."""
_WIDEST: Final = 420
"""Width of its longest line, px at 96 dpi."""


class Tooltip:
    """Shows `text` below `widget`; `text` may be changed at any time, "" shows nothing.

    For a part of a canvas, call `wait_at` with that part's area and text.
    """

    def __init__(self, widget: tk.Misc, theme: Theme, text: str) -> None:
        self.text = text
        self._widget, self._theme = widget, theme
        self._area: tuple[int, int, int, int] | None = None
        self._timer: str | None = None
        self._window: tk.Toplevel | None = None
        widget.bind("<Enter>", lambda _: self._wait(), add="+")
        for event in ("<Leave>", "<ButtonPress>", "<Key>", "<Unmap>", "<Destroy>"):
            widget.bind(event, lambda _: self.hide(), add="+")

    @property
    def shown(self) -> bool:
        """Whether it is on the screen."""
        return self._window is not None

    def wait_at(self, text: str, area: tuple[int, int, int, int]) -> None:
        """Show `text` below `area` (left, top, right, bottom) when the pointer has rested."""
        self.text, self._area = text, area
        self._wait()

    def show(self) -> None:
        """Show it at once."""
        self._stop()
        if not self.text:
            return
        theme, palette, widget = self._theme, self._theme.palette, self._widget
        window = self._window = tk.Toplevel(widget)
        window.withdraw()
        window.overrideredirect(True)
        tk.Label(
            window,
            text=self.text,
            font=theme.fonts["label"],
            background=palette.shadow,
            foreground=palette.on_shadow,
            wraplength=theme.px(_WIDEST),
            justify="left",
            padx=theme.px(8),
            pady=theme.px(4),
            borderwidth=0,
        ).pack()
        window.update_idletasks()
        left, top, right, bottom = self._area or (0, 0, widget.winfo_width(), widget.winfo_height())
        x = widget.winfo_rootx() + (left + right - window.winfo_reqwidth()) // 2
        y = widget.winfo_rooty() + bottom + theme.px(6)
        if y + window.winfo_reqheight() > widget.winfo_screenheight():
            y = widget.winfo_rooty() + top - window.winfo_reqheight() - theme.px(6)
        x = max(0, min(x, widget.winfo_screenwidth() - window.winfo_reqwidth()))
        window.geometry(f"+{x}+{y}")
        window.deiconify()

    def hide(self) -> None:
        """Hide it, and cancel the wait for it."""
        self._stop()
        if self._area is not None:
            self.text, self._area = "", None

    def _stop(self) -> None:
        if self._timer is not None:
            self._widget.after_cancel(self._timer)
            self._timer = None
        if self._window is not None:
            self._window.destroy()
            self._window = None

    def _wait(self) -> None:
        self._stop()
        self._timer = self._widget.after(DELAY, self._due)

    def _due(self) -> None:
        self._timer = None
        self.show()
