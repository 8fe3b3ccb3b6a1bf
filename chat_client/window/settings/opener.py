"""Opens the settings window: there is one at a time, made when somebody wants to see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chat_client.options import Options
from chat_client.settings import SettingsStore
from chat_client.window.notifications import Notifications
from common.ui.program.program import Program
from common.ui.settings.applied_looks import AppliedLooks

if TYPE_CHECKING:
    from common.ui.settings.window import SettingsWindow


class SettingsOpener:
    """Owns the settings window, if it is open."""

    def __init__(
        self,
        program: Program[Any],
        options: Options,
        settings: SettingsStore,
        looks: AppliedLooks,
        notifications: Notifications,
    ) -> None:
        self._root, self._theme, self._options = program.root, program.theme, options
        self._settings, self._looks, self._notifications = settings, looks, notifications
        self.window: SettingsWindow | None = None

    def show(self, page: str, account: str | None, name_of_room: Callable[[str], str]) -> None:
        """Show it, or bring it to the front; `account` is the key of the one that is open."""
        if self.window is not None:
            self.window.raise_()
            return
        # Imported here: not before somebody wants to see them.
        from chat_client.scheme_handler import scheme_handler
        from chat_client.window.settings.notifications import Hooks
        from chat_client.window.settings.pages import settings_pages
        from common.ui.settings.window import SettingsWindow

        desktop, test = self._notifications.desktop, self._notifications.test
        self.window = SettingsWindow(
            self._root,
            self._theme,
            self._settings,
            "ChatClient",
            settings_pages(
                self._theme,
                self._settings,
                Hooks(account, name_of_room, desktop.status, test),
                self._looks,
                scheme_handler(self._options),
            ),
            self._closed,
            page,
        )
        desktop.on_state = self.window.refresh

    def close(self) -> None:
        """Close it, if it is open."""
        if self.window is not None:
            self.window.close()

    def rebuild(self) -> None:
        """Make it anew, for another size of text."""
        if self.window is not None:
            self.window.rebuild()

    def _closed(self) -> None:
        self.window = None
        self._notifications.desktop.on_state = lambda: None
