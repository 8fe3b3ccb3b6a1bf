"""The head of the join screen's column: which chat it is about."""

from __future__ import annotations

import tkinter as tk

from common.domain.sign import Sign
from common.ui.look.avatars import BADGE
from common.ui.look.icons import IconName
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel, Picture
from common.ui.widgets.safe_text import safe

_SIZE = 48


class Heading(Panel):
    """A badge or an icon, a title, and a line below it."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(parent, theme, "window")
        self._theme = theme
        self._picture = Picture(self, theme, lambda: self._icon("chat"))
        self._picture.pack(side="left", padx=(0, theme.px(16)))
        titles = Panel(self, theme, "window")
        titles.pack(side="left", fill="x", expand=True)
        self.title = Label(titles, theme, font="heading")
        self.title.pack(anchor="w")
        self.under = Label(titles, theme, tone="muted")
        self.under.pack(anchor="w")

    def show(self, title: str, under: str, icon: IconName = "chat") -> None:
        """Show what is to be done, without a chat."""
        self._picture.set(lambda: self._icon(icon))
        self.title.set(title)
        self.under.set(under)

    def show_chat(self, name: str, sign: Sign | None, where: str) -> None:
        """Show a chat: its name, its sign and where it is."""
        name = safe(name)
        colour = sign.colour if sign is not None else BADGE
        self._picture.set(lambda: self._theme.badge(name, _SIZE, colour))
        self.title.set(name)
        self.under.set(" · ".join(filter(None, (sign.words if sign is not None else "", where))))

    def fit(self, width: int) -> None:
        """Wrap the texts to what is left beside the picture, in screen pixels."""
        beside = width - self._theme.px(_SIZE + 16)
        for text in (self.title, self.under):
            text.configure(wraplength=beside)

    def _icon(self, name: IconName) -> tk.PhotoImage:
        return self._theme.icon(name, self._theme.palette.accent, _SIZE)
