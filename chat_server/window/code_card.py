"""The spoken code, large enough to be read out across a room."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import CodeView
from common.ui.look.fonts import Role
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.flow import Flow

_FONTS: Final[tuple[Role, ...]] = ("hero", "hero_title", "title")
"""The largest that there is room for is used."""


class CodeCard(Panel):
    """Shows a code with what can be done with it; its owner packs it while there is one."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme)
        self._theme = theme
        self._text = ""
        self._title = Label(self, theme, "Code", tone="muted")
        self._title.pack(anchor="w")
        self.code = Label(self, theme, font="hero")
        self.code.pack(anchor="w")
        self._until = Label(self, theme, tone="muted")
        self._until.pack(anchor="w", pady=(theme.px(4), 0))
        row = Flow(self, theme)
        row.pack(fill="x", pady=(theme.px(12), 0))
        joining = actions.joining
        self.hide = Button(row, theme, "Hide", joining.hide_code)
        self.renew = Button(row, theme, "New code", joining.renew_code)
        self.end = Button(row, theme, "End this code", joining.end_code, variant="quiet")
        for button in (self.hide, self.renew, self.end):
            row.add(button)

    def show(self, code: CodeView) -> None:
        """Show this code."""
        self._text = code.text
        self.code.set(code.text)
        self._until.set(
            f"Valid until {code.until}, for any number of people. Guests choose this chat in "
            "ChatClient, press “I have a code” and type it."
        )

    def set_compact(self, compact: bool) -> None:
        """Show the code and the buttons alone, or with what is to be said of it."""
        if compact:
            self._title.pack_forget()
            self._until.pack_forget()
        elif not self._title.winfo_manager():
            self._title.pack(anchor="w", before=self.code)
            self._until.pack(anchor="w", pady=(self._theme.px(4), 0), after=self.code)

    def fit(self, width: int) -> None:
        """Fit it into `width` screen pixels."""
        fonts = self._theme.fonts
        sizes = [role for role in _FONTS if fonts.width(role, self._text) <= width]
        self.code.configure(font=fonts[sizes[0] if sizes else _FONTS[-1]])
        self._until.configure(wraplength=max(1, width))
