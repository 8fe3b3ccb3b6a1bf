"""The pages of the host's settings window."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

from chat_server.settings import SettingsStore
from chat_server.window.joining_settings import JoiningPage
from chat_server.window.message_settings import MessagesPage
from common.ui.look.theme import Theme
from common.ui.settings.alerts import AlertsPage
from common.ui.settings.applied_looks import AppliedLooks
from common.ui.settings.looks import LooksPage
from common.ui.settings.window import PageMaker


class NotificationsPage(AlertsPage):
    """Of what the host is told, and how loudly; each change holds at once."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        store: SettingsStore,
        status: Callable[[], str],
        test: Callable[[], object],
    ) -> None:
        super().__init__(parent, theme, store, status, test)
        self._store: SettingsStore = store
        self.add_enabled(
            "Shown by the desktop while you do something else, and gone once you look here."
        )
        self.requests = self.add_switch(
            "Somebody asks to join",
            "With the name and the digits that they see. Several are one notification.",
            self.setter("requests"),
        )
        self.refused = self.add_switch(
            "Somebody is refused",
            "By a wrong invite, an unknown device, a program that is too old, or a ban. "
            "Repeated tries are one notification, with their number.",
            self.setter("refused"),
        )
        self.storage = self.add_switch(
            "The disk gets full",
            "Before messages can’t be stored any more, and when they can’t.",
            self.setter("store"),
        )
        self.server = self.add_switch(
            "The server stops by itself", "Or has no room for anybody else.", self.setter("server")
        )
        self.add_sound()
        self.add_status()
        self.refresh()

    def refresh(self) -> None:
        """Show the settings as they are."""
        super().refresh()
        chosen = self._store.settings.notifications
        for row, on in (
            (self.requests, chosen.requests),
            (self.refused, chosen.refused),
            (self.storage, chosen.store),
            (self.server, chosen.server),
        ):
            row.switch.set(on)
            row.switch.enabled = chosen.enabled


def settings_pages(
    theme: Theme,
    store: SettingsStore,
    looks: AppliedLooks,
    status: Callable[[], str],
    test: Callable[[], object],
    rule: Callable[[], tuple[str, bool]],
    set_rule: Callable[[str, bool], object],
    slow: Callable[[], int | None],
    set_slow: Callable[[int], object],
) -> list[PageMaker]:
    """All pages, in their order."""
    return [
        PageMaker(
            JoiningPage.TITLE,
            JoiningPage.ICON,
            lambda parent: JoiningPage(parent, theme, rule, set_rule),
        ),
        PageMaker(
            MessagesPage.TITLE,
            MessagesPage.ICON,
            lambda parent: MessagesPage(parent, theme, slow, set_slow),
        ),
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
