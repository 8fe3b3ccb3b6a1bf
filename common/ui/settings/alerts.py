"""The common part of both programs' pages "Notifications": switches, the volume, and a test."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from typing import Any, Final

from common.system.settings_store import SettingsStore
from common.ui.look.theme import Theme
from common.ui.settings.window import SettingsPage
from common.ui.widgets.buttons import Button
from common.ui.widgets.option_row import OptionRow, Options
from common.ui.widgets.setting_row import SettingRow, SwitchRow

_VOLUMES: Final = {"off": 0, "quiet": 30, "medium": 70, "loud": 100}
_VOLUME_NAMES: Final = (
    ("off", "Off"),
    ("quiet", "Quiet"),
    ("medium", "Medium"),
    ("loud", "Loud"),
)
_SPACE: Final = 20
"""Space below a setting, px at 96 dpi."""


class AlertsPage(SettingsPage):
    """Changes each setting at once; `refresh` shows changes made elsewhere.

    `status()` returns a description of the notification server and the sound player; `test()` shows
    a notification and plays a sound. A subclass adds its rows from top to bottom, and calls
    `add_enabled`, `add_sound` and `add_status` for the common ones.
    """

    TITLE: Final = "Notifications"
    ICON: Final = "bell"

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        store: SettingsStore[Any],
        status: Callable[[], str],
        test: Callable[[], object],
    ) -> None:
        super().__init__(parent, theme)
        self._theme, self._store = theme, store
        self._status, self._test = status, test

    def add_row(self, title: str, explanation: str = "") -> SettingRow:
        """Add a setting below the existing ones."""
        row = SettingRow(self, self._theme, title, explanation)
        row.pack(fill="x", pady=(0, self._theme.px(_SPACE)))
        return row

    def add_switch(
        self, title: str, explanation: str, on_change: Callable[[bool], object]
    ) -> SwitchRow:
        """Add a setting with a switch; `on_change(on)` is called when it is switched."""
        row = SwitchRow(self, self._theme, title, explanation, on_change)
        row.pack(fill="x", pady=(0, self._theme.px(_SPACE)))
        return row

    def add_choice(
        self, row: SettingRow, choices: Sequence[tuple[str, str]], change: Callable[[str], object]
    ) -> OptionRow:
        """Add options to a row, as (id, label); `change(id)` is called for the chosen one."""
        options = OptionRow(row.below, self._theme, Options("", choices, choices[0][0]), change)
        options.pack(fill="x", pady=(self._theme.px(8), 0))
        return options

    def setter(self, name: str) -> Callable[[object], None]:
        """A function that stores a value for the notification setting `name`."""
        return lambda value: self._store.set("notifications", name, value=value)

    def add_enabled(self, explanation: str) -> None:
        """Add the switch that enables notifications."""
        self.enabled = self.add_switch("Notifications", explanation, self.setter("enabled"))

    def add_sound(self) -> None:
        """Add the volume of sounds, which may be off."""
        self.volume = self.add_choice(self.add_row("Sound"), _VOLUME_NAMES, self._set_volume)

    def add_status(self) -> None:
        """Add the description of this computer's notifications, and a button that shows one."""
        self.status = self.add_row("On this computer", self._status())
        self.test = Button(self.status.below, self._theme, "Try it", self._test, height=30)
        self.test.pack(anchor="w", pady=(self._theme.px(8), 0))

    def refresh(self) -> None:
        """Show the current settings, of those that both programs have."""
        settings = self._store.settings
        chosen = settings.notifications
        self.enabled.switch.set(chosen.enabled)
        nearest = min(_VOLUMES, key=lambda name: abs(_VOLUMES[name] - settings.volume))
        self.volume.choose(nearest if chosen.sounds else "off")
        self.status.explain(self._status())

    def _set_volume(self, chosen: str) -> None:
        if chosen != "off":
            self.setter("volume")(_VOLUMES[chosen])
        self.setter("sounds")(chosen != "off")
