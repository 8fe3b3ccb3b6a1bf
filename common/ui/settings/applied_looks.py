"""Shows a program's window as its person has chosen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from common.system.settings_store import SettingsStore
from common.ui.look.desktop_mode import desktop_mode
from common.ui.program.program import Program
from common.ui.settings.looks import change_text_size
from common.ui.widgets.keys import LARGER, SMALLER, USUAL_SIZE


class AppliedLooks:
    """Applies the looks whenever they change, and lets the keyboard change the size of text.

    `rebuild()` makes all that is shown anew, for another size of text.
    """

    def __init__(
        self, program: Program[Any], store: SettingsStore[Any], rebuild: Callable[[], object]
    ) -> None:
        self._program, self._store, self._rebuild = program, store, rebuild
        mode = program.remembered_mode
        if mode is not None and not store.path.exists():
            # It was chosen before there were settings.
            store.set("looks", "theme", value=mode)
        store.subscribe(self.apply)
        for keys, step in ((LARGER, 1), (SMALLER, -1), (USUAL_SIZE, 0)):
            program.root.bind(keys, partial(self._zoom, step))

    def apply(self) -> None:
        """Show the window as it is chosen now."""
        looks, theme = self._store.settings.looks, self._program.theme
        theme.switch(desktop_mode() if looks.theme == "system" else looks.theme)
        if looks.text_size != theme.text_size:
            theme.zoom(looks.text_size)
            self._rebuild()
        # After the switch, at which the window remembers the mode that is shown.
        self._program.remember_look(
            None if looks.theme == "system" else looks.theme, looks.text_size
        )

    def toggle_mode(self) -> None:
        """Choose dark instead of light, or light instead of dark."""
        mode = "light" if self._program.theme.mode == "dark" else "dark"
        self._store.set("looks", "theme", value=mode)

    def _zoom(self, step: int, _: object) -> str:
        change_text_size(self._store, step)
        return "break"
