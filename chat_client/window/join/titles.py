"""The line above a field of the join screen: what it is, and a note where there is room."""

from __future__ import annotations

import tkinter as tk
from typing import NamedTuple

from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel


class Row(NamedTuple):
    """A widget of the column, and the space above it, px at 96 dpi."""

    widget: tk.Widget
    above: int = 0
    fill: bool = True


class Title(Panel):
    """`title` at the left, `note` at the right as long as both fit."""

    def __init__(self, parent: tk.Misc, theme: Theme, title: str, note: str) -> None:
        super().__init__(parent, theme)
        self._title = Label(self, theme, title, font="row_bold")
        self._title.pack(side="left")
        self._note = Label(self, theme, note, font="label", tone="muted")
        self._note.pack(side="right")

    def set_note(self, note: str) -> None:
        """Show another note."""
        self._note.set(note)

    def fit(self, width: int) -> None:
        """Leave the note out where there is no room for it, in screen pixels."""
        if self._title.winfo_reqwidth() + self._note.winfo_reqwidth() > width:
            self._note.pack_forget()
        else:
            self._note.pack(side="right")
