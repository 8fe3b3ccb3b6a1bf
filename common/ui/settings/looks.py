"""The page "Looks": colours and the size of text."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Any, Final, cast

from common.system.looks import TEXT_SIZES, ThemeChoice
from common.system.settings_store import SettingsStore
from common.ui.look.palette import Mode
from common.ui.look.theme import Theme
from common.ui.settings.text_size import change_text_size, offered_text_sizes
from common.ui.settings.window import SettingsPage
from common.ui.widgets.basics import Label
from common.ui.widgets.buttons import Button
from common.ui.widgets.flow import Flow
from common.ui.widgets.keys import TEXT_SIZE_TITLE
from common.ui.widgets.option_row import OptionRow, Options
from common.ui.widgets.setting_row import SettingRow

_GROWS: Final = f"Everything grows with it. {TEXT_SIZE_TITLE} does the same."
_GIVEN: Final = "So this window was started. What you choose here is kept."


class LooksPage(SettingsPage):
    """Changes the looks at once; `refresh` shows changes made elsewhere.

    `choose(theme)` chooses the theme; `given()` returns the mode that holds for this run alone,
    whatever is stored, or None.
    """

    TITLE: Final = "Looks"
    ICON: Final = "sun"

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        store: SettingsStore[Any],
        choose: Callable[[ThemeChoice], object] | None = None,
        given: Callable[[], Mode | None] = lambda: None,
    ) -> None:
        super().__init__(parent, theme)
        self._theme, self._store, self._given = theme, store, given
        self._colours = colours = SettingRow(self, theme, "Colours")
        colours.pack(fill="x")
        take = choose or (lambda chosen: store.set("looks", "theme", value=chosen))
        choices = [("system", "As the system"), ("light", "Light"), ("dark", "Dark")]
        self.theme = OptionRow(
            colours.below,
            theme,
            Options("Colours", choices, store.settings.looks.theme),
            lambda chosen: take(cast("ThemeChoice", chosen)),
        )
        self.theme.pack(fill="x", pady=(theme.px(8), 0))
        self._size = size = SettingRow(self, theme, "Text size", _GROWS)
        size.pack(fill="x", pady=(theme.px(24), 0))
        row = Flow(size.below, theme)
        row.pack(fill="x", pady=(theme.px(8), 0))
        self.smaller = Button(row, theme, "\N{MINUS SIGN}", lambda: self._step(-1), height=30)
        self.shown_size = Label(row, theme, "100 %", font="body_bold")
        self.shown_size.configure(width=7, anchor="center")
        self.larger = Button(row, theme, "+", lambda: self._step(1), height=30)
        self.usual = Button(row, theme, "Usual size", lambda: self._step(0), height=30)
        for widget in (self.smaller, self.shown_size, self.larger, self.usual):
            row.add(widget)
        self.refresh()

    def refresh(self) -> None:
        """Show the current settings."""
        looks = self._store.settings.looks
        given = self._given()
        self.theme.choose(given or looks.theme)
        self._colours.explain(_GIVEN if given is not None else "")
        shown, offered = self._theme.fitting(looks.text_size), offered_text_sizes(self._theme)
        self.shown_size.set(f"{shown} %")
        self.smaller.enabled = shown > offered[0]
        self.larger.enabled = shown < offered[-1]
        self.usual.enabled = looks.text_size != 100
        is_bounded = shown >= offered[-1] < TEXT_SIZES[-1]
        self._size.explain(f"{_GROWS} This screen has no room for more." if is_bounded else _GROWS)

    def _step(self, step: int) -> None:
        change_text_size(self._store, self._theme, step)
