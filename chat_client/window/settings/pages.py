"""The pages of the settings window."""

from __future__ import annotations

from chat_client.scheme_handler import SchemeHandler
from chat_client.settings import SettingsStore
from chat_client.window.settings.links import LinksPage
from chat_client.window.settings.notifications import Hooks, NotificationsPage
from common.ui.look.theme import Theme
from common.ui.settings.applied_looks import AppliedLooks
from common.ui.settings.looks import LooksPage
from common.ui.settings.window import PageMaker


def settings_pages(
    theme: Theme,
    store: SettingsStore,
    hooks: Hooks,
    looks: AppliedLooks,
    links: SchemeHandler | None,
) -> list[PageMaker]:
    """All pages, in their order."""
    return [
        PageMaker(
            NotificationsPage.TITLE,
            NotificationsPage.ICON,
            lambda parent: NotificationsPage(parent, theme, store, hooks),
        ),
        PageMaker(
            LooksPage.TITLE,
            LooksPage.ICON,
            lambda parent: LooksPage(parent, theme, store, looks.choose, lambda: looks.given),
        ),
        PageMaker(LinksPage.TITLE, LinksPage.ICON, lambda parent: LinksPage(parent, theme, links)),
    ]
