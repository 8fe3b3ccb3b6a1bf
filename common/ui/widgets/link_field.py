"""A field that shows a link: shortened to the room there is, and copied as a whole."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

from common.ui.look.theme import Theme
from common.ui.widgets.fields import Field


class LinkField(Field):
    """Read-only. Tab into it selects the link; `copy(link)` is called for what a person copies."""

    def __init__(
        self, parent: tk.Misc, theme: Theme, copy: Callable[[str], object], *, height: int = 44
    ) -> None:
        super().__init__(parent, theme, icon="link", height=height, font="field", fill="raised")
        self._link = ""
        self._copy_link = copy
        self.entry.configure(state="readonly")
        self.entry.bind("<<Copy>>", lambda _: self._copy_whole())
        self.entry.bind("<FocusIn>", lambda _: self.select_all(), add="+")
        self.entry.bind("<Configure>", lambda _: self._fit_link(), add="+")
        # The field paints an editable entry; this one is read-only.
        theme.subscribe(self.entry, self._paint_readonly)

    @property
    def link(self) -> str:
        """The whole link."""
        return self._link

    def show(self, link: str) -> None:
        """Show this link."""
        self._link = link
        self.copy_as(link)
        self._fit_link()

    def _copy_whole(self) -> str:
        self._copy_link(self._link)
        return "break"

    def _fit_link(self) -> None:
        room = self.entry.winfo_width() - self._theme.px(6)
        shown = self._theme.fonts.fit("field", self._link, max(1, room))
        if shown != self.value:
            self.value = shown

    def _paint_readonly(self) -> None:
        self.entry.configure(readonlybackground=self._theme.palette.surface(self.surface))
