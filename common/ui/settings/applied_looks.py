"""Applies the settings of colours and text size to a program's window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from common.system.looks import ThemeChoice
from common.system.settings_store import SettingsStore
from common.ui.look.desktop_mode import desktop_mode, is_cheap
from common.ui.look.palette import Mode
from common.ui.program.program import Program
from common.ui.settings.text_size import TEXT_SIZE_KEYS, change_text_size

_ASK_AGAIN: Final = 200
"""Polling interval in milliseconds while a dialog or menu delays a change of the text size."""


class AppliedLooks:
    """Applies the looks whenever they change, and binds the keys for the text size.

    `rebuild()` rebuilds the window's contents for another text size. `mode` is of the command line:
    it is not stored, and holds for this run until the person chooses another one.
    """

    def __init__(
        self,
        program: Program[Any],
        store: SettingsStore[Any],
        rebuild: Callable[[], object],
        mode: Mode | None = None,
    ) -> None:
        self._program, self._store, self._rebuild = program, store, rebuild
        self.given = mode
        """The mode of the command line, while it holds."""
        self._chosen: ThemeChoice | None = None
        """The chosen theme when the looks were last applied."""
        self._timer: str | None = None
        remembered = program.remembered_mode
        if remembered is not None and store.problem is None and not store.path.exists():
            # Chosen with a version without settings, or before a damaged file was set aside.
            store.set("looks", "theme", value=remembered)
        store.subscribe(self.apply)
        for keys, step in TEXT_SIZE_KEYS:
            program.root.bind(keys, partial(self._zoom, step))

    def apply(self) -> None:
        """Apply the current settings."""
        looks, theme = self._store.settings.looks, self._program.theme
        former, self._chosen = self._chosen, looks.theme
        if former not in {None, looks.theme}:
            self.given = None
        if looks.theme != former or looks.theme != "system" or is_cheap():
            theme.switch(self.given or _mode(looks.theme))
        text_size = theme.fitting(looks.text_size)
        if text_size != theme.text_size:
            self._zoom_when_possible(text_size)
        # After the switch of the mode, which has the window store the mode that is shown.
        self._program.remember_look(None if looks.theme == "system" else looks.theme, text_size)

    def look_again(self) -> None:
        """Apply changes made elsewhere, also to the desktop, when the window gets the focus."""
        self._store.refresh()
        if self._chosen == "system":
            self.apply()

    def choose(self, theme: ThemeChoice) -> None:
        """Choose and store the theme."""
        self.given = None
        self._store.set("looks", "theme", value=theme)

    def toggle_mode(self) -> None:
        """Choose and store dark instead of light, or light instead of dark."""
        self.choose("light" if self._program.theme.mode == "dark" else "dark")

    def stop(self) -> None:
        """Cancel the timer, as the window closes."""
        if self._timer is not None:
            self._program.root.after_cancel(self._timer)
            self._timer = None

    def _zoom_when_possible(self, text_size: int) -> None:
        """Zoom; while a dialog or a menu is open, wait until it is closed."""
        root = self._program.root
        self.stop()
        if root.tk.call("grab", "current"):
            self._timer = root.after(_ASK_AGAIN, self._look_whether_asked)
            return
        self._program.zoom(text_size)
        self._rebuild()

    def _look_whether_asked(self) -> None:
        self._timer = None
        self.apply()

    def _zoom(self, step: int, _: object) -> str:
        change_text_size(self._store, self._program.theme, step)
        return "break"


def _mode(choice: ThemeChoice) -> Mode:
    return desktop_mode() if choice == "system" else choice
