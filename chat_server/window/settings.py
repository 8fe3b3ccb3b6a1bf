"""The pages of the host's settings window."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from chat_server.settings import SettingsStore
from common.ui.look.theme import Theme
from common.ui.settings.applied_looks import AppliedLooks
from common.ui.settings.looks import LooksPage
from common.ui.settings.window import PageMaker, SettingsPage
from common.ui.widgets.buttons import Button
from common.ui.widgets.option_row import OptionRow, Options
from common.ui.widgets.setting_row import SettingRow, SwitchRow

_VOLUMES: Final = {"off": 0, "quiet": 30, "medium": 70, "loud": 100}
_SPACE: Final = 20
"""Space below a setting, px at 96 dpi."""


class NotificationsPage(SettingsPage):
    """Of what the host is told, and how loudly; each change holds at once.

    `status()` says how notifications and sounds are shown here; `test()` shows and plays one.
    """

    TITLE: Final = "Notifications"
    ICON: Final = "bell"

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        store: SettingsStore,
        status: Callable[[], str],
        test: Callable[[], object],
    ) -> None:
        super().__init__(parent, theme)
        self._theme, self._store, self._status = theme, store, status
        self.enabled = self._switch(
            "enabled",
            "Notifications",
            "Shown by the desktop while you do something else, and gone once you look here.",
        )
        self.refused = self._switch(
            "refused",
            "Somebody is refused",
            "By a wrong invite, an unknown device, a program that is too old, or a ban. "
            "Repeated tries are one notification, with their number.",
        )
        self.storage = self._switch(
            "store",
            "The disk gets full",
            "Before messages can’t be stored any more, and when they can’t.",
        )
        self.server = self._switch(
            "server", "The server stops by itself", "Or has no room for anybody else."
        )
        row = self._row("Sound")
        choices = [("off", "Off"), ("quiet", "Quiet"), ("medium", "Medium"), ("loud", "Loud")]
        self.volume = OptionRow(
            row.below, theme, Options("Sound", choices, "off"), self._choose_volume
        )
        self.volume.pack(anchor="w", pady=(theme.px(8), 0))
        self.status = self._row("On this computer", status())
        self.test = Button(self.status.below, theme, "Try it", test, height=30)
        self.test.pack(anchor="w", pady=(theme.px(8), 0))
        self.refresh()

    def refresh(self) -> None:
        """Show the settings as they are."""
        settings = self._store.settings
        chosen = settings.notifications
        self.enabled.switch.set(chosen.enabled)
        for row, on in (
            (self.refused, chosen.refused),
            (self.storage, chosen.store),
            (self.server, chosen.server),
        ):
            row.switch.set(on)
            row.switch.enabled = chosen.enabled
        nearest = min(_VOLUMES, key=lambda name: abs(_VOLUMES[name] - settings.volume))
        self.volume.choose(nearest if chosen.sounds else "off")
        self.status.explain(self._status())

    def _row(self, title: str, explanation: str = "") -> SettingRow:
        row = SettingRow(self, self._theme, title, explanation)
        row.pack(fill="x", pady=(0, self._theme.px(_SPACE)))
        return row

    def _switch(self, name: str, title: str, explanation: str) -> SwitchRow:
        row = SwitchRow(
            self, self._theme, title, explanation,
            lambda on: self._store.set("notifications", name, value=on),
        )  # fmt: skip
        row.pack(fill="x", pady=(0, self._theme.px(_SPACE)))
        return row

    def _choose_volume(self, chosen: str) -> None:
        if chosen != "off":
            self._store.set("notifications", "volume", value=_VOLUMES[chosen])
        self._store.set("notifications", "sounds", value=chosen != "off")


def settings_pages(
    theme: Theme,
    store: SettingsStore,
    looks: AppliedLooks,
    status: Callable[[], str],
    test: Callable[[], object],
) -> list[PageMaker]:
    """All pages, in their order."""
    return [
        PageMaker(
            NotificationsPage.TITLE,
            NotificationsPage.ICON,
            lambda parent: NotificationsPage(parent, theme, store, status, test),
        ),
        PageMaker(
            LooksPage.TITLE,
            LooksPage.ICON,
            lambda parent: LooksPage(parent, theme, store, looks.choose, lambda: looks.given),
        ),
    ]
