"""The page "Looks": colours and the size of text."""

from __future__ import annotations

import tkinter as tk
from typing import Any, Final

from common.system.looks import TEXT_SIZES
from common.system.settings_store import SettingsStore
from common.ui.look.theme import Theme
from common.ui.settings.window import SettingsPage
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.option_row import OptionRow, Options
from common.ui.widgets.setting_row import SettingRow


class LooksPage(SettingsPage):
    """Changes the looks at once; `refresh` shows what was chosen elsewhere."""

    TITLE: Final = "Looks"
    ICON: Final = "sun"

    def __init__(self, parent: tk.Misc, theme: Theme, store: SettingsStore[Any]) -> None:
        super().__init__(parent, theme)
        self._store = store
        colours = SettingRow(self, theme, "Colours")
        colours.pack(fill="x")
        choices = [("system", "As the system"), ("light", "Light"), ("dark", "Dark")]
        self.theme = OptionRow(
            colours.below,
            theme,
            Options("Colours", choices, store.settings.looks.theme),
            lambda chosen: store.set("looks", "theme", value=chosen),
        )
        self.theme.pack(anchor="w", pady=(theme.px(8), 0))
        size = SettingRow(
            self, theme, "Text size", "Everything grows with it. Ctrl++ and Ctrl+- do the same."
        )
        size.pack(fill="x", pady=(theme.px(24), 0))
        row = Panel(size.below, theme)
        row.pack(anchor="w", pady=(theme.px(8), 0))
        self.smaller = Button(row, theme, "\N{MINUS SIGN}", lambda: self._step(-1), height=30)
        self.smaller.pack(side="left")
        self.shown_size = Label(row, theme, "100 %", font="body_bold")
        self.shown_size.configure(width=7, anchor="center")
        self.shown_size.pack(side="left", padx=theme.px(6))
        self.larger = Button(row, theme, "+", lambda: self._step(1), height=30)
        self.larger.pack(side="left")
        self.usual = Button(
            row, theme, "Usual size", lambda: store.set("looks", "text_size", value=100), height=30
        )
        self.usual.pack(side="left", padx=(theme.px(16), 0))
        self.refresh()

    def refresh(self) -> None:
        """Show the settings as they are."""
        looks = self._store.settings.looks
        self.theme.choose(looks.theme)
        self.shown_size.set(f"{looks.text_size} %")
        self.smaller.enabled = looks.text_size > TEXT_SIZES[0]
        self.larger.enabled = looks.text_size < TEXT_SIZES[-1]
        self.usual.enabled = looks.text_size != 100

    def _step(self, step: int) -> None:
        change_text_size(self._store, step)


def change_text_size(store: SettingsStore[Any], step: int) -> None:
    """Choose the next larger (1) or smaller (-1) size of text that is offered, or the usual (0)."""
    now = store.settings.looks.text_size
    larger = [size for size in TEXT_SIZES if size > now]
    smaller = [size for size in TEXT_SIZES if size < now]
    sizes = {1: larger[:1], -1: smaller[-1:], 0: [100]}[step]
    for size in sizes:
        store.set("looks", "text_size", value=size)
