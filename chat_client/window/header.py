"""The header of the conversation: whose it is, what the connection does, and its buttons."""

import tkinter as tk
from collections.abc import Callable
from typing import Final

from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.keys import FIND_TITLE
from common.ui.widgets.tooltip import Tooltip

HEIGHT: Final = 51
"""px at 96 dpi."""
_NARROW: Final = 200
"""Below this width, px at 96 dpi, there is room for the name alone."""


class Header(Panel):
    """What stands above the conversation.

    `on_find` and `on_members` show or hide the bar to find words, and the members; `on_mode`
    switches between light and dark, and `on_slow_mode` opens a moderator's menu of slow mode.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        *,
        on_find: Callable[[], object],
        on_mode: Callable[[], object],
        on_members: Callable[[], object],
        on_slow_mode: Callable[[], object],
    ) -> None:
        super().__init__(parent, theme, "window")
        self._theme = theme
        self._whole_title, self._whole_state = "", ""
        self.configure(height=theme.px(HEIGHT))
        self.pack_propagate(False)
        self.bind("<Configure>", lambda _: self._fit())
        self._icon = Label(self, theme, icon="hash")
        self._icon.pack(side="left", padx=(theme.px(22), theme.px(6)))
        self.toggle_members = Button(
            self, theme, "", on_members, variant="quiet", icon="people", icon_size=18
        )
        self.toggle_members.pack(side="right", padx=(0, theme.px(16)))
        Tooltip(self.toggle_members, theme, "Show or hide the members")
        self.toggle_theme = Button(
            self, theme, "", on_mode, variant="quiet", icon="moon", icon_size=18
        )
        self.toggle_theme.pack(side="right")
        Tooltip(self.toggle_theme, theme, "Light or dark")
        self.open_find = Button(
            self, theme, "", on_find, variant="quiet", icon="search", icon_size=18
        )
        self.open_find.pack(side="right")
        Tooltip(self.open_find, theme, f"Find in this conversation ({FIND_TITLE})")
        self.open_slow_mode = Button(
            self, theme, "", on_slow_mode, variant="quiet", icon="clock", icon_size=18
        )
        Tooltip(self.open_slow_mode, theme, "Slow mode")
        buttons = (self.open_slow_mode, self.open_find, self.toggle_theme, self.toggle_members)
        for button in buttons:
            button.lift()  # Tab follows the stack
        self.title = Label(self, theme, font="title")
        self.title.pack(side="left")
        self.state = Label(self, theme, tone="muted")
        self.state.pack(side="left", padx=theme.px(16), fill="x", expand=True)
        theme.subscribe(
            self, lambda: self.toggle_theme.set(icon="sun" if theme.mode == "dark" else "moon")
        )

    def show_room(self, *, is_direct: bool) -> None:
        """Show what kind of room it is."""
        self._icon.set_icon("person" if is_direct else "hash")

    def allow_slow_mode(self, allowed: bool) -> None:
        """Show the button of slow mode, or hide it."""
        if allowed == bool(self.open_slow_mode.winfo_manager()):
            return
        if allowed:
            self.open_slow_mode.pack(side="right", after=self.open_find)
        else:
            self.open_slow_mode.pack_forget()
        self._fit()

    def show(self, title: str, state: str) -> None:
        """Show the room's name and the state; both must be harmless to show."""
        self._whole_title, self._whole_state = title, state
        self._fit()

    def _fit(self) -> None:
        """The room's name and the state in what the buttons leave, the name first.

        Of a state that is too long its first parts go: the banner says them, or they are known.
        """
        theme = self._theme
        # One more for each of what is rounded up.
        width = self.winfo_width() - theme.px(22 + 16 + 6 + 2 * 16 + 16) - 4
        buttons = (self.toggle_members, self.toggle_theme, self.open_find, self.open_slow_mode)
        for button in buttons:
            width -= button.winfo_reqwidth() if button.winfo_manager() else 0
        fonts = theme.fonts
        line = "" if width < theme.px(_NARROW) else self._whole_state
        room = max(width - fonts.width("body", line), width * 6 // 10)
        title = fonts.fit("title", self._whole_title, room)
        self.title.set(title)
        width -= fonts.width("title", title)
        while " · " in line and fonts.width("body", line) > width:
            line = line.partition(" · ")[2]
        self.state.set(fonts.fit("body", line, max(0, width)))
