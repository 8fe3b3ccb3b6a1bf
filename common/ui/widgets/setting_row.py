"""One setting on a page: what it is called, what it does, and the control that changes it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.switch import Switch


class SettingRow(Panel):
    """A title with an explanation below it; put the control in `beside` or in `below`."""

    def __init__(self, parent: tk.Misc, theme: Theme, title: str, explanation: str = "") -> None:
        super().__init__(parent, theme)
        self._theme = theme
        self.beside = Panel(self, theme)
        self.beside.pack(side="right", anchor="n")
        self._title = Label(self, theme, title, font="body_bold")
        self._title.pack(anchor="w", fill="x")
        self._explanation = Label(self, theme, explanation, tone="muted")
        if explanation:
            self._explanation.pack(anchor="w", fill="x", pady=(theme.px(3), 0))
        self.below = Panel(self, theme)
        self.below.pack(anchor="w", fill="x")
        self.beside.lift()
        self.below.lift()
        self.bind("<Configure>", lambda _: self._wrap())

    def explain(self, text: str) -> None:
        """Show another explanation."""
        self._explanation.set(text)
        if text:
            pad = (self._theme.px(3), 0)
            self._explanation.pack(anchor="w", fill="x", pady=pad, after=self._title)
        else:
            self._explanation.pack_forget()

    def _wrap(self) -> None:
        gap = self._theme.px(16) if self.beside.winfo_children() else 0
        self.beside.pack_configure(padx=(gap, 0))
        room = self.winfo_width() - self.beside.winfo_reqwidth() - gap
        width = max(self._theme.px(80), room)
        for label in (self._title, self._explanation):
            label.configure(wraplength=width)


class SwitchRow(SettingRow):
    """A setting that is on or off; a click on its words toggles it, too."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        title: str,
        explanation: str,
        on_change: Callable[[bool], object],
    ) -> None:
        super().__init__(parent, theme, title, explanation)
        self.switch = Switch(self.beside, theme, on_change=on_change)
        self.switch.pack()
        for words in (self, self._title, self._explanation):
            words.bind("<Button-1>", lambda _: self.switch.event_generate("<Button-1>"))
