"""Widgets side by side, in as many lines as the width asks for."""

from __future__ import annotations

import tkinter as tk

from common.ui.look.theme import Theme
from common.ui.widgets.basics import Panel

_GAP = 6
"""Between widgets, and between lines, px at 96 dpi."""


class Flow(Panel):
    """Pack it with `fill="x"`; make widgets in it and `add` them. They keep their own size."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(parent, theme)
        self._gap = theme.px(_GAP)
        self._members: list[tk.Widget] = []
        self.bind("<Configure>", lambda event: self._arrange(event.width))

    def add(self, widget: tk.Widget) -> None:
        """Put a widget behind those that are there."""
        self._members.append(widget)
        wanted = sum(each.winfo_reqwidth() + self._gap for each in self._members) - self._gap
        self.configure(width=wanted, height=max(each.winfo_reqheight() for each in self._members))

    def refit(self) -> None:
        """Arrange the widgets anew, as one of them has another size than when it was added."""
        if self.winfo_width() > 1:
            self._arrange(self.winfo_width())

    def _arrange(self, width: int) -> None:
        x = y = 0
        line = max((each.winfo_reqheight() for each in self._members), default=0)
        for each in self._members:
            wide = each.winfo_reqwidth()
            if x and x + wide > width:
                x, y = 0, y + line + self._gap
            each.place(x=x, y=y + line // 2, width=min(wide, width), anchor="w")
            x += wide + self._gap
        self.configure(height=y + line)
