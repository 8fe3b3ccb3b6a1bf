"""Whether somebody looks at the window, and when they turn to it and away from it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable


class FocusWatch:
    """Goes by the keyboard focus of `window`, of which `screen` fills the inside.

    `on_focus()` is called when the window gets the focus or passes it on to a widget, `on_leave()`
    when another program has it.
    """

    def __init__(
        self,
        window: tk.Tk,
        screen: tk.Misc,
        on_focus: Callable[[], object],
        on_leave: Callable[[], object],
    ) -> None:
        self._window, self._screen = window, screen
        self._on_focus, self._on_leave = on_focus, on_leave
        self._leaving: str | None = None
        screen.bind("<FocusIn>", self._focused)
        screen.bind("<FocusOut>", self._left)

    @property
    def has_focus(self) -> bool:
        """Whether the window is on the screen, and has the keyboard itself or in a dialog."""
        # What is on no screen is not looked at, even if Tk takes it to have the keyboard: Tk
        # ignores that a window lost it while a request of its own was on its way.
        # focus_displayof fails on widgets that Tk made itself, such as a menu's.
        viewable = self._window.winfo_viewable()
        return bool(viewable and self._window.tk.call("focus", "-displayof", "."))

    def _focused(self, _: object) -> None:
        self._on_focus()

    def _left(self, _: object) -> None:
        """The focus went elsewhere; where, Tk says when it has got there."""
        if self._leaving is None:
            self._leaving = self._screen.after_idle(self._look)

    def _look(self) -> None:
        self._leaving = None
        if not self.has_focus:
            self._on_leave()

    def stop(self) -> None:
        """The screen is about to go: that takes the focus from it, which nobody has to know."""
        self._screen.unbind("<FocusIn>")
        self._screen.unbind("<FocusOut>")
        if self._leaving is not None:
            self._screen.after_cancel(self._leaving)
            self._leaving = None
