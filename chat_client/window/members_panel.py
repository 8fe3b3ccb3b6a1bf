"""Where the members are: beside the conversation, or over it where there is no room for both."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from chat_client.window.header import HEIGHT
from chat_client.window.sidebar import Members
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Hairline, Panel

_NARROW: Final = 860
"""Below this width, px at 96 dpi, the members give their place to the conversation."""


class MembersPanel(Panel):
    """The list of members in a window `screen`, whose conversation is `middle`."""

    def __init__(
        self,
        screen: tk.Misc,
        theme: Theme,
        middle: tk.Misc,
        on_person: Callable[[str], object],
        on_menu: Callable[[str, int, int], object],
    ) -> None:
        super().__init__(screen, theme, "sidebar")
        self._screen, self._theme, self._middle = screen, theme, middle
        self._wanted = True
        """Whether they stand beside the conversation where there is room."""
        self._over = False
        """Whether they stand over the conversation, in a window too narrow for both."""
        self._edge = Hairline(self, theme, vertical=True)
        self.members = Members(self, theme, on_person, on_menu)
        self.members.pack(side="right", fill="both", expand=True)

    def toggle(self) -> None:
        """Show or hide them."""
        shown = bool(self.winfo_manager())
        if self._is_narrow:
            self._over = not shown
        else:
            self._wanted = not shown
        self.put()

    def take_over(self, former: MembersPanel) -> None:
        """Be shown as another one is."""
        self._wanted, self._over = former._wanted, former._over

    def hide_over(self) -> None:
        """Take them away from over the conversation."""
        if self._over:
            self._over = False
            self.put()

    def put(self) -> None:
        """Beside the conversation; over it, below the header, where there is no room for both."""
        wanted = ("place" if self._over else "") if self._is_narrow else ""
        if not self._is_narrow:
            self._over = False
            wanted = "pack" if self._wanted else ""
        if self.winfo_manager() == wanted:
            return
        self.pack_forget()
        self.place_forget()
        if wanted == "pack":
            self._edge.pack_forget()
            self.pack(side="right", fill="y", before=self._middle)
        elif wanted == "place":
            self._edge.pack(side="left", fill="y")
            top = self._theme.px(HEIGHT) + self._theme.px(1)
            self.place(in_=self._middle, relx=1, y=top, anchor="ne", relheight=1, height=-top)

    @property
    def _is_narrow(self) -> bool:
        return self._screen.winfo_width() < self._theme.px(_NARROW)
